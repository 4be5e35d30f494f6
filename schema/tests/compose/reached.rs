//! Satisfiability: reachable graphs, and the messages for the others. Rendered diagnostics are in
//! `tests/diagnostics/satisfiability*.txt`.

use std::fmt::Write as _;

use schema::diagnostic::Severity;
use schema::link::{self, LinkOptions};

use super::support::{linked, subgraph, v2};

const ALL: [&str; 8] = [
    "key",
    "shareable",
    "external",
    "requires",
    "provides",
    "interfaceObject",
    "override",
    "inaccessible",
];

/// The messages of all errors.
fn messages(subgraphs: &[(&str, &str)]) -> Vec<String> {
    let subgraphs: Vec<_> = subgraphs
        .iter()
        .map(|(name, sdl)| subgraph(name, &v2(&ALL, sdl)))
        .collect();
    let (graph, diagnostics) = link::link(&subgraphs, LinkOptions::default());
    let errors = diagnostics
        .into_iter()
        .filter(|it| it.severity == Severity::Error);
    let errors: Vec<_> = errors.map(|it| it.message).collect();
    assert_eq!(graph.is_none(), !errors.is_empty());
    errors
}

#[track_caller]
fn assert_reachable(subgraphs: &[(&str, &str)]) {
    assert_eq!(messages(subgraphs), [""; 0]);
}

#[test]
fn a_key_may_come_from_a_third_subgraph() {
    let a = "type Query { t: T }  type T @key(fields: \"id\") { id: ID! }";
    let b = "type T @key(fields: \"id\") @key(fields: \"sku\") { id: ID!  sku: ID! }";
    let c = "type T @key(fields: \"sku\") { sku: ID!  price: Int }";

    assert_reachable(&[("a", a), ("b", b), ("c", c)]);
    assert_eq!(
        messages(&[("a", a), ("c", c)]),
        ["`T.sku`, `T.price` cannot be reached from `Query.t`"]
    );
}

#[test]
fn a_nested_key_may_come_from_a_third_subgraph() {
    let a = "type Query { t: T }  type T { of: Of }  type Of @key(fields: \"id\") { id: ID! }";
    let b = "type Of @key(fields: \"id\") { id: ID!  code: ID! @shareable }";
    let c = "type T @key(fields: \"of { code }\") { of: Of @shareable  name: String }
             type Of { code: ID! @shareable }";

    let a = a.replace("of: Of", "of: Of @shareable");
    assert_reachable(&[("a", &a), ("b", b), ("c", c)]);
}

/// Two subgraphs: in `b` the key `k` of each object is found by that of the next one, and only the
/// last object has it at once.
fn nested_keys(depth: usize) -> (String, String) {
    let (mut a, mut b) = ("type Query { t0: T0 }".to_owned(), String::new());
    for number in 0..depth {
        let next = format!("next: T{} @shareable", number + 1);
        let _ = write!(a, " type T{number} {{ {next} }}");
        let key = "@key(fields: \"next { k }\")";
        let _ = write!(b, " type T{number} {key} {{ {next} k: ID! @shareable }}");
    }
    for text in [&mut a, &mut b] {
        let _ = write!(text, " type T{depth} {{ k: ID! @shareable }}");
    }
    (a, b)
}

#[test]
fn keys_may_be_nested_in_each_other_to_any_usual_depth() {
    for depth in [4, 20, 40] {
        let (a, b) = nested_keys(depth);
        assert_reachable(&[("a", &a), ("b", &b)]);
    }
}

#[test]
fn keys_that_are_nested_too_deeply_are_a_warning() {
    let (a, b) = nested_keys(100);
    let subgraphs = [("a", &a), ("b", &b)].map(|(name, sdl)| subgraph(name, &v2(&ALL, sdl)));

    let (graph, diagnostics) = link::link(&subgraphs, LinkOptions::default());

    assert!(graph.is_some(), "{diagnostics:#?}");
    assert_eq!(diagnostics.len(), 1, "{diagnostics:#?}");
    assert!(diagnostics[0].message.contains("stopped at its limit"));
}

#[test]
fn cyclic_keys_terminate() {
    let a = "type Query { t: T }  type T { x: Int }";
    let b = "type T @key(fields: \"u { t { u { id } } }\") { u: U }
             type U @key(fields: \"t { u { t { y } } }\") { t: T  id: ID! @shareable }
             extend type T { y: Int }";

    assert_eq!(
        messages(&[("a", a), ("b", b)]),
        ["`T.u`, `T.y` cannot be reached from `Query.t`"]
    );
}

#[test]
fn required_fields_need_an_entity_lookup() {
    let a = "type Query { t: T }
             type T { id: ID! @shareable  x: Int @external  y: Int @requires(fields: \"x\") }";
    let b = "type T @key(fields: \"id\") { id: ID!  x: Int }";

    assert_eq!(
        messages(&[("a", a), ("b", b)]),
        ["`T.y` cannot be reached from `Query.t`"]
    );
    let keyed = a.replace("type T {", "type T @key(fields: \"id\") {");
    assert_reachable(&[("a", &keyed), ("b", b)]);
    let closed = keyed.replace("\"id\")", "\"id\", resolvable: false)");
    assert_eq!(
        messages(&[("a", &closed), ("b", b)]),
        ["`T.y` cannot be reached from `Query.t`"]
    );
}

#[test]
fn a_progressive_override_is_reachable_with_and_without_its_label() {
    let a = "type Query { t: T }
             type T @key(fields: \"id\") { id: ID!  x: Int  y: Int }";
    let b = "type T @key(fields: \"id\") {
                 id: ID!
                 x: Int @override(from: \"a\", label: \"l\")
                 z: Int @requires(fields: \"y\")
                 y: Int @external
             }";
    assert_reachable(&[("a", a), ("b", b)]);

    // With the label active, `x` is in a subgraph that has no lookup by `id`.
    let a = "type Query { t: T }  type T @key(fields: \"id\") { id: ID!  x: Int }";
    let b = "type Query { byCode: T }
             type T @key(fields: \"code\") {
                 code: ID! @inaccessible
                 x: Int @override(from: \"a\", label: \"l\")
                 id: ID! @shareable
             }";
    assert_eq!(
        messages(&[("a", a), ("b", b)]),
        ["`T.x` cannot be reached from `Query.t` while the override label `l` is active"]
    );
}

#[test]
fn cyclic_requirements_are_unreachable() {
    let a = "type Query { t: T }
             type T @key(fields: \"id\") { id: ID!  x: Int @external  y: Int @requires(fields: \"x\") }";
    let b = "type T @key(fields: \"id\") { id: ID!  x: Int }";
    let around = "type T @key(fields: \"id\") { id: ID!  y: Int @external  x: Int @requires(fields: \"y\") }";

    assert_reachable(&[("a", a), ("b", b)]);
    assert_eq!(
        messages(&[("a", a), ("b", around)]),
        [
            "`T.y` cannot be reached from `Query.t`",
            "`T.x` cannot be reached from `Query.t`"
        ]
    );
}

#[test]
fn an_unreachable_field_is_reported_where_it_is_missing() {
    let a = "type Query { good: T }  type T { x: Int @shareable  y: Int }";
    let b = "type Query { bad: [T] }  type T { x: Int @shareable }";

    assert_eq!(
        messages(&[("a", a), ("b", b)]),
        ["`T.y` cannot be reached from `Query.bad`"]
    );
}

#[test]
fn a_union_has_only_the_members_of_its_subgraph() {
    let a = "type Query { any: Any @shareable }  union Any = X  type X { x: Int @shareable }";
    let b = "type Query { any: Any @shareable  all: Any }
             union Any = X | Y  type X { x: Int @shareable }  type Y { y: Int }";

    assert_reachable(&[("a", a), ("b", b)]);
}

#[test]
fn typenames_of_interface_objects_need_a_key() {
    let a = "interface Media @key(fields: \"id\") { id: ID! }
             type Book implements Media @key(fields: \"id\") { id: ID!  pages: Int }";
    let b = "type Query { top: Media }
             type Media @key(fields: \"id\") @interfaceObject { id: ID!  stars: Int }";

    assert_reachable(&[("a", a), ("b", b)]);
}

#[test]
fn inaccessible_fields_need_not_be_reachable() {
    let a = "type Query { t: T }  type T { x: Int @shareable }";
    let b = "extend schema @link(url: \"https://specs.apollo.dev/inaccessible/v0.2\")
             type Query { u: T }  type T { x: Int @shareable  y: Int @inaccessible }";

    assert_reachable(&[("a", a), ("b", b)]);
}

#[test]
fn an_unreachable_field_of_connectors_is_a_warning() {
    let rest = r#"
        extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
        type Query {
          users: [User] @connect(http: { GET: "https://api.example.com/users" }, selection: "id")
          me: User @connect(http: { GET: "https://api.example.com/me" }, selection: "id name")
        }
        type User { id: ID!  name: String }"#;
    let (graph, diagnostics) = link::link(&[subgraph("rest", rest)], LinkOptions::default());

    assert!(graph.is_some());
    let found: Vec<_> = diagnostics
        .iter()
        .map(|it| (it.severity, it.message.as_str()))
        .collect();
    let message = "`User.name` cannot be reached from `Query.users`";
    assert_eq!(found, [(Severity::Warning, message)]);
}

/// Deeply nested keys, whose exhaustive closure is exponential.
#[test]
fn deeply_nested_keys_end_in_a_warning_or_a_graph() {
    let names: Vec<String> = (0..9).map(|index| format!("T{index}")).collect();
    let fields: Vec<String> = names.iter().map(|it| format!("to{it}: {it}")).collect();
    let keys: Vec<String> = names
        .iter()
        .flat_map(|first| {
            let names = names.iter();
            names
                .map(move |second| format!("@key(fields: \"to{first} {{ to{second} {{ id }} }}\")"))
        })
        .collect();
    let types: Vec<String> = names
        .iter()
        .map(|name| {
            let (keys, fields) = (keys.join(" "), fields.join(" "));
            format!("type {name} @shareable {keys} {{ {fields} id: ID! own: Int }}")
        })
        .collect();
    let entangled = format!("type Query {{ a: Int }}\n{}", types.join("\n"));
    let root = format!(
        "type Query {{ start: T0 }}  {}",
        names
            .iter()
            .map(|name| format!("type {name} @shareable {{ {} }}", fields.join(" ")))
            .collect::<Vec<_>>()
            .join("\n")
    );

    let entangled = v2(&ALL, &entangled);
    let root = v2(&ALL, &root);
    let subgraphs = [subgraph("entangled", &entangled), subgraph("root", &root)];
    let (_, diagnostics) = link::link(&subgraphs, LinkOptions::default());

    assert!(!diagnostics.is_empty());
}

#[test]
fn a_graph_without_entity_lookups_links() {
    let graph = linked(&[
        ("a", "type Query { a: Int }"),
        ("b", "type Mutation { b: Int }"),
    ]);

    assert_eq!(graph.sources().len(), 2);
}
