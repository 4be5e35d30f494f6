//! Selection × Graph → Plan: which sources are asked for what, and what each must know first.
//!
//! Pure: no clock, no cache, no network. Equal operations over equal graphs give equal plans.
//! Choosing sources is a covering problem (`search`); what was chosen becomes a DAG of fetches
//! (`commit`). Neither knows what a source is made of: they see views only.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::operation::OperationKind;
use schema::source::{ObjectTypes, SourceId};
use schema::types::TypeId;

use self::commit::Commit;
use self::contexts::Contexts;
pub(crate) use self::contexts::{ContextArgument, ContextSource};
pub(crate) use self::ids::{ByFetch, ByRequest, FetchId, PlanRequestId};
use self::offer::{Offer, TypedSlot};
use self::scope::PlanScope;
use self::search::SearchContext;
use self::stages::stages;
pub(crate) use crate::selection::KeySlot;
use crate::selection::{Condition, PositionId, Selection};

mod commit;
mod contexts;
mod ids;
mod offer;
pub(crate) mod print;
mod requests;
mod scope;
mod search;
mod stages;
mod union_members;

/// Fetches and their order.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Each after all that it needs.
    pub(crate) fetches: ByFetch<Fetch>,
    /// Fetches that go out as one request, each in one of them, in the order of the fetches.
    pub(crate) requests: ByRequest<Vec<FetchId>>,
    /// Fetches of a later stage wait for all of an earlier one: root fields of a mutation.
    pub(crate) stages: usize,
    /// Whether every choice was looked at; if not, the plan is the best of those that were.
    pub(crate) is_complete: bool,
}

/// One planned access to one source.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) source: SourceId,
    /// Where the objects stand that it is for.
    pub(crate) at: PositionId,
    /// The way from the root to these objects.
    pub(crate) path: Vec<Step>,
    /// How objects of each type are asked for; at least one, for connectors exactly one.
    pub(crate) selected_entries: Vec<EntrySelection>,
    /// The field, for an entry that serves one.
    pub(crate) field_slot: Option<usize>,
    /// Fields that take something of objects further up.
    pub(crate) context_fields: Vec<ContextField>,
    /// Fetches that give the keys, or create the objects.
    pub(crate) depends_on: Vec<FetchId>,
    pub(crate) stage: usize,
    pub(crate) slots: FetchSlots,
    /// When any of these is needed.
    pub(crate) condition: Condition,
}

/// One step of the way to objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) slot: usize,
    /// Through objects of these types only; `None`: through all.
    pub(crate) types: Option<Vec<TypeId>>,
}

/// How objects of one type are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntrySelection {
    /// Abstract where nobody has said of which type the objects are.
    pub(crate) on: TypeId,
    /// Which of the source's entries.
    pub(crate) entry: usize,
    /// What it must know of each object; an object of which a part is null cannot be asked for.
    pub(crate) key: Vec<KeySlot>,
    /// What the source is told besides; null where it is null.
    pub(crate) requires: Vec<KeySlot>,
}

/// A field of objects of one type that takes something of objects further up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContextField {
    /// Where its objects stand: those of the fetch, or inside of them.
    pub(crate) at: PositionId,
    pub(crate) on: TypeId,
    pub(crate) slot: usize,
    pub(crate) arguments: Arc<[ContextArgument]>,
}

/// The slots that a fetch fills, place by place, each with the types of the objects it fills.
pub(crate) type FetchSlots = BTreeMap<PositionId, BTreeMap<usize, Vec<TypeId>>>;

impl Fetch {
    /// The entry of a fetch that has one only, as those of connectors do.
    pub(crate) fn first_entry(&self) -> &EntrySelection {
        &self.selected_entries[0]
    }

    /// Whether it fills a slot, of objects of whatever type.
    fn has_slot(&self, at: PositionId, slot: usize) -> bool {
        let slots = self.slots.get(&at);
        slots.is_some_and(|slots| slots.contains_key(&slot))
    }
}

/// A field that no fetch can give where it is asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no source gives `{coordinate}` here")]
pub(crate) struct Unplannable {
    /// `Type.field`.
    pub(crate) coordinate: String,
}

/// Plans `selection`, to which it adds the slots that fetches need of each other.
pub(crate) fn plan(
    graph: &Graph,
    selection: &mut Selection,
    kind: OperationKind,
) -> Result<Plan, Unplannable> {
    union_members::narrow(graph, selection);
    let mut fetches = ByFetch::default();
    let mut search_context = SearchContext::new(Contexts::new(graph, selection));
    let stages = stages(graph, selection, kind, &mut search_context);
    for (stage, scope) in stages.iter().enumerate() {
        Commit {
            graph,
            selection,
            fetches: &mut fetches,
            search_context: &mut search_context,
            stage,
        }
        .plan_root(scope)?;
    }
    contexts::hoist::hoist_fields(graph, selection, &mut fetches);
    set_conditions(graph, &mut fetches, selection);
    Ok(Plan {
        requests: requests::group(graph, &fetches),
        fetches,
        stages: stages.len(),
        is_complete: search_context.is_complete(),
    })
}

/// A fetch is needed when one of its slots is; its key is needed when it is.
fn set_conditions(graph: &Graph, fetches: &mut ByFetch<Fetch>, selection: &mut Selection) {
    // A fetch stands behind those that it needs, so the last one is settled first.
    for fetch in fetches.iter_mut().rev() {
        // One that fills nothing says whether the objects are there, and of which type.
        let mut condition = match selection.position(fetch.at).parent {
            Some((parent, slot)) if fetch.slots.is_empty() || provides_typename(graph, fetch) => {
                selection.position(parent).slots[slot].condition.clone()
            }
            _ => Condition::never(),
        };
        for (position, slots) in &fetch.slots {
            for slot in slots.keys() {
                condition.or(&selection.position(*position).slots[*slot].condition);
            }
        }
        for entered in &fetch.selected_entries {
            add_key_conditions(&entered.key, fetch.at, &condition, selection);
            add_key_conditions(&entered.requires, fetch.at, &condition, selection);
        }
        for argument in fetch.context_fields.iter().flat_map(|it| &*it.arguments) {
            for source in &argument.sources {
                let value = std::slice::from_ref(&source.value);
                add_key_conditions(value, source.at, &condition, selection);
            }
        }
        fetch.condition = condition;
    }
}

/// Whether a fetch says of which type objects are of which nobody else does.
fn provides_typename(graph: &Graph, fetch: &Fetch) -> bool {
    let source = graph.source(fetch.source);
    fetch.selected_entries.iter().any(|entered| {
        let node = source.node(source.entry_points[entered.entry].node);
        let is_abstract = graph.types().get(entered.on).is_abstract();
        is_abstract && matches!(node.object_types, ObjectTypes::ByTypename(_))
    })
}

fn add_key_conditions(
    key: &[KeySlot],
    at: PositionId,
    condition: &Condition,
    selection: &mut Selection,
) {
    for part in key {
        let slot = selection.slot_mut(at, part.slot);
        slot.condition.or(condition);
        if let Some(child) = slot.child {
            add_key_conditions(&part.inner, child, condition, selection);
        }
    }
}

/// The fields of a graph in words, for messages.
fn coordinate(graph: &Graph, on: TypeId, field: &str) -> String {
    format!("{}.{field}", graph.types().get(on).name)
}
