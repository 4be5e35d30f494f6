//! The result tree of an execution: objects as rows of slots in one flat list of values.
//!
//! A row has a slot for each slot of its position, so merging the values of several fetches is
//! writing to an index. Leaves are not copied: they refer to the response bodies, which the tree
//! holds. Computed leaves are JSON text in a buffer of the tree.

use std::sync::Arc;

use schema::json::{Json, Node, Value as JsonValue};
use schema::types::TypeId;

use crate::error::FailureId;
use crate::memory::{MemoryExceeded, MemoryMeter};
use crate::plan::Step;
use crate::selection::{PositionId, Selection};

pub(crate) use self::inputs::{InvalidValue, KeyState, ValueIndex};

mod inputs;

/// One value; 16 bytes, so it is `Copy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// No fetch provided a value yet.
    Absent,
    Null,
    /// The row of an object.
    Object(Row),
    /// `len` consecutive values from index `start`.
    List {
        start: u32,
        len: u32,
    },
    /// A leaf, as verbatim JSON text.
    Leaf(Text),
    /// The call that was to provide it failed.
    Failed(FailureId),
}

/// The index of an object's first slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row(u32);

/// One slot of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotRef {
    pub(crate) position: PositionId,
    pub(crate) row: Row,
    pub(crate) slot: usize,
}

/// A range of a body, or of the tree's own text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    body: BodyId,
    start: u32,
    len: u32,
}

impl Text {
    pub(crate) fn len(self) -> usize {
        self.len as usize
    }
}

/// The index of a body in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyId(u32);

/// `Text::body` for the tree's own text.
const OWN_TEXT: BodyId = BodyId(u32::MAX);

/// Everything that the fetches of one execution have provided.
#[derive(Debug)]
pub(crate) struct Tree {
    values: Vec<Value>,
    bodies: Vec<Arc<Json>>,
    own_text: Vec<u8>,
    /// The types of objects at abstract positions, by row.
    types: hashbrown::HashMap<u32, TypeId, foldhash::fast::RandomState>,
    /// Failures of calls that were to provide the type, by row.
    type_failures: hashbrown::HashMap<u32, FailureId, foldhash::fast::RandomState>,
    root: Row,
    memory: MemoryMeter,
    /// How many values are charged to the memory.
    charged_values: usize,
    /// Bytes of the tree's own text that are charged to the memory.
    charged_text: usize,
    /// Whether something was left out because the execution holds too much.
    is_exhausted: bool,
}

/// Number of slots of a row, by position.
#[derive(Debug)]
pub(crate) struct Widths(Vec<u32>);

impl Widths {
    pub(crate) fn new(selection: &Selection) -> Self {
        let positions = selection.positions();
        // A row also identifies its object, so it has at least one slot.
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
    /// A tree with a root object, whose bodies and values are charged to `memory`.
    pub(crate) fn new(widths: &Widths, memory: MemoryMeter) -> Self {
        let width = widths.width(crate::selection::ROOT);
        let mut tree = Self {
            values: Vec::with_capacity(256.max(width)),
            bodies: Vec::new(),
            own_text: Vec::new(),
            types: hashbrown::HashMap::default(),
            type_failures: hashbrown::HashMap::default(),
            root: Row(0),
            memory,
            charged_values: 0,
            charged_text: 0,
            is_exhausted: false,
        };
        // The document's limits bound the root.
        tree.values.resize(width, Value::Absent);
        tree
    }

    pub(crate) fn root(&self) -> Row {
        self.root
    }

    /// Adds an object at a position, with all slots absent; `None` if the execution holds too much.
    pub(crate) fn add_object(&mut self, at: PositionId, widths: &Widths) -> Option<Row> {
        let row = Row(self.next_index());
        let end = self.values.len() + widths.width(at);
        if !self.has_room(end) {
            return None;
        }
        self.values.resize(end, Value::Absent);
        Some(row)
    }

    /// Reserves room for `objects` rows at a position, to avoid repeated reallocation.
    pub(crate) fn reserve_objects(&mut self, objects: usize, at: PositionId, widths: &Widths) {
        let values = objects.saturating_mul(widths.width(at));
        if self.has_room(self.values.len().saturating_add(values)) {
            self.values.reserve(values);
        }
    }

    /// Adds a list of `len` absent values; returns its start and length. `None` if the execution
    /// holds too much.
    pub(crate) fn add_list(&mut self, len: usize) -> Option<(u32, u32)> {
        let start = self.next_index();
        let end = self.values.len() + len;
        if !self.has_room(end) {
            return None;
        }
        self.values.resize(end, Value::Absent);
        Some((start, u32::try_from(len).unwrap_or(u32::MAX)))
    }

    /// Whether the tree may have `len` values.
    #[inline]
    fn has_room(&mut self, len: usize) -> bool {
        len <= self.charged_values || self.charge_values(len)
    }

    /// Charges `len` values, or more, so that it is seldom called.
    #[cold]
    fn charge_values(&mut self, len: usize) -> bool {
        let doubled = self
            .charged_values
            .saturating_mul(2)
            .max(MIN_CHARGED_VALUES);
        for target in [len.max(doubled), len] {
            let bytes = (target - self.charged_values).saturating_mul(size_of::<Value>());
            if bytes <= self.memory.remaining() && self.memory.charge(bytes).is_ok() {
                self.charged_values = target;
                return true;
            }
        }
        self.is_exhausted = true;
        false
    }

    /// An error if the execution holds too much, so that a part of the last response was left out.
    pub(crate) fn check_memory(&self) -> Result<(), MemoryExceeded> {
        if self.is_exhausted {
            return Err(self.memory.exceeded());
        }
        Ok(())
    }

    /// Checks that a body can be parsed and added: that the execution has room for it and its
    /// index.
    pub(crate) fn check_body(&self, text: &[u8]) -> Result<(), MemoryExceeded> {
        self.check_memory()?;
        let remaining = self.memory.remaining();
        // Most bodies are so small that their nodes need not be counted.
        if Json::MAX_BYTES_PER_BYTE.saturating_mul(text.len()) <= remaining
            || Json::max_size(text) <= remaining
        {
            return Ok(());
        }
        Err(self.memory.exceeded())
    }

    /// Indexes have 32 bits: the limit on memory bounds the number of values far below that.
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

    /// The elements of a list.
    pub(crate) fn items(&self, start: u32, len: u32) -> impl Iterator<Item = Value> + '_ {
        self.values[start as usize..][..len as usize]
            .iter()
            .copied()
    }

    pub(crate) fn set_item(&mut self, start: u32, index: u32, value: Value) {
        self.values[(start + index) as usize] = value;
    }

    /// Adds a body, which lives as long as the tree.
    pub(crate) fn add_body(&mut self, body: Arc<Json>) {
        let is_known = self
            .bodies
            .last()
            .is_some_and(|last| Arc::ptr_eq(last, &body));
        if !is_known && self.memory.charge(body.size()).is_err() {
            self.is_exhausted = true;
        }
        self.bodies.push(body);
    }

    /// Id of the next body.
    pub(crate) fn next_body(&self) -> BodyId {
        u32::try_from(self.bodies.len()).map_or(OWN_TEXT, BodyId)
    }

    /// A leaf that refers to the text of a node of a body.
    pub(crate) fn body_leaf(body: BodyId, node: Node<'_>) -> Value {
        let (start, len) = node.span();
        Value::Leaf(Text { body, start, len })
    }

    /// A leaf whose JSON text `write` appends to the tree's own text.
    pub(crate) fn computed_leaf(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Value {
        let start = self.own_text.len();
        write(&mut self.own_text);
        if self.own_text.len() > self.charged_text {
            self.charge_text();
        }
        Value::Leaf(Text {
            body: OWN_TEXT,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            len: u32::try_from(self.own_text.len() - start).unwrap_or(0),
        })
    }

    /// Charges the tree's own text, with room for more, so that it is seldom called.
    #[cold]
    fn charge_text(&mut self) {
        let target = self.own_text.capacity().max(MIN_CHARGED_TEXT);
        let bytes = target - self.charged_text;
        self.charged_text = target;
        if self.memory.charge(bytes).is_err() {
            self.is_exhausted = true;
        }
    }

    /// The JSON text of a leaf.
    pub(crate) fn text(&self, text: Text) -> &[u8] {
        let body: &[u8] = match self.bodies.get(text.body.0 as usize) {
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

    /// The type of an object, if it is at an abstract position and the type is known.
    pub(crate) fn type_of(&self, row: Row) -> Option<TypeId> {
        self.types.get(&row.0).copied()
    }

    /// Records that the call that was to provide the type of an object failed.
    pub(crate) fn set_type_failure(&mut self, row: Row, failure: FailureId) {
        self.type_failures.insert(row.0, failure);
    }

    /// The failure because of which the type of an object is unknown.
    pub(crate) fn type_failure(&self, row: Row) -> Option<FailureId> {
        self.type_failures.get(&row.0).copied()
    }

    /// Every object that `path` leads to from the root, through lists.
    ///
    /// An object that several others refer to may be there more than once, but all together are at
    /// most twice as many as the tree has objects.
    pub(crate) fn rows(&self, path: &[Step]) -> Vec<Row> {
        let mut rows = vec![self.root];
        for step in path {
            let mut next = Vec::with_capacity(rows.len());
            // More rows than there are values: some are there more than once.
            let mut max_rows = self.values.len();
            for row in rows {
                if self.is_step_possible(row, step) {
                    self.add_rows(self.slot(row, step.slot), &mut next);
                }
                if next.len() > max_rows {
                    let mut seen = std::collections::HashSet::with_capacity(max_rows);
                    next.retain(|row: &Row| seen.insert(*row));
                    max_rows = self.values.len() + next.len();
                }
            }
            rows = next;
        }
        rows
    }

    /// Appends the objects of a value: itself, or the elements of a list.
    fn add_rows(&self, value: Value, rows: &mut Vec<Row>) {
        match value {
            Value::Object(row) => rows.push(row),
            Value::List { start, len } => {
                for item in self.items(start, len) {
                    self.add_rows(item, rows);
                }
            }
            Value::Absent | Value::Null | Value::Leaf(_) | Value::Failed(_) => {}
        }
    }

    /// Every object that `path` leads to, preceded by its ancestors: the root, then one per step.
    pub(crate) fn rows_with_ancestors(&self, path: &[Step]) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut ancestors = Vec::with_capacity(path.len() + 1);
        self.walk(
            &mut ancestors,
            Value::Object(self.root),
            path,
            &mut |lineage| {
                rows.extend_from_slice(lineage);
            },
        );
        rows
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

    /// Whether a step applies to an object; a step for certain types excludes an unknown type.
    fn is_step_possible(&self, row: Row, step: &Step) -> bool {
        let Some(types) = &step.types else {
            return true;
        };
        self.type_of(row).is_some_and(|ty| types.contains(&ty))
    }
}

/// Minimum values that are charged to the memory at once.
const MIN_CHARGED_VALUES: usize = 1_024;

/// Minimum bytes of own text that are charged to the memory at once.
const MIN_CHARGED_TEXT: usize = 4_096;

/// Appends a JSON leaf in canonical form: strings without needless escapes.
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
