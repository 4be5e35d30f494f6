//! Tests that `docs/mapping.md` agrees with the implementation.

use bytes::Bytes;

use super::{Mapping, Vars, Version, methods};
use crate::json::{Json, Value};

const PAGE: &str = include_str!("../../../docs/mapping.md");

/// The cells of the table below a heading, without back-ticks.
fn cells(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(heading).unwrap();
    let table = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().trim_matches('`')).collect()
    })
    .collect()
}

#[test]
fn the_examples_of_the_page_hold() {
    let (_, json) = PAGE.split_once("```json\n").unwrap();
    let (json, _) = json.split_once("```").unwrap();
    let json = Json::parse(Bytes::from_static(json.as_bytes())).unwrap();
    let examples = cells("## By example");
    let mut actual = Vec::new();
    let mut documented = Vec::new();
    for example in &examples {
        let mapping = Mapping::parse(example[0], Version::V0_3).unwrap();
        let outcome = mapping.eval(Value::from(&json), &Vars::new());
        actual.push((example[0], outcome.value.unwrap().to_json()));
        documented.push((example[0], example[1].to_owned()));
    }

    assert_eq!(actual, documented);
    assert!(examples.len() > 15);
}

#[test]
fn the_page_lists_all_methods() {
    let documented: Vec<_> = cells("## Methods")
        .into_iter()
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect();
    let actual: Vec<_> = methods()
        .iter()
        .map(|method| (format!("->{}", method.usage), method.doc.to_owned()))
        .collect();

    assert_eq!(actual, documented);
}
