//! Arguments that are filled from ancestor objects (`@fromContext`), and the slots of their values.
//!
//! The slots are added before planning starts, because ancestors are planned before the fields that
//! use them: the values are then fetched like any other field.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use schema::graph::Graph;
use schema::key::{self, Requirement};
use schema::source::SourceId;
use schema::types::{Name, TypeId};

use super::search::MAX_REQUIREMENT_DEPTH;
use crate::selection::{KeySlot, PositionId, ROOT, Selection};

pub(super) mod hoist;

/// An argument that is filled from an ancestor object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ContextArgument {
    pub(crate) argument: Name,
    /// The argument's type as written in the source's schema.
    pub(crate) ty: Name,
    /// Where the value may come from, the nearest ancestor first.
    pub(crate) sources: Vec<ContextSource>,
}

/// An ancestor position, and the slot of its objects that holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContextSource {
    pub(crate) at: PositionId,
    /// Number of steps from the root to the position.
    pub(crate) depth: usize,
    /// The only object type that the value is read from.
    pub(crate) on: TypeId,
    pub(crate) value: KeySlot,
}

/// A field that a source provides, of objects of one type at a position.
type FieldKey = (SourceId, PositionId, TypeId, Name);

/// The context arguments of each field that has some.
#[derive(Debug, Default)]
pub(super) struct Contexts(HashMap<FieldKey, Arc<[ContextArgument]>>);

impl Contexts {
    /// Resolves the context arguments of all fields that `selection` may need, and adds the slots
    /// of their values.
    pub(super) fn new(graph: &Graph, selection: &mut Selection) -> Self {
        let max_slots = MAX_SLOTS + MAX_SLOTS_PER_SLOT * selection.slot_count();
        let mut builder = ContextsBuilder {
            graph,
            selection,
            arguments: HashMap::new(),
            slots: HashMap::new(),
            nesting_levels: HashMap::new(),
            max_slots,
        };
        if graph.has_contexts() {
            builder.add_all();
        }
        Self(builder.arguments)
    }

    /// The arguments of a field; `None` if some of them cannot be filled.
    pub(super) fn get(&self, field: &FieldKey) -> Option<&Arc<[ContextArgument]>> {
        self.0.get(field)
    }
}

/// Resolves context arguments, and adds the slots of their values.
struct ContextsBuilder<'a> {
    graph: &'a Graph,
    selection: &'a mut Selection,
    arguments: HashMap<FieldKey, Arc<[ContextArgument]>>,
    /// Slots by the value they hold; several arguments may use the same one.
    slots: HashMap<(PositionId, TypeId, Requirement), KeySlot>,
    /// How deeply arguments nest for each position that was added: the value of an argument may
    /// itself need context arguments.
    nesting_levels: HashMap<PositionId, u32>,
    max_slots: usize,
}

/// Maximum slots added for context values, for an operation of any size.
const MAX_SLOTS: usize = 1_000;

/// Additional slots added for context values for each selected slot.
const MAX_SLOTS_PER_SLOT: usize = 4;

impl ContextsBuilder<'_> {
    fn add_all(&mut self) {
        // A slot added for one argument may itself be a field with context arguments.
        let mut known_slots = 0;
        while known_slots < self.selection.slot_count() {
            known_slots = self.selection.slot_count();
            let positions = self.selection.positions().len();
            for index in 0..positions {
                self.add_position(PositionId(index));
            }
        }
    }

    fn add_position(&mut self, at: PositionId) {
        let mut fields: Vec<(TypeId, Name)> = Vec::new();
        for slot in &self.selection.position(at).slots {
            let on = slot.on.iter();
            fields.extend(on.map(|on| (*on, Arc::clone(&slot.field))));
        }
        let mut seen = HashSet::new();
        while let Some((on, name)) = fields.pop() {
            if !seen.insert((on, Arc::clone(&name))) {
                continue;
            }
            for (source, arguments, requirements) in providing_sources(self.graph, on, &name) {
                // The requirements of a field may have context arguments too.
                fields.extend(requirements.iter().map(|it| (on, Arc::clone(&it.field))));
                let field = (source, at, on, Arc::clone(&name));
                if arguments.is_empty() || self.arguments.contains_key(&field) {
                    continue;
                }
                let arguments = arguments.iter();
                let arguments = arguments.map(|argument| self.context_argument(at, argument));
                if let Some(arguments) = arguments.collect::<Option<Vec<_>>>() {
                    self.arguments.insert(field, arguments.into());
                }
            }
        }
    }

    /// Resolves an argument of a field at `at`; `None` if its sources nest too deeply or do not
    /// cover every path.
    fn context_argument(
        &mut self,
        at: PositionId,
        argument: &key::ContextArgument,
    ) -> Option<ContextArgument> {
        let level = self.nesting_levels.get(&at).copied().unwrap_or_default();
        // Arguments that need each other form a cycle, which the limits end.
        if level >= MAX_REQUIREMENT_DEPTH || self.slots.len() >= self.max_slots {
            return None;
        }
        let mut sources = Vec::new();
        let mut at = at;
        // Linking guarantees that each path to the field passes a type that sets the context.
        while let Some((parent, slot)) = self.selection.position(at).parent {
            if self.is_mutation_root(parent) {
                break;
            }
            let on = self.object_types(parent, slot);
            let setters = argument.setters.iter().filter(|(ty, _)| on.contains(ty));
            let setters: Vec<_> = setters.collect();
            for (ty, requirement) in &setters {
                sources.push(ContextSource {
                    at: parent,
                    depth: depth(self.selection, parent),
                    on: *ty,
                    value: self.source_slot(parent, *ty, requirement, level + 1)?,
                });
            }
            if setters.len() == on.len() {
                return Some(ContextArgument {
                    argument: Arc::clone(&argument.argument),
                    ty: Arc::clone(&argument.ty),
                    sources,
                });
            }
            at = parent;
        }
        None
    }

    fn is_mutation_root(&self, at: PositionId) -> bool {
        let mutation = self.graph.types().mutation();
        at == ROOT && mutation == Some(self.selection.position(ROOT).ty)
    }

    /// The slot of a context value, added unless there is one.
    fn source_slot(
        &mut self,
        at: PositionId,
        on: TypeId,
        requirement: &Requirement,
        level: u32,
    ) -> Option<KeySlot> {
        let key = (at, on, requirement.clone());
        if let Some(known) = self.slots.get(&key) {
            return Some(known.clone());
        }
        let first = self.selection.positions().len();
        let slot = self
            .selection
            .add_context_source(at, on, requirement, self.graph)?;
        let new = first..self.selection.positions().len();
        self.nesting_levels
            .extend(new.map(|index| (PositionId(index), level)));
        self.slots.insert(key, slot.clone());
        Some(slot)
    }

    /// The types of the objects that a slot is selected on.
    fn object_types(&self, at: PositionId, slot: usize) -> Vec<TypeId> {
        let position = self.selection.position(at);
        let on = &position.slots[slot].on;
        if on.is_empty() {
            let ty = self.graph.types().get(position.ty);
            return ty.possible_types.clone();
        }
        on.clone()
    }
}

/// The sources that provide a field, with its context arguments and requirements in each.
fn providing_sources<'g>(
    graph: &'g Graph,
    on: TypeId,
    name: &Name,
) -> Vec<(SourceId, &'g [key::ContextArgument], &'g [Requirement])> {
    let mut sources = Vec::new();
    for (source, index) in graph.entry_points(on) {
        let definition = graph.source(*source);
        let node = definition.node_for_type(definition.entry_points[*index].node, on);
        let field = node.and_then(|node| definition.node(node).fields.get(name));
        let Some(field) = field else {
            continue;
        };
        let requirements = field.requires.as_deref().unwrap_or_default();
        sources.push((*source, &*field.context_arguments, requirements));
    }
    sources
}

fn depth(selection: &Selection, at: PositionId) -> usize {
    let mut depth = 0;
    let mut at = at;
    while let Some((parent, _)) = selection.position(at).parent {
        depth += 1;
        at = parent;
    }
    depth
}
