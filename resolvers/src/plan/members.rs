//! Members of unions that not every service knows which could give the union.
//!
//! A field that several services share gives the same objects whoever is asked, so it can only
//! give those that all of them know. Of the others nothing is asked, wherever the plan goes.

use indexmap::IndexSet;
use schema::graph::Graph;
use schema::source::{NodeId, Objects, SourceId};
use schema::types::{Kind, TypeId};

use crate::selection::{PositionId, ROOT, Selection};

/// What each service could give at one place, whether a plan takes it from there or not.
type Givers = IndexSet<(SourceId, NodeId)>;

/// Leaves to every union of `selection` the members that all of its givers know.
pub(super) fn narrow(graph: &Graph, selection: &mut Selection) {
    let is_union = |ty: TypeId| matches!(graph.types().get(ty).kind, Kind::Union);
    if selection
        .positions()
        .all(|(_, position)| !is_union(position.ty))
    {
        return;
    }
    let count = selection.positions().len();
    let mut givers: Vec<Givers> = Vec::with_capacity(count);
    // A place stands behind the one around it.
    for index in 0..count {
        let at = PositionId(index);
        let found = match selection.position(at).parent {
            Some((parent, slot)) => inside(graph, selection, (parent, slot), &givers[parent.0]),
            None => Givers::default(),
        };
        if at != ROOT && is_union(selection.position(at).ty) {
            let members = shared(graph, &found);
            selection.position_mut(at).members = members;
        }
        givers.push(found);
    }
}

/// What could give the objects in a slot.
fn inside(
    graph: &Graph,
    selection: &Selection,
    (at, slot): (PositionId, usize),
    around: &Givers,
) -> Givers {
    let slot = &selection.position(at).slots[slot];
    let mut found = Givers::default();
    for on in &slot.on {
        let entered = graph.entries(*on).iter();
        let entered = entered.map(|(source, index)| {
            let entry = &graph.source(*source).entries[*index];
            (*source, entry.node)
        });
        for (source, node) in around.iter().copied().chain(entered) {
            let source_of = graph.source(source);
            let node = source_of.node_of(node, *on);
            let field = node.and_then(|node| source_of.node(node).fields.get(&slot.field));
            found.extend(field.and_then(|field| Some((source, field.child?))));
        }
    }
    found
}

/// The members that all of `givers` know; `None` where they know the same.
fn shared(graph: &Graph, givers: &Givers) -> Option<Vec<TypeId>> {
    let mut known = givers.iter().filter_map(|(source, node)| {
        match &graph.source(*source).node(*node).objects {
            Objects::Several(members) => Some(members),
            Objects::One | Objects::Untold => None,
        }
    });
    let mut shared: Vec<TypeId> = known.next()?.keys().copied().collect();
    let all = shared.len();
    let mut is_same = true;
    for members in known {
        is_same &= members.len() == all;
        shared.retain(|member| members.contains_key(member));
    }
    (!is_same || shared.len() < all).then_some(shared)
}
