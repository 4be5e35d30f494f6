//! Walks the slots of a request and the nodes of the subgraph side by side, and decides for each
//! position which fields are written and how they are read.
//!
//! Several positions of the result can be one selection set of the request: the client and a
//! requirement may select the same field, each with its own slots. They are walked together, unless
//! an error would then make more values null (`non_null`): such fields are written with aliases.

use std::collections::HashMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::input::Input;
use schema::source::{EntryPoint, NodeId, ObjectTypes, Source, SourceNode};
use schema::types::{Name, TypeId, Types};

use super::non_null::ValueSets;
use super::representation::{self, Representation};
use super::selection_set::{Field, Fragment, MergeResults, SelectionSet, TypeOverlap};
use super::slot_fields::{SlotField, SlotReader};
use super::{RepresentationSpec, TooLarge};
use crate::plan::{EntrySelection, FetchSlots};
use crate::response::shape::{ObjectShape, ValueShape};
use crate::selection::{Condition, PositionId, Selection, Slot};

/// State of the walk over one request.
pub(super) struct Walk<'a> {
    pub(super) types: &'a Types,
    pub(super) selection: &'a Selection,
    pub(super) source: &'a Source,
    /// Arguments that take values of ancestors.
    pub(super) context_arguments: Vec<ContextArgumentText>,
    /// Variables of the client that are used, in the order of first use.
    pub(super) variables: Vec<Name>,
    /// Conditions, by the index in `Field::condition`.
    pub(super) conditions: Vec<Condition>,
    /// Maximum number of fields of the document.
    max_fields: usize,
    /// Nested selection sets. The walk may reach the same positions many times, once for each
    /// enclosing type.
    nested_sets: HashMap<NestedSetKey, NestedSet>,
    merge_results: MergeResults,
    pub(super) value_sets: ValueSets<'a>,
}

/// A selection set, and the shape of each of its positions.
type NestedSet = (Arc<SelectionSet>, Vec<Arc<ObjectShape>>);

/// Positions that are walked together, and the condition that is known to hold.
type NestedSetKey = (Vec<(*const FetchSlots, PositionId, NodeId)>, Condition);

/// A position of the result, and the node of the subgraph that provides it.
#[derive(Clone)]
pub(super) struct SubgraphScope<'a> {
    pub(super) fetch_slots: &'a FetchSlots,
    pub(super) at: PositionId,
    pub(super) node: NodeId,
    /// Types of the objects; `None`: all. Needed for nodes without `__typename`.
    pub(super) only_types: Option<Vec<TypeId>>,
}

/// An argument that takes a value of an ancestor.
pub(super) struct ContextArgumentText {
    pub(super) at: PositionId,
    pub(super) slot: usize,
    pub(super) on: TypeId,
    /// `currency: $c0`.
    pub(super) text: String,
}

/// The surroundings of a selection set.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'s> {
    /// A condition that holds whenever the set is used.
    pub(super) known_condition: &'s Condition,
    /// Fragments next to it, which share its response keys.
    pub(super) sibling_fragments: &'s [Fragment],
    /// Whether an object may match both the set and a sibling fragment.
    pub(super) overlaps: bool,
}

/// A field of the document, and how its value fills slots.
pub(super) struct DocumentField {
    pub(super) on: Option<TypeId>,
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
            value_sets: ValueSets::default(),
        }
    }

    /// Starts a part with its own contexts; cached sets may have arguments of the previous part.
    pub(super) fn clear_contexts(&mut self) {
        if !self.context_arguments.is_empty() {
            self.context_arguments.clear();
            self.nested_sets.clear();
            self.value_sets.clear();
        }
    }

    /// The subgraph's own name of a type.
    pub(super) fn type_name(&self, ty: TypeId) -> &Name {
        self.source.own_type_name(&self.types.get(ty).name)
    }

    pub(super) fn mutation(&self) -> Option<TypeId> {
        self.types.mutation()
    }

    /// How entities of one type are represented.
    pub(super) fn representation_spec(
        &self,
        entry_selection: &EntrySelection,
        entry: &EntryPoint,
        at: PositionId,
        kind: usize,
    ) -> RepresentationSpec {
        let ty = self.types.get(entry_selection.on);
        let compiler = representation::RepresentationCompiler {
            types: self.types,
            selection: self.selection,
            source: self.source,
        };
        RepresentationSpec {
            on: entry_selection.on,
            possible: ty.is_abstract().then(|| ty.possible_types.clone().into()),
            representation: Representation::new(&compiler, &entry.type_name, at, entry_selection),
            condition: entry_selection.condition.clone(),
            kind,
        }
    }

    /// Whether an entry point provides objects of one object type.
    pub(super) fn is_object(&self, entry: &EntryPoint) -> bool {
        matches!(
            self.source.node(entry.node).object_types,
            ObjectTypes::OwnType
        )
    }

    /// The selection set for `scopes`, and the shape of each of them.
    pub(super) fn selection_set(
        &mut self,
        scopes: &[SubgraphScope<'a>],
        surroundings: Surroundings<'_>,
    ) -> Result<(SelectionSet, Vec<ObjectShape>)> {
        let slot_fields = self.slot_fields(scopes);
        let slot_fields = self.merge_common_fields(scopes, slot_fields);
        let mut document_fields: Vec<DocumentField> = Vec::with_capacity(slot_fields.len());
        let mut weight: usize = 0;
        for slot_field in slot_fields {
            let mut document_field =
                self.document_field(slot_field, scopes, surroundings.known_condition)?;
            weight = weight.saturating_add(document_field.field.weight);
            if weight > self.max_fields {
                return Err(TooLarge);
            }
            self.choose_key(&mut document_field, scopes, &document_fields, surroundings);
            document_fields.push(document_field);
        }
        Ok(self.assemble(scopes, document_fields))
    }

    /// The field under its own name, with its nested selection set.
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
        let (nested_scopes, nested_indexes) = self.nested_scopes(&slot_field.readers, scopes);
        let nested_set = self.nested_set(&nested_scopes, known_condition)?;
        let (set, shapes) = nested_set.map_or((None, Vec::new()), |(set, it)| (Some(set), it));
        let field = Field {
            key: Arc::clone(&slot_field.slot.field),
            name: Arc::clone(&slot_field.slot.field),
            arguments: slot_field.arguments,
            ty: Arc::clone(&slot_field.node_field.ty),
            condition: is_new.then(|| self.condition_index(&slot_field.condition)),
            weight: set.as_ref().map_or(0, |set| set.weight()).saturating_add(1),
            selection_set: set,
        };
        let readers = slot_field.readers.into_iter().zip(nested_indexes);
        let readers = readers.map(|(reader, nested_index)| {
            let nested_shape = nested_index.and_then(|index| shapes.get(index));
            let shape = nested_shape.map_or_else(
                || ValueShape::Leaf(self.slot(&reader, scopes).ty.list_depth()),
                |shape| ValueShape::Objects(Arc::clone(shape)),
            );
            (reader, shape)
        });
        Ok(DocumentField {
            on: slot_field.on,
            readers: readers.collect(),
            field,
        })
    }

    fn slot(&self, reader: &SlotReader, scopes: &[SubgraphScope<'a>]) -> &'a Slot {
        &self.selection.position(scopes[reader.scope].at).slots[reader.slot]
    }

    /// The distinct positions inside a field, and for each reader the index of its position.
    fn nested_scopes(
        &self,
        readers: &[SlotReader],
        scopes: &[SubgraphScope<'a>],
    ) -> (Vec<SubgraphScope<'a>>, Vec<Option<usize>>) {
        let mut nested_scopes: Vec<SubgraphScope<'a>> = Vec::new();
        let mut indexes = Vec::with_capacity(readers.len());
        for reader in readers {
            let fetch_slots = scopes[reader.scope].fetch_slots;
            let child = self.slot(reader, scopes).child.zip(reader.child);
            indexes.push(child.map(|(child, node)| {
                let is_same = |it: &SubgraphScope<'_>| {
                    it.at == child && it.node == node && std::ptr::eq(it.fetch_slots, fetch_slots)
                };
                nested_scopes.iter().position(is_same).unwrap_or_else(|| {
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
        (nested_scopes, indexes)
    }

    fn nested_set(
        &mut self,
        scopes: &[SubgraphScope<'a>],
        known_condition: &Condition,
    ) -> Result<Option<NestedSet>> {
        if scopes.is_empty() {
            return Ok(None);
        }
        let positions = scopes
            .iter()
            .map(|scope| (std::ptr::from_ref(scope.fetch_slots), scope.at, scope.node));
        let key: NestedSetKey = (positions.collect(), known_condition.clone());
        if let Some(nested_set) = self.nested_sets.get(&key) {
            return Ok(Some(nested_set.clone()));
        }
        let surroundings = Surroundings {
            known_condition,
            sibling_fragments: &[],
            overlaps: false,
        };
        let (set, shapes) = self.selection_set(scopes, surroundings)?;
        let nested_set = (Arc::new(set), shapes.into_iter().map(Arc::new).collect());
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

    /// Sets an alias for a field if another field uses its name as response key.
    fn choose_key(
        &mut self,
        document_field: &mut DocumentField,
        scopes: &[SubgraphScope<'a>],
        document_fields: &[DocumentField],
        surroundings: Surroundings<'_>,
    ) {
        let mut number = first_alias_number(document_field, document_fields, surroundings);
        while !is_key_free(
            document_field,
            document_fields,
            surroundings,
            &mut self.merge_results,
        ) || self.is_other_field(&document_field.field, scopes)
        {
            document_field.field.key = format!("_a{number}_{}", document_field.field.name).into();
            number += 1;
        }
    }

    /// Whether an alias is the name of another field.
    fn is_other_field(&self, field: &Field, scopes: &[SubgraphScope<'a>]) -> bool {
        let has = |node: &SourceNode| node.fields.contains_key(&field.key);
        *field.key != *field.name
            && scopes.iter().any(|scope| {
                let node = self.source.node(scope.node);
                has(node)
                    || matches!(&node.object_types, ObjectTypes::ByTypename(members)
                        if members.values().any(|member| has(self.source.node(*member))))
            })
    }
}

/// The first alias number that may be free for a field. In a set for one type without fragments,
/// two fields of one name differ in their arguments, so all numbers up to the last one are taken.
fn first_alias_number(
    document_field: &DocumentField,
    document_fields: &[DocumentField],
    surroundings: Surroundings<'_>,
) -> usize {
    let is_one_type = document_fields
        .iter()
        .all(|other| other.on == document_field.on);
    if !is_one_type || !surroundings.sibling_fragments.is_empty() {
        return 0;
    }
    let mut others = document_fields.iter().rev();
    let last = others.find(|other| other.field.name == document_field.field.name);
    let alias = last.and_then(|last| last.field.key.strip_prefix("_a")?.split('_').next());
    let number = alias.and_then(|number| number.parse::<usize>().ok());
    number.map_or(0, |number| number + 1)
}

/// Whether the response key of a field conflicts with no other field (GraphQL §5.3.2).
fn is_key_free(
    document_field: &DocumentField,
    document_fields: &[DocumentField],
    surroundings: Surroundings<'_>,
    merge_results: &mut MergeResults,
) -> bool {
    let is_free_in_set = document_fields.iter().all(|other| {
        // Fields that may be written as one are one already, except those of different types.
        let is_disjoint = matches!((document_field.on, other.on), (Some(a), Some(b)) if a != b);
        let (field, other) = (&document_field.field, &other.field);
        let differs = other.key != field.key;
        differs || (is_disjoint && other.may_share_key(field, TypeOverlap::Never, merge_results))
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
