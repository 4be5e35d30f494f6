//! A connector returns the same in an operation as in `weir test`: random mappings, applied to
//! random bodies by the engine and by a connector test.
//!
//! `WEIR_SEED` selects the cases, `WEIR_CASES` the number of graphs, each of 24 connectors with 24
//! bodies.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use fastrand::Rng;
use http::{HeaderMap, HeaderValue};
use resolvers::Engine;
use resolvers::connector_test::{self, ConnectorTest, Inputs};
use resolvers::settings::Settings;
use schema::graph::Graph;
use schema::json::Json;
use serde_json::{Map, Value, json};

use crate::mapping_generate::{self as generate, Mapped, Mappings, TYPES, fields};
use crate::support::{execute, graph, linked, serve, settings_at, variable};
use crate::values::sdl;

/// A field with a random mapping.
struct Field {
    mapped: Mapped,
    is_list: bool,
}

struct Case {
    fields: Vec<Field>,
    bodies: Arc<[String]>,
    graph: Arc<Graph>,
    settings: Settings,
    engine: Engine,
}

#[tokio::test]
async fn an_operation_maps_as_a_connector_test_does() {
    let seed: u64 = variable("WEIR_SEED").unwrap_or(1);
    for graph in 0..variable("WEIR_CASES").unwrap_or(4) {
        let case = Case::new(&mut Rng::with_seed(seed.wrapping_add(graph))).await;
        for body in 0..case.bodies.len() {
            if let Err(problem) = case.check(body).await {
                let seed = seed.wrapping_add(graph);
                panic!("WEIR_SEED={seed} WEIR_CASES=1\n{problem}");
            }
        }
    }
}

impl Case {
    async fn new(rng: &mut Rng) -> Self {
        let mut fields = Vec::new();
        let version = if rng.bool() { "v0.3" } else { "v0.4" };
        while fields.len() < FIELDS {
            let field = Field {
                mapped: Mappings(rng).selection(),
                is_list: rng.bool(),
            };
            // Some mappings do not fit the types.
            if linked(&[("g", &subgraph(version, std::slice::from_ref(&field)))]).is_ok() {
                fields.push(field);
            }
        }
        let bodies = (0..BODIES).map(|_| generate::body(rng));
        let bodies: Arc<[String]> = bodies.collect();
        let app = Router::new()
            .route("/{index}", axum::routing::get(answer))
            .with_state(Arc::clone(&bodies));
        let settings = settings_at(&serve(app).await);
        let graph = graph(&[("g", &subgraph(version, &fields))]);
        Self {
            fields,
            bodies,
            engine: Engine::new(Arc::clone(&graph), settings.clone()).unwrap(),
            graph,
            settings,
        }
    }

    /// Compares all fields for one body.
    async fn check(&self, body: usize) -> Result<(), String> {
        let fields = self.fields.iter().enumerate();
        let selected = fields.map(|(index, field)| {
            format!("f{index}(body: {body}, n: 7) {{ {} }}", field.mapped.query)
        });
        let query = format!("{{ {} }}", selected.collect::<Vec<_>>().join(" "));
        let mut answer = execute(&self.engine, &query, json!({})).await;
        assert!(answer.get("refused").is_none(), "{query}: {answer}");
        let errors = answer["errors"].take();
        if !errors.is_null() {
            answer = answer["data"].take();
        }
        for (index, field) in self.fields.iter().enumerate() {
            let mapped = self.mapped(index, body);
            let selection = field.mapped.query.split_whitespace().collect::<Vec<_>>();
            let expected = completed(mapped, field.is_list, &mut selection.iter().copied(), 0);
            let actual = &answer[format!("f{index}")];
            if *actual != expected {
                return Err(format!(
                    "selection: {}\nlist: {}\nbody: {}\nquery: {}\nin an operation: {actual}\nin a test: {expected}\nerrors: {errors}",
                    field.mapped.mapping, field.is_list, self.bodies[body], field.mapped.query
                ));
            }
        }
        Ok(())
    }

    /// What a connector test maps a body to.
    fn mapped(&self, index: usize, body: usize) -> Value {
        let test = ConnectorTest::find(&self.graph, &self.settings, &format!("Query.f{index}"));
        let args = json!({ "body": body, "n": 7 }).to_string();
        let inputs = Inputs {
            variables: vec![("args".to_owned(), Json::parse(args.into()).unwrap())],
            ..Inputs::default()
        };
        let body = &self.bodies[body];
        let json = HeaderValue::from_static("application/json");
        let response = connector_test::Response {
            status: status(body),
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, json)]),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        let mapped = test.unwrap().map(&inputs, response).result.unwrap();
        mapped.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }
}

/// Completes a value for a selection of the type at `level` (GraphQL §6.4.3), all fields nullable.
fn completed<'q>(
    value: Value,
    is_list: bool,
    selection: &mut (impl Iterator<Item = &'q str> + Clone),
    level: usize,
) -> Value {
    let start = selection.clone();
    let whole = object(&value, selection, level);
    match (value, is_list) {
        (Value::Array(elements), true) => {
            let elements = elements.iter();
            elements
                .map(|element| object(element, &mut start.clone(), level))
                .collect()
        }
        (_, true) => Value::Null,
        (_, false) => whole,
    }
}

/// Completes an object, and moves behind its selection.
fn object<'q>(
    value: &Value,
    selection: &mut (impl Iterator<Item = &'q str> + Clone),
    level: usize,
) -> Value {
    let mut completed = Map::new();
    while let Some(name) = selection.next() {
        let Some((_, is_list, is_object)) = fields(level).iter().find(|it| it.0 == name) else {
            break; // The closing brace.
        };
        let member = value.get(name).cloned().unwrap_or(Value::Null);
        let member = if *is_object {
            selection.next(); // The opening brace.
            self::completed(member, *is_list, selection, level + 1)
        } else if *is_list && !member.is_array() {
            Value::Null
        } else {
            member
        };
        completed.insert(name.to_owned(), member);
    }
    if value.is_object() {
        completed.into()
    } else {
        Value::Null
    }
}

fn subgraph(version: &str, fields: &[Field]) -> String {
    let mut types = vec!["scalar Any\n".to_owned()];
    for (level, name) in TYPES.iter().enumerate() {
        let next = TYPES.get(level + 1).unwrap_or(&"");
        let own = generate::fields(level).iter();
        let own = own.map(|(name, is_list, is_object)| {
            let ty = if *is_object { next } else { &"Any" };
            let (open, close) = if *is_list { ("[", "]") } else { ("", "") };
            format!("{name}: {open}{ty}{close}")
        });
        let own = own.collect::<Vec<_>>().join(" ");
        types.push(format!("type {name} {{ {own} }}\n"));
    }
    let all = "a b s o { a b s o { a b s } l { a b s } } l { a b s o { a b s } l { a b s } }";
    let all = Field {
        mapped: Mapped {
            mapping: all.to_owned(),
            query: String::new(),
        },
        is_list: false,
    };
    let root = fields.iter().chain([&all]).enumerate();
    let root = root.map(|(index, field)| {
        let ty = if field.is_list { "[T]" } else { "T" };
        format!(
            "f{index}(body: Int!, n: Int, left: Int): {ty} @connect(source: \"api\", http: {{ GET: \"/{{$args.body}}\" }}, selection: \"{}\")",
            field.mapped.mapping
        )
    });
    let root = root.collect::<Vec<_>>().join("\n");
    sdl(
        version,
        &format!("{}type Query {{ {root} }}", types.concat()),
    )
}

async fn answer(State(bodies): State<Arc<[String]>>, Path(index): Path<usize>) -> Response {
    let body = bodies[index].clone();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status(&body), json, body).into_response()
}

fn status(body: &str) -> StatusCode {
    if body.is_empty() {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::OK
    }
}

/// Number of connectors of one graph.
const FIELDS: usize = 24;

/// Number of bodies for one graph.
const BODIES: usize = 24;
