//! What the client asked for: fragments resolved, equal fields merged (GraphQL §6.3.2), conditions kept.
//!
//! Two trees come out of it. `Position`s say which *data* is needed at each place; a field asked
//! for twice under two names is there once. `Output`s say what is *written* for the client, name
//! by name, in its order. Planning reads the first and adds to it what fetches need of each other.

use schema::key::Requirement;
use schema::operation::{Argument, Operation, OperationKind};
use schema::types::{Field, Name, TypeId, TypeRef, Types};

use self::build::{Builder, RequiredBy, RootFieldKind, SlotSpec};
use self::collect::FieldCollector;
pub(crate) use self::condition::Condition;
pub(crate) use self::slot_sets::{SlotSetId, SlotSets};

mod build;
mod collect;
mod condition;
mod groups;
mod slot_sets;

/// The data that an operation needs, and how it is written.
#[derive(Debug)]
pub(crate) struct Selection {
    positions: Vec<Position>,
    /// What is asked at each place, as far as the way there decides it.
    pub(crate) slot_sets: SlotSets,
    /// What is asked of the root.
    pub(crate) root_set: SlotSetId,
    /// What is written of the root.
    pub(crate) outputs: Vec<Output>,
}

/// Which place of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PositionId(pub(crate) usize);

/// A place of the result where objects stand.
#[derive(Debug)]
pub(crate) struct Position {
    /// The type there; may be abstract.
    pub(crate) ty: TypeId,
    /// Fields of these objects.
    pub(crate) slots: Vec<Slot>,
    /// The slot that leads here; `None` for the root.
    pub(crate) parent: Option<(PositionId, usize)>,
    /// Whether a list stands on the way here, so that there may be many objects.
    pub(crate) in_list: bool,
    /// Whether the client asks which type the objects are of.
    pub(crate) needs_typename: bool,
    /// The types of the objects of which anything is asked; `None`: all that are possible.
    pub(crate) members: Option<Vec<TypeId>>,
}

/// A field with its arguments, at a place.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) field: Name,
    pub(crate) arguments: Vec<(Name, Argument)>,
    pub(crate) ty: TypeRef,
    /// The object types that it is asked of; none for what only a fetch may need.
    pub(crate) on: Vec<TypeId>,
    /// Of these, those of which others than the client ask for it, whatever way led to them.
    pub(crate) required_on: Vec<TypeId>,
    /// Whether it is asked of objects of several types in one word.
    pub(crate) across_types: bool,
    /// When anybody needs it.
    pub(crate) condition: Condition,
    /// Whether it is told of objects further in, and so comes before these.
    pub(crate) is_context_source: bool,
    /// Where its objects stand, for composite types.
    pub(crate) child: Option<PositionId>,
    pub(crate) origin: SlotOrigin,
}

/// A field that a source must be told, and the slot that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySlot {
    pub(crate) name: Name,
    pub(crate) slot: usize,
    /// Of objects of these types only; `None`: of all.
    pub(crate) on: Option<Vec<TypeId>>,
    /// Of its own fields.
    pub(crate) inner: Vec<Self>,
}

/// Whether what is said of objects of some types, or of all, is said of one of this type, where it
/// is known.
pub(crate) fn applies(on: Option<&[TypeId]>, ty: Option<TypeId>) -> bool {
    match (on, ty) {
        (Some(on), Some(ty)) => on.contains(&ty),
        _ => true,
    }
}

/// Who fills a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlotOrigin {
    /// A source.
    Source,
    /// The schema itself: `__schema` or `__type` under this response key.
    Introspection(Name),
}

/// A member of an object that is written.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The response key.
    pub(crate) key: Name,
    /// Where the value is.
    pub(crate) value: OutputValue,
    /// The object types that have it.
    pub(crate) on: Vec<TypeId>,
    /// When it is written.
    pub(crate) condition: Condition,
    /// When it is not, because it was written before.
    pub(crate) unless: Condition,
    /// What is written inside, for composite types.
    pub(crate) outputs: Vec<Self>,
}

/// Where the value of an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputValue {
    /// In a slot of the object's position.
    Slot(usize),
    /// The name of the object's type.
    TypeName,
}

/// The root of the result.
pub(crate) const ROOT: PositionId = PositionId(0);

/// The variables that decide in which order the root fields of a mutation run: a field that is
/// written several times runs where the first of its occurrences stands that is not skipped
/// (GraphQL §6.3.2). Plans are made for their values.
pub(crate) fn order_variables(operation: &Operation, types: &Types) -> Vec<Name> {
    if operation.kind != OperationKind::Mutation {
        return Vec::new();
    }
    let finder = FieldCollector {
        types,
        known_variables: &[],
    };
    let mut found = Vec::new();
    let possible = &types.get(operation.root).possible_types;
    finder.collect(
        &operation.selections,
        possible,
        &Condition::always(),
        &mut found,
    );
    let mut variables = Vec::new();
    for group in groups::group_fields(found) {
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
    /// What `operation` asks for where these variables have these values; what depends on others
    /// keeps its conditions.
    pub(crate) fn new(
        operation: &Operation,
        types: &Types,
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
        let mut builder = Builder {
            collector: FieldCollector {
                types,
                known_variables,
            },
            types,
            positions: vec![root],
            slot_sets: SlotSets::default(),
            root_field_kind: match operation.kind {
                OperationKind::Query => RootFieldKind::Query,
                OperationKind::Mutation => RootFieldKind::Mutation,
            },
        };
        let occurrences = vec![(Condition::always(), operation.selections.as_slice())];
        let (outputs, root_set) = builder.outputs(ROOT, &occurrences);
        Self {
            positions: builder.positions,
            slot_sets: builder.slot_sets,
            root_set,
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

    /// Whether `place` is `outer`, or stands inside its objects.
    pub(crate) fn is_inside(&self, position: PositionId, outer: PositionId) -> bool {
        let mut at = Some(position);
        while let Some(known) = at {
            if known == outer {
                return true;
            }
            at = self.position(known).parent.map(|(parent, _)| parent);
        }
        false
    }

    /// The slot of a field without arguments, added for a fetch whose key it is a part of.
    pub(crate) fn add_key_slot(&mut self, at: PositionId, field: &Field, types: &Types) -> usize {
        self.with_builder(types, |builder| {
            let slot_spec = SlotSpec {
                field,
                arguments: &[],
                on: &[],
                condition: &Condition::never(),
            };
            builder.find_or_add_slot(at, &slot_spec)
        })
    }

    /// The slot of a field without arguments of objects of type `on`, which somebody beside the
    /// client asks for.
    pub(crate) fn add_internal_slot(
        &mut self,
        at: PositionId,
        on: TypeId,
        field: &Field,
        condition: &Condition,
        types: &Types,
    ) -> usize {
        self.with_builder(types, |builder| {
            let slot_spec = SlotSpec {
                field,
                arguments: &[],
                on: &[on],
                condition,
            };
            let slot = builder.find_or_add_slot(at, &slot_spec);
            builder.require_on(at, slot, &[on]);
            slot
        })
    }

    /// The slots of what a source must be told of objects of type `on`. What is inside of them
    /// stands at places of its own, where nothing else is asked for.
    pub(crate) fn add_required_slots(
        &mut self,
        at: PositionId,
        on: TypeId,
        needs: &[Requirement],
        types: &Types,
    ) -> Vec<KeySlot> {
        self.with_builder(types, |builder| {
            needs
                .iter()
                .filter(|need| need.on.is_none_or(|only| types.is_a(on, only)))
                .filter_map(|need| builder.add_required_slot(at, &[on], need, RequiredBy::Fetch))
                .collect()
        })
    }

    /// The slot of what places further in take of objects of type `on`, which must be told then.
    pub(crate) fn add_context_source(
        &mut self,
        at: PositionId,
        on: TypeId,
        need: &Requirement,
        types: &Types,
    ) -> Option<KeySlot> {
        let required_by = RequiredBy::Parent;
        let slot = self.with_builder(types, |builder| {
            builder.add_required_slot(at, &[on], need, required_by)
        })?;
        self.slot_mut(at, slot.slot).is_context_source = true;
        self.position_mut(at).needs_typename = true;
        Some(slot)
    }

    fn with_builder<T>(&mut self, types: &Types, edit: impl FnOnce(&mut Builder<'_>) -> T) -> T {
        let decided = &[];
        let mut builder = Builder {
            collector: FieldCollector {
                types,
                known_variables: decided,
            },
            types,
            positions: std::mem::take(&mut self.positions),
            slot_sets: SlotSets::default(),
            root_field_kind: RootFieldKind::Query,
        };
        let outcome = edit(&mut builder);
        self.positions = builder.positions;
        outcome
    }

    pub(crate) fn position_mut(&mut self, at: PositionId) -> &mut Position {
        &mut self.positions[at.0]
    }

    pub(crate) fn slot_mut(&mut self, at: PositionId, slot: usize) -> &mut Slot {
        &mut self.positions[at.0].slots[slot]
    }
}

impl Output {
    /// Whether both write one leaf in one way.
    fn is_same_leaf(&self, other: &Self) -> bool {
        self.key == other.key
            && self.value == other.value
            && (&self.condition, &self.unless) == (&other.condition, &other.unless)
            && self.outputs.is_empty()
            && other.outputs.is_empty()
    }
}

impl Position {
    /// Whether anything is asked of objects of type `on`.
    pub(crate) fn has_type(&self, on: TypeId) -> bool {
        self.members
            .as_ref()
            .is_none_or(|members| members.contains(&on))
    }

    /// Whether objects here may be of several types, so that each carries its own.
    pub(crate) fn is_abstract(&self, types: &Types) -> bool {
        types.get(self.ty).is_abstract()
    }
}
