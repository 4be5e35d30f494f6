//! What fields take of objects further up (`@fromContext`): where it stands, and slots for it.
//!
//! It is looked for before anything is planned, because the places further up are planned first:
//! what is taken there is asked for there like anything else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use schema::graph::Graph;
use schema::key::{self, Requirement};
use schema::source::SourceId;
use schema::types::{Name, TypeId};

use super::search::MAX_REQUIREMENT_DEPTH;
use crate::selection::{KeySlot, PositionId, ROOT, Selection};

pub(super) mod hoist;

/// An argument that is filled from an object further up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ContextArgument {
    pub(crate) argument: Name,
    /// Its type as the source writes it.
    pub(crate) ty: Name,
    /// Where the value may be, the nearest place first.
    pub(crate) sources: Vec<ContextSource>,
}

/// A place further up, and what is taken of an object there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContextSource {
    pub(crate) at: PositionId,
    /// How many steps from the root lead there.
    pub(crate) depth: usize,
    /// Of objects of this type only.
    pub(crate) on: TypeId,
    pub(crate) value: KeySlot,
}

/// A field that a source gives, of objects of a type at a place.
type FieldKey = (SourceId, PositionId, TypeId, Name);

/// What sources are given from further up, by field.
#[derive(Debug, Default)]
pub(super) struct Contexts(HashMap<FieldKey, Arc<[ContextArgument]>>);

impl Contexts {
    /// Finds everything that may be taken for the fields of `selection`, and has it asked for.
    pub(super) fn new(graph: &Graph, selection: &mut Selection) -> Self {
        let mut builder = ContextsBuilder {
            graph,
            selection,
            arguments: HashMap::new(),
            slots: HashMap::new(),
            nesting_levels: HashMap::new(),
        };
        if graph.has_contexts() {
            builder.add_all();
        }
        Self(builder.arguments)
    }

    /// What a source is given for a field; `None` where it is not all there.
    pub(super) fn get(&self, field: &FieldKey) -> Option<&Arc<[ContextArgument]>> {
        self.0.get(field)
    }
}

/// Contexts while they are found, with the slots that are added for them.
struct ContextsBuilder<'a> {
    graph: &'a Graph,
    selection: &'a mut Selection,
    arguments: HashMap<FieldKey, Arc<[ContextArgument]>>,
    /// The slots that were made; several fields may take the same.
    slots: HashMap<(PositionId, TypeId, Requirement), KeySlot>,
    /// Of places that were made for these: for what is taken for what is taken for ….
    nesting_levels: HashMap<PositionId, u32>,
}

/// More than any sound operation takes.
const MAX_SLOTS: usize = 1_000;

impl ContextsBuilder<'_> {
    fn add_all(&mut self) {
        // What is asked for because of one field may itself take something from further up.
        let mut before = 0;
        while before < slot_count(self.selection) {
            before = slot_count(self.selection);
            let places = self.selection.positions().len();
            for index in 0..places {
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
            for (source, arguments, needs) in providing_sources(self.graph, on, &name) {
                // Others may be told of the object first, and that may take something too.
                fields.extend(needs.iter().map(|need| (on, Arc::clone(&need.field))));
                let field = (source, at, on, Arc::clone(&name));
                if arguments.is_empty() || self.arguments.contains_key(&field) {
                    continue;
                }
                let found = arguments.iter();
                let found = found.map(|argument| self.context_argument(at, argument));
                if let Some(found) = found.collect::<Option<Vec<_>>>() {
                    self.arguments.insert(field, found.into());
                }
            }
        }
    }

    fn context_argument(
        &mut self,
        at: PositionId,
        argument: &key::ContextArgument,
    ) -> Option<ContextArgument> {
        let level = self.nesting_levels.get(&at).copied().unwrap_or_default();
        // What is taken may itself take something, and so on; a circle of this has no end either.
        if level >= MAX_REQUIREMENT_DEPTH || self.slots.len() >= MAX_SLOTS {
            return None;
        }
        let mut sources = Vec::new();
        let mut at = at;
        // The graph makes sure that one stands further up: a way there without is no way there.
        while let Some((parent, slot)) = self.selection.position(at).parent {
            if self.is_mutation_root(parent) {
                break;
            }
            let on = self.object_types(parent, slot);
            let setters = argument.setters.iter().filter(|(ty, _)| on.contains(ty));
            let setters: Vec<_> = setters.collect();
            for (ty, need) in &setters {
                sources.push(ContextSource {
                    at: parent,
                    depth: depth(self.selection, parent),
                    on: *ty,
                    value: self.source_slot(parent, *ty, need, level + 1)?,
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

    fn source_slot(
        &mut self,
        at: PositionId,
        on: TypeId,
        need: &Requirement,
        level: u32,
    ) -> Option<KeySlot> {
        let key = (at, on, need.clone());
        if let Some(known) = self.slots.get(&key) {
            return Some(known.clone());
        }
        let first = self.selection.positions().len();
        let types = self.graph.types();
        let slot = self.selection.add_context_source(at, on, need, types)?;
        let new = first..self.selection.positions().len();
        self.nesting_levels
            .extend(new.map(|index| (PositionId(index), level)));
        self.slots.insert(key, slot.clone());
        Some(slot)
    }

    /// The types of the objects from which a slot leads on.
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

/// The sources that give a field, with what each is given and told for it.
fn providing_sources<'g>(
    graph: &'g Graph,
    on: TypeId,
    name: &Name,
) -> Vec<(SourceId, &'g [key::ContextArgument], &'g [Requirement])> {
    let mut found = Vec::new();
    for (source, index) in graph.entry_points(on) {
        let definition = graph.source(*source);
        let node = definition.node_for_type(definition.entry_points[*index].node, on);
        let field = node.and_then(|node| definition.node(node).fields.get(name));
        let Some(field) = field else {
            continue;
        };
        let needs = field.requires.as_deref().unwrap_or_default();
        found.push((*source, &*field.context_arguments, needs));
    }
    found
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

fn slot_count(selection: &Selection) -> usize {
    let positions = selection.positions();
    positions.map(|(_, position)| position.slots.len()).sum()
}
