//! The service of a subgraph: it executes like a strict server, and records requests that a gateway
//! must not send.

use std::sync::{Arc, Mutex};

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use resolvers::local::{LocalRequest, LocalService};

use crate::arrivals::Arrivals;
use crate::data::{Data, Failed, Thing, Value};
use crate::entities;
use crate::executor::{
    Executed, FieldCall, Request, Resolved, Resolver, Step, UNEXPECTED, WrongValues, execute,
};
use crate::fault::Down;
use crate::model::{Availability, HomeField, Name, Pick};
use crate::random::{below, mixed};
use crate::sdl::{self, Reader};

/// The service of one subgraph.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: Name,
    pub(crate) data: Arc<Data>,
    schema: Valid<Schema>,
    journal: Mutex<Journal>,
    /// The root fields of mutations that ran, in all services.
    changes: Arc<Mutex<Vec<String>>>,
    /// The order in which responses are sent.
    pub(crate) arrivals: Arc<Arrivals>,
}

/// What the services of a graph share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) data: Arc<Data>,
    pub(crate) changes: Arc<Mutex<Vec<String>>>,
    pub(crate) arrivals: Arc<Arrivals>,
}

/// The requests to a service.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Each request as its document and variables.
    pub(crate) requests: Vec<String>,
    /// Requests that a gateway must not send.
    pub(crate) rejected: Vec<String>,
}

impl Service {
    pub(crate) fn new(name: &Name, shared: Shared) -> Result<Self, String> {
        let Shared {
            data,
            changes,
            arrivals,
        } = shared;
        let sdl = sdl::subgraph(&data.model, name, Reader::Service);
        let schema = Schema::parse_and_validate(sdl, &**name);
        Ok(Self {
            name: Arc::clone(name),
            data,
            schema: schema.map_err(|invalid| invalid.to_string())?,
            journal: Mutex::default(),
            changes,
            arrivals,
        })
    }

    /// Takes the requests since the last call.
    pub(crate) fn journal(&self) -> Journal {
        let mut journal = self.journal.lock().unwrap();
        std::mem::take(&mut journal)
    }

    /// Records a request that a gateway must not send.
    pub(crate) fn reject(&self, what: &str) {
        let line = format!("{}: {what}", self.name);
        self.journal.lock().unwrap().rejected.push(line);
    }

    /// The body of the response, as if no fault hit the service as a whole.
    pub(crate) fn respond(&self, request: &LocalRequest) -> Vec<u8> {
        let executed = self.execute(request).unwrap_or_else(|message| {
            self.reject(&message);
            Executed {
                errors: vec![(Vec::new(), message)],
                ..Executed::default()
            }
        });
        let has_faults = !self.data.faults().is_empty();
        for (path, message) in &executed.errors {
            if !has_faults || message.starts_with(UNEXPECTED) {
                self.reject(&format!("{message} {path:?}"));
            }
        }
        let mut response = JsonMap::new();
        response.insert("data", executed.data);
        if !executed.errors.is_empty() {
            let errors = executed.errors.iter().map(error).collect();
            response.insert("errors", JsonValue::Array(errors));
        }
        serde_json::to_vec(&response).unwrap()
    }

    /// Whether the service is a REST service.
    pub(crate) fn is_rest(&self) -> bool {
        self.data.model.is_rest(&self.name)
    }

    /// Whether the service is called over HTTP: one in four subgraphs are.
    pub(crate) fn is_over_http(&self) -> bool {
        self.is_rest() || below(mixed(self.data.model.seed, &self.name), 4) == 0
    }

    /// The body of the response to the body of an HTTP request.
    pub(crate) fn respond_http(&self, body: &[u8]) -> Vec<u8> {
        let body: JsonValue = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(JsonValue::as_str).map(Arc::from);
        let variables = body.get("variables").map(JsonValue::to_string);
        self.respond(&LocalRequest {
            query: text("query").unwrap_or_else(|| "".into()),
            operation_name: text("operationName"),
            variables: variables.unwrap_or_default().into(),
            headers: http::HeaderMap::new(),
        })
    }

    /// The body of a subgraph that is down.
    pub(crate) fn down(down: Down) -> Vec<u8> {
        match down {
            Down::NoData => {
                br#"{"data":null,"errors":[{"message":"the subgraph is down"}]}"#.into()
            }
            Down::Unavailable | Down::NotJson => b"<html>".into(),
            Down::Gone => Vec::new(),
        }
    }

    /// Records a request.
    pub(crate) fn note(&self, request: &str) {
        let line = format!("{}: {request}", self.name);
        self.journal.lock().unwrap().requests.push(line);
    }

    fn record(&self, request: &LocalRequest) {
        let variables = String::from_utf8_lossy(&request.variables);
        self.note(&format!("{} {variables}", request.query));
    }

    fn execute(&self, request: &LocalRequest) -> Result<Executed, String> {
        self.record(request);
        let variables: JsonValue = JsonValue::from_bytes(request.variables.clone())
            .map_err(|error| format!("variables are not JSON: {error}"))?;
        let variables = variables.as_object().ok_or("variables are no object")?;
        let document = ExecutableDocument::parse_and_validate(&self.schema, &*request.query, "");
        let document = document.map_err(|invalid| invalid.to_string())?;
        let operation = document.operations.get(request.operation_name.as_deref());
        let operation = operation.map_err(|error| error.message().to_string())?;
        let variables = coerce_variable_values(&self.schema, operation, variables)
            .map_err(|error| error.message().to_string())?;
        let name: Name = operation.object_type().as_str().into();
        let root = Here {
            service: self,
            thing: Thing {
                ty: Arc::clone(&name),
                seed: 0,
            },
            name,
            provided: Vec::new(),
            representation: None,
        };
        let request = Request {
            schema: &self.schema,
            document: &document,
            operation,
            variables: &variables,
            wrong: WrongValues::Send,
        };
        Ok(execute(&request, &mut Fields(self), &root))
    }
}

/// An error of a response as JSON.
fn error((path, message): &(Vec<Step>, String)) -> JsonValue {
    let mut error = JsonMap::new();
    error.insert("message", message.as_str().into());
    if !path.is_empty() {
        let steps = path.iter().map(|step| match step {
            Step::Key(key) => key.as_str().into(),
            Step::Index(index) => (*index).into(),
        });
        error.insert("path", JsonValue::Array(steps.collect()));
    }
    error.into()
}

impl LocalService for Service {
    fn call(&self, request: LocalRequest) -> BoxFuture<'_, Bytes> {
        let body = match self.data.faults().service(&self.name) {
            None => self.respond(&request),
            Some(down) => {
                self.record(&request);
                Self::down(down)
            }
        };
        Box::pin(async move {
            self.arrivals.turn(&self.name).await;
            body.into()
        })
    }
}

/// An object as the subgraph has it at one position.
pub(crate) struct Here<'a> {
    pub(crate) service: &'a Service,
    pub(crate) thing: Thing,
    /// The name of its type in the subgraph.
    pub(crate) name: Name,
    /// The fields that the fields above provide.
    pub(crate) provided: Vec<Pick>,
    /// The representation of a requested entity.
    pub(crate) representation: Option<JsonMap>,
}

/// Resolves the fields of a subgraph.
struct Fields<'a>(&'a Service);

impl<'a> Resolver for Fields<'a> {
    type Object = Here<'a>;

    fn type_name(&self, object: &Here<'a>) -> String {
        object.name.to_string()
    }

    fn resolve(&mut self, object: &Here<'a>, call: &FieldCall<'_>) -> Resolved<Here<'a>> {
        object.resolve(call).unwrap_or_else(|why| {
            self.0.reject(&why);
            Resolved::Error(why)
        })
    }
}

impl Here<'_> {
    /// The value of a field; an error is a request that must not be sent.
    fn resolve(&self, call: &FieldCall<'_>) -> Result<Resolved<Self>, String> {
        let (service, name) = (self.service, call.name);
        if name == "_entities" {
            return entities::resolve(service, &call.arguments);
        }
        if *self.name == *"Mutation" {
            service.changes.lock().unwrap().push(name.to_owned());
        }
        let data = &service.data;
        let home_field = data.model.home_field(&self.name, &service.name, name);
        let home_field = home_field.ok_or_else(|| self.reject(name, "is not here"))?;
        let provided = self.provided(home_field, name)?;
        let value = match self.representation(name)? {
            Ok(representation) => {
                data.computed(&self.thing, name, &call.arguments, &representation)
            }
            Err(Failed) => Value::Throws,
        };
        Ok(resolved(value, &|thing| Here {
            service,
            name: service.called(&thing, call.declared),
            provided: applying(&provided, &thing.ty),
            thing,
            representation: None,
        }))
    }

    fn reject(&self, field: &str, why: &str) -> String {
        format!("`{}.{field}` {why}", self.name)
    }

    /// Whether the field is a part of a key here, which is resolved even if the field is
    /// overridden.
    fn is_key(&self, name: &str) -> bool {
        let ty = self.service.data.model.get(&self.name);
        let home = ty.and_then(|ty| Some((ty, ty.homes.get(&self.service.name)?)));
        home.is_some_and(|(ty, home)| {
            let mut keys = home.keys.iter().flat_map(|key| &ty.keys[key.index]);
            keys.any(|pick| *pick.field == *name)
        })
    }

    /// The fields that are provided below a field; an error if the field must not be requested
    /// here.
    fn provided(&self, home_field: &HomeField, name: &str) -> Result<Vec<Pick>, String> {
        let mut named = self.provided.iter().filter(|pick| *pick.field == *name);
        match home_field.availability {
            Availability::Overridden if !self.is_key(name) => {
                return Err(self.reject(name, "is overridden"));
            }
            Availability::External if named.clone().next().is_none() => {
                return Err(self.reject(name, "is external, and is not provided here"));
            }
            Availability::Overridden | Availability::External | Availability::Resolved => {}
        }
        let mut below = home_field.provides.clone();
        below.extend(named.by_ref().flat_map(|pick| pick.inner.iter().cloned()));
        Ok(below)
    }

    /// The requirements of a field as JSON, from the representation; `Failed` if a field that is
    /// provided here has failed requirements. An error is a request that must not be sent.
    fn representation(&self, name: &str) -> Result<Result<String, Failed>, String> {
        let Some(field) = self.service.data.field(&self.thing, name) else {
            return Ok(Ok(String::new()));
        };
        let home_field = (self.service.data.model).home_field(&self.name, &self.service.name, name);
        if field.requires.is_empty()
            || home_field.is_some_and(|it| it.availability == Availability::External)
        {
            // A field that another subgraph computes is provided with that subgraph's value.
            let data = &self.service.data;
            return Ok(data.requirements(&self.thing, name));
        }
        let Some(representation) = &self.representation else {
            return Err(self.reject(name, "is requested without its requirements"));
        };
        let picked = entities::picked(representation, &field.requires);
        let picked = picked.map_err(|missing| {
            self.reject(name, &format!("requires `{missing}`, which is missing"))
        })?;
        Ok(Ok(picked.to_string()))
    }
}

/// A value before it is completed; `object` makes objects.
pub(crate) fn resolved<O>(value: Value, object: &dyn Fn(Thing) -> O) -> Resolved<O> {
    match value {
        Value::Null => Resolved::Null,
        Value::Throws => Resolved::Error("the field throws".to_owned()),
        Value::Wrong(wrong) => Resolved::Wrong(wrong),
        Value::Leaf(leaf) => Resolved::Leaf(leaf),
        Value::Thing(thing) => Resolved::Object(object(thing)),
        Value::List(items) => {
            let items = items.into_iter().map(|item| resolved(item, object));
            Resolved::List(items.collect())
        }
    }
}

impl Service {
    /// The type name of an object in the subgraph, at a position of type `declared`.
    fn called(&self, thing: &Thing, declared: &str) -> Name {
        let home = self.data.model.home(declared, &self.name);
        if home.is_some_and(|home| home.is_interface_object) {
            return declared.into();
        }
        Arc::clone(&thing.ty)
    }
}

/// The part of a field set that applies to objects of type `ty`.
fn applying(picks: &[Pick], ty: &str) -> Vec<Pick> {
    let applies = |pick: &&Pick| pick.on.as_ref().is_none_or(|on| **on == *ty);
    picks.iter().filter(applies).cloned().collect()
}
