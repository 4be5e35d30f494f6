//! What becomes of a body: a connector's mapping, cut to the slots that a fetch takes
//! (connect specification, "narrowing").
//!
//! Most of a mapping is paths of keys and braces around them. Those are compiled here into one
//! pass over the members of each object, straight from the parsed body into slots. Whatever else
//! a mapping may say (methods, literals, operators, spreads) is evaluated by the mapping language
//! itself, member by member, and what it gives is taken in by field name.

use schema::mapping::ast::{Expr, Head, Item, MemberValue, Path, Selection as Items, Step};
use schema::types::{TypeId, Types};

use crate::plan::FetchSlots;
use crate::selection::{PositionId, Selection, Slot};

/// Where a value is, seen from the object it is looked for in, and what is taken of it.
#[derive(Debug)]
pub(crate) struct ValueMapping {
    pub(crate) location: ValueLocation,
    pub(crate) shape: MappedShape,
}

/// How a value is found.
#[derive(Debug)]
pub(crate) enum ValueLocation {
    /// Behind these keys; none: it is the object itself.
    Keys(Box<[Box<str>]>),
    /// By evaluating this where `$` and `@` are the object.
    Expression(Box<MemberValue>),
}

/// What is taken of a value.
#[derive(Debug)]
pub(crate) enum MappedShape {
    /// The whole, inside so many lists.
    Leaf { lists: usize },
    /// Slots of an object, or of each object of a list.
    Object(ObjectMapping),
}

/// The slots of an object at a place.
#[derive(Debug)]
pub(crate) struct ObjectMapping {
    pub(crate) at: PositionId,
    /// Found behind keys: first key, then the slots behind it.
    pub(crate) keyed: Vec<(Box<str>, Vec<SlotMapping>)>,
    /// Found otherwise.
    pub(crate) unkeyed: Vec<SlotMapping>,
    /// How the object says of which type it is, where it may be of several.
    pub(crate) typename: Option<TypenameMapping>,
}

/// A slot and how it is filled; in `keyed` the first key is left out of `from`.
#[derive(Debug)]
pub(crate) struct SlotMapping {
    pub(crate) slot: usize,
    pub(crate) value: ValueMapping,
}

/// Where `__typename` is, and the types it may name.
#[derive(Debug)]
pub(crate) struct TypenameMapping {
    pub(crate) location: ValueLocation,
    pub(crate) types: Vec<(Box<str>, TypeId)>,
}

/// What compiling needs at every step.
pub(crate) struct MappingCompiler<'a> {
    pub(crate) types: &'a Types,
    pub(crate) selection: &'a Selection,
    pub(crate) fetch_slots: &'a FetchSlots,
}

impl MappingCompiler<'_> {
    /// A mapping whose value is the object (or a list of objects) at `at`.
    pub(crate) fn object_mapping(&self, items: &Items, at: PositionId) -> ValueMapping {
        self.mapping(items, Target::Object(at))
    }

    /// A mapping whose value is that of `slot` at `at`.
    pub(crate) fn slot_mapping(&self, items: &Items, at: PositionId, slot: usize) -> ValueMapping {
        let slot = &self.selection.position(at).slots[slot];
        self.mapping(items, Target::from_slot(slot))
    }

    /// A kept value that is the object at `at`: its members have the names of fields.
    pub(crate) fn cached_object(&self, at: PositionId) -> ValueMapping {
        self.cached_value(Target::Object(at))
    }

    /// A kept value that is that of `slot` at `at`.
    pub(crate) fn cached_slot(&self, at: PositionId, slot: usize) -> ValueMapping {
        self.cached_value(Target::from_slot(&self.selection.position(at).slots[slot]))
    }

    fn cached_value(&self, target: Target) -> ValueMapping {
        ValueMapping {
            location: ValueLocation::Keys(Box::default()),
            shape: self.named_shape(target),
        }
    }

    fn mapping(&self, items: &Items, target: Target) -> ValueMapping {
        match items.items.as_slice() {
            [Item::Whole(expr)] => self.expr(expr, target),
            _ => self.group(items, target),
        }
    }

    fn member(&self, member: &MemberValue, target: Target) -> ValueMapping {
        match member {
            MemberValue::Group(group) => self.group(group, target),
            MemberValue::Expr(expr) => self.expr(expr, target),
        }
    }

    fn expr(&self, expr: &Expr, target: Target) -> ValueMapping {
        let eval =
            |expr: &Expr| ValueLocation::Expression(Box::new(MemberValue::Expr(expr.clone())));
        let Expr::Path(path) = expr else {
            return ValueMapping {
                location: eval(expr),
                shape: self.named_shape(target),
            };
        };
        let plain = path.group.as_ref().is_none_or(is_plain);
        let location = match plain_keys(path) {
            Some(keys) if plain => ValueLocation::Keys(keys),
            _ => match &path.group {
                Some(group) if !has_binding(path) && is_plain(group) => eval(&Expr::Path(Path {
                    group: None,
                    ..path.clone()
                })),
                _ => {
                    return ValueMapping {
                        location: eval(expr),
                        shape: self.named_shape(target),
                    };
                }
            },
        };
        let shape = match (&path.group, target) {
            (Some(group), Target::Object(at)) => self.object_shape(group, at),
            _ => self.named_shape(target),
        };
        ValueMapping { location, shape }
    }

    fn group(&self, group: &Items, target: Target) -> ValueMapping {
        match target {
            Target::Object(at) if is_plain(group) => ValueMapping {
                location: ValueLocation::Keys(Box::default()),
                shape: self.object_shape(group, at),
            },
            _ => ValueMapping {
                location: ValueLocation::Expression(Box::new(MemberValue::Group(group.clone()))),
                shape: self.named_shape(target),
            },
        }
    }

    /// The slots that an item list gives of an object.
    fn object_shape(&self, items: &Items, at: PositionId) -> MappedShape {
        let mut mapping = ObjectMapping::new(at);
        for slot in self.slots(at) {
            let name = &self.selection.position(at).slots[slot].field;
            if let Some(member) = member_named(items, name) {
                let target = Target::from_slot(&self.selection.position(at).slots[slot]);
                mapping.add(slot, self.member(member, target));
            }
        }
        mapping.typename = self.typename(at, || {
            let member = member_named(items, "__typename")?;
            Some(self.member(member, Target::Leaf(0)).location)
        });
        MappedShape::Object(mapping)
    }

    /// What is taken of a value whose members already have the names of fields.
    fn named_shape(&self, target: Target) -> MappedShape {
        let at = match target {
            Target::Leaf(lists) => return MappedShape::Leaf { lists },
            Target::Object(at) => at,
        };
        let mut mapping = ObjectMapping::new(at);
        for slot in self.slots(at) {
            let definition = &self.selection.position(at).slots[slot];
            let keys = vec![definition.field.as_ref().into()].into_boxed_slice();
            mapping.add(
                slot,
                ValueMapping {
                    location: ValueLocation::Keys(keys),
                    shape: self.named_shape(Target::from_slot(definition)),
                },
            );
        }
        mapping.typename = self.typename(at, || {
            Some(ValueLocation::Keys(
                vec!["__typename".into()].into_boxed_slice(),
            ))
        });
        MappedShape::Object(mapping)
    }

    fn slots(&self, at: PositionId) -> impl Iterator<Item = usize> + '_ {
        let slots = self.fetch_slots.get(&at).into_iter();
        slots.flat_map(|slots| slots.keys()).copied()
    }

    fn typename(
        &self,
        at: PositionId,
        location: impl FnOnce() -> Option<ValueLocation>,
    ) -> Option<TypenameMapping> {
        let position = self.selection.position(at);
        if !position.is_abstract(self.types) {
            return None;
        }
        let possible = self.types.get(position.ty).possible_types.iter();
        Some(TypenameMapping {
            location: location()?,
            types: possible
                .map(|id| (self.types.get(*id).name.as_ref().into(), *id))
                .collect(),
        })
    }
}

/// What a value is for.
#[derive(Clone, Copy)]
enum Target {
    Leaf(usize),
    Object(PositionId),
}

impl Target {
    fn from_slot(slot: &Slot) -> Self {
        match slot.child {
            Some(child) => Self::Object(child),
            None => Self::Leaf(slot.ty.list_depth()),
        }
    }
}

impl ObjectMapping {
    fn new(at: PositionId) -> Self {
        Self {
            at,
            keyed: Vec::new(),
            unkeyed: Vec::new(),
            typename: None,
        }
    }

    fn add(&mut self, slot: usize, value: ValueMapping) {
        let ValueMapping { location, shape } = value;
        match location {
            ValueLocation::Keys(keys) if !keys.is_empty() => {
                let mut keys = keys.into_vec();
                let first = keys.remove(0);
                let location = ValueLocation::Keys(keys.into_boxed_slice());
                let field = SlotMapping {
                    slot,
                    value: ValueMapping { location, shape },
                };
                match self.keyed.iter_mut().find(|(key, _)| *key == first) {
                    Some((_, fields)) => fields.push(field),
                    None => self.keyed.push((first, vec![field])),
                }
            }
            location => self.unkeyed.push(SlotMapping {
                slot,
                value: ValueMapping { location, shape },
            }),
        }
    }
}

/// The keys of a path that is nothing but keys of the object it starts from.
fn plain_keys(path: &Path) -> Option<Box<[Box<str>]>> {
    let mut keys: Vec<Box<str>> = Vec::new();
    match &path.head {
        Head::Key(key) => keys.push(key.name.as_str().into()),
        Head::Dollar(_) | Head::At(_) => {}
        Head::Variable(_) | Head::Expr(_) => return None,
    }
    for step in &path.steps {
        match step {
            Step::Key(key) => keys.push(key.name.as_str().into()),
            // `?` makes null absent, and both are null to the client.
            Step::Question(_) => {}
            Step::Method(..) => return None,
        }
    }
    Some(keys.into_boxed_slice())
}

/// Whether a path binds a variable, which its braces may use.
fn has_binding(path: &Path) -> bool {
    let mut steps = path.steps.iter();
    steps.any(|step| matches!(step, Step::Method(name, _) if name.name == "as"))
}

/// Whether an item list has members only, each key once.
fn is_plain(items: &Items) -> bool {
    let mut names: Vec<&str> = Vec::with_capacity(items.items.len());
    items.items.iter().all(|item| match item {
        Item::Member(member) => {
            let new = !names.contains(&member.key.name.as_str());
            names.push(&member.key.name);
            new
        }
        Item::Whole(_) | Item::Spread(_) => false,
    })
}

fn member_named<'a>(items: &'a Items, name: &str) -> Option<&'a MemberValue> {
    items.items.iter().find_map(|item| match item {
        Item::Member(member) if member.key.name == name => Some(&member.value),
        Item::Member(_) | Item::Whole(_) | Item::Spread(_) => None,
    })
}
