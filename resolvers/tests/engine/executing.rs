//! Subgraphs that execute their requests over JSON data, so that nulls propagate as in a real server.

use std::sync::{Arc, Mutex};

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use resolvers::Engine;
use resolvers::local::{LocalRequest, LocalService};
use resolvers::settings::Settings;
use serde_json::{Value, json};

use crate::federation::engine_with;
use crate::support::execute;

/// The imports of the subgraphs' SDL.
const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@provides", "@shareable", "@interfaceObject"])
"#;

/// What a federation library adds to the SDL of a subgraph.
const LIBRARY: &str = "
    directive @key(fields: String!, resolvable: Boolean) repeatable on OBJECT | INTERFACE
    directive @requires(fields: String!) on FIELD_DEFINITION
    directive @provides(fields: String!) on FIELD_DEFINITION
    directive @external on OBJECT | FIELD_DEFINITION
    directive @shareable on OBJECT | FIELD_DEFINITION
    directive @interfaceObject on OBJECT
    scalar _Any
";

/// A subgraph over data. The data of an object are its fields; a field that is
/// `{ "$error": "message" }` throws, and `{ "$echo": "field" }` is the JSON text of that field of
/// the representation.
#[derive(Debug)]
pub(crate) struct Subgraph {
    schema: Valid<Schema>,
    data: JsonValue,
    requests: Mutex<Vec<String>>,
}

impl Subgraph {
    fn new(sdl: &str, data: &Value) -> Self {
        let parsed = Schema::parse(format!("{sdl}{LIBRARY}"), "subgraph.graphql");
        let parsed = parsed.unwrap_or_else(|invalid| invalid.partial);
        let entities = parsed.types.iter().filter(|(_, ty)| {
            ty.is_object()
                && ty
                    .directives()
                    .iter()
                    .any(|directive| directive.name == "key")
        });
        let entities: Vec<&str> = entities.map(|(name, _)| name.as_str()).collect();
        let query = if parsed.types.contains_key("Query") {
            "extend type Query"
        } else {
            "type Query"
        };
        let entities = if entities.is_empty() {
            String::new()
        } else {
            let field = "_entities(representations: [_Any!]!): [_Entity]!";
            let union = entities.join(" | ");
            format!("union _Entity = {union} {query} {{ {field} }}")
        };
        let schema =
            Schema::parse_and_validate(format!("{sdl}{LIBRARY}{entities}"), "subgraph.graphql");
        Self {
            schema: schema.unwrap_or_else(|invalid| panic!("{}", invalid.errors)),
            data: JsonValue::from_bytes(data.to_string().into()).unwrap(),
            requests: Mutex::default(),
        }
    }

    fn answer(&self, request: &LocalRequest) -> Result<Vec<u8>, String> {
        let variables: JsonValue = JsonValue::from_bytes(request.variables.clone()).unwrap();
        let line = format!("{} {variables}", request.query);
        self.requests.lock().unwrap().push(line);
        let document = ExecutableDocument::parse_and_validate(&self.schema, &*request.query, "");
        let document = document.map_err(|invalid| invalid.to_string())?;
        let operation = document.operations.get(None).unwrap();
        let variables = variables.as_object().unwrap();
        let variables = coerce_variable_values(&self.schema, operation, variables)
            .map_err(|error| error.message().to_string())?;
        let root = Object {
            data: &self.data,
            fields: self.data.as_object().unwrap().clone(),
            type_name: operation.object_type().as_str().to_owned(),
        };
        let execution = Execution::new(&self.schema, &document).operation(operation);
        let answer = execution
            .coerced_variable_values(&variables)
            .execute_sync(&root)
            .map_err(|error| error.message().to_string())?;
        Ok(serde_json::to_vec(&answer).unwrap())
    }
}

#[derive(Clone, Debug)]
struct Running(Arc<Subgraph>);

impl LocalService for Running {
    fn call(&self, request: LocalRequest) -> BoxFuture<'_, Bytes> {
        let bytes = self.0.answer(&request).unwrap_or_else(|message| {
            let message = format!("{message}\n{}", request.query);
            json!({ "errors": [{ "message": message }] })
                .to_string()
                .into_bytes()
        });
        Box::pin(std::future::ready(bytes.into()))
    }
}

struct Object<'a> {
    data: &'a JsonValue,
    fields: JsonMap,
    type_name: String,
}

impl ObjectValue for Object<'_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'b>(
        &'b self,
        info: &'b ResolveInfo<'b>,
    ) -> Result<ResolvedValue<'b>, FieldError> {
        let declared = info.field_definition().ty.inner_named_type().as_str();
        if info.field_name() == "_entities" {
            let representations = info.arguments().get("representations");
            let representations = representations.and_then(JsonValue::as_array).unwrap();
            let entities = representations.iter().map(|it| self.entity(it));
            let entities: Vec<_> = entities.map(|it| self.resolve(&it, declared)).collect();
            return Ok(ResolvedValue::List(Box::new(entities.into_iter())));
        }
        let null = JsonValue::Null;
        let value = self.fields.get(info.field_name()).unwrap_or(&null);
        self.resolve(value, declared)
    }
}

impl Object<'_> {
    /// The representation, with the data of the entity of the same type and id.
    fn entity(&self, representation: &JsonValue) -> JsonValue {
        let mut entity = representation.as_object().unwrap().clone();
        let known = self.data.get("_entities").and_then(JsonValue::as_array);
        let known = known.into_iter().flatten().find(|known| {
            ["__typename", "id"]
                .iter()
                .all(|key| known.get(*key) == entity.get(*key))
        });
        if let Some(known) = known.and_then(JsonValue::as_object) {
            entity.extend(
                known
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
        }
        entity.into()
    }

    fn resolve<'b>(
        &'b self,
        value: &JsonValue,
        declared: &str,
    ) -> Result<ResolvedValue<'b>, FieldError> {
        match value {
            JsonValue::Null => Ok(ResolvedValue::null()),
            JsonValue::Array(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| self.resolve(item, declared))
                    .collect();
                Ok(ResolvedValue::List(Box::new(items.into_iter())))
            }
            JsonValue::Object(fields) => {
                if let Some(message) = fields.get("$error").and_then(JsonValue::as_str) {
                    let message = message.to_owned();
                    return Err(FieldError { message });
                }
                if let Some(field) = fields.get("$echo").and_then(JsonValue::as_str) {
                    let echoed = self.fields.get(field).cloned().unwrap_or_default();
                    return Ok(ResolvedValue::Leaf(echoed.to_string().into()));
                }
                let type_name = fields.get("__typename").and_then(JsonValue::as_str);
                Ok(ResolvedValue::object(Object {
                    data: self.data,
                    fields: fields.clone(),
                    type_name: type_name.unwrap_or(declared).to_owned(),
                }))
            }
            leaf => Ok(ResolvedValue::Leaf(leaf.clone())),
        }
    }
}

/// An engine over subgraphs that execute their requests.
pub(crate) struct Executing {
    pub(crate) engine: Engine,
    subgraphs: Vec<(&'static str, Arc<Subgraph>)>,
}

impl Executing {
    /// An engine over subgraphs, each with its name, SDL and data.
    pub(crate) fn new(subgraphs: &[(&'static str, &str, Value)]) -> Self {
        Self::with(subgraphs, |_| ())
    }

    pub(crate) fn with(
        subgraphs: &[(&'static str, &str, Value)],
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let sdls = subgraphs.iter();
        let sdls: Vec<(&str, String)> = sdls
            .map(|(name, sdl, _)| (*name, format!("{LINK}{sdl}")))
            .collect();
        let sdls: Vec<(&str, &str)> = sdls.iter().map(|(name, sdl)| (*name, &**sdl)).collect();
        let running: Vec<(&'static str, Arc<Subgraph>)> = subgraphs
            .iter()
            .map(|(name, sdl, data)| (*name, Arc::new(Subgraph::new(sdl, data))))
            .collect();
        let engine = engine_with(&sdls, &[], |settings| {
            for (name, subgraph) in &running {
                let service: Arc<dyn LocalService> = Arc::new(Running(Arc::clone(subgraph)));
                settings.local.insert((*name).to_owned(), service);
            }
            change(settings);
        });
        Self {
            engine,
            subgraphs: running,
        }
    }

    /// All requests so far: `a: query { me { id } } {}`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (name, subgraph) in &self.subgraphs {
            let requests = subgraph.requests.lock().unwrap();
            all.extend(requests.iter().map(|request| format!("{name}: {request}")));
        }
        all
    }
}

/// The response to a query, and the requests for it.
pub(crate) async fn run(subgraphs: &[(&'static str, &str, Value)], query: &str) -> String {
    run_with(subgraphs, query, json!({})).await
}

/// The response to a query with variables, and the requests for it.
pub(crate) async fn run_with(
    subgraphs: &[(&'static str, &str, Value)],
    query: &str,
    variables: Value,
) -> String {
    let executing = Executing::new(subgraphs);
    let answer = execute(&executing.engine, query, variables).await;
    let mut lines = Vec::new();
    match answer.get("errors").and_then(Value::as_array) {
        Some(errors) => {
            lines.push(answer["data"].to_string());
            lines.extend(
                errors
                    .iter()
                    .map(|error| error.as_str().unwrap().to_owned()),
            );
        }
        None => lines.push(answer.to_string()),
    }
    lines.extend(executing.requests());
    lines.join("\n")
}

/// The data of a field that throws.
pub(crate) fn throws(what: &str) -> Value {
    json!({ "$error": format!("no {what}") })
}
