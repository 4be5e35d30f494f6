//! Every code has an explanation, a fixture and an entry in `docs/diagnostics.md`, which is
//! generated from the explanations: `WEIR_BLESS=1 cargo test -p schema --test codes` writes it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use schema::diagnostic::{Code, Family};

#[test]
fn every_code_has_a_summary_and_a_paragraph() {
    for code in Code::ALL {
        let name = code.as_str();
        let (summary, explanation) = (code.summary(), code.explain());

        assert!(summary.ends_with('.'), "{name}: {summary}");
        assert!(explanation.len() > 80, "{name}: {explanation}");
        assert!(!explanation.contains("```"), "{name}: {explanation}");
        let example = code.example().unwrap_or_default();
        assert_eq!(example.matches("```").count() % 2, 0, "{name}: {example}");
        let longest = code
            .explain()
            .lines()
            .map(|line| line.chars().count())
            .max();
        assert!(longest <= Some(120), "{name} has a line of {longest:?}");
    }
}

#[test]
fn codes_are_found_by_name_in_any_case() {
    for code in Code::ALL {
        assert_eq!(Code::from_name(&code.as_str().to_lowercase()), Some(*code));
    }
    assert_eq!(
        Code::from_name("MISSING_SCHEMA_TYPE"),
        Some(Code::SdlInvalid)
    );
    assert_eq!(Code::from_name("NO_SUCH_CODE"), None);
}

#[test]
fn every_code_of_the_graph_has_a_fixture() {
    let fixtures: String = fs::read_dir(root().join("schema/tests/diagnostics"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| {
            matches!(
                code.family(),
                Family::Graph | Family::Federation | Family::Connectors | Family::Caching
            )
        })
        .filter(|code| !fixtures.contains(&format!("[{}]: ", code.as_str())))
        .map(|code| code.as_str())
        .collect();

    assert!(missing.is_empty(), "no fixture for {}", missing.join(", "));
}

#[test]
fn every_explanation_belongs_to_a_code() {
    for entry in fs::read_dir(root().join("schema/src/diagnostic/explain")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy();
        let exact = Code::ALL.iter().any(|code| code.as_str() == name);
        assert!(exact, "{} explains no code", path.display());
    }
}

#[test]
fn the_diagnostics_page_is_current() {
    let path = root().join("docs/diagnostics.md");
    let page = page();
    if bless() {
        fs::write(&path, &page).unwrap();
    }
    let current = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        current == page,
        "docs/diagnostics.md is stale; `WEIR_BLESS=1 cargo test -p schema --test codes` writes it"
    );
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (family, title, about) in FAMILIES {
        let of_family = Code::ALL.iter().filter(|code| code.family() == family);
        write!(page, "\n## {title}\n\n{about}\n").unwrap();
        for code in of_family {
            let (name, summary) = (code.as_str(), code.summary());
            write!(page, "\n### {name}\n\n*{summary}*\n\n{}\n", code.explain()).unwrap();
            if let Some(example) = code.example() {
                write!(page, "\n{example}\n").unwrap();
            }
        }
    }
    page
}

const INTRODUCTION: &str = "\
# Diagnostics

The diagnostics of `weir check` and of the start of Weir about a graph or a configuration, by code. This page is
generated from the texts that `weir explain CODE` prints.

An *error* prevents the start, a *warning* does not. All problems of a file are reported at once, each with its
position, down to the character inside a mapping or URL; `weir check --format json` reports the same to editors and CI.
Checks of a subgraph's connectors as a whole (whether every field is provided, whether keys can be resolved) run only
when every single connector is valid.
";

const FAMILIES: [(Family, &str, &str); 6] = [
    (
        Family::Graph,
        "The graph",
        "The SDL of a subgraph, and the merged graph.",
    ),
    (
        Family::Federation,
        "Federation",
        "Federation directives and the composition of subgraphs. The codes have the names that other composers use.",
    ),
    (
        Family::Connectors,
        "Connectors",
        "`@source` and `@connect`. The codes have the names that other tools for connectors use.",
    ),
    (
        Family::Caching,
        "Caching",
        "Cache directives of the graph; see also [caching.md](caching.md).",
    ),
    (
        Family::Configuration,
        "The configuration",
        "`weir.yaml`; see also [configuration.md](configuration.md).",
    ),
    (
        Family::CommandLine,
        "The command line",
        "Files and operations in the command line.",
    ),
];

#[expect(
    clippy::disallowed_methods,
    reason = "the environment is the only configuration of a test"
)]
fn bless() -> bool {
    std::env::var("WEIR_BLESS").is_ok_and(|value| value == "1")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
