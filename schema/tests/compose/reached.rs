//! Which fields can be reached: what is accepted, and what is told of the rest. The messages as
//! people see them are in `tests/diagnostics/satisfiability*.txt`.

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
fn told(subgraphs: &[(&str, &str)]) -> Vec<String> {
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
fn is_reached(subgraphs: &[(&str, &str)]) {
    assert_eq!(told(subgraphs), [""; 0]);
}

#[test]
fn a_key_may_be_learnt_from_a_third_subgraph() {
    let a = "type Query { t: T }  type T @key(fields: \"id\") { id: ID! }";
    let b = "type T @key(fields: \"id\") @key(fields: \"sku\") { id: ID!  sku: ID! }";
    let c = "type T @key(fields: \"sku\") { sku: ID!  price: Int }";

    is_reached(&[("a", a), ("b", b), ("c", c)]);
    assert_eq!(
        told(&[("a", a), ("c", c)]),
        ["`T.sku`, `T.price` cannot be reached from `Query.t`"]
    );
}

#[test]
fn a_key_inside_an_object_may_be_learnt_elsewhere_too() {
    let a = "type Query { t: T }  type T { of: Of }  type Of @key(fields: \"id\") { id: ID! }";
    let b = "type Of @key(fields: \"id\") { id: ID!  code: ID! @shareable }";
    let c = "type T @key(fields: \"of { code }\") { of: Of @shareable  name: String }
             type Of { code: ID! @shareable }";

    let a = a.replace("of: Of", "of: Of @shareable");
    is_reached(&[("a", &a), ("b", b), ("c", c)]);
}

#[test]
fn keys_that_are_made_of_each_other_end() {
    let a = "type Query { t: T }  type T { x: Int }";
    let b = "type T @key(fields: \"u { t { u { id } } }\") { u: U }
             type U @key(fields: \"t { u { t { y } } }\") { t: T  id: ID! @shareable }
             extend type T { y: Int }";

    assert_eq!(
        told(&[("a", a), ("b", b)]),
        ["`T.u`, `T.y` cannot be reached from `Query.t`"]
    );
}

#[test]
fn what_is_required_is_told_with_a_key() {
    let a = "type Query { t: T }
             type T { id: ID! @shareable  x: Int @external  y: Int @requires(fields: \"x\") }";
    let b = "type T @key(fields: \"id\") { id: ID!  x: Int }";

    assert_eq!(
        told(&[("a", a), ("b", b)]),
        ["`T.y` cannot be reached from `Query.t`"]
    );
    let keyed = a.replace("type T {", "type T @key(fields: \"id\") {");
    is_reached(&[("a", &keyed), ("b", b)]);
    let closed = keyed.replace("\"id\")", "\"id\", resolvable: false)");
    assert_eq!(
        told(&[("a", &closed), ("b", b)]),
        ["`T.y` cannot be reached from `Query.t`"]
    );
}

#[test]
fn what_is_taken_over_for_some_requests_is_reached_for_all() {
    let a = "type Query { t: T }
             type T @key(fields: \"id\") { id: ID!  x: Int  y: Int }";
    let b = "type T @key(fields: \"id\") {
                 id: ID!
                 x: Int @override(from: \"a\", label: \"l\")
                 z: Int @requires(fields: \"y\")
                 y: Int @external
             }";
    is_reached(&[("a", a), ("b", b)]);

    // Where the label is on, `x` is where nobody who has only an `id` can ask for it.
    let a = "type Query { t: T }  type T @key(fields: \"id\") { id: ID!  x: Int }";
    let b = "type Query { byCode: T }
             type T @key(fields: \"code\") {
                 code: ID! @inaccessible
                 x: Int @override(from: \"a\", label: \"l\")
                 id: ID! @shareable
             }";
    assert_eq!(
        told(&[("a", a), ("b", b)]),
        ["`T.x` cannot be reached from `Query.t` while the override label `l` is active"]
    );
}

#[test]
fn what_is_required_must_be_reached_and_not_through_itself() {
    let a = "type Query { t: T }
             type T @key(fields: \"id\") { id: ID!  x: Int @external  y: Int @requires(fields: \"x\") }";
    let b = "type T @key(fields: \"id\") { id: ID!  x: Int }";
    let around = "type T @key(fields: \"id\") { id: ID!  y: Int @external  x: Int @requires(fields: \"y\") }";

    is_reached(&[("a", a), ("b", b)]);
    assert_eq!(
        told(&[("a", a), ("b", around)]),
        [
            "`T.y` cannot be reached from `Query.t`",
            "`T.x` cannot be reached from `Query.t`"
        ]
    );
}

#[test]
fn a_field_is_missed_only_where_it_is_missing() {
    let a = "type Query { good: T }  type T { x: Int @shareable  y: Int }";
    let b = "type Query { bad: [T] }  type T { x: Int @shareable }";

    assert_eq!(
        told(&[("a", a), ("b", b)]),
        ["`T.y` cannot be reached from `Query.bad`"]
    );
}

#[test]
fn a_union_is_asked_only_for_the_members_that_a_subgraph_has() {
    let a = "type Query { any: Any @shareable }  union Any = X  type X { x: Int @shareable }";
    let b = "type Query { any: Any @shareable  all: Any }
             union Any = X | Y  type X { x: Int @shareable }  type Y { y: Int }";

    is_reached(&[("a", a), ("b", b)]);
}

#[test]
fn objects_behind_an_interface_object_are_told_apart_by_key() {
    let a = "interface Media @key(fields: \"id\") { id: ID! }
             type Book implements Media @key(fields: \"id\") { id: ID!  pages: Int }";
    let b = "type Query { top: Media }
             type Media @key(fields: \"id\") @interfaceObject { id: ID!  stars: Int }";

    is_reached(&[("a", a), ("b", b)]);
}

#[test]
fn what_clients_may_not_see_need_not_be_reached() {
    let a = "type Query { t: T }  type T { x: Int @shareable }";
    let b = "extend schema @link(url: \"https://specs.apollo.dev/inaccessible/v0.2\")
             type Query { u: T }  type T { x: Int @shareable  y: Int @inaccessible }";

    is_reached(&[("a", a), ("b", b)]);
}

#[test]
fn a_field_of_connectors_that_is_missing_at_a_place_is_a_doubt() {
    let rest = r#"
        extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
        type Query {
          users: [User] @connect(http: { GET: "https://api.example.com/users" }, selection: "id")
          me: User @connect(http: { GET: "https://api.example.com/me" }, selection: "id name")
        }
        type User { id: ID!  name: String }"#;
    let (graph, diagnostics) = link::link(&[subgraph("rest", rest)], LinkOptions::default());

    assert!(graph.is_some());
    let told: Vec<_> = diagnostics
        .iter()
        .map(|it| (it.severity, it.message.as_str()))
        .collect();
    let message = "`User.name` cannot be reached from `Query.users`";
    assert_eq!(told, [(Severity::Warning, message)]);
}

/// Keys of keys of keys: following all of them would take longer than anybody waits.
#[test]
fn a_graph_of_entangled_keys_is_given_up_with_a_warning_or_finished() {
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
fn a_graph_without_a_way_to_anything_but_its_roots_links() {
    let graph = linked(&[
        ("a", "type Query { a: Int }"),
        ("b", "type Mutation { b: Int }"),
    ]);

    assert_eq!(graph.sources().len(), 2);
}
