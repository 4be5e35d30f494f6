//! Selection × Graph → Plan: which sources are asked for what, and what each must know first.
//!
//! Pure: no clock, no cache, no network. Equal operations over equal graphs give equal plans.
//! Choosing sources is a covering problem (`search`); what was chosen becomes a DAG of fetches
//! (`commit`). Neither knows what a source is made of: they see views only.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::operation::OperationKind;
use schema::source::{Access, NodeField, NodeId, ObjectTypes, SourceId, SourceNode};
use schema::types::{Name, TypeId};

use self::commit::Commit;
use self::contexts::Contexts;
pub(crate) use self::contexts::{ContextArgument, ContextSource};
pub(crate) use self::ids::{ByFetch, ByRequest, FetchId, PlanRequestId};
use self::search::{Search, SearchContext};
pub(crate) use crate::selection::KeySlot;
use crate::selection::{Condition, PositionId, ROOT, Selection, SlotOrigin, SlotSetId};

mod commit;
mod contexts;
mod ids;
pub(crate) mod print;
mod requests;
mod search;
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

/// A slot of the objects of one type at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TypedSlot {
    at: PositionId,
    on: TypeId,
    slot: usize,
}

impl TypedSlot {
    /// The name of the slot's field.
    fn field(self, selection: &Selection) -> &Name {
        &selection.position(self.at).slots[self.slot].field
    }
}

/// What a fetch offers of the objects at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Offer {
    source: SourceId,
    node: NodeId,
    /// The only slot it may fill, for an entry that serves one field.
    only_slot: Option<usize>,
    /// How many fetches stand before the one that offers it.
    level: u32,
}

impl Offer {
    /// What an entry offers, whoever waits for it.
    fn from_entry_point(graph: &Graph, source: SourceId, entry: usize) -> Self {
        Self {
            source,
            node: graph.source(source).entry_points[entry].node,
            only_slot: None,
            level: 0,
        }
    }

    /// The node of objects of type `on`; for an abstract `on`, what is given without asking which
    /// type they are.
    fn node<'g>(&self, graph: &'g Graph, on: TypeId) -> Option<&'g SourceNode> {
        let source = graph.source(self.source);
        let node = source.node(self.node);
        if node.on == on {
            return Some(node);
        }
        source
            .node_for_type(self.node, on)
            .map(|node| source.node(node))
    }

    /// The field of a slot of objects of type `on`, where it can be given without being told more.
    fn provided_field<'g>(
        &self,
        graph: &'g Graph,
        selection: &Selection,
        wanted: TypedSlot,
    ) -> Option<&'g NodeField> {
        if self.only_slot.is_some_and(|only| only != wanted.slot) {
            return None;
        }
        let name = wanted.field(selection);
        let field = self.node(graph, wanted.on)?.fields.get(name)?;
        (field.requires.is_none() && !field.only_in_keys).then_some(field)
    }

    fn provides(&self, graph: &Graph, selection: &Selection, wanted: TypedSlot) -> bool {
        self.provided_field(graph, selection, wanted).is_some()
    }

    /// What it offers of the objects in that slot.
    fn child_offer(&self, graph: &Graph, selection: &Selection, wanted: TypedSlot) -> Option<Self> {
        Some(Self {
            source: self.source,
            node: self.provided_field(graph, selection, wanted)?.child?,
            only_slot: None,
            level: self.level,
        })
    }

    /// Whether the source says of which type the objects are.
    fn provides_typename(&self, graph: &Graph) -> bool {
        let node = graph.source(self.source).node(self.node);
        !matches!(node.object_types, ObjectTypes::UnknownType)
    }
}

/// The objects at one place, and which of their slots are to be filled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PlanScope {
    at: PositionId,
    /// What the client asks of the objects there, which depends on the way to them.
    slot_sets: Vec<SlotSetId>,
    /// By type, in the order of the types; none without slots.
    wanted_slots: Vec<(TypeId, Vec<usize>)>,
    /// Whether it must be known of which type each object is.
    needs_typename: bool,
    /// The only source that may be asked.
    only_source: Option<SourceId>,
}

impl PlanScope {
    /// All slots that `sets` ask of the objects at `at` that `offers` can bring there.
    fn new(
        graph: &Graph,
        selection: &Selection,
        at: PositionId,
        slot_sets: Vec<SlotSetId>,
        offers: &[Offer],
    ) -> Self {
        let position = selection.position(at);
        let ty = graph.types().get(position.ty);
        let is_provided =
            |on: TypeId| offers.is_empty() || offers.iter().any(|it| it.node(graph, on).is_some());
        let wanted_slots: Vec<(TypeId, Vec<usize>)> = ty
            .possible_types
            .iter()
            .filter(|on| is_provided(**on) && position.has_type(**on))
            .map(|on| (*on, selected_slots(selection, at, &slot_sets, *on)))
            .collect();
        let needs_typename = ty.is_abstract()
            && (position.needs_typename
                || wanted_slots
                    .iter()
                    .any(|(_, slots)| *slots != wanted_slots[0].1));
        Self {
            at,
            slot_sets,
            wanted_slots: wanted_slots
                .into_iter()
                .filter(|it| !it.1.is_empty())
                .collect(),
            needs_typename,
            only_source: None,
        }
    }
}

impl PlanScope {
    /// One of its slots, of objects of type `on`.
    fn typed_slot(&self, on: TypeId, slot: usize) -> TypedSlot {
        TypedSlot {
            at: self.at,
            on,
            slot,
        }
    }

    /// Whether its fields do something, so that each may be asked of one source only.
    fn is_mutation_root(&self, graph: &Graph, selection: &Selection) -> bool {
        self.at == ROOT && graph.types().mutation() == Some(selection.position(ROOT).ty)
    }
}

/// The slots that are asked of objects of type `on`.
fn selected_slots(
    selection: &Selection,
    at: PositionId,
    sets: &[SlotSetId],
    on: TypeId,
) -> Vec<usize> {
    let slots = &selection.position(at).slots;
    let required = (0..slots.len()).filter(|slot| slots[*slot].required_on.contains(&on));
    let mut selected: Vec<usize> = selection
        .slot_sets
        .slots(sets, on)
        .chain(required)
        .collect();
    selected.retain(|slot| slots[*slot].origin == SlotOrigin::Source);
    selected.sort_unstable();
    selected.dedup();
    selected
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

/// Root fields of a mutation run one after another (GraphQL §6.2.2); those that follow each other
/// at one service are sent to it together, and it runs them so.
fn stages(
    graph: &Graph,
    selection: &mut Selection,
    kind: OperationKind,
    search_context: &mut SearchContext,
) -> Vec<PlanScope> {
    let root = PlanScope::new(graph, selection, ROOT, vec![selection.root_set], &[]);
    let (OperationKind::Mutation, Some((on, slots))) = (kind, root.wanted_slots.first().cloned())
    else {
        return vec![root];
    };
    let stage = |slots: &[usize], only: Option<SourceId>| PlanScope {
        wanted_slots: vec![(on, slots.to_vec())],
        only_source: only,
        ..root.clone()
    };
    let mut stages = Vec::new();
    for (service, slots_together) in runs(graph, selection, on, &slots) {
        let joint_stage = stage(
            &slots_together,
            service.filter(|_| slots_together.len() > 1),
        );
        let mut search = Search {
            graph,
            selection,
            context: search_context,
        };
        if joint_stage.only_source.is_none() || search.cover(&joint_stage, &[]).is_some() {
            stages.push(joint_stage);
        } else {
            let alone = slots_together.iter().map(|slot| stage(&[*slot], None));
            stages.extend(alone);
        }
    }
    stages
}

/// Root fields that follow each other and that one service gives, with that service.
fn runs(
    graph: &Graph,
    selection: &Selection,
    on: TypeId,
    slots: &[usize],
) -> Vec<(Option<SourceId>, Vec<usize>)> {
    let mut runs: Vec<(Vec<SourceId>, Vec<usize>)> = Vec::new();
    for slot in slots {
        let providers = providing_subgraphs(graph, selection, on, *slot);
        match runs.last_mut() {
            Some((known, together)) if known.iter().any(|source| providers.contains(source)) => {
                known.retain(|source| providers.contains(source));
                together.push(*slot);
            }
            _ => runs.push((providers, vec![*slot])),
        }
    }
    let runs = runs.into_iter();
    runs.map(|(known, together)| (known.first().copied(), together))
        .collect()
}

/// The services that speak GraphQL and give a root field.
fn providing_subgraphs(
    graph: &Graph,
    selection: &Selection,
    on: TypeId,
    slot: usize,
) -> Vec<SourceId> {
    let field = &selection.position(ROOT).slots[slot].field;
    let entries = graph.entry_points(on).iter();
    entries
        .filter(|(source, index)| {
            let source = graph.source(*source);
            let node = source.node(source.entry_points[*index].node);
            matches!(source.access, Access::Graphql(_)) && node.fields.contains_key(field)
        })
        .map(|(source, _)| *source)
        .collect()
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
