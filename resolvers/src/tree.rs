//! The result tree of an execution: objects as rows of slots in one flat list of values.
//!
//! A row has a slot for each slot of its position, so merging the values of several fetches is
//! writing to an index. Leaves are not copied: they refer to the response bodies, which the tree
//! holds. Computed leaves are JSON text in a buffer of the tree.

use std::sync::Arc;

use schema::json::{Json, Node, Value as JsonValue};
use schema::types::TypeId;

use crate::error::FailureId;
use crate::plan::Step;
use crate::selection::{PositionId, Selection};

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
}

/// State of the key fields of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// All fields have values.
    Known,
    /// A key field is null or absent, so the entity cannot be fetched.
    Missing,
    /// A call that was to provide a key field failed.
    Failed(FailureId),
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

    /// Adds an object at a position, with all slots absent.
    pub(crate) fn add_object(&mut self, at: PositionId, widths: &Widths) -> Row {
        let row = Row(self.next_index());
        let end = self.values.len() + widths.width(at);
        self.values.resize(end, Value::Absent);
        row
    }

    /// Reserves room for `objects` rows at a position, to avoid repeated reallocation.
    pub(crate) fn reserve_objects(&mut self, objects: usize, at: PositionId, widths: &Widths) {
        self.values
            .reserve(objects.saturating_mul(widths.width(at)));
    }

    /// Adds a list of `len` absent values; returns its start and length.
    pub(crate) fn add_list(&mut self, len: usize) -> (u32, u32) {
        let start = self.next_index();
        self.values.resize(self.values.len() + len, Value::Absent);
        (start, u32::try_from(len).unwrap_or(u32::MAX))
    }

    /// Indexes have 32 bits: the size limit of a body bounds its values far below that.
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
        Value::Leaf(Text {
            body: OWN_TEXT,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            len: u32::try_from(self.own_text.len() - start).unwrap_or(0),
        })
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
    pub(crate) fn rows(&self, path: &[Step]) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut ancestors = Vec::with_capacity(path.len() + 1);
        self.walk(
            &mut ancestors,
            Value::Object(self.root),
            path,
            &mut |lineage| {
                rows.extend(lineage.last());
            },
        );
        rows
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
