//! What a service is told of an entity: `{"__typename":"Product","id":"1"}`, compiled from the
//! key and the requirements, written from the slots that hold them.

use schema::types::{Kind, Name, Scalar, TypeId, TypeRef, Types};

use crate::plan::Entered;
use crate::selection::{KeySlot, PositionId, Selection, applies};
use crate::tree::{KeyState, Row, Text, Tree, Value, write_canonical};

/// The JSON of one entity, but for its values.
#[derive(Debug)]
pub(crate) struct Representation {
    /// `"__typename":"Product"`; nothing for root fields.
    head: Box<[u8]>,
    parts: Vec<Part>,
}

/// A member of an object.
#[derive(Debug)]
struct Part {
    /// `"name":`.
    prefix: Box<[u8]>,
    slot: usize,
    /// Of objects of these types only; `None`: of all.
    on: Option<Vec<TypeId>>,
    demand: Demand,
    value: PartValue,
    /// The same member with other members inside, which are held in slots of their own.
    twins: Vec<Self>,
}

/// What a value that is not there means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    /// The object cannot be asked for.
    Key,
    /// The service is told null.
    Told,
}

#[derive(Debug)]
enum PartValue {
    Leaf(Leaf),
    Object {
        /// `"__typename":"Book"`, by type, where several are possible.
        names: Vec<(TypeId, Box<[u8]>)>,
        parts: Vec<Part>,
    },
}

/// How a leaf is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    AsItIs,
    /// Integers become text, as services write ids.
    Id,
}

/// What compiling needs at every step.
pub(super) struct Compile<'a> {
    pub(super) types: &'a Types,
    pub(super) selection: &'a Selection,
}

impl Representation {
    /// Of the objects at a place that a service is asked for as `type_name`.
    pub(super) fn of(
        compile: &Compile<'_>,
        type_name: &Name,
        (at, entered): (PositionId, &Entered),
    ) -> Self {
        let mut parts = Vec::new();
        compile.add((at, Demand::Key), &entered.key, &mut parts);
        compile.add((at, Demand::Told), &entered.requires, &mut parts);
        Self {
            head: type_member(type_name),
            parts,
        }
    }

    /// Of the root, of which nothing is told.
    pub(super) fn nothing() -> Self {
        Self {
            head: Box::default(),
            parts: Vec::new(),
        }
    }

    /// Appends the JSON of the object in `row`; what is appended counts only if all is known.
    pub(crate) fn write(&self, tree: &Tree, row: Row, out: &mut Vec<u8>) -> KeyState {
        if self.head.is_empty() {
            return KeyState::Known;
        }
        let mut write = Write { tree, out };
        write.object(row, &self.head, &self.parts)
    }
}

impl Compile<'_> {
    fn add(&self, (at, demand): (PositionId, Demand), slots: &[KeySlot], parts: &mut Vec<Part>) {
        for key in slots {
            let new = self.part(at, demand, key);
            let twin = parts
                .iter_mut()
                .find(|part| part.prefix == new.prefix && part.on == new.on);
            let same = match twin {
                Some(twin) if twin.slot != key.slot => &mut twin.twins,
                _ => &mut *parts,
            };
            let known = same.iter().position(|part| part.slot == key.slot);
            let index = known.unwrap_or(same.len());
            match same.get_mut(index) {
                Some(part) => part.on = either(part.on.take(), key.on.as_deref()),
                None => same.push(new),
            }
            self.add_inner((at, demand), key, &mut same[index]);
        }
    }

    fn part(&self, at: PositionId, demand: Demand, key: &KeySlot) -> Part {
        let slot = &self.selection.position(at).slots[key.slot];
        let value = match slot.child {
            Some(child) => PartValue::Object {
                names: self.names(child),
                parts: Vec::new(),
            },
            None => PartValue::Leaf(self.leaf(&slot.ty)),
        };
        Part {
            prefix: format!("\"{}\":", key.name).into_bytes().into(),
            slot: key.slot,
            on: key.on.clone(),
            demand,
            value,
            twins: Vec::new(),
        }
    }

    fn add_inner(&self, (at, demand): (PositionId, Demand), key: &KeySlot, part: &mut Part) {
        let child = self.selection.position(at).slots[key.slot].child;
        if let (Some(child), PartValue::Object { parts, .. }) = (child, &mut part.value) {
            self.add((child, demand), &key.inner, parts);
        }
    }

    fn names(&self, at: PositionId) -> Vec<(TypeId, Box<[u8]>)> {
        let position = self.selection.position(at);
        if !position.is_abstract(self.types) {
            return Vec::new();
        }
        let possible = self.types.get(position.ty).possible.iter();
        possible
            .map(|ty| (*ty, type_member(&self.types.get(*ty).name)))
            .collect()
    }

    fn leaf(&self, ty: &TypeRef) -> Leaf {
        match self.types.get(ty.named()).kind {
            Kind::Scalar(Scalar::Id) => Leaf::Id,
            _ => Leaf::AsItIs,
        }
    }
}

/// Objects of either's types.
fn either(on: Option<Vec<TypeId>>, more: Option<&[TypeId]>) -> Option<Vec<TypeId>> {
    let (mut on, more) = on.zip(more)?;
    on.extend_from_slice(more);
    Some(on)
}

/// `"__typename":"Product"`.
fn type_member(name: &str) -> Box<[u8]> {
    format!("\"__typename\":\"{name}\"").into_bytes().into()
}

impl Part {
    fn applies(&self, ty: Option<TypeId>) -> bool {
        applies(self.on.as_deref(), ty)
    }

    /// `"__typename":"Book"`, where it must be said of which type the object is.
    fn name(&self, ty: Option<TypeId>) -> &[u8] {
        let PartValue::Object { names, .. } = &self.value else {
            return &[];
        };
        let mut names = names.iter();
        let name = names.find(|(known, _)| Some(*known) == ty);
        name.map_or(&[], |(_, name)| name)
    }
}

/// A name, and the values that are one value.
type Member<'p> = (&'p [u8], Vec<(Value, &'p Part)>);

/// Whether both are objects, lists of one length, or neither.
fn is_alike(left: Value, right: Value) -> bool {
    match (left, right) {
        (Value::Object(_), Value::Object(_)) => true,
        (Value::List { len, .. }, Value::List { len: other, .. }) => len == other,
        (Value::Object(_) | Value::List { .. }, _) | (_, Value::Object(_) | Value::List { .. }) => {
            false
        }
        _ => true,
    }
}

struct Write<'t> {
    tree: &'t Tree,
    out: &'t mut Vec<u8>,
}

impl Write<'_> {
    fn object(&mut self, row: Row, head: &[u8], parts: &[Part]) -> KeyState {
        self.out.push(b'{');
        self.out.extend_from_slice(head);
        let mut is_first = head.is_empty();
        let ty = self.tree.type_of(row);
        for part in parts {
            if !part.applies(ty) {
                continue;
            }
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.out.extend_from_slice(&part.prefix);
            let value = self.tree.slot(row, part.slot);
            let state = if part.twins.is_empty() {
                self.value(value, part)
            } else {
                let twins = part.twins.iter();
                let twins = twins.map(|twin| (self.tree.slot(row, twin.slot), twin));
                self.merged(&[(value, part)].into_iter().chain(twins).collect::<Vec<_>>())
            };
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b'}');
        KeyState::Known
    }

    /// One value whose members are held in several slots.
    fn merged(&mut self, values: &[(Value, &Part)]) -> KeyState {
        let Some((first, part)) = values.first().copied() else {
            return KeyState::Missing;
        };
        let other = values.iter().find(|(value, _)| !is_alike(*value, first));
        match (first, other) {
            // One of the fetches brought nothing, so nothing can be told.
            (_, Some((value, part))) if !matches!(value, Value::Object(_) | Value::List { .. }) => {
                self.value(*value, part)
            }
            (_, Some(_)) => KeyState::Missing,
            (Value::List { len, .. }, None) => self.merged_list(len, values),
            (Value::Object(row), None) => {
                let ty = self.tree.type_of(row);
                self.merged_object(ty, part, values)
            }
            (value, None) => self.value(value, part),
        }
    }

    fn merged_list(&mut self, len: u32, values: &[(Value, &Part)]) -> KeyState {
        self.out.push(b'[');
        for index in 0..len {
            if index > 0 {
                self.out.push(b',');
            }
            let items = values.iter().map(|(value, part)| match value {
                Value::List { start, .. } => (self.tree.item(*start, index), *part),
                other => (*other, *part),
            });
            let items: Vec<_> = items.collect();
            let state = self.merged(&items);
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b']');
        KeyState::Known
    }

    fn merged_object(
        &mut self,
        ty: Option<TypeId>,
        first: &Part,
        values: &[(Value, &Part)],
    ) -> KeyState {
        self.out.push(b'{');
        let head = first.name(ty);
        self.out.extend_from_slice(head);
        let mut is_first = head.is_empty();
        for (_, members) in self.members(ty, values) {
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.out.extend_from_slice(&members[0].1.prefix);
            let state = self.merged(&members);
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b'}');
        KeyState::Known
    }

    /// The members of objects that are one object, each name once.
    fn members<'p>(&self, ty: Option<TypeId>, values: &[(Value, &'p Part)]) -> Vec<Member<'p>> {
        let mut found: Vec<Member<'p>> = Vec::new();
        for (value, part) in values {
            let (Value::Object(row), PartValue::Object { parts, .. }) = (value, &part.value) else {
                continue;
            };
            let parts = parts
                .iter()
                .flat_map(|part| [part].into_iter().chain(&part.twins));
            for part in parts.filter(|part| part.applies(ty)) {
                let value = (self.tree.slot(*row, part.slot), part);
                match found.iter_mut().find(|(name, _)| **name == *part.prefix) {
                    Some((_, same)) => same.push(value),
                    None => found.push((&part.prefix, vec![value])),
                }
            }
        }
        found
    }

    fn value(&mut self, value: Value, part: &Part) -> KeyState {
        match (value, &part.value) {
            (Value::Failed(failure), _) => KeyState::Failed(failure),
            (Value::List { start, len }, _) => self.list((start, len), part),
            (Value::Leaf(text), PartValue::Leaf(leaf)) => {
                self.leaf(text, *leaf);
                KeyState::Known
            }
            (Value::Object(row), PartValue::Object { parts, .. }) => {
                let name = part.name(self.tree.type_of(row));
                self.object(row, name, parts)
            }
            _ if part.demand == Demand::Told => {
                self.out.extend_from_slice(b"null");
                KeyState::Known
            }
            _ => KeyState::Missing,
        }
    }

    fn list(&mut self, (start, len): (u32, u32), part: &Part) -> KeyState {
        self.out.push(b'[');
        for index in 0..len {
            if index > 0 {
                self.out.push(b',');
            }
            let state = self.value(self.tree.item(start, index), part);
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b']');
        KeyState::Known
    }

    fn leaf(&mut self, text: Text, leaf: Leaf) {
        let text = self.tree.text(text);
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if leaf == Leaf::Id && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
            self.out.push(b'"');
            self.out.extend_from_slice(text);
            self.out.push(b'"');
        } else {
            write_canonical(text, self.out);
        }
    }
}
