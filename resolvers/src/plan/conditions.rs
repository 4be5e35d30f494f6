//! Conditions of fetches, entry points, keys and requirements, derived from those of the slots.

use schema::graph::Graph;
use schema::source::ObjectTypes;
use schema::types::TypeId;

use super::{ByFetch, Fetch};
use crate::selection::{Condition, PositionId, Selection};

/// Gives each fetch and entry point the condition of its slots, keys the condition of their entry
/// point, and requirements the condition of the fields that have them.
pub(super) fn set_conditions(
    graph: &Graph,
    fetches: &mut ByFetch<Fetch>,
    selection: &mut Selection,
) {
    // In reverse: a fetch comes after those it depends on, so its own condition is final before
    // theirs are computed.
    for fetch in fetches.iter_mut().rev() {
        let mut needs = ConditionSetter {
            graph,
            selection,
            fetch,
        };
        needs.set_entry_conditions();
        needs.set_fetch_condition();
        needs.add_input_conditions();
    }
}

/// Sets the conditions of one fetch and of its inputs.
struct ConditionSetter<'a> {
    graph: &'a Graph,
    selection: &'a mut Selection,
    fetch: &'a mut Fetch,
}

impl ConditionSetter<'_> {
    /// The condition under which the objects themselves are needed from the fetch; without slots it
    /// only returns whether they exist, and their types.
    fn existence_condition(&self) -> Condition {
        match self.selection.position(self.fetch.at).parent {
            Some((parent, slot))
                if self.fetch.slots.is_empty() || provides_typename(self.graph, self.fetch) =>
            {
                self.selection.position(parent).slots[slot]
                    .condition
                    .clone()
            }
            _ => Condition::never(),
        }
    }

    fn set_entry_conditions(&mut self) {
        for index in 0..self.fetch.selected_entries.len() {
            let on = self.object_types(self.fetch.selected_entries[index].on);
            let mut condition = self.existence_condition();
            for (position, slots) in &self.fetch.slots {
                for (slot, types) in slots {
                    let slot = &self.selection.position(*position).slots[*slot];
                    if *position == self.fetch.at {
                        let types = types.iter().filter(|ty| on.contains(ty));
                        let types: Vec<TypeId> = types.copied().collect();
                        condition.or(&slot.condition_on(&types));
                    } else if self.is_inside_types(*position, &on) {
                        condition.or(&slot.condition_on(types));
                    }
                }
            }
            self.fetch.selected_entries[index].condition = condition;
        }
    }

    /// Whether objects at `position` may be nested in objects of the types `on` of the fetch.
    fn is_inside_types(&self, position: PositionId, on: &[TypeId]) -> bool {
        let mut at = position;
        while let Some((parent, slot)) = self.selection.position(at).parent {
            if parent == self.fetch.at {
                let slots = self.fetch.slots.get(&parent);
                let types = slots.and_then(|slots| slots.get(&slot));
                return types.is_none_or(|types| types.iter().any(|ty| on.contains(ty)));
            }
            at = parent;
        }
        true
    }

    fn set_fetch_condition(&mut self) {
        let mut condition = Condition::never();
        for entry_selection in &self.fetch.selected_entries {
            condition.or(&entry_selection.condition);
        }
        self.fetch.condition = condition;
    }

    /// Gives the slots of keys, requirements and context values the conditions under which the
    /// fetch needs them.
    fn add_input_conditions(&mut self) {
        let at = self.fetch.at;
        for entry_selection in &mut self.fetch.selected_entries {
            let types = self.graph.types();
            let on = match types.get(entry_selection.on) {
                ty if ty.is_abstract() => &types.get(self.selection.position(at).ty).possible_types,
                ty => &ty.possible_types,
            };
            let condition = &entry_selection.condition;
            self.selection
                .need_key(&entry_selection.key, at, on, condition);
            for required in &mut entry_selection.requires {
                let mut condition = Condition::never();
                for field in &required.required_by {
                    let slot = &self.selection.position(at).slots[field.slot];
                    condition.or(&slot.condition_on(&[field.on]));
                }
                let value = std::slice::from_ref(&required.value);
                self.selection.need_key(value, at, on, &condition);
                required.condition = condition;
            }
        }
        for argument in self
            .fetch
            .context_fields
            .iter()
            .flat_map(|it| &*it.arguments)
        {
            for source in &argument.sources {
                let value = std::slice::from_ref(&source.value);
                let condition = &self.fetch.condition;
                self.selection
                    .need_key(value, source.at, &[source.on], condition);
            }
        }
    }

    fn object_types(&self, on: TypeId) -> Vec<TypeId> {
        let types = self.graph.types();
        let ty = match types.get(on) {
            ty if ty.is_abstract() => types.get(self.selection.position(self.fetch.at).ty),
            ty => ty,
        };
        ty.possible_types.clone()
    }
}

/// Whether a fetch is the one that returns the types of its objects.
fn provides_typename(graph: &Graph, fetch: &Fetch) -> bool {
    let source = graph.source(fetch.source);
    fetch.selected_entries.iter().any(|entry_selection| {
        let node = source.node(source.entry_points[entry_selection.entry].node);
        let is_abstract = graph.types().get(entry_selection.on).is_abstract();
        is_abstract && matches!(node.object_types, ObjectTypes::ByTypename(_))
    })
}
