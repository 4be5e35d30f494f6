//! Introspection within its maximum of bytes.

use std::fmt::Write as _;

use schema::operation::{Operation, OperationErrorKind};

use crate::support::{LIMITS, graph_of};

/// The default of `limits.introspection_size`.
const MAX_BYTES: usize = 16 << 20;

/// The query of GraphiQL, with every option on.
const STANDARD: &str = "query IntrospectionQuery { __schema { description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
      type { ...TypeRef } isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated
    deprecationReason }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name } } } } } } } } } }";

/// A graph of many types, with ten described fields each.
fn large_sdl(types: usize) -> String {
    let mut sdl = String::from("type Query { t: T0 }\n");
    for ty in 0..types {
        let _ = write!(sdl, "\"Some type of the graph\" type T{ty} {{ ");
        for field in 0..10 {
            let _ = write!(
                sdl,
                "\"A field of the type, described\" f{field}: [String!]! "
            );
        }
        sdl.push_str("}\n");
    }
    sdl
}

/// 40 aliases of `fields` with 40 of `type` with 40 of `name`: 3.4 KB.
fn wide_query() -> String {
    let aliases = |field: &str, rest: &str| {
        let mut text = String::new();
        for alias in 0..40 {
            let _ = write!(text, "a{alias}: {field}{rest} ");
        }
        text
    };
    format!(
        "{{ __schema {{ types {{ {} }} }} }} fragment B on __Field {{ {} }} fragment C on __Type {{ {} }}",
        aliases("fields", "{...B}"),
        aliases("type", "{...C}"),
        aliases("name", "")
    )
}

#[test]
fn the_standard_query_passes_on_a_large_graph() {
    let graph = graph_of(&large_sdl(1_000));
    let operation = Operation::parse(&graph, STANDARD, None, LIMITS).unwrap();
    let variables = operation.coerce_variables(&graph, None).unwrap();

    let answers = operation.introspect(&graph, &variables, MAX_BYTES).unwrap();

    assert!(answers[0].1.contains(r#""name":"T999""#));
}

#[test]
fn aliases_of_introspection_count_as_any_other() {
    let graph = graph_of(&large_sdl(1));
    let errors = Operation::parse(&graph, &wide_query(), None, LIMITS).unwrap_err();
    assert_eq!(errors[0].kind, OperationErrorKind::Limit);
    assert!(
        errors[0].message.contains("selections"),
        "{}",
        errors[0].message
    );
}

#[test]
fn a_deep_result_is_refused() {
    let mut sdl = String::from("type Query {");
    for field in 0..100 {
        let _ = write!(sdl, " f{field}: Query");
    }
    sdl.push('}');
    let graph = graph_of(&sdl);
    // A hundred million names.
    let query = "{ __schema { types { fields { type { fields { type { fields { type { fields {
        name } } } } } } } } } }";
    let operation = Operation::parse(&graph, query, None, LIMITS).unwrap();
    let variables = operation.coerce_variables(&graph, None).unwrap();

    let error = operation
        .introspect(&graph, &variables, MAX_BYTES)
        .unwrap_err();

    assert_eq!(error.kind, OperationErrorKind::Limit);
}
