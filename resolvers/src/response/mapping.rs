//! A connector's mapping, compiled for the slots that a fetch fills (connect specification,
//! "narrowing").
//!
//! Most of a mapping is paths of keys and groups in braces. These compile to one pass over the
//! members of each object, from the parsed body straight into slots. All other expressions
//! (methods, literals, operators, spreads) are evaluated by the mapping language, member by
//! member, and their results are read by field name.

use schema::mapping::ast::{Expr, Head, Item, Member, MemberValue, Path, Selection as Items, Step};
use schema::types::{TypeId, Types};

use crate::plan::FetchSlots;
use crate::selection::{PositionId, Selection, Slot};

/// Where a value is, relative to the enclosing object, and how it is read.
#[derive(Debug)]
pub(crate) struct ValueMapping {
    pub(crate) location: ValueLocation,
    pub(crate) shape: MappedShape,
}

/// Location of a value relative to an object.
#[derive(Debug)]
pub(crate) enum ValueLocation {
    /// A path of keys; an empty path is the object itself.
    Keys(Box<[Box<str>]>),
    /// The result of an expression in which `$` and `@` are the object.
    Expression(Box<MemberValue>),
    /// The result of a whole mapping, which applies to each element of a list.
    Mapping(Box<Items>),
}

/// How a value is read.
#[derive(Debug)]
pub(crate) enum MappedShape {
    /// A leaf, nested in this number of lists.
    Leaf { lists: usize },
    /// Slots of an object, or of each object of a list.
    Object(ObjectMapping),
}

/// How the slots of an object at one position are filled.
#[derive(Debug)]
pub(crate) struct ObjectMapping {
    pub(crate) at: PositionId,
    /// Slots located by keys, grouped by the first key.
    pub(crate) keyed: Vec<(Box<str>, Vec<SlotMapping>)>,
    /// Slots located by an expression, or by an empty path.
    pub(crate) unkeyed: Vec<SlotMapping>,
    /// Source of the object's type, if the position is abstract.
    pub(crate) typename: Option<TypenameMapping>,
    /// Members of the object that a group makes of null or a scalar; `None`: it makes none.
    pub(crate) of_scalars: Option<ScalarMembers>,
}

/// Which members a group has for null and scalars; an object without any is the value itself.
#[derive(Debug)]
pub(crate) struct ScalarMembers {
    /// Whether a member has a value in any case.
    pub(crate) has_constant: bool,
    /// Members that fill no slot and may have a value.
    pub(crate) others: Vec<MemberValue>,
}

/// A slot and how it is filled; in `ObjectMapping::keyed` the location omits the first key.
#[derive(Debug)]
pub(crate) struct SlotMapping {
    pub(crate) slot: usize,
    pub(crate) value: ValueMapping,
}

/// Location of `__typename`, and the types that it may name.
#[derive(Debug)]
pub(crate) struct TypenameMapping {
    pub(crate) location: ValueLocation,
    pub(crate) types: Vec<(Box<str>, TypeId)>,
    /// Whether an object without a type is no object; the type of an entity is known already.
    pub(crate) is_required: bool,
}

/// Compiles mappings for the slots of one fetch.
pub(crate) struct MappingCompiler<'a> {
    pub(crate) types: &'a Types,
    pub(crate) selection: &'a Selection,
    pub(crate) fetch_slots: &'a FetchSlots,
}

impl MappingCompiler<'_> {
    /// Compiles a mapping whose value is the entity, or a list of the entities, at position `at`.
    pub(crate) fn object_mapping(&self, items: &Items, at: PositionId) -> ValueMapping {
        self.mapping(items, Target::Object(at)).of_known_type()
    }

    /// Compiles a mapping whose value is that of one slot at position `at`.
    pub(crate) fn slot_mapping(&self, items: &Items, at: PositionId, slot: usize) -> ValueMapping {
        let slot = &self.selection.position(at).slots[slot];
        self.mapping(items, Target::from_slot(slot))
    }

    /// The mapping of a cached entity at position `at`, whose members have the names of fields.
    pub(crate) fn cached_object(&self, at: PositionId) -> ValueMapping {
        self.cached_value(Target::Object(at)).of_known_type()
    }

    /// The mapping of a cached value of one slot at position `at`.
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
        match (items.items.as_slice(), target) {
            ([Item::Whole(expr)], _) => self.expr(expr, target),
            (_, Target::Object(at)) if is_plain(items) => self.object_group(items, at),
            _ => ValueMapping {
                location: ValueLocation::Mapping(Box::new(items.clone())),
                shape: self.named_shape(target),
            },
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
        let keys = plain_keys(path);
        match (&path.group, target) {
            (None, _) => ValueMapping {
                location: keys.map_or_else(|| eval(expr), ValueLocation::Keys),
                shape: self.named_shape(target),
            },
            (Some(group), Target::Object(at)) if is_plain(group) && !has_binding(path) => {
                let shape = self.object_shape(group, at);
                let keys = keys.filter(|_| !is_guarded_group(path, group));
                let location = keys.map_or_else(
                    || {
                        let group = None;
                        let path = path.clone();
                        eval(&Expr::Path(Path { group, ..path }))
                    },
                    ValueLocation::Keys,
                );
                ValueMapping { location, shape }
            }
            (Some(_), _) => ValueMapping {
                location: eval(expr),
                shape: self.named_shape(target),
            },
        }
    }

    fn group(&self, group: &Items, target: Target) -> ValueMapping {
        match target {
            Target::Object(at) if is_plain(group) => self.object_group(group, at),
            _ => ValueMapping {
                location: ValueLocation::Expression(Box::new(MemberValue::Group(group.clone()))),
                shape: self.named_shape(target),
            },
        }
    }

    fn object_group(&self, group: &Items, at: PositionId) -> ValueMapping {
        ValueMapping {
            location: ValueLocation::Keys(Box::default()),
            shape: self.object_shape(group, at),
        }
    }

    /// The shape of an object whose slots are provided by the members of `items`.
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
        mapping.of_scalars = self.scalar_members(items, at);
        MappedShape::Object(mapping)
    }

    /// The shape of a value whose members have the names of fields.
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

    fn scalar_members(&self, items: &Items, at: PositionId) -> Option<ScalarMembers> {
        let members = || members(items).filter(|member| presence(&member.value) != Presence::Never);
        members().next()?;
        let mut always = members().filter(|member| presence(&member.value) == Presence::Always);
        let has_constant = always.next().is_some();
        let slots = || {
            self.slots(at)
                .map(|slot| &self.selection.position(at).slots[slot])
        };
        let others = members().filter(|member| {
            let is_slot = slots().any(|slot| *slot.field == *member.key.name);
            !has_constant && !is_slot
        });
        Some(ScalarMembers {
            has_constant,
            others: others.map(|member| member.value.clone()).collect(),
        })
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
            is_required: true,
        })
    }
}

impl ValueMapping {
    /// The mapping of objects whose type is known without `__typename`.
    fn of_known_type(mut self) -> Self {
        if let MappedShape::Object(ObjectMapping {
            typename: Some(typename),
            ..
        }) = &mut self.shape
        {
            typename.is_required = false;
        }
        self
    }
}

/// The slot or position that a value fills.
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
            of_scalars: None,
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

/// The keys of a path that has only keys and starts from the current object.
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
            // `?` makes null absent, and the client gets null for both.
            Step::Question(_) => {}
            Step::Method(..) => return None,
        }
    }
    Some(keys.into_boxed_slice())
}

/// Whether `?` at the end of a path keeps null from a group that has a value for it.
fn is_guarded_group(path: &Path, group: &Items) -> bool {
    let may_have_value = |member: &Member| presence(&member.value) != Presence::Never;
    matches!(path.steps.last(), Some(Step::Question(_))) && members(group).any(may_have_value)
}

fn members(items: &Items) -> impl Iterator<Item = &Member> {
    items.items.iter().filter_map(|item| match item {
        Item::Member(member) => Some(member),
        Item::Whole(_) | Item::Spread(_) => None,
    })
}

/// Whether a member of a group has a value where the group is applied to null or a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Never,
    Possible,
    Always,
}

fn presence(value: &MemberValue) -> Presence {
    match value {
        MemberValue::Group(_) => Presence::Always,
        MemberValue::Expr(Expr::Path(path)) => match &path.head {
            Head::Key(_) => Presence::Never,
            Head::Dollar(_) | Head::At(_) if path.steps.is_empty() => Presence::Always,
            _ => Presence::Possible,
        },
        MemberValue::Expr(_) => Presence::Possible,
    }
}

/// Whether a path binds a variable (`->as`), which its group may use.
fn has_binding(path: &Path) -> bool {
    let mut steps = path.steps.iter();
    steps.any(|step| matches!(step, Step::Method(name, _) if name.name == "as"))
}

/// Whether a group has only members, and each key once.
fn is_plain(items: &Items) -> bool {
    let mut names: Vec<&str> = Vec::with_capacity(items.items.len());
    items.items.iter().all(|item| match item {
        Item::Member(member) => {
            let is_new = !names.contains(&member.key.name.as_str());
            names.push(&member.key.name);
            is_new
        }
        Item::Whole(_) | Item::Spread(_) => false,
    })
}

fn member_named<'a>(items: &'a Items, name: &str) -> Option<&'a MemberValue> {
    let mut members = members(items);
    let member = members.find(|member| member.key.name == name)?;
    Some(&member.value)
}
