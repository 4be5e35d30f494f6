//! Rules of the whole repository that no compiler knows.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 5] = ["schema", "resolvers", "gateway", "mocks", "bench"];

/// Lines of a file without its tests, and lines of the tests inside it.
const LONGEST_FILE: usize = 500;
const LONGEST_TESTS: usize = 150;

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        let (code, tests) = split_off_tests(&text);
        if code > LONGEST_FILE || tests > LONGEST_TESTS {
            long.push(format!(
                "{}: {code} lines and {tests} of tests",
                path.display()
            ));
        }
    }
    assert_none(&long, "are too long");
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = sources()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none(&silent, "do not begin with `//!`");
}

#[test]
fn modules_have_names() {
    let unnamed: Vec<String> = sources()
        .filter(|(path, _)| path.file_name().is_some_and(|name| name == "mod.rs"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none(&unnamed, "are called mod.rs");
}

#[test]
fn no_test_is_left_out_and_none_expects_to_panic() {
    // In two pieces, so that this file doesn't find itself.
    let forbidden = [concat!("#[", "ignore"), concat!("#[", "should_panic")];
    let found: Vec<String> = sources()
        .filter(|(_, text)| forbidden.iter().any(|attribute| text.contains(attribute)))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none(&found, "leave a test out, or expect a panic");
}

#[test]
fn planning_is_pure() {
    let forbidden = ["async ", ".await", "reqwest", "redis", "tokio"];
    let found: Vec<String> = sources()
        .filter(|(path, _)| path.to_string_lossy().contains("resolvers/src/plan"))
        .flat_map(|(path, text)| {
            let lines: Vec<String> = code_lines(&text)
                .filter(|(_, line)| forbidden.iter().any(|word| line.contains(word)))
                .map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim()))
                .collect();
            lines
        })
        .collect();
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
    let found: Vec<String> = sources()
        .filter(|(path, _)| path.to_string_lossy().contains("schema/src"))
        .flat_map(|(path, text)| {
            let lines: Vec<String> = code_lines(&text)
                .filter(|(_, line)| {
                    forbidden
                        .iter()
                        .any(|word| line.contains(&format!("{word}::")))
                })
                .map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim()))
                .collect();
            lines
        })
        .collect();
    assert_none(&found, "know of the outside world");
}

#[test]
fn modules_of_a_crate_do_not_form_long_cycles() {
    let mut cycles = Vec::new();
    for name in CRATES {
        let imports = imports(name);
        for cycle in cycles_longer_than_two(&imports) {
            for module in &cycle {
                let named = imports[module].intersection(&cycle);
                cycles.push(format!(
                    "{name}: {module} names {}",
                    named.cloned().collect::<Vec<_>>().join(", ")
                ));
            }
        }
    }
    assert_none(&cycles, "form a cycle");
}

#[test]
fn paths_named_in_the_architecture_exist() {
    let Ok(text) = fs::read_to_string(root().join("ARCHITECTURE.md")) else {
        return;
    };
    let missing: Vec<String> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| {
            CRATES
                .iter()
                .any(|name| quoted.starts_with(&format!("{name}/")))
        })
        .filter(|quoted| !quoted.contains(['*', '<', '{', ' ']))
        .filter(|quoted| !root().join(quoted).exists())
        .map(str::to_owned)
        .collect();
    assert_none(&missing, "are named in ARCHITECTURE.md and do not exist");
}

#[test]
fn a_cycle_of_three_is_found_and_one_of_two_is_not() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in edges {
            graph
                .entry((*from).to_owned())
                .or_default()
                .insert((*to).to_owned());
            graph.entry((*to).to_owned()).or_default();
        }
        cycles_longer_than_two(&graph).len()
    };

    assert_eq!(graph(&[("a", "b"), ("b", "c"), ("c", "a")]), 1);
    assert_eq!(graph(&[("a", "b"), ("b", "a"), ("b", "c")]), 0);
}

#[test]
fn imports_are_read_with_and_without_braces() {
    assert_eq!(names_at_start("app::App;"), ["app"]);
    assert_eq!(
        names_at_start("{shop::{a, b}, telemetry}; fn f()"),
        ["shop", "telemetry"]
    );
}

type Imports = BTreeMap<String, BTreeSet<String>>;

/// Which top modules of a crate name which, as `crate::a` in a file of `b` says.
fn imports(name: &str) -> Imports {
    let mut imports = Imports::new();
    let folder = root().join(name).join("src");
    for (path, text) in sources().filter(|(path, _)| path.starts_with(&folder)) {
        let module = top_module(path.strip_prefix(&folder).unwrap());
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let code: String = code_lines(&text).map(|(_, line)| line).collect();
        let named = imports.entry(module.clone()).or_default();
        for piece in code.split("crate::").skip(1) {
            named.extend(names_at_start(piece));
        }
        named.remove(&module);
    }
    let modules: BTreeSet<String> = imports.keys().cloned().collect();
    for named in imports.values_mut() {
        named.retain(|other| modules.contains(other));
    }
    imports
}

/// `a` of `a::b`, and `a` and `c` of `{a::{x, y}, c}`.
fn names_at_start(text: &str) -> Vec<String> {
    let Some(group) = text.strip_prefix('{') else {
        let name = text
            .split(|char: char| !char.is_alphanumeric() && char != '_')
            .next();
        return vec![name.unwrap().to_owned()];
    };
    let mut depth = 1;
    let top_level: String = group
        .chars()
        .take_while(|char| {
            depth += i32::from(*char == '{') - i32::from(*char == '}');
            depth > 0
        })
        .collect();
    let mut depth = 0;
    let items = top_level.split(|char: char| {
        depth += i32::from(char == '{') - i32::from(char == '}');
        depth == 0 && char == ','
    });
    items.flat_map(|item| names_at_start(item.trim())).collect()
}

fn top_module(path: &Path) -> String {
    let first = path
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Sets of more than two modules of which each reaches each.
fn cycles_longer_than_two(imports: &Imports) -> BTreeSet<BTreeSet<String>> {
    let reach: BTreeMap<&String, BTreeSet<String>> = imports
        .keys()
        .map(|module| (module, reachable(imports, module)))
        .collect();
    let knot = |module: &String| -> BTreeSet<String> {
        let others = reach[module]
            .iter()
            .filter(|other| reach[other].contains(module));
        others.cloned().collect()
    };
    imports
        .keys()
        .map(knot)
        .filter(|knot| knot.len() > 2)
        .collect()
}

fn reachable(imports: &Imports, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = imports[from].iter().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module.clone()) {
            open.extend(&imports[module]);
        }
    }
    reached
}

/// Every Rust file of ours, with its text.
fn sources() -> impl Iterator<Item = (PathBuf, String)> {
    let mut files = Vec::new();
    for name in CRATES {
        for folder in ["src", "tests", "benches"] {
            collect(&root().join(name).join(folder), &mut files);
        }
    }
    files.sort();
    files.into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "node_modules") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Lines before `#[cfg(test)] mod tests {`, and from there on.
fn split_off_tests(text: &str) -> (usize, usize) {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1] == "mod tests {";
    let start = lines.windows(2).position(begins).unwrap_or(lines.len());
    (start, lines.len() - start)
}

/// Numbered lines without comments and without the tests at the end.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (code, _) = split_off_tests(text);
    let lines = text.lines().take(code).enumerate();
    lines
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

#[track_caller]
fn assert_none(found: &[String], what: &str) {
    assert!(
        found.is_empty(),
        "{} {what}:\n{}",
        found.len(),
        found.join("\n")
    );
}
