//! What is still to be done at a place, and whether it is done.

use schema::key::FieldSet;
use schema::source::{NodeField, SourceId};
use schema::types::{Name, TypeId};

use super::super::{Offer, PlanScope};
use super::CoverSearch;
use super::candidates::Candidate;
use super::state::{FetchSet, State};
use crate::selection::KeySlot;

/// Objects inside what is told for what is told for …; a circle of requirements has no end.
pub(in super::super) const MAX_REQUIREMENT_DEPTH: u32 = 8;

/// Part of a key that every object has, and that goes with each of them anyway.
pub(in super::super) const TYPENAME: &str = "__typename";

/// Something that is still to be done.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// It is known of which type the objects are.
    Typename,
    /// A slot of objects of this type is given.
    Field(TypeId, usize),
    /// A part of a key of objects of this type is given.
    Key(TypeId, (Name, FieldSet)),
    /// All that the candidate must know is there; it is to be used.
    Use(Candidate),
    /// A candidate for this was used.
    Verify(Box<Self>),
}

impl Goal {
    /// Everything that is asked of a place, the last to be done first.
    pub(super) fn all(scope: &PlanScope) -> Vec<Self> {
        let wants = scope.wanted_slots.iter().rev();
        let fields = wants.flat_map(|(on, slots)| {
            let slots = slots.iter().rev();
            slots.map(|slot| Self::Field(*on, *slot))
        });
        fields
            .chain(scope.needs_typename.then_some(Self::Typename))
            .collect()
    }
}

impl CoverSearch<'_, '_> {
    /// Whether nothing need be done for a goal.
    pub(super) fn is_reached(&mut self, goal: &Goal, state: &State) -> bool {
        match goal {
            Goal::Typename => self.is_type_known(state),
            Goal::Field(on, slot) if self.is_nested_requirement(*slot) => {
                self.slot_provider(state, *on, *slot).is_some()
                    && self.is_nested_plannable(state, *on, *slot)
            }
            Goal::Field(on, slot) => self.slot_provider(state, *on, *slot).is_some(),
            Goal::Key(on, (name, inner)) => {
                self.key_part_provider(state, *on, name, inner).is_some()
            }
            Goal::Use(_) | Goal::Verify(_) => false,
        }
    }

    /// Whether it is known of which type the objects are.
    pub(super) fn is_type_known(&self, state: &State) -> bool {
        let graph = self.search.graph;
        let ty = self.search.selection.position(self.scope.at).ty;
        let provides_typename = |offer: &Offer| offer.provides_typename(graph);
        !graph.types().get(ty).is_abstract()
            || state.base_offers.is_empty()
            || state.base_offers.iter().any(provides_typename)
            || state.chosen.iter().any(|chosen| {
                let (on, _) = chosen.entries[0];
                graph.types().get(on).is_abstract()
                    && chosen
                        .offer(graph, on)
                        .is_some_and(|it| provides_typename(&it))
            })
    }

    /// Who gives a slot: nobody that must be waited for, or one of the chosen.
    pub(super) fn slot_provider(&self, state: &State, on: TypeId, slot: usize) -> Option<FetchSet> {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let wanted = self.scope.typed_slot(on, slot);
        let mut base = state.base_offers.iter();
        if base.any(|offer| offer.provides(graph, selection, wanted)) {
            return Some(FetchSet::default());
        }
        let mut chosen = state.chosen.iter();
        chosen
            .position(|chosen| chosen.provided_field(graph, selection, wanted).is_some())
            .map(FetchSet::from_index)
    }

    /// As `giver`, for a part of a key.
    pub(super) fn key_part_provider(
        &self,
        state: &State,
        on: TypeId,
        name: &Name,
        inner: &FieldSet,
    ) -> Option<FetchSet> {
        let views = self.views(state, on);
        self.view_part_provider(&views, name, inner)
    }

    pub(super) fn view_part_provider(
        &self,
        views: &[SourceFields<'_>],
        name: &Name,
        inner: &FieldSet,
    ) -> Option<FetchSet> {
        if name.as_ref() == TYPENAME {
            return Some(FetchSet::default());
        }
        let fields = views.iter().filter_map(|(source, fields, waits)| {
            let field = fields.get(name)?;
            field.requires.is_none().then_some((*source, field, *waits))
        });
        if inner.is_empty() {
            return fields.map(|(_, _, waits)| waits).next();
        }
        let inner_views: Vec<SourceFields<'_>> = fields
            .filter_map(|(source, field, waits)| {
                let node = self.search.graph.source(source).node(field.child?);
                Some((source, &node.fields, waits))
            })
            .collect();
        let mut all = FetchSet::default();
        for (name, inner) in &inner.0 {
            all.add(self.view_part_provider(&inner_views, name, inner)?);
        }
        Some(all)
    }

    fn views(&self, state: &State, on: TypeId) -> Vec<SourceFields<'_>> {
        let graph = self.search.graph;
        let view = |offer: Offer, waits: FetchSet| {
            // An entry for one field gives no key: a field with arguments is never part of one.
            let node = offer.only_slot.is_none().then(|| offer.node(graph, on))??;
            Some((offer.source, &node.fields, waits))
        };
        let base = state.base_offers.iter();
        let base = base.filter_map(|offer| view(*offer, FetchSet::default()));
        let chosen = state.chosen.iter().enumerate();
        let chosen = chosen.filter_map(|(index, chosen)| {
            view(chosen.offer(graph, on)?, FetchSet::from_index(index))
        });
        base.chain(chosen).collect()
    }

    /// Uses a candidate: in a fetch that is already chosen where that is possible, else in one
    /// more. Whether there is a way to do so.
    pub(super) fn use_candidate(&mut self, candidate: &Candidate, state: &mut State) -> bool {
        let Some(deps) = self.candidate_deps(candidate, state) else {
            return false;
        };
        let shared = self.shareable_fetch(candidate, state, deps);
        let index = match shared {
            Some(index) => {
                state.add_deps(index, deps);
                index
            }
            None => match self.add_fetch(candidate, state, deps) {
                Some(index) => index,
                None => return false,
            },
        };
        let entry = (candidate.entry_type(self.search.graph), candidate.entry);
        let chosen = &mut state.chosen[index];
        let is_new = !chosen.entries.contains(&entry);
        if is_new {
            chosen.entries.push(entry);
        }
        if is_new && !candidate.nested_key_parts.is_empty() {
            chosen.nested_keys.push(super::NestedKey {
                on: entry.0,
                parts: std::sync::Arc::clone(&candidate.nested_key_parts),
            });
        }
        if let (Some(needs), Some(slot)) = (&candidate.required_slots, candidate.slot) {
            chosen
                .fulfilled_requirements
                .push(super::FulfilledRequirement {
                    on: candidate.on,
                    slot,
                    required_slots: std::sync::Arc::clone(needs),
                });
        }
        match self.requirements_cost(candidate, index, state) {
            Some(cost) => state.cost += cost,
            None => return false,
        }
        true
    }

    /// All that must be done before the candidate is used; `None` when something is missing.
    fn candidate_deps(&self, candidate: &Candidate, state: &State) -> Option<FetchSet> {
        let entry = &self.search.graph.source(candidate.source).entry_points[candidate.entry];
        let mut deps = FetchSet::default();
        for (name, inner) in candidate.plain_key(entry) {
            deps.add(self.key_part_provider(state, entry.on, name, inner)?);
        }
        for need in candidate.all_required_slots() {
            deps.add(self.slot_provider(state, candidate.on, need.slot)?);
        }
        if let Some(teller) = self.typename_provider(candidate, state) {
            deps.add(teller);
        }
        Some(state.closure(deps))
    }

    /// Who says of which type the objects are, where the candidate must know and a chosen does.
    fn typename_provider(&self, candidate: &Candidate, state: &State) -> Option<FetchSet> {
        let graph = self.search.graph;
        let on = candidate.entry_type(graph);
        if graph.types().get(on).is_abstract()
            || state.base_offers.is_empty()
            || state
                .base_offers
                .iter()
                .any(|offer| offer.provides_typename(graph))
        {
            return None;
        }
        let mut chosen = state.chosen.iter();
        chosen
            .position(|chosen| graph.types().get(chosen.entries[0].0).is_abstract())
            .map(FetchSet::from_index)
    }

    /// The fetch that is chosen already and can serve the candidate too.
    pub(super) fn shareable_fetch(
        &self,
        candidate: &Candidate,
        state: &State,
        deps: FetchSet,
    ) -> Option<usize> {
        let graph = self.search.graph;
        let on = candidate.entry_type(graph);
        if !candidate.is_shareable(graph) {
            return None;
        }
        let is_abstract = |on: TypeId| graph.types().get(on).is_abstract();
        let is_compatible = |chosen: &super::ChosenFetch| {
            let mut fulfilled = chosen
                .fulfilled_requirements
                .iter()
                .filter(|it| it.on == candidate.on);
            fulfilled.all(|requirement| {
                self.has_compatible_arguments(&requirement.required_slots, candidate)
            }) && (!candidate.is_interface_object(graph)
                || is_free_of_requirements(chosen, candidate))
        };
        let mut chosen = state.chosen.iter().enumerate();
        chosen
            .find(|(index, chosen)| {
                chosen.source == candidate.source
                    && !deps.contains(*index)
                    && is_compatible(chosen)
                    // One entry a type, and what serves any type serves all of them.
                    && chosen.entries.iter().all(|(known, entry)| {
                        if *known == on { *entry == candidate.entry } else { !is_abstract(*known) && !is_abstract(on) }
                    })
            })
            .map(|(index, _)| index)
    }

    /// Whether the source can be told both at once: not one field with two sets of arguments.
    fn has_compatible_arguments(&self, fulfilled: &[KeySlot], candidate: &Candidate) -> bool {
        let slots = &self.search.selection.position(self.scope.at).slots;
        candidate
            .required_slots
            .iter()
            .flat_map(|needs| needs.iter())
            .all(|need| {
                let mut same = fulfilled.iter().filter(|slot| slot.name == need.name);
                same.all(|slot| slots[slot.slot].arguments == slots[need.slot].arguments)
            })
    }

    fn add_fetch(&self, candidate: &Candidate, state: &mut State, deps: FetchSet) -> Option<usize> {
        if state.chosen.len() >= FetchSet::MAX {
            return None;
        }
        state.cost += self.call_cost(candidate) + u64::from(deps.len());
        let level = state.level_after(deps);
        state.chosen.push(super::ChosenFetch {
            level,
            source: candidate.source,
            slot: candidate
                .slot
                .filter(|_| candidate.required_slots.is_none()),
            entries: Vec::new(),
            fulfilled_requirements: Vec::new(),
            nested_keys: Vec::new(),
            deps,
        });
        Some(state.chosen.len() - 1)
    }

    /// What the objects inside of what the source is told cost. They are brought by those who are
    /// chosen now, and all of these come first.
    fn requirements_cost(
        &mut self,
        candidate: &Candidate,
        index: usize,
        state: &mut State,
    ) -> Option<u64> {
        let mut sum = 0;
        for need in candidate.all_required_slots() {
            sum += self.requirement_cost(need, candidate.on, index, state)?;
        }
        Some(sum)
    }

    fn requirement_cost(
        &mut self,
        need: &KeySlot,
        on: TypeId,
        index: usize,
        state: &mut State,
    ) -> Option<u64> {
        let (offers, deps) = self.nested_offers(state, on, need.slot, Some(index));
        let deps = state.closure(deps);
        state.add_deps(index, deps);
        self.nested_cost(need.slot, &offers)
    }

    /// Whether what is inside of a slot can be had from those who give it.
    fn is_nested_plannable(&mut self, state: &State, on: TypeId, slot: usize) -> bool {
        let (offers, _) = self.nested_offers(state, on, slot, None);
        self.nested_cost(slot, &offers).is_some()
    }

    /// What is offered inside of a slot, and by which of the chosen, but for one of them and those
    /// that wait for it.
    fn nested_offers(
        &self,
        state: &State,
        on: TypeId,
        slot: usize,
        except: Option<usize>,
    ) -> (Vec<Offer>, FetchSet) {
        let wanted = self.scope.typed_slot(on, slot);
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let base = state.base_offers.iter();
        let mut offers: Vec<Offer> = base
            .filter_map(|offer| offer.child_offer(graph, selection, wanted))
            .collect();
        let mut deps = FetchSet::default();
        for (index, chosen) in state.chosen.iter().enumerate() {
            if except.is_some_and(|except| index == except || chosen.deps.contains(except)) {
                continue;
            }
            if let Some(offer) = chosen.child_offer(graph, selection, wanted) {
                offers.push(offer);
                deps.add(FetchSet::from_index(index));
            }
        }
        (offers, deps)
    }

    /// What the objects in a slot that only sources are told of cost where this is offered; `None`
    /// when they cannot be had.
    fn nested_cost(&mut self, slot: usize, offers: &[Offer]) -> Option<u64> {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let position = selection.position(self.scope.at);
        let Some(child) = position.slots[slot].child else {
            return Some(0);
        };
        let scope = PlanScope::new(graph, selection, child, Vec::new(), offers);
        self.search.context.requirement_depth += 1;
        let known = self.search.context.requirement_depth <= MAX_REQUIREMENT_DEPTH;
        let cover = known.then(|| self.search.cover(&scope, offers)).flatten();
        self.search.context.requirement_depth -= 1;
        cover.map(|cover| cover.cost)
    }
}

/// Whether one selection may stand for all objects: none of them is told anything of its own.
fn is_free_of_requirements(chosen: &super::ChosenFetch, candidate: &Candidate) -> bool {
    let has_none = chosen.fulfilled_requirements.is_empty() && candidate.required_slots.is_none();
    let mut entries = chosen.entries.iter();
    has_none || entries.all(|(on, _)| *on == candidate.on)
}

/// A source's fields of an object, and who must be waited for until they are there.
type SourceFields<'g> = (SourceId, &'g indexmap::IndexMap<Name, NodeField>, FetchSet);
