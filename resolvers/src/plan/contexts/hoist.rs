//! Folds fetches with context arguments into an earlier fetch of the same source.
//!
//! If all context values are known before the earlier fetch, it can provide the fields itself, and
//! their objects need not be fetched by key again.

use schema::graph::Graph;
use schema::source::{NodeId, Source};
use schema::types::TypeId;

use super::super::{ByFetch, Fetch, FetchId, FetchSlots, TypedSlot, remove_fetch};
use crate::selection::{PositionId, Selection};

/// Folds every fetch that an earlier one can replace into that one, its host.
pub(in super::super) fn hoist_fields(
    graph: &Graph,
    selection: &Selection,
    fetches: &mut ByFetch<Fetch>,
) {
    let mut index = 0;
    while index < fetches.len() {
        let id = FetchId::from(index);
        let candidate = HoistCandidate {
            graph,
            selection,
            fetches,
            id,
        };
        match candidate.host() {
            Some(host) => {
                let folded = fold(fetches, id, host);
                drop_unused_keys(selection, fetches, host, &folded);
            }
            None => index += 1,
        }
    }
}

/// A fetch with context arguments that may be folded into a host.
struct HoistCandidate<'a> {
    graph: &'a Graph,
    selection: &'a Selection,
    fetches: &'a ByFetch<Fetch>,
    id: FetchId,
}

impl HoistCandidate<'_> {
    fn fetch(&self) -> &Fetch {
        &self.fetches[self.id]
    }

    /// The earlier fetch that can provide all of its slots.
    fn host(&self) -> Option<FetchId> {
        let fetch = self.fetch();
        let has_requirements = fetch
            .selected_entries
            .iter()
            .any(|it| !it.requires.is_empty());
        if fetch.context_fields.is_empty() || has_requirements {
            return None;
        }
        let mut hosts = fetch.depends_on.iter().copied();
        hosts.find(|host| {
            self.is_sole_provider(*host)
                && self.is_after_dependencies(*host)
                && self.is_below_context_sources(*host)
                && self.has_all_fields(*host)
        })
    }

    /// Whether `host` fetches enclosing entities of the same source, and is the only fetch that
    /// provides the nested objects and their keys.
    fn is_sole_provider(&self, host: FetchId) -> bool {
        let (fetch, host_fetch) = (self.fetch(), &self.fetches[host]);
        let is_enclosing =
            host_fetch.at != fetch.at && self.selection.is_inside(fetch.at, host_fetch.at);
        let is_alike = (host_fetch.source, host_fetch.stage) == (fetch.source, fetch.stage);
        if !is_enclosing || !is_alike || host_fetch.first_entry().key.is_empty() {
            return false;
        }
        let Some((parent, slot)) = self.selection.position(fetch.at).parent else {
            return false;
        };
        let others = self.fetches.pairs();
        let mut others = others.filter(|(other, _)| *other != host);
        let mut keys = fetch.selected_entries.iter().flat_map(|it| &it.key);
        others.all(|(_, other)| !other.has_slot(parent, slot))
            && keys.all(|key| key.inner.is_empty() && host_fetch.has_slot(fetch.at, key.slot))
    }

    /// Whether all other dependencies come before `host`: a fetch only waits for earlier ones.
    fn is_after_dependencies(&self, host: FetchId) -> bool {
        let dependencies = self.fetch().depends_on.iter();
        let mut others = dependencies.filter(|dependency| **dependency != host);
        others.all(|other| *other < host)
    }

    /// Whether all context values come from the objects of `host` or their ancestors, and are
    /// known before it.
    fn is_below_context_sources(&self, host: FetchId) -> bool {
        let (at, host_fetch) = (self.fetches[host].at, &self.fetches[host]);
        let arguments = self
            .fetch()
            .context_fields
            .iter()
            .flat_map(|it| &*it.arguments);
        let mut sources = arguments.flat_map(|argument| &argument.sources);
        sources.all(|source| {
            let is_from_host = host_fetch.has_slot(source.at, source.value.slot);
            self.selection.is_inside(at, source.at) && !is_from_host
        })
    }

    /// Whether the source provides all slots along the path that `host` takes.
    fn has_all_fields(&self, host: FetchId) -> bool {
        let (fetch, host_fetch) = (self.fetch(), &self.fetches[host]);
        let source = self.graph.source(fetch.source);
        let entries = host_fetch.selected_entries.iter();
        let mut nodes: Vec<NodeId> = entries
            .map(|it| source.entry_points[it.entry].node)
            .collect();
        let mut at = host_fetch.at;
        for step in &fetch.path[host_fetch.path.len()..] {
            let slot = &self.selection.position(at).slots[step.slot];
            let types = step.types.as_deref().unwrap_or(&slot.on);
            let children = nodes.iter().flat_map(|node| {
                let typed = types
                    .iter()
                    .filter_map(|ty| source.node_for_type(*node, *ty));
                typed.map(|node| source.node(node).fields.get(&slot.field)?.child)
            });
            let (Some(children), Some(child)) = (children.collect(), slot.child) else {
                return false;
            };
            (nodes, at) = (children, child);
        }
        !nodes.is_empty()
            && nodes
                .iter()
                .all(|node| self.has_all_slots(source, *node, at))
    }

    /// Whether `node` provides all slots that the fetch fills at `at` and inside of it.
    fn has_all_slots(&self, source: &Source, node: NodeId, at: PositionId) -> bool {
        let fetch_slots: &FetchSlots = &self.fetch().slots;
        let mut slots = fetch_slots.get(&at).into_iter().flatten();
        slots.all(|(slot, types)| {
            types.iter().all(|ty| {
                let wanted = TypedSlot {
                    at,
                    on: *ty,
                    slot: *slot,
                };
                let child = self.selection.position(at).slots[*slot].child;
                let Some(provided) = self.provided_child(source, node, wanted) else {
                    return false;
                };
                match (child, provided) {
                    (Some(child), Some(node)) => self.has_all_slots(source, node, child),
                    (None, None) => true,
                    _ => false,
                }
            })
        })
    }

    /// The node of the objects nested in a slot, for a leaf none; `None` if the slot is not
    /// provided.
    #[expect(clippy::option_option, reason = "a leaf has no child node")]
    fn provided_child(
        &self,
        source: &Source,
        node: NodeId,
        wanted: TypedSlot,
    ) -> Option<Option<NodeId>> {
        let node = source.node(source.node_for_type(node, wanted.on)?);
        let field = node.fields.get(wanted.field(self.selection))?;
        let mut contexts = self.fetch().context_fields.iter();
        let has_context =
            contexts.any(|it| (it.at, it.slot, it.on) == (wanted.at, wanted.slot, wanted.on));
        let is_provided = field.requires.is_none() || has_context;
        (is_provided && !field.only_in_keys).then_some(field.child)
    }
}

/// Merges a fetch into `host` and returns it; renumbers dependencies on later fetches.
fn fold(fetches: &mut ByFetch<Fetch>, id: FetchId, host: FetchId) -> Fetch {
    let mut folded = remove_fetch(fetches, id, &[host]);
    let fetch = &mut fetches[host];
    fetch.context_fields.append(&mut folded.context_fields);
    fetch
        .depends_on
        .extend(folded.depends_on.iter().filter(|other| **other != host));
    fetch.depends_on.sort_unstable();
    fetch.depends_on.dedup();
    for (at, slots) in &folded.slots {
        let known = fetch.slots.entry(*at).or_default();
        for (slot, types) in slots {
            let on = known.entry(*slot).or_default();
            let new = types.iter().filter(|ty| !on.contains(ty));
            let new: Vec<TypeId> = new.copied().collect();
            on.extend(new);
        }
    }
    folded
}

/// Removes from `host` the key slots that only the folded fetch needed.
fn drop_unused_keys(
    selection: &Selection,
    fetches: &mut ByFetch<Fetch>,
    host: FetchId,
    folded: &Fetch,
) {
    let slots = &selection.position(folded.at).slots;
    for key in folded
        .selected_entries
        .iter()
        .flat_map(|entry_selection| &entry_selection.key)
    {
        let is_needed = |fetch: &Fetch| {
            let entries = fetch.selected_entries.iter();
            let mut required = entries.flat_map(|it| {
                let requires = it.requires.iter().map(|required| &required.value);
                it.key.iter().chain(requires)
            });
            fetch.at == folded.at && required.any(|it| it.slot == key.slot)
        };
        if !slots[key.slot].on.is_empty() || fetches.iter().any(is_needed) {
            continue;
        }
        if let Some(slots_here) = fetches[host].slots.get_mut(&folded.at) {
            slots_here.remove(&key.slot);
        }
    }
}
