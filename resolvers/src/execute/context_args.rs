//! What a service is given of objects further up: a part of a request for each set of values.

use indexmap::IndexMap;
use schema::types::TypeId;

use super::entities::Entities;
use super::execution::Execution;
use super::subgraph_fetch::write_member_prefix;
use crate::error::FailureId;
use crate::plan::{Fetch, KeySlot};
use crate::selection::{PositionId, applies};
use crate::subgraph_request::{ContextVariable, Document, Part};
use crate::tree::{Row, Value, write_canonical};

/// What a value further up is; a failure where a call that was to bring it failed.
type ContextResult = Result<(), FailureId>;

impl<'a> Execution<'_, 'a> {
    /// The objects of a fetch, and how many stand for each: with those above it, where anything is
    /// taken of these.
    pub(super) fn rows_with_ancestors(&self, part: &Part, fetch: &Fetch) -> (Vec<Row>, usize) {
        if part.contexts.is_empty() {
            return (self.tree.rows(&fetch.path), 1);
        }
        (
            self.tree.rows_with_ancestors(&fetch.path),
            fetch.path.len() + 1,
        )
    }

    /// The values of the variables that are taken of the objects of `line`, each ended by a byte
    /// that JSON text cannot have.
    pub(super) fn context_values(
        &self,
        part: &Part,
        lineage: &[Row],
    ) -> Result<Vec<u8>, FailureId> {
        let mut out = Vec::new();
        for variable in &part.contexts {
            self.write_context_variable(variable, lineage, &mut out)?;
            out.push(0);
        }
        Ok(out)
    }

    fn write_context_variable(
        &self,
        variable: &ContextVariable,
        lineage: &[Row],
        out: &mut Vec<u8>,
    ) -> ContextResult {
        let source = variable.sources.iter().find_map(|source| {
            let row = *lineage.get(source.depth)?;
            let is_it = self.type_at(row, source.at) == Some(source.on);
            is_it.then_some((row, &source.value))
        });
        if let Some((row, value)) = source {
            return self.write_slot(row, value, out);
        }
        out.extend_from_slice(b"null");
        Ok(())
    }

    /// The type of an object at a place; `None` where nobody has told it yet.
    pub(super) fn type_at(&self, row: Row, at: PositionId) -> Option<TypeId> {
        let prepared = self.context.prepared;
        let only = || prepared.selection.position(at).ty;
        let known = self.tree.type_of(row);
        known.or_else(|| (!prepared.is_abstract[at.0]).then(only))
    }

    fn write_slot(&self, row: Row, key: &KeySlot, out: &mut Vec<u8>) -> ContextResult {
        self.write_value(self.tree.slot(row, key.slot), &key.inner, out)
    }

    fn write_value(&self, value: Value, inner: &[KeySlot], out: &mut Vec<u8>) -> ContextResult {
        match value {
            Value::Failed(failure) => return Err(failure),
            Value::Leaf(text) => write_canonical(self.tree.text(text), out),
            Value::List { start, len } => {
                out.push(b'[');
                for index in 0..len {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.write_value(self.tree.item(start, index), inner, out)?;
                }
                out.push(b']');
            }
            Value::Object(row) => {
                let ty = self.tree.type_of(row);
                let mut alternatives = inner.iter();
                let applicable = alternatives.find(|part| applies(part.on.as_deref(), ty));
                if let Some(part) = applicable {
                    return self.write_slot(row, part, out);
                }
                out.extend_from_slice(b"null");
            }
            Value::Absent | Value::Null => out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    /// The objects that a request is for, by part: all of them at once, unless they are given
    /// different things from further up. Then there is a part for each set of values, and several
    /// requests where there are more sets than parts.
    pub(super) fn split_requests(&self, document: &'a Document) -> Vec<Vec<Vec<usize>>> {
        let part = match document.parts.as_slice() {
            [part] if !part.contexts.is_empty() => part,
            all => {
                let all = all.iter().map(|part| 0..self.entity_count(part.fetch));
                return vec![all.map(Iterator::collect).collect()];
            }
        };
        let mut by_context: IndexMap<&[u8], Vec<usize>> = IndexMap::new();
        for object in 0..self.entity_count(part.fetch) {
            let context = self.entity_context(part.fetch, object);
            by_context.entry(context).or_default().push(object);
        }
        let groups: Vec<Vec<usize>> = by_context.into_values().collect();
        let requests = groups.chunks(document.max_parts());
        requests
            .map(|group| {
                let mut group = group.to_vec();
                // Parts are few numbers only; those left over ask for nothing.
                let parts = group.len().next_power_of_two();
                group.resize_with(parts.min(document.max_parts()), Vec::new);
                group
            })
            .collect()
    }
}

/// Writes the variables that are taken of objects further up, the same for all of `which`; where
/// there are none, those of the part before, because a service may refuse a null.
pub(super) fn write_context_variables<'e>(
    part: &Part,
    (entities, selected): (&'e Entities, &[usize]),
    previous: &mut &'e [u8],
    out: &mut Vec<u8>,
) {
    if let Some(first) = selected.first() {
        *previous = entities.context(*first);
    }
    let values = previous.split(|byte| *byte == 0);
    for (variable, value) in part.contexts.iter().zip(values) {
        write_member_prefix(out, &variable.prefix);
        out.extend_from_slice(value);
    }
}
