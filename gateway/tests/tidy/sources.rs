//! The Rust files of the workspace, as text and as syntax trees.

use std::fs;
use std::path::{Path, PathBuf};

/// The crates of the workspace, by folder.
pub(crate) const CRATES: [&str; 5] = ["schema", "resolvers", "gateway", "mocks", "bench"];

/// One Rust file.
pub(crate) struct Source {
    /// Relative to the root of the repository.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// The syntax tree of the file.
    pub(crate) fn syntax(&self) -> syn::File {
        syn::parse_file(&self.text)
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    /// Whether the file is production code: below `src`, and not a file of unit tests.
    pub(crate) fn is_production(&self) -> bool {
        let path = self.path.to_string_lossy();
        path.contains("/src/") && !path.ends_with("/tests.rs")
    }

    /// Lines before the unit tests at the end of the file, and lines of those tests.
    pub(crate) fn code_and_test_lines(&self) -> (usize, usize) {
        let lines: Vec<&str> = self.text.lines().collect();
        let begins = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1] == "mod tests {";
        let start = lines.windows(2).position(begins).unwrap_or(lines.len());
        (start, lines.len() - start)
    }

    /// Numbered lines without comments and without the unit tests at the end.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let (code, _) = self.code_and_test_lines();
        let lines = self.text.lines().take(code).enumerate();
        lines
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// All Rust files of the workspace, sorted by path.
pub(crate) fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    for name in CRATES {
        for folder in ["src", "tests", "benches", "examples"] {
            collect(&root().join(name).join(folder), "rs", &mut paths);
        }
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// Collects all files with `extension` below `folder`, except in `node_modules`.
pub(crate) fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "node_modules") {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|other| other == extension) {
            files.push(path);
        }
    }
}

pub(crate) fn read(path: &Path) -> Source {
    Source {
        path: path.strip_prefix(root()).unwrap().to_owned(),
        text: fs::read_to_string(path).unwrap(),
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Whether an item is compiled for tests only.
pub(crate) fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|name| name == "test")
    })
}
