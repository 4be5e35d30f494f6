//! Broken graphs and their rendered diagnostics.
//!
//! `tests/diagnostics/<name>.graphql` is linked as `<name>.graphql`; a line `#--- other.graphql`
//! starts another subgraph. Names with the prefix `allowed_` enable experimental versions, and graphs
//! with the prefix `warned_` link, with warnings. The expected output is in `<name>.txt`; `WEIR_BLESS=1 cargo test -p schema --test diagnostics`
//! writes it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use schema::diagnostic::Diagnostic;
use schema::link::{self, AccessDirectives, LinkOptions};
use schema::mapping::{Mapping, ParseError, Version};
use schema::span::Document;
use schema::subgraph::Subgraph;
use schema::template::Template;

#[test]
fn every_broken_graph_has_its_diagnostics() {
    let mut differing = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 30, "{}", cases.len());

    for case in cases {
        let printed = printed(&case);
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

/// Each text in back-ticks of a remedy for syntax is itself valid.
#[test]
fn suggested_texts_are_valid() {
    let mut invalid = Vec::new();
    let mut count = 0;
    let is_of_syntax = |case: &PathBuf| case.to_string_lossy().contains("help");
    for case in cases().into_iter().filter(is_of_syntax) {
        let printed = printed(&case);
        let helps = printed
            .lines()
            .filter_map(|line| line.split_once("= help: "));
        for text in helps.flat_map(|(_, help)| help.split('`').skip(1).step_by(2)) {
            count += 1;
            if let Err(error) = parse_suggested(text) {
                invalid.push(format!("{text}: {error}"));
            }
        }
    }

    assert!(count > 60, "{count}");
    assert!(invalid.is_empty(), "{}", invalid.join("\n"));
}

/// Parses a mapping, the end of a path, a template, a `@link` or a member of `http`.
fn parse_suggested(text: &str) -> Result<(), String> {
    let connect = |http: &str| {
        format!("type Query {{ a: Int @connect(http: {{ {http} }}, selection: \"$\") }}")
    };
    let link = "extend schema @link(url: \"https://specs.apollo.dev/connect/v0.3\", import: [\"@connect\"])";
    // What newer versions add is suggested to them only.
    let version = if text.contains("??") {
        Version::V0_3
    } else {
        Version::V0_1
    };
    let sdl = match text {
        _ if text.starts_with("extend schema") => {
            format!("{text} {}", connect("GET: \"http://a/\""))
        }
        _ if text.starts_with("GET: ") => {
            let absolute = text.replace("\"/", "\"http://a/");
            format!("{link} {}", connect(&absolute))
        }
        _ if text.starts_with('{') => return parsed(Template::parse(text, version)),
        _ if text.starts_with("->") || text.starts_with('.') => {
            return parsed(Mapping::parse(&format!("$.a{text}"), version));
        }
        _ => return parsed(Mapping::parse(text, version)),
    };
    let (graph, diagnostics) = link::link(&subgraphs("help.graphql", &sdl), LinkOptions::default());
    match graph {
        Some(_) => Ok(()),
        None => Err(format!("{sdl}: {diagnostics:?}")),
    }
}

fn parsed<T>(result: Result<T, ParseError>) -> Result<(), String> {
    result.map(|_| ()).map_err(|error| error.to_string())
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
        .filter(|path| path.extension().is_some_and(|it| it == "graphql"))
        .collect();
    cases.sort();
    cases
}

fn printed(case: &Path) -> String {
    let text = std::fs::read_to_string(case).unwrap();
    let name = case.file_name().unwrap().to_string_lossy();
    let subgraphs = subgraphs(&name, &text);

    let options = LinkOptions {
        experimental_connect: name.starts_with("allowed_"),
        access_directives: if name.starts_with("allowed_") {
            AccessDirectives::Allow
        } else {
            AccessDirectives::Refuse
        },
    };
    let (graph, diagnostics) = link::link(&subgraphs, options);

    assert_eq!(graph.is_some(), name.starts_with("warned_"), "{name}");
    assert!(!diagnostics.is_empty(), "{name} has no diagnostics");
    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    rendered.join("\n\n") + "\n"
}

fn subgraphs(name: &str, text: &str) -> Vec<Subgraph> {
    let mut parts = text.split("#--- ");
    let first = (name, parts.next().unwrap());
    let others = parts.map(|part| part.split_once('\n').unwrap());
    std::iter::once(first)
        .chain(others)
        .map(|(file, text)| Subgraph {
            name: file.trim_end_matches(".graphql").into(),
            url: None,
            document: Document::new(file, text),
        })
        .collect()
}
