//! The origin of a subgraph's error below the value that the error made null.

use super::place_errors::PathStep;
use super::subgraph_fetch::PartEntities;
use crate::error::{ErrorOrigin, OriginStep};
use crate::response::shape::{ObjectShape, ValueShape};
use crate::selection::PositionId;

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
    if steps.len() <= known {
        return None;
    }
    let is_field = |(_, step): &(PositionId, OriginStep)| matches!(step, OriginStep::Slots(_));
    let base = steps[..known].iter().rposition(is_field).unwrap_or(0);
    let steps = steps.split_off(base);
    Some(ErrorOrigin {
        at: steps.first()?.0,
        steps: steps.into_iter().map(|(_, step)| step).collect(),
    })
}

/// The steps of a path of response keys with the positions of their objects, as far as the request
/// has them; `None` if it has none.
fn origin_steps(shape: &ObjectShape, path: &[PathStep]) -> Option<Vec<(PositionId, OriginStep)>> {
    let mut shapes = vec![shape];
    let mut steps = Vec::with_capacity(path.len());
    for step in path {
        let key = match step {
            PathStep::Index(index) => {
                let at = steps.last().map_or(shape.at, |(at, _)| *at);
                steps.push((at, OriginStep::Index(*index)));
                continue;
            }
            PathStep::Key(key) => key,
        };
        // The objects of several slots are at several positions.
        let has_key = |shape: &&ObjectShape| shape.all_fields().any(|it| *it.key == **key);
        let Some(at) = shapes.iter().copied().find(has_key).map(|shape| shape.at) else {
            break;
        };
        let fields = shapes.iter().flat_map(|shape| shape.all_fields());
        let slots = fields
            .filter(|field| *field.key == **key)
            .flat_map(|field| &field.slots);
        let slots: Vec<&(usize, ValueShape)> = slots.collect();
        let numbers = slots.iter().map(|(slot, _)| *slot).collect();
        steps.push((at, OriginStep::Slots(numbers)));
        let nested = slots.iter().filter_map(|(_, shape)| match shape {
            ValueShape::Objects(nested) => Some(&**nested),
            ValueShape::Leaf(_) => None,
        });
        shapes = nested.collect();
    }
    (!steps.is_empty()).then_some(steps)
}
