//! The origin of a subgraph's error below the value that the error made null.

use super::place_errors::PathStep;
use super::subgraph_fetch::PartEntities;
use crate::error::{ErrorOrigin, OriginBase, OriginStep};
use crate::response::shape::{ObjectShape, ValueShape};

/// The origin of an error at `path`, of which `null_path` leads to the first null; `None` when it
/// is no further than that, or in another part.
pub(super) fn error_origin(
    part: &PartEntities<'_>,
    path: &[PathStep],
    null_path: &[PathStep],
) -> Option<ErrorOrigin> {
    // The steps to the entity: its field and its index.
    let to_entity = match &part.part.entities_field {
        None => 0,
        Some(field) => match path {
            [PathStep::Key(key), PathStep::Index(_), ..] if *key == field.key => 2,
            _ => return None,
        },
    };
    let below = &path[to_entity..];
    let known = null_path.len().saturating_sub(to_entity);
    let mut shapes = part.part.shapes.iter();
    let mut steps = shapes.find_map(|shape| origin_steps(shape, below))?;
    let base = match known {
        0 => OriginBase::Object(part.fetch.at),
        _ => OriginBase::Value,
    };
    let steps = steps.split_off(known.min(steps.len()));
    (!steps.is_empty()).then_some(ErrorOrigin { base, steps })
}

/// The slots on a path of response keys, as far as the request has them; `None` if it has none.
fn origin_steps(shape: &ObjectShape, path: &[PathStep]) -> Option<Vec<OriginStep>> {
    let mut shapes = vec![shape];
    let mut steps = Vec::with_capacity(path.len());
    for step in path {
        let key = match step {
            PathStep::Index(index) => {
                steps.push(OriginStep::Index(*index));
                continue;
            }
            PathStep::Key(key) => key,
        };
        let fields = shapes.iter().flat_map(|shape| shape.all_fields());
        let slots = fields
            .filter(|field| *field.key == **key)
            .flat_map(|field| &field.slots);
        let slots: Vec<&(usize, ValueShape)> = slots.collect();
        if slots.is_empty() {
            break;
        }
        steps.push(OriginStep::Slots(
            slots.iter().map(|(slot, _)| *slot).collect(),
        ));
        let nested = slots.iter().filter_map(|(_, shape)| match shape {
            ValueShape::Objects(nested) => Some(&**nested),
            ValueShape::Leaf(_) => None,
        });
        shapes = nested.collect();
    }
    (!steps.is_empty()).then_some(steps)
}
