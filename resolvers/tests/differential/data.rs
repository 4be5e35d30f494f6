//! The values of the unsplit graph: each is derived from the seed, the object, the field and its
//! arguments, so that none is stored.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use apollo_compiler::response::{JsonMap, JsonValue};

use crate::fault::{Faults, SharedFaults};
use crate::model::{Availability, Field, Kind, Model, Name, Pick, Role, Ty};
use crate::random::{below, mixed};

/// The values of a graph.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) model: Model,
    /// The object types that a field may return, by object type and field.
    targets: HashMap<(Name, Name), Vec<Name>>,
    /// The faults of the case that is running.
    faults: RwLock<SharedFaults>,
}

/// An object; the seed of an entity is a small number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    pub(crate) ty: Name,
    pub(crate) seed: u64,
}

/// The value of a field.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    /// An error, because of a fault.
    Throws,
    /// A value that the type does not allow, because of a fault.
    Wrong(JsonValue),
    Leaf(JsonValue),
    Thing(Thing),
    List(Vec<Self>),
}

/// A value that has an error inside, or is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// Number of objects of each entity type.
const INSTANCES: usize = 3;

impl Data {
    pub(crate) fn new(model: Model) -> Self {
        let mut targets = HashMap::new();
        for (name, ty) in &model.types {
            for (field_name, field) in &ty.fields {
                let found = found_at(&model, name, field_name, field);
                targets.insert((Arc::clone(name), Arc::clone(field_name)), found);
            }
        }
        Self {
            model,
            targets,
            faults: RwLock::default(),
        }
    }

    /// The faults of the case that is running.
    pub(crate) fn faults(&self) -> SharedFaults {
        Arc::clone(&self.faults.read().unwrap())
    }

    pub(crate) fn set_faults(&self, faults: &Faults) {
        *self.faults.write().unwrap() = Arc::new(faults.clone());
    }

    /// All entities of a type, or of the members of an interface.
    pub(crate) fn entities(&self, name: &str) -> Vec<Thing> {
        let members = self.model.members(name).into_iter();
        members
            .flat_map(|ty| {
                (0..INSTANCES as u64).map(move |seed| Thing {
                    ty: Arc::clone(&ty),
                    seed,
                })
            })
            .collect()
    }

    pub(crate) fn field(&self, thing: &Thing, name: &str) -> Option<&Field> {
        self.model.get(&thing.ty)?.fields.get(name)
    }

    /// The value of a field; a field whose requirements have failed fails too.
    pub(crate) fn of(&self, thing: &Thing, name: &str, arguments: &JsonMap) -> Value {
        match self.requirements(thing, name) {
            Ok(requirements) => self.computed(thing, name, arguments, &requirements),
            Err(Failed) => Value::Throws,
        }
    }

    /// The requirements of a field as JSON, with the values of the unsplit graph.
    pub(crate) fn requirements(&self, thing: &Thing, name: &str) -> Result<String, Failed> {
        match self.field(thing, name) {
            Some(field) if !field.requires.is_empty() => {
                Ok(self.picked(thing, &field.requires)?.to_string())
            }
            _ => Ok(String::new()),
        }
    }

    /// The value of a field that is computed from the JSON of its requirements.
    pub(crate) fn computed(
        &self,
        thing: &Thing,
        name: &str,
        arguments: &JsonMap,
        requirements: &str,
    ) -> Value {
        let Some(field) = self.field(thing, name) else {
            return Value::Null;
        };
        if self.is_unknown(thing, name) {
            return Value::Null;
        }
        let mut hash = mixed(self.model.seed ^ thing.seed, &thing.ty);
        hash = mixed(hash, name);
        for (name, value) in sorted(arguments) {
            hash = mixed(hash, &format!("{name}={value}"));
        }
        hash = mixed(hash, requirements);
        let key = (Arc::clone(&thing.ty), Name::from(name));
        let targets = self.targets.get(&key).map_or(&[][..], Vec::as_slice);
        let shape = Shape {
            thing,
            role: field.role,
            ty: &field.ty,
            targets,
            model: &self.model,
        };
        let value = shape.value(hash, 0);
        self.faults().broken(&self.model, (thing, name), value)
    }

    /// Whether only a subgraph that does not know the object could resolve the field.
    fn is_unknown(&self, thing: &Thing, name: &str) -> bool {
        let ty = self.model.get(&thing.ty);
        let unknown = ty.and_then(|ty| ty.unknown.as_ref());
        unknown.is_some_and(|(subgraph, seed)| {
            *seed == thing.seed && self.model.subgraphs_of(&thing.ty, name) == [subgraph]
        })
    }

    /// Whether a subgraph does not know the object.
    pub(crate) fn is_stranger(&self, thing: &Thing, subgraph: &str) -> bool {
        let ty = self.model.get(&thing.ty);
        let unknown = ty.and_then(|ty| ty.unknown.as_ref());
        unknown.is_some_and(|(it, seed)| **it == *subgraph && *seed == thing.seed)
    }

    /// The fields of a field set as JSON, in the order of the set; `Err` if one of them has an
    /// error.
    pub(crate) fn picked(&self, thing: &Thing, picks: &[Pick]) -> Result<JsonValue, Failed> {
        let mut object = JsonMap::new();
        for pick in picks {
            if pick.on.as_ref().is_some_and(|on| *on != thing.ty) {
                continue;
            }
            let arguments = self.defaults(thing, &pick.field);
            let value = self.of(thing, &pick.field, &arguments);
            let required = self.required(thing, &pick.field);
            object.insert(&*pick.field, self.json(&value, &pick.inner, &required)?);
        }
        Ok(object.into())
    }

    /// The non-null marks of a field for clients, the outermost first.
    pub(crate) fn required(&self, thing: &Thing, name: &str) -> Vec<bool> {
        let Some(field) = self.field(thing, name) else {
            return Vec::new();
        };
        let mut required = field.ty.required.to_vec();
        required[0] |= self.model.is_stricter_everywhere(&thing.ty, name);
        required
    }

    fn json(&self, value: &Value, inner: &[Pick], required: &[bool]) -> Result<JsonValue, Failed> {
        match value {
            Value::Null if required.first() == Some(&true) => Err(Failed),
            Value::Null => Ok(JsonValue::Null),
            Value::Throws | Value::Wrong(_) => Err(Failed),
            Value::Leaf(leaf) => Ok(leaf.clone()),
            Value::Thing(thing) => self.picked(thing, inner),
            Value::List(items) => {
                let below = required.get(1..).unwrap_or_default();
                let items = items.iter().map(|item| self.json(item, inner, below));
                Ok(JsonValue::Array(items.collect::<Result<_, _>>()?))
            }
        }
    }

    /// The arguments of a field with the one that an ancestor gives, the nearest last.
    pub(crate) fn in_context(
        &self,
        thing: &Thing,
        name: &str,
        arguments: &JsonMap,
        ancestors: &[Thing],
    ) -> Result<JsonMap, Failed> {
        let mut arguments = arguments.clone();
        let context = self.field(thing, name).and_then(|it| it.context.as_ref());
        if let Some(context) = context {
            let mut above = ancestors.iter().rev();
            if let Some(owner) = above.find(|it| it.ty == context.owner) {
                let picked = self.picked(owner, &[Pick::leaf(&context.field)])?;
                let value = picked.get(&*context.field).cloned();
                arguments.insert("from", value.unwrap_or_default());
            }
        }
        Ok(arguments)
    }

    /// The default arguments of a field.
    pub(crate) fn defaults(&self, thing: &Thing, name: &str) -> JsonMap {
        let mut arguments = JsonMap::new();
        if let Some(field) = self.field(thing, name) {
            for (name, argument) in &field.arguments {
                if let Some(default) = &argument.default {
                    arguments.insert(&**name, default.json.clone());
                }
            }
        }
        arguments
    }
}

fn sorted(arguments: &JsonMap) -> Vec<(&str, String)> {
    let arguments = arguments.iter();
    let mut sorted: Vec<_> = arguments
        .map(|(name, value)| (name.as_str(), value.to_string()))
        .collect();
    sorted.sort();
    sorted
}

/// The object types that a field may return: those that every subgraph with the field knows.
pub(crate) fn found_at(model: &Model, owner: &str, name: &str, field: &Field) -> Vec<Name> {
    let target = &field.ty.named;
    let mut found = model.members(target);
    let homes = model.get(owner).map(|ty| &ty.homes);
    for (subgraph, home) in homes.into_iter().flatten() {
        let home_field = home.fields.get(name);
        let is_there = home_field
            .is_some_and(|home_field| home_field.availability != Availability::Overridden);
        if let Some(narrower) = home_field.and_then(|home_field| home_field.narrower.as_ref()) {
            found.retain(|object| object == narrower);
        }
        let there = model.home(target, subgraph);
        let there = there.filter(|there| !there.members.is_empty());
        if let (true, Some(there)) = (is_there, there) {
            found.retain(|object| there.members.contains(object));
        }
    }
    found
}

/// The derivation of one value.
struct Shape<'a> {
    thing: &'a Thing,
    role: Role,
    ty: &'a Ty,
    targets: &'a [Name],
    model: &'a Model,
}

impl Shape<'_> {
    fn value(&self, hash: u64, level: usize) -> Value {
        let never_null = self.role != Role::Plain || self.ty.required[level];
        if !never_null && below(mixed(hash, "null"), 8) == 0 {
            return Value::Null;
        }
        if level < self.ty.lists {
            let count = [0, 1, 2, 2][below(mixed(hash, "count"), 4)];
            let items =
                (0..count).map(|index| self.value(mixed(hash, &index.to_string()), level + 1));
            return Value::List(items.collect());
        }
        if self.model.get(&self.ty.named).is_some() {
            return self.object(hash);
        }
        Value::Leaf(self.leaf(hash))
    }

    fn object(&self, hash: u64) -> Value {
        if self.targets.is_empty() {
            return Value::Null;
        }
        let ty = &self.targets[below(hash, self.targets.len())];
        let is_entity = (self.model.get(ty)).is_some_and(|ty| ty.kind == Kind::Entity);
        let seed = match self.role {
            Role::Twin => self.thing.seed,
            _ if is_entity => mixed(hash, "entity") % INSTANCES as u64,
            _ => hash,
        };
        let ty = Arc::clone(ty);
        Value::Thing(Thing { ty, seed })
    }

    fn leaf(&self, hash: u64) -> JsonValue {
        let Thing { ty, seed } = self.thing;
        match self.role {
            Role::Id => return format!("{ty}-{seed:x}").into(),
            Role::Number => return (7 * seed + 1).into(),
            Role::Low => return (seed % 2).into(),
            Role::High => return format!("h{}", seed / 2).into(),
            Role::Plain | Role::Present | Role::Twin => {}
        }
        let number = below(hash, 1000);
        match &*self.ty.named {
            "Int" => number.into(),
            "Float" => (f64::from(u32::try_from(number).unwrap_or(0)) / 4.0).into(),
            "Boolean" => number.is_multiple_of(2).into(),
            "Color" => ["RED", "GREEN", "BLUE"][number % 3].into(),
            "Json" => json(hash, 2),
            _ => format!("{} {number}", WORDS[number % WORDS.len()]).into(),
        }
    }
}

/// A value of a custom scalar.
fn json(hash: u64, depth: usize) -> JsonValue {
    match below(hash, if depth == 0 { 3 } else { 6 }) {
        0 => true.into(),
        1 => below(mixed(hash, "n"), 50).into(),
        2 => "text".into(),
        3 => JsonValue::Array(vec![json(mixed(hash, "0"), depth - 1), JsonValue::Null]),
        4 => JsonValue::Array(Vec::new()),
        _ => {
            let mut object = JsonMap::new();
            object.insert("__typename", "Nothing".into());
            object.insert("id", json(mixed(hash, "id"), depth - 1));
            object.into()
        }
    }
}

const WORDS: [&str; 5] = ["ada", "\"quoted\" \\", "línea\n", "𝔘", ""];
