//! A connector subgraph that extends types of another subgraph, with and without the other one.

use schema::diagnostic::Severity;
use schema::link::{self, LinkOptions};

use super::support::{linked, subgraph, v2};
use super::{canonical, printed};

/// The fields of the other subgraph are `@external` here.
const WEATHER: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key", "@external", "@requires"])
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
    type Query {
      sky: String @connect(http: { GET: "https://api.example.com/sky" }, selection: "$.sky")
    }
    type Shop @key(fields: "id", resolvable: false) {
      id: ID! @external
      spot: Spot @external
      sky: String
        @requires(fields: "spot { latitude }")
        @connect(http: { GET: "https://api.example.com/sky/{$this.spot.latitude}" }, selection: "$.sky")
    }
    type Spot { latitude: Float @external }"#;

const SHOPS: &str = r#"
    type Query { shops: [Shop] }
    type Shop @key(fields: "id") { id: ID!  spot: Spot }
    type Spot { latitude: Float }"#;

/// The severities and messages of all diagnostics.
fn diagnostics(subgraphs: &[(&str, &str)]) -> Vec<(Severity, String)> {
    let subgraphs: Vec<_> = subgraphs
        .iter()
        .map(|(name, sdl)| subgraph(name, sdl))
        .collect();
    let (graph, diagnostics) = link::link(&subgraphs, LinkOptions::default());
    let found: Vec<_> = diagnostics
        .into_iter()
        .map(|it| (it.severity, it.message))
        .collect();
    let is_broken = found
        .iter()
        .any(|(severity, _)| *severity == Severity::Error);
    assert_eq!(graph.is_none(), is_broken);
    found
}

fn unresolved_external_fields(severity: Severity) -> Vec<(Severity, String)> {
    ["Shop.id", "Shop.spot", "Spot.latitude"]
        .map(|it| format!("`{it}` is `@external` in every subgraph that defines it"))
        .map(|message| (severity, message))
        .into()
}

#[test]
fn connectors_with_external_fields_link_alone_with_warnings() {
    let half = [("weather", WEATHER)];

    assert_eq!(
        diagnostics(&half),
        unresolved_external_fields(Severity::Warning)
    );
    let types = canonical::types(&linked(&half));
    let of_shops = types.lines().filter(|line| line.starts_with("Shop."));
    insta::assert_snapshot!(of_shops.collect::<Vec<_>>().join("\n"), @r"
    Shop.id(): ID!
    Shop.sky(): String
    Shop.spot(): Spot
    ");
}

#[test]
fn connectors_with_external_fields_round_trip_through_a_supergraph() {
    printed::round_trip(&[("weather", WEATHER)]);
}

#[test]
fn both_halves_compose_without_diagnostics() {
    let shops = v2(&["key"], SHOPS);

    assert_eq!(diagnostics(&[("weather", WEATHER), ("shops", &shops)]), []);
}

#[test]
fn external_fields_of_a_graphql_subgraph_must_be_resolved_elsewhere() {
    let orders = "
        type Query { order: Shop }
        type Shop @key(fields: \"id\") {
          id: ID! @external
          spot: Spot @external
          orders: Int @requires(fields: \"spot { latitude }\")
        }
        type Spot { latitude: Float @external }";
    let orders = v2(&["key", "external", "requires"], orders);

    let errors = unresolved_external_fields(Severity::Error);
    assert_eq!(
        diagnostics(&[("weather", WEATHER), ("orders", &orders)]),
        errors
    );
}
