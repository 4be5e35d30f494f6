//! The selection of an operation: fragments resolved, equal fields merged (GraphQL §6.3.2).
//!
//! It has two trees. `Position`s hold the *data* to fetch: a field selected twice under two response
//! keys is one slot, if null propagation is then the same (`non_null_sets`). `Output`s are the
//! members of the *response*, by response key, in the client's order. Planning reads the first tree
//! and adds slots for keys and requirements to it. Conditions of `@skip` and `@include` on variables
//! that are not known stay with slots and outputs.

use schema::graph::Graph;
use schema::key::{FieldSet, Requirement};
use schema::operation::{Argument, Operation, OperationKind};
use schema::types::{Field, Name, TypeId, TypeRef, Types};

use self::build::{Builder, RequiredBy, RootFieldKind, SlotSpec};
use self::collect::FieldCollector;
pub(crate) use self::condition::Condition;
use self::members::MemberCollector;
use self::non_null_sets::NonNullField;
pub(crate) use self::non_null_sets::{NonNullSetId, NonNullSets};
pub(crate) use self::slot_sets::{SlotSetId, SlotSets};
use self::type_conditions::TypeConditions;
use crate::leaf::KeyLeaf;

mod build;
mod collect;
mod condition;
mod groups;
mod members;
mod non_null_sets;
mod slot_sets;
mod type_conditions;

/// The data that an operation needs, and the members of its response.
#[derive(Debug)]
pub(crate) struct Selection {
    positions: Vec<Position>,
    /// The sets of slots that are selected together, which depend on the path to a position.
    pub(crate) slot_sets: SlotSets,
    /// The slots selected at the root.
    pub(crate) root_set: SlotSetId,
    /// The sets of the slots, until the operation is planned.
    non_null_sets: NonNullSets<NonNullField>,
    /// The members of the root object.
    pub(crate) outputs: Vec<Output>,
}

/// Index of a position in a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PositionId(pub(crate) usize);

/// A position in the result: the objects at the end of one path of fields.
#[derive(Debug)]
pub(crate) struct Position {
    /// The type of the objects; may be abstract.
    pub(crate) ty: TypeId,
    /// The fields to fetch for these objects.
    pub(crate) slots: Vec<Slot>,
    /// The slot that holds the objects; `None` for the root.
    pub(crate) parent: Option<(PositionId, usize)>,
    /// Whether there is a list on the path, so that there may be many objects.
    pub(crate) in_list: bool,
    /// Whether the response depends on the types of the objects.
    pub(crate) needs_typename: bool,
    /// The object types that fields may be fetched for; `None`: all possible types.
    pub(crate) members: Option<Vec<TypeId>>,
}

/// A field with its arguments, at a position.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) field: Name,
    pub(crate) arguments: Vec<(Name, Argument)>,
    /// The non-null fields of its value, without those that the plan adds.
    non_null_set: NonNullSetId,
    pub(crate) ty: TypeRef,
    /// The object types that select it; none if only the key or requirement of a fetch may.
    pub(crate) on: Vec<TypeId>,
    /// The types in `on` that need it for internal use, on every path to the position.
    pub(crate) required_on: Vec<TypeId>,
    /// Whether one field of the operation selects it on several object types.
    pub(crate) across_types: bool,
    /// It is needed if this holds, for objects of some type.
    pub(crate) condition: Condition,
    /// The conditions under which single object types need it.
    pub(crate) type_conditions: TypeConditions,
    /// Whether a nested field has it as a context argument, so that it is fetched first.
    pub(crate) is_context_source: bool,
    /// The position of its objects, for composite types.
    pub(crate) child: Option<PositionId>,
    pub(crate) origin: SlotOrigin,
}

/// A field of a key or requirement, and the slot that holds its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySlot {
    pub(crate) name: Name,
    pub(crate) slot: usize,
    /// The object types that it applies to; `None`: all.
    pub(crate) on: Option<Vec<TypeId>>,
    /// How its values compare, for leaf types.
    pub(crate) leaf: KeyLeaf,
    /// The fields inside of it, for composite types.
    pub(crate) inner: Vec<Self>,
}

/// Whether something that applies to the types `on` applies to an object of type `ty`; `None`
/// stands for all types and for an unknown type.
pub(crate) fn applies(on: Option<&[TypeId]>, ty: Option<TypeId>) -> bool {
    match (on, ty) {
        (Some(on), Some(ty)) => on.contains(&ty),
        _ => true,
    }
}

/// Where the value of a slot comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlotOrigin {
    /// A source.
    Source,
    /// The schema itself: `__schema` or `__type` under this response key.
    Introspection(Name),
}

/// A member of an object in the response.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The response key.
    pub(crate) key: Name,
    /// The source of the value.
    pub(crate) value: OutputValue,
    /// The object types that have it.
    pub(crate) on: Vec<TypeId>,
    /// The member is written if this holds.
    pub(crate) condition: Condition,
    /// The member is left out if this holds, because an earlier output has the same response key.
    pub(crate) unless: Condition,
    /// The members of its objects, for composite types.
    pub(crate) outputs: Vec<Self>,
}

/// The source of an output's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputValue {
    /// A slot of the object's position.
    Slot(usize),
    /// The name of the object's type.
    TypeName,
}

/// The position of the root object.
pub(crate) const ROOT: PositionId = PositionId(0);

/// The variables that decide the order of a mutation's root fields: a response key that occurs
/// several times runs in place of its first occurrence that is not skipped (GraphQL §6.3.2).
/// Plans are specific to their values.
pub(crate) fn order_variables(operation: &Operation, types: &Types) -> Vec<Name> {
    if operation.kind != OperationKind::Mutation {
        return Vec::new();
    }
    let collector = FieldCollector {
        types,
        known_variables: &[],
    };
    let mut collected = Vec::new();
    let possible = &types.get(operation.root).possible_types;
    collector.collect(
        &operation.selections,
        possible,
        &Condition::always(),
        &mut collected,
    );
    let mut variables = Vec::new();
    for group in groups::group_fields(collected) {
        let firsts = group.first_occurrences();
        if firsts.len() > 1 {
            variables.extend(
                firsts
                    .iter()
                    .flat_map(|it| it.condition.variables().cloned()),
            );
        }
    }
    variables.sort_unstable();
    variables.dedup();
    variables
}

impl Selection {
    /// The selection of `operation` for these values of variables; fields that depend on other
    /// variables keep their conditions.
    pub(crate) fn new(
        operation: &Operation,
        graph: &Graph,
        known_variables: &[(Name, bool)],
    ) -> Self {
        let root = Position {
            ty: operation.root,
            slots: Vec::new(),
            parent: None,
            in_list: false,
            needs_typename: false,
            members: None,
        };
        let mut non_null_sets = NonNullSets::default();
        let members = MemberCollector {
            collector: FieldCollector {
                types: graph.types(),
                known_variables,
            },
            graph,
            non_null_sets: &mut non_null_sets,
        }
        .root(operation.root, &operation.selections);
        let mut builder = Builder {
            graph,
            positions: vec![root],
            slot_sets: SlotSets::default(),
            non_null_sets,
            root_field_kind: match operation.kind {
                OperationKind::Query => RootFieldKind::Query,
                OperationKind::Mutation => RootFieldKind::Mutation,
            },
        };
        let (outputs, root_set) = builder.outputs(ROOT, &members);
        Self {
            positions: builder.positions,
            slot_sets: builder.slot_sets,
            root_set,
            non_null_sets: builder.non_null_sets,
            outputs,
        }
    }

    pub(crate) fn position(&self, id: PositionId) -> &Position {
        &self.positions[id.0]
    }

    pub(crate) fn positions(&self) -> impl ExactSizeIterator<Item = (PositionId, &Position)> {
        let positions = self.positions.iter().enumerate();
        positions.map(|(index, position)| (PositionId(index), position))
    }

    /// Makes objects of the types `on` need the slots of a key where `condition` holds.
    pub(crate) fn need_key(
        &mut self,
        key: &[KeySlot],
        at: PositionId,
        on: &[TypeId],
        condition: &Condition,
    ) {
        for part in key {
            let on = part.on.as_deref().unwrap_or(on);
            let slot = &mut self.positions[at.0].slots[part.slot];
            slot.need(on, condition);
            if let Some(child) = slot.child {
                self.need_key(&part.inner, child, &[], condition);
            }
        }
    }

    /// Number of slots of all positions.
    pub(crate) fn slot_count(&self) -> usize {
        self.positions.iter().map(|it| it.slots.len()).sum()
    }

    /// Whether `position` is `outer` or nested in its objects.
    pub(crate) fn is_inside(&self, position: PositionId, outer: PositionId) -> bool {
        let mut ancestor = Some(position);
        while let Some(at) = ancestor {
            if at == outer {
                return true;
            }
            ancestor = self.position(at).parent.map(|(parent, _)| parent);
        }
        false
    }

    /// The slot of a key field with these nested fields, added unless there is one.
    pub(crate) fn add_key_slot(
        &mut self,
        at: PositionId,
        field: &Field,
        FieldSet(nested): &FieldSet,
        graph: &Graph,
    ) -> usize {
        let nested = nested.iter();
        let nested: Vec<Requirement> = nested
            .map(|(name, nested)| Requirement::from_key_field(name, nested))
            .collect();
        self.with_builder(graph, |builder| {
            let non_null_sets = &mut builder.non_null_sets;
            let slot_spec = SlotSpec {
                field,
                arguments: &[],
                on: &[],
                condition: &Condition::never(),
                non_null_set: non_null_sets.add_required(graph, field.ty.named_type(), &nested),
            };
            builder.find_or_add_slot(at, &slot_spec)
        })
    }

    /// The slot of a field without arguments that objects of type `on` need for internal use
    /// whenever they are fetched, added unless there is one.
    pub(crate) fn add_internal_slot(
        &mut self,
        at: PositionId,
        on: TypeId,
        field: &Field,
        graph: &Graph,
    ) -> usize {
        let condition = match self.position(at).parent {
            Some((parent, slot)) => self.position(parent).slots[slot].condition.clone(),
            None => Condition::always(),
        };
        self.with_builder(graph, |builder| {
            let slot_spec = SlotSpec {
                field,
                arguments: &[],
                on: &[on],
                condition: &condition,
                non_null_set: NonNullSetId::EMPTY,
            };
            let slot = builder.find_or_add_slot(at, &slot_spec);
            builder.require_on(at, slot, &[on]);
            slot
        })
    }

    /// The slots of the requirements that apply to objects of type `on`. Their nested fields have
    /// positions of their own, which the client's selection does not share.
    pub(crate) fn add_required_slots(
        &mut self,
        at: PositionId,
        on: TypeId,
        requirements: &[Requirement],
        graph: &Graph,
    ) -> Vec<KeySlot> {
        self.with_builder(graph, |builder| {
            requirements
                .iter()
                .filter(|it| it.on.is_none_or(|only| graph.types().is_a(on, only)))
                .filter_map(|it| builder.add_required_slot(at, &[on], it, RequiredBy::Fetch))
                .collect()
        })
    }

    /// The slot of objects of type `on` that fills a context argument of nested fields; the types
    /// of the objects must then be known.
    pub(crate) fn add_context_source(
        &mut self,
        at: PositionId,
        on: TypeId,
        requirement: &Requirement,
        graph: &Graph,
    ) -> Option<KeySlot> {
        let slot = self.with_builder(graph, |builder| {
            builder.add_required_slot(at, &[on], requirement, RequiredBy::Parent)
        })?;
        self.slot_mut(at, slot.slot).is_context_source = true;
        self.position_mut(at).needs_typename = true;
        Some(slot)
    }

    fn with_builder<T>(&mut self, graph: &Graph, edit: impl FnOnce(&mut Builder<'_>) -> T) -> T {
        let mut builder = Builder {
            graph,
            positions: std::mem::take(&mut self.positions),
            slot_sets: SlotSets::default(),
            non_null_sets: std::mem::take(&mut self.non_null_sets),
            root_field_kind: RootFieldKind::Query,
        };
        let outcome = edit(&mut builder);
        self.positions = builder.positions;
        self.non_null_sets = builder.non_null_sets;
        outcome
    }

    /// Frees what only planning needs.
    pub(crate) fn forget_non_null_sets(&mut self) {
        self.non_null_sets = NonNullSets::default();
    }

    pub(crate) fn position_mut(&mut self, at: PositionId) -> &mut Position {
        &mut self.positions[at.0]
    }

    pub(crate) fn slot_mut(&mut self, at: PositionId, slot: usize) -> &mut Slot {
        &mut self.positions[at.0].slots[slot]
    }
}

impl Slot {
    /// Makes objects of the types `on` need it where `condition` holds; without types, all objects.
    pub(crate) fn need(&mut self, on: &[TypeId], condition: &Condition) {
        self.condition.or(condition);
        self.type_conditions.or(on, condition);
    }

    /// The condition under which objects of any of the types `on` need it.
    pub(crate) fn condition_on(&self, on: &[TypeId]) -> Condition {
        let of_types = self.type_conditions.on(on);
        of_types.unwrap_or_else(|| self.condition.clone())
    }
}

impl Output {
    /// Whether both are the same leaf, but for their object types.
    fn is_same_leaf(&self, other: &Self) -> bool {
        self.key == other.key
            && self.value == other.value
            && (&self.condition, &self.unless) == (&other.condition, &other.unless)
            && self.outputs.is_empty()
            && other.outputs.is_empty()
    }
}

impl Position {
    /// Whether fields may be fetched for objects of type `on`.
    pub(crate) fn has_type(&self, on: TypeId) -> bool {
        self.members
            .as_ref()
            .is_none_or(|members| members.contains(&on))
    }

    /// Whether the objects may have different types, so that each object holds its own.
    pub(crate) fn is_abstract(&self, types: &Types) -> bool {
        types.get(self.ty).is_abstract()
    }
}
