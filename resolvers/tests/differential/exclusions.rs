//! Shapes of operations for which Weir does not yet answer as the reference with faults: cases that
//! have them are not reported.
//!
//! - A field that requires others, or takes an argument from an object above: it fails together
//!   with other fields of its fetch, and they with it.
//! - Equal fields of one object under several response keys or type conditions: they are fetched
//!   once, with all that is selected below any of them, and a null propagates from all of it.

use std::collections::HashSet;

use crate::model::{Model, Name};
use crate::operation::{Operation, Selection, What};

/// Whether a difference of a case is known.
pub(crate) fn is_excluded(model: &Model, operation: &Operation) -> bool {
    let mut fields = Vec::new();
    let fragments = operation.fragments.values().map(|it| &it.selections);
    for selections in fragments.chain([&operation.selections]) {
        add_fields(selections, &mut fields);
    }
    let has_inputs = |name: &Name| {
        let mut types = model.types.values();
        types.any(|ty| {
            let field = ty.fields.get(name);
            field.is_some_and(|field| !field.requires.is_empty() || field.context.is_some())
        })
    };
    fields.iter().any(has_inputs) || has_equal_fields(operation, &operation.selections)
}

fn add_fields(selections: &[Selection], names: &mut Vec<Name>) {
    for selection in selections {
        if let What::Field { name, .. } = &selection.what {
            names.push(Name::clone(name));
        }
        add_fields(&selection.inner, names);
    }
}

/// Whether some object has one field several times.
fn has_equal_fields(operation: &Operation, selections: &[Selection]) -> bool {
    let mut fields = Vec::new();
    flatten(operation, selections, &mut fields);
    let mut seen = HashSet::new();
    let mut fields = fields.into_iter();
    fields.any(|(name, inner)| {
        let is_composite = !inner.is_empty();
        is_composite && (!seen.insert(name) || has_equal_fields(operation, inner))
    })
}

fn flatten<'o>(
    operation: &'o Operation,
    selections: &'o [Selection],
    fields: &mut Vec<(Name, &'o [Selection])>,
) {
    for selection in selections {
        match &selection.what {
            What::Field { name, .. } => fields.push((Name::clone(name), &selection.inner)),
            What::Inline(_) => flatten(operation, &selection.inner, fields),
            What::Spread(name) => {
                if let Some(fragment) = operation.fragments.get(name) {
                    flatten(operation, &fragment.selections, fields);
                }
            }
        }
    }
}
