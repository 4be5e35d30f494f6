//! What the client asked for: fragments resolved, equal fields merged (GraphQL §6.3.2), conditions kept.
//!
//! Two trees come out of it. `Position`s say which *data* is needed at each place; a field asked
//! for twice under two names is there once. `Output`s say what is *written* for the client, name
//! by name, in its order. Planning reads the first and adds to it what fetches need of each other.

use std::sync::Arc;

use schema::operation::{Argument, FieldSelected, Operation, OperationKind, Selected};
use schema::types::{Field, Name, Nullability, TypeId, TypeRef, Types};

use self::groups::{Found, groups};
pub(crate) use self::when::When;

mod groups;
mod when;

/// The data that an operation needs, and how it is written.
#[derive(Debug)]
pub(crate) struct Selection {
    positions: Vec<Position>,
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
    pub(crate) many: bool,
}

/// A field with its arguments, at a place.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) field: Name,
    pub(crate) arguments: Vec<(Name, Argument)>,
    pub(crate) ty: TypeRef,
    /// The object types that it is asked of.
    pub(crate) on: Vec<TypeId>,
    /// When anybody needs it.
    pub(crate) when: When,
    /// Where its objects stand, for composite types.
    pub(crate) child: Option<PositionId>,
    pub(crate) from: From,
}

/// Who fills a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// A source.
    Source,
    /// The schema itself: `__schema` or `__type` under this response key.
    Introspection(Name),
}

/// A member of an object that is written.
#[derive(Debug)]
pub(crate) struct Output {
    /// The response key.
    pub(crate) key: Name,
    /// Where the value is.
    pub(crate) value: OutputValue,
    /// The object types that have it.
    pub(crate) on: Vec<TypeId>,
    /// When it is written.
    pub(crate) when: When,
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

impl Selection {
    /// What `operation` asks for.
    pub(crate) fn of(operation: &Operation, types: &Types) -> Self {
        let root = Position {
            ty: operation.root,
            slots: Vec::new(),
            parent: None,
            many: false,
        };
        let mut builder = Builder {
            types,
            positions: vec![root],
            root_fields: match operation.kind {
                OperationKind::Query => RootFields::Read,
                OperationKind::Mutation => RootFields::Act,
            },
        };
        let occurrences = vec![(When::always(), operation.selections.as_slice())];
        let outputs = builder.outputs(ROOT, &occurrences);
        Self {
            positions: builder.positions,
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

    /// The slots from the root to a position.
    pub(crate) fn path(&self, id: PositionId) -> Vec<usize> {
        let mut path = Vec::new();
        let mut at = id;
        while let Some((parent, slot)) = self.position(at).parent {
            path.push(slot);
            at = parent;
        }
        path.reverse();
        path
    }

    /// The slot of a field without arguments, added for a fetch that needs it.
    pub(crate) fn need(
        &mut self,
        at: PositionId,
        field: &Field,
        on: TypeId,
        types: &Types,
    ) -> usize {
        let mut builder = Builder {
            types,
            positions: std::mem::take(&mut self.positions),
            root_fields: RootFields::Read,
        };
        let wanted = Wanted {
            field,
            arguments: &[],
            on: &[on],
            when: &When::never(),
        };
        let slot = builder.slot(at, &wanted);
        self.positions = builder.positions;
        slot
    }

    pub(crate) fn slot_mut(&mut self, at: PositionId, slot: usize) -> &mut Slot {
        &mut self.positions[at.0].slots[slot]
    }
}

struct Builder<'a> {
    types: &'a Types,
    positions: Vec<Position>,
    root_fields: RootFields,
}

/// What a field of the root does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RootFields {
    /// The same under two names is the same.
    Read,
    /// The same under two names is done twice.
    Act,
}

/// A field that is to have a slot.
struct Wanted<'a> {
    field: &'a Field,
    arguments: &'a [(Name, Argument)],
    on: &'a [TypeId],
    when: &'a When,
}

/// Selection sets that apply to one place, each with the conditions on the way to it.
type Occurrences<'a> = Vec<(When, &'a [Selected])>;

impl Builder<'_> {
    fn outputs(&mut self, at: PositionId, occurrences: &Occurrences<'_>) -> Vec<Output> {
        let ty = self.positions[at.0].ty;
        let mut found = Vec::new();
        for (when, selections) in occurrences {
            let possible = &self.types.get(ty).possible;
            flatten(self.types, selections, (possible, when), &mut found);
        }
        let groups: Vec<_> = groups(found)
            .into_iter()
            .flat_map(|group| self.by_field_type(group))
            .collect();
        groups
            .iter()
            .filter_map(|group| self.output(at, group))
            .collect()
    }

    /// One group for each type that the field has on the objects of `group`: objects of one
    /// interface may narrow a field differently, and what is read and written follows the type.
    fn by_field_type<'a>(&self, group: groups::Group<'a>) -> Vec<groups::Group<'a>> {
        let name = &group.fields[0].0.name;
        let mut apart: Vec<(Option<&TypeRef>, groups::Group<'a>)> = Vec::new();
        for on in group.on {
            let ty = self.types.get(on).field(name).map(|field| &field.ty);
            match apart.iter_mut().find(|(known, _)| *known == ty) {
                Some((_, same)) => same.on.push(on),
                None => apart.push((
                    ty,
                    groups::Group {
                        on: vec![on],
                        fields: group.fields.clone(),
                    },
                )),
            }
        }
        apart.into_iter().map(|(_, group)| group).collect()
    }

    fn output(&mut self, at: PositionId, group: &groups::Group<'_>) -> Option<Output> {
        let (first, _) = group.fields.first()?;
        let mut when = When::never();
        for (_, each) in &group.fields {
            when.or(each);
        }
        let mut output = Output {
            key: Arc::clone(&first.key),
            value: OutputValue::TypeName,
            on: group.on.clone(),
            when,
            outputs: Vec::new(),
        };
        if first.name.as_ref() == "__typename" {
            return Some(output);
        }
        if first.name.starts_with("__") {
            output.value = OutputValue::Slot(self.introspection(at, first, &output));
            return Some(output);
        }
        let on = group.on.first()?;
        let field = self.types.get(*on).field(&first.name)?;
        let wanted = Wanted {
            field,
            arguments: &first.arguments,
            on: &group.on,
            when: &output.when,
        };
        let slot = self.slot(at, &wanted);
        output.value = OutputValue::Slot(slot);
        if let Some(child) = self.positions[at.0].slots[slot].child {
            let inside = group
                .fields
                .iter()
                .map(|(field, when)| (when.clone(), field.selections.as_slice()))
                .collect();
            output.outputs = self.outputs(child, &inside);
        }
        Some(output)
    }

    fn introspection(&mut self, at: PositionId, field: &FieldSelected, output: &Output) -> usize {
        let slots = &mut self.positions[at.0].slots;
        slots.push(Slot {
            field: Arc::clone(&field.name),
            arguments: Vec::new(),
            // The library that answers has checked the value; any named type will do.
            ty: TypeRef::Named(output.on[0], Nullability::Nullable),
            on: output.on.clone(),
            when: output.when.clone(),
            child: None,
            from: From::Introspection(Arc::clone(&field.key)),
        });
        slots.len() - 1
    }

    /// The slot for a field, made when there is none.
    fn slot(&mut self, at: PositionId, wanted: &Wanted<'_>) -> usize {
        let position = &mut self.positions[at.0];
        let same = |slot: &Slot| {
            slot.field == wanted.field.name
                && slot.arguments == wanted.arguments
                && slot.ty == wanted.field.ty
        };
        let acts = self.root_fields == RootFields::Act && at == ROOT;
        if let Some(index) = position.slots.iter().position(same).filter(|_| !acts) {
            let slot = &mut position.slots[index];
            slot.when.or(wanted.when);
            let new = wanted.on.iter().filter(|ty| !slot.on.contains(ty)).copied();
            let new: Vec<_> = new.collect();
            slot.on.extend(new);
            return index;
        }
        let index = position.slots.len();
        let many = position.many || matches!(wanted.field.ty, TypeRef::List(..));
        let ty = wanted.field.ty.named();
        let child = self.types.get(ty).is_composite().then(|| {
            self.positions.push(Position {
                ty,
                slots: Vec::new(),
                parent: Some((at, index)),
                many,
            });
            PositionId(self.positions.len() - 1)
        });
        self.positions[at.0].slots.push(Slot {
            field: Arc::clone(&wanted.field.name),
            arguments: wanted.arguments.to_vec(),
            ty: wanted.field.ty.clone(),
            on: wanted.on.to_vec(),
            when: wanted.when.clone(),
            child,
            from: From::Source,
        });
        index
    }
}

/// Every field of `selections` with the types and conditions under which it applies.
fn flatten<'a>(
    types: &Types,
    selections: &'a [Selected],
    (on, when): (&[TypeId], &When),
    found: &mut Vec<Found<'a>>,
) {
    for selection in selections {
        match selection {
            Selected::Field(field) => found.push(Found {
                field,
                on: on.to_vec(),
                when: when.and(&field.tests),
            }),
            Selected::Fragment {
                on: condition,
                tests,
                selections,
            } => {
                let narrowed: Vec<TypeId> = match condition {
                    Some(condition) => {
                        let all = on.iter().filter(|ty| types.is_a(**ty, *condition));
                        all.copied().collect()
                    }
                    None => on.to_vec(),
                };
                if !narrowed.is_empty() {
                    flatten(types, selections, (&narrowed, &when.and(tests)), found);
                }
            }
        }
    }
}

impl Position {
    /// Whether objects here may be of several types, so that each carries its own.
    pub(crate) fn is_abstract(&self, types: &Types) -> bool {
        types.get(self.ty).is_abstract()
    }
}
