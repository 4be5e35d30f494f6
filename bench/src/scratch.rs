//! Files that others are to read.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file that is there as long as the value.
#[derive(Debug)]
pub(crate) struct ScratchFile {
    path: PathBuf,
}

impl ScratchFile {
    /// Writes `content` into a file whose name ends like this; no other has that name.
    pub(crate) fn write(name: &str, content: &str) -> Result<Self, Failure> {
        let name = format!("weir-bench-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let action = format!("cannot write {}", path.display());
        std::fs::write(&path, content).map_err(Failure::io(action))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // Left behind, it would be a small file among temporary ones.
        let _ = std::fs::remove_file(&self.path);
    }
}
