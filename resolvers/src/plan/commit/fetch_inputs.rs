//! Inputs of a fetch: keys, required fields and context arguments, and the fetches that provide
//! them.

use std::sync::Arc;

use schema::key::FieldSet;
use schema::source::SourceId;
use schema::types::{Name, TypeId};

use super::super::search::{ChosenFetch, FetchRole, FulfilledRequirement, TYPENAME};
use super::super::{ContextField, EntrySelection, FetchId, RequiredSlot, RequiringField};
use super::{
    Commit, FieldProvider, Location, PlanResult, Provider, ProviderOffer, nested_providers,
};
use crate::leaf::KeyLeaf;
use crate::selection::{Condition, KeySlot, PositionId};

impl Commit<'_> {
    /// The fields of a chosen fetch with arguments that are filled from ancestor objects.
    pub(super) fn context_fields(&self, at: PositionId, chosen: &ChosenFetch) -> Vec<ContextField> {
        let fulfilled = chosen.fulfilled_requirements.iter();
        let fields = fulfilled.filter_map(|it| self.context_field(at, chosen.source, it));
        fields.collect()
    }

    /// The field with a requirement, if it has arguments that are filled from ancestor objects.
    pub(super) fn context_field(
        &self,
        at: PositionId,
        source: SourceId,
        fulfilled: &FulfilledRequirement,
    ) -> Option<ContextField> {
        let slot = &self.selection.position(at).slots[fulfilled.slot];
        let field = (source, at, fulfilled.on, Arc::clone(&slot.field));
        Some(ContextField {
            at,
            on: fulfilled.on,
            slot: fulfilled.slot,
            arguments: Arc::clone(self.search_context.contexts.get(&field)?),
        })
    }

    /// Adds to `depends_on` the fetches that fill a slot, or the slots inside of it.
    pub(super) fn add_value_fetches(
        &self,
        at: PositionId,
        value: &KeySlot,
        depends_on: &mut Vec<FetchId>,
    ) {
        let fetches = self.fetches.pairs();
        let fetches = fetches.filter(|(_, fetch)| fetch.has_slot(at, value.slot));
        depends_on.extend(fetches.map(|(id, _)| id));
        if let Some(child) = self.selection.position(at).slots[value.slot].child {
            for inner in &value.inner {
                self.add_value_fetches(child, inner, depends_on);
            }
        }
    }

    /// Plans the slots of required fields, and adds the fetches that fill them to `depends_on`.
    pub(super) fn plan_requirements(
        &mut self,
        location: Location<'_>,
        required_slots: &[KeySlot],
        on: &[TypeId],
        depends_on: &mut Vec<FetchId>,
    ) -> PlanResult {
        for required in required_slots {
            // Inner slots of a requirement are not part of the client's selection.
            self.plan_slot(location, required.slot, on, Vec::new())?;
            depends_on.extend(self.filling_fetches(location.at, required.slot));
        }
        Ok(())
    }

    /// One of the chosen entry points, with the slots of its key; those of nested key parts are
    /// planned already.
    pub(super) fn entry_selection(
        &mut self,
        location: Location<'_>,
        chosen: &ChosenFetch,
        index: usize,
        depends_on: &mut Vec<FetchId>,
    ) -> PlanResult<EntrySelection> {
        let (on, entry) = chosen.entries[index];
        let FieldSet(key) = &self.graph.source(chosen.source).entry_points[entry].key;
        let mut slots = Vec::with_capacity(key.len());
        for part in key {
            let nested_keys = chosen.nested_keys.iter().filter(|it| it.on == on);
            let mut nested_parts = nested_keys.flat_map(|it| &*it.parts);
            if let Some(slot) = nested_parts.find(|slot| slot.name == part.0) {
                slots.push(slot.clone());
            } else {
                let field = FieldSet(vec![part.clone()]);
                slots.extend(self.plan_key_fields(location, &field, on, depends_on)?);
            }
        }
        Ok(EntrySelection {
            on,
            entry,
            key: slots,
            requires: Vec::new(),
            condition: Condition::never(),
        })
    }

    /// The slots of all required fields of objects that are fetched as `on`, each once.
    pub(super) fn required_slots(&self, chosen: &ChosenFetch, on: TypeId) -> Vec<RequiredSlot> {
        let mut slots: Vec<RequiredSlot> = Vec::new();
        for fulfilled in &chosen.fulfilled_requirements {
            if fulfilled.on != on && !self.graph.types().is_a(fulfilled.on, on) {
                continue;
            }
            let field = RequiringField {
                on: fulfilled.on,
                slot: fulfilled.slot,
            };
            for value in fulfilled.required_slots.iter() {
                match slots.iter_mut().find(|known| known.value == *value) {
                    Some(known) => known.required_by.push(field),
                    None => slots.push(RequiredSlot {
                        value: value.clone(),
                        required_by: vec![field],
                        condition: Condition::never(),
                    }),
                }
            }
        }
        slots
    }

    /// Plans the slots of a key, each filled by the first fetch that provides it.
    fn plan_key_fields(
        &mut self,
        location: Location<'_>,
        key: &FieldSet,
        on: TypeId,
        depends_on: &mut Vec<FetchId>,
    ) -> PlanResult<Vec<KeySlot>> {
        let at = location.at;
        let mut slots = Vec::with_capacity(key.0.len());
        for (name, inner) in key.0.iter().filter(|(name, _)| name.as_ref() != TYPENAME) {
            let types = self.graph.types();
            let Some(field) = types.get(on).field(name) else {
                return Err(self.unplannable_field(on, name));
            };
            let leaf = KeyLeaf::from_type(field.ty.named_type(), types);
            let slot = self.selection.add_key_slot(at, field, inner, self.graph);
            let child = self.selection.position(at).slots[slot].child;
            let key_providers = self.key_providers(on, name, location.providers);
            let Some((first, _)) = key_providers.first() else {
                return Err(self.unplannable_field(on, name));
            };
            let inner = match child {
                Some(child) if has_fields(inner) => {
                    let providers = nested_providers(&key_providers);
                    let mut slot_path = location.slot_path.clone();
                    slot_path.push((slot, self.object_types(at, on)));
                    let inner_location = Location {
                        at: child,
                        slot_path: &slot_path,
                        providers: &providers,
                    };
                    let on = types.get(self.selection.position(child).ty).possible_types[0];
                    self.plan_key_fields(inner_location, inner, on, depends_on)?
                }
                _ => {
                    self.fill_slot(*first, location, slot, &self.object_types(at, on));
                    depends_on.push(*first);
                    Vec::new()
                }
            };
            slots.push(KeySlot {
                name: Arc::clone(name),
                slot,
                on: None,
                leaf,
                inner,
            });
        }
        Ok(slots)
    }

    /// The fetches that provide a key field of objects of type `on`.
    fn key_providers(&self, on: TypeId, name: &Name, providers: &[Provider]) -> Vec<FieldProvider> {
        let field = |provider: &Provider| {
            let offer = match &provider.offer {
                ProviderOffer::Inherited(offer) => Some(*offer),
                ProviderOffer::Chosen(chosen) if chosen.role == FetchRole::Late => None,
                ProviderOffer::Chosen(chosen) => chosen.offer(self.graph, on),
            };
            let offer = offer.filter(|offer| offer.only_slot.is_none())?;
            let field = offer.node(self.graph, on)?.fields.get(name)?;
            let child_offer = provider.child_offer(field);
            let is_provided = field.requires.is_none();
            is_provided.then_some((provider.fetch, child_offer))
        };
        providers.iter().filter_map(field).collect()
    }

    /// The fetches that fill a slot or any slot inside of it.
    fn filling_fetches(&self, at: PositionId, slot: usize) -> Vec<FetchId> {
        let child = self.selection.position(at).slots[slot].child;
        self.fetches
            .pairs()
            .filter(|(_, fetch)| {
                fetch.has_slot(at, slot)
                    || child.is_some_and(|child| {
                        let mut positions = fetch.slots.keys();
                        positions.any(|position| self.selection.is_inside(*position, child))
                    })
            })
            .map(|(id, _)| id)
            .collect()
    }

    /// The object types of `on`; of an abstract `on`, all possible types at the position.
    pub(super) fn object_types(&self, at: PositionId, on: TypeId) -> Vec<TypeId> {
        let types = self.graph.types();
        if !types.get(on).is_abstract() {
            return vec![on];
        }
        types
            .get(self.selection.position(at).ty)
            .possible_types
            .clone()
    }
}

/// Whether a field set has fields other than `__typename`, which needs no slot.
fn has_fields(set: &FieldSet) -> bool {
    set.0.iter().any(|(name, _)| name.as_ref() != TYPENAME)
}
