//! The result while it is being fetched: objects as rows of slots in one flat list of values.
//!
//! A row has a slot for each slot of its position, so merging what several fetches bring is
//! writing to an index. Leaves stay where they are, in the bodies that the sources answered
//! with; what had to be computed is JSON text in a buffer of the tree's own.

use std::sync::Arc;

use schema::json::{Json, Value as JsonValue};
use schema::types::TypeId;

use crate::error::FailureId;
use crate::plan::Step;
use crate::selection::{PositionId, Selection};

/// One value: 16 bytes, copied freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nobody said anything yet.
    Absent,
    Null,
    /// The row of an object.
    Object(Row),
    /// So many values, from here.
    List {
        start: u32,
        len: u32,
    },
    /// The JSON text of a leaf, verbatim.
    Leaf(Text),
    /// A call that was to bring it failed.
    Failed(FailureId),
}

/// The first slot of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row(u32);

/// A piece of a body, or of the tree's own text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    body: u32,
    start: u32,
    len: u32,
}

/// `Text::body` of the tree's own text.
const OWN_TEXT: u32 = u32::MAX;

#[derive(Debug)]
pub(crate) struct Tree {
    values: Vec<Value>,
    bodies: Vec<Arc<Json>>,
    own_text: Vec<u8>,
    /// The type of each object at a place where several are possible; by its row.
    types: hashbrown::HashMap<u32, TypeId, foldhash::fast::RandomState>,
    /// The failures of calls that were to tell it.
    type_failures: hashbrown::HashMap<u32, FailureId, foldhash::fast::RandomState>,
    root: Row,
}

/// What is known of that by which an object is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyState {
    Known,
    /// A part is null or was never given: the object cannot be asked for.
    Missing,
    /// A call that was to give a part failed.
    Failed(FailureId),
}

/// How many slots a row of each position has.
#[derive(Debug)]
pub(crate) struct Widths(Vec<u32>);

impl Widths {
    pub(crate) fn new(selection: &Selection) -> Self {
        let positions = selection.positions();
        // A row is also what tells an object from others, so none is empty.
        let widths = positions.map(|(_, position)| position.slots.len().max(1));
        Self(
            widths
                .map(|width| u32::try_from(width).unwrap_or(u32::MAX))
                .collect(),
        )
    }

    fn width(&self, at: PositionId) -> usize {
        self.0[at.0] as usize
    }
}

impl Tree {
    pub(crate) fn new(widths: &Widths) -> Self {
        let mut tree = Self {
            values: Vec::with_capacity(256),
            bodies: Vec::new(),
            own_text: Vec::new(),
            types: hashbrown::HashMap::default(),
            type_failures: hashbrown::HashMap::default(),
            root: Row(0),
        };
        tree.root = tree.add_object(crate::selection::ROOT, widths);
        tree
    }

    pub(crate) fn root(&self) -> Row {
        self.root
    }

    /// A new object for a place, nothing known of it.
    pub(crate) fn add_object(&mut self, at: PositionId, widths: &Widths) -> Row {
        let row = Row(self.next_index());
        let end = self.values.len() + widths.width(at);
        self.values.resize(end, Value::Absent);
        row
    }

    /// Makes room for so many objects of a place at once: growing step by step copies all that is
    /// there, again and again.
    pub(crate) fn reserve_objects(&mut self, objects: usize, at: PositionId, widths: &Widths) {
        self.values
            .reserve(objects.saturating_mul(widths.width(at)));
    }

    /// A new list of `len` values, nothing known of them.
    pub(crate) fn add_list(&mut self, len: usize) -> (u32, u32) {
        let start = self.next_index();
        self.values.resize(self.values.len() + len, Value::Absent);
        (start, u32::try_from(len).unwrap_or(u32::MAX))
    }

    /// Positions are 32 bits wide; a body is bounded far below that, and so is what it becomes.
    fn next_index(&self) -> u32 {
        u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn slot(&self, row: Row, slot: usize) -> Value {
        self.values[row.0 as usize + slot]
    }

    pub(crate) fn set_slot(&mut self, row: Row, slot: usize, value: Value) {
        self.values[row.0 as usize + slot] = value;
    }

    pub(crate) fn item(&self, start: u32, index: u32) -> Value {
        self.values[(start + index) as usize]
    }

    pub(crate) fn set_item(&mut self, start: u32, index: u32, value: Value) {
        self.values[(start + index) as usize] = value;
    }

    /// Keeps a body for as long as the tree.
    pub(crate) fn add_body(&mut self, body: Arc<Json>) {
        self.bodies.push(body);
    }

    /// The number that the next body will have.
    pub(crate) fn next_body(&self) -> u32 {
        u32::try_from(self.bodies.len()).unwrap_or(OWN_TEXT)
    }

    /// A piece of a body that is kept.
    pub(crate) fn body_leaf(body: u32, (start, len): (u32, u32)) -> Value {
        Value::Leaf(Text { body, start, len })
    }

    /// JSON text that `write` makes, kept in the tree.
    pub(crate) fn computed_leaf(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Value {
        let start = self.own_text.len();
        write(&mut self.own_text);
        Value::Leaf(Text {
            body: OWN_TEXT,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            len: u32::try_from(self.own_text.len() - start).unwrap_or(0),
        })
    }

    /// The JSON text of a leaf.
    pub(crate) fn text(&self, text: Text) -> &[u8] {
        let body: &[u8] = match self.bodies.get(text.body as usize) {
            Some(body) => body.text(),
            None => &self.own_text,
        };
        let start = text.start as usize;
        body.get(start..start + text.len as usize)
            .unwrap_or_default()
    }

    pub(crate) fn set_type(&mut self, row: Row, ty: TypeId) {
        self.types.insert(row.0, ty);
    }

    /// The type of an object, where its place allows several.
    pub(crate) fn type_of(&self, row: Row) -> Option<TypeId> {
        self.types.get(&row.0).copied()
    }

    /// Notes that a call failed that would have told the type of an object.
    pub(crate) fn set_type_failure(&mut self, row: Row, failure: FailureId) {
        self.type_failures.insert(row.0, failure);
    }

    /// Why nobody told the type of an object, where a failure is the reason.
    pub(crate) fn type_failure(&self, row: Row) -> Option<FailureId> {
        self.type_failures.get(&row.0).copied()
    }

    /// Every object that `path` leads to from the root, lists walked through.
    pub(crate) fn rows(&self, path: &[Step]) -> Vec<Row> {
        let mut found = Vec::new();
        let mut ancestors = Vec::with_capacity(path.len() + 1);
        self.walk(
            &mut ancestors,
            Value::Object(self.root),
            path,
            &mut |line| {
                found.extend(line.last());
            },
        );
        found
    }

    /// The same, each behind the objects on the way to it: the root, and one for each step.
    pub(crate) fn rows_with_ancestors(&self, path: &[Step]) -> Vec<Row> {
        let mut found = Vec::new();
        let mut ancestors = Vec::with_capacity(path.len() + 1);
        self.walk(
            &mut ancestors,
            Value::Object(self.root),
            path,
            &mut |line| {
                found.extend_from_slice(line);
            },
        );
        found
    }

    fn walk(
        &self,
        ancestors: &mut Vec<Row>,
        value: Value,
        path: &[Step],
        visit: &mut impl FnMut(&[Row]),
    ) {
        match value {
            Value::Object(row) => {
                ancestors.push(row);
                match path {
                    [] => visit(ancestors),
                    [step, rest @ ..] if self.is_step_possible(row, step) => {
                        self.walk(ancestors, self.slot(row, step.slot), rest, visit);
                    }
                    _ => {}
                }
                ancestors.pop();
            }
            Value::List { start, len } => {
                for index in 0..len {
                    self.walk(ancestors, self.item(start, index), path, visit);
                }
            }
            Value::Absent | Value::Null | Value::Leaf(_) | Value::Failed(_) => {}
        }
    }

    /// Whether a step may be taken from an object; one whose type nobody has told is none of them.
    fn is_step_possible(&self, row: Row, step: &Step) -> bool {
        let Some(through) = &step.types else {
            return true;
        };
        self.type_of(row).is_some_and(|ty| through.contains(&ty))
    }
}

/// Texts that are one string have one form: escapes are taken out where there are any.
pub(crate) fn write_canonical(text: &[u8], out: &mut Vec<u8>) {
    if text.contains(&b'\\') {
        let decoded = Json::parse(bytes::Bytes::copy_from_slice(text))
            .map(|json| JsonValue::Node(json.root()).to_owned_value());
        if let Ok(value) = decoded {
            value.write_json(out);
            return;
        }
    }
    out.extend_from_slice(text);
}
