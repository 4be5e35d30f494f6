//! Tests of the mapping language, as tables: mapping ~ value ~ reports.
//!
//! `↵` in a table is a line break. A value `-` means no value. A report is its kind and its
//! path.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are not seen as tests"
)]

use bytes::Bytes;
use schema::json::{Json, Value};
use schema::mapping::{Mapping, Outcome, PathElement, Report, Vars, Version};

#[path = "mapping/errors.rs"]
mod errors;
#[path = "mapping/limits.rs"]
mod limits;
#[path = "mapping/methods.rs"]
mod methods;
#[path = "mapping/paths.rs"]
mod paths;
#[path = "mapping/print.rs"]
mod print;
#[path = "mapping/selections.rs"]
mod selections;
#[path = "mapping/variables.rs"]
mod variables;

const V0_1: Version = Version::V0_1;
const V0_2: Version = Version::V0_2;
const V0_3: Version = Version::V0_3;
const V0_4: Version = Version::V0_4;

/// Evaluates each mapping of a table on one input, with `$args` as in [`args`].
#[track_caller]
fn check(version: Version, input: &str, table: &str) {
    let input = json(input);
    let args = args();
    let mut wrong = Vec::new();
    for [text, value, reports, _] in rows(table) {
        let mapping = parse(&text, version);
        let vars = Vars::new().with("args", Value::from(&args));
        let outcome = mapping.eval(Value::from(&input), &vars);
        let actual = (shown(&outcome), described(&outcome.reports).join(", "));
        if actual != (value, reports) {
            wrong.push(format!(
                "{text}\n  evaluates to {} ~ {}",
                actual.0, actual.1
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The columns of each row; missing ones are empty.
fn rows(table: &str) -> impl Iterator<Item = [String; 4]> {
    let lines = table.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.map(|line| {
        let mut columns = line
            .split('~')
            .map(|column| column.trim().replace('↵', "\n"));
        std::array::from_fn(|_| columns.next().unwrap_or_default())
    })
}

fn args() -> Json {
    json(r#"{"id":"7","n":null,"list":[{"v":1},{"v":2}]}"#)
}

fn json(text: &str) -> Json {
    Json::parse(Bytes::from(text.to_owned())).expect("JSON in a test")
}

#[track_caller]
fn parse(text: &str, version: Version) -> Mapping {
    Mapping::parse(text, version).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn shown(outcome: &Outcome<'_>) -> String {
    let value = outcome.value.as_ref();
    value.map_or_else(|| "-".to_owned(), Value::to_json)
}

fn described(reports: &[Report]) -> Vec<String> {
    let one = |report: &Report| {
        let path: Vec<_> = report.path.iter().map(element).collect();
        format!("{} {}", report.kind.as_str(), path.join("."))
            .trim_end()
            .to_owned()
    };
    reports.iter().map(one).collect()
}

fn element(element: &PathElement) -> String {
    match element {
        PathElement::Key(key) => key.clone(),
        PathElement::Index(index) => index.to_string(),
    }
}
