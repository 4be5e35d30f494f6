//! Entries that bring a goal nearer.

use std::collections::HashSet;
use std::sync::Arc;

use schema::graph::Graph;
use schema::key::{FieldSet, Need};
use schema::source::{Access, Entry, Serves, SourceId};
use schema::types::{Name, TypeId};

use super::super::Offer;
use super::Attempt;
use super::goal::Goal;
use super::state::State;
use crate::selection::KeySlot;

/// An entry that may be used at a place.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) source: SourceId,
    pub(super) entry: usize,
    /// The type of the objects for which it is thought of.
    pub(super) on: TypeId,
    /// The slot it is for, where it serves one field or must be told something for it.
    pub(super) slot: Option<usize>,
    /// What it must be told for that slot.
    pub(super) needs: Option<Arc<[KeySlot]>>,
    /// The parts of its key for which other fetches go further in, to the objects of a part.
    pub(super) deep: Arc<[KeySlot]>,
}

/// A candidate and what speaks for it.
struct Ranked {
    price: u64,
    /// Whether all that it must know is there.
    is_ready: bool,
    /// The wants that it gives.
    reach: u64,
    candidate: Candidate,
}

/// One call.
pub(super) const CALL: u64 = 1_000_000;

/// Calls that an entry for single objects is taken to make where there may be many.
const MANY: u64 = 20;

/// Entries that wait for entries that wait for …; no sound graph goes further.
const MAX_CHAIN: usize = 12;

impl Candidate {
    pub(super) fn of<'g>(&self, graph: &'g Graph) -> &'g Entry {
        &graph.source(self.source).entries[self.entry]
    }

    /// The type that the entry is for, which may be abstract.
    pub(super) fn entered(&self, graph: &Graph) -> TypeId {
        self.of(graph).on
    }

    /// Whether the source has an interface as an object, and so cannot tell the types apart.
    pub(super) fn is_of_interface(&self, graph: &Graph) -> bool {
        let node = graph.source(self.source).node(self.of(graph).node);
        matches!(node.objects, schema::source::Objects::Untold)
    }

    /// Whether one fetch may serve several candidates of the source.
    pub(super) fn shares(&self, graph: &Graph) -> bool {
        matches!(graph.source(self.source).access, Access::Graphql(_))
    }
}

impl Attempt<'_, '_> {
    /// What may be used next for `goal`, the most promising first; `goals` are under way.
    pub(super) fn candidates(
        &mut self,
        goal: &Goal,
        state: &State,
        goals: &[Goal],
    ) -> Vec<Candidate> {
        let under_way = |candidate: &Candidate| {
            goals
                .iter()
                .any(|goal| matches!(goal, Goal::Use(other) if candidate.is(other)))
        };
        let chain = goals.iter().filter(|goal| matches!(goal, Goal::Use(_)));
        if chain.count() > MAX_CHAIN {
            return Vec::new();
        }
        let mut found = match goal {
            Goal::Field(on, slot) => self.for_field(state, *on, *slot),
            Goal::Key(on, part) => self.for_key(state, *on, part),
            Goal::Told => self.for_type(),
            Goal::Use(_) | Goal::Reached(_) => Vec::new(),
        };
        let only = self.place.only;
        found.retain(|candidate| {
            !under_way(candidate) && only.is_none_or(|only| only == candidate.source)
        });
        let is_deep = matches!(goal, Goal::Field(_, slot) if self.is_deep(*slot));
        if is_deep {
            // Each of them may bring a part; those that are used have brought theirs.
            found.retain(|candidate| !self.is_used(candidate, state));
        }
        let deeper: Vec<Candidate> = found
            .iter()
            .filter_map(|candidate| self.deeper(candidate, state))
            .collect();
        found.extend(deeper);
        self.ranked(found, state, is_deep)
    }

    /// The same candidate, where a part of its key is an object that has not all that the key
    /// says, so that others must be asked for the rest.
    fn deeper(&mut self, candidate: &Candidate, state: &State) -> Option<Candidate> {
        let graph = self.search.graph;
        let entry = candidate.of(graph);
        let missing = entry.key.0.iter();
        let missing: Vec<_> = missing
            .filter(|part| !part.1.is_empty() && self.key_part(state, entry.on, part).is_none())
            .collect();
        if missing.is_empty() {
            return None;
        }
        let needs: Vec<Need> = missing.into_iter().map(Need::of).collect();
        let name: Name = format!("{}", entry.key).into();
        let purpose = (candidate.source, entry.node);
        Some(Candidate {
            deep: self.needs(purpose, (entry.on, &name), &needs),
            ..candidate.clone()
        })
    }

    fn for_field(&mut self, state: &State, on: TypeId, slot: usize) -> Vec<Candidate> {
        let graph = self.search.graph;
        let at = self.place.at;
        let name = Arc::clone(&self.search.selection.position(at).slots[slot].field);
        let mut found = Vec::new();
        for (source, index) in self.entries(state, on) {
            let entry = &graph.source(source).entries[index];
            let offer = Offer::entered(graph, (source, index));
            let field = offer
                .node(graph, on)
                .and_then(|node| node.fields.get(&name));
            let Some(field) = field.filter(|field| !field.only_in_keys) else {
                continue;
            };
            let is_given = || {
                let field = (source, at, on, Arc::clone(&name));
                self.search.memory.contexts.get(&field).is_some()
            };
            if !field.contexts.is_empty() && !is_given() {
                continue;
            }
            let needs = field
                .requires
                .as_ref()
                .map(|needs| self.needs((source, entry.node), (on, &name), needs));
            let only = entry.serves == Serves::Field || needs.is_some();
            found.push(Candidate {
                source,
                entry: index,
                on,
                slot: only.then_some(slot),
                needs,
                deep: Arc::default(),
            });
        }
        found
    }

    /// The slots of what a source must be told for a field, made once.
    fn needs(
        &mut self,
        (source, node): (SourceId, schema::source::NodeId),
        (on, name): (TypeId, &Name),
        needs: &[Need],
    ) -> Arc<[KeySlot]> {
        let at = self.place.at;
        let key = (source, node, at, on, Arc::clone(name));
        if let Some(known) = self.search.memory.needs.get(&key) {
            return Arc::clone(known);
        }
        let types = self.search.graph.types();
        let slots: Arc<[KeySlot]> = self.search.selection.require((at, on), needs, types).into();
        let known = &mut self.search.memory.needs;
        known.insert(key, Arc::clone(&slots));
        slots
    }

    /// Entries that give a part of a key, or the key of an entry that does.
    fn for_key(&self, state: &State, on: TypeId, part: &(Name, FieldSet)) -> Vec<Candidate> {
        let graph = self.search.graph;
        let gives = |(source, index): &(SourceId, usize)| {
            let definition = graph.source(*source);
            let entry = &definition.entries[*index];
            let offer = Offer::entered(graph, (*source, *index));
            entry.serves != Serves::Field
                && offer.node(graph, on).is_some_and(|node| {
                    let fields = &node.fields;
                    self.part(&[(*source, fields, super::state::Chosens::default())], part)
                        .is_some()
                })
        };
        let entries = self.entries(state, on);
        let entries = entries.into_iter().filter(gives);
        entries
            .map(|(source, entry)| Candidate {
                source,
                entry,
                on,
                slot: None,
                needs: None,
                deep: Arc::default(),
            })
            .collect()
    }

    /// Entries that say of which type the objects are.
    fn for_type(&self) -> Vec<Candidate> {
        let graph = self.search.graph;
        let ty = self.search.selection.position(self.place.at).ty;
        let entries = self.wider(ty).into_iter();
        entries
            .filter(|(source, index)| {
                let source = graph.source(*source);
                let node = source.node(source.entries[*index].node);
                matches!(node.objects, schema::source::Objects::Several(_))
            })
            .map(|(source, entry)| Candidate {
                source,
                entry,
                on: ty,
                slot: None,
                needs: None,
                deep: Arc::default(),
            })
            .collect()
    }

    /// Entries for objects of type `on`: while nobody has said of which type they are, those for
    /// objects of any type.
    fn entries(&self, state: &State, on: TypeId) -> Vec<(SourceId, usize)> {
        let ty = self.search.selection.position(self.place.at).ty;
        let told = self.is_told(state);
        let mut found = self.search.graph.entries(on).to_vec();
        if !told && on != ty && self.search.graph.types().get(ty).is_abstract() {
            found.extend(self.wider(ty));
        }
        found
    }

    /// Entries for every object that an abstract type may be.
    fn wider(&self, ty: TypeId) -> Vec<(SourceId, usize)> {
        let types = self.search.graph.types();
        let possible = &types.get(ty).possible;
        let wider = types.iter().filter(|(_, other)| {
            other.is_abstract()
                && possible
                    .iter()
                    .all(|object| other.possible.contains(object))
        });
        wider
            .flat_map(|(other, _)| self.search.graph.entries(other).iter().copied())
            .collect()
    }

    /// The cheapest first; one that costs nothing makes the others pointless.
    fn ranked(&self, found: Vec<Candidate>, state: &State, is_deep: bool) -> Vec<Candidate> {
        let mut ranked: Vec<Ranked> = found
            .into_iter()
            .map(|candidate| {
                let (price, is_ready) = self.price(&candidate, state);
                Ranked {
                    price,
                    is_ready,
                    reach: self.reach(&candidate, state),
                    candidate,
                }
            })
            .collect();
        let free = ranked.iter().position(|it| it.price == 0);
        if let Some(free) = free.filter(|_| !is_deep) {
            return vec![ranked.swap_remove(free).candidate];
        }
        drop_detours(&mut ranked);
        if !is_deep {
            self.drop_lesser(&mut ranked);
        }
        ranked.sort_by_key(|it| (it.price, std::cmp::Reverse(it.reach.count_ones())));
        ranked.into_iter().map(|it| it.candidate).collect()
    }

    /// Nothing is lost with a candidate that gives less than another for the same price.
    fn drop_lesser(&self, ranked: &mut Vec<Ranked>) {
        let is_lesser = |index: usize| {
            let own = &ranked[index];
            let mut others = ranked.iter().enumerate();
            own.candidate.needs.is_none()
                && !self.has_inside(&own.candidate)
                && others.any(|(other, it)| {
                    it.is_ready
                        && it.price <= own.price
                        && own.reach & !it.reach == 0
                        && (own.reach != it.reach || other < index)
                        && other != index
                })
        };
        let lesser: HashSet<usize> = (0..ranked.len())
            .filter(|index| is_lesser(*index))
            .collect();
        let mut index = 0;
        ranked.retain(|_| {
            index += 1;
            !lesser.contains(&(index - 1))
        });
    }

    /// Whether it gives objects, so that what is inside of them counts too.
    fn has_inside(&self, candidate: &Candidate) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let at = self.place.at;
        let offer = candidate.offer(graph);
        let slots = &selection.position(at).slots;
        self.place.wants.iter().any(|(on, wanted)| {
            let mut inside = wanted.iter().filter(|slot| slots[**slot].child.is_some());
            inside.any(|slot| offer.gives(graph, selection, (at, *on, *slot)).is_some())
        })
    }

    /// Which of the wants that nobody gives yet it gives; the first 64 of them count.
    fn reach(&self, candidate: &Candidate, state: &State) -> u64 {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let at = self.place.at;
        let offer = candidate.offer(graph);
        let on = candidate.entered(graph);
        let is_for = |other: TypeId| candidate.shares(graph) || graph.types().is_a(other, on);
        let wants = self.place.wants.iter();
        let wants = wants.flat_map(|(on, slots)| slots.iter().map(|slot| (*on, *slot)));
        let open = wants.filter(|(on, slot)| self.giver(state, *on, *slot).is_none());
        let mut reach = 0;
        for (bit, (on, slot)) in open.take(64).enumerate() {
            let own = is_for(on) && offer.gives(graph, selection, (at, on, slot)).is_some();
            let elsewhere = || {
                let entries = graph.entries(on).iter();
                let mut same = entries.filter(|(source, _)| *source == candidate.source);
                same.any(|(source, index)| {
                    let offer = Offer::entered(graph, (*source, *index));
                    offer.gives(graph, selection, (at, on, slot)).is_some()
                })
            };
            if own || (candidate.shares(graph) && elsewhere()) {
                reach |= 1 << bit;
            }
        }
        reach
    }

    /// What using it adds, and whether all that it must know is there; where it is not, more.
    fn price(&self, candidate: &Candidate, state: &State) -> (u64, bool) {
        let entry = candidate.of(self.search.graph);
        let mut deps = super::state::Chosens::default();
        let is_abstract = self.search.graph.types().get(entry.on).is_abstract();
        let mut missing = u64::from(!is_abstract && !self.is_told(state));
        for part in candidate.plain_key(entry) {
            match self.key_part(state, entry.on, part) {
                Some(waits) => deps.add(waits),
                None => missing += 1,
            }
        }
        for need in candidate.told() {
            match self.giver(state, candidate.on, need.slot) {
                Some(waits) => deps.add(waits),
                None => missing += 1,
            }
            let slots = &self.search.selection.position(self.place.at).slots;
            missing += u64::from(slots[need.slot].child.is_some());
        }
        let deps = state.closure(deps);
        let call = match self.shared(candidate, state, deps) {
            Some(_) => 0,
            None => self.cost(candidate),
        };
        (call + missing * CALL, missing == 0)
    }

    pub(super) fn cost(&self, candidate: &Candidate) -> u64 {
        let many = self.search.selection.position(self.place.at).many;
        match (candidate.of(self.search.graph).serves, many) {
            // Of two that would do, the one that other operations can share is taken.
            (Serves::Batch(_), _) => CALL,
            (Serves::Object | Serves::Field, false) => CALL + 1,
            (Serves::Object | Serves::Field, true) => CALL * MANY,
        }
    }
}

/// Where one key of a source is known already, its other keys lead nowhere else.
fn drop_detours(ranked: &mut Vec<Ranked>) {
    let ready: Vec<(SourceId, TypeId, Option<usize>)> = ranked
        .iter()
        .filter(|it| it.is_ready)
        .map(|it| (it.candidate.source, it.candidate.on, it.candidate.slot))
        .collect();
    ranked.retain(|it| {
        let candidate = &it.candidate;
        it.is_ready || !ready.contains(&(candidate.source, candidate.on, candidate.slot))
    });
}

impl Candidate {
    /// Whether both are the same entry for the same purpose.
    fn is(&self, other: &Self) -> bool {
        (self.source, self.entry, self.on, self.slot)
            == (other.source, other.entry, other.on, other.slot)
    }

    /// The parts of the key that are known where the objects stand.
    pub(super) fn plain_key<'k>(
        &'k self,
        entry: &'k Entry,
    ) -> impl Iterator<Item = &'k (Name, FieldSet)> {
        let parts = entry.key.0.iter();
        parts.filter(|(name, _)| self.deep.iter().all(|deep| deep.name != *name))
    }

    /// Everything for which slots were made: what the source is told, and deep parts of the key.
    pub(super) fn told(&self) -> impl Iterator<Item = &KeySlot> {
        let needs = self.needs.iter().flat_map(|needs| needs.iter());
        needs.chain(self.deep.iter())
    }

    pub(super) fn offer(&self, graph: &Graph) -> Offer {
        Offer {
            only: self.slot.filter(|_| self.needs.is_none()),
            ..Offer::entered(graph, (self.source, self.entry))
        }
    }
}
