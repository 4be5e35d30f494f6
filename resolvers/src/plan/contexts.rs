//! What fields take of objects further up (`@fromContext`): where it stands, and slots for it.
//!
//! It is looked for before anything is planned, because the places further up are planned first:
//! what is taken there is asked for there like anything else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use schema::graph::Graph;
use schema::key::{self, Requirement};
use schema::source::SourceId;
use schema::types::{Name, TypeId, Types};

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
pub(super) struct Contexts {
    arguments: HashMap<FieldKey, Arc<[ContextArgument]>>,
    /// The slots that were made; several fields may take the same.
    slots: HashMap<(PositionId, TypeId, Requirement), KeySlot>,
    /// Of places that were made for these: for what is taken for what is taken for ….
    nesting_levels: HashMap<PositionId, u32>,
}

/// More than any sound operation takes.
const MAX_SLOTS: usize = 1_000;

impl Contexts {
    /// Finds everything that may be taken for the fields of `selection`, and has it asked for.
    pub(super) fn new(graph: &Graph, selection: &mut Selection) -> Self {
        let mut contexts = Self::default();
        if !graph.has_contexts() {
            return contexts;
        }
        // What is asked for because of one field may itself take something from further up.
        let mut before = 0;
        while before < slot_count(selection) {
            before = slot_count(selection);
            let places = selection.positions().len();
            for index in 0..places {
                contexts.add_position(graph, selection, PositionId(index));
            }
        }
        contexts
    }

    /// What a source is given for a field; `None` where it is not all there.
    pub(super) fn get(&self, field: &FieldKey) -> Option<&Arc<[ContextArgument]>> {
        self.arguments.get(field)
    }

    fn add_position(&mut self, graph: &Graph, selection: &mut Selection, at: PositionId) {
        let mut fields: Vec<(TypeId, Name)> = Vec::new();
        for slot in &selection.position(at).slots {
            let on = slot.on.iter();
            fields.extend(on.map(|on| (*on, Arc::clone(&slot.field))));
        }
        let mut seen = HashSet::new();
        while let Some((on, name)) = fields.pop() {
            if !seen.insert((on, Arc::clone(&name))) {
                continue;
            }
            for (source, arguments, needs) in providing_sources(graph, (on, &name)) {
                // Others may be told of the object first, and that may take something too.
                fields.extend(needs.iter().map(|need| (on, Arc::clone(&need.field))));
                let field = (source, at, on, Arc::clone(&name));
                if arguments.is_empty() || self.arguments.contains_key(&field) {
                    continue;
                }
                let found = arguments.iter();
                let found =
                    found.map(|it| self.context_argument(graph.types(), selection, (at, it)));
                if let Some(found) = found.collect::<Option<Vec<_>>>() {
                    self.arguments.insert(field, found.into());
                }
            }
        }
    }

    fn context_argument(
        &mut self,
        types: &Types,
        selection: &mut Selection,
        (at, argument): (PositionId, &key::ContextArgument),
    ) -> Option<ContextArgument> {
        let level = self.nesting_levels.get(&at).copied().unwrap_or_default();
        // What is taken may itself take something, and so on; a circle of this has no end either.
        if level >= MAX_REQUIREMENT_DEPTH || self.slots.len() >= MAX_SLOTS {
            return None;
        }
        let mut sources = Vec::new();
        let mut at = at;
        // The graph makes sure that one stands further up: a way there without is no way there.
        while let Some((parent, slot)) = selection.position(at).parent {
            let acts = parent == ROOT && types.mutation() == Some(selection.position(ROOT).ty);
            if acts {
                break;
            }
            let on = object_types(selection, types, (parent, slot));
            let setters = argument.setters.iter().filter(|(ty, _)| on.contains(ty));
            let setters: Vec<_> = setters.collect();
            for (ty, need) in &setters {
                sources.push(ContextSource {
                    at: parent,
                    depth: depth(selection, parent),
                    on: *ty,
                    value: self.source_slot(types, selection, ((parent, *ty), need), level + 1)?,
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

    fn source_slot(
        &mut self,
        types: &Types,
        selection: &mut Selection,
        ((at, on), need): ((PositionId, TypeId), &Requirement),
        level: u32,
    ) -> Option<KeySlot> {
        let key = (at, on, need.clone());
        if let Some(known) = self.slots.get(&key) {
            return Some(known.clone());
        }
        let first = selection.positions().len();
        let slot = selection.add_context_source((at, on), need, types)?;
        let new = first..selection.positions().len();
        self.nesting_levels
            .extend(new.map(|place| (PositionId(place), level)));
        self.slots.insert(key, slot.clone());
        Some(slot)
    }
}

/// The sources that give a field, with what each is given and told for it.
fn providing_sources<'g>(
    graph: &'g Graph,
    (on, name): (TypeId, &Name),
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

/// The types of the objects from which a slot leads on.
fn object_types(
    selection: &Selection,
    types: &Types,
    (at, slot): (PositionId, usize),
) -> Vec<TypeId> {
    let position = selection.position(at);
    let on = &position.slots[slot].on;
    if on.is_empty() {
        return types.get(position.ty).possible_types.clone();
    }
    on.clone()
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
