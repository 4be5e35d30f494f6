//! Sets of non-null fields, which decide whether equal fields may be one field of a request.
//!
//! A non-null field that fails makes the object that has it null, and with it every value of the
//! object (GraphQL §6.4.4). `{ x: me { id } y: me { id name } }` as one field `me { id name }` would
//! lose `x` when `name` fails. Fields with equal sets lose their objects in the same cases, so one
//! field can serve them. Nullable fields are no part of a set: a null of theirs ends there.

use std::hash::Hash;

use indexmap::IndexSet;
use schema::graph::Graph;
use schema::key::Requirement;
use schema::operation::Argument;
use schema::types::{Name, TypeId};

use super::Condition;

/// Distinct sets of non-null fields, each once.
#[derive(Debug)]
pub(crate) struct NonNullSets<F> {
    fields: IndexSet<F>,
    /// Sorted indices of fields, at least one.
    sets: IndexSet<Vec<usize>>,
}

/// A set; 0 is the empty one, others are the index in `NonNullSets::sets` plus 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct NonNullSetId(usize);

/// A non-null field of objects of one type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct NonNullField {
    pub(super) on: TypeId,
    pub(super) field: Name,
    pub(super) arguments: Vec<(Name, Argument)>,
    /// The condition under which objects that are selected have it.
    pub(super) condition: Condition,
    /// The non-null fields of its value, for composite types.
    pub(super) nested: NonNullSetId,
}

impl NonNullSetId {
    /// The set without fields: nothing propagates to the object.
    pub(crate) const EMPTY: Self = Self(0);
}

impl<F: Eq + Hash> NonNullSets<F> {
    /// The set of these fields, in any order.
    pub(crate) fn add(&mut self, fields: impl IntoIterator<Item = F>) -> NonNullSetId {
        let fields = fields.into_iter();
        let mut set: Vec<usize> = fields
            .map(|field| self.fields.insert_full(field).0)
            .collect();
        set.sort_unstable();
        set.dedup();
        if set.is_empty() {
            return NonNullSetId::EMPTY;
        }
        NonNullSetId(self.sets.insert_full(set).0 + 1)
    }
}

impl NonNullSets<NonNullField> {
    /// The set of the nested fields of a key or requirement, of objects of type `ty`.
    pub(super) fn add_required(
        &mut self,
        graph: &Graph,
        ty: TypeId,
        required: &[Requirement],
    ) -> NonNullSetId {
        let types = graph.types();
        let mut fields = Vec::new();
        for requirement in required {
            let possible = types.get(ty).possible_types.iter();
            let on = possible.filter(|on| {
                requirement.on.is_none_or(|only| types.is_a(**on, only))
                    && graph.may_propagate_null(**on, &requirement.field)
            });
            for on in on {
                let Some(field) = types.get(*on).field(&requirement.field) else {
                    continue;
                };
                let nested = match requirement.inner.as_slice() {
                    [] => NonNullSetId::EMPTY,
                    inner => self.add_required(graph, field.ty.named_type(), inner),
                };
                fields.push(NonNullField {
                    on: *on,
                    field: Name::clone(&requirement.field),
                    arguments: requirement.arguments.clone(),
                    condition: Condition::always(),
                    nested,
                });
            }
        }
        self.add(fields)
    }
}

impl<F> Default for NonNullSets<F> {
    fn default() -> Self {
        Self {
            fields: IndexSet::new(),
            sets: IndexSet::new(),
        }
    }
}
