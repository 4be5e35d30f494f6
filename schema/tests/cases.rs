//! Runs the case files of the connectors dialect in `cases/`: mappings and URLs, with the values
//! and reports that they must produce. Each case records the versions of the reference
//! implementation that it was verified on.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "clippy does not see the helpers of tests as tests"
)]

use bytes::Bytes;
use schema::json::{Json, Node, Value};
use schema::mapping::{Mapping, PathElement, Report, ReportKind, Vars, Version};
use schema::template::Template;
use schema::template::url::{UrlPart, UrlTemplate};

#[test]
fn mappings_evaluate_as_in_the_cases() {
    run(include_bytes!("cases/mapping-cases.json"), mapping_case);
}

#[test]
fn urls_are_built_as_in_the_cases() {
    run(include_bytes!("cases/url-cases.json"), url_case);
}

/// Cases in which the reference implementation crashes or loses digits, and Weir differs: the start
/// of the name of the case, the value that is expected instead (`None` for no value), and the kinds
/// of its reports.
const DEVIATIONS: &[(&str, Option<&str>, &[&str])] = &[
    ("slice: end before start?", Some(r#"{"x":[]}"#), &[]),
    ("slice: string cut inside", Some(r#"{"x":""}"#), &[]),
    ("mod: integer by zero?", Some("{}"), &["arithmetic"]),
    ("add: integer overflow?", Some("{}"), &["arithmetic"]),
    ("eq? big integers", Some(r#"{"x":false}"#), &[]),
];

fn run(file: &'static [u8], check: fn(Node<'_>) -> Result<(), String>) {
    let json = Json::parse(Bytes::from_static(file)).expect("the case file is JSON");
    let mut failures = Vec::new();
    let mut count = 0;
    for case in json.root().elements() {
        count += 1;
        if let Err(failure) = check(case) {
            failures.push(format!("{}\n    {failure}", text_of(case, "name")));
        }
    }
    assert!(count > 0, "the case file has no cases");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
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
    let deviation = DEVIATIONS
        .iter()
        .find(|(start, _, _)| name.starts_with(start))
        .map(|(_, value, kinds)| {
            let reports = kinds
                .iter()
                .map(|kind| format!("{kind} [\"->{}\"]", method(&name)));
            (value.map(str::to_owned), reports.collect())
        });
    deviation.unwrap_or_else(|| {
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

/// Returns the method that a case tests: the part of its name before the colon.
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
    let vars = case.get("vars");
    vars.into_iter()
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
