//! Computed objects and lists.
//!
//! Both track their approximate text length, so that an evaluation can limit its output.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use indexmap::IndexMap;

use super::value::Value;

/// An object with unique keys in insertion order; large ones are hashed.
#[derive(Clone, Default)]
pub struct Object<'a> {
    members: Members<'a>,
    weight: usize,
}

/// The elements of a list.
#[derive(Clone)]
pub struct Values<'a> {
    elements: Box<[Value<'a>]>,
    weight: usize,
}

impl<'a> Values<'a> {
    /// Creates a list of these elements.
    pub fn new(elements: Vec<Value<'a>>) -> Self {
        let weight = elements.iter().map(|element| element.weight() + 1);
        Self {
            weight: weight.fold(2, usize::saturating_add),
            elements: elements.into(),
        }
    }

    /// The approximate text length in bytes, brackets included.
    pub fn weight(&self) -> usize {
        self.weight
    }
}

impl<'a> Deref for Values<'a> {
    type Target = [Value<'a>];

    fn deref(&self) -> &[Value<'a>] {
        &self.elements
    }
}

#[derive(Clone)]
enum Members<'a> {
    Few(Vec<(Cow<'a, str>, Value<'a>)>),
    Many(IndexMap<Cow<'a, str>, Value<'a>, foldhash::fast::RandomState>),
}

impl<'a> Object<'a> {
    /// Creates an empty object with room for `members` members.
    pub fn with_capacity(members: usize) -> Self {
        Self {
            members: Members::Few(Vec::with_capacity(members.min(MAX_LINEAR_MEMBERS))),
            weight: 0,
        }
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        match &self.members {
            Members::Few(members) => members.len(),
            Members::Many(members) => members.len(),
        }
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member called `key`.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match &self.members {
            Members::Few(members) => members
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            Members::Many(members) => members.get(key),
        }
    }

    /// The approximate text length in bytes, braces included.
    pub fn weight(&self) -> usize {
        self.weight.saturating_add(2)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a>> {
        match &mut self.members {
            Members::Few(members) => members
                .iter_mut()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            Members::Many(members) => members.get_mut(key),
        }
    }

    /// Sets a member and returns its old value. An existing member keeps its position.
    pub fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: Value<'a>) -> Option<Value<'a>> {
        let key = key.into();
        if let Some(old) = self.get_mut(&key) {
            let weight = value.weight();
            let old = std::mem::replace(old, value);
            let others = self.weight.saturating_sub(old.weight());
            self.weight = others.saturating_add(weight);
            return Some(old);
        }
        self.push(key, value);
        None
    }

    /// Creates an object of members with distinct keys.
    pub(crate) fn from_distinct(members: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        let weights = members
            .iter()
            .map(|(key, value)| value.weight().saturating_add(key.len() + 4));
        Self {
            weight: weights.fold(0, usize::saturating_add),
            members: if members.len() <= MAX_LINEAR_MEMBERS {
                Members::Few(members)
            } else {
                Members::Many(members.into_iter().collect())
            },
        }
    }

    fn push(&mut self, key: Cow<'a, str>, value: Value<'a>) {
        self.weight = (self.weight.saturating_add(value.weight())).saturating_add(key.len() + 4);
        match &mut self.members {
            Members::Few(members) if members.len() < MAX_LINEAR_MEMBERS => {
                members.push((key, value));
            }
            Members::Few(members) => {
                let mut many: IndexMap<_, _, _> = std::mem::take(members).into_iter().collect();
                many.insert(key, value);
                self.members = Members::Many(many);
            }
            Members::Many(members) => {
                members.insert(key, value);
            }
        }
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        let (few, many) = match &self.members {
            Members::Few(members) => (members.as_slice(), None),
            Members::Many(members) => ([].as_slice(), Some(members.iter())),
        };
        few.iter().map(|(key, value)| (key.as_ref(), value)).chain(
            many.into_iter()
                .flatten()
                .map(|(key, value)| (key.as_ref(), value)),
        )
    }

    /// The owned members in order.
    pub fn into_members(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        let (few, many) = match self.members {
            Members::Few(members) => (members, None),
            Members::Many(members) => (Vec::new(), Some(members)),
        };
        few.into_iter().chain(many.into_iter().flatten())
    }
}

impl Default for Members<'_> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Value<'a>)> for Object<'a> {
    /// Collects members; of equal keys the last value is used at the position of the first.
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Value<'a>)>>(members: I) -> Self {
        let mut object = Self::default();
        for (key, value) in members {
            object.insert(key, value);
        }
        object
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

/// Maximum number of members that are searched linearly, which is faster than hashing for few.
const MAX_LINEAR_MEMBERS: usize = 12;
