//! What a service that speaks GraphQL answered, into rows: by response key, and by type where an
//! object may be of several.
//!
//! A value of the wrong form is put into the tree as it is: the walk that writes the client's
//! answer compares it with its type.

use schema::json::{Kind, Node, Str};
use schema::types::TypeId;

use crate::document::take::{Fields, Member, Objects, Take, Told};
use crate::tree::{Row, Tree, Value, Widths};

/// Writes one body into the tree. The body itself is kept by the caller afterwards, under `body`.
pub(super) struct Reader<'r> {
    pub(super) tree: &'r mut Tree,
    pub(super) widths: &'r Widths,
    /// The number that the body will have in the tree.
    pub(super) body: u32,
    /// Gives the failure of an object whose type the graph does not know there.
    pub(super) fail: &'r mut dyn FnMut(&str) -> u32,
}

impl Reader<'_> {
    /// Reads the object of a row that is there; gives its type where the answer told it, and a
    /// failure when the graph does not know that type.
    pub(super) fn entity(
        &mut self,
        row: Row,
        objects: &Objects,
        node: Node<'_>,
    ) -> Result<Option<TypeId>, u32> {
        match &objects.told {
            Told::Known(_, fields) | Told::Untold(fields) => {
                self.fields(row, fields, node);
                Ok(None)
            }
            Told::Named(each) => {
                let (_, ty, fields) = self.named(each, node)?;
                self.tree.set_type(row, *ty);
                self.fields(row, fields, node);
                Ok(Some(*ty))
            }
        }
    }

    fn named<'o>(
        &mut self,
        each: &'o [(schema::types::Name, TypeId, Fields)],
        node: Node<'_>,
    ) -> Result<&'o (schema::types::Name, TypeId, Fields), u32> {
        let name = node.get("__typename").map(Node::kind);
        let Some(Kind::String(name)) = name else {
            return Err((self.fail)("that it does not tell"));
        };
        let found = each.iter().find(|(known, _, _)| name.is(known));
        found.ok_or_else(|| (self.fail)(&format!("`{}`", name.decode())))
    }

    fn fields(&mut self, row: Row, Fields(members): &Fields, node: Node<'_>) {
        let mut next = 0;
        for (key, member) in node.members() {
            let Some(at) = position(members, next, key) else {
                continue;
            };
            next = at + 1;
            for (slot, take) in &members[at].slots {
                let known = self.tree.slot(row, *slot);
                let value = self.value(member, take, known);
                self.tree.set_slot(row, *slot, value);
            }
        }
    }

    fn value(&mut self, node: Node<'_>, take: &Take, known: Value) -> Value {
        match (node.kind(), take) {
            (Kind::Null, Take::Objects(_)) => null(known),
            (Kind::Null, Take::Leaf(_)) => Value::Null,
            (Kind::Object(_), Take::Objects(objects)) => self.object(node, objects, known),
            (Kind::List(_), Take::Objects(_)) => self.list(node, take, known),
            (Kind::List(_), Take::Leaf(lists)) if *lists > 0 => {
                self.list(node, &Take::Leaf(lists - 1), known)
            }
            _ => Tree::piece(self.body, node.span()),
        }
    }

    /// A list; where one of the same length is known, its elements are merged one by one.
    fn list(&mut self, node: Node<'_>, take: &Take, known: Value) -> Value {
        let wanted = u32::try_from(node.len()).unwrap_or(u32::MAX);
        let (start, len) = match known {
            Value::List { start, len } if len == wanted => (start, len),
            _ => self.tree.list(node.len()),
        };
        for (index, element) in (0..len).zip(node.elements()) {
            let known = self.tree.item(start, index);
            let value = self.value(element, take, known);
            self.tree.set_item(start, index, value);
        }
        Value::List { start, len }
    }

    fn object(&mut self, node: Node<'_>, objects: &Objects, known: Value) -> Value {
        let (ty, fields) = match &objects.told {
            Told::Known(ty, fields) => (*ty, fields),
            Told::Untold(fields) => (None, fields),
            Told::Named(each) => match self.named(each, node) {
                Ok((_, ty, fields)) => (Some(*ty), fields),
                Err(failure) => return Value::Failed(failure),
            },
        };
        let row = match known {
            Value::Object(row) => row,
            _ => self.tree.object(objects.at, self.widths),
        };
        if let Some(ty) = ty {
            self.tree.set_type(row, ty);
        }
        self.fields(row, fields, node);
        Value::Object(row)
    }
}

/// Null, unless another fetch already brought the object.
fn null(known: Value) -> Value {
    match known {
        Value::Object(_) | Value::List { .. } => known,
        Value::Absent | Value::Null | Value::Leaf(_) | Value::Failed(_) => Value::Null,
    }
}

/// The place of a response key, looked for from `next` on, then before it: services answer in the
/// order they are asked.
fn position(members: &[Member], next: usize, key: Str<'_>) -> Option<usize> {
    let (before, after) = members.split_at(next.min(members.len()));
    let behind = after.iter().position(|member| key.is(&member.key));
    behind
        .map(|at| at + before.len())
        .or_else(|| before.iter().position(|member| key.is(&member.key)))
}
