//! Merges members into an object.
//!
//! Values with equal keys are merged: objects by key, lists by position, null wins, otherwise the
//! later value does. Functions that merge return whether values of different types were merged.

use std::borrow::Cow;
use std::rc::Rc;

use crate::json::{Object, Value};

/// The value of an item list under construction.
pub(super) enum Merged<'a> {
    Object(Object<'a>),
    /// A value of another kind that replaced the object.
    Other(Value<'a>),
}

impl<'a> Merged<'a> {
    pub(super) fn with_capacity(members: usize) -> Self {
        Self::Object(Object::with_capacity(members))
    }

    /// Adds one member.
    pub(super) fn insert(&mut self, key: Cow<'a, str>, value: Value<'a>) -> bool {
        match self {
            Self::Object(object) => insert(object, key, value),
            Self::Other(other) if other.is_null() => false,
            Self::Other(_) => {
                let mut object = Object::default();
                object.insert(key, value);
                *self = Self::Object(object);
                true
            }
        }
    }

    /// Merges a whole value.
    pub(super) fn merge(&mut self, value: Value<'a>) -> bool {
        if matches!(self, Self::Other(other) if other.is_null()) {
            return false;
        }
        match self {
            Self::Object(object) if value.is_object() => merge_members(object, value),
            _ => {
                let is_lossy = !value.is_null();
                *self = Self::Other(value);
                is_lossy
            }
        }
    }

    pub(super) fn into_value(self) -> Value<'a> {
        match self {
            Self::Object(object) => Value::object(object),
            Self::Other(value) => value,
        }
    }
}

fn insert<'a>(object: &mut Object<'a>, key: Cow<'a, str>, value: Value<'a>) -> bool {
    let Some(old) = object.get(&key) else {
        object.insert(key, value);
        return false;
    };
    let (merged, is_lossy) = merged(old.clone(), value);
    object.insert(key, merged);
    is_lossy
}

fn merge_members<'a>(object: &mut Object<'a>, value: Value<'a>) -> bool {
    let mut is_lossy = false;
    for (key, value) in members(value) {
        is_lossy |= insert(object, key, value);
    }
    is_lossy
}

fn merged<'a>(old: Value<'a>, new: Value<'a>) -> (Value<'a>, bool) {
    if old.is_null() || new.is_null() {
        return (Value::Null, false);
    }
    if old.is_object() && new.is_object() {
        let mut object: Object<'a> = members(old).collect();
        let is_lossy = merge_members(&mut object, new);
        return (Value::object(object), is_lossy);
    }
    let (Some(left), Some(right)) = (old.as_list(), new.as_list()) else {
        let is_lossy = old.kind_name() != new.kind_name();
        return (new, is_lossy);
    };
    let len = left.len().max(right.len());
    let (mut left, mut right) = (left.iter(), right.iter());
    let mut is_lossy = false;
    let elements = (0..len).filter_map(|_| match (left.next(), right.next()) {
        (Some(old), Some(new)) => {
            let (merged, lossy) = merged(old, new);
            is_lossy |= lossy;
            Some(merged)
        }
        (old, new) => old.or(new),
    });
    (Value::list(elements.collect()), is_lossy)
}

/// The members of an object, moved out of it if it is not shared.
fn members(value: Value<'_>) -> impl Iterator<Item = (Cow<'_, str>, Value<'_>)> {
    let (node, object) = match value {
        Value::Node(node) => (Some(node.members()), None),
        Value::Object(object) => (
            None,
            Some(Rc::try_unwrap(object).unwrap_or_else(|shared| (*shared).clone())),
        ),
        _ => (None, None),
    };
    let nodes = node.into_iter().flatten();
    nodes
        .map(|(key, node)| (key.decode(), Value::Node(node)))
        .chain(object.into_iter().flat_map(Object::into_members))
}
