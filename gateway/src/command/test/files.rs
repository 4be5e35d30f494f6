//! Finds test files, and detects changes of files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The test files in `paths`: each file, and `*.connector.yml` and `*.connector.yaml` in each
/// folder. Without paths, those in `tests`.
///
/// Includes paths that do not exist, so that reading them reports an error.
pub(super) fn test_files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if paths.is_empty() {
        collect(Path::new("tests"), MAX_DEPTH, &mut files);
    }
    for path in paths {
        if path.is_dir() {
            collect(path, MAX_DEPTH, &mut files);
        } else {
            files.push(path.clone());
        }
    }
    files
}

/// Maximum depth of nested folders.
const MAX_DEPTH: usize = 16;

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() && depth > 0 {
            collect(&path, depth - 1, files);
        } else if is_test_file(&path) {
            files.push(path);
        }
    }
}

fn is_test_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".connector.yml", ".connector.yaml"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Modification times and sizes of files at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileStamps(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl FileStamps {
    /// Reads the current stamps; a file that does not exist has none.
    pub(super) fn read(files: impl Iterator<Item = PathBuf>) -> Self {
        Self(
            files
                .map(|path| {
                    let data = fs::metadata(&path).ok();
                    let stamp = data.and_then(|data| Some((data.modified().ok()?, data.len())));
                    (path, stamp)
                })
                .collect(),
        )
    }
}
