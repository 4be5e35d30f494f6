//! Reads the `data` of a subgraph into rows, by response key and, where a position has several
//! types, by `__typename`.
//!
//! A value of the wrong kind is stored in the tree unchanged: projection checks it against its
//! type.

use schema::json::{Kind, Node};
use schema::types::{Name, TypeId};

use super::position;
use super::shape::{ObjectShape, ResponseFields, TypeSource, ValueShape};
use crate::error::FailureId;
use crate::selection::PositionId;
use crate::tree::{BodyId, Row, Tree, Value, Widths};

/// Reads one body into the tree. The caller adds the body to the tree afterwards.
pub(crate) struct ResponseReader<'r> {
    pub(crate) tree: &'r mut Tree,
    pub(crate) widths: &'r Widths,
    /// Id that the body will have in the tree.
    pub(crate) body: BodyId,
    /// Returns the failure of an object whose type, described by the text, is not in the graph.
    pub(crate) fail: &'r mut dyn FnMut(&str) -> FailureId,
}

impl ResponseReader<'_> {
    /// Reads an object into an existing row. Returns its type if the response names one, and a
    /// failure if the position cannot have that type.
    pub(crate) fn read_entity(
        &mut self,
        row: Row,
        objects: &ObjectShape,
        node: Node<'_>,
    ) -> Result<Option<TypeId>, FailureId> {
        match &objects.type_source {
            TypeSource::Fixed(_, fields) | TypeSource::Unknown(fields) => {
                self.read_fields(row, fields, node);
                Ok(None)
            }
            TypeSource::ByTypename(types) => {
                let (_, ty, fields) = self.typed_fields(types, node)?;
                self.tree.set_type(row, *ty);
                self.read_fields(row, fields, node);
                Ok(Some(*ty))
            }
        }
    }

    /// The entry of `typed` for the `__typename` of an object.
    fn typed_fields<'o>(
        &mut self,
        typed: &'o [(Name, TypeId, ResponseFields)],
        node: Node<'_>,
    ) -> Result<&'o (Name, TypeId, ResponseFields), FailureId> {
        let name = node.get("__typename").map(Node::kind);
        let Some(Kind::String(name)) = name else {
            return Err((self.fail)("(no `__typename`)"));
        };
        let member = typed.iter().find(|(known, _, _)| name.is(known));
        member.ok_or_else(|| (self.fail)(&format!("`{}`", name.decode())))
    }

    fn read_fields(&mut self, row: Row, ResponseFields(members): &ResponseFields, node: Node<'_>) {
        let mut next = 0;
        for (key, member) in node.members() {
            let Some(index) = position(members, next, |field| key.is(&field.key)) else {
                continue;
            };
            next = index + 1;
            for (slot, shape) in &members[index].slots {
                let known = self.tree.slot(row, *slot);
                let value = self.read_value(member, shape, known);
                self.tree.set_slot(row, *slot, value);
            }
        }
    }

    fn read_value(&mut self, node: Node<'_>, shape: &ValueShape, known: Value) -> Value {
        match (node.kind(), shape) {
            (Kind::Null, ValueShape::Objects(_)) => null_unless_known(known),
            (Kind::Null, ValueShape::Leaf(_)) => Value::Null,
            (Kind::Object(_), ValueShape::Objects(objects)) => {
                self.read_object(node, objects, known)
            }
            (Kind::List(_), ValueShape::Objects(_)) => self.read_list(node, shape, known),
            (Kind::List(_), ValueShape::Leaf(lists)) if *lists > 0 => {
                self.read_list(node, &ValueShape::Leaf(lists - 1), known)
            }
            _ => Tree::body_leaf(self.body, node),
        }
    }

    /// Reads a list; elements are merged one by one into a known list of the same length.
    fn read_list(&mut self, node: Node<'_>, shape: &ValueShape, known: Value) -> Value {
        let Some((start, len)) = known_or_new_list(self.tree, node.len(), known) else {
            return Value::Absent;
        };
        for (index, element) in (0..len).zip(node.elements()) {
            let known = self.tree.item(start, index);
            let value = self.read_value(element, shape, known);
            self.tree.set_item(start, index, value);
        }
        Value::List { start, len }
    }

    fn read_object(&mut self, node: Node<'_>, objects: &ObjectShape, known: Value) -> Value {
        let (ty, fields) = match &objects.type_source {
            TypeSource::Fixed(ty, fields) => (*ty, fields),
            TypeSource::Unknown(fields) => (None, fields),
            TypeSource::ByTypename(types) => match self.typed_fields(types, node) {
                Ok((_, ty, fields)) => (Some(*ty), fields),
                Err(failure) => return Value::Failed(failure),
            },
        };
        let Some(row) = known_or_new_row(self.tree, objects.at, self.widths, known) else {
            return Value::Absent;
        };
        if let Some(ty) = ty {
            self.tree.set_type(row, ty);
        }
        self.read_fields(row, fields, node);
        Value::Object(row)
    }
}

/// Null, unless another fetch already provided an object or a list.
fn null_unless_known(known: Value) -> Value {
    match known {
        Value::Object(_) | Value::List { .. } => known,
        Value::Absent | Value::Null | Value::Leaf(_) | Value::Failed(_) => Value::Null,
    }
}

/// The row of `known` if it is an object, else a new row; `None` if the execution holds too much.
fn known_or_new_row(tree: &mut Tree, at: PositionId, widths: &Widths, known: Value) -> Option<Row> {
    match known {
        Value::Object(row) => Some(row),
        _ => tree.add_object(at, widths),
    }
}

/// Start and length of `known` if it is a list of `count` values, else of a new list. `None`
/// if the execution holds too much.
fn known_or_new_list(tree: &mut Tree, count: usize, known: Value) -> Option<(u32, u32)> {
    let expected = u32::try_from(count).unwrap_or(u32::MAX);
    match known {
        Value::List { start, len } if len == expected => Some((start, len)),
        _ => tree.add_list(count),
    }
}
