//! What can be had of an object, given what some sources give of it: their fields, and what other
//! sources give once a key is known.

use std::collections::{BTreeSet, HashMap, HashSet};

use indexmap::IndexMap;

use crate::key::{FieldSet, Need};
use crate::source::{Entry, Node, NodeId, Objects, Source, SourceId};
use crate::types::{Name, TypeId, Types};

/// What one source gives at one place.
pub(super) type At = (SourceId, NodeId);

/// Objects of one type with what is given of them.
pub(super) type Of<'b> = (TypeId, &'b [At]);

pub(super) struct Offers<'a> {
    types: &'a Types,
    sources: &'a [Source],
    /// The ways in by the type that one stands on.
    entries: IndexMap<TypeId, Vec<(SourceId, &'a Entry)>>,
    known: HashMap<(TypeId, Vec<At>), Vec<At>>,
    /// What is being followed, so that keys made of each other end.
    open: HashSet<(TypeId, Vec<At>)>,
    /// Fields whose requirements are being looked at.
    required: HashSet<(At, Name)>,
    /// Whether something was left out because it is being looked at.
    cut: bool,
    steps: usize,
}

/// What a field is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A part of a key.
    Key,
    Anything,
}

impl<'a> Offers<'a> {
    pub(super) fn new(types: &'a Types, sources: &'a [Source]) -> Self {
        let mut entries: IndexMap<TypeId, Vec<_>> = IndexMap::new();
        for (index, source) in sources.iter().enumerate() {
            for entry in &source.entries {
                let at = (SourceId(index), entry);
                entries.entry(entry.on).or_default().push(at);
            }
        }
        Self {
            types,
            sources,
            entries,
            known: HashMap::new(),
            open: HashSet::new(),
            required: HashSet::new(),
            cut: false,
            steps: 0,
        }
    }

    /// Whether keys inside keys are too many to follow; then nothing is certain any more.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps >= MOST_STEPS
    }

    pub(super) fn node(&self, (source, node): At) -> &'a Node {
        self.sources[source.0].node(node)
    }

    /// What is given at `at` of objects of type `object`.
    pub(super) fn of_object(&self, (source, node): At, object: TypeId) -> Option<At> {
        let found = self.sources[source.0].node_of(node, object)?;
        Some((source, found))
    }

    /// The ways in from objects of type `ty`.
    pub(super) fn entries(&self, ty: TypeId) -> &[(SourceId, &'a Entry)] {
        self.entries.get(&ty).map_or(&[], Vec::as_slice)
    }

    /// `given`, and all that can be entered from there; sorted.
    pub(super) fn followed(&mut self, ty: TypeId, given: &[At]) -> Vec<At> {
        let mut all: BTreeSet<At> = given.iter().copied().collect();
        let start = (ty, all.iter().copied().collect::<Vec<_>>());
        if let Some(known) = self.known.get(&start) {
            return known.clone();
        }
        self.steps += 1;
        let is_deep = self.open.len() >= DEEPEST || self.is_exhausted();
        if is_deep || !self.open.insert(start.clone()) {
            self.cut = true;
            return start.1;
        }
        let cut_before = std::mem::take(&mut self.cut);
        loop {
            let before = all.len();
            let list: Vec<At> = all.iter().copied().collect();
            for (source, entry) in self.entries(ty).to_vec() {
                let at = (source, entry.node);
                if !all.contains(&at) && self.has_key((ty, &list), &entry.key) {
                    all.insert(at);
                }
            }
            if all.len() == before {
                break;
            }
        }
        let all: Vec<At> = all.into_iter().collect();
        self.open.remove(&start);
        if !self.cut {
            self.known.insert(start, all.clone());
        }
        self.cut |= cut_before;
        all
    }

    /// What is given of the objects that `name` leads to: none for a leaf. `None` when nothing
    /// gives it.
    pub(super) fn field(&mut self, of: Of<'_>, name: &str) -> Option<Vec<At>> {
        self.given(of, name, Use::Anything)
    }

    fn given(&mut self, (ty, given): Of<'_>, name: &str, used: Use) -> Option<Vec<At>> {
        let mut children = Vec::new();
        let mut found = false;
        for at in given {
            let node = self.node(*at);
            let Some(field) = node.fields.get(name) else {
                continue;
            };
            if field.only_in_keys && used != Use::Key {
                continue;
            }
            if let Some(needs) = &field.requires {
                let key = (*at, Name::from(name));
                if !self.required.insert(key.clone()) {
                    self.cut = true;
                    continue; // It would need itself.
                }
                let has =
                    self.comes_back((ty, given), (*at, name)) && self.has_needs((ty, given), needs);
                self.required.remove(&key);
                if !has {
                    continue;
                }
            }
            found = true;
            children.extend(field.child.map(|child| (at.0, child)));
        }
        found.then_some(children)
    }

    /// Whether the source that gives a field can be asked for objects by a key, with what it must
    /// be told: what it was asked before cannot be told anything more.
    fn comes_back(&mut self, of: Of<'_>, ((source, _), name): (At, &str)) -> bool {
        let entries = self.entries(of.0).to_vec();
        entries.into_iter().any(|(other, entry)| {
            other == source
                && self.gives_of((source, entry.node), of.0, name)
                && self.has_key(of, &entry.key)
        })
    }

    fn gives_of(&self, at: At, ty: TypeId, name: &str) -> bool {
        let of_object = self.of_object(at, ty);
        of_object.is_some_and(|at| self.node(at).fields.contains_key(name))
    }

    /// Whether every field of `key` can be had.
    pub(super) fn has_key(&mut self, of: Of<'_>, key: &FieldSet) -> bool {
        key.0.iter().all(|(name, inner)| {
            let Some(children) = self.given(of, name, Use::Key) else {
                return false;
            };
            inner.is_empty()
                || self.inside(of, name, &children, &mut |offers, of| {
                    offers.has_key(of, inner)
                })
        })
    }

    fn has_needs(&mut self, of: Of<'_>, needs: &[Need]) -> bool {
        needs.iter().all(|need| {
            let concerns = need.on.is_none_or(|on| self.types.is_a(of.0, on));
            if !concerns || &*need.field == "__typename" {
                return true;
            }
            let Some(children) = self.field(of, &need.field) else {
                return false;
            };
            need.inner.is_empty()
                || self.inside(of, &need.field, &children, &mut |offers, of| {
                    offers.has_needs(of, &need.inner)
                })
        })
    }

    /// Whether `wanted` holds of all objects that `children` give.
    fn inside(
        &mut self,
        (ty, _): Of<'_>,
        field: &str,
        children: &[At],
        wanted: &mut dyn FnMut(&mut Self, Of<'_>) -> bool,
    ) -> bool {
        let Some(named) = self.types.get(ty).field(field).map(|it| it.ty.named()) else {
            return false;
        };
        let all = self.followed(named, children);
        if !self.types.get(named).is_abstract() {
            return wanted(self, (named, &all));
        }
        let told: BTreeSet<TypeId> = all
            .iter()
            .flat_map(|at| match &self.node(*at).objects {
                Objects::Several(objects) => objects.keys().copied().collect(),
                Objects::One | Objects::Untold => Vec::new(),
            })
            .collect();
        if told.is_empty() {
            return wanted(self, (named, &all));
        }
        told.into_iter().all(|object| {
            let of_object = all.iter().filter_map(|at| self.of_object(*at, object));
            let of_object: Vec<At> = of_object.collect();
            let all = self.followed(object, &of_object);
            wanted(self, (object, &all))
        })
    }
}

/// Keys inside keys inside keys; deeper ones are taken as unknown.
const DEEPEST: usize = 12;

/// Many times what graphs take, and a second or two.
const MOST_STEPS: usize = 300_000;
