//! Fields with contexts that an earlier fetch of the same source can give: where everything that
//! is taken of objects further up is there before that fetch, their objects need not be asked for
//! by key again.

use schema::graph::Graph;
use schema::source::{NodeId, Source};
use schema::types::TypeId;

use super::super::{Fetch, Takes};
use crate::selection::{PositionId, Selection};

/// Has fetches give such fields in place of those that would follow them.
pub(in super::super) fn merge(graph: &Graph, selection: &Selection, fetches: &mut Vec<Fetch>) {
    let mut index = 0;
    while index < fetches.len() {
        let merge = Merge {
            graph,
            selection,
            fetches,
            index,
        };
        match merge.host() {
            Some(host) => {
                let folded = fold(fetches, index, host);
                drop_keys(selection, fetches, (host, &folded));
            }
            None => index += 1,
        }
    }
}

/// A fetch that may be another's part.
struct Merge<'a> {
    graph: &'a Graph,
    selection: &'a Selection,
    fetches: &'a [Fetch],
    index: usize,
}

impl Merge<'_> {
    fn fetch(&self) -> &Fetch {
        &self.fetches[self.index]
    }

    /// The fetch that can give all of it.
    fn host(&self) -> Option<usize> {
        let fetch = self.fetch();
        let is_told = fetch.entered.iter().any(|it| !it.requires.is_empty());
        if fetch.contexts.is_empty() || is_told {
            return None;
        }
        let mut before = fetch.after.iter().copied();
        before.find(|host| {
            self.brings_all(*host)
                && self.comes_last(*host)
                && self.sees_all(*host)
                && self.gives_all(*host)
        })
    }

    /// Whether it asks its source for the objects around, and nobody else brings those inside or
    /// tells their keys.
    fn brings_all(&self, host: usize) -> bool {
        let (fetch, above) = (self.fetch(), &self.fetches[host]);
        let around = above.at != fetch.at && self.selection.is_inside(fetch.at, above.at);
        let is_alike = (above.source, above.stage) == (fetch.source, fetch.stage);
        if !around || !is_alike || above.first().key.is_empty() {
            return false;
        }
        let Some((parent, slot)) = self.selection.position(fetch.at).parent else {
            return false;
        };
        let others = self.fetches.iter().enumerate();
        let mut others = others.filter(|(other, _)| *other != host);
        let mut keys = fetch.entered.iter().flat_map(|it| &it.key);
        others.all(|(_, other)| !other.fills(parent, slot))
            && keys.all(|key| key.inner.is_empty() && above.fills(fetch.at, key.slot))
    }

    /// Whether everything else that is needed comes before it: a fetch waits for earlier ones only.
    fn comes_last(&self, host: usize) -> bool {
        let mut others = self.fetch().after.iter().filter(|it| **it != host);
        others.all(|other| *other < host)
    }

    /// Whether all that is taken stands at its objects or above them.
    fn sees_all(&self, host: usize) -> bool {
        let at = self.fetches[host].at;
        let arguments = self.fetch().contexts.iter().flat_map(|it| &*it.arguments);
        let mut places = arguments.flat_map(|argument| &argument.places);
        places.all(|above| self.selection.is_inside(at, above.at))
    }

    /// Whether its source gives everything there, on the way that it goes.
    fn gives_all(&self, host: usize) -> bool {
        let (fetch, above) = (self.fetch(), &self.fetches[host]);
        let source = self.graph.source(fetch.source);
        let entered = above.entered.iter();
        let mut nodes: Vec<NodeId> = entered.map(|it| source.entries[it.entry].node).collect();
        let mut at = above.at;
        for step in &fetch.path[above.path.len()..] {
            let slot = &self.selection.position(at).slots[step.slot];
            let types = step.through.as_deref().unwrap_or(&slot.on);
            let inside = nodes.iter().flat_map(|node| {
                let of = types.iter().filter_map(|ty| source.node_of(*node, *ty));
                of.map(|node| source.node(node).fields.get(&slot.field)?.child)
            });
            let (Some(inside), Some(child)) = (inside.collect(), slot.child) else {
                return false;
            };
            (nodes, at) = (inside, child);
        }
        !nodes.is_empty() && nodes.iter().all(|node| self.gives(source, *node, at))
    }

    fn gives(&self, source: &Source, node: NodeId, at: PositionId) -> bool {
        let takes: &Takes = &self.fetch().takes;
        let mut slots = takes.get(&at).into_iter().flatten();
        slots.all(|(slot, types)| {
            types.iter().all(|ty| {
                let child = self.selection.position(at).slots[*slot].child;
                let Some(given) = self.given(source, (node, *ty), (at, *slot)) else {
                    return false;
                };
                match (child, given) {
                    (Some(child), Some(node)) => self.gives(source, node, child),
                    (None, None) => true,
                    _ => false,
                }
            })
        })
    }

    /// What is given inside of a slot; `None` where it is not given there at all.
    #[expect(clippy::option_option, reason = "leaves have nothing inside")]
    fn given(
        &self,
        source: &Source,
        (node, ty): (NodeId, TypeId),
        (at, slot): (PositionId, usize),
    ) -> Option<Option<NodeId>> {
        let field = &self.selection.position(at).slots[slot].field;
        let node = source.node(source.node_of(node, ty)?);
        let given = node.fields.get(field)?;
        let mut contexts = self.fetch().contexts.iter();
        let has_context = contexts.any(|it| (it.at, it.slot, it.on) == (at, slot, ty));
        let is_given = given.requires.is_none() || has_context;
        (is_given && !given.only_in_keys).then_some(given.child)
    }
}

/// Makes one fetch of two; gives the one that is gone.
fn fold(fetches: &mut Vec<Fetch>, index: usize, host: usize) -> Fetch {
    let mut folded = fetches.remove(index);
    let moved = |other: usize| match other {
        other if other == index => host,
        other if other > index => other - 1,
        other => other,
    };
    for fetch in fetches.iter_mut() {
        for other in &mut fetch.after {
            *other = moved(*other);
        }
        fetch.after.sort_unstable();
        fetch.after.dedup();
    }
    let fetch = &mut fetches[host];
    fetch.contexts.append(&mut folded.contexts);
    fetch
        .after
        .extend(folded.after.iter().filter(|it| **it != host));
    fetch.after.sort_unstable();
    fetch.after.dedup();
    for (at, slots) in &folded.takes {
        let known = fetch.takes.entry(*at).or_default();
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
fn drop_keys(selection: &Selection, fetches: &mut [Fetch], (host, folded): (usize, &Fetch)) {
    let slots = &selection.position(folded.at).slots;
    for key in folded.entered.iter().flat_map(|entered| &entered.key) {
        let is_needed = |fetch: &Fetch| {
            let entered = fetch.entered.iter();
            let mut told = entered.flat_map(|it| it.key.iter().chain(&it.requires));
            fetch.at == folded.at && told.any(|it| it.slot == key.slot)
        };
        if !slots[key.slot].on.is_empty() || fetches.iter().any(is_needed) {
            continue;
        }
        if let Some(taken) = fetches[host].takes.get_mut(&folded.at) {
            taken.remove(&key.slot);
        }
    }
}
