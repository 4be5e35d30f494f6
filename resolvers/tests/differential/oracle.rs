//! The answer to an operation over the unsplit data, by the execution algorithm of the
//! specification in another library.

use std::cell::RefCell;

use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{ExecutionResponse, JsonMap};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

use crate::data::{Data, Failed, Thing, Value};

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
        ancestors: Vec::new(),
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
    /// The objects above that give arguments, the nearest last.
    ancestors: Vec<Thing>,
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
        let name = info.field_name();
        let arguments = data.in_context(&self.thing, name, info.arguments(), &self.ancestors);
        let failed = |_: Failed| FieldError {
            message: "the context has failed".to_owned(),
        };
        let value = data.of(&self.thing, name, &arguments.map_err(failed)?);
        let mut ancestors = self.ancestors.clone();
        if data.model.is_context(&self.thing.ty) {
            ancestors.push(self.thing.clone());
        }
        if *self.thing.ty == *"Mutation" {
            changes.borrow_mut().push(info.field_name().to_owned());
        }
        Ok(resolved(value, &|thing| {
            Box::new(Whole {
                data,
                changes,
                ancestors: ancestors.clone(),
                thing,
            })
        }))
    }
}

/// A value in the form of the library; `object` constructs its objects.
fn resolved<'a>(
    value: Value,
    object: &dyn Fn(Thing) -> Box<dyn ObjectValue + 'a>,
) -> ResolvedValue<'a> {
    match value {
        // Without faults there are no errors.
        Value::Null | Value::Throws | Value::Wrong(_) => ResolvedValue::null(),
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
