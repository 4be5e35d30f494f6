//! Union members that only some of the subgraphs that provide a field define.
//!
//! A field that several subgraphs share returns the same objects from each of them, so it can only
//! return members that all of them define. Plans select no fields of the other members.

use indexmap::IndexSet;
use schema::graph::Graph;
use schema::source::{NodeId, ObjectTypes, SourceId};
use schema::types::{TypeId, TypeKind};

use crate::selection::{PositionId, ROOT, Selection, Slot};

/// The source nodes that could provide the objects at one position, used by the plan or not.
type ProvidingNodes = IndexSet<(SourceId, NodeId)>;

/// Narrows every union of `selection` to the members that all of its providers define.
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
    // A position comes after its parent, whose nodes are known by then.
    for index in 0..count {
        let at = PositionId(index);
        let nodes = match selection.position(at).parent {
            Some((parent, slot)) => {
                let slot = &selection.position(parent).slots[slot];
                nested_nodes(graph, slot, &providing_nodes[parent.0])
            }
            None => ProvidingNodes::default(),
        };
        if at != ROOT && is_union(selection.position(at).ty) {
            let members = shared_members(graph, &nodes);
            selection.position_mut(at).members = members;
        }
        providing_nodes.push(nodes);
    }
}

/// The source nodes that could provide the objects in a slot: through the parent's nodes, or an
/// entry point.
fn nested_nodes(graph: &Graph, slot: &Slot, parent_nodes: &ProvidingNodes) -> ProvidingNodes {
    let mut nodes = ProvidingNodes::default();
    for on in &slot.on {
        let entry_points = graph.entry_points(*on).iter();
        let entry_nodes = entry_points.map(|(source, index)| {
            let entry = &graph.source(*source).entry_points[*index];
            (*source, entry.node)
        });
        for (source, node) in parent_nodes.iter().copied().chain(entry_nodes) {
            let definition = graph.source(source);
            let node = definition.node_for_type(node, *on);
            let field = node.and_then(|node| definition.node(node).fields.get(&slot.field));
            nodes.extend(field.and_then(|field| Some((source, field.child?))));
        }
    }
    nodes
}

/// The members that all of `providing_nodes` define; `None` if they define the same ones.
fn shared_members(graph: &Graph, providing_nodes: &ProvidingNodes) -> Option<Vec<TypeId>> {
    let mut members_by_node = providing_nodes.iter().filter_map(|(source, node)| {
        match &graph.source(*source).node(*node).object_types {
            ObjectTypes::ByTypename(members) => Some(members),
            ObjectTypes::OwnType | ObjectTypes::UnknownType => None,
        }
    });
    let mut shared: Vec<TypeId> = members_by_node.next()?.keys().copied().collect();
    let count = shared.len();
    let mut is_same = true;
    for members in members_by_node {
        is_same &= members.len() == count;
        shared.retain(|member| members.contains_key(member));
    }
    (!is_same || shared.len() < count).then_some(shared)
}
