//! Selection × Graph → Plan: which sources are asked for what, and what each must know first.
//!
//! Pure: no clock, no cache, no network. Equal operations over equal graphs give equal plans.
//! Choosing sources is a covering problem (`search`); what was chosen becomes a DAG of fetches
//! (`commit`). Neither knows what a source is made of: they see views only.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::operation::OperationKind;
use schema::source::{Access, Node, NodeField, NodeId, Objects, SourceId};
use schema::types::TypeId;

use self::commit::Commit;
use self::contexts::Contexts;
pub(crate) use self::contexts::{Above, FromAbove};
use self::search::{Memory, Search};
pub(crate) use crate::selection::KeySlot;
use crate::selection::{From, PositionId, ROOT, Selection, SetId, When};

mod commit;
mod contexts;
pub(crate) mod explain;
mod members;
mod requests;
mod search;

/// Fetches and their order.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Each after all that it needs.
    pub(crate) fetches: Vec<Fetch>,
    /// Fetches that go out as one request, each in one of them, in the order of the fetches.
    pub(crate) requests: Vec<Vec<usize>>,
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
    pub(crate) entered: Vec<Entered>,
    /// The field, for an entry that serves one.
    pub(crate) slot: Option<usize>,
    /// Fields that take something of objects further up.
    pub(crate) contexts: Vec<Contextual>,
    /// Fetches that give the keys, or create the objects.
    pub(crate) after: Vec<usize>,
    pub(crate) stage: usize,
    pub(crate) takes: Takes,
    /// When any of these is needed.
    pub(crate) when: When,
}

/// One step of the way to objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) slot: usize,
    /// Through objects of these types only; `None`: through all.
    pub(crate) through: Option<Vec<TypeId>>,
}

/// How objects of one type are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entered {
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
pub(crate) struct Contextual {
    /// Where its objects stand: those of the fetch, or inside of them.
    pub(crate) at: PositionId,
    pub(crate) on: TypeId,
    pub(crate) slot: usize,
    pub(crate) arguments: Arc<[FromAbove]>,
}

/// The slots that a fetch fills, place by place, each with the types of the objects it fills.
pub(crate) type Takes = BTreeMap<PositionId, BTreeMap<usize, Vec<TypeId>>>;

impl Fetch {
    /// The entry of a fetch that has one only, as those of connectors do.
    pub(crate) fn first(&self) -> &Entered {
        &self.entered[0]
    }

    /// Whether it fills a slot, of objects of whatever type.
    fn fills(&self, at: PositionId, slot: usize) -> bool {
        let slots = self.takes.get(&at);
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

/// What a fetch offers of the objects at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Offer {
    source: SourceId,
    node: NodeId,
    /// The only slot it may fill, for an entry that serves one field.
    only: Option<usize>,
    /// How many fetches stand before the one that offers it.
    level: u32,
}

impl Offer {
    /// What an entry offers, whoever waits for it.
    fn entered(graph: &Graph, (source, entry): (SourceId, usize)) -> Self {
        Self {
            source,
            node: graph.source(source).entries[entry].node,
            only: None,
            level: 0,
        }
    }

    /// The node of objects of type `on`; for an abstract `on`, what is given without asking which
    /// type they are.
    fn node<'g>(&self, graph: &'g Graph, on: TypeId) -> Option<&'g Node> {
        let source = graph.source(self.source);
        let whole = source.node(self.node);
        if whole.on == on {
            return Some(whole);
        }
        source.node_of(self.node, on).map(|node| source.node(node))
    }

    /// The field of a slot of objects of type `on`, where it can be given without being told more.
    fn gives<'g>(
        &self,
        graph: &'g Graph,
        selection: &Selection,
        (at, on, slot): (PositionId, TypeId, usize),
    ) -> Option<&'g NodeField> {
        if self.only.is_some_and(|only| only != slot) {
            return None;
        }
        let name = &selection.position(at).slots[slot].field;
        let field = self.node(graph, on)?.fields.get(name)?;
        (field.requires.is_none() && !field.only_in_keys).then_some(field)
    }

    /// What it offers of the objects in that slot.
    fn inside(
        &self,
        graph: &Graph,
        selection: &Selection,
        wanted: (PositionId, TypeId, usize),
    ) -> Option<Self> {
        Some(Self {
            source: self.source,
            node: self.gives(graph, selection, wanted)?.child?,
            only: None,
            level: self.level,
        })
    }

    /// Whether the source says of which type the objects are.
    fn tells(&self, graph: &Graph) -> bool {
        let node = graph.source(self.source).node(self.node);
        !matches!(node.objects, Objects::Untold)
    }
}

/// The objects at one place, and which of their slots are to be filled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    at: PositionId,
    /// What the client asks of the objects there, which depends on the way to them.
    sets: Vec<SetId>,
    /// By type, in the order of the types; none without slots.
    wants: Vec<(TypeId, Vec<usize>)>,
    /// Whether it must be known of which type each object is.
    told: bool,
    /// The only source that may be asked.
    only: Option<SourceId>,
}

impl Place {
    /// All slots that `sets` ask of the objects at `at` that `offers` can bring there.
    fn whole(
        graph: &Graph,
        selection: &Selection,
        (at, sets): (PositionId, Vec<SetId>),
        offers: &[Offer],
    ) -> Self {
        let position = selection.position(at);
        let ty = graph.types().get(position.ty);
        let brought =
            |on: TypeId| offers.is_empty() || offers.iter().any(|it| it.node(graph, on).is_some());
        let wants: Vec<(TypeId, Vec<usize>)> = ty
            .possible
            .iter()
            .filter(|on| brought(**on) && position.has(**on))
            .map(|on| (*on, asked(selection, (at, &sets), *on)))
            .collect();
        let told = ty.is_abstract()
            && (position.told || wants.iter().any(|(_, slots)| *slots != wants[0].1));
        Self {
            at,
            sets,
            wants: wants.into_iter().filter(|it| !it.1.is_empty()).collect(),
            told,
            only: None,
        }
    }
}

impl Place {
    /// Whether its fields do something, so that each may be asked of one source only.
    fn acts(&self, graph: &Graph, selection: &Selection) -> bool {
        self.at == ROOT && graph.types().mutation() == Some(selection.position(ROOT).ty)
    }
}

/// The slots that are asked of objects of type `on`.
fn asked(selection: &Selection, (at, sets): (PositionId, &[SetId]), on: TypeId) -> Vec<usize> {
    let slots = &selection.position(at).slots;
    let beside = (0..slots.len()).filter(|slot| slots[*slot].beside.contains(&on));
    let mut asked: Vec<usize> = selection.sets.slots(sets, on).chain(beside).collect();
    asked.retain(|slot| slots[*slot].from == From::Source);
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// Plans `selection`, to which it adds the slots that fetches need of each other.
pub(crate) fn plan(
    graph: &Graph,
    selection: &mut Selection,
    kind: OperationKind,
) -> Result<Plan, Unplannable> {
    members::narrow(graph, selection);
    let mut fetches = Vec::new();
    let mut memory = Memory::new(Contexts::of(graph, selection));
    let stages = stages(graph, selection, kind, &mut memory);
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
    contexts::sooner::merge(graph, selection, &mut fetches);
    conditions(graph, &mut fetches, selection);
    Ok(Plan {
        requests: requests::group(graph, &fetches),
        fetches,
        stages: stages.len(),
        is_complete: memory.is_complete(),
    })
}

/// Root fields of a mutation run one after another (GraphQL §6.2.2); those that follow each other
/// at one service are sent to it together, and it runs them so.
fn stages(
    graph: &Graph,
    selection: &mut Selection,
    kind: OperationKind,
    memory: &mut Memory,
) -> Vec<Place> {
    let root = Place::whole(graph, selection, (ROOT, vec![selection.root]), &[]);
    let (OperationKind::Mutation, Some((on, slots))) = (kind, root.wants.first().cloned()) else {
        return vec![root];
    };
    let stage = |slots: &[usize], only: Option<SourceId>| Place {
        wants: vec![(on, slots.to_vec())],
        only,
        ..root.clone()
    };
    let mut stages = Vec::new();
    for (service, together) in runs(graph, selection, (on, &slots)) {
        let whole = stage(&together, service.filter(|_| together.len() > 1));
        let mut search = Search {
            graph,
            selection,
            memory,
        };
        if whole.only.is_none() || search.cover(&whole, &[]).is_some() {
            stages.push(whole);
        } else {
            let alone = together.iter().map(|slot| stage(&[*slot], None));
            stages.extend(alone);
        }
    }
    stages
}

/// Root fields that follow each other and that one service gives, with that service.
fn runs(
    graph: &Graph,
    selection: &Selection,
    (on, slots): (TypeId, &[usize]),
) -> Vec<(Option<SourceId>, Vec<usize>)> {
    let mut runs: Vec<(Vec<SourceId>, Vec<usize>)> = Vec::new();
    for slot in slots {
        let givers = services(graph, selection, (on, *slot));
        match runs.last_mut() {
            Some((known, together)) if known.iter().any(|source| givers.contains(source)) => {
                known.retain(|source| givers.contains(source));
                together.push(*slot);
            }
            _ => runs.push((givers, vec![*slot])),
        }
    }
    let runs = runs.into_iter();
    runs.map(|(known, together)| (known.first().copied(), together))
        .collect()
}

/// The services that speak GraphQL and give a root field.
fn services(graph: &Graph, selection: &Selection, (on, slot): (TypeId, usize)) -> Vec<SourceId> {
    let field = &selection.position(ROOT).slots[slot].field;
    let entries = graph.entries(on).iter();
    entries
        .filter(|(source, index)| {
            let source = graph.source(*source);
            let node = source.node(source.entries[*index].node);
            matches!(source.access, Access::Graphql(_)) && node.fields.contains_key(field)
        })
        .map(|(source, _)| *source)
        .collect()
}

/// A fetch is needed when one of its slots is; its key is needed when it is.
fn conditions(graph: &Graph, fetches: &mut [Fetch], selection: &mut Selection) {
    // A fetch stands behind those that it needs, so the last one is settled first.
    for fetch in fetches.iter_mut().rev() {
        // One that fills nothing says whether the objects are there, and of which type.
        let mut when = match selection.position(fetch.at).parent {
            Some((parent, slot)) if fetch.takes.is_empty() || tells(graph, fetch) => {
                selection.position(parent).slots[slot].when.clone()
            }
            _ => When::never(),
        };
        for (position, slots) in &fetch.takes {
            for slot in slots.keys() {
                when.or(&selection.position(*position).slots[*slot].when);
            }
        }
        for entered in &fetch.entered {
            key_conditions(&entered.key, fetch.at, &when, selection);
            key_conditions(&entered.requires, fetch.at, &when, selection);
        }
        for argument in fetch.contexts.iter().flat_map(|it| &*it.arguments) {
            for above in &argument.places {
                let value = std::slice::from_ref(&above.value);
                key_conditions(value, above.at, &when, selection);
            }
        }
        fetch.when = when;
    }
}

/// Whether a fetch says of which type objects are of which nobody else does.
fn tells(graph: &Graph, fetch: &Fetch) -> bool {
    let source = graph.source(fetch.source);
    fetch.entered.iter().any(|entered| {
        let node = source.node(source.entries[entered.entry].node);
        let is_abstract = graph.types().get(entered.on).is_abstract();
        is_abstract && matches!(node.objects, Objects::Several(_))
    })
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
