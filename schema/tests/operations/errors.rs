//! Errors of documents: one for each cause.

use std::fmt::Write as _;

use crate::support::{LIMITS, refused};

#[track_caller]
fn check(document: &str, expected: &[&str]) {
    assert_eq!(refused(document, LIMITS), expected, "{document}");
}

#[test]
fn an_unknown_field_is_the_only_error_of_its_parents() {
    check(
        "{ me { nope } }",
        &[r#"Validation [(1, 8)]: Cannot query field "nope" on type "User"."#],
    );
    check(
        "query($i: Int) { nope(i: $i) { x } }",
        &[r#"Validation [(1, 18)]: Cannot query field "nope" on type "Query"."#],
    );
    check(
        "{ me { ... on Usr { id } } }",
        &[r#"Validation [(1, 15)]: Unknown type "Usr". Did you mean "User"?"#],
    );
    check(
        "{ me { ...F } } fragment F on Nowhere { id }",
        &[r#"Validation [(1, 31)]: Unknown type "Nowhere"."#],
    );
    check(
        "{ me }",
        &[
            r#"Validation [(1, 3)]: Field "me" of type "Query" must have a selection of subfields. Did you mean "me { ... }"?"#,
        ],
    );
}

#[test]
fn known_names_are_suggested() {
    check(
        "{ me { nmae } }",
        &[r#"Validation [(1, 8)]: Cannot query field "nmae" on type "User". Did you mean "name"?"#],
    );
    check(
        "{ n(colour: RED) }",
        &[
            r#"Validation [(1, 5)]: Unknown argument "colour" on field "Query.n". Did you mean "color"?"#,
        ],
    );
    check(
        "{ n(color: GREN) }",
        &[
            r#"Validation [(1, 12)]: Value "GREN" does not exist in "Color" enum. Did you mean "GREEN"?"#,
        ],
    );
    check(
        "{ n(in: { itemx: [] }) }",
        &[
            r#"Validation [(1, 18)]: Field "itemx" is not defined by type "In". Did you mean "items"?"#,
        ],
    );
    check(
        "query($c: Colour) { n(color: $c) }",
        &[r#"Validation [(1, 7)]: Unknown type "Colour". Did you mean "Color"?"#],
    );
    check(
        "{ n @skp(if: true) }",
        &[r#"Validation [(1, 5)]: Unknown directive "@skp". Did you mean "skip"?"#],
    );
}

#[test]
fn numbers_that_no_float_has_are_refused() {
    check(
        "{ n(f: 1e400) }",
        &["Validation [(1, 8)]: Float cannot represent non numeric value: 1e400"],
    );
}

#[test]
fn a_syntax_error_is_one_plain_error() {
    check(
        "{me{",
        &["Parse [(1, 5)]: syntax error: unexpected end of the document"],
    );
    check("{ n( }", &["Parse [(1, 6)]: syntax error: unexpected `}`"]);
    check(
        "{ me { id } } }",
        &["Parse [(1, 15)]: syntax error: unexpected `}`"],
    );
    check(
        "",
        &["Parse [(1, 1)]: syntax error: unexpected end of the document"],
    );
    check(
        "query { n(i: $) }",
        &["Parse [(1, 15)]: syntax error: unexpected `)`"],
    );
}

#[test]
fn many_errors_are_counted() {
    let mut document = String::from("{ me {");
    for field in 0..1_650 {
        let _ = write!(document, " x{field}");
    }
    document.push_str("} }");

    let lines = refused(&document, LIMITS);

    assert_eq!(lines.len(), 21);
    assert_eq!(lines[20], "More []: 1630 more errors are not listed");
}

#[test]
fn long_values_are_not_repeated_in_full() {
    let lines = refused(&format!("{{ n(i: \"{}\") }}", "é".repeat(10_000)), LIMITS);
    assert!(lines[0].len() < 600, "{}", lines[0].len());
    assert!(lines[0].ends_with('…'));
}

#[test]
fn ignored_characters_are_not_tokens() {
    let limits = schema::operation::OperationLimits {
        tokens: 5,
        ..LIMITS
    };
    assert_eq!(refused("{,,,,me ,,{ # {{{{\n x,,,,} }", LIMITS).len(), 1);
    assert_eq!(
        refused("{,,,,me ,,{ # {{{{\n x,,,,} }", limits),
        ["Limit []: the document has more than 5 tokens (`limits.tokens`)"]
    );
}
