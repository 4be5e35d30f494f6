//! Members of unions that not every service knows which could give the union.
//!
//! A field that several services share gives the same objects whoever is asked, so it can only
//! give those that all of them know. Of the others nothing is asked, wherever the plan goes.

use indexmap::IndexSet;
use schema::graph::Graph;
use schema::source::{NodeId, ObjectTypes, SourceId};
use schema::types::{TypeId, TypeKind};

use crate::selection::{PositionId, ROOT, Selection, Slot};

/// What each service could give at one place, whether a plan takes it from there or not.
type ProvidingNodes = IndexSet<(SourceId, NodeId)>;

/// Leaves to every union of `selection` the members that all of its givers know.
pub(super) fn narrow(graph: &Graph, selection: &mut Selection) {
    let is_union = |ty: TypeId| matches!(graph.types().get(ty).kind, TypeKind::Union);
    if selection
        .positions()
        .all(|(_, position)| !is_union(position.ty))
    {
        return;
    }
    let count = selection.positions().len();
    let mut providing_nodes: Vec<ProvidingNodes> = Vec::with_capacity(count);
    // A place stands behind the one around it.
    for index in 0..count {
        let at = PositionId(index);
        let found = match selection.position(at).parent {
            Some((parent, slot)) => {
                let slot = &selection.position(parent).slots[slot];
                nested_nodes(graph, slot, &providing_nodes[parent.0])
            }
            None => ProvidingNodes::default(),
        };
        if at != ROOT && is_union(selection.position(at).ty) {
            let members = shared_members(graph, &found);
            selection.position_mut(at).members = members;
        }
        providing_nodes.push(found);
    }
}

/// What could give the objects in a slot.
fn nested_nodes(graph: &Graph, slot: &Slot, parent_nodes: &ProvidingNodes) -> ProvidingNodes {
    let mut found = ProvidingNodes::default();
    for on in &slot.on {
        let entry_nodes = graph.entry_points(*on).iter();
        let entered = entry_nodes.map(|(source, index)| {
            let entry = &graph.source(*source).entry_points[*index];
            (*source, entry.node)
        });
        for (source, node) in parent_nodes.iter().copied().chain(entered) {
            let source_of = graph.source(source);
            let node = source_of.node_for_type(node, *on);
            let field = node.and_then(|node| source_of.node(node).fields.get(&slot.field));
            found.extend(field.and_then(|field| Some((source, field.child?))));
        }
    }
    found
}

/// The members that all of `givers` know; `None` where they know the same.
fn shared_members(graph: &Graph, providing_nodes: &ProvidingNodes) -> Option<Vec<TypeId>> {
    let mut known = providing_nodes.iter().filter_map(|(source, node)| {
        match &graph.source(*source).node(*node).object_types {
            ObjectTypes::ByTypename(members) => Some(members),
            ObjectTypes::OwnType | ObjectTypes::UnknownType => None,
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
