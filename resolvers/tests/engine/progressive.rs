//! `@override` with a label: which subgraph is queried, and which labels are a part of the plan.

use insta::assert_snapshot;
use resolvers::Engine;
use resolvers::settings::Settings;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::{Value, json};

use crate::federation::{Scripted, engine_with};
use crate::support::{execute, graph, settings};

const OLD: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
    type Query { user: User }
    type User @key(fields: "id") { id: ID! name: String mail: String phone: String }
"#;

/// Overrides fields under two labels.
const NEW: &str = r#"extend schema
        @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@override"])
    type User @key(fields: "id") {
        id: ID!
        name: String @override(from: "old", label: "beta")
        mail: String @override(from: "old", label: "percent(50)")
        phone: String @override(from: "old", label: "percent(50)")
    }
"#;

const SUBGRAPHS: [(&str, &str); 2] = [("old", OLD), ("new", NEW)];

fn with(overrides: &[(&str, f64)]) -> Settings {
    let overrides = overrides.iter();
    Settings {
        overrides: overrides
            .map(|(label, percent)| ((*label).to_owned(), *percent))
            .collect(),
        ..settings()
    }
}

#[track_caller]
fn plan(overrides: &[(&str, f64)], query: &str) -> String {
    let engine = Engine::new(graph(&SUBGRAPHS), with(overrides)).unwrap();
    engine.plan_text(query, None).unwrap()
}

#[test]
fn a_label_without_a_decision_is_off() {
    assert_snapshot!(plan(&[], "{ user { name } }"), @r"
    1. old  query
       gives user { name }
    with the override `beta` off
    ");
}

#[test]
fn a_label_that_is_on_overrides_the_field() {
    assert_snapshot!(plan(&[("beta", 100.0)], "{ user { name mail } }"), @r"
    1. old  query
       gives user { mail id }
    2. new  _entities
       one batch over user by id
       gives name
       after 1
    with the override `beta` on, `percent(50)` off
    ");
}

#[test]
fn plans_do_not_depend_on_labels_of_other_fields() {
    assert_snapshot!(plan(&[("beta", 100.0)], "{ user { id } }"), @r"
    1. old  query
       gives user { id }
    ");
}

#[test]
fn a_composed_supergraph_has_the_labels() {
    let subgraphs = SUBGRAPHS.map(|(name, sdl)| Subgraph {
        name: name.into(),
        url: None,
        document: Document::new(format!("{name}.graphql"), sdl),
    });
    let (supergraph, _) = link::compose(&subgraphs, LinkOptions::default());
    let supergraph = supergraph.unwrap();
    let joined = supergraph
        .lines()
        .find(|line| line.contains("name: String @"));
    assert_snapshot!(joined.unwrap(), @r#"  name: String @join__field(graph: OLD, overrideLabel: "beta") @join__field(graph: NEW, override: "old", overrideLabel: "beta")"#);

    let document = Document::new("supergraph.graphql", supergraph);
    let (graph, diagnostics) = link::link_supergraph(&document, LinkOptions::default());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let graph = std::sync::Arc::new(graph.unwrap());
    let plan = |overrides| {
        let engine = Engine::new(std::sync::Arc::clone(&graph), with(overrides)).unwrap();
        engine.plan_text("{ user { name } }", None).unwrap()
    };
    assert_snapshot!(plan(&[]), @r"
    1. old  query
       gives user { name }
    with the override `beta` off
    ");
    assert_snapshot!(plan(&[("beta", 100.0)]), @r"
    1. old  query
       gives user { id }
    2. new  _entities
       one batch over user by id
       gives name
       after 1
    with the override `beta` on
    ");
}

/// Subgraphs whose values are their own names.
fn services() -> [Scripted; 2] {
    let old = Scripted::new(
        |_, _| json!({ "data": { "user": { "id": "1", "name": "old", "mail": "old", "phone": "old" } } }),
    );
    let new = Scripted::new(
        |_, _| json!({ "data": { "_entities": [{ "name": "new", "mail": "new", "phone": "new" }] } }),
    );
    [old, new]
}

fn running(old: &Scripted, new: &Scripted, overrides: &[(&str, f64)]) -> Engine {
    engine_with(&SUBGRAPHS, &[("old", old), ("new", new)], |settings| {
        settings.overrides = with(overrides).overrides;
    })
}

#[tokio::test]
async fn a_percentage_is_drawn_once_for_each_request() {
    let [old, new] = services();
    let engine = running(&old, &new, &[]);
    let mut by_new = 0;
    for _ in 0..400 {
        let answer = execute(&engine, "{ user { mail phone } }", json!({})).await;
        // Both fields have the same label, so one draw decides both.
        assert_eq!(answer["user"]["mail"], answer["user"]["phone"]);
        by_new += usize::from(answer["user"]["mail"] == "new");
    }

    // Ten standard deviations around the half.
    assert!((100..=300).contains(&by_new), "{by_new} of 400");
}

#[tokio::test]
async fn configured_percentages_are_drawn() {
    for (percent, expected) in [(0.0, 0..=0), (100.0, 200..=200), (50.0, 1..=199)] {
        let [old, new] = services();
        let engine = running(&old, &new, &[("beta", percent)]);
        let mut by_new = 0;
        for _ in 0..200 {
            let answer = execute(&engine, "{ user { name } }", json!({})).await;
            by_new += usize::from(answer["user"]["name"] == "new");
        }

        assert!(expected.contains(&by_new), "{percent} %: {by_new} of 200");
    }
}

const TASKS: &str = "
    type Query { n: Int }
    type Mutation { first: Int second: Int }
";

const TWICE: &str = "mutation($early: Boolean!) {
    first @include(if: $early)
    second
    first
}";

async fn execute_twice(variables: Value) -> (Vec<String>, Value) {
    let service = Scripted::new(|_, _| json!({ "data": { "first": 1, "second": 2 } }));
    let engine = engine_with(&[("g", TASKS)], &[("g", &service)], |_| ());
    let answer = execute(&engine, TWICE, variables).await;
    (service.requests(), answer)
}

#[tokio::test]
async fn mutation_fields_run_in_the_order_of_their_first_selection_that_is_not_skipped() {
    let (requests, answer) = execute_twice(json!({ "early": true })).await;
    assert_snapshot!(requests.join("\n"), @"mutation { first second } {}");
    assert_eq!(answer.to_string(), r#"{"first":1,"second":2}"#);

    let (requests, _) = execute_twice(json!({ "early": false })).await;
    assert_snapshot!(requests.join("\n"), @"mutation { second first } {}");
}

#[test]
fn a_plan_states_the_order_of_mutation_fields_it_is_for() {
    let engine = Engine::new(graph(&[("g", TASKS)]), settings()).unwrap();

    assert_snapshot!(engine.plan_text(TWICE, None).unwrap(), @r"
    1. g  mutation
       gives first second
    in this order where nothing is left out by $early
    ");
}
