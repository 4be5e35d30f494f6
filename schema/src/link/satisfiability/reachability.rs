//! What can be had of an object, given what some sources give of it: their fields, and what other
//! sources give once a key is known.

use std::collections::{BTreeSet, HashMap, HashSet};

use indexmap::IndexMap;

use crate::key::{FieldSet, Requirement};
use crate::source::{EntryPoint, NodeId, ObjectTypes, Source, SourceId, SourceNode};
use crate::types::{Name, TypeId, Types};

/// A node of one of the sources.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NodeRef {
    pub(super) source: SourceId,
    pub(super) node: NodeId,
}

/// Objects of one type, and the nodes at which sources provide them.
#[derive(Clone, Copy)]
pub(super) struct TypedNodes<'b> {
    pub(super) ty: TypeId,
    pub(super) nodes: &'b [NodeRef],
}

pub(super) struct Reachability<'a> {
    types: &'a Types,
    sources: &'a [Source],
    /// The ways in by the type that one stands on.
    entry_points: IndexMap<TypeId, Vec<(SourceId, &'a EntryPoint)>>,
    closures: HashMap<(TypeId, Vec<NodeRef>), Vec<NodeRef>>,
    /// What is being followed, so that keys made of each other end.
    in_progress: HashSet<(TypeId, Vec<NodeRef>)>,
    /// Fields whose requirements are being looked at.
    requirements_in_progress: HashSet<(NodeRef, Name)>,
    /// Whether something was left out because it is being looked at.
    is_truncated: bool,
    steps: usize,
}

/// What a field is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FieldUse {
    /// A part of a key.
    Key,
    Any,
}

impl<'a> Reachability<'a> {
    pub(super) fn new(types: &'a Types, sources: &'a [Source]) -> Self {
        let mut entry_points: IndexMap<TypeId, Vec<_>> = IndexMap::new();
        for (index, source) in sources.iter().enumerate() {
            for entry in &source.entry_points {
                let at = (SourceId(index), entry);
                entry_points.entry(entry.on).or_default().push(at);
            }
        }
        Self {
            types,
            sources,
            entry_points,
            closures: HashMap::new(),
            in_progress: HashSet::new(),
            requirements_in_progress: HashSet::new(),
            is_truncated: false,
            steps: 0,
        }
    }

    /// Whether keys inside keys are too many to follow; then nothing is certain any more.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps >= MAX_STEPS
    }

    pub(super) fn node(&self, at: NodeRef) -> &'a SourceNode {
        self.sources[at.source.0].node(at.node)
    }

    /// What is given at `at` of objects of type `object`.
    pub(super) fn node_for_type(&self, at: NodeRef, object: TypeId) -> Option<NodeRef> {
        let source = at.source;
        let node = self.sources[source.0].node_for_type(at.node, object)?;
        Some(NodeRef { source, node })
    }

    /// The ways in from objects of type `ty`.
    pub(super) fn entry_points(&self, ty: TypeId) -> &[(SourceId, &'a EntryPoint)] {
        self.entry_points.get(&ty).map_or(&[], Vec::as_slice)
    }

    /// `given`, and all that can be entered from there; sorted.
    pub(super) fn key_closure(&mut self, ty: TypeId, nodes: &[NodeRef]) -> Vec<NodeRef> {
        let mut all: BTreeSet<NodeRef> = nodes.iter().copied().collect();
        let start = (ty, all.iter().copied().collect::<Vec<_>>());
        if let Some(known) = self.closures.get(&start) {
            return known.clone();
        }
        self.steps += 1;
        let is_deep = self.in_progress.len() >= MAX_KEY_DEPTH || self.is_exhausted();
        if is_deep || !self.in_progress.insert(start.clone()) {
            self.is_truncated = true;
            return start.1;
        }
        let cut_before = std::mem::take(&mut self.is_truncated);
        loop {
            let before = all.len();
            let list: Vec<NodeRef> = all.iter().copied().collect();
            for (source, entry) in self.entry_points(ty).to_vec() {
                let node = entry.node;
                let at = NodeRef { source, node };
                let objects = TypedNodes { ty, nodes: &list };
                if !all.contains(&at) && self.has_key(objects, &entry.key) {
                    all.insert(at);
                }
            }
            if all.len() == before {
                break;
            }
        }
        let all: Vec<NodeRef> = all.into_iter().collect();
        self.in_progress.remove(&start);
        if !self.is_truncated {
            self.closures.insert(start, all.clone());
        }
        self.is_truncated |= cut_before;
        all
    }

    /// What is given of the objects that `name` leads to: none for a leaf. `None` when nothing
    /// gives it.
    pub(super) fn field(&mut self, objects: TypedNodes<'_>, name: &str) -> Option<Vec<NodeRef>> {
        self.available_nodes(objects, name, FieldUse::Any)
    }

    fn available_nodes(
        &mut self,
        objects: TypedNodes<'_>,
        name: &str,
        used: FieldUse,
    ) -> Option<Vec<NodeRef>> {
        let mut children = Vec::new();
        let mut found = false;
        for at in objects.nodes {
            let node = self.node(*at);
            let Some(field) = node.fields.get(name) else {
                continue;
            };
            if field.only_in_keys && used != FieldUse::Key {
                continue;
            }
            if let Some(needs) = &field.requires {
                let key = (*at, Name::from(name));
                if !self.requirements_in_progress.insert(key.clone()) {
                    self.is_truncated = true;
                    continue; // It would need itself.
                }
                let has = self.can_reenter(objects, at.source, name)
                    && self.has_requirements(objects, needs);
                self.requirements_in_progress.remove(&key);
                if !has {
                    continue;
                }
            }
            found = true;
            children.extend(field.child.map(|node| NodeRef { node, ..*at }));
        }
        found.then_some(children)
    }

    /// Whether the source that gives a field can be asked for objects by a key, with what it must
    /// be told: what it was asked before cannot be told anything more.
    fn can_reenter(&mut self, objects: TypedNodes<'_>, source: SourceId, name: &str) -> bool {
        let entries = self.entry_points(objects.ty).to_vec();
        entries.into_iter().any(|(other, entry)| {
            let node = entry.node;
            other == source
                && self.provides_field(NodeRef { source, node }, objects.ty, name)
                && self.has_key(objects, &entry.key)
        })
    }

    fn provides_field(&self, at: NodeRef, ty: TypeId, name: &str) -> bool {
        let of_object = self.node_for_type(at, ty);
        of_object.is_some_and(|at| self.node(at).fields.contains_key(name))
    }

    /// Whether every field of `key` can be had.
    pub(super) fn has_key(&mut self, objects: TypedNodes<'_>, key: &FieldSet) -> bool {
        key.0.iter().all(|(name, inner)| {
            let Some(children) = self.available_nodes(objects, name, FieldUse::Key) else {
                return false;
            };
            inner.is_empty()
                || self.holds_for_children(
                    objects.ty,
                    name,
                    &children,
                    &mut |reachability, objects| reachability.has_key(objects, inner),
                )
        })
    }

    fn has_requirements(&mut self, objects: TypedNodes<'_>, needs: &[Requirement]) -> bool {
        needs.iter().all(|need| {
            let concerns = need.on.is_none_or(|on| self.types.is_a(objects.ty, on));
            if !concerns || &*need.field == "__typename" {
                return true;
            }
            let Some(children) = self.field(objects, &need.field) else {
                return false;
            };
            need.inner.is_empty()
                || self.holds_for_children(
                    objects.ty,
                    &need.field,
                    &children,
                    &mut |reachability, objects| {
                        reachability.has_requirements(objects, &need.inner)
                    },
                )
        })
    }

    /// Whether `wanted` holds of all objects that `children` give.
    fn holds_for_children(
        &mut self,
        ty: TypeId,
        field: &str,
        children: &[NodeRef],
        condition: &mut dyn FnMut(&mut Self, TypedNodes<'_>) -> bool,
    ) -> bool {
        let Some(named) = self.types.get(ty).field(field).map(|it| it.ty.named_type()) else {
            return false;
        };
        let all = self.key_closure(named, children);
        if !self.types.get(named).is_abstract() {
            return condition(
                self,
                TypedNodes {
                    ty: named,
                    nodes: &all,
                },
            );
        }
        let object_types: BTreeSet<TypeId> = all
            .iter()
            .flat_map(|at| match &self.node(*at).object_types {
                ObjectTypes::ByTypename(objects) => objects.keys().copied().collect(),
                ObjectTypes::OwnType | ObjectTypes::UnknownType => Vec::new(),
            })
            .collect();
        if object_types.is_empty() {
            return condition(
                self,
                TypedNodes {
                    ty: named,
                    nodes: &all,
                },
            );
        }
        object_types.into_iter().all(|object| {
            let object_nodes = all.iter().filter_map(|at| self.node_for_type(*at, object));
            let of_object: Vec<NodeRef> = object_nodes.collect();
            let all = self.key_closure(object, &of_object);
            condition(
                self,
                TypedNodes {
                    ty: object,
                    nodes: &all,
                },
            )
        })
    }
}

/// Keys inside keys inside keys; deeper ones are taken as unknown.
const MAX_KEY_DEPTH: usize = 12;

/// Many times what graphs take, and a second or two.
const MAX_STEPS: usize = 300_000;
