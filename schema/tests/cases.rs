//! Runs the dialect's case files: mappings and URLs, with the values and reports they must give.
//!
//! The files are not part of the repository. They are looked for in the folder that `WEIR_CASES`
//! names, else beside the checkout; without them this test says that it skips.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests are not seen as tests, and a skipped test has to say so"
)]

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use schema::json::{Json, Node, Value};
use schema::mapping::{Mapping, PathElement, Report, ReportKind, Vars, Version};
use schema::template::Template;
use schema::template::url::{UrlPart, UrlTemplate};

#[test]
fn mappings_give_what_the_cases_say() {
    run("mapping-cases.json", mapping_case);
}

#[test]
fn urls_are_what_the_cases_say() {
    run("url-cases.json", url_case);
}

/// Where the reference crashes or loses digits we decide ourselves: the name begins with the first,
/// and the second is what we give, nothing being no value.
const DECIDED: &[(&str, Option<&str>, &[&str])] = &[
    ("slice: end before start?", Some(r#"{"x":[]}"#), &[]),
    ("slice: string cut inside", Some(r#"{"x":""}"#), &[]),
    ("mod: integer by zero?", Some("{}"), &["arithmetic"]),
    ("add: integer overflow?", Some("{}"), &["arithmetic"]),
    ("eq? big integers", Some(r#"{"x":false}"#), &[]),
];

fn run(file: &str, check: fn(Node<'_>) -> Result<(), String>) {
    let Some(text) = folder().and_then(|folder| fs::read(folder.join(file)).ok()) else {
        println!("skipped: no {file}; name its folder in WEIR_CASES");
        return;
    };
    let json = Json::parse(Bytes::from(text)).expect("the case file is JSON");
    let mut failures = Vec::new();
    let mut count = 0;
    for case in json.root().elements() {
        count += 1;
        if let Err(failure) = check(case) {
            failures.push(format!("{}\n    {failure}", text_of(case, "name")));
        }
    }
    println!("{file}: {count} cases, {} differ", failures.len());
    assert!(count > 0, "{file} has cases");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[expect(
    clippy::disallowed_methods,
    reason = "the case files stand outside of the repository"
)]
fn folder() -> Option<PathBuf> {
    let named = std::env::var("WEIR_CASES").ok().map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases");
    Some(named.unwrap_or(beside)).filter(|folder| folder.is_dir())
}

fn mapping_case(case: Node<'_>) -> Result<(), String> {
    let selection = text_of(case, "selection");
    let mapping = match (
        Mapping::parse(&selection, version(case)),
        case.get("parse_error"),
    ) {
        (Ok(mapping), None) => mapping,
        (Err(_), Some(_)) => return Ok(()),
        (Ok(_), Some(_)) => return Err(format!("{selection}: expected a parse error")),
        (Err(error), None) => return Err(format!("{selection}: {error}")),
    };
    let input = case.get("input").expect("a case has an input");
    let outcome = mapping.eval(Value::Node(input), &vars(case));
    let found = outcome.value.map(|value| value.to_json());
    let (expected, reports) = expectation(case);
    if found != expected {
        return Err(format!(
            "{selection}: expected {expected:?}, found {found:?}"
        ));
    }
    let mut found: Vec<_> = outcome.reports.iter().map(described).collect();
    found.sort();
    if reports == found {
        Ok(())
    } else {
        Err(format!(
            "{selection}: expected reports {reports:?}, found {found:?}"
        ))
    }
}

fn expectation(case: Node<'_>) -> (Option<String>, Vec<String>) {
    let name = text_of(case, "name");
    let decided = DECIDED
        .iter()
        .find(|(start, _, _)| name.starts_with(start))
        .map(|(_, value, kinds)| {
            let reports = kinds
                .iter()
                .map(|kind| format!("{kind} [\"->{}\"]", method(&name)));
            (value.map(str::to_owned), reports.collect())
        });
    decided.unwrap_or_else(|| {
        let expected = case.get("expected").map(|it| Value::Node(it).to_json());
        let reports = case.get("expected_errors");
        let mut reports: Vec<_> = reports
            .into_iter()
            .flat_map(Node::elements)
            .map(expected_report)
            .collect();
        reports.sort();
        (expected, reports)
    })
}

/// The method that a case is about stands before the colon of its name.
fn method(name: &str) -> &str {
    name.split_once(':').map_or(name, |(method, _)| method)
}

fn expected_report(report: Node<'_>) -> String {
    let kind = text_of(report, "kind");
    let path = report.get("path").expect("a report has a path");
    let message = report.get("message").map(|_| text_of(report, "message"));
    let message = message.map(|text| format!(" {text}")).unwrap_or_default();
    format!("{kind} {}{message}", Value::Node(path).to_json())
}

fn described(report: &Report) -> String {
    let path = report.path.iter().map(|element| match element {
        PathElement::Key(key) => Value::string(key.as_str()),
        PathElement::Index(index) => Value::int((*index).try_into().expect("a small index")),
    });
    let path = Value::list(path.collect::<Vec<_>>()).to_json();
    let message = match report.kind {
        ReportKind::AuthoredError | ReportKind::AuthoredWarning => format!(" {}", report.message),
        _ => String::new(),
    };
    format!("{} {path}{message}", report.kind.as_str())
}

fn url_case(case: Node<'_>) -> Result<(), String> {
    let vars = vars(case);
    let found = match case.get("join") {
        Some(join) => joined(join, version(case), &vars),
        None => rendered(case, &vars),
    };
    let expected = match (case.get("parse_error"), case.get("build_error")) {
        (Some(_), _) => Err(Failure::Parse),
        (_, Some(_)) => Err(Failure::Build),
        _ => {
            let reports = case.get("expected_reports").map_or("0", Node::raw);
            Ok((
                text_of(case, "expected"),
                reports.parse().expect("a count of reports"),
            ))
        }
    };
    if found == expected {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, found {found:?}"))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Parse,
    Build,
}

fn rendered(case: Node<'_>, vars: &Vars<'_>) -> Result<(String, usize), Failure> {
    let template = template(&text_of(case, "template"), version(case))?;
    let vars = vars.clone();
    let rendered = if text_of(case, "mode") == "uri" {
        template.render_uri(&vars)
    } else {
        template.render_plain(&vars)
    };
    let rendered = rendered.map_err(|_| Failure::Build)?;
    Ok((rendered.text, rendered.reports.len()))
}

fn joined(join: Node<'_>, version: Version, vars: &Vars<'_>) -> Result<(String, usize), Failure> {
    let template = |key| match join.get(key) {
        Some(_) => template(&text_of(join, key), version).map(Some),
        None => Ok(None),
    };
    let mapping = |key| match join.get(key) {
        Some(_) => Mapping::parse(&text_of(join, key), version)
            .map(Some)
            .map_err(|_| Failure::Parse),
        None => Ok(None),
    };
    let (base_url, url) = (template("base_url")?, template("url")?.expect("a URL"));
    let (source_path, source_query) = (mapping("source_path")?, mapping("source_query")?);
    let (path, query) = (mapping("path")?, mapping("query")?);
    let address = UrlTemplate {
        source: base_url.as_ref().map(|url| UrlPart {
            url,
            path: source_path.as_ref(),
            query: source_query.as_ref(),
        }),
        connect: UrlPart {
            url: &url,
            path: path.as_ref(),
            query: query.as_ref(),
        },
    };
    let vars = vars.clone();
    let joined = address.join(&vars).map_err(|_| Failure::Build)?;
    Ok((joined.url.into(), joined.reports.len()))
}

fn template(text: &str, version: Version) -> Result<Template, Failure> {
    Template::parse(text, version).map_err(|_| Failure::Parse)
}

fn vars(case: Node<'_>) -> Vars<'_> {
    let given = case.get("vars");
    given
        .into_iter()
        .flat_map(Node::members)
        .fold(Vars::new(), |vars, (name, value)| {
            let name = name.decode().trim_start_matches('$').to_owned();
            vars.with(name, Value::Node(value))
        })
}

fn version(case: Node<'_>) -> Version {
    Version::from_name(&text_of(case, "spec_version")).expect("a known version")
}

fn text_of(case: Node<'_>, key: &str) -> String {
    match case.get(key).map(Node::kind) {
        Some(schema::json::Kind::String(text)) => text.decode().into_owned(),
        _ => panic!("`{key}` is a string in {case:?}"),
    }
}
