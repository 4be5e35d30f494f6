//! Reads connector responses and cached values into rows, by a compiled mapping.

use schema::json::{Elements, Kind, Node, Recall, Str, Value as Json, View};
use schema::mapping::ast::MemberValue;
use schema::mapping::{Report, ReportKind, Vars, eval_member};
use schema::types::TypeId;

use super::mapping::{
    MappedShape, ObjectMapping, SlotMapping, TypenameMapping, ValueLocation, ValueMapping,
};
use super::{known_or_new_list, known_or_new_row, null_unless_known, position};
use crate::tree::{BodyId, Row, Tree, Value, Widths};

/// Reads one body into the tree. The caller adds the body to the tree afterwards.
pub(crate) struct RowFiller<'t, 'a> {
    pub(crate) tree: &'t mut Tree,
    pub(crate) widths: &'t Widths,
    /// Id that the body will have in the tree.
    pub(crate) body: BodyId,
    /// Variables of evaluated expressions; none of their values is a node of another document.
    pub(crate) vars: &'t Vars<'a>,
    /// Errors that the mapping reports to the client (`->withError`).
    pub(crate) authored_errors: Vec<Report>,
}

/// Maximum number of errors that one body may report to the client.
const MAX_AUTHORED_ERRORS: usize = 128;

impl<'a> RowFiller<'_, 'a> {
    /// Reads the value of `mapping` in `input` and merges it into the `known` value.
    pub(crate) fn extract(
        &mut self,
        mapping: &'a ValueMapping,
        input: &Json<'a>,
        known: Value,
    ) -> Value {
        match &mapping.location {
            ValueLocation::Keys(keys) => self.read_value(input, keys, &mapping.shape, known),
            ValueLocation::Expression(member) => match self.eval(member, input) {
                Some(value) => self.read_value(&value, &[], &mapping.shape, known),
                None => known,
            },
        }
    }

    fn eval(&mut self, member: &'a MemberValue, input: &Json<'a>) -> Option<Json<'a>> {
        let outcome = eval_member(member, input, input, self.vars);
        let room = MAX_AUTHORED_ERRORS.saturating_sub(self.authored_errors.len());
        let authored = outcome.reports.into_iter();
        let authored = authored.filter(|report| report.kind == ReportKind::AuthoredError);
        self.authored_errors.extend(authored.take(room));
        outcome.value
    }

    /// Reads the list of objects that `mapping` locates, each into a new row; `None` if it is not a
    /// list.
    pub(crate) fn objects(
        &mut self,
        mapping: &'a ValueMapping,
        input: &Json<'a>,
    ) -> Option<Vec<Row>> {
        let Value::List { start, len } = self.extract(mapping, input, Value::Absent) else {
            return None;
        };
        let items = (0..len).filter_map(|index| match self.tree.item(start, index) {
            Value::Object(row) => Some(row),
            _ => None,
        });
        Some(items.collect())
    }

    /// Reads the objects at `indices` of the list that `mapping` locates, each into a new row;
    /// `None` if it is not a list.
    pub(crate) fn objects_at(
        &mut self,
        mapping: &'a ValueMapping,
        input: &Json<'a>,
        indices: &[Option<usize>],
    ) -> Option<Vec<Option<Row>>> {
        let mut keys: &'a [Box<str>] = &[];
        let mut located = match &mapping.location {
            ValueLocation::Keys(path) => {
                keys = path;
                input.clone()
            }
            ValueLocation::Expression(member) => self.eval(member, input)?,
        };
        while let (None, [key, rest @ ..]) = (located.as_list(), keys) {
            located = located.get(key)?;
            keys = rest;
        }
        let list = located.as_list()?;
        let mut objects = Vec::with_capacity(indices.len());
        for index in indices {
            let element = index.and_then(|index| list.get(index));
            let value = element
                .map(|element| self.read_value(&element, keys, &mapping.shape, Value::Absent));
            objects.push(match value {
                Some(Value::Object(row)) => Some(row),
                _ => None,
            });
        }
        Some(objects)
    }

    fn read_value(
        &mut self,
        value: &Json<'a>,
        keys: &[Box<str>],
        shape: &'a MappedShape,
        known: Value,
    ) -> Value {
        match value {
            Json::Node(node) => self.read_path(*node, keys, shape, known),
            other => self.read_computed(other, keys, shape, known),
        }
    }

    fn read_path(
        &mut self,
        node: Node<'a>,
        keys: &[Box<str>],
        shape: &'a MappedShape,
        known: Value,
    ) -> Value {
        let [key, rest @ ..] = keys else {
            return self.read_node(node, shape, known);
        };
        match node.kind() {
            Kind::Object(_) => match node.get(key) {
                Some(inner) => self.read_path(inner, rest, shape, known),
                None => known,
            },
            // A key after a list applies to each element (connect specification, §3.4).
            Kind::List(elements) => {
                self.read_list(elements.len(), elements, known, |filler, element, known| {
                    null_if_absent(filler.read_path(element, keys, shape, known))
                })
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => known,
        }
    }

    fn read_node(&mut self, node: Node<'a>, shape: &'a MappedShape, known: Value) -> Value {
        match (node.kind(), shape) {
            (Kind::Null, _) => null_unless_known(known),
            (Kind::List(elements), MappedShape::Leaf { lists }) if *lists > 0 => {
                self.read_leaves(elements, *lists - 1, known)
            }
            (Kind::List(elements), MappedShape::Object(fields)) => {
                self.read_object_list(elements, shape, fields, known)
            }
            (Kind::Object(_), MappedShape::Object(fields)) => self.read_object(node, fields, known),
            _ => Tree::body_leaf(self.body, node),
        }
    }

    fn read_leaves(
        &mut self,
        elements: impl ExactSizeIterator<Item = Node<'a>>,
        lists: usize,
        known: Value,
    ) -> Value {
        self.read_list(elements.len(), elements, known, |filler, element, known| {
            filler.read_leaf(element, lists, known)
        })
    }

    /// Reads a leaf of a list, or an inner list of leaves.
    fn read_leaf(&mut self, node: Node<'a>, lists: usize, known: Value) -> Value {
        match node.kind() {
            Kind::Null => Value::Null,
            Kind::List(inner) if lists > 0 => self.read_leaves(inner, lists - 1, known),
            _ => Tree::body_leaf(self.body, node),
        }
    }

    /// Reads a list; elements are merged one by one into a known list of the same length.
    fn read_list<T>(
        &mut self,
        count: usize,
        elements: impl Iterator<Item = T>,
        known: Value,
        mut each: impl FnMut(&mut Self, T, Value) -> Value,
    ) -> Value {
        let Some((start, len)) = known_or_new_list(self.tree, count, known) else {
            return Value::Absent;
        };
        for (index, element) in (0..len).zip(elements) {
            let known = self.tree.item(start, index);
            let value = each(self, element, known);
            self.tree.set_item(start, index, value);
        }
        Value::List { start, len }
    }

    /// Reads a list of objects, which mostly have their members in one order.
    fn read_object_list(
        &mut self,
        elements: Elements<'a>,
        shape: &'a MappedShape,
        fields: &'a ObjectMapping,
        known: Value,
    ) -> Value {
        let Some((start, len)) = known_or_new_list(self.tree, elements.len(), known) else {
            return Value::Absent;
        };
        if !matches!(known, Value::List { .. }) {
            self.tree
                .reserve_objects(elements.len(), fields.at, self.widths);
        }
        let is_plain = fields.unkeyed.is_empty() && fields.typename.is_none();
        let mut recall = Recall::default();
        for (index, element) in (0..len).zip(elements) {
            let known = self.tree.item(start, index);
            if !element.is_object() {
                let value = null_if_absent(self.read_node(element, shape, known));
                self.tree.set_item(start, index, value);
                continue;
            }
            let Some(row) = known_or_new_row(self.tree, fields.at, self.widths, known) else {
                break;
            };
            let find = |key: Str<'a>| position(&fields.keyed, 0, |(name, _)| key.is(name));
            recall.members(element, find, |index, member| {
                self.read_member(row, &fields.keyed[index].1, member);
            });
            // Two calls, because storing a value that both branches return is slower.
            if is_plain {
                self.tree.set_item(start, index, Value::Object(row));
            } else {
                let value = self.finish_object(row, fields, element);
                self.tree.set_item(start, index, value);
            }
        }
        Value::List { start, len }
    }

    fn read_object(&mut self, node: Node<'a>, fields: &'a ObjectMapping, known: Value) -> Value {
        let Some(row) = known_or_new_row(self.tree, fields.at, self.widths, known) else {
            return Value::Absent;
        };
        let mut next = 0;
        for (key, member) in node.members() {
            let Some(index) = position(&fields.keyed, next, |(name, _)| key.is(name)) else {
                continue;
            };
            next = index + 1;
            self.read_member(row, &fields.keyed[index].1, member);
        }
        self.finish_object(row, fields, node)
    }

    /// Fills the slots that one member provides.
    #[inline]
    fn read_member(&mut self, row: Row, fields: &'a [SlotMapping], member: Node<'a>) {
        for field in fields {
            let ValueMapping { location, shape } = &field.value;
            let ValueLocation::Keys(rest) = location else {
                continue;
            };
            let is_leaf = rest.is_empty() && matches!(shape, MappedShape::Leaf { lists: 0 });
            if is_leaf && !member.is_null() {
                let leaf = Tree::body_leaf(self.body, member);
                self.tree.set_slot(row, field.slot, leaf);
                continue;
            }
            let known = self.tree.slot(row, field.slot);
            let value = self.read_path(member, rest, shape, known);
            self.tree.set_slot(row, field.slot, value);
        }
    }

    /// Fills the slots without keys and sets the type, after the members are read.
    fn finish_object(&mut self, row: Row, fields: &'a ObjectMapping, node: Node<'a>) -> Value {
        let object = Json::Node(node);
        self.read_unkeyed(row, &fields.unkeyed, &object);
        self.typed_object(row, fields, &object)
    }

    fn read_unkeyed(&mut self, row: Row, unkeyed: &'a [SlotMapping], object: &Json<'a>) {
        for field in unkeyed {
            let known = self.tree.slot(row, field.slot);
            let value = self.extract(&field.value, object, known);
            self.tree.set_slot(row, field.slot, value);
        }
    }

    /// Sets the type of the object in `row`.
    fn typed_object(&mut self, row: Row, fields: &'a ObjectMapping, object: &Json<'a>) -> Value {
        let Some(typename) = &fields.typename else {
            return Value::Object(row);
        };
        let name = self.type_name(typename, object);
        if name.is_none() && !typename.is_required {
            return Value::Object(row);
        }
        match name.and_then(|name| type_named(typename, &name)) {
            Some(ty) => {
                self.tree.set_type(row, ty);
                Value::Object(row)
            }
            // Projection rejects a leaf where an object is expected.
            None => self.tree.computed_leaf(|out| object.write_json(out)),
        }
    }

    /// The value of `__typename`.
    fn type_name(&mut self, typename: &'a TypenameMapping, object: &Json<'a>) -> Option<Json<'a>> {
        match &typename.location {
            ValueLocation::Keys(keys) => {
                let mut value = object.clone();
                for key in keys {
                    value = value.get(key)?;
                }
                Some(value)
            }
            ValueLocation::Expression(member) => self.eval(member, object),
        }
    }

    /// Reads a computed value as `read_path` reads a node.
    fn read_computed(
        &mut self,
        value: &Json<'a>,
        keys: &[Box<str>],
        shape: &'a MappedShape,
        known: Value,
    ) -> Value {
        let view = value.view();
        if let [key, rest @ ..] = keys {
            return match view {
                View::Object(members) => match members.get(key) {
                    Some(inner) => self.read_value(&inner, rest, shape, known),
                    None => known,
                },
                View::List(list) => {
                    self.read_list(list.len(), list.iter(), known, |filler, element, known| {
                        null_if_absent(filler.read_value(&element, keys, shape, known))
                    })
                }
                View::Null | View::Bool(_) | View::Number(_) | View::String(_) => known,
            };
        }
        match (view, shape) {
            (View::Null, _) => null_unless_known(known),
            (View::List(list), MappedShape::Object(_)) => {
                self.read_list(list.len(), list.iter(), known, |filler, element, known| {
                    null_if_absent(filler.read_value(&element, &[], shape, known))
                })
            }
            (View::List(list), MappedShape::Leaf { lists }) if *lists > 0 => {
                self.read_list(list.len(), list.iter(), known, |filler, element, known| {
                    filler.read_computed_leaf(&element, *lists - 1, known)
                })
            }
            (View::Object(members), MappedShape::Object(fields)) => {
                let Some(row) = known_or_new_row(self.tree, fields.at, self.widths, known) else {
                    return Value::Absent;
                };
                for (key, keyed) in &fields.keyed {
                    let Some(member) = members.get(key) else {
                        continue;
                    };
                    for field in keyed {
                        if let ValueLocation::Keys(rest) = &field.value.location {
                            let known = self.tree.slot(row, field.slot);
                            let value = self.read_value(&member, rest, &field.value.shape, known);
                            self.tree.set_slot(row, field.slot, value);
                        }
                    }
                }
                self.read_unkeyed(row, &fields.unkeyed, value);
                self.typed_object(row, fields, value)
            }
            _ => self.tree.computed_leaf(|out| value.write_json(out)),
        }
    }

    /// Reads a computed leaf of a list, or a computed inner list of leaves.
    fn read_computed_leaf(&mut self, value: &Json<'a>, lists: usize, known: Value) -> Value {
        if let Json::Node(node) = value {
            return self.read_leaf(*node, lists, known);
        }
        match value.view() {
            View::Null => Value::Null,
            View::List(list) if lists > 0 => {
                self.read_list(list.len(), list.iter(), known, |filler, element, known| {
                    filler.read_computed_leaf(&element, lists - 1, known)
                })
            }
            _ => self.tree.computed_leaf(|out| value.write_json(out)),
        }
    }
}

/// Null for an absent element, so that the others keep their indexes.
fn null_if_absent(value: Value) -> Value {
    match value {
        Value::Absent => Value::Null,
        other => other,
    }
}

/// The type with this name, if the position can have it.
fn type_named(typename: &TypenameMapping, name: &Json<'_>) -> Option<TypeId> {
    let View::String(text) = name.view() else {
        return None;
    };
    let mut types = typename.types.iter();
    types.find(|(known, _)| **known == *text).map(|(_, id)| *id)
}
