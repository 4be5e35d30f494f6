//! Documents whose expansion, aliases or root fields are over a limit.

use std::fmt::Write as _;

use schema::operation::{Operation, OperationLimits};

use crate::support::{LIMITS, graph, refused};

/// `{ ...F0 }`, and 22 fragments that spread the next one twice: four million selections.
fn doubled(leaf: &str) -> String {
    let mut document = String::from("{ ...F0 }");
    for level in 0..22 {
        let next = level + 1;
        let _ = write!(
            document,
            " fragment F{level} on Query {{ ...F{next} ...F{next} }}"
        );
    }
    let _ = write!(document, " fragment F22 on Query {{ {leaf} }}");
    document
}

#[test]
fn skipped_selections_of_doubled_fragments_count() {
    for leaf in [
        "__typename @skip(if: true)",
        "me @include(if: false) { id }",
        "__schema @skip(if: true) { types { name } }",
    ] {
        assert_eq!(
            refused(&doubled(leaf), LIMITS),
            [
                "Limit [(1, 1)]: the document has more than 10000 selections after its fragments are \
              expanded (`limits.selections`)"
            ]
        );
    }
}

#[test]
fn fragments_that_no_operation_spreads_count() {
    let document = doubled("__typename").replacen("{ ...F0 }", "{ __typename }", 1);
    assert_eq!(
        refused(&document, LIMITS),
        [
            "Limit [(1, 16)]: the document has more than 10000 selections after its fragments are \
          expanded (`limits.selections`)"
        ]
    );
}

#[test]
fn each_limit_is_exact() {
    let fields = "fragment F on User { a: id name }";
    let document = format!("{{ x: me {{ ...F ... on User {{ ...F }} }} me {{ ...F }} }} {fields}");
    let exact = OperationLimits {
        selections: 12,
        aliases: 4,
        root_fields: 2,
        ..LIMITS
    };
    assert!(Operation::parse(&graph(), &document, None, exact).is_ok());
    for (limits, expected) in [
        (
            OperationLimits {
                selections: 11,
                ..exact
            },
            "11 selections",
        ),
        (
            OperationLimits {
                aliases: 3,
                ..exact
            },
            "3 aliases",
        ),
        (
            OperationLimits {
                root_fields: 1,
                ..exact
            },
            "1 root fields",
        ),
    ] {
        let lines = refused(&document, limits);
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].contains(&format!("the document has more than {expected} after")),
            "{}",
            lines[0]
        );
    }
}

#[test]
fn all_operations_of_a_document_count() {
    let limits = OperationLimits {
        selections: 3,
        ..LIMITS
    };
    let lines = refused("query A { me { id } } query B { me { id } }", limits);
    assert_eq!(
        lines,
        [
            "Limit [(1, 23)]: the document has more than 3 selections after its fragments are \
          expanded (`limits.selections`)"
        ]
    );
}

#[test]
fn fragments_that_spread_themselves_are_invalid() {
    let lines = refused(
        "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A ...Unknown }",
        LIMITS,
    );
    assert!(lines[0].starts_with("Validation"), "{lines:?}");
}

#[test]
fn a_chain_of_fragments_is_as_deep_as_nested_fields() {
    let mut document = String::from("{ ...F0 }");
    for level in 0..300 {
        let next = level + 1;
        let _ = write!(document, " fragment F{level} on Query {{ ...F{next} }}");
    }
    document.push_str(" fragment F300 on Query { __typename }");

    let lines = refused(&document, LIMITS);

    assert_eq!(
        lines,
        ["Limit [(1, 1)]: the document nests deeper than 200 levels"]
    );
}
