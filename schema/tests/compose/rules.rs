//! Rules that concern several subgraphs, by the codes of their errors.

use schema::diagnostic::{Code, Severity};
use schema::link::{self, LinkOptions};

use super::support::{subgraph, v2};

const ALL: [&str; 7] = [
    "key",
    "shareable",
    "external",
    "requires",
    "provides",
    "override",
    "interfaceObject",
];

/// Checks the codes of all errors, repeated ones once.
#[track_caller]
fn check(subgraphs: &[(&str, &str)], expected: &[Code]) {
    let subgraphs: Vec<_> = subgraphs
        .iter()
        .map(|(name, sdl)| subgraph(name, &v2(&ALL, sdl)))
        .collect();
    let (graph, diagnostics) = link::link(&subgraphs, LinkOptions::default());
    let errors = diagnostics
        .iter()
        .filter(|it| it.severity == Severity::Error);
    let mut codes: Vec<Code> = errors.map(|it| it.code).collect();
    codes.dedup();
    assert_eq!(codes, expected, "{diagnostics:#?}");
    assert_eq!(graph.is_some(), expected.is_empty());
    let (text, _) = link::compose(&subgraphs, LinkOptions::default());
    assert_eq!(text.is_some(), expected.is_empty());
}

#[test]
fn a_key_of_typename_alone_is_a_key() {
    let wh = r#"type Query { catalogEntry: CatalogEntry }
        type CatalogEntry @key(fields: "__typename") { sku: String! }"#;
    let rev = r#"type CatalogEntry @key(fields: "__typename") { rating: Rating! }
        type Rating { score: Int! }"#;
    check(&[("wh", wh), ("rev", rev)], &[]);
}

#[test]
fn the_owner_of_a_provided_field_must_share_it() {
    let reviews = |provides: &str| {
        format!(
            r#"type Query {{ review: Review }}
               type Review {{ author: User {provides} }}
               type User @key(fields: "id") {{ id: ID! name: String @external }}"#
        )
    };
    let provides = reviews(r#"@provides(fields: "name")"#);
    let users = r#"type User @key(fields: "id") { id: ID! name: String }"#;
    let shared = r#"type User @key(fields: "id") { id: ID! name: String @shareable }"#;

    check(
        &[("reviews", &provides), ("users", users)],
        &[Code::InvalidFieldSharing],
    );
    check(&[("reviews", &provides), ("users", shared)], &[]);
}

#[test]
fn an_external_field_that_is_not_provided_needs_no_sharing() {
    let reviews = r#"type Query { user: User }
        type User @key(fields: "id") { id: ID! name: String @external nick: String @requires(fields: "name") }"#;
    let users = r#"type User @key(fields: "id") { id: ID! name: String }"#;
    check(&[("reviews", reviews), ("users", users)], &[]);
}

#[test]
fn a_subgraph_that_lost_a_key_field_does_not_provide_it() {
    let old = r#"type Query { repository: Repository }
        type Repository @key(fields: "id") { id: ID! name: String }"#;
    let new =
        r#"type Repository @key(fields: "id") { id: ID! @override(from: "old") issues: Int }"#;
    check(&[("old", old), ("new", new)], &[Code::SatisfiabilityError]);

    // Another key leads to the subgraph that provides the field.
    let old = r#"type Query { repository: Repository }
        type Repository @key(fields: "id") @key(fields: "slug") { id: ID! slug: ID! name: String }"#;
    let new = r#"type Repository @key(fields: "id") @key(fields: "slug")
        { id: ID! @override(from: "old") slug: ID! issues: Int }"#;
    check(&[("old", old), ("new", new)], &[]);
}

#[test]
fn override_conflicts_with_directives_of_the_field_that_is_overridden() {
    let a = |field: &str| {
        format!(
            r#"type Query {{ t: T }}
               type T @key(fields: "id") {{ id: ID! x: Int @external o: O {field} }}
               type O @key(fields: "id") {{ id: ID! n: Int @external }}"#
        )
    };
    let b = r#"type T @key(fields: "id") { id: ID! o: O @override(from: "a") x: Int }
        type O @key(fields: "id") { id: ID! n: Int @shareable }"#;
    let collision = Code::OverrideCollisionWithAnotherDirective;
    let requires = a(r#"@requires(fields: "x")"#).replace(" n: Int @external", "");
    check(&[("a", &requires), ("b", b)], &[collision]);
    let provides = a(r#"@provides(fields: "n")"#).replace(" x: Int @external", "");
    check(&[("a", &provides), ("b", b)], &[collision]);
}

#[test]
fn a_field_may_move_with_its_requirements() {
    let a = r#"type Query { t: T }
        type T @key(fields: "id") { id: ID! size: Int double: Int }"#;
    let b = r#"type T @key(fields: "id")
        { id: ID! size: Int @external double: Int @override(from: "a") @requires(fields: "size") }"#;
    check(&[("a", a), ("b", b)], &[]);

    let b = r#"type T @key(fields: "id")
        { id: ID! size: Int double: Int @override(from: "a") @external }"#;
    let c = r#"type T @key(fields: "id") { id: ID! double: Int @shareable }"#;
    let a = a.replace("size: Int ", "");
    let codes = [
        Code::OverrideCollisionWithAnotherDirective,
        Code::ExternalUnused,
    ];
    check(&[("a", &a), ("b", b), ("c", c)], &codes);
}

#[test]
fn a_default_must_fit_the_merged_type() {
    let b = "type Query { b(i: I, e: E): Int }
        input I { x: Int n: Int! = 1 } enum E { A } input J { j: Int }";
    let conflict = Code::SubgraphConflict;
    for (arguments, expected) in [
        ("i: I = { x: 1 }", None),
        ("i: I = { x: 1, y: 2 }", Some(conflict)),
        ("i: [I!] = [{ x: 1 }, { y: 2 }]", Some(conflict)),
        ("i: [I!] = { y: 2 }", Some(conflict)),
        ("i: I = { n: null }", Some(conflict)),
        ("e: E = A", None),
        ("e: E = B", Some(conflict)),
        ("e: [E] = [A, null, B]", Some(conflict)),
        ("j: J = { i: { x: 1 } }", Some(conflict)),
        ("s: S = { any: [1, B] }", None),
    ] {
        let a = format!(
            "type Query {{ a({arguments}): Int }} scalar S
             input I {{ x: Int y: Int n: Int = 1 }} enum E {{ A B }} input J {{ j: Int i: I }}"
        );
        let expected: Vec<Code> = expected.into_iter().collect();
        check(&[("a", &a), ("b", b)], &expected);
    }
}

#[test]
fn a_default_inside_of_an_input_type_must_fit_the_merged_type() {
    let a =
        "type Query { a(i: Outer): Int } input Outer { i: I = { y: 2 } } input I { x: Int y: Int }";
    let b = "type Query { b(i: Outer): Int } input Outer { i: I = { y: 2 } } input I { x: Int }";
    // `b` alone is not valid, and says so; the merged default is not valid either.
    let fixed = b
        .replace("{ y: 2 }", "{ x: 2 }")
        .replace("i: I = { x: 2 }", "i: I");
    check(&[("a", a), ("b", &fixed)], &[]);
    let only_a = "type Query { b: I2 } type I2 { x: Int } input I { x: Int }";
    check(&[("a", a), ("b", only_a)], &[Code::SubgraphConflict]);
}
