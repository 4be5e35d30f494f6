//! The service of a subgraph: it executes like a strict server, and records requests that a gateway
//! must not send.

use std::sync::{Arc, Mutex};

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{ExecutionResponse, JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use resolvers::local::{LocalRequest, LocalService};

use crate::data::{Data, Thing};
use crate::entities;
use crate::model::{Availability, HomeField, Name, Pick};
use crate::oracle::resolved;
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
    pub(crate) fn new(
        name: &Name,
        data: &Arc<Data>,
        changes: &Arc<Mutex<Vec<String>>>,
    ) -> Result<Self, String> {
        let sdl = sdl::subgraph(&data.model, name, Reader::Service);
        let schema = Schema::parse_and_validate(sdl, &**name);
        Ok(Self {
            name: Arc::clone(name),
            data: Arc::clone(data),
            schema: schema.map_err(|invalid| invalid.to_string())?,
            journal: Mutex::default(),
            changes: Arc::clone(changes),
        })
    }

    /// Takes the requests since the last call.
    pub(crate) fn journal(&self) -> Journal {
        let mut journal = self.journal.lock().unwrap();
        std::mem::take(&mut journal)
    }

    pub(crate) fn reject(&self, what: &str) -> FieldError {
        let line = format!("{}: {what}", self.name);
        self.journal.lock().unwrap().rejected.push(line);
        FieldError {
            message: what.to_owned(),
        }
    }

    fn answer(&self, request: &LocalRequest) -> Result<ExecutionResponse, String> {
        let variables: JsonValue = JsonValue::from_bytes(request.variables.clone())
            .map_err(|error| format!("variables are not JSON: {error}"))?;
        let line = format!("{}: {} {variables}", self.name, request.query);
        self.journal.lock().unwrap().requests.push(line);
        let variables = variables.as_object().ok_or("variables are no object")?;
        let document = ExecutableDocument::parse_and_validate(&self.schema, &*request.query, "");
        let document = document.map_err(|invalid| invalid.to_string())?;
        let operation = document.operations.get(request.operation_name.as_deref());
        let operation = operation.map_err(|error| error.message().to_string())?;
        let variables = coerce_variable_values(&self.schema, operation, variables)
            .map_err(|error| error.message().to_string())?;
        let root = Here {
            service: self,
            thing: Thing {
                ty: operation.object_type().as_str().into(),
                seed: 0,
            },
            name: operation.object_type().as_str().into(),
            provided: Vec::new(),
            representation: None,
        };
        Execution::new(&self.schema, &document)
            .operation(operation)
            .coerced_variable_values(&variables)
            .execute_sync(&root)
            .map_err(|error| error.message().to_string())
    }
}

impl LocalService for Service {
    fn call(&self, request: LocalRequest) -> BoxFuture<'_, Bytes> {
        let bytes = match self.answer(&request) {
            Ok(answer) => {
                for error in &answer.errors {
                    self.reject(&format!("{} {:?}", error.message, error.path));
                }
                serde_json::to_vec(&answer).unwrap()
            }
            Err(message) => {
                let error = self.reject(&message);
                serde_json::to_vec(&serde_json::json!({ "errors": [{ "message": error.message }] }))
                    .unwrap()
            }
        };
        Box::pin(std::future::ready(bytes.into()))
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

impl ObjectValue for Here<'_> {
    fn type_name(&self) -> &str {
        &self.name
    }

    fn resolve_field<'b>(
        &'b self,
        info: &'b ResolveInfo<'b>,
    ) -> Result<ResolvedValue<'b>, FieldError> {
        let name = info.field_name();
        if name == "_entities" {
            return entities::resolve(self.service, info.arguments());
        }
        if *self.name == *"Mutation" {
            let mut changes = self.service.changes.lock().unwrap();
            changes.push(name.to_owned());
        }
        let model = &self.service.data.model;
        let home_field = model
            .home_field(&self.name, &self.service.name, name)
            .ok_or_else(|| self.reject(name, "is not here"))?;
        let provided = self.provided(home_field, name)?;
        let representation = self.representation(name)?;
        let data = &self.service.data;
        let value = data.computed(&self.thing, name, info.arguments(), &representation);
        let declared = info.field_definition().ty.inner_named_type();
        let service = self.service;
        Ok(resolved(value, &move |thing| {
            Box::new(Here {
                service,
                name: service.called(&thing, declared.as_str()),
                provided: applying(&provided, &thing.ty),
                thing,
                representation: None,
            })
        }))
    }
}

impl Here<'_> {
    fn reject(&self, field: &str, why: &str) -> FieldError {
        self.service
            .reject(&format!("`{}.{field}` {why}", self.name))
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
    fn provided(&self, home_field: &HomeField, name: &str) -> Result<Vec<Pick>, FieldError> {
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

    /// The requirements of a field as JSON, from the representation.
    fn representation(&self, name: &str) -> Result<String, FieldError> {
        let Some(field) = self.service.data.field(&self.thing, name) else {
            return Ok(String::new());
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
        Ok(picked.to_string())
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
