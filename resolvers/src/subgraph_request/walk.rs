//! Through the slots that a request takes and the service's nodes, side by side: what is written
//! at each place, and what is read of it.
//!
//! Several places of the result can be one place of the request: a client and a requirement may
//! ask for the same field, each with slots of its own. They are walked together.

use std::collections::HashMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::input::Input;
use schema::source::{EntryPoint, NodeId, ObjectTypes as Given, Source, SourceNode};
use schema::types::{Name, TypeId, Types};

use super::representation::{self, Representation};
use super::selection_set::{Field, Fragment, MergeResults, SelectionSet, TypeOverlap};
use super::slot_fields::{SlotField, SlotReader};
use super::{RepresentationSpec, TooLarge};
use crate::plan::{EntrySelection, FetchSlots};
use crate::response::shape::{ObjectShape, ValueShape};
use crate::selection::{Condition, PositionId, Selection, Slot};

pub(super) struct Walk<'a> {
    pub(super) types: &'a Types,
    pub(super) selection: &'a Selection,
    pub(super) source: &'a Source,
    /// Arguments that are filled from objects further up.
    pub(super) context_arguments: Vec<ContextArgumentText>,
    /// Of the client, those that are used, in the order first met.
    pub(super) variables: Vec<Name>,
    /// Conditions that fields refer to by number.
    pub(super) conditions: Vec<Condition>,
    /// How many fields may be written.
    max_fields: usize,
    /// Sets that were made for places inside of others. The same places may be met many times,
    /// once for each type around them.
    nested_sets: HashMap<NestedSetKey, NestedSet>,
    merge_results: MergeResults,
}

/// A set, and what is read of it for each of its places.
type NestedSet = (Arc<SelectionSet>, Vec<Arc<ObjectShape>>);

/// Places walked together, and the condition that is known there.
type NestedSetKey = (Vec<(*const FetchSlots, PositionId, NodeId)>, Condition);

/// A place of the result, and what the service gives there.
#[derive(Clone)]
pub(super) struct SubgraphScope<'a> {
    pub(super) fetch_slots: &'a FetchSlots,
    pub(super) at: PositionId,
    pub(super) node: NodeId,
    /// Objects of these types only; `None`: all. It matters where the service names no types.
    pub(super) only_types: Option<Vec<TypeId>>,
}

/// An argument that is filled from objects further up.
pub(super) struct ContextArgumentText {
    pub(super) at: PositionId,
    pub(super) slot: usize,
    pub(super) on: TypeId,
    /// `currency: $c0`.
    pub(super) text: String,
}

/// Where a selection set is written.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'s> {
    /// What holds whenever it matters.
    pub(super) known_condition: &'s Condition,
    /// Fragments beside it, whose response keys it shares.
    pub(super) sibling_fragments: &'s [Fragment],
    /// Whether it may be of objects that those are of, too.
    pub(super) overlaps: bool,
}

/// A field and how its slots read it.
pub(super) struct DocumentField {
    pub(super) on: Option<TypeId>,
    pub(super) is_mutation: bool,
    pub(super) field: Field,
    pub(super) readers: Vec<(SlotReader, ValueShape)>,
}

type Result<T> = std::result::Result<T, TooLarge>;

impl<'a> Walk<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        selection: &'a Selection,
        source: &'a Source,
        max_fields: usize,
    ) -> Self {
        Self {
            types: graph.types(),
            selection,
            source,
            context_arguments: Vec::new(),
            variables: Vec::new(),
            conditions: Vec::new(),
            max_fields,
            nested_sets: HashMap::new(),
            merge_results: MergeResults::new(),
        }
    }

    /// Begins another part, with contexts of its own: what was written may have those of the last.
    pub(super) fn clear_contexts(&mut self) {
        if !self.context_arguments.is_empty() {
            self.context_arguments.clear();
            self.nested_sets.clear();
        }
    }

    pub(super) fn mutation(&self) -> Option<TypeId> {
        self.types.mutation()
    }

    /// How objects of one type are told to the service.
    pub(super) fn representation_spec(
        &self,
        entry_selection: &EntrySelection,
        entry: &EntryPoint,
        (at, kind): (PositionId, usize),
    ) -> RepresentationSpec {
        let ty = self.types.get(entry_selection.on);
        let compiler = representation::RepresentationCompiler {
            types: self.types,
            selection: self.selection,
        };
        RepresentationSpec {
            on: entry_selection.on,
            possible: ty.is_abstract().then(|| ty.possible_types.clone().into()),
            representation: Representation::new(&compiler, &entry.type_name, (at, entry_selection)),
            kind,
        }
    }

    /// Whether an entry is of one object type.
    pub(super) fn is_object(&self, entry: &EntryPoint) -> bool {
        matches!(self.source.node(entry.node).object_types, Given::OwnType)
    }

    /// The selection set for `places`, and what is read of it for each of them.
    pub(super) fn selection_set(
        &mut self,
        scopes: &[SubgraphScope<'a>],
        surroundings: Surroundings<'_>,
    ) -> Result<(SelectionSet, Vec<ObjectShape>)> {
        let slot_fields = self.merge_common_fields(scopes, self.slot_fields(scopes));
        let mut document_fields: Vec<DocumentField> = Vec::with_capacity(slot_fields.len());
        let mut weight: usize = 0;
        for slot_field in slot_fields {
            let mut document_field =
                self.document_field(slot_field, scopes, surroundings.known_condition)?;
            weight = weight.saturating_add(document_field.field.weight);
            if weight > self.max_fields {
                return Err(TooLarge);
            }
            self.choose_key(
                &mut document_field,
                scopes,
                (&document_fields, surroundings),
            );
            document_fields.push(document_field);
        }
        Ok(self.assemble(scopes, document_fields))
    }

    /// The field itself, under its own name, and what is inside.
    fn document_field(
        &mut self,
        slot_field: SlotField<'a>,
        scopes: &[SubgraphScope<'a>],
        known_condition: &Condition,
    ) -> Result<DocumentField> {
        self.add_slot_variables(slot_field.slot);
        let is_new = !slot_field.condition.is_always() && slot_field.condition != *known_condition;
        let known_condition = if is_new {
            &slot_field.condition
        } else {
            known_condition
        };
        let (nested_scopes, at) = self.nested_scopes(&slot_field.readers, scopes);
        let nested_set = self.nested_set(&nested_scopes, known_condition)?;
        let (set, objects) = nested_set.map_or((None, Vec::new()), |(set, it)| (Some(set), it));
        let field = Field {
            key: Arc::clone(&slot_field.slot.field),
            name: Arc::clone(&slot_field.slot.field),
            arguments: slot_field.arguments,
            ty: Arc::clone(&slot_field.node_field.ty),
            condition: is_new.then(|| self.condition_index(&slot_field.condition)),
            weight: set.as_ref().map_or(0, |set| set.weight()).saturating_add(1),
            selection_set: set,
        };
        let readers = slot_field.readers.into_iter().zip(at);
        let readers = readers.map(|(reader, inside)| {
            let objects = inside.and_then(|index| objects.get(index));
            let shape = objects.map_or_else(
                || ValueShape::Leaf(self.slot(&reader, scopes).ty.list_depth()),
                |objects| ValueShape::Objects(Arc::clone(objects)),
            );
            (reader, shape)
        });
        Ok(DocumentField {
            on: slot_field.on,
            is_mutation: slot_field.is_mutation,
            readers: readers.collect(),
            field,
        })
    }

    fn slot(&self, reader: &SlotReader, scopes: &[SubgraphScope<'a>]) -> &'a Slot {
        &self.selection.position(scopes[reader.scope].at).slots[reader.slot]
    }

    /// The places behind a field, each once, and which of them each reader reads.
    fn nested_scopes(
        &self,
        readers: &[SlotReader],
        scopes: &[SubgraphScope<'a>],
    ) -> (Vec<SubgraphScope<'a>>, Vec<Option<usize>>) {
        let mut nested_scopes: Vec<SubgraphScope<'a>> = Vec::new();
        let mut at = Vec::with_capacity(readers.len());
        for reader in readers {
            let fetch_slots = scopes[reader.scope].fetch_slots;
            let child = self.slot(reader, scopes).child.zip(reader.child);
            at.push(child.map(|(child, node)| {
                let same = |it: &SubgraphScope<'_>| {
                    it.at == child && it.node == node && std::ptr::eq(it.fetch_slots, fetch_slots)
                };
                nested_scopes.iter().position(same).unwrap_or_else(|| {
                    nested_scopes.push(SubgraphScope {
                        fetch_slots,
                        at: child,
                        node,
                        only_types: None,
                    });
                    nested_scopes.len() - 1
                })
            }));
        }
        (nested_scopes, at)
    }

    fn nested_set(
        &mut self,
        scopes: &[SubgraphScope<'a>],
        known_condition: &Condition,
    ) -> Result<Option<NestedSet>> {
        if scopes.is_empty() {
            return Ok(None);
        }
        let each = scopes.iter();
        let each = each.map(|place| (std::ptr::from_ref(place.fetch_slots), place.at, place.node));
        let key: NestedSetKey = (each.collect(), known_condition.clone());
        if let Some(nested_set) = self.nested_sets.get(&key) {
            return Ok(Some(nested_set.clone()));
        }
        let surroundings = Surroundings {
            known_condition,
            sibling_fragments: &[],
            overlaps: false,
        };
        let (set, objects) = self.selection_set(scopes, surroundings)?;
        let nested_set = (Arc::new(set), objects.into_iter().map(Arc::new).collect());
        self.nested_sets.insert(key, nested_set.clone());
        Ok(Some(nested_set))
    }

    fn add_slot_variables(&mut self, slot: &Slot) {
        for (_, argument) in &slot.arguments {
            if argument.text.is_some() {
                add_variables(&argument.value, &mut self.variables);
            }
        }
    }

    fn condition_index(&mut self, condition: &Condition) -> usize {
        let known = self.conditions.iter().position(|known| known == condition);
        known.unwrap_or_else(|| {
            self.conditions.push(condition.clone());
            self.conditions.len() - 1
        })
    }

    /// Gives a field an alias where its own name is taken by another.
    fn choose_key(
        &mut self,
        document_field: &mut DocumentField,
        scopes: &[SubgraphScope<'a>],
        (document_fields, surroundings): (&[DocumentField], Surroundings<'_>),
    ) {
        let mut number = 0;
        while !is_key_free(
            document_field,
            (document_fields, surroundings),
            &mut self.merge_results,
        ) || self.is_other_field(&document_field.field, scopes)
        {
            document_field.field.key = format!("_a{number}_{}", document_field.field.name).into();
            number += 1;
        }
    }

    /// Whether an alias is the name of a field.
    fn is_other_field(&self, field: &Field, scopes: &[SubgraphScope<'a>]) -> bool {
        let has = |node: &SourceNode| node.fields.contains_key(&field.key);
        *field.key != *field.name
            && scopes.iter().any(|place| {
                let node = self.source.node(place.node);
                has(node)
                    || matches!(&node.object_types, Given::ByTypename(members)
                        if members.values().any(|member| has(self.source.node(*member))))
            })
    }
}

/// Whether no other field stands in the way of a field's key.
fn is_key_free(
    document_field: &DocumentField,
    (document_fields, surroundings): (&[DocumentField], Surroundings<'_>),
    merge_results: &mut MergeResults,
) -> bool {
    let is_free_in_set = document_fields.iter().all(|other| {
        let type_overlap = match (document_field.on, other.on) {
            (Some(on), Some(other)) if on != other => TypeOverlap::Never,
            _ => TypeOverlap::Possible,
        };
        let differs = other.field.key != document_field.field.key;
        differs
            || (!document_field.is_mutation
                && other
                    .field
                    .may_share_key(&document_field.field, type_overlap, merge_results))
    });
    is_free_in_set
        && surroundings.sibling_fragments.iter().all(|fragment| {
            let type_overlap = if surroundings.overlaps || !fragment.is_object {
                TypeOverlap::Possible
            } else {
                TypeOverlap::Never
            };
            let mut others = fragment.selection_set.all_fields();
            others.all(|other| {
                other.key != document_field.field.key
                    || other.may_share_key(&document_field.field, type_overlap, merge_results)
            })
        })
}

fn add_variables(input: &Input, variables: &mut Vec<Name>) {
    match input {
        Input::Constant(_) => {}
        Input::Variable(name) => {
            if !variables.contains(name) {
                variables.push(Arc::clone(name));
            }
        }
        Input::List(items) => items.iter().for_each(|it| add_variables(it, variables)),
        Input::Object(members) => {
            let mut values = members.iter().map(|(_, value)| value);
            values.by_ref().for_each(|it| add_variables(it, variables));
        }
    }
}
