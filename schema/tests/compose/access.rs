//! Directives that restrict access, which Weir does not enforce: refused, unless allowed.

use schema::diagnostic::{Code, Diagnostic, Severity};
use schema::graph::Graph;
use schema::link::{self, AccessDirectives, LinkOptions};
use schema::span::Document;

use super::support::{subgraph, v2};

const ALLOWED: LinkOptions = LinkOptions {
    experimental_connect: false,
    access_directives: AccessDirectives::Allow,
};

type Linked = (Option<Graph>, Vec<Diagnostic>);

/// Checks that a graph has one access diagnostic, an error unless it is allowed.
#[track_caller]
fn check(context: &str, link: impl Fn(LinkOptions) -> Linked) {
    for (options, severity) in [
        (LinkOptions::default(), Severity::Error),
        (ALLOWED, Severity::Warning),
    ] {
        let (graph, diagnostics) = link(options);
        let found: Vec<_> = diagnostics
            .iter()
            .map(|it| (it.code, it.severity))
            .collect();
        assert_eq!(found, [(Code::AccessNotChecked, severity)], "{context}");
        assert_eq!(graph.is_some(), severity == Severity::Warning, "{context}");
    }
}

fn linked_by_federation(import: &str, types: &str) -> String {
    let link = r#"@link(url: "https://specs.apollo.dev/federation/v2.12", import: [IMPORT])"#;
    format!("extend schema {}\n{types}", link.replace("IMPORT", import))
}

#[test]
fn a_graph_that_restricts_access_is_refused_unless_allowed() {
    for (import, types) in [
        (
            r#""@authenticated""#,
            "type Query { a: Int @authenticated }",
        ),
        (
            r#""@authenticated""#,
            "type Query @authenticated { a: Int }",
        ),
        (
            r#""@requiresScopes""#,
            r#"type Query { a: Int @requiresScopes(scopes: [["a"]]) }"#,
        ),
        (
            r#""@policy""#,
            r#"type Query { a: S } scalar S @policy(policies: [["a"]])"#,
        ),
        (
            r#""@authenticated""#,
            "type Query { a: E } enum E @authenticated { A }",
        ),
        (
            r#""@authenticated""#,
            "type Query { a: I } interface I @authenticated { a: Int } type A implements I { a: Int }",
        ),
        (
            r#""@authenticated""#,
            "type Query { a: I } interface I { a: Int @authenticated } type A implements I { a: Int }",
        ),
        (
            r#"{ name: "@authenticated", as: "@login" }"#,
            "type Query { a: Int @login }",
        ),
        ("", "type Query { a: Int @federation__authenticated }"),
        (
            r#""@authenticated""#,
            "type Query { a: Int } extend type Query { b: Int @authenticated }",
        ),
    ] {
        let sdl = linked_by_federation(import, types);
        check(&sdl, |options| link::link(&[subgraph("a", &sdl)], options));
    }
}

#[test]
fn a_subgraph_may_link_the_specification_of_the_directive_itself() {
    let sdl = v2(
        &["key"],
        r#"extend schema @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
           type Query { a: Int @authenticated }"#,
    );
    check(&sdl, |options| link::link(&[subgraph("a", &sdl)], options));
}

#[test]
fn a_graph_of_connectors_that_restricts_access_is_refused_unless_allowed() {
    let sdl = v2(
        &["authenticated"],
        r#"extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
           type Query {
             a: Int @authenticated @connect(http: { GET: "http://127.0.0.1:1" }, selection: "$")
           }"#,
    );
    check(&sdl, |options| link::link(&[subgraph("a", &sdl)], options));
}

#[test]
fn a_supergraph_that_restricts_access_is_refused_with_or_without_a_purpose() {
    let sdl = v2(&["authenticated"], "type Query { a: Int @authenticated }");
    let (text, diagnostics) = link::compose(&[subgraph("a", &sdl)], LinkOptions::default());
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert_eq!(diagnostics[0].severity, Severity::Warning);
    let text = text.unwrap();
    let without_purpose = text.replace(
        "authenticated/v0.1\", for: SECURITY",
        "authenticated/v0.1\"",
    );
    assert_ne!(text, without_purpose);
    for text in [text, without_purpose] {
        check(&text, |options| {
            let document = Document::new("supergraph.graphql", &*text);
            link::link_supergraph(&document, options)
        });
    }
}

#[test]
fn a_directive_of_the_same_name_without_a_link_has_no_meaning() {
    let sdl = "directive @authenticated on FIELD_DEFINITION
        type Query { a: Int @authenticated }";
    let (graph, diagnostics) = link::link(&[subgraph("a", sdl)], LinkOptions::default());
    assert!(graph.is_some());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn so_many_sets_of_scopes_that_they_cannot_be_combined_are_all_required() {
    let subgraph_with = |name: &str| {
        let sets: Vec<String> = (0..40)
            .map(|number| format!("[\"{name}{number}\"]"))
            .collect();
        let field = format!(
            "a: Int @shareable @requiresScopes(scopes: [{}])",
            sets.join(", ")
        );
        let sdl = v2(
            &["requiresScopes", "shareable"],
            &format!("type Query {{ {field} }}"),
        );
        subgraph(name, &sdl)
    };
    let subgraphs = [subgraph_with("x"), subgraph_with("y")];

    let (text, _) = link::compose(&subgraphs, LinkOptions::default());

    let all = ["x", "y"].map(|name| (0..40).map(move |number| format!("\"{name}{number}\"")));
    let all: Vec<String> = all.into_iter().flatten().collect();
    let expected = format!("@requiresScopes(scopes: [[{}]])", all.join(", "));
    assert!(text.unwrap().contains(&expected));
}
