//! Fallbacks: what is fetched of an entity when a part of a fetch's inputs is missing.
//!
//! A requirement belongs to a field, not to a fetch. A fetch whose fields need different inputs is
//! sent whole for each entity that has all of them, in one request. For every other entity its
//! fallbacks are made, one for each set of inputs that some fields need, so that the entity gets
//! exactly the fields whose inputs it has. Fallbacks are not part of a plan that goes well: they
//! are not printed, and nothing is done for them until an input fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::types::{TypeId, Types};

use super::{ByFetch, ContextArgument, Fetch, FetchId, FetchSlots, replace_fetches};
use crate::selection::{KeySlot, PositionId, Selection};

/// Adds the fallbacks of each fetch after it; what depends on the fetch depends on them too.
pub(super) fn add_fallbacks(
    types: &Types,
    selection: &Selection,
    fetches: ByFetch<Fetch>,
) -> ByFetch<Fetch> {
    replace_fetches(fetches, |id, mut fetch| {
        let mut replacements = Divider::new(types, selection, &fetch).fallbacks();
        for fallback in &mut replacements {
            fallback.fallback_of = Some(id);
        }
        let fallbacks = 1..=replacements.len();
        fetch.fallbacks = fallbacks.map(|it| FetchId::from(id.index() + it)).collect();
        replacements.insert(0, fetch);
        replacements
    })
}

/// An input that some fields of a fetch need beside the key.
#[derive(Clone, Copy, PartialEq)]
enum Input<'f> {
    Required(&'f KeySlot),
    Context(&'f Arc<[ContextArgument]>),
}

/// A field of objects of one type that a fetch provides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct TypedField {
    at: PositionId,
    slot: usize,
    on: TypeId,
}

impl TypedField {
    fn new(at: PositionId, slot: usize, on: TypeId) -> Self {
        Self { at, slot, on }
    }
}

/// Divides the fields of a fetch by the inputs that they need.
struct Divider<'f> {
    types: &'f Types,
    selection: &'f Selection,
    fetch: &'f Fetch,
    /// The inputs of the fields that need some.
    inputs: BTreeMap<TypedField, Vec<Input<'f>>>,
}

impl<'f> Divider<'f> {
    fn new(types: &'f Types, selection: &'f Selection, fetch: &'f Fetch) -> Self {
        let mut inputs: BTreeMap<TypedField, Vec<Input<'f>>> = BTreeMap::new();
        let requires = fetch.selected_entries.iter().flat_map(|it| &it.requires);
        for required in requires {
            for field in &required.required_by {
                let field = TypedField::new(fetch.at, field.slot, field.on);
                let known = inputs.entry(field).or_default();
                known.push(Input::Required(&required.value));
            }
        }
        for context in &fetch.context_fields {
            let field = TypedField::new(context.at, context.slot, context.on);
            let known = inputs.entry(field).or_default();
            known.push(Input::Context(&context.arguments));
        }
        Self {
            types,
            selection,
            fetch,
            inputs,
        }
    }

    /// A fetch for each set of inputs that some fields need; none if all fields need the same.
    fn fallbacks(&self) -> Vec<Fetch> {
        if self.inputs.is_empty() {
            return Vec::new();
        }
        let mut sets: Vec<&[Input<'_>]> = Vec::new();
        for (at, slots) in &self.fetch.slots {
            for (slot, types) in slots {
                for on in types {
                    let own = self.inputs_of(TypedField::new(*at, *slot, *on));
                    if let Some(own) = own.filter(|own| !sets.contains(own)) {
                        sets.push(own);
                    }
                }
            }
        }
        if sets.len() < 2 {
            return Vec::new();
        }
        sets.iter().map(|inputs| self.fallback(inputs)).collect()
    }

    /// The inputs that a field needs by itself; `None` for a field of nested objects without any,
    /// which needs those of the field that contains it.
    fn inputs_of(&self, field: TypedField) -> Option<&[Input<'f>]> {
        match self.inputs.get(&field) {
            Some(inputs) => Some(inputs),
            None if field.at == self.fetch.at => Some(&[]),
            None => None,
        }
    }

    /// The fetch of the fields that need exactly these inputs.
    fn fallback(&self, inputs: &[Input<'_>]) -> Fetch {
        let slots = self.slots(inputs);
        let has = |field: TypedField| {
            let slots = slots.get(&field.at).and_then(|it| it.get(&field.slot));
            slots.is_some_and(|types| types.contains(&field.on))
        };
        let at = self.fetch.at;
        let filled = slots.get(&at).into_iter().flat_map(BTreeMap::values);
        let filled: Vec<TypeId> = filled.flatten().copied().collect();
        let mut selected_entries = self.fetch.selected_entries.clone();
        selected_entries.retain(|entry_selection| {
            let on = entry_selection.on;
            filled
                .iter()
                .any(|ty| *ty == on || self.types.is_a(*ty, on))
        });
        for entry_selection in &mut selected_entries {
            for required in &mut entry_selection.requires {
                let required_by = &mut required.required_by;
                required_by.retain(|field| has(TypedField::new(at, field.slot, field.on)));
            }
            let requires = &mut entry_selection.requires;
            requires.retain(|required| !required.required_by.is_empty());
        }
        let mut context_fields = self.fetch.context_fields.clone();
        context_fields.retain(|field| {
            has(TypedField::new(field.at, field.slot, field.on))
                && inputs.contains(&Input::Context(&field.arguments))
        });
        Fetch {
            selected_entries,
            context_fields,
            slots,
            ..self.fetch.clone()
        }
    }

    /// The slots of the fields that need exactly these inputs, with the slots on the paths to them.
    fn slots(&self, inputs: &[Input<'_>]) -> FetchSlots {
        let mut slots = FetchSlots::new();
        for (at, own) in &self.fetch.slots {
            for (slot, types) in own {
                let mut types = types.clone();
                types.retain(|on| self.needs_exactly(TypedField::new(*at, *slot, *on), inputs));
                if !types.is_empty() {
                    slots.entry(*at).or_default().insert(*slot, types);
                    self.add_path(*at, &mut slots);
                }
            }
        }
        slots
    }

    fn needs_exactly(&self, field: TypedField, inputs: &[Input<'_>]) -> bool {
        if let Some(own) = self.inputs_of(field) {
            return own == inputs;
        }
        let Some((at, slot)) = self.selection.position(field.at).parent else {
            return false;
        };
        let slots = self.fetch.slots.get(&at).and_then(|it| it.get(&slot));
        let mut types = slots.into_iter().flatten();
        types.any(|on| self.needs_exactly(TypedField::new(at, slot, *on), inputs))
    }

    /// Adds the slots that lead from the objects of the fetch to a position.
    fn add_path(&self, position: PositionId, slots: &mut FetchSlots) {
        let mut inner = position;
        while inner != self.fetch.at
            && let Some((at, slot)) = self.selection.position(inner).parent
        {
            let known = self.fetch.slots.get(&at).and_then(|it| it.get(&slot));
            if let Some(types) = known {
                let own = slots.entry(at).or_default();
                own.entry(slot).or_insert_with(|| types.clone());
            }
            inner = at;
        }
    }
}
