//! Temporary files for other processes.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A temporary file; removed when dropped.
#[derive(Debug)]
pub(crate) struct ScratchFile {
    path: PathBuf,
}

impl ScratchFile {
    /// Writes `content` to a file whose name ends with `name` and contains the process id.
    pub(crate) fn write(name: &str, content: &str) -> Result<Self, Failure> {
        let name = format!("weir-bench-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let action = format!("cannot write {}", path.display());
        std::fs::write(&path, content).map_err(Failure::io(action))?;
        Ok(Self { path })
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // A leftover temporary file is harmless.
        let _ = std::fs::remove_file(&self.path);
    }
}
