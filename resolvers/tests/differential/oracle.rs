//! The answer to an operation over the unsplit data, by the execution algorithm of the
//! specification in another library.

use std::cell::RefCell;

use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{ExecutionResponse, JsonMap};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

use crate::data::{Data, Thing, Value};

/// The answer to a document with one operation; a message if it cannot be executed.
pub(crate) fn answer(
    data: &Data,
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
    variables: &JsonMap,
) -> Result<Expected, String> {
    let operation = document.operations.get(None);
    let operation = operation.map_err(|error| error.message().to_string())?;
    let changes = RefCell::default();
    let root = Whole {
        data,
        changes: &changes,
        thing: Thing {
            ty: operation.object_type().as_str().into(),
            seed: 0,
        },
    };
    let execution = Execution::new(schema, document).raw_variable_values(variables);
    let answer = execution.execute_sync(&root);
    let answer = answer.map_err(|error| error.message().to_string())?;
    Ok(Expected {
        answer,
        changes: changes.into_inner(),
    })
}

/// The expected answer and effects.
pub(crate) struct Expected {
    pub(crate) answer: ExecutionResponse,
    /// The root fields of a mutation, in their order.
    pub(crate) changes: Vec<String>,
}

/// An object of the unsplit graph.
struct Whole<'a> {
    data: &'a Data,
    changes: &'a RefCell<Vec<String>>,
    thing: Thing,
}

impl ObjectValue for Whole<'_> {
    fn type_name(&self) -> &str {
        &self.thing.ty
    }

    fn resolve_field<'b>(
        &'b self,
        info: &'b ResolveInfo<'b>,
    ) -> Result<ResolvedValue<'b>, FieldError> {
        let (data, changes) = (self.data, self.changes);
        let value = data.of(&self.thing, info.field_name(), info.arguments());
        if *self.thing.ty == *"Mutation" {
            changes.borrow_mut().push(info.field_name().to_owned());
        }
        Ok(resolved(value, &|thing| {
            Box::new(Whole {
                data,
                changes,
                thing,
            })
        }))
    }
}

/// A value in the form of the library; `object` constructs its objects.
pub(crate) fn resolved<'a>(
    value: Value,
    object: &dyn Fn(Thing) -> Box<dyn ObjectValue + 'a>,
) -> ResolvedValue<'a> {
    match value {
        Value::Null => ResolvedValue::null(),
        Value::Leaf(leaf) => ResolvedValue::Leaf(leaf),
        Value::Thing(thing) => ResolvedValue::Object(object(thing)),
        Value::List(items) => {
            let items: Vec<_> = items
                .into_iter()
                .map(|item| Ok(resolved(item, object)))
                .collect();
            ResolvedValue::List(Box::new(items.into_iter()))
        }
    }
}
