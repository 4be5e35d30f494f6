//! Rules of the whole repository that no compiler checks.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test may"
)]

use std::path::Path;

mod documents;
mod functions;
mod modules;
mod sources;
mod words;

use self::functions::functions;
use self::sources::{CRATES, Source, sources};

/// Maximum lines of a file without its unit tests.
const MAX_FILE_LINES: usize = 450;

/// Maximum lines of the unit tests inside a file.
const MAX_TEST_LINES: usize = 150;

/// Maximum lines of a function, for nine of ten functions.
const MAX_FUNCTION_LINES_P90: usize = 25;

/// Maximum parameters of a function; each element of a tuple counts.
const MAX_PARAMETERS: usize = 5;

/// Maximum functions of a crate with tuple parameters: values that belong together get a type.
const MAX_TUPLE_PARAMETERS: usize = 15;

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for source in sources() {
        let (code, tests) = source.code_and_test_lines();
        if code > MAX_FILE_LINES || tests > MAX_TEST_LINES {
            let path = source.path.display();
            long.push(format!("{path}: {code} lines and {tests} of tests"));
        }
    }
    assert_none(&long, "are too long");
}

#[test]
fn functions_are_short() {
    let mut lines: Vec<usize> = functions(&sources()).iter().map(|it| it.lines).collect();
    lines.sort_unstable();
    let p90 = lines[lines.len() * 9 / 10];
    assert!(
        p90 <= MAX_FUNCTION_LINES_P90,
        "one function of ten has more than {p90} lines"
    );
}

#[test]
fn functions_have_few_parameters() {
    let functions = functions(&sources());
    let many = functions
        .iter()
        .filter(|it| it.parameters > MAX_PARAMETERS)
        .map(|it| format!("{}: {} parameters", it.place, it.parameters));
    assert_none(&many.collect::<Vec<_>>(), "have too many parameters");
    for name in CRATES {
        let own = functions
            .iter()
            .filter(|it| it.tuples > 0 && it.place.starts_with(&format!("{name}/")));
        let own: Vec<String> = own.map(|it| it.place.clone()).collect();
        assert!(
            own.len() <= MAX_TUPLE_PARAMETERS,
            "{} functions of {name} have tuples as parameters:\n{}",
            own.len(),
            own.join("\n")
        );
    }
}

#[test]
fn every_file_has_module_documentation() {
    let undocumented: Vec<String> = sources()
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path.display().to_string())
        .collect();
    assert_none(&undocumented, "do not begin with `//!`");
}

#[test]
fn modules_have_names() {
    let unnamed: Vec<String> = sources()
        .iter()
        .filter(|source| source.path.file_name().is_some_and(|name| name == "mod.rs"))
        .map(|source| source.path.display().to_string())
        .collect();
    assert_none(&unnamed, "are called mod.rs");
}

#[test]
fn no_test_is_ignored_or_expects_a_panic() {
    // Concatenated, so that this file does not match.
    let forbidden = [concat!("#[", "ignore"), concat!("#[", "should_panic")];
    let found: Vec<String> = sources()
        .iter()
        .filter(|source| forbidden.iter().any(|it| source.text.contains(it)))
        .map(|source| source.path.display().to_string())
        .collect();
    assert_none(&found, "ignore a test, or expect a panic");
}

#[test]
fn planning_is_pure() {
    let forbidden = ["async ", ".await", "reqwest", "redis", "tokio"];
    let found = lines_with("resolvers/src/plan", |line| {
        forbidden.iter().any(|word| line.contains(word))
    });
    assert_none(&found, "are not pure");
}

#[test]
fn the_graph_is_pure() {
    let forbidden = [
        "tokio",
        "reqwest",
        "redis",
        "axum",
        "std::fs",
        "std::net",
        "std::time",
        "tracing",
    ];
    let found = lines_with("schema/src", |line| {
        let mut names = forbidden.iter().map(|name| format!("{name}::"));
        names.any(|name| line.contains(&name))
    });
    assert_none(&found, "know of the outside world");
}

#[test]
fn modules_of_a_crate_form_no_cycle() {
    let sources = sources();
    let mut cycles = Vec::new();
    for name in CRATES {
        let imports = modules::imports(&Path::new(name).join("src"), &sources);
        for cycle in modules::cycles(&imports) {
            for module in &cycle {
                let named = imports[module].intersection(&cycle);
                let named: Vec<&str> = named.map(String::as_str).collect();
                cycles.push(format!("{name}: {module} names {}", named.join(", ")));
            }
        }
    }
    assert_none(&cycles, "form a cycle");
}

#[test]
fn prose_has_no_banned_phrase() {
    assert_none(&words::banned_phrases(&sources()), "have a standard term");
}

#[test]
fn paths_named_in_the_architecture_exist() {
    let missing = documents::missing_paths();
    assert_none(&missing, "are named in ARCHITECTURE.md and do not exist");
}

#[test]
fn every_document_is_reachable_from_the_index() {
    assert_none(&documents::unreachable_pages(), "are not linked");
}

#[test]
fn no_link_is_dead() {
    assert_none(&documents::dead_links(), "are dead links");
}

/// Lines of production code below a folder for which `is_wrong` holds.
fn lines_with(folder: &str, is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let below = |source: &Source| source.path.to_string_lossy().starts_with(folder);
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| below(source)) {
        for (number, line) in source.code_lines().filter(|(_, line)| is_wrong(line)) {
            found.push(format!(
                "{}:{number}: {}",
                source.path.display(),
                line.trim()
            ));
        }
    }
    found
}

#[track_caller]
fn assert_none(found: &[String], problem: &str) {
    assert!(
        found.is_empty(),
        "{} {problem}:\n{}",
        found.len(),
        found.join("\n")
    );
}
