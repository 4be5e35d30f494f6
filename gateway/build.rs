//! Embeds the files of the GraphiQL page in the binary.
//!
//! Writes a table of `include_bytes!`; it is empty if the page was not built (`ui/dist`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let dist = root.join("ui/dist");
    // Cargo treats a missing folder as changed in every build, so its parent is watched instead.
    let watched = if dist.exists() { "ui/dist" } else { "ui" };
    println!("cargo::rerun-if-changed={watched}");

    let mut table = "static FILES: &[File] = &[\n".to_owned();
    for path in compressed_files(&dist)? {
        let name = path.strip_prefix(&dist).unwrap_or(&path).with_extension("");
        let name = name.to_string_lossy().replace('\\', "/");
        let brotli = path.to_string_lossy();
        let gzip = path.with_extension("gz");
        let gzip = gzip.to_string_lossy();
        let _ = writeln!(
            table,
            "    File {{ path: {name:?}, brotli: include_bytes!({brotli:?}), gzip: include_bytes!({gzip:?}) }},"
        );
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(variable("OUT_DIR")).join("page.rs"), table)
}

/// All `*.br` under `folder`, sorted; for each there is a `*.gz` too.
fn compressed_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(compressed_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "br") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn variable(name: &str) -> std::ffi::OsString {
    env::var_os(name).unwrap_or_default()
}
