//! Printed supergraphs.

use schema::diagnostic::{Code, Severity};
use schema::link::{self, LinkOptions};
use schema::span::Document;

use super::canonical;
use super::support::{composed, linked, subgraph, v2};

/// The supergraph, from the first type of the subgraphs on.
fn types(subgraphs: &[(&str, &str)]) -> String {
    let text = composed(subgraphs);
    let (_, rest) = text.split_once("EXECUTION\n}\n").unwrap();
    rest.trim().to_owned()
}

/// Asserts that the printed supergraph links into the graph of the subgraphs.
#[track_caller]
pub(crate) fn round_trip(subgraphs: &[(&str, &str)]) {
    let document = Document::new("supergraph.graphql", composed(subgraphs));
    let (graph, diagnostics) = link::link_supergraph(&document, LinkOptions::default());
    assert_eq!(diagnostics, [], "{}", document.text);
    let (read, direct) = (graph.unwrap(), linked(subgraphs));
    assert_eq!(canonical::views(&read), canonical::views(&direct));
    assert_eq!(canonical::types(&read), canonical::types(&direct));
    assert_eq!(canonical::client(&read), canonical::client(&direct));
}

/// Subgraphs with every federation directive.
pub(crate) fn all_directives() -> [(&'static str, String); 3] {
    let one = v2(
        &["key", "provides", "external", "shareable", "inaccessible"],
        ONE,
    );
    let two = v2(
        &[
            "key",
            "external",
            "requires",
            "shareable",
            "override",
            "tag",
        ],
        TWO,
    );
    let three = v2(&["key", "override"], THREE);
    [("one", one), ("two", two), ("three", three)]
}

#[test]
fn every_federation_directive_is_printed_as_join_directives() {
    let subgraphs = all_directives();
    let subgraphs = subgraphs
        .each_ref()
        .map(|(name, sdl)| (*name, sdl.as_str()));

    round_trip(&subgraphs);
    insta::assert_snapshot!(types(&subgraphs), @r#"
    type Query @join__type(graph: ONE) @join__type(graph: TWO) @join__type(graph: THREE) {
      top: Product @join__field(graph: ONE, provides: "name")
      any: [Any] @join__field(graph: ONE)
      third: Third @join__field(graph: TWO)
    }

    type Product implements Named @join__type(graph: ONE, key: "id") @join__type(graph: ONE, key: "sku", resolvable: false) @join__type(graph: TWO, key: "id") @join__type(graph: THREE, key: "id", extension: true) @join__implements(graph: ONE, interface: "Named") {
      id: ID!
      sku: ID! @join__field(graph: ONE, usedOverridden: true) @join__field(graph: THREE, override: "one")
      name: String @tag(name: "t") @join__field(graph: ONE, external: true) @join__field(graph: TWO)
      stock: Int @join__field(graph: ONE, type: "Int!") @join__field(graph: TWO)
      secret: Int @inaccessible @join__field(graph: THREE, override: "one")
      price: Int @join__field(graph: TWO, external: true) @join__field(graph: THREE)
      cost(by: By): Int @join__field(graph: TWO, requires: "price")
    }

    interface Named @join__type(graph: ONE) {
      name: String
    }

    union Any @join__type(graph: ONE) @join__unionMember(graph: ONE, member: "Product") @join__unionMember(graph: ONE, member: "Other") = Product | Other

    type Other @join__type(graph: ONE) {
      kind: Kind
    }

    enum Kind @join__type(graph: ONE) @join__type(graph: TWO) {
      A @join__enumValue(graph: ONE)
      B @join__enumValue(graph: ONE)
      C @join__enumValue(graph: TWO)
    }

    input By @join__type(graph: ONE) @join__type(graph: TWO) {
      x: Int! @join__field(graph: ONE) @join__field(graph: TWO, type: "Int")
    }

    type Third @join__type(graph: TWO) {
      kind: Kind
    }
    "#);
}

#[test]
fn connectors_are_preserved_verbatim() {
    let rest = r#"
        extend schema
          @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key"])
          @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", { name: "@connect", as: "@rest" }])
          @source(name: "api", http: { baseURL: "https://api.example.com", headers: [{ name: "x", value: "1" }] })
        type Query {
          users: [User] @rest(source: "api", http: { GET: "/users" }, selection: "id name")
        }
        type User @key(fields: "id") @rest(source: "api", http: { GET: "/users?id={$batch.id->joinNotNull(',')}" }, selection: "id name") {
          id: ID!
          name: String
        }"#;
    let speaking = v2(
        &["key"],
        "type User @key(fields: \"id\") { id: ID!  reviews: [String] }",
    );
    let subgraphs = [("rest", rest), ("reviews", speaking.as_str())];

    round_trip(&subgraphs);
    insta::assert_snapshot!(types(&subgraphs), @r#"
    type Query @join__type(graph: REST) @join__type(graph: REVIEWS) {
      users: [User] @join__field(graph: REST) @join__directive(graphs: [REST], name: "rest", args: {source: "api", http: {GET: "/users"}, selection: "id name"})
    }

    type User @join__type(graph: REST, key: "id") @join__directive(graphs: [REST], name: "rest", args: {source: "api", http: {GET: "/users?id={$batch.id->joinNotNull(',')}"}, selection: "id name"}) @join__type(graph: REVIEWS, key: "id") {
      id: ID!
      name: String @join__field(graph: REST)
      reviews: [String] @join__field(graph: REVIEWS)
    }
    "#);
}

#[test]
fn interface_objects_and_federation_1_round_trip() {
    let one = r#"
        type Query { media: [Media] }
        interface Media @key(fields: "id") { id: ID! }
        type Book implements Media @key(fields: "id") { id: ID!  title: String!  slug: String @external }
        extend type User @key(fields: "id") { id: ID! @external  books: [Book!] @provides(fields: "slug") }"#;
    let two = r#"
        type User @key(fields: "id") { id: ID!  name: String }
        extend type Query { me: User }
        extend type Book @key(fields: "id") { id: ID! @external  title: String! @external  slug: String  upper: String @requires(fields: "title") }"#;
    let three = v2(
        &["key", "interfaceObject"],
        r#"type Notable @interfaceObject @key(fields: "id") { id: ID!  notes: [String!] }"#,
    );
    let four = v2(
        &["key"],
        r#"interface Notable @key(fields: "id") { id: ID! }
           type Page implements Notable @key(fields: "id") { id: ID!  text: String }
           type Query { pages: [Notable] }"#,
    );

    round_trip(&[
        ("one", one),
        ("two", two),
        ("three", &three),
        ("four", &four),
    ]);
}

#[test]
fn a_composed_directive_is_printed_with_its_specification() {
    let one = r#"
        extend schema
          @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@composeDirective"])
          @link(url: "https://example.com/audit/v1.0", import: ["@audited", "@unkept"])
          @composeDirective(name: "@audited")
        directive @audited(level: Int) on FIELD_DEFINITION
        directive @unkept on FIELD_DEFINITION
        type Query { a: Int @audited(level: 3) @unkept }"#;

    let text = composed(&[("one", one)]);

    assert!(text.contains("a: Int @audited(level: 3)\n"), "{text}");
    assert!(text.contains("directive @audited(level: Int) on FIELD_DEFINITION"));
    assert!(text.contains(r#"@link(url: "https://example.com/audit/v1.0", import: ["@audited"])"#));
    assert!(!text.contains("unkept"), "{text}");
}

#[test]
fn subgraphs_have_unique_names_and_urls() {
    let text = composed(&[
        ("my-api", "type Query { a: Int }"),
        ("my_api", "type Query { b: Int }"),
    ]);

    for value in [
        r#"MY_API @join__graph(name: "my-api", url: "http://my-api.example.com/graphql")"#,
        r#"MY_API_1 @join__graph(name: "my_api", url: "http://my_api.example.com/graphql")"#,
        "a: Int @join__field(graph: MY_API)\n",
        "b: Int @join__field(graph: MY_API_1)\n",
    ] {
        assert!(text.contains(value), "{value} in {text}");
    }
}

#[test]
fn a_graph_with_mutations_only_has_no_supergraph() {
    let subgraphs = [subgraph("a", "type Mutation { a: Int }")];

    let (text, diagnostics) = link::compose(&subgraphs, LinkOptions::default());

    assert_eq!(text, None);
    let first = diagnostics.first().unwrap();
    assert_eq!(
        (first.code, first.severity),
        (Code::NoQueries, Severity::Error)
    );
}

#[test]
fn cache_tags_are_preserved() {
    let one = v2(
        &["key", "cacheTag"],
        r#"directive @cacheControl(maxAge: Int) on FIELD_DEFINITION
           type Query { user: User @cacheTag(format: "all") @cacheControl(maxAge: 3) }
           type User @key(fields: "id") @cacheTag(format: "user-{$key.id}") { id: ID! }"#,
    );

    insta::assert_snapshot!(types(&[("one", &one)]), @r#"
    type Query @join__type(graph: ONE) {
      user: User @join__directive(graphs: [ONE], name: "federation__cacheTag", args: {format: "all"}) @weir__cacheControl(graph: ONE, maxAge: 3)
    }

    type User @join__type(graph: ONE, key: "id") @join__directive(graphs: [ONE], name: "federation__cacheTag", args: {format: "user-{$key.id}"}) {
      id: ID!
    }

    enum weir__Scope {
      PUBLIC
      PRIVATE
    }
    "#);
}

const ONE: &str = r#"
type Query { top: Product @provides(fields: "name")  any: [Any] }
           type Product implements Named @key(fields: "id") @key(fields: "sku", resolvable: false) {
             id: ID!  sku: ID!  name: String @external  stock: Int! @shareable  secret: Int @inaccessible
           }
           interface Named { name: String }
           union Any = Product | Other
           type Other { kind: Kind }
           enum Kind { A B }
           input By { x: Int! }"#;

const TWO: &str = r#"
type Product @key(fields: "id") {
             id: ID!  name: String @shareable @tag(name: "t")  stock: Int @shareable  price: Int @external
             cost(by: By): Int @requires(fields: "price")
           }
           enum Kind { C }
           input By { x: Int  y: Int }
           type Third { kind: Kind }
           extend type Query { third: Third }"#;

const THREE: &str = r#"
extend type Product @key(fields: "id") {
             id: ID!  price: Int
             sku: ID! @override(from: "one")  secret: Int @override(from: "one")
           }"#;

#[test]
fn contexts_are_named_after_their_subgraph() {
    let bank = v2(
        &["key", "external", "context", "fromContext"],
        r#"
        type Query { owner: Owner }
        union Owner @context(name: "owner") = User | Team
        type User @key(fields: "id") { id: ID! currency: String @external accounts: [Account] }
        type Team @key(fields: "id") { id: ID! pays: Pays accounts: [Account] }
        type Pays { currency: String }
        type Account @key(fields: "id") {
          id: ID!
          balance(
            currency: String @fromContext(field: "$owner ... on User { currency } ... on Team { pays { currency } }")
          ): Int
        }
        "#,
    );
    let settings = v2(
        &["key"],
        r#"type User @key(fields: "id") { id: ID! currency: String }"#,
    );
    let subgraphs = [("bank", bank.as_str()), ("settings", settings.as_str())];

    round_trip(&subgraphs);
    let text = composed(&subgraphs);
    for line in [
        r#"@link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)"#,
        "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION",
        "scalar context__ContextFieldValue",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    insta::assert_snapshot!(types(&subgraphs), @r#"
    scalar context__ContextFieldValue

    type Query @join__type(graph: BANK) @join__type(graph: SETTINGS) {
      owner: Owner @join__field(graph: BANK)
    }

    union Owner @join__type(graph: BANK) @context(name: "bank__owner") @join__unionMember(graph: BANK, member: "User") @join__unionMember(graph: BANK, member: "Team") = User | Team

    type User @join__type(graph: BANK, key: "id") @join__type(graph: SETTINGS, key: "id") {
      id: ID!
      currency: String @join__field(graph: BANK, external: true) @join__field(graph: SETTINGS)
      accounts: [Account] @join__field(graph: BANK)
    }

    type Team @join__type(graph: BANK, key: "id") {
      id: ID!
      pays: Pays
      accounts: [Account]
    }

    type Pays @join__type(graph: BANK) {
      currency: String
    }

    type Account @join__type(graph: BANK, key: "id") {
      id: ID!
      balance: Int @join__field(graph: BANK, contextArguments: [{context: "bank__owner", name: "currency", type: "String", selection: "... on User { currency } ... on Team { pays { currency } }"}])
    }
    "#);
}
