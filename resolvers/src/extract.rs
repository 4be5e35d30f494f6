//! What becomes of a body: a connector's mapping, cut to the slots that a fetch takes
//! (connect specification, "narrowing").
//!
//! Most of a mapping is paths of keys and braces around them. Those are compiled here into one
//! pass over the members of each object, straight from the parsed body into slots. Whatever else
//! a mapping may say (methods, literals, operators, spreads) is evaluated by the mapping language
//! itself, member by member, and what it gives is taken in by field name.

use schema::mapping::ast::{Expr, Head, Item, MemberValue, Path, Selection as Items, Step};
use schema::types::{TypeId, Types};

use crate::plan::Takes;
use crate::selection::{PositionId, Selection, Slot};

pub(crate) mod fill;

/// Where a value is, seen from the object it is looked for in, and what is taken of it.
#[derive(Debug)]
pub(crate) struct Extract {
    pub(crate) from: From,
    pub(crate) take: Take,
}

/// How a value is found.
#[derive(Debug)]
pub(crate) enum From {
    /// Behind these keys; none: it is the object itself.
    Keys(Box<[Box<str>]>),
    /// By evaluating this where `$` and `@` are the object.
    Eval(Box<MemberValue>),
}

/// What is taken of a value.
#[derive(Debug)]
pub(crate) enum Take {
    /// The whole, inside so many lists.
    Leaf { lists: usize },
    /// Slots of an object, or of each object of a list.
    Object(Fields),
}

/// The slots of an object at a place.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) at: PositionId,
    /// Found behind keys: first key, then the slots behind it.
    pub(crate) keyed: Vec<(Box<str>, Vec<Field>)>,
    /// Found otherwise.
    pub(crate) others: Vec<Field>,
    /// How the object says of which type it is, where it may be of several.
    pub(crate) type_name: Option<TypeName>,
}

/// A slot and how it is filled; in `keyed` the first key is left out of `from`.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) slot: usize,
    pub(crate) extract: Extract,
}

/// Where `__typename` is, and the types it may name.
#[derive(Debug)]
pub(crate) struct TypeName {
    pub(crate) from: From,
    pub(crate) types: Vec<(Box<str>, TypeId)>,
}

/// What compiling needs at every step.
pub(crate) struct Compile<'a> {
    pub(crate) types: &'a Types,
    pub(crate) selection: &'a Selection,
    pub(crate) takes: &'a Takes,
}

impl Compile<'_> {
    /// A mapping whose value is the object (or a list of objects) at `at`.
    pub(crate) fn object(&self, items: &Items, at: PositionId) -> Extract {
        self.whole(items, Target::Object(at))
    }

    /// A mapping whose value is that of `slot` at `at`.
    pub(crate) fn slot(&self, items: &Items, at: PositionId, slot: usize) -> Extract {
        let slot = &self.selection.position(at).slots[slot];
        self.whole(items, Target::of(slot))
    }

    /// A kept value that is the object at `at`: its members have the names of fields.
    pub(crate) fn kept_object(&self, at: PositionId) -> Extract {
        self.kept(Target::Object(at))
    }

    /// A kept value that is that of `slot` at `at`.
    pub(crate) fn kept_slot(&self, at: PositionId, slot: usize) -> Extract {
        self.kept(Target::of(&self.selection.position(at).slots[slot]))
    }

    fn kept(&self, target: Target) -> Extract {
        Extract {
            from: From::Keys(Box::default()),
            take: self.by_name(target),
        }
    }

    fn whole(&self, items: &Items, target: Target) -> Extract {
        match items.items.as_slice() {
            [Item::Whole(expr)] => self.expr(expr, target),
            _ => self.group(items, target),
        }
    }

    fn member(&self, member: &MemberValue, target: Target) -> Extract {
        match member {
            MemberValue::Group(group) => self.group(group, target),
            MemberValue::Expr(expr) => self.expr(expr, target),
        }
    }

    fn expr(&self, expr: &Expr, target: Target) -> Extract {
        let eval = |expr: &Expr| From::Eval(Box::new(MemberValue::Expr(expr.clone())));
        let Expr::Path(path) = expr else {
            return Extract {
                from: eval(expr),
                take: self.by_name(target),
            };
        };
        let plain = path.group.as_ref().is_none_or(is_plain);
        let from = match keys(path) {
            Some(keys) if plain => From::Keys(keys),
            _ => match &path.group {
                Some(group) if !binds(path) && is_plain(group) => eval(&Expr::Path(Path {
                    group: None,
                    ..path.clone()
                })),
                _ => {
                    return Extract {
                        from: eval(expr),
                        take: self.by_name(target),
                    };
                }
            },
        };
        let take = match (&path.group, target) {
            (Some(group), Target::Object(at)) => self.items(group, at),
            _ => self.by_name(target),
        };
        Extract { from, take }
    }

    fn group(&self, group: &Items, target: Target) -> Extract {
        match target {
            Target::Object(at) if is_plain(group) => Extract {
                from: From::Keys(Box::default()),
                take: self.items(group, at),
            },
            _ => Extract {
                from: From::Eval(Box::new(MemberValue::Group(group.clone()))),
                take: self.by_name(target),
            },
        }
    }

    /// The slots that an item list gives of an object.
    fn items(&self, items: &Items, at: PositionId) -> Take {
        let mut fields = Fields::new(at);
        for slot in self.slots(at) {
            let name = &self.selection.position(at).slots[slot].field;
            if let Some(member) = member_of(items, name) {
                let target = Target::of(&self.selection.position(at).slots[slot]);
                fields.add(slot, self.member(member, target));
            }
        }
        fields.type_name = self.type_name(at, || {
            let member = member_of(items, "__typename")?;
            Some(self.member(member, Target::Leaf(0)).from)
        });
        Take::Object(fields)
    }

    /// What is taken of a value whose members already have the names of fields.
    fn by_name(&self, target: Target) -> Take {
        let at = match target {
            Target::Leaf(lists) => return Take::Leaf { lists },
            Target::Object(at) => at,
        };
        let mut fields = Fields::new(at);
        for slot in self.slots(at) {
            let definition = &self.selection.position(at).slots[slot];
            let keys = vec![definition.field.as_ref().into()].into_boxed_slice();
            fields.add(
                slot,
                Extract {
                    from: From::Keys(keys),
                    take: self.by_name(Target::of(definition)),
                },
            );
        }
        fields.type_name = self.type_name(at, || {
            Some(From::Keys(vec!["__typename".into()].into_boxed_slice()))
        });
        Take::Object(fields)
    }

    fn slots(&self, at: PositionId) -> impl Iterator<Item = usize> + '_ {
        let slots = self.takes.get(&at).into_iter();
        slots.flat_map(|slots| slots.keys()).copied()
    }

    fn type_name(&self, at: PositionId, from: impl FnOnce() -> Option<From>) -> Option<TypeName> {
        let position = self.selection.position(at);
        if !position.is_abstract(self.types) {
            return None;
        }
        let possible = self.types.get(position.ty).possible.iter();
        Some(TypeName {
            from: from()?,
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
    fn of(slot: &Slot) -> Self {
        match slot.child {
            Some(child) => Self::Object(child),
            None => Self::Leaf(slot.ty.lists()),
        }
    }
}

impl Fields {
    fn new(at: PositionId) -> Self {
        Self {
            at,
            keyed: Vec::new(),
            others: Vec::new(),
            type_name: None,
        }
    }

    fn add(&mut self, slot: usize, extract: Extract) {
        let Extract { from, take } = extract;
        match from {
            From::Keys(keys) if !keys.is_empty() => {
                let mut keys = keys.into_vec();
                let first = keys.remove(0);
                let from = From::Keys(keys.into_boxed_slice());
                let field = Field {
                    slot,
                    extract: Extract { from, take },
                };
                match self.keyed.iter_mut().find(|(key, _)| *key == first) {
                    Some((_, fields)) => fields.push(field),
                    None => self.keyed.push((first, vec![field])),
                }
            }
            from => self.others.push(Field {
                slot,
                extract: Extract { from, take },
            }),
        }
    }
}

/// The keys of a path that is nothing but keys of the object it starts from.
fn keys(path: &Path) -> Option<Box<[Box<str>]>> {
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
fn binds(path: &Path) -> bool {
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

fn member_of<'a>(items: &'a Items, name: &str) -> Option<&'a MemberValue> {
    items.items.iter().find_map(|item| match item {
        Item::Member(member) if member.key.name == name => Some(&member.value),
        Item::Member(_) | Item::Whole(_) | Item::Spread(_) => None,
    })
}
