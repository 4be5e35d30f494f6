//! Replays the corpus of the fuzzer: every input ends without a panic.
//!
//! The corpus has a folder per target. `make fuzz` extends it; see docs/fuzzing.md.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are not seen as tests"
)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "corpus/check.rs"]
#[expect(unreachable_pub, reason = "the fuzzer's crate makes it public")]
mod check;

#[test]
fn templates_of_the_corpus() {
    replay("template", check::template);
}

#[test]
fn mappings_of_the_corpus() {
    replay("mapping", check::mapping);
}

#[test]
fn evaluations_of_the_corpus() {
    replay("evaluate", check::evaluate);
}

#[test]
fn subgraphs_of_the_corpus() {
    replay("link", check::link);
}

#[test]
fn operations_of_the_corpus() {
    replay("operation", check::operation);
}

#[test]
fn json_of_the_corpus() {
    replay("json", check::json);
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(target);
    let files = files(&folder);
    assert!(files.len() > 10, "{} has too few files", folder.display());
    for path in files {
        let data = fs::read(&path).expect("a file that was listed");
        let name = path.display();
        let outcome = std::panic::catch_unwind(|| check(&data));
        assert!(outcome.is_ok(), "{name} panics; see above");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder for each target");
    let paths = entries.map(|entry| entry.expect("a file").path());
    paths.collect()
}
