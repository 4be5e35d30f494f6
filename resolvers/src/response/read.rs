//! What a service that speaks GraphQL answered, into rows: by response key, and by type where an
//! object may be of several.
//!
//! A value of the wrong form is put into the tree as it is: the walk that writes the client's
//! answer compares it with its type.

use schema::json::{Kind, Node};
use schema::types::TypeId;

use super::shape::{ObjectShape, ResponseFields, TypeSource, ValueShape};
use super::{known_or_new_list, known_or_new_row, null_unless_known, position};
use crate::error::FailureId;
use crate::tree::{Row, Tree, Value, Widths};

/// Writes one body into the tree. The body itself is kept by the caller afterwards, under `body`.
pub(crate) struct ResponseReader<'r> {
    pub(crate) tree: &'r mut Tree,
    pub(crate) widths: &'r Widths,
    /// The number that the body will have in the tree.
    pub(crate) body: u32,
    /// Gives the failure of an object whose type the graph does not know there.
    pub(crate) fail: &'r mut dyn FnMut(&str) -> FailureId,
}

impl ResponseReader<'_> {
    /// Reads the object of a row that is there; gives its type where the answer told it, and a
    /// failure when the graph does not know that type.
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
            TypeSource::ByTypename(each) => {
                let (_, ty, fields) = self.typed_fields(each, node)?;
                self.tree.set_type(row, *ty);
                self.read_fields(row, fields, node);
                Ok(Some(*ty))
            }
        }
    }

    fn typed_fields<'o>(
        &mut self,
        typed: &'o [(schema::types::Name, TypeId, ResponseFields)],
        node: Node<'_>,
    ) -> Result<&'o (schema::types::Name, TypeId, ResponseFields), FailureId> {
        let name = node.get("__typename").map(Node::kind);
        let Some(Kind::String(name)) = name else {
            return Err((self.fail)("that it does not tell"));
        };
        let member = typed.iter().find(|(known, _, _)| name.is(known));
        member.ok_or_else(|| (self.fail)(&format!("`{}`", name.decode())))
    }

    fn read_fields(&mut self, row: Row, ResponseFields(members): &ResponseFields, node: Node<'_>) {
        let mut next = 0;
        for (key, member) in node.members() {
            let Some(at) = position(members, next, |field| key.is(&field.key)) else {
                continue;
            };
            next = at + 1;
            for (slot, shape) in &members[at].slots {
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
            _ => Tree::body_leaf(self.body, node.span()),
        }
    }

    /// A list; where one of the same length is known, its elements are merged one by one.
    fn read_list(&mut self, node: Node<'_>, shape: &ValueShape, known: Value) -> Value {
        let (start, len) = known_or_new_list(self.tree, node.len(), known);
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
            TypeSource::ByTypename(each) => match self.typed_fields(each, node) {
                Ok((_, ty, fields)) => (Some(*ty), fields),
                Err(failure) => return Value::Failed(failure),
            },
        };
        let row = known_or_new_row(self.tree, objects.at, self.widths, known);
        if let Some(ty) = ty {
            self.tree.set_type(row, ty);
        }
        self.read_fields(row, fields, node);
        Value::Object(row)
    }
}
