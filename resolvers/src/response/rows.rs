//! Bodies into rows: follows an `Extract` through a body and writes what it finds.

use schema::json::{Elements, Kind, Node, Recall, Str, Value as Json, View};
use schema::mapping::ast::MemberValue;
use schema::mapping::{Report, ReportKind, Vars, eval_member};

use super::mapping::{
    MappedShape, ObjectMapping, SlotMapping, TypenameMapping, ValueLocation, ValueMapping,
};
use super::{known_or_new_list, known_or_new_row, null_unless_known, position};
use crate::tree::{Row, Tree, Value, Widths};

/// Writes one body into the tree. The body itself is kept by the caller afterwards, under `body`.
pub(crate) struct RowFiller<'t, 'a> {
    pub(crate) tree: &'t mut Tree,
    pub(crate) widths: &'t Widths,
    /// The number that the body will have in the tree.
    pub(crate) body: u32,
    /// For parts of the mapping that are evaluated; no value in it is a node of another document.
    pub(crate) vars: &'t Vars<'a>,
    /// What the mapping says to the client (`->withError`).
    pub(crate) authored_errors: Vec<Report>,
}

/// More than that says nothing new.
const MAX_AUTHORED_ERRORS: usize = 128;

impl<'a> RowFiller<'_, 'a> {
    /// The value that `extract` finds in `input`, merged into what `known` has of it.
    pub(crate) fn extract(
        &mut self,
        extract: &'a ValueMapping,
        input: &Json<'a>,
        known: Value,
    ) -> Value {
        match &extract.location {
            ValueLocation::Keys(keys) => self.read_value(input, keys, &extract.shape, known),
            ValueLocation::Expression(member) => match self.eval(member, input) {
                Some(value) => self.read_value(&value, &[], &extract.shape, known),
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

    /// Each object of the list (or the one object) that `extract` finds, in a row of its own;
    /// `None` when it finds something else.
    pub(crate) fn objects(
        &mut self,
        extract: &'a ValueMapping,
        input: &Json<'a>,
    ) -> Option<Vec<Row>> {
        let Value::List { start, len } = self.extract(extract, input, Value::Absent) else {
            return None;
        };
        let items = (0..len).filter_map(|index| match self.tree.item(start, index) {
            Value::Object(row) => Some(row),
            _ => None,
        });
        Some(items.collect())
    }

    /// The objects at some places of the list that `extract` finds, each in a row of its own;
    /// `None` when it finds no list.
    pub(crate) fn objects_at(
        &mut self,
        extract: &'a ValueMapping,
        input: &Json<'a>,
        indices: &[Option<usize>],
    ) -> Option<Vec<Option<Row>>> {
        let mut keys: &'a [Box<str>] = &[];
        let mut found = match &extract.location {
            ValueLocation::Keys(path) => {
                keys = path;
                input.clone()
            }
            ValueLocation::Expression(member) => self.eval(member, input)?,
        };
        while let (None, [key, rest @ ..]) = (found.as_list(), keys) {
            found = found.get(key)?;
            keys = rest;
        }
        let list = found.as_list()?;
        let mut objects = Vec::with_capacity(indices.len());
        for place in indices {
            let element = place.and_then(|place| list.get(place));
            let value = element.map(|it| self.read_value(&it, keys, &extract.shape, Value::Absent));
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
            // A key behind a list is looked for in each element (connect specification, §3.4).
            Kind::List(elements) => {
                self.read_list((elements.len(), elements), known, |fill, element, known| {
                    null_if_absent(fill.read_path(element, keys, shape, known))
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
                self.read_object_list(elements, (shape, fields), known)
            }
            (Kind::Object(_), MappedShape::Object(fields)) => self.read_object(node, fields, known),
            _ => Tree::body_leaf(self.body, node.span()),
        }
    }

    fn read_leaves(
        &mut self,
        elements: impl ExactSizeIterator<Item = Node<'a>>,
        lists: usize,
        known: Value,
    ) -> Value {
        let elements = (elements.len(), elements);
        self.read_list(elements, known, |fill, element, known| {
            fill.read_leaf(element, lists, known)
        })
    }

    /// A leaf inside a list, or a further list of such.
    fn read_leaf(&mut self, node: Node<'a>, lists: usize, known: Value) -> Value {
        match node.kind() {
            Kind::Null => Value::Null,
            Kind::List(inner) if lists > 0 => self.read_leaves(inner, lists - 1, known),
            _ => Tree::body_leaf(self.body, node.span()),
        }
    }

    /// A list; where one of the same length is known, its elements are merged one by one.
    fn read_list<T>(
        &mut self,
        (count, elements): (usize, impl Iterator<Item = T>),
        known: Value,
        mut each: impl FnMut(&mut Self, T, Value) -> Value,
    ) -> Value {
        let (start, len) = known_or_new_list(self.tree, count, known);
        for (index, element) in (0..len).zip(elements) {
            let known = self.tree.item(start, index);
            let value = each(self, element, known);
            self.tree.set_item(start, index, value);
        }
        Value::List { start, len }
    }

    /// A list of objects, which mostly have their members in one order.
    fn read_object_list(
        &mut self,
        elements: Elements<'a>,
        (shape, fields): (&'a MappedShape, &'a ObjectMapping),
        known: Value,
    ) -> Value {
        let (start, len) = known_or_new_list(self.tree, elements.len(), known);
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
            let row = known_or_new_row(self.tree, fields.at, self.widths, known);
            let find = |key: Str<'a>| position(&fields.keyed, 0, |(name, _)| key.is(name));
            recall.members(element, find, |at, member| {
                self.read_member(row, &fields.keyed[at].1, member);
            });
            // Written apart, because a value that comes out of a branch costs a detour.
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
        let row = known_or_new_row(self.tree, fields.at, self.widths, known);
        let mut next = 0;
        for (key, member) in node.members() {
            // Answers of one service have their members in one order: the next key that is
            // looked for is most often the next that comes.
            let Some(at) = position(&fields.keyed, next, |(name, _)| key.is(name)) else {
                continue;
            };
            next = at + 1;
            self.read_member(row, &fields.keyed[at].1, member);
        }
        self.finish_object(row, fields, node)
    }

    /// What is taken of one member.
    #[inline]
    fn read_member(&mut self, row: Row, fields: &'a [SlotMapping], member: Node<'a>) {
        for field in fields {
            let ValueMapping {
                location,
                shape: take,
            } = &field.value;
            let ValueLocation::Keys(rest) = location else {
                continue;
            };
            let is_leaf = rest.is_empty() && matches!(take, MappedShape::Leaf { lists: 0 });
            if is_leaf && !member.is_null() {
                let piece = Tree::body_leaf(self.body, member.span());
                self.tree.set_slot(row, field.slot, piece);
                continue;
            }
            let known = self.tree.slot(row, field.slot);
            let value = self.read_path(member, rest, take, known);
            self.tree.set_slot(row, field.slot, value);
        }
    }

    /// The object, once its members are taken.
    fn finish_object(&mut self, row: Row, fields: &'a ObjectMapping, node: Node<'a>) -> Value {
        let whole = Json::Node(node);
        self.read_unkeyed(row, &fields.unkeyed, &whole);
        self.typed_object(row, fields, &whole)
    }

    fn read_unkeyed(&mut self, row: Row, unkeyed: &'a [SlotMapping], whole: &Json<'a>) {
        for field in unkeyed {
            let known = self.tree.slot(row, field.slot);
            let value = self.extract(&field.value, whole, known);
            self.tree.set_slot(row, field.slot, value);
        }
    }

    /// The object, once it is known of which type it is.
    fn typed_object(&mut self, row: Row, fields: &'a ObjectMapping, whole: &Json<'a>) -> Value {
        let Some(type_name) = &fields.typename else {
            return Value::Object(row);
        };
        match self.type_of(type_name, whole) {
            Some(ty) => {
                self.tree.set_type(row, ty);
                Value::Object(row)
            }
            // An object of no type that the schema knows cannot be shown.
            None => self.tree.computed_leaf(|out| whole.write_json(out)),
        }
    }

    fn type_of(
        &mut self,
        typename: &'a TypenameMapping,
        whole: &Json<'a>,
    ) -> Option<schema::types::TypeId> {
        let value = match &typename.location {
            ValueLocation::Keys(keys) => {
                let mut value = whole.clone();
                for key in keys {
                    value = value.get(key)?;
                }
                value
            }
            ValueLocation::Expression(member) => self.eval(member, whole)?,
        };
        let View::String(text) = value.view() else {
            return None;
        };
        let mut types = typename.types.iter();
        types.find(|(known, _)| **known == *text).map(|(_, id)| *id)
    }

    /// As `walk` and `node`, for a value that was computed.
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
                    self.read_list((list.len(), list.iter()), known, |fill, element, known| {
                        null_if_absent(fill.read_value(&element, keys, shape, known))
                    })
                }
                View::Null | View::Bool(_) | View::Number(_) | View::String(_) => known,
            };
        }
        match (view, shape) {
            (View::Null, _) => null_unless_known(known),
            (View::List(list), MappedShape::Object(_)) => {
                self.read_list((list.len(), list.iter()), known, |fill, element, known| {
                    null_if_absent(fill.read_value(&element, &[], shape, known))
                })
            }
            (View::List(list), MappedShape::Leaf { lists }) if *lists > 0 => {
                self.read_list((list.len(), list.iter()), known, |fill, element, known| {
                    fill.read_computed_leaf(&element, *lists - 1, known)
                })
            }
            (View::Object(members), MappedShape::Object(fields)) => {
                let row = known_or_new_row(self.tree, fields.at, self.widths, known);
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

    /// As `node_leaf`, for a value that was computed.
    fn read_computed_leaf(&mut self, value: &Json<'a>, lists: usize, known: Value) -> Value {
        if let Json::Node(node) = value {
            return self.read_leaf(*node, lists, known);
        }
        match value.view() {
            View::Null => Value::Null,
            View::List(list) if lists > 0 => {
                self.read_list((list.len(), list.iter()), known, |fill, element, known| {
                    fill.read_computed_leaf(&element, lists - 1, known)
                })
            }
            _ => self.tree.computed_leaf(|out| value.write_json(out)),
        }
    }
}

/// What is missing in a list is null: the others keep their places.
fn null_if_absent(value: Value) -> Value {
    match value {
        Value::Absent => Value::Null,
        other => other,
    }
}
