//! Cache directives of subgraphs: composed, and read back from the supergraph.

use schema::caching::{CacheHint, CacheScope};
use schema::diagnostic::{Code, Severity};
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::types::Name;

use super::cache_text::cache_directives;
use super::support::{composed, linked, subgraph, v2};

/// Asserts that the printed supergraph has the cache directives of the subgraphs; returns them.
#[track_caller]
fn round_trip(subgraphs: &[(&str, &str)]) -> String {
    let document = Document::new("supergraph.graphql", composed(subgraphs));
    let (graph, diagnostics) = link::link_supergraph(&document, LinkOptions::default());
    assert_eq!(diagnostics, [], "{}", document.text);
    let (read, direct) = (
        cache_directives(&graph.unwrap()),
        cache_directives(&linked(subgraphs)),
    );
    assert_eq!(read, direct, "{}", document.text);
    direct
}

const SPEAKING: &str = r#"
type Query {
  products(category: Category!, page: Page!): [Product]
    @cacheTag(format: "products")
    @cacheTag(format: "products-{$args.category}")
    @cacheTag(format: "page-{$args.page.after}")
    @cacheControl(maxAge: 30)
  me: Account @cacheControl(scope: PRIVATE)
  any: Any
}

type Mutation {
  change(id: ID!): Product @openfed__cacheInvalidate
  changeAll(category: Category!): [Product!]!
    @openfed__cacheInvalidate
    @cacheInvalidate(tags: ["products-{$args.category}", "products"], types: ["Account", "Any"])
  clear: Boolean @cacheInvalidate(types: "Query")
}

enum Category { A B }

input Page { after: String! = "0" }

type Product @key(fields: "id maker { name }") @key(fields: "maker { name }")
  @cacheTag(format: "by-{$key.maker.name}") @cacheControl(maxAge: 3600) {
  id: ID!
  maker: Maker! @cacheControl(inheritMaxAge: true)
  stock: Int @cacheControl(maxAge: 0)
}

type Maker { name: String! }

interface Account @cacheControl(maxAge: 60, scope: PRIVATE) { id: ID! }

type Customer implements Account @key(fields: "id") @openfed__entityCache(maxAge: 5) { id: ID! }

union Any @cacheControl(maxAge: 9) = Product | Customer
"#;

#[test]
fn hints_tags_and_invalidations_are_read() {
    let speaking = v2(&["key", "cacheTag"], SPEAKING);

    insta::assert_snapshot!(round_trip(&[("shop", &speaking)]), @r#"
    shop
      Account 60s Private
      Any 9s
      Customer 5s
      Mutation.change !returned
      Mutation.changeAll !returned !#products-{$args.category} !#products !Account !Any
      Mutation.clear !Query
      Product 3600s #by-{$key.maker.name}
      Product.maker inherited
      Product.stock 0s
      Query.me Private
      Query.products 30s #products #products-{$args.category} #page-{$args.page.after}
    "#);
}

const REST: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", { name: "@cacheTag", as: "@named" }])
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])

type Query {
  order(id: ID!): Order
    @connect(http: { GET: "https://api.example.com/orders/{$args.id}" }, selection: "id state", entity: true)
    @named(format: "order-{$args.id}")
    @openfed__queryCache(maxAge: 7)
}

type Mutation {
  cancel(id: ID!): Order
    @connect(http: { POST: "https://api.example.com/orders/{$args.id}/cancel" }, selection: "id state")
    @openfed__cacheInvalidate
    @cacheInvalidate(tags: ["order-{$args.id}"])
}

type Order @key(fields: "id") @named(format: "order-{$key.id}") @cacheControl(maxAge: 60, scope: PRIVATE) {
  id: ID!
  state: String @cacheControl(maxAge: 1)
}
"#;

#[test]
fn connectors_use_cache_directives_without_definitions() {
    insta::assert_snapshot!(round_trip(&[("orders", REST)]), @r#"
    orders
      Mutation.cancel !returned !#order-{$args.id}
      Order 60s Private #order-{$key.id}
      Order.state 1s
      Query.order 7s #order-{$args.id}
    "#);
}

#[test]
fn cache_directives_apply_to_their_own_subgraph() {
    let speaking = v2(
        &["key"],
        "type Order @key(fields: \"id\") @cacheControl(maxAge: 10) { id: ID!  parcel: String }",
    );

    insta::assert_snapshot!(round_trip(&[("orders", REST), ("parcels", &speaking)]), @r#"
    orders
      Mutation.cancel !returned !#order-{$args.id}
      Order 60s Private #order-{$key.id}
      Order.state 1s
      Query.order 7s #order-{$args.id}
    parcels
      Order 10s
    "#);
}

#[test]
fn own_definitions_of_a_subgraph_are_accepted() {
    let own = r#"
        directive @cacheControl(maxAge: Int, scope: String, swr: Int) on FIELD_DEFINITION
        directive @openfed__entityCache(maxAge: Int!, extra: Int) on OBJECT
        schema { query: Root }
        type Root { user: User @cacheControl(maxAge: 3, scope: "PRIVATE", swr: 5) }
        type User @key(fields: "id") @openfed__entityCache(maxAge: 8, extra: 1) @cacheTag(format: "user-{$key.id}") {
          id: ID!
        }"#;

    insta::assert_snapshot!(round_trip(&[("old", own)]), @r#"
    old
      Query.user 3s Private
      User 8s #user-{$key.id}
    "#);
}

#[test]
fn a_foreign_directive_with_the_same_name_is_ignored() {
    let own = "directive @cacheInvalidate(entity: String) on FIELD_DEFINITION
        type Query { a: Int @cacheInvalidate(entity: \"a\") }";

    assert_eq!(round_trip(&[("old", own)]), "");
}

#[test]
fn interface_objects_have_cache_directives_like_other_entities() {
    let one = v2(
        &["key"],
        "type Query { all: [Media] }
         interface Media @key(fields: \"id\") { id: ID! }
         type Book implements Media @key(fields: \"id\") { id: ID! }",
    );
    let two = v2(
        &["key", "interfaceObject", "cacheTag"],
        "type Media @interfaceObject @key(fields: \"id\") @cacheTag(format: \"media-{$key.id}\") @openfed__entityCache(maxAge: 4) {
           id: ID!  stars: Int
         }
         type Mutation { rate(id: ID!): Media @openfed__cacheInvalidate }",
    );

    insta::assert_snapshot!(round_trip(&[("one", &one), ("two", &two)]), @r#"
    two
      Media 4s #media-{$key.id}
      Mutation.rate !returned
    "#);
}

#[test]
fn cache_directives_are_read_from_join_directives() {
    let text = composed(&[("a", "type Query { a(id: ID!): Int  b: Int }")]);
    let text = text
        .replace(
            "a(id: ID!): Int",
            "a(id: ID!): Int
               @join__directive(graphs: [A], name: \"federation__cacheTag\", args: { format: \"a-{$args.id}\" })
               @join__directive(graphs: [A], name: \"cacheControl\", args: { maxAge: 5, scope: PRIVATE })
               @join__directive(graphs: [A], name: \"elsewhere\", args: {})",
        )
        .replace("b: Int", "b: Int @cacheControl(maxAge: 6)");
    let text = text + "\ndirective @cacheControl(maxAge: Int) on FIELD_DEFINITION\n";
    let document = Document::new("supergraph.graphql", text);

    let (graph, diagnostics) = link::link_supergraph(&document, LinkOptions::default());

    assert_eq!(diagnostics, []);
    insta::assert_snapshot!(cache_directives(&graph.unwrap()), @r#"
    a
      Query.a 5s Private #a-{$args.id}
      Query.b 6s
    "#);
}

#[test]
fn directives_of_weir_have_their_own_specification() {
    let text = composed(&[("shop", &v2(&["key", "cacheTag"], SPEAKING))]);

    let preserved = text.matches("@join__directive(graphs: [SHOP]").count();
    assert_eq!(preserved, 4);
    assert_eq!(
        preserved,
        text.matches("name: \"federation__cacheTag\"").count()
    );
    assert!(text.contains("@link(url: \"https://example.com/weir/v0.1\")"));
    for directive in ["@cacheControl", "@openfed__", "@cacheInvalidate"] {
        assert!(!text.contains(directive), "{directive} in {text}");
    }
}

#[test]
fn cache_directives_are_not_in_the_api_schema() {
    let graph = linked(&[
        ("shop", &v2(&["key", "cacheTag"], SPEAKING)),
        ("orders", REST),
    ]);

    let sdl = graph.client_sdl();

    assert!(!sdl.contains('@'), "{sdl}");
    assert!(!sdl.contains("CacheControlScope"), "{sdl}");
}

#[test]
fn the_scope_enum_is_in_the_api_schema_only_when_fields_use_it() {
    let defined =
        "directive @cacheControl(maxAge: Int, scope: CacheControlScope) on FIELD_DEFINITION
        enum CacheControlScope { PUBLIC PRIVATE }";
    let plain = format!("{defined} type Query {{ a: Int @cacheControl(scope: PRIVATE) }}");
    let using = format!("{defined} type Query {{ a(of: CacheControlScope): Int }}");

    assert!(!linked(&[("a", &plain)]).client_sdl().contains("Scope"));
    assert!(
        linked(&[("a", &using)])
            .client_sdl()
            .contains("enum CacheControlScope")
    );
}

#[test]
fn a_field_hint_overrides_each_member_of_the_type_hint() {
    let sdl = v2(
        &["key"],
        "type Query {
           plain: Thing
           short: Thing @cacheControl(maxAge: 1)
           private: Thing @cacheControl(scope: PRIVATE)
           inherited: Thing @cacheControl(inheritMaxAge: true)
           loose: Loose
           bound: [Loose!]! @cacheControl(maxAge: 2)
           leaf: Int
           own: Int @cacheControl(maxAge: 3)
         }
         type Thing @cacheControl(maxAge: 60, scope: PUBLIC) { a: Int }
         type Loose @cacheControl(inheritMaxAge: true) { a: Int }",
    );
    let graph = linked(&[("a", &sdl)]);
    let types = graph.types();
    let query = types.query().unwrap();
    let hint = |max_age, scope, inherits| {
        Some(CacheHint {
            max_age,
            scope,
            inherits_max_age: inherits,
        })
    };

    for (field, expected) in [
        ("plain", hint(Some(60), Some(CacheScope::Public), false)),
        ("short", hint(Some(1), Some(CacheScope::Public), false)),
        ("private", hint(Some(60), Some(CacheScope::Private), false)),
        ("inherited", hint(Some(60), Some(CacheScope::Public), false)),
        ("loose", hint(None, None, true)),
        ("bound", hint(Some(2), None, false)),
        ("leaf", None),
        ("own", hint(Some(3), None, false)),
        ("nothing", None),
    ] {
        let caching = graph.subgraph_cache_directives("a").unwrap();
        assert_eq!(
            caching.hint(types, query, &Name::from(field)),
            expected,
            "{field}"
        );
    }
}

#[test]
fn an_entity_has_the_resolvable_keys_of_all_subgraphs() {
    let one = v2(
        &["key"],
        "type Query { a: A }  type A @key(fields: \"id\") @key(fields: \"sku\") { id: ID!  sku: ID! }",
    );
    let two = v2(
        &["key"],
        "type A @key(fields: \"id\") @key(fields: \"id\", resolvable: false) { id: ID!  b: Int }",
    );
    let graph = linked(&[("one", &one), ("two", &two)]);
    let types = graph.types();

    let keys = graph.entity_keys(types.find("A").unwrap());

    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(keys, ["id", "sku"]);
    assert!(graph.entity_keys(types.query().unwrap()).is_empty());
}

#[test]
fn cache_directives_without_effect_are_warnings() {
    let sdl = v2(
        &["key"],
        "type Query { a: A }
         type Mutation { put: A @openfed__cachePopulate }
         type A @key(fields: \"id\") @openfed__entityCache(maxAge: 4, shadowMode: true) { id: ID! }",
    );

    let (graph, diagnostics) = link::link(&[subgraph("a", &sdl)], LinkOptions::default());

    insta::assert_snapshot!(cache_directives(&graph.unwrap()), @r#"
    a
      A 4s
    "#);
    for diagnostic in &diagnostics {
        assert_eq!(diagnostic.severity, Severity::Warning);
        assert_eq!(diagnostic.code, Code::CacheDirectiveNotUsed);
    }
    assert_eq!(diagnostics.len(), 2);
}

#[test]
fn malformed_tag_formats_never_panic() {
    for format in [
        r"{\u0024args.id}",
        r"\u{1F600}{$args.\u0069d}\",
        r"{$args.id}\u",
        "{$args.idé}",
        "\\\"{$args.é}\\\"",
        "{{{{{{{{{{{{{{{{",
        "}{}{$}{$.}{$args.}{$args..id}",
        "{$args.id.id.id.id.id.id}",
        "\"\"{$key.id}\n\t{$args",
    ] {
        for quotes in ["\"", "\"\"\""] {
            let sdl = v2(
                &["cacheTag"],
                &format!(
                    "type Query {{ a(id: ID!): Int @cacheTag(format: {quotes}{format}{quotes}) }}"
                ),
            );
            let (_, diagnostics) = link::link(&[subgraph("a", &sdl)], LinkOptions::default());
            for diagnostic in diagnostics {
                let _ = diagnostic.render();
            }
        }
    }
}

#[test]
fn too_deeply_nested_keys_and_paths_are_rejected() {
    let deep = format!("a {}id{}", "{ a ".repeat(20_000), "} ".repeat(20_000));
    let path = ".a".repeat(20_000);
    let sdl = v2(
        &["key", "cacheTag"],
        &format!(
            "type Query {{ a: A }}
             type A @key(fields: \"{deep}\") @cacheTag(format: \"{{$key{path}.id}}\") {{ id: ID!  a: A! }}"
        ),
    );

    let (graph, diagnostics) = link::link(&[subgraph("a", &sdl)], LinkOptions::default());

    assert!(graph.is_none());
    let codes: Vec<_> = diagnostics.iter().map(|it| it.code).collect();
    assert!(codes.contains(&Code::KeyInvalidFields), "{codes:?}");
}
