//! Known and unknown names of a graph.

use schema::link::{LinkOptions, link};
use schema::span::Document;
use schema::subgraph::Subgraph;

use super::*;

fn names() -> Names {
    let products = r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
        type Query { products: [Product!]! media: [Media!]! }
        type Product @key(fields: "id") @key(fields: "sku region { code }") {
          id: ID!
          sku: String!
          region: Region!
        }
        type Region { code: String! }
        interface Media @key(fields: "id") { id: ID! }
        type Book implements Media @key(fields: "id") { id: ID! pages: Int }
    "#;
    let reviews = r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@interfaceObject"])
        type Query { reviews: [Review!]! }
        type Review { body: String media: Media }
        type Media @key(fields: "id") @interfaceObject { id: ID! reviews: [Review!]! }
    "#;
    let subgraphs = [("products", products), ("reviews", reviews)].map(|(name, text)| Subgraph {
        name: name.into(),
        url: Some("http://127.0.0.1:1".into()),
        document: Document::new(name, text),
    });
    let options = LinkOptions {
        experimental_connect: false,
        ..LinkOptions::default()
    };
    let (graph, diagnostics) = link(&subgraphs, options);
    Names::new(&graph.unwrap_or_else(|| panic!("{diagnostics:#?}")))
}

fn ty(name: &str) -> Target {
    Target::Type(name.to_owned())
}

fn entity(type_name: &str, key: &str) -> Target {
    Target::Entity {
        type_name: type_name.to_owned(),
        key: EntityKey::from_json(key).unwrap(),
    }
}

#[track_caller]
fn assert_unknown(target: Target, expected: &str) {
    assert_eq!(names().resolve(target).unwrap_err().to_string(), expected);
}

#[test]
fn known_targets_resolve_to_themselves() {
    let known = [
        Target::Everything,
        Target::Named("anything".to_owned()),
        Target::Subgraph("products".to_owned()),
        ty("Product"),
        ty("Query"),
        entity("Product", r#"{"id":1}"#),
        entity("Product", r#"{"sku":1,"region":{"code":"eu"}}"#),
    ];
    for target in known {
        assert_eq!(names().resolve(target.clone()), Ok(vec![target]));
    }
}

#[test]
fn objects_known_by_interface_resolve_to_both_types() {
    let names = names();
    let both = |a, b| Ok(vec![a, b]);

    assert_eq!(names.resolve(ty("Book")), both(ty("Book"), ty("Media")));
    assert_eq!(names.resolve(ty("Media")), both(ty("Book"), ty("Media")));
    let (book, media) = (
        entity("Book", r#"{"id":1}"#),
        entity("Media", r#"{"id":1}"#),
    );
    assert_eq!(
        names.resolve(book.clone()),
        both(book.clone(), media.clone())
    );
    assert_eq!(names.resolve(media.clone()), both(book, media));
}

#[test]
fn unknown_targets_are_rejected_with_a_suggestion() {
    assert_unknown(
        Target::Subgraph("product".to_owned()),
        "the graph has no subgraph `product`; write `products`",
    );
    assert_unknown(
        ty("Prodct"),
        "the graph has no type `Prodct`; write `Product`",
    );
    assert_unknown(ty("Entirely"), "the graph has no type `Entirely`");
    assert_unknown(
        entity("Product", r#"{"sku":1}"#),
        "`Product` has no key `sku`; write one of `id`, `region { code } sku`",
    );
    assert_unknown(
        entity("Region", r#"{"code":1}"#),
        "`Region` has no key `code`; it has none, so invalidate the type",
    );
}

#[test]
fn a_value_resolves_to_every_single_field_key() {
    let names = names();

    let product = names.resolve_value("Product", "42").unwrap();

    assert_eq!(product, [entity("Product", r#"{"id":"42"}"#)]);
    assert_eq!(names.resolve_value("Region", "eu"), None);
    assert_eq!(names.resolve_value("Unknown", "1"), None);
}
