//! Faults of the parts of a graph. Each hits the same values in the services and in the reference,
//! so that both agree on what has failed.

use std::fmt;
use std::sync::Arc;

use apollo_compiler::response::JsonValue;

use crate::data::{Thing, Value};
use crate::model::{Field, Model, Name};

pub(crate) mod generate;

/// One fault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// A field of some objects of a type, in every subgraph that resolves it.
    Field {
        ty: Name,
        field: Name,
        objects: Objects,
        how: Broken,
    },
    /// All calls of a subgraph.
    Service { subgraph: Name, how: Down },
    /// Some entities of a type, when a subgraph is called for them by key.
    Entity {
        subgraph: Name,
        ty: Name,
        objects: Objects,
        how: Lost,
    },
}

/// Some of the objects of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objects {
    All,
    /// One third of them: of an entity the object of this number.
    Third(u64),
}

/// What a field has in place of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Throws,
    Null,
    /// A value of another type.
    Wrong,
    /// The first item of a list is null; the value itself where there is no list.
    NullItem,
    ThrowingItem,
    WrongItem,
}

/// The response of a subgraph that is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Down {
    /// 503 over HTTP; without HTTP text that is not JSON.
    Unavailable,
    /// An error without data.
    NoData,
    /// 200 with text that is not JSON.
    NotJson,
    /// The connection is closed; without HTTP the service panics.
    Gone,
}

/// The response for an entity that a subgraph has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Null, without an error: it is not found.
    Missing,
    Throws,
}

/// The faults of one case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl Objects {
    fn has(self, thing: &Thing) -> bool {
        match self {
            Self::All => true,
            Self::Third(third) => thing.seed % 3 == third,
        }
    }
}

impl Faults {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault of a subgraph as a whole.
    pub(crate) fn service(&self, name: &str) -> Option<Down> {
        self.0.iter().find_map(|fault| match fault {
            Fault::Service { subgraph, how } if **subgraph == *name => Some(*how),
            _ => None,
        })
    }

    /// The fault of an entity in a subgraph.
    pub(crate) fn entity(&self, name: &str, thing: &Thing) -> Option<Lost> {
        self.0.iter().find_map(|fault| match fault {
            Fault::Entity {
                subgraph,
                ty,
                objects,
                how,
            } if **subgraph == *name && *ty == thing.ty && objects.has(thing) => Some(*how),
            _ => None,
        })
    }

    /// The value of a field with the faults of the field.
    pub(crate) fn broken(
        &self,
        model: &Model,
        (thing, name): (&Thing, &str),
        value: Value,
    ) -> Value {
        let found = self.0.iter().find_map(|fault| match fault {
            Fault::Field {
                ty,
                field,
                objects,
                how,
            } if *ty == thing.ty && **field == *name && objects.has(thing) => Some(*how),
            _ => None,
        });
        let field = model.get(&thing.ty).and_then(|ty| ty.fields.get(name));
        match (found, field) {
            (Some(how), Some(field)) => broken_value((model, field), how, value),
            _ => value,
        }
    }

    /// The faults without values that the graph does not allow, which are cached with their errors.
    /// REST services have no errors of fields, but such values.
    pub(crate) fn without_unexpected_values(&self, model: &Model) -> Self {
        let is_error = |fault: &&Fault| match fault {
            Fault::Field { ty, field, how, .. } => {
                let mut subgraphs = model.subgraphs_of(ty, field).into_iter();
                matches!(how, Broken::Throws | Broken::ThrowingItem)
                    && !subgraphs.any(|subgraph| model.is_rest(subgraph))
            }
            Fault::Service { .. } | Fault::Entity { .. } => true,
        };
        Self(self.0.iter().filter(is_error).cloned().collect())
    }

    /// Whether a subgraph does not find some entity.
    pub(crate) fn has_missing(&self) -> bool {
        let is_missing = |fault: &Fault| matches!(fault, Fault::Entity { .. });
        self.0.iter().any(is_missing)
    }

    /// The faults without those of parts that a graph does not have.
    pub(crate) fn pruned(&self, model: &Model) -> Self {
        let is_here = |fault: &&Fault| match fault {
            Fault::Field { ty, field, .. } => model
                .get(ty)
                .is_some_and(|ty| ty.fields.contains_key(field)),
            Fault::Service { subgraph, .. } => model.subgraphs.contains(subgraph),
            Fault::Entity { subgraph, ty, .. } => model.home(ty, subgraph).is_some(),
        };
        Self(self.0.iter().filter(is_here).cloned().collect())
    }

    /// Sets of faults with one part less.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        for index in 0..self.0.len() {
            let mut without = self.0.clone();
            without.remove(index);
            smaller.push(Self(without));
        }
        for (index, fault) in self.0.iter().enumerate() {
            if let Some(simple) = fault.simpler() {
                let mut changed = self.0.clone();
                changed[index] = simple;
                smaller.push(Self(changed));
            }
        }
        smaller
    }
}

impl Fault {
    /// The same fault of all objects.
    fn simpler(&self) -> Option<Self> {
        let mut simple = self.clone();
        match &mut simple {
            Self::Field { objects, .. } | Self::Entity { objects, .. } => *objects = Objects::All,
            Self::Service { .. } => {}
        }
        (simple != *self).then_some(simple)
    }
}

fn broken_value((model, field): (&Model, &Field), how: Broken, value: Value) -> Value {
    let is_item = matches!(
        how,
        Broken::NullItem | Broken::ThrowingItem | Broken::WrongItem
    );
    match value {
        Value::List(mut items) if is_item && !items.is_empty() => {
            items[0] = broken_at((model, field), how, 1);
            Value::List(items)
        }
        _ => broken_at((model, field), how, 0),
    }
}

fn broken_at((model, field): (&Model, &Field), how: Broken, level: usize) -> Value {
    match how {
        Broken::Throws | Broken::ThrowingItem => Value::Throws,
        Broken::Null | Broken::NullItem => Value::Null,
        Broken::Wrong | Broken::WrongItem => Value::Wrong(wrong_value(model, field, level)),
    }
}

/// A value that the type of a field does not allow, below `level` lists.
pub(crate) fn wrong_value(model: &Model, field: &Field, level: usize) -> JsonValue {
    let is_list = level < field.ty.lists;
    match &*field.ty.named {
        _ if is_list => "no list".into(),
        name if model.get(name).is_some() => "no object".into(),
        "Color" => "PURPLE".into(),
        "String" | "ID" => JsonValue::Array(vec![true.into()]),
        _ => "no number".into(),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |objects: &Objects| match objects {
            Objects::All => String::new(),
            Objects::Third(third) => format!(" of objects {third} mod 3"),
        };
        match self {
            Self::Field {
                ty,
                field,
                objects,
                how,
            } => write!(f, "{ty}.{field}{} {how:?}", of(objects)),
            Self::Service { subgraph, how } => write!(f, "{subgraph} is down: {how:?}"),
            Self::Entity {
                subgraph,
                ty,
                objects,
                how,
            } => write!(f, "{ty}{} in {subgraph}: {how:?}", of(objects)),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|fault| writeln!(f, "fault: {fault}"))
    }
}

/// Whether a field may have a fault: a part of a key may not, since clients do not see which keys a
/// plan reads, and neither may a field that only some subgraphs declare non-null.
pub(crate) fn may_break(model: &Model, ty: &Name, name: &Name) -> bool {
    let Some(definition) = model.get(ty) else {
        return false;
    };
    let mut homes = definition.homes.values();
    let is_stricter = homes.any(|home| home.fields.get(name).is_some_and(|it| it.is_stricter));
    let field = &definition.fields[name];
    let is_json = &*field.ty.named == "Json";
    !is_key(model, ty, name) && !is_json && (!is_stricter || model.is_stricter_everywhere(ty, name))
}

/// Whether a field is a part of a key of any type, directly or nested.
fn is_key(model: &Model, ty: &Name, name: &Name) -> bool {
    let interfaces = model.interfaces(ty, None).into_iter();
    let own = interfaces.chain([ty]).any(|ty| {
        let mut picks = model.types[ty].keys.iter().flatten();
        picks.any(|pick| pick.field == *name)
    });
    let mut all = model.types.values().flat_map(|ty| ty.keys.iter().flatten());
    own || all.any(|pick| pick.inner.iter().any(|inner| inner.field == *name))
}

/// The faults that a case has, shared with its services.
pub(crate) type SharedFaults = Arc<Faults>;
