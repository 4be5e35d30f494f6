//! A subgraph's service: it has the data that the subgraph has, and refuses what a strict service
//! refuses. What it refuses is remembered, since none of it may be asked.

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
use crate::model::{Given, How, Name, Pick};
use crate::oracle::resolved;
use crate::sdl::{self, Reader};

/// One subgraph's service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: Name,
    pub(crate) data: Arc<Data>,
    schema: Valid<Schema>,
    journal: Mutex<Journal>,
    /// What mutations changed, in all services.
    changes: Arc<Mutex<Vec<String>>>,
}

/// What a service was asked.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Each request's document and variables.
    pub(crate) asked: Vec<String>,
    /// What it may not be asked.
    pub(crate) refused: Vec<String>,
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

    /// What it was asked since the last time.
    pub(crate) fn journal(&self) -> Journal {
        let mut journal = self.journal.lock().unwrap();
        std::mem::take(&mut journal)
    }

    pub(crate) fn refuse(&self, what: &str) -> FieldError {
        let line = format!("{}: {what}", self.name);
        self.journal.lock().unwrap().refused.push(line);
        FieldError {
            message: what.to_owned(),
        }
    }

    fn answer(&self, request: &LocalRequest) -> Result<ExecutionResponse, String> {
        let variables: JsonValue = JsonValue::from_bytes(request.variables.clone())
            .map_err(|error| format!("variables are not JSON: {error}"))?;
        let line = format!("{}: {} {variables}", self.name, request.query);
        self.journal.lock().unwrap().asked.push(line);
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
            told: None,
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
                    self.refuse(&format!("{} {:?}", error.message, error.path));
                }
                serde_json::to_vec(&answer).unwrap()
            }
            Err(message) => {
                let error = self.refuse(&message);
                serde_json::to_vec(&serde_json::json!({ "errors": [{ "message": error.message }] }))
                    .unwrap()
            }
        };
        Box::pin(std::future::ready(bytes.into()))
    }
}

/// An object with what the subgraph has of it at one place.
pub(crate) struct Here<'a> {
    pub(crate) service: &'a Service,
    pub(crate) thing: Thing,
    /// What the subgraph calls its type.
    pub(crate) name: Name,
    /// What the fields above provide.
    pub(crate) provided: Vec<Pick>,
    /// The representation, of an object that was asked for by it.
    pub(crate) told: Option<JsonMap>,
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
        let given = model
            .given(&self.name, &self.service.name, name)
            .ok_or_else(|| self.refuse(name, "is not here"))?;
        let provided = self.provided(given, name)?;
        let told = self.told(name)?;
        let data = &self.service.data;
        let value = data.computed(&self.thing, name, info.arguments(), &told);
        let declared = info.field_definition().ty.inner_named_type();
        let service = self.service;
        Ok(resolved(value, &move |thing| {
            Box::new(Here {
                service,
                name: service.called(&thing, declared.as_str()),
                provided: applying(&provided, &thing.ty),
                thing,
                told: None,
            })
        }))
    }
}

impl Here<'_> {
    fn refuse(&self, field: &str, why: &str) -> FieldError {
        self.service
            .refuse(&format!("`{}.{field}` {why}", self.name))
    }

    /// Whether the field is part of a key here, which must be given even when others have taken
    /// the field over.
    fn is_key(&self, name: &str) -> bool {
        let ty = self.service.data.model.get(&self.name);
        let home = ty.and_then(|ty| Some((ty, ty.homes.get(&self.service.name)?)));
        home.is_some_and(|(ty, home)| {
            let mut keys = home.keys.iter().flat_map(|key| &ty.keys[key.index]);
            keys.any(|pick| *pick.field == *name)
        })
    }

    /// What is provided below a field; an error where the field may not be asked here.
    fn provided(&self, given: &Given, name: &str) -> Result<Vec<Pick>, FieldError> {
        let mut named = self.provided.iter().filter(|pick| *pick.field == *name);
        match given.how {
            How::Overridden if !self.is_key(name) => {
                return Err(self.refuse(name, "was taken over"));
            }
            How::External if named.clone().next().is_none() => {
                return Err(self.refuse(name, "is external, and is not provided here"));
            }
            How::Overridden | How::External | How::Gives => {}
        }
        let mut below = given.provides.clone();
        below.extend(named.by_ref().flat_map(|pick| pick.inner.iter().cloned()));
        Ok(below)
    }

    /// What the field is computed from, as the representation has it.
    fn told(&self, name: &str) -> Result<String, FieldError> {
        let Some(field) = self.service.data.field(&self.thing, name) else {
            return Ok(String::new());
        };
        let given = (self.service.data.model).given(&self.name, &self.service.name, name);
        if field.requires.is_empty() || given.is_some_and(|it| it.how == How::External) {
            // A field that another subgraph computes is provided as that one has it.
            let data = &self.service.data;
            return Ok(data.told(&self.thing, name));
        }
        let Some(told) = &self.told else {
            return Err(self.refuse(name, "is asked where what it requires is not told"));
        };
        let picked = entities::picked(told, &field.requires);
        let picked = picked
            .map_err(|missing| self.refuse(name, &format!("requires `{missing}`, not told")))?;
        Ok(picked.to_string())
    }
}

impl Service {
    /// What the subgraph calls the type of an object that stands where `declared` is written.
    fn called(&self, thing: &Thing, declared: &str) -> Name {
        let home = self.data.model.home(declared, &self.name);
        if home.is_some_and(|home| home.is_interface_object) {
            return declared.into();
        }
        Arc::clone(&thing.ty)
    }
}

/// The part of a set that is said of objects of type `ty`.
fn applying(picks: &[Pick], ty: &str) -> Vec<Pick> {
    let applies = |pick: &&Pick| pick.on.as_ref().is_none_or(|on| **on == *ty);
    picks.iter().filter(applies).cloned().collect()
}
