//! Fields with contexts that an earlier fetch of the same source can give: where everything that
//! is taken of objects further up is there before that fetch, their objects need not be asked for
//! by key again.

use schema::graph::Graph;
use schema::source::{NodeId, Source};
use schema::types::TypeId;

use super::super::{ByFetch, Fetch, FetchId, FetchSlots, TypedSlot};
use crate::selection::{PositionId, Selection};

/// Has fetches give such fields in place of those that would follow them.
pub(in super::super) fn hoist_fields(
    graph: &Graph,
    selection: &Selection,
    fetches: &mut ByFetch<Fetch>,
) {
    let mut index = 0;
    while index < fetches.len() {
        let id = FetchId::from(index);
        let merge = HoistCandidate {
            graph,
            selection,
            fetches,
            id,
        };
        match merge.host() {
            Some(host) => {
                let folded = fold(fetches, id, host);
                drop_unused_keys(selection, fetches, host, &folded);
            }
            None => index += 1,
        }
    }
}

/// A fetch that may be another's part.
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

    /// The fetch that can give all of it.
    fn host(&self) -> Option<FetchId> {
        let fetch = self.fetch();
        let is_told = fetch
            .selected_entries
            .iter()
            .any(|it| !it.requires.is_empty());
        if fetch.context_fields.is_empty() || is_told {
            return None;
        }
        let mut before = fetch.depends_on.iter().copied();
        before.find(|host| {
            self.is_sole_provider(*host)
                && self.is_after_dependencies(*host)
                && self.is_below_context_sources(*host)
                && self.has_all_fields(*host)
        })
    }

    /// Whether it asks its source for the objects around, and nobody else brings those inside or
    /// tells their keys.
    fn is_sole_provider(&self, host: FetchId) -> bool {
        let (fetch, host_fetch) = (self.fetch(), &self.fetches[host]);
        let around = host_fetch.at != fetch.at && self.selection.is_inside(fetch.at, host_fetch.at);
        let is_alike = (host_fetch.source, host_fetch.stage) == (fetch.source, fetch.stage);
        if !around || !is_alike || host_fetch.first_entry().key.is_empty() {
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

    /// Whether everything else that is needed comes before it: a fetch waits for earlier ones only.
    fn is_after_dependencies(&self, host: FetchId) -> bool {
        let mut others = self.fetch().depends_on.iter().filter(|it| **it != host);
        others.all(|other| *other < host)
    }

    /// Whether all that is taken stands at its objects or above them.
    fn is_below_context_sources(&self, host: FetchId) -> bool {
        let at = self.fetches[host].at;
        let arguments = self
            .fetch()
            .context_fields
            .iter()
            .flat_map(|it| &*it.arguments);
        let mut places = arguments.flat_map(|argument| &argument.sources);
        places.all(|above| self.selection.is_inside(at, above.at))
    }

    /// Whether its source gives everything there, on the way that it goes.
    fn has_all_fields(&self, host: FetchId) -> bool {
        let (fetch, host_fetch) = (self.fetch(), &self.fetches[host]);
        let source = self.graph.source(fetch.source);
        let entered = host_fetch.selected_entries.iter();
        let mut nodes: Vec<NodeId> = entered
            .map(|it| source.entry_points[it.entry].node)
            .collect();
        let mut at = host_fetch.at;
        for step in &fetch.path[host_fetch.path.len()..] {
            let slot = &self.selection.position(at).slots[step.slot];
            let types = step.types.as_deref().unwrap_or(&slot.on);
            let inside = nodes.iter().flat_map(|node| {
                let of = types
                    .iter()
                    .filter_map(|ty| source.node_for_type(*node, *ty));
                of.map(|node| source.node(node).fields.get(&slot.field)?.child)
            });
            let (Some(inside), Some(child)) = (inside.collect(), slot.child) else {
                return false;
            };
            (nodes, at) = (inside, child);
        }
        !nodes.is_empty()
            && nodes
                .iter()
                .all(|node| self.has_all_slots(source, *node, at))
    }

    fn has_all_slots(&self, source: &Source, node: NodeId, at: PositionId) -> bool {
        let takes: &FetchSlots = &self.fetch().slots;
        let mut slots = takes.get(&at).into_iter().flatten();
        slots.all(|(slot, types)| {
            types.iter().all(|ty| {
                let wanted = TypedSlot {
                    at,
                    on: *ty,
                    slot: *slot,
                };
                let child = self.selection.position(at).slots[*slot].child;
                let Some(given) = self.provided_child(source, node, wanted) else {
                    return false;
                };
                match (child, given) {
                    (Some(child), Some(node)) => self.has_all_slots(source, node, child),
                    (None, None) => true,
                    _ => false,
                }
            })
        })
    }

    /// What is given inside of a slot; `None` where it is not given there at all.
    #[expect(clippy::option_option, reason = "leaves have nothing inside")]
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

/// Makes one fetch of two; gives the one that is gone.
fn fold(fetches: &mut ByFetch<Fetch>, id: FetchId, host: FetchId) -> Fetch {
    let mut folded = fetches.remove(id);
    let moved = |other: FetchId| match other {
        other if other == id => host,
        other if other > id => FetchId::from(other.index() - 1),
        other => other,
    };
    for fetch in fetches.iter_mut() {
        for other in &mut fetch.depends_on {
            *other = moved(*other);
        }
        fetch.depends_on.sort_unstable();
        fetch.depends_on.dedup();
    }
    let fetch = &mut fetches[host];
    fetch.context_fields.append(&mut folded.context_fields);
    fetch
        .depends_on
        .extend(folded.depends_on.iter().filter(|it| **it != host));
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

/// What only the fetch that is gone was to know.
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
        .flat_map(|entered| &entered.key)
    {
        let is_needed = |fetch: &Fetch| {
            let entered = fetch.selected_entries.iter();
            let mut required = entered.flat_map(|it| it.key.iter().chain(&it.requires));
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
