//! Scopes of an evaluation: the values of `$`, `@` and variables, and the origin of values.
//!
//! Scopes live on the stack and point to the enclosing ones. The path of a report is built only
//! when a report is added.

use std::borrow::Cow;

use super::ast::{Head, Path, Step};
use super::report::PathElement;
use crate::json::Value;

/// The external variables of a mapping: `args`, `this`, `config` and so on, without dollar sign.
#[derive(Clone, Debug, Default)]
pub struct Vars<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Vars<'a> {
    /// Creates an empty set of variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces `$name`.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets or replaces `$name`.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The value of `$name`.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// The approximate text length of all values, in bytes.
    pub(super) fn weight(&self) -> usize {
        let weights = self.0.iter().map(|(_, value)| value.weight());
        weights.fold(0, usize::saturating_add)
    }

    /// The names of the variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }
}

/// The values that a part of a mapping can access.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'a> {
    /// `$`
    pub(super) dollar: TracedValue<'s, 'a>,
    /// `@`
    pub(super) at: TracedValue<'s, 'a>,
    pub(super) locals: Option<&'s Local<'s, 'a>>,
}

/// A value with its origin.
#[derive(Clone, Copy)]
pub(super) struct TracedValue<'s, 'a> {
    pub(super) value: &'s Value<'a>,
    pub(super) trail: &'s Trail<'s>,
}

impl<'s, 'a> TracedValue<'s, 'a> {
    pub(super) fn new(value: &'s Value<'a>, trail: &'s Trail<'s>) -> Self {
        Self { value, trail }
    }
}

/// A variable that `->as` binds.
pub(super) struct Local<'s, 'a> {
    pub(super) name: &'s str,
    /// The value; `None` if the expression has none.
    pub(super) value: Option<Value<'a>>,
    pub(super) outer: Option<&'s Self>,
}

impl<'s, 'a> Scope<'s, 'a> {
    /// Creates a scope with `value` as `$` and `@`.
    pub(super) fn new(value: TracedValue<'s, 'a>, locals: Option<&'s Local<'s, 'a>>) -> Self {
        Self {
            dollar: value,
            at: value,
            locals,
        }
    }

    /// Replaces `@`.
    pub(super) fn with_at(self, at: TracedValue<'s, 'a>) -> Self {
        Self { at, ..self }
    }

    pub(super) fn local(self, name: &str) -> Option<&'s Local<'s, 'a>> {
        let mut local = self.locals;
        while let Some(candidate) = local {
            if candidate.name == name {
                return local;
            }
            local = candidate.outer;
        }
        None
    }
}

/// The path to a value, as a linked list from its last part.
#[derive(Clone, Copy)]
pub(super) enum Trail<'s> {
    /// The input itself.
    Root,
    /// An element of a list.
    Index(&'s Self, usize),
    /// A member of an object.
    Key(&'s Self, &'s str),
    /// The head and a number of steps of a path in the mapping.
    Steps(&'s Self, &'s Path, usize),
}

impl Trail<'_> {
    /// The path as a list of elements.
    pub(super) fn path(&self) -> Vec<PathElement> {
        let mut parts = vec![self];
        while let Some(outer) = parts.last().and_then(|part| part.outer()) {
            parts.push(outer);
        }
        let mut elements = Vec::new();
        for part in parts.into_iter().rev() {
            part.write(&mut elements);
        }
        elements
    }

    fn outer(&self) -> Option<&Self> {
        match self {
            Self::Root => None,
            Self::Index(outer, _) | Self::Key(outer, _) | Self::Steps(outer, _, _) => Some(outer),
        }
    }

    fn write(&self, elements: &mut Vec<PathElement>) {
        match self {
            Self::Root => {}
            Self::Index(_, index) => elements.push(PathElement::Index(*index)),
            Self::Key(_, key) => elements.push(PathElement::Key((*key).to_owned())),
            Self::Steps(_, path, count) => {
                elements.extend(match &path.head {
                    Head::Key(key) => Some(PathElement::Key(key.name.clone())),
                    Head::Variable(key) => Some(PathElement::Key(format!("${}", key.name))),
                    Head::Dollar(_) | Head::At(_) | Head::Expr(_) => None,
                });
                for step in path.steps.iter().take(*count) {
                    match step {
                        Step::Key(key) => elements.push(PathElement::Key(key.name.clone())),
                        Step::Method(key, _) => {
                            elements.push(PathElement::Key(format!("->{}", key.name)));
                        }
                        Step::Question(_) => {}
                    }
                }
            }
        }
    }
}
