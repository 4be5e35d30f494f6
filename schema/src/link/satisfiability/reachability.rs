//! The fields of an object that can be fetched: those of the nodes that provide it, and those of
//! other sources that can look it up by a key.

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

/// The closure of nodes over entity lookups, memoized.
pub(super) struct Reachability<'a> {
    types: &'a Types,
    sources: &'a [Source],
    /// The entry points of all sources, by the type that they start from.
    entry_points: IndexMap<TypeId, Vec<(SourceId, &'a EntryPoint)>>,
    closures: HashMap<(TypeId, Vec<NodeRef>), Vec<NodeRef>>,
    /// The closures in progress: breaks cycles of keys nested in each other.
    in_progress: HashSet<(TypeId, Vec<NodeRef>)>,
    /// The fields whose requirements are in progress: breaks cycles of `@requires`.
    requirements_in_progress: HashSet<(NodeRef, Name)>,
    /// Whether the current result is incomplete because of a cycle or limit, and not memoized.
    is_truncated: bool,
    steps: usize,
    /// Maximum nesting of keys within keys.
    max_key_depth: usize,
    /// Whether a key was not followed because it is nested too deeply.
    is_depth_exceeded: bool,
}

impl<'a> Reachability<'a> {
    pub(super) fn new(types: &'a Types, sources: &'a [Source], max_key_depth: usize) -> Self {
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
            max_key_depth,
            is_depth_exceeded: false,
        }
    }

    /// Whether the step limit is reached; results are incomplete from then on.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps >= MAX_STEPS
    }

    /// Whether a key was not followed because it is nested too deeply, so that a field may be
    /// reachable that was found unreachable.
    pub(super) fn is_depth_exceeded(&self) -> bool {
        self.is_depth_exceeded
    }

    /// The node that `at` refers to.
    pub(super) fn node(&self, at: NodeRef) -> &'a SourceNode {
        self.sources[at.source.0].node(at.node)
    }

    /// The node that provides objects of type `object` at `at`, if they occur there.
    pub(super) fn node_for_type(&self, at: NodeRef, object: TypeId) -> Option<NodeRef> {
        let source = at.source;
        let node = self.sources[source.0].node_for_type(at.node, object)?;
        Some(NodeRef { source, node })
    }

    /// The entry points that start from objects of type `ty`.
    pub(super) fn entry_points(&self, ty: TypeId) -> &[(SourceId, &'a EntryPoint)] {
        self.entry_points.get(&ty).map_or(&[], Vec::as_slice)
    }

    /// `nodes`, and all nodes reachable from them by entity lookups; sorted.
    pub(super) fn key_closure(&mut self, ty: TypeId, nodes: &[NodeRef]) -> Vec<NodeRef> {
        let mut all: BTreeSet<NodeRef> = nodes.iter().copied().collect();
        let start = (ty, all.iter().copied().collect::<Vec<_>>());
        if let Some(known) = self.closures.get(&start) {
            return known.clone();
        }
        self.steps += 1;
        let is_deep = self.in_progress.len() >= self.max_key_depth;
        self.is_depth_exceeded |= is_deep;
        if is_deep || self.is_exhausted() || !self.in_progress.insert(start.clone()) {
            self.is_truncated = true;
            return start.1;
        }
        let was_truncated = std::mem::take(&mut self.is_truncated);
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
        self.is_truncated |= was_truncated;
        all
    }

    /// The nodes that provide the objects of the field `name`: empty for a leaf. `None` when the
    /// field is unreachable.
    pub(super) fn field(&mut self, objects: TypedNodes<'_>, name: &str) -> Option<Vec<NodeRef>> {
        let mut children = Vec::new();
        let mut found = false;
        for at in objects.nodes {
            let node = self.node(*at);
            let Some(field) = node.fields.get(name) else {
                continue;
            };
            // A subgraph that lost a field may lose its data too, keys included.
            if field.only_in_keys {
                continue;
            }
            if let Some(needs) = &field.requires {
                let key = (*at, Name::from(name));
                if !self.requirements_in_progress.insert(key.clone()) {
                    self.is_truncated = true;
                    continue; // The field would require itself.
                }
                let is_reachable = self.can_reenter(objects, at.source, name)
                    && self.has_requirements(objects, needs);
                self.requirements_in_progress.remove(&key);
                if !is_reachable {
                    continue;
                }
            }
            found = true;
            children.extend(field.child.map(|node| NodeRef { node, ..*at }));
        }
        found.then_some(children)
    }

    /// Whether the source can look up the objects by a key to provide a field with requirements: a
    /// request already sent cannot receive them.
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

    /// Whether every field of `key` is reachable.
    pub(super) fn has_key(&mut self, objects: TypedNodes<'_>, key: &FieldSet) -> bool {
        let mut fields = key.0.iter().filter(|(name, _)| &**name != "__typename");
        fields.all(|(name, inner)| {
            let Some(children) = self.field(objects, name) else {
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
            let applies = need.on.is_none_or(|on| self.types.is_a(objects.ty, on));
            if !applies || &*need.field == "__typename" {
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

    /// Whether `condition` holds for every object type of a field, whose objects `children` provide.
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

/// Maximum number of computed closures: a second or two of work, and far more than usual graphs
/// need.
const MAX_STEPS: usize = 300_000;
