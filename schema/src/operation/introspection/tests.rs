//! The answers are those of the parser library, which has no maximum.

use apollo_compiler::introspection::partial_execute;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::graph::Graph;
use crate::link::{LinkOptions, link};
use crate::operation::OperationLimits;
use crate::span::Document;
use crate::subgraph::Subgraph;

const SDL: &str = r#"
    type Query {
      "A node"
      node(id: ID! = "é", old: Int @deprecated): Node
      things(in: In, limit: [Int!]! = [1, 2]): [[Thing!]!]!
    }
    type Mutation { add: Int }
    interface Node { id: ID }
    type Thing implements Node { id: ID color: Color gone: Int @deprecated(reason: "x") }
    enum Color { RED GREEN @deprecated }
    scalar Time @specifiedBy(url: "https://example.com/time")
    input In { count: Int! = 1 one: One old: Int @deprecated at: Time }
    input One @oneOf { x: Int y: Int }
"#;

const QUERY: &str = r#"
    query($deprecated: Boolean = true, $skip: Boolean!, $name: String = "In") {
      a: __schema { ...S types @skip(if: $skip) { name } }
      __schema { __typename ...S }
      in: __type(name: $name) { ...T }
      thing: __type(name: "Thing") { ... on __Type { name } ...T }
      none: __type(name: "Nope") { name }
    }
    fragment S on __Schema {
      description queryType { ...T } mutationType { name } subscriptionType { name }
      types { ...T } directives { __typename name description locations isRepeatable args { ...I } }
    }
    fragment T on __Type {
      __typename kind name description specifiedByURL
      fields(includeDeprecated: $deprecated) {
        __typename name description isDeprecated deprecationReason type { ...R } args { ...I }
      }
      interfaces { name } possibleTypes { name } ofType { name }
      enumValues { __typename name description isDeprecated deprecationReason }
      allValues: enumValues(includeDeprecated: true) { name deprecationReason }
      inputFields(includeDeprecated: true) { ...I }
    }
    fragment I on __InputValue {
      __typename name description defaultValue isDeprecated deprecationReason type { ...R }
    }
    fragment R on __Type {
      kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
    }
"#;

fn graph() -> Graph {
    let subgraph = Subgraph {
        name: "api".into(),
        url: None,
        document: Document::new("api.graphql", SDL),
    };
    let (graph, diagnostics) = link(&[subgraph], LinkOptions::default());
    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    graph.unwrap_or_else(|| panic!("{}", rendered.join("\n")))
}

fn parse(graph: &Graph, query: &str) -> Operation {
    let limits = OperationLimits {
        tokens: 5_000,
        depth: 25,
        fields: 2_000,
        selections: 10_000,
        aliases: 1_000,
        root_fields: 500,
    };
    Operation::parse(graph, query, None, limits).unwrap()
}

#[test]
fn answers_are_those_of_the_library() {
    let graph = graph();
    let operation = parse(&graph, QUERY);
    for variables in [
        r#"{"skip":true}"#,
        r#"{"skip":false,"deprecated":false,"name":"One"}"#,
    ] {
        let values: JsonMap = serde_json::from_str(variables).unwrap();
        let schema = &graph.client.schema;
        let parsed = operation.executable().unwrap();
        let coerced = coerce_variable_values(schema, parsed, &values).unwrap();
        let implementers = &graph.client.implementers;
        let document = &operation.document;
        let expected = partial_execute(schema, implementers, document, parsed, &coerced).unwrap();
        let expected = expected.data.unwrap();

        let variables = operation.coerce_variables(&graph, Some(variables)).unwrap();
        let answers = operation.introspect(&graph, &variables, 1 << 20).unwrap();

        assert_eq!(answers.len(), expected.len());
        for (key, json) in answers {
            assert_eq!(json, expected[&*key].to_string(), "{key}");
        }
    }
}

#[test]
fn the_maximum_is_exact() {
    let graph = graph();
    let operation = parse(
        &graph,
        "{ a: __type(name: \"Color\") { name } __type(name: \"x\") { name } }",
    );
    let variables = operation.coerce_variables(&graph, None).unwrap();
    let size = r#"{"name":"Color"}"#.len() + "null".len();

    assert!(operation.introspect(&graph, &variables, size).is_ok());
    let error = operation
        .introspect(&graph, &variables, size - 1)
        .unwrap_err();
    assert_eq!(error.kind, OperationErrorKind::Limit);
    assert!(
        error.message.contains("`limits.introspection_size`"),
        "{}",
        error.message
    );
}

#[test]
fn a_one_of_input_says_so() {
    let graph = graph();
    let operation = parse(
        &graph,
        r#"{ a: __type(name: "One") { isOneOf } b: __type(name: "In") { isOneOf }
            c: __type(name: "Color") { isOneOf } }"#,
    );
    let variables = operation.coerce_variables(&graph, None).unwrap();
    let answers = operation.introspect(&graph, &variables, 1 << 20).unwrap();
    let answers: Vec<_> = answers.iter().map(|(_, json)| json.as_str()).collect();
    assert_eq!(
        answers,
        [
            r#"{"isOneOf":true}"#,
            r#"{"isOneOf":false}"#,
            r#"{"isOneOf":null}"#
        ]
    );
}
