//! What a graph has names for, and what is said of other names.

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
    };
    let (graph, diagnostics) = link(&subgraphs, options);
    Names::of(&graph.unwrap_or_else(|| panic!("{diagnostics:#?}")))
}

fn ty(name: &str) -> Target {
    Target::Type(name.to_owned())
}

fn entity(type_name: &str, key: &str) -> Target {
    Target::Entity {
        type_name: type_name.to_owned(),
        key: EntityKey::read(key).unwrap(),
    }
}

#[track_caller]
fn refused(target: Target, expected: &str) {
    assert_eq!(names().meant(target).unwrap_err().to_string(), expected);
}

#[test]
fn what_the_graph_has_is_meant_as_it_is_written() {
    let as_they_are = [
        Target::Everything,
        Target::Named("anything".to_owned()),
        Target::Subgraph("products".to_owned()),
        ty("Product"),
        ty("Query"),
        entity("Product", r#"{"id":1}"#),
        entity("Product", r#"{"sku":1,"region":{"code":"eu"}}"#),
    ];
    for target in as_they_are {
        assert_eq!(names().meant(target.clone()), Ok(vec![target]));
    }
}

#[test]
fn an_object_that_a_source_knows_by_its_interface_is_meant_by_both_names() {
    let names = names();
    let both = |a, b| Ok(vec![a, b]);

    assert_eq!(names.meant(ty("Book")), both(ty("Book"), ty("Media")));
    assert_eq!(names.meant(ty("Media")), both(ty("Book"), ty("Media")));
    let (book, media) = (
        entity("Book", r#"{"id":1}"#),
        entity("Media", r#"{"id":1}"#),
    );
    assert_eq!(names.meant(book.clone()), both(book.clone(), media.clone()));
    assert_eq!(names.meant(media.clone()), both(book, media));
}

#[test]
fn what_the_graph_does_not_have_is_refused_with_what_may_be_meant() {
    refused(
        Target::Subgraph("product".to_owned()),
        "the graph has no subgraph `product`; write `products`",
    );
    refused(
        ty("Prodct"),
        "the graph has no type `Prodct`; write `Product`",
    );
    refused(ty("Entirely"), "the graph has no type `Entirely`");
    refused(
        entity("Product", r#"{"sku":1}"#),
        "`Product` has no key `sku`; write one of `id`, `region { code } sku`",
    );
    refused(
        entity("Region", r#"{"code":1}"#),
        "`Region` has no key `code`; it has none, so invalidate the type",
    );
}

#[test]
fn one_value_is_of_each_key_that_is_one_field() {
    let names = names();

    let product = names.of_value("Product", "42").unwrap();

    assert_eq!(product, [entity("Product", r#"{"id":"42"}"#)]);
    assert_eq!(names.of_value("Region", "eu"), None);
    assert_eq!(names.of_value("Unknown", "1"), None);
}
