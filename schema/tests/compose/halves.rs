//! A subgraph of connectors that is one half of a graph, with the other half and without it.

use schema::diagnostic::Severity;
use schema::link::{self, LinkOptions};

use super::support::{linked, subgraph, v2};
use super::{canonical, printed};

/// What the other half gives of a shop is `@external` here.
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

/// What is said, warnings too.
fn told(subgraphs: &[(&str, &str)]) -> Vec<(Severity, String)> {
    let subgraphs: Vec<_> = subgraphs
        .iter()
        .map(|(name, sdl)| subgraph(name, sdl))
        .collect();
    let (graph, diagnostics) = link::link(&subgraphs, LinkOptions::default());
    let told: Vec<_> = diagnostics
        .into_iter()
        .map(|it| (it.severity, it.message))
        .collect();
    let is_broken = told
        .iter()
        .any(|(severity, _)| *severity == Severity::Error);
    assert_eq!(graph.is_none(), is_broken);
    told
}

fn nobody_gives(severity: Severity) -> Vec<(Severity, String)> {
    ["Shop.id", "Shop.spot", "Spot.latitude"]
        .map(|it| format!("`{it}` is `@external` in every subgraph that defines it"))
        .map(|message| (severity, message))
        .into()
}

#[test]
fn half_of_a_graph_links_with_warnings_and_has_what_it_says_of_the_other() {
    let half = [("weather", WEATHER)];

    assert_eq!(told(&half), nobody_gives(Severity::Warning));
    let types = canonical::types(&linked(&half));
    let of_shops = types.lines().filter(|line| line.starts_with("Shop."));
    insta::assert_snapshot!(of_shops.collect::<Vec<_>>().join("\n"), @r"
    Shop.id(): ID!
    Shop.sky(): String
    Shop.spot(): Spot
    ");
}

#[test]
fn half_of_a_graph_reads_back_from_its_supergraph() {
    printed::round_trip(&[("weather", WEATHER)]);
}

#[test]
fn both_halves_make_a_graph_without_a_doubt() {
    let shops = v2(&["key"], SHOPS);

    assert_eq!(told(&[("weather", WEATHER), ("shops", &shops)]), []);
}

#[test]
fn what_a_service_says_to_be_of_others_must_be_given_by_one() {
    let orders = "
        type Query { order: Shop }
        type Shop @key(fields: \"id\") {
          id: ID! @external
          spot: Spot @external
          orders: Int @requires(fields: \"spot { latitude }\")
        }
        type Spot { latitude: Float @external }";
    let orders = v2(&["key", "external", "requires"], orders);

    let errors = nobody_gives(Severity::Error);
    assert_eq!(told(&[("weather", WEATHER), ("orders", &orders)]), errors);
}
