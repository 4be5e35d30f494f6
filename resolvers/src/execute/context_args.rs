//! Context arguments (`@fromContext`): values of ancestors, and a part of a request for each set of
//! them.

use indexmap::IndexMap;
use schema::types::{TypeId, TypeRef};

use super::FetchState;
use super::execution::Execution;
use super::subgraph_fetch::write_member_prefix;
use crate::entity_key::EntityIndex;
use crate::plan::{Fetch, FetchId, KeySlot};
use crate::prepared::PreparedOperation;
use crate::response::validity::is_leaf_value;
use crate::selection::{PositionId, applies};
use crate::subgraph_request::{ContextVariable, Document, Part};
use crate::tree::{InvalidValue, KeyState, Row, Tree, Value, ValueIndex, write_canonical};

/// A value of an ancestor that fills an argument, or a value inside of it.
#[derive(Clone, Copy)]
struct ValuePlace<'k> {
    index: ValueIndex,
    /// The position of the field that has it.
    at: PositionId,
    key: &'k KeySlot,
    ty: &'k TypeRef,
    is_null_allowed: bool,
}

impl ValuePlace<'_> {
    /// The state of a value that its type does not allow.
    fn invalid(self, is_null: bool) -> KeyState {
        KeyState::Invalid(InvalidValue {
            index: self.index,
            at: self.at,
            slot: self.key.slot,
            is_null,
        })
    }
}

impl<'a> Execution<'_, 'a> {
    /// The rows of a fetch's entities, each as a line that ends with it, and the length of a line.
    /// A line has the row's ancestors before it where the part has context arguments.
    pub(super) fn rows_with_ancestors(&self, part: &Part, fetch: &Fetch) -> (Vec<Row>, usize) {
        if part.contexts.is_empty() {
            return (self.tree.rows(&fetch.path), 1);
        }
        let rows = self.tree.rows_with_ancestors(&fetch.path);
        (rows, fetch.path.len() + 1)
    }

    /// The values of a part's context arguments, read from the rows of `line`, each ended by a
    /// zero byte; an error where the call that was to return one has failed, or where one is null
    /// and the argument does not allow it.
    pub(super) fn context_values(&self, part: &Part, line: &[Row]) -> Result<Vec<u8>, KeyState> {
        let mut out = Vec::new();
        for variable in &part.contexts {
            self.write_context_variable(variable, line, &mut out)?;
            out.push(0);
        }
        Ok(out)
    }

    fn write_context_variable(
        &self,
        variable: &ContextVariable,
        line: &[Row],
        out: &mut Vec<u8>,
    ) -> Result<(), KeyState> {
        let source = variable.sources.iter().find_map(|source| {
            let row = *line.get(source.depth)?;
            // The request itself may be the one that provides the type.
            let ty = self.type_at(row, source.at);
            ty.is_none_or(|ty| ty == source.on).then_some((row, source))
        });
        if let Some((row, source)) = source {
            let place = ValuePlace {
                index: Tree::slot_index(row, source.value.slot),
                at: source.at,
                key: &source.value,
                ty: self.slot_type(source.at, source.value.slot),
                is_null_allowed: !variable.is_non_null,
            };
            return self.write_value(place, out);
        }
        out.extend_from_slice(b"null");
        Ok(())
    }

    /// The type of an object at a position; `None` while it is unknown.
    pub(super) fn type_at(&self, row: Row, at: PositionId) -> Option<TypeId> {
        let prepared = self.context.prepared;
        let is_abstract = prepared.is_abstract[at.0];
        let declared = || (!is_abstract).then(|| prepared.selection.position(at).ty);
        self.tree.type_of(row).or_else(declared)
    }

    fn slot_type(&self, at: PositionId, slot: usize) -> &'a TypeRef {
        let prepared: &'a PreparedOperation = self.context.prepared;
        &prepared.selection.position(at).slots[slot].ty
    }

    fn write_value(&self, place: ValuePlace<'_>, out: &mut Vec<u8>) -> Result<(), KeyState> {
        let types = self.context.sources.graph.types();
        match (self.tree.value(place.index), place.ty) {
            (Value::Failed(failure), _) => return Err(KeyState::Failed(failure)),
            (Value::Leaf(text), TypeRef::Named(ty, _))
                if is_leaf_value(types, *ty, self.tree.text(text)) =>
            {
                write_canonical(self.tree.text(text), out);
            }
            (Value::List { start, len }, TypeRef::List(item_type, _)) => {
                out.push(b'[');
                for index in 0..len {
                    if index > 0 {
                        out.push(b',');
                    }
                    let item = ValuePlace {
                        index: Tree::item_index(start, index),
                        ty: item_type,
                        is_null_allowed: true,
                        ..place
                    };
                    self.write_value(item, out)?;
                }
                out.push(b']');
            }
            (Value::Object(row), TypeRef::Named(..)) => {
                let ty = self.tree.type_of(row);
                let mut keys = place.key.inner.iter();
                let key = keys.find(|key| applies(key.on.as_deref(), ty));
                let position = self.context.prepared.selection.position(place.at);
                if let Some((key, at)) = key.zip(position.slots[place.key.slot].child) {
                    let index = Tree::slot_index(row, key.slot);
                    return self.write_value(
                        ValuePlace {
                            index,
                            at,
                            key,
                            ty: self.slot_type(at, key.slot),
                            ..place
                        },
                        out,
                    );
                }
                out.extend_from_slice(b"null");
            }
            (Value::Absent | Value::Null, _) if place.is_null_allowed => {
                out.extend_from_slice(b"null");
            }
            (Value::Absent | Value::Null, _) => return Err(place.invalid(true)),
            (Value::Leaf(_) | Value::List { .. } | Value::Object(_), _) => {
                return Err(place.invalid(false));
            }
        }
        Ok(())
    }

    /// The entities of each request to send, by part of the document. One request has all entities,
    /// unless their context arguments differ: then there is a part for each set of values, and
    /// several requests where there are more sets than parts.
    pub(super) fn split_requests(&self, document: &'a Document) -> Vec<Vec<Vec<EntityIndex>>> {
        let part = match document.parts.as_slice() {
            [part] if !part.contexts.is_empty() => part,
            parts => {
                let parts = parts.iter();
                let all = parts.map(|part| 0..self.entity_count(part.fetch));
                let all = all.map(|indices| indices.map(EntityIndex::new).collect());
                return vec![all.collect()];
            }
        };
        let groups = self.entities_by_context(part.fetch);
        let max_parts = document.max_parts();
        let requests = groups.chunks(max_parts).map(|groups| {
            let mut selected = groups.to_vec();
            // Documents exist for few numbers of parts; the parts left over have no entities.
            let parts = selected.len().next_power_of_two();
            selected.resize_with(parts.min(max_parts), Vec::new);
            selected
        });
        requests.collect()
    }

    /// The entities of a running fetch, those with equal context values together.
    fn entities_by_context(&self, fetch: FetchId) -> Vec<Vec<EntityIndex>> {
        let FetchState::Running { entities, .. } = &self.fetches[fetch] else {
            return Vec::new();
        };
        let mut groups: IndexMap<&[u8], Vec<EntityIndex>> = IndexMap::new();
        for entity in entities.iter() {
            let group = groups.entry(entity.context()).or_default();
            group.push(entity.index());
        }
        groups.into_values().collect()
    }
}

/// Appends the context arguments of a part as members of `variables`; `context` has the values.
pub(super) fn write_context_variables(part: &Part, context: &[u8], out: &mut Vec<u8>) {
    let values = context.split(|byte| *byte == 0);
    for (variable, value) in part.contexts.iter().zip(values) {
        write_member_prefix(out, &variable.prefix);
        out.extend_from_slice(value);
    }
}
