//! Reads connector responses and cached values into rows, by a compiled mapping.

use schema::json::{Elements, Fields, Kind, Node, Recall, Str, Value as Json, View};
use schema::mapping::{Report, ReportKind, Vars, eval_mapping, eval_member};
use schema::types::TypeId;

use super::mapping::{
    MappedShape, ObjectMapping, SlotMapping, TypenameMapping, ValueLocation, ValueMapping,
};
use super::position;
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
    /// Reads the value of `mapping` in `input`.
    pub(crate) fn extract(&mut self, mapping: &'a ValueMapping, input: &Json<'a>) -> Value {
        match &mapping.location {
            ValueLocation::Keys(keys) => self.read_value(input, keys, &mapping.shape),
            location => match self.eval(location, input) {
                Some(value) => self.read_value(&value, &[], &mapping.shape),
                None => Value::Absent,
            },
        }
    }

    /// The value of a location without keys; of one with keys the whole input.
    fn eval(&mut self, location: &'a ValueLocation, input: &Json<'a>) -> Option<Json<'a>> {
        let outcome = match location {
            ValueLocation::Keys(_) => return Some(input.clone()),
            ValueLocation::Expression(member) => eval_member(member, input, input, self.vars),
            ValueLocation::Mapping(items) => eval_mapping(items, input, self.vars),
        };
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
        let Value::List { start, len } = self.extract(mapping, input) else {
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
        let mut keys: &'a [Box<str>] = match &mapping.location {
            ValueLocation::Keys(keys) => keys,
            ValueLocation::Expression(_) | ValueLocation::Mapping(_) => &[],
        };
        let mut located = self.eval(&mapping.location, input)?;
        while let (None, [key, rest @ ..]) = (located.as_list(), keys) {
            located = located.get(key)?;
            keys = rest;
        }
        let list = located.as_list()?;
        let mut objects = Vec::with_capacity(indices.len());
        for index in indices {
            let element = index.and_then(|index| list.get(index));
            let value = element.map(|element| self.read_value(&element, keys, &mapping.shape));
            objects.push(match value {
                Some(Value::Object(row)) => Some(row),
                _ => None,
            });
        }
        Some(objects)
    }

    fn read_value(&mut self, value: &Json<'a>, keys: &[Box<str>], shape: &'a MappedShape) -> Value {
        match value {
            Json::Node(node) => self.read_path(*node, keys, shape),
            other => self.read_computed(other, keys, shape),
        }
    }

    fn read_path(&mut self, node: Node<'a>, keys: &[Box<str>], shape: &'a MappedShape) -> Value {
        let [key, rest @ ..] = keys else {
            return self.read_node(node, shape);
        };
        match (node.kind(), shape) {
            (Kind::Object(_), _) => match node.get(key) {
                Some(inner) => self.read_path(inner, rest, shape),
                None => Value::Absent,
            },
            // A key after a list applies to each element (connect specification, §3.4).
            (Kind::List(elements), MappedShape::Object(_)) => {
                self.read_list(elements.len(), elements, |filler, element| {
                    let value = filler.read_path(element, keys, shape);
                    filler.null_if_absent(value, shape)
                })
            }
            (Kind::List(_), MappedShape::Leaf { lists }) => self.read_leaf_path(node, keys, *lists),
            (Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_), _) => Value::Absent,
        }
    }

    /// Reads a leaf at a path; each list on it is one of the leaf's `lists`.
    fn read_leaf_path(&mut self, node: Node<'a>, keys: &[Box<str>], lists: usize) -> Value {
        let [key, rest @ ..] = keys else {
            return self.read_leaf(node, lists);
        };
        match node.kind() {
            Kind::Object(_) => match node.get(key) {
                Some(inner) => self.read_leaf_path(inner, rest, lists),
                None => Value::Absent,
            },
            Kind::List(elements) if lists > 0 => {
                self.read_list(elements.len(), elements, |filler, element| {
                    null_if_absent(filler.read_leaf_path(element, keys, lists - 1))
                })
            }
            Kind::List(_) => {
                let value = Json::Node(node);
                self.computed_leaf_at(&value, keys)
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => Value::Absent,
        }
    }

    /// The value at a path through lists as one leaf.
    fn computed_leaf_at(&mut self, value: &Json<'a>, keys: &[Box<str>]) -> Value {
        match value_at(value, keys) {
            Some(value) => self.tree.computed_leaf(|out| value.write_json(out)),
            None => Value::Absent,
        }
    }

    /// Reads null for an absent element, so that the others keep their indexes.
    fn null_if_absent(&mut self, value: Value, shape: &'a MappedShape) -> Value {
        match value {
            Value::Absent => null_if_absent(self.read_computed(&Json::Null, &[], shape)),
            other => other,
        }
    }

    fn read_node(&mut self, node: Node<'a>, shape: &'a MappedShape) -> Value {
        match (node.kind(), shape) {
            (_, MappedShape::Leaf { lists }) => self.read_leaf(node, *lists),
            (Kind::List(elements), MappedShape::Object(fields)) => {
                self.read_object_list(elements, shape, fields)
            }
            (Kind::Object(_), MappedShape::Object(fields)) => self.read_object(node, fields),
            (_, MappedShape::Object(fields)) => match self.read_scalar(&Json::Node(node), fields) {
                Some(value) => value,
                None if node.is_null() => Value::Null,
                None => Tree::body_leaf(self.body, node),
            },
        }
    }

    /// Reads a leaf, or a list of leaves.
    fn read_leaf(&mut self, node: Node<'a>, lists: usize) -> Value {
        match node.kind() {
            Kind::Null => Value::Null,
            Kind::List(elements) if lists > 0 => {
                self.read_list(elements.len(), elements, |filler, element| {
                    filler.read_leaf(element, lists - 1)
                })
            }
            _ => Tree::body_leaf(self.body, node),
        }
    }

    fn read_list<T>(
        &mut self,
        count: usize,
        elements: impl Iterator<Item = T>,
        mut each: impl FnMut(&mut Self, T) -> Value,
    ) -> Value {
        let Some((start, len)) = self.tree.add_list(count) else {
            return Value::Absent;
        };
        for (index, element) in (0..len).zip(elements) {
            let value = each(self, element);
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
    ) -> Value {
        let Some((start, len)) = self.tree.add_list(elements.len()) else {
            return Value::Absent;
        };
        self.tree
            .reserve_objects(elements.len(), fields.at, self.widths);
        let is_plain = fields.unkeyed.is_empty() && fields.typename.is_none();
        let mut recall = Recall::default();
        for (index, element) in (0..len).zip(elements) {
            if !element.is_object() {
                let value = null_if_absent(self.read_node(element, shape));
                self.tree.set_item(start, index, value);
                continue;
            }
            let Some(row) = self.tree.add_object(fields.at, self.widths) else {
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

    fn read_object(&mut self, node: Node<'a>, fields: &'a ObjectMapping) -> Value {
        let Some(row) = self.tree.add_object(fields.at, self.widths) else {
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

    /// Fills the slots that one member provides; of equal keys the last counts.
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
            let value = self.read_path(member, rest, shape);
            self.tree.set_slot(row, field.slot, value);
        }
    }

    /// Fills the slots without keys and sets the type, after the members are read.
    fn finish_object(&mut self, row: Row, fields: &'a ObjectMapping, node: Node<'a>) -> Value {
        let object = Json::Node(node);
        self.read_unkeyed(row, &fields.unkeyed, &object);
        self.typed_object(row, fields, &object)
    }

    /// The object that a group makes of null or a scalar; `None` if it makes none.
    fn read_scalar(&mut self, scalar: &Json<'a>, fields: &'a ObjectMapping) -> Option<Value> {
        let members = fields.of_scalars.as_ref()?;
        let Some(row) = self.tree.add_object(fields.at, self.widths) else {
            return Some(Value::Absent);
        };
        self.read_unkeyed(row, &fields.unkeyed, scalar);
        let mut slots = fields.unkeyed.iter();
        let is_object = members.has_constant
            || slots.any(|field| self.tree.slot(row, field.slot) != Value::Absent)
            || members.others.iter().any(|member| {
                let outcome = eval_member(member, scalar, scalar, self.vars);
                outcome.value.is_some()
            });
        is_object.then(|| self.typed_object(row, fields, scalar))
    }

    fn read_unkeyed(&mut self, row: Row, unkeyed: &'a [SlotMapping], object: &Json<'a>) {
        for field in unkeyed {
            let value = self.extract(&field.value, object);
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
            location => self.eval(location, object),
        }
    }

    /// Reads a computed value as `read_path` reads a node.
    fn read_computed(
        &mut self,
        value: &Json<'a>,
        keys: &[Box<str>],
        shape: &'a MappedShape,
    ) -> Value {
        if !keys.is_empty() {
            return match value_at(value, keys) {
                Some(value) => self.read_value(&value, &[], shape),
                None => Value::Absent,
            };
        }
        let fields = match shape {
            MappedShape::Leaf { lists } => return self.read_computed_leaf(value, *lists),
            MappedShape::Object(fields) => fields,
        };
        match value.view() {
            View::List(list) => self.read_list(list.len(), list.iter(), |filler, element| {
                null_if_absent(filler.read_value(&element, &[], shape))
            }),
            View::Object(members) => self.read_computed_object(members, value, fields),
            view => match self.read_scalar(value, fields) {
                Some(object) => object,
                None if matches!(view, View::Null) => Value::Null,
                None => self.tree.computed_leaf(|out| value.write_json(out)),
            },
        }
    }

    fn read_computed_object(
        &mut self,
        members: Fields<'_, 'a>,
        value: &Json<'a>,
        fields: &'a ObjectMapping,
    ) -> Value {
        let Some(row) = self.tree.add_object(fields.at, self.widths) else {
            return Value::Absent;
        };
        for (key, keyed) in &fields.keyed {
            let Some(member) = members.get(key) else {
                continue;
            };
            for field in keyed {
                if let ValueLocation::Keys(rest) = &field.value.location {
                    let value = self.read_value(&member, rest, &field.value.shape);
                    self.tree.set_slot(row, field.slot, value);
                }
            }
        }
        self.read_unkeyed(row, &fields.unkeyed, value);
        self.typed_object(row, fields, value)
    }

    /// Reads a computed leaf, or a computed list of leaves.
    fn read_computed_leaf(&mut self, value: &Json<'a>, lists: usize) -> Value {
        if let Json::Node(node) = value {
            return self.read_leaf(*node, lists);
        }
        match value.view() {
            View::Null => Value::Null,
            View::List(list) if lists > 0 => {
                self.read_list(list.len(), list.iter(), |filler, element| {
                    filler.read_computed_leaf(&element, lists - 1)
                })
            }
            _ => self.tree.computed_leaf(|out| value.write_json(out)),
        }
    }
}

/// The value at a path: a key after a list applies to each element.
fn value_at<'a>(value: &Json<'a>, keys: &[Box<str>]) -> Option<Json<'a>> {
    let [key, rest @ ..] = keys else {
        return Some(value.clone());
    };
    match value.as_list() {
        Some(list) => {
            let elements = list.iter();
            let elements = elements.map(|element| value_at(&element, keys).unwrap_or(Json::Null));
            Some(Json::list(elements.collect()))
        }
        None => value_at(&value.get(key)?, rest),
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
