//! Broken supergraphs and their rendered diagnostics.
//!
//! `tests/diagnostics/<name>.supergraph` is a supergraph in which `#join a b` at the end expands to
//! the standard definitions and the subgraphs `A` and `B`. `<name>.txt` has the diagnostics. To
//! accept the current ones:
//! `WEIR_BLESS=1 cargo test -p schema --test supergraph`.

use std::path::{Path, PathBuf};

use super::support::{definitions, graphs, load};

#[test]
fn every_broken_supergraph_has_its_diagnostics() {
    let mut differing = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 15, "{}", cases.len());

    for case in cases {
        let text = std::fs::read_to_string(&case).unwrap();
        let (graph, printed) = load(&whole(&text));
        let printed = printed + "\n";
        let name = case.file_stem().unwrap().to_string_lossy();
        assert_eq!(graph.is_some(), name.starts_with("warned_"), "{name}");
        let expected = case.with_extension("txt");
        if bless() {
            std::fs::write(&expected, &printed).unwrap();
        }
        if std::fs::read_to_string(&expected).unwrap_or_default() != printed {
            differing.push(format!("{}:\n{printed}", expected.display()));
        }
    }

    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

fn whole(text: &str) -> String {
    match text.split_once("#join ") {
        None => text.to_owned(),
        Some((text, names)) => {
            let names: Vec<_> = names.split_whitespace().collect();
            format!("{text}{}{}", graphs(&names, "join"), definitions("join"))
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment is the only configuration of a test"
)]
fn bless() -> bool {
    std::env::var("WEIR_BLESS").is_ok_and(|value| value == "1")
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "supergraph"))
        .collect();
    cases.sort();
    cases
}
