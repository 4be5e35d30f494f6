//! Variables: their values, and the paths of errors.

use schema::operation::{Operation, Variables};

use crate::support::{LIMITS, graph};

const QUERY: &str = "query(
  $i: Int $f: Float $id: ID $in: In $one: One $color: Color $at: Time $need: ID! = 1
) { a: n(i: $i, f: $f, id: $id, in: $in, one: $one, color: $color, at: $at)
    b: n(id: $need) }";

fn coerce(json: &str) -> Result<Variables, Vec<String>> {
    let graph = graph();
    let operation = Operation::parse(&graph, QUERY, None, LIMITS).unwrap();
    operation
        .coerce_variables(&graph, Some(json))
        .map_err(|errors| errors.into_iter().map(|it| it.message).collect())
}

#[track_caller]
fn value(json: &str, variable: &str, expected: &str) {
    let variables = coerce(json).unwrap();
    assert_eq!(
        variables.value(variable).unwrap().to_string(),
        expected,
        "{json}"
    );
}

#[track_caller]
fn error(json: &str, expected: &[&str]) {
    assert_eq!(coerce(json).unwrap_err(), expected, "{json}");
}

#[test]
fn numbers_are_accepted_by_their_value() {
    value(r#"{"i":1.0}"#, "i", "1");
    value(r#"{"i":1e2}"#, "i", "100");
    value(r#"{"i":-0}"#, "i", "0");
    value(r#"{"f":1}"#, "f", "1");
    value(r#"{"f":1e300}"#, "f", "1e300");
    value(r#"{"id":1}"#, "id", r#""1""#);
    value(
        r#"{"id":12345678901234567890}"#,
        "id",
        r#""12345678901234567890""#,
    );
    value(r#"{"at":{"a":[1e400,null]}}"#, "at", "{a: [1e400, null]}");
    error(
        r#"{"i":1.5}"#,
        &["variable `$i`: expected `Int`, found a number"],
    );
    error(
        r#"{"i":2147483648}"#,
        &["variable `$i`: expected `Int`, found an integer"],
    );
    error(
        r#"{"i":"1"}"#,
        &["variable `$i`: expected `Int`, found a string"],
    );
    error(
        r#"{"f":1e400}"#,
        &["variable `$f`: expected `Float`, found a number"],
    );
    error(
        r#"{"f":true}"#,
        &["variable `$f`: expected `Float`, found a boolean"],
    );
}

#[test]
fn defaults_and_single_items_are_filled_in() {
    value("{}", "need", r#""1""#);
    value(r#"{"in":{}}"#, "in", "{count: 1}");
    value(
        r#"{"in":{"items":{"id":1},"count":2}}"#,
        "in",
        r#"{items: [{id: "1"}], count: 2}"#,
    );
    assert!(coerce("{}").unwrap().value("i").is_none());
}

#[test]
fn errors_have_the_path_of_the_value() {
    error(
        r#"{"in":{"items":[{"id":1},{"id":2},{"id":true}]}}"#,
        &["variable `$in.items[2].id`: expected `ID!`, found a boolean"],
    );
    error(
        r#"{"in":{"items":[{"rate":1},null],"count":null,"colr":1},"color":"GREN","need":null}"#,
        &[
            "variable `$in.items[0].id`: a value of type `ID!` is required",
            "variable `$in.items[1]`: expected `Item!`, found null",
            "variable `$in.count`: expected `Int!`, found null",
            "variable `$in`: `In` does not have a field `colr`; did you mean `color`?",
            "variable `$color`: `Color` does not have this value; did you mean `GREEN`?",
            "variable `$need`: expected `ID!`, found null",
        ],
    );
    error(
        r#"{"one":{"x":1,"y":null}}"#,
        &["variable `$one`: `One` must have exactly one member, which must not be null"],
    );
    error(
        r#"{"in":[1]}"#,
        &["variable `$in`: expected `In`, found a list"],
    );
}

#[test]
fn many_errors_are_counted() {
    let items = vec!["1"; 1_000].join(",");
    let lines = coerce(&format!(r#"{{"in":{{"items":[{items}]}}}}"#)).unwrap_err();
    assert_eq!(lines.len(), 21);
    assert_eq!(lines[20], "980 more errors are not listed");
}
