//! Shapes of operations for which Weir does not yet answer as the reference with faults: cases that
//! have them are not reported.
//!
//! A field that requires others, or takes an argument from an object above, fails together with
//! other fields of its fetch, and they with it.

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
    fields.iter().any(has_inputs)
}

fn add_fields(selections: &[Selection], names: &mut Vec<Name>) {
    for selection in selections {
        if let What::Field { name, .. } = &selection.what {
            names.push(Name::clone(name));
        }
        add_fields(&selection.inner, names);
    }
}
