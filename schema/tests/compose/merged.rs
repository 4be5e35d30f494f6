//! Merged types, fields and values of federation 1 and 2 subgraphs.

use schema::link::{self, LinkOptions};

use super::canonical;
use super::support::{composed, linked, subgraph, v2};

/// The lines of the types of the graph that contain `ty`.
fn about(ty: &str, subgraphs: &[(&str, &str)]) -> String {
    let graph = linked(subgraphs);
    let types = canonical::types(&graph);
    let prefix = [format!("{ty}."), format!("{ty} is")];
    let lines = types
        .lines()
        .filter(|line| prefix.iter().any(|it| line.starts_with(it)));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn fields_get_the_widest_of_their_types() {
    let one = "
        type Query { a: Of!  list: [[Int!]!]!  named: Book  any: Book }
        type Book implements Named { name: String! }
        interface Named { name: String! }
        type Of { x: Int! }";
    let two = "
        type Query { a: Of  list: [[Int]!]  named: Named  any: Any }
        type Book implements Named { name: String! }
        interface Named { name: String! }
        union Any = Book
        type Of { y: Int! }";

    insta::assert_snapshot!(about("Query", &[("one", one), ("two", two)]), @r"
    Query is [Query]
    Query.a(): Of
    Query.any(): Any
    Query.list(): [[Int]!]
    Query.named(): Named
    ");
}

#[test]
fn arguments_and_inputs_are_the_intersection() {
    let one = "
        type Query { a(by: By, first: Int! = 3, only: Int, list: [Int]): Int }
        input By { x: Int!  y: Int  z: Int = 1 }";
    let two = "
        type Query { a(by: By!, first: Int = 3, list: [Int!]): Int }
        input By { x: Int  z: Int }";

    insta::assert_snapshot!(about("Query", &[("one", one), ("two", two)]), @r"
    Query is [Query]
    Query.a(by: By!, first: Int!, list: [Int!]): Int
    ");
    insta::assert_snapshot!(about("By", &[("one", one), ("two", two)]), @r"
    By is []
    By.x: Int!
    By.z: Int
    ");
}

#[test]
fn enums_have_the_values_that_their_use_allows() {
    let one = "
        type Query { read: Read  a(in: Written): Int }
        enum Read { A B }  enum Written { A B }";
    let two = "
        type Query { more: Read  b(in: Written): Int }
        enum Read { B C }  enum Written { B C }";

    let subgraphs = [("one", one), ("two", two)];
    assert_eq!(
        about("Read", &subgraphs),
        "Read is []\nRead.A\nRead.B\nRead.C"
    );
    assert_eq!(about("Written", &subgraphs), "Written is []\nWritten.B");
}

#[test]
fn unions_and_interfaces_have_the_members_of_all() {
    let one = "
        type Query { any: Any  named: Named }
        union Any = A
        interface Named { name: String }
        type A implements Named { name: String }";
    let two = "
        type Query { all: Any }
        union Any = B
        interface Named { name: String }
        type B implements Named { name: String }";

    let subgraphs = [("one", one), ("two", two)];
    assert_eq!(about("Any", &subgraphs), "Any is [A, B]");
    insta::assert_snapshot!(about("Named", &subgraphs), @r"
    Named is [A, B]
    Named.name(): String
    ");
}

#[test]
fn the_first_description_and_any_deprecation_are_merged() {
    let one = "type Query { a: Int  b: Int @deprecated(reason: \"old\") }";
    let two = "\"All there is.\" type Query { \"An A.\" a: Int  \"A B.\" b: Int }";

    let sdl = linked(&[("one", one), ("two", two)]).client_sdl();

    assert!(
        sdl.contains("\"\"\"All there is.\"\"\"\ntype Query"),
        "{sdl}"
    );
    assert!(sdl.contains("\"\"\"An A.\"\"\"\n  a: Int"), "{sdl}");
    assert!(sdl.contains("b: Int @deprecated(reason: \"old\")"), "{sdl}");
}

#[test]
fn root_types_get_their_default_names() {
    let one = "
        schema { query: RootQuery  mutation: Changes }
        type RootQuery { a: Of }
        type Changes { change: RootQuery! }
        type Of { up: RootQuery }
        union Any = Of | RootQuery";

    let types = canonical::types(&linked(&[("one", one)]));
    let (own, _) = types.split_once("__Directive").unwrap();
    insta::assert_snapshot!(own, @r"
    Any is [Of, Query]
    Boolean is []
    Mutation is [Mutation]
    Mutation.change(): Query!
    Of is [Of]
    Of.up(): Query
    Query is [Query]
    Query.a(): Of
    String is []
    ");
}

#[test]
fn federation_1_machinery_is_not_merged() {
    let one = r#"
        directive @key(fields: _FieldSet!) on OBJECT | INTERFACE
        directive @external on FIELD_DEFINITION
        scalar _Any
        scalar _FieldSet
        union _Entity = User
        type _Service { sdl: String }
        type Query {
          me: User
          _entities(representations: [_Any!]!): [_Entity]!
          _service: _Service!
        }
        type User @key(fields: "id") @key(fields: "email") { id: ID!  email: String  unused: Int }"#;
    let two = r#"
        extend type Query { _service: _Service! }
        type _Service { sdl: String }
        extend type User @key(fields: "id") {
          id: ID! @external
          unused: Int @external
          size: Int
        }"#;

    let graph = linked(&[("one", one), ("two", two)]);

    insta::assert_snapshot!(graph.client_sdl(), @r"
    type Query {
      me: User
    }

    type User {
      id: ID!
      email: String
      unused: Int
      size: Int
    }
    ");
    insta::assert_snapshot!(canonical::views(&graph), @r"
    one
      enter Query as Query by () to 0
      enter User as User by (email) to 1
      enter User as User by (id) to 1
      0 Query
        me: User to 1
      1 User
        email: String
        id: ID!
        unused: Int
    two
      enter User as User by (id) to 0
      0 User
        id: ID!
        size: Int
    ");
}

#[test]
fn directives_are_found_under_any_name() {
    let one = r#"
        extend schema @link(
          url: "https://specs.apollo.dev/federation/v2.3"
          as: "fed"
          import: [{ name: "@key", as: "@primary" }]
        )
        type Query { user: User @fed__shareable }
        type User @primary(fields: "id") { id: ID!  secret: Int @fed__inaccessible }"#;
    let two = r#"
        extend schema
          @link(url: "https://specs.apollo.dev/federation/v2.3")
          @link(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hidden")
        type User @federation__key(fields: "id") { id: ID!  more: Int @hidden  seen: Int }
        type Query { user: User @federation__shareable }"#;

    let graph = linked(&[("one", one), ("two", two)]);

    insta::assert_snapshot!(graph.client_sdl(), @r"
    type Query {
      user: User
    }

    type User {
      id: ID!
      seen: Int
    }
    ");
    assert!(canonical::types(&graph).contains("User.secret(): Int"));
}

#[test]
fn an_overridden_field_stays_in_keys_only() {
    let one = v2(
        &["key"],
        "type Query { user: User }
         type User @key(fields: \"id\") @key(fields: \"email\") { id: ID!  email: String!  age: Int }",
    );
    let two = v2(
        &["key", "override"],
        "type User @key(fields: \"id\") {
           id: ID!  email: String! @override(from: \"one\")  age: Int @override(from: \"one\")
         }",
    );

    insta::assert_snapshot!(canonical::views(&linked(&[("one", &one), ("two", &two)])), @r"
    one
      enter Query as Query by () to 0
      enter User as User by (email) to 1
      enter User as User by (id) to 1
      0 Query
        user: User to 1
      1 User
        email: String!
        id: ID!
    two
      enter User as User by (id) to 0
      0 User
        age: Int
        email: String!
        id: ID!
    ");
}

#[test]
fn external_on_a_type_applies_to_its_fields() {
    let one = v2(
        &["key", "external", "requires"],
        "type Query { box: Box }
         type Box @key(fields: \"id\") { id: ID!  size: Size @external  cost: Int @requires(fields: \"size { x }\") }
         type Size @external { x: Int }
         extend type Size { y: Int }",
    );
    let two = v2(
        &["key", "shareable"],
        "type Box @key(fields: \"id\") { id: ID!  size: Size }
         type Size { x: Int  y: Int @shareable }",
    );
    let (_, diagnostics) = link::link(
        &[subgraph("one", &one), subgraph("two", &two)],
        LinkOptions::default(),
    );
    let found: Vec<_> = diagnostics.iter().map(|it| it.message.as_str()).collect();

    assert_eq!(
        found,
        ["`Size.y` is resolved by `one` and `two`, and is not `@shareable` in `one`"]
    );
}

#[test]
fn access_directives_of_all_subgraphs_are_combined() {
    let one = v2(
        &["requiresScopes", "shareable", "tag", "cost"],
        r#"type Query {
             a: Int @shareable @requiresScopes(scopes: [["a"], ["b"]]) @tag(name: "x") @cost(weight: 2)
           }"#,
    );
    let two = v2(
        &["requiresScopes", "shareable", "tag", "cost"],
        r#"type Query {
             a: Int @shareable @requiresScopes(scopes: [["c", "a"]]) @tag(name: "x") @tag(name: "y") @cost(weight: 7)
           }"#,
    );

    let text = composed(&[("one", &one), ("two", &two)]);

    let line = text.lines().find(|line| line.trim().starts_with("a: Int"));
    assert_eq!(
        line.map(str::trim),
        Some(
            r#"a: Int @requiresScopes(scopes: [["a", "c"], ["b", "c", "a"]]) @tag(name: "x") @cost(weight: 7) @tag(name: "y")"#
        )
    );
    for link in [
        r#"@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)"#,
        r#"@link(url: "https://specs.apollo.dev/tag/v0.3")"#,
        r#"@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])"#,
        "scalar requiresScopes__Scope",
    ] {
        assert!(text.contains(link), "{link} in {text}");
    }
}
