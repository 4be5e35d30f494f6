//! Satisfiability: every field of the API schema must be reachable at every place where a client can
//! select it.
//!
//! Walks from the root types over states: a type, and the nodes at which sources provide its objects,
//! keys followed. A state with at least the nodes of a visited one is skipped, so the walk ends. An
//! unreachable field of connectors alone is a warning: the REST API may imply which objects have it.

use std::collections::{HashMap, HashSet, VecDeque};

use apollo_compiler::Schema;

use self::reachability::{NodeRef, Reachability, TypedNodes};
use super::compose::part::{SubgraphPart, fields};
use crate::diagnostic::{Code, Diagnostic, Problems, Severity};
use crate::source::{ObjectTypes, Source};
use crate::types::{Name, TypeId, Types};

mod contexts;
mod reachability;
mod report;

/// The input of the satisfiability check.
pub(super) struct SatisfiabilityCheck<'a> {
    pub(super) types: &'a Types,
    pub(super) sources: &'a [Source],
    /// The API schema.
    pub(super) client: &'a Schema,
    /// The subgraphs, for the locations of diagnostics.
    pub(super) parts: &'a [SubgraphPart<'a>],
}

/// Reports each unreachable field once.
pub(super) fn check(check: &SatisfiabilityCheck<'_>, problems: &mut Problems) {
    contexts::check(check, problems);
    let found = walk(check, KEY_DEPTH).or_else(|Uncertain| walk(check, MAX_KEY_DEPTH));
    match found {
        Ok(found) => problems.extend(found.into_vec()),
        Err(Uncertain) => problems.push(stopped()),
    }
}

/// A field seems unreachable, but keys that may lead to it are nested too deeply to be followed.
struct Uncertain;

/// The unreachable fields, where keys are nested in each other up to `max_key_depth`.
fn walk(check: &SatisfiabilityCheck<'_>, max_key_depth: usize) -> Result<Problems, Uncertain> {
    let mut problems = Problems::default();
    let mut walk = Walk {
        check,
        reachability: Reachability::new(check.types, check.sources, max_key_depth),
        seen: HashMap::new(),
        queue: VecDeque::new(),
        reported: HashSet::new(),
    };
    let roots = [check.types.query(), check.types.mutation()];
    for root in roots.into_iter().flatten() {
        let name = check.types.get(root).name.to_string();
        walk.visit(root, &[], &name, &mut problems);
    }
    let mut remaining = MAX_STATES + check.types.iter().len() * MAX_STATES_PER_TYPE;
    while let Some(state) = walk.queue.pop_front() {
        walk.check_object(&state, &mut problems);
        if problems.has_errors() && walk.reachability.is_depth_exceeded() {
            return Err(Uncertain);
        }
        remaining -= 1;
        if remaining == 0 || walk.reachability.is_exhausted() {
            problems.push(stopped());
            break;
        }
    }
    Ok(problems)
}

fn stopped() -> Diagnostic {
    let message = "the satisfiability check stopped at its limit; unreachable fields may remain";
    let mut warning = Diagnostic::without_span(Code::SatisfiabilityError, message);
    warning.severity = Severity::Warning;
    warning
}

/// Nesting of keys within keys that is followed at first: far more than usual graphs have.
const KEY_DEPTH: usize = 12;

/// Maximum nesting of keys within keys: following them is recursive.
const MAX_KEY_DEPTH: usize = 64;

/// Maximum number of visited states: a few seconds of work, and far more than usual graphs have.
const MAX_STATES: usize = 10_000;

/// Additional maximum of visited states for each type of the graph.
const MAX_STATES_PER_TYPE: usize = 20;

/// Objects of one type at one place of a response.
struct WalkState {
    ty: TypeId,
    /// The nodes at which sources provide them, sorted.
    nodes: Vec<NodeRef>,
    /// A path to the place, for messages: `Query.orders.buyer`.
    path: String,
}

impl WalkState {
    fn objects(&self) -> TypedNodes<'_> {
        TypedNodes {
            ty: self.ty,
            nodes: &self.nodes,
        }
    }
}

struct Walk<'a> {
    check: &'a SatisfiabilityCheck<'a>,
    reachability: Reachability<'a>,
    /// The node lists of visited and queued states, by type.
    seen: HashMap<TypeId, Vec<Vec<NodeRef>>>,
    queue: VecDeque<WalkState>,
    reported: HashSet<(TypeId, Name)>,
}

impl Walk<'_> {
    /// Queues a state for each object type at a place of type `ty`, whose objects `nodes` provide.
    fn visit(&mut self, ty: TypeId, nodes: &[NodeRef], path: &str, problems: &mut Problems) {
        let types = self.check.types;
        let all = self.reachability.key_closure(ty, nodes);
        if !types.get(ty).is_abstract() {
            return self.enqueue(ty, all, path);
        }
        let member_types = |at: &NodeRef| match &self.reachability.node(*at).object_types {
            ObjectTypes::ByTypename(objects) => objects.keys().copied().collect(),
            ObjectTypes::OwnType | ObjectTypes::UnknownType => Vec::new(),
        };
        let has_unknown_type = |at: &NodeRef| {
            matches!(
                self.reachability.node(*at).object_types,
                ObjectTypes::UnknownType
            )
        };
        // An `@interfaceObject` has no `__typename`: another source provides it by key.
        let typename_nodes = if nodes.iter().any(has_unknown_type) {
            &*all
        } else {
            nodes
        };
        let mut objects: Vec<TypeId> = typename_nodes.iter().flat_map(member_types).collect();
        objects.sort_unstable();
        objects.dedup();
        if objects.is_empty() && !nodes.iter().all(|at| !has_unknown_type(at)) {
            let is_type_known = all.iter().any(|at| !has_unknown_type(at));
            if !is_type_known && !types.get(ty).possible_types.is_empty() {
                self.report_unknown_type(ty, path, problems);
            }
        }
        for object in objects {
            let object_nodes: Vec<NodeRef> = all
                .iter()
                .filter_map(|at| self.reachability.node_for_type(*at, object))
                .collect();
            let all = self.reachability.key_closure(object, &object_nodes);
            self.enqueue(object, all, path);
        }
    }

    fn enqueue(&mut self, ty: TypeId, nodes: Vec<NodeRef>, path: &str) {
        let seen = self.seen.entry(ty).or_default();
        let is_subset =
            |known: &Vec<NodeRef>| known.iter().all(|at| nodes.binary_search(at).is_ok());
        if seen.iter().any(is_subset) {
            return;
        }
        seen.push(nodes.clone());
        self.queue.push_back(WalkState {
            ty,
            nodes,
            path: path.to_owned(),
        });
    }

    fn check_object(&mut self, state: &WalkState, problems: &mut Problems) {
        let types = self.check.types;
        let ty = types.get(state.ty);
        let mut unreachable = Vec::new();
        for (name, field) in ty.fields().into_iter().flatten() {
            if !self.is_visible(&ty.name, name) {
                continue;
            }
            let children = self.reachability.field(state.objects(), name);
            if children.is_none() && self.reported.insert((state.ty, Name::clone(name))) {
                unreachable.push(Name::clone(name));
            }
            let named = field.ty.named_type();
            if let Some(children) = children.filter(|it| !it.is_empty()) {
                let path = if state.path.matches('.').count() < MAX_PATH_LENGTH {
                    format!("{}.{name}", state.path)
                } else {
                    format!("{}.{name}", ty.name)
                };
                self.visit(named, &children, &path, problems);
            }
        }
        if self.reachability.is_exhausted() {
            return;
        }
        report::unreachable(
            self.check,
            &self.reachability,
            state,
            &unreachable,
            problems,
        );
    }

    fn is_visible(&self, ty: &str, field: &str) -> bool {
        let definition = self.check.client.types.get(ty);
        let client_fields = definition.and_then(fields);
        // The placeholder `Query` of a graph with mutations only is in no subgraph.
        client_fields.is_some_and(|it| it.contains_key(field))
            && self.check.parts.iter().any(|part| part.get(ty).is_some())
    }

    fn report_unknown_type(&mut self, ty: TypeId, path: &str, problems: &mut Problems) {
        if self.reported.insert((ty, "__typename".into())) {
            problems.push(report::unknown_type(self.check, ty, path));
        }
    }
}

/// Maximum number of fields in a reported path; a longer path restarts at its last type.
const MAX_PATH_LENGTH: usize = 8;
