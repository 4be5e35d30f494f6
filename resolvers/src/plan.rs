//! Selection × Graph → Plan: which sources are asked for what, and what each must know first.
//!
//! Pure: no clock, no cache, no network. Equal operations over equal graphs give equal plans.
//! Choosing sources is a covering problem (`search`); what was chosen becomes a DAG of fetches
//! (`commit`). Neither knows what a source is made of: they see views only.

use std::collections::BTreeMap;

use schema::graph::Graph;
use schema::operation::OperationKind;
use schema::source::{Entry, NodeId, SourceId};
use schema::types::{Name, TypeId};

use self::commit::Commit;
use self::search::Memory;
use crate::selection::{From, PositionId, ROOT, Selection, When};

mod commit;
pub(crate) mod explain;
mod search;

/// Fetches and their order.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Each after all that it needs.
    pub(crate) fetches: Vec<Fetch>,
    /// Fetches of a later stage wait for all of an earlier one: root fields of a mutation.
    pub(crate) stages: usize,
}

/// One planned access to one source.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) source: SourceId,
    /// Which of the source's entries.
    pub(crate) entry: usize,
    /// Where the objects stand that it is for.
    pub(crate) at: PositionId,
    /// Which objects there.
    pub(crate) on: TypeId,
    /// The field, for an entry that serves one.
    pub(crate) slot: Option<usize>,
    /// What it must know of each object.
    pub(crate) key: Vec<KeySlot>,
    /// Fetches that give the key, or create the objects.
    pub(crate) after: Vec<usize>,
    pub(crate) stage: usize,
    /// The slots that it fills, place by place.
    pub(crate) takes: BTreeMap<PositionId, Vec<usize>>,
    /// When any of these is needed.
    pub(crate) when: When,
}

/// A field of a key and the slot that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySlot {
    pub(crate) name: Name,
    pub(crate) slot: usize,
    /// Of its own fields.
    pub(crate) inner: Vec<Self>,
}

/// A field that no fetch can give where it is asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no source gives `{coordinate}` here")]
pub(crate) struct Unplannable {
    /// `Type.field`.
    pub(crate) coordinate: String,
}

/// What a fetch offers of the objects at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Offer {
    source: SourceId,
    node: NodeId,
    /// The only slot it may fill, for an entry that serves one field.
    only: Option<usize>,
}

/// An entry that may be used at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Choice {
    source: SourceId,
    entry: usize,
    /// The slot it is for, where it serves one field.
    slot: Option<usize>,
}

impl Choice {
    fn of(self, graph: &Graph) -> &Entry {
        &graph.source(self.source).entries[self.entry]
    }

    fn offer(self, graph: &Graph) -> Offer {
        Offer {
            source: self.source,
            node: self.of(graph).node,
            only: self.slot,
        }
    }
}

/// Objects of one type at one place, and which of their slots are to be filled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    at: PositionId,
    on: TypeId,
    slots: Vec<usize>,
}

impl Place {
    /// All slots that objects of type `on` have at `at`.
    fn whole(selection: &Selection, at: PositionId, on: TypeId) -> Self {
        let slots = selection.position(at).slots.iter().enumerate();
        Self {
            at,
            on,
            slots: slots
                .filter(|(_, slot)| slot.on.contains(&on) && slot.from == From::Source)
                .map(|(index, _)| index)
                .collect(),
        }
    }
}

/// Plans `selection`, to which it adds the slots that fetches need of each other.
pub(crate) fn plan(
    graph: &Graph,
    selection: &mut Selection,
    kind: OperationKind,
) -> Result<Plan, Unplannable> {
    let root = Place::whole(selection, ROOT, selection.position(ROOT).ty);
    // Root fields of a mutation run one after another (GraphQL §6.2.2).
    let stages: Vec<Place> = match kind {
        OperationKind::Query => vec![root],
        OperationKind::Mutation => root
            .slots
            .iter()
            .map(|slot| Place {
                slots: vec![*slot],
                ..root.clone()
            })
            .collect(),
    };
    let mut fetches = Vec::new();
    let mut memory = Memory::default();
    for (stage, place) in stages.iter().enumerate() {
        Commit {
            graph,
            selection,
            fetches: &mut fetches,
            memory: &mut memory,
            stage,
        }
        .root(place)?;
    }
    conditions(&mut fetches, selection);
    Ok(Plan {
        fetches,
        stages: stages.len(),
    })
}

/// A fetch is needed when one of its slots is; its key is needed when it is.
fn conditions(fetches: &mut [Fetch], selection: &mut Selection) {
    // A fetch stands behind those that it needs, so the last one is settled first.
    for fetch in fetches.iter_mut().rev() {
        let mut when = When::never();
        for (position, slots) in &fetch.takes {
            for slot in slots {
                when.or(&selection.position(*position).slots[*slot].when);
            }
        }
        key_conditions(&fetch.key, fetch.at, &when, selection);
        fetch.when = when;
    }
}

fn key_conditions(key: &[KeySlot], at: PositionId, when: &When, selection: &mut Selection) {
    for part in key {
        let slot = selection.slot_mut(at, part.slot);
        slot.when.or(when);
        if let Some(child) = slot.child {
            key_conditions(&part.inner, child, when, selection);
        }
    }
}

/// The fields of a graph in words, for messages.
fn coordinate(graph: &Graph, on: TypeId, field: &str) -> String {
    format!("{}.{field}", graph.types().get(on).name)
}
