//! Which files are tests, and whether one of those that matter has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The test files that `paths` mean: files as they are, of folders everything called
/// `*.connector.yml` or `*.connector.yaml`; of nothing, those in `tests`.
///
/// A path that is not there is kept, so that reading it says so.
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

/// Deeper than anyone nests folders of tests.
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

/// When files were written last, to be compared with later.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileStamps(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl FileStamps {
    /// Those of now; a file that is not there has none.
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
