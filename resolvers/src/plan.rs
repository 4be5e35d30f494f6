//! Selection × Graph → Plan: the fetches of an operation, their requirements and their order.
//!
//! Pure: no clock, no cache, no network. Equal operations over equal graphs have equal plans.
//! Choosing sources is a covering problem (`search`); the chosen entry points become a DAG of
//! fetches (`commit`). Neither depends on the kind of a source: both read its entry points only.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::operation::OperationKind;
use schema::source::SourceId;
use schema::types::TypeId;

use self::commit::{Commit, FetchOrder};
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
mod conditions;
mod contexts;
mod fallbacks;
mod ids;
mod offer;
pub(crate) mod print;
mod requests;
mod scope;
mod search;
mod separate;
mod stages;
mod union_members;

/// Fetches and their order.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Each fetch comes after all that it depends on.
    pub(crate) fetches: ByFetch<Fetch>,
    /// The fetches of each request, in plan order, those of fallbacks last; every fetch is in
    /// exactly one request.
    pub(crate) requests: ByRequest<Vec<FetchId>>,
    /// Number of stages: the fetches of a stage wait for all of the stage before, as root fields
    /// of a mutation do.
    pub(crate) stages: usize,
    /// Whether the search compared every choice; if not, the plan is the best of those compared.
    pub(crate) is_complete: bool,
}

/// One planned access to one source.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    pub(crate) source: SourceId,
    /// The position of the objects that it fetches.
    pub(crate) at: PositionId,
    /// The steps from the root to these objects.
    pub(crate) path: Vec<Step>,
    /// The entry point for objects of each type: at least one, for connectors exactly one.
    pub(crate) selected_entries: Vec<EntrySelection>,
    /// The slot of the field, for an entry point that serves a single field.
    pub(crate) field_slot: Option<usize>,
    /// Fields with arguments that are filled from ancestor objects.
    pub(crate) context_fields: Vec<ContextField>,
    /// Fetches that provide the keys or requirements, or create the objects.
    pub(crate) depends_on: Vec<FetchId>,
    pub(crate) stage: usize,
    pub(crate) slots: FetchSlots,
    /// The fetch is made if this holds: when any of its slots is needed.
    pub(crate) condition: Condition,
    /// The fetches for entities that have only a part of the inputs.
    pub(crate) fallbacks: Vec<FetchId>,
    /// The fetch that this one is a fallback of.
    pub(crate) fallback_of: Option<FetchId>,
}

/// One step of the path to objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) slot: usize,
    /// The object types that the step follows; `None`: all of them.
    pub(crate) types: Option<Vec<TypeId>>,
}

/// The entry point by which objects of one type are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntrySelection {
    /// Abstract while the object types are not known.
    pub(crate) on: TypeId,
    /// Index into the source's entry points.
    pub(crate) entry: usize,
    /// The slots of the key; an object with a null key field is not fetched.
    pub(crate) key: Vec<KeySlot>,
    /// The required fields; a null value is sent as null.
    pub(crate) requires: Vec<RequiredSlot>,
    /// Objects are fetched by it if this holds: when any of their slots is needed.
    pub(crate) condition: Condition,
}

/// A required field, with the fields that have the requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredSlot {
    pub(crate) value: KeySlot,
    pub(crate) required_by: Vec<RequiringField>,
    /// It is fetched and sent if this holds: when a field that requires it is needed.
    pub(crate) condition: Condition,
}

/// A field with requirements, of the objects of one type that a fetch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequiringField {
    pub(crate) on: TypeId,
    pub(crate) slot: usize,
}

/// A field of objects of one type with arguments that are filled from ancestor objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContextField {
    /// The position of its objects: that of the fetch, or one inside of it.
    pub(crate) at: PositionId,
    pub(crate) on: TypeId,
    pub(crate) slot: usize,
    pub(crate) arguments: Arc<[ContextArgument]>,
}

/// The slots that a fetch fills, by position, each with the types of the objects it fills.
pub(crate) type FetchSlots = BTreeMap<PositionId, BTreeMap<usize, Vec<TypeId>>>;

impl Plan {
    /// The requests that are sent while no input fails.
    fn main_requests(&self) -> impl Iterator<Item = PlanRequestId> {
        let requests = self.requests.pairs();
        let main = requests.filter(|(_, fetches)| {
            let mut fetches = fetches.iter();
            fetches.all(|fetch| self.fetches[*fetch].fallback_of.is_none())
        });
        main.map(|(request, _)| request)
    }
}

impl Fetch {
    /// The first entry point; a fetch of a connector has no other.
    pub(crate) fn first_entry(&self) -> &EntrySelection {
        &self.selected_entries[0]
    }

    /// Whether any of its fields needs inputs beside the key.
    fn has_inputs(&self) -> bool {
        let mut entries = self.selected_entries.iter();
        !self.context_fields.is_empty() || entries.any(|it| !it.requires.is_empty())
    }

    /// Whether it fills a slot, for objects of any type.
    fn has_slot(&self, at: PositionId, slot: usize) -> bool {
        let slots = self.slots.get(&at);
        slots.is_some_and(|slots| slots.contains_key(&slot))
    }
}

/// A selected field that no fetch can provide at its position.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no source can provide `{coordinate}` at this position")]
pub(crate) struct Unplannable {
    /// `Type.field`.
    pub(crate) coordinate: String,
}

/// Plans `selection`, and adds to it the slots of keys and requirements.
pub(crate) fn plan(
    graph: &Graph,
    selection: &mut Selection,
    kind: OperationKind,
) -> Result<Plan, Unplannable> {
    union_members::narrow(graph, selection);
    let mut fetches = ByFetch::default();
    let mut order = FetchOrder::default();
    let mut search_context =
        SearchContext::new(Contexts::new(graph, selection), selection.slot_count());
    let stages = stages(graph, selection, kind, &mut search_context);
    for (stage, scope) in stages.iter().enumerate() {
        let mut commit = Commit {
            graph,
            selection,
            fetches: &mut fetches,
            order: &mut order,
            search_context: &mut search_context,
            stage,
        };
        commit.plan_root(scope)?;
    }
    order.drop_unused(graph, selection, &mut fetches);
    contexts::hoist::hoist_fields(graph, selection, &mut fetches);
    let fetches = separate::separate_types(graph, selection, fetches);
    let mut fetches = fallbacks::add_fallbacks(graph.types(), selection, fetches);
    conditions::set_conditions(graph, &mut fetches, selection);
    selection.forget_non_null_sets();
    Ok(Plan {
        requests: requests::group(graph, &fetches),
        fetches,
        stages: stages.len(),
        is_complete: search_context.is_complete(),
    })
}

/// Replaces each fetch by the result of `replace`, which gets the id of the first replacement; what
/// depends on a fetch depends on all of its replacements.
fn replace_fetches(
    fetches: ByFetch<Fetch>,
    mut replace: impl FnMut(FetchId, Fetch) -> Vec<Fetch>,
) -> ByFetch<Fetch> {
    let mut all = ByFetch::default();
    let mut new_ids: ByFetch<Vec<FetchId>> = ByFetch::default();
    for mut fetch in fetches {
        let depends_on = fetch.depends_on.iter();
        let depends_on = depends_on.flat_map(|id| new_ids[*id].iter().copied());
        fetch.depends_on = depends_on.collect();
        let replacements = replace(FetchId::from(all.len()), fetch).into_iter();
        new_ids.push(replacements.map(|fetch| all.push(fetch)).collect());
    }
    all
}

/// Removes a fetch; those that depend on it depend on `successors` instead, which are earlier ones.
fn remove_fetch(fetches: &mut ByFetch<Fetch>, id: FetchId, successors: &[FetchId]) -> Fetch {
    let removed = fetches.remove(id);
    for fetch in fetches.iter_mut() {
        let Some(index) = fetch.depends_on.iter().position(|other| *other == id) else {
            continue;
        };
        fetch.depends_on.swap_remove(index);
        fetch.depends_on.extend_from_slice(successors);
    }
    for fetch in fetches.iter_mut() {
        for other in &mut fetch.depends_on {
            if *other > id {
                *other = FetchId::from(other.index() - 1);
            }
        }
        fetch.depends_on.sort_unstable();
        fetch.depends_on.dedup();
    }
    removed
}
