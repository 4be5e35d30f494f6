//! Goals: the open work of a search, and whether a state reaches them.

use std::sync::Arc;

use schema::key::FieldSet;
use schema::source::{NodeField, SourceId};
use schema::types::{Name, TypeId};

use super::super::{Offer, PlanScope};
use super::CoverSearch;
use super::candidates::Candidate;
use super::state::{FetchSet, State};
use crate::selection::KeySlot;

/// Key field that every object has and every representation holds.
pub(in super::super) const TYPENAME: &str = "__typename";

/// A piece of open work.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// The types of the objects must be known.
    Typename,
    /// A slot of objects of this type must be provided.
    Field(TypeId, usize),
    /// A key field of objects of this type must be provided.
    Key(TypeId, (Name, FieldSet)),
    /// The candidate is to be used; all that it depends on is provided.
    Use(Candidate),
    /// A candidate for this goal was used, which must have reached it.
    Verify(Box<Self>),
}

impl Goal {
    /// All goals of a scope, in reverse order: the last one is reached first.
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
    /// Whether `state` reaches a goal.
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

    /// Whether the types of the objects are known.
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

    /// The chosen fetch that provides a slot; the empty set if a base offer does.
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

    /// The chosen fetches that provide a key field; the empty set if base offers do.
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

    /// The fetches among `views` that provide a key field with all its inner fields.
    pub(super) fn view_part_provider(
        &self,
        views: &[SourceFields<'_>],
        name: &Name,
        inner: &FieldSet,
    ) -> Option<FetchSet> {
        if name.as_ref() == TYPENAME {
            return Some(FetchSet::default());
        }
        let fields = views.iter().filter_map(|(source, fields, providers)| {
            let field = fields.get(name)?;
            let is_provided = field.requires.is_none();
            is_provided.then_some((*source, field, providers))
        });
        if inner.is_empty() {
            return fields.map(|(_, _, providers)| providers.clone()).next();
        }
        let inner_views: Vec<SourceFields<'_>> = fields
            .filter_map(|(source, field, providers)| {
                let node = self.search.graph.source(source).node(field.child?);
                Some((source, &node.fields, providers.clone()))
            })
            .collect();
        let mut all = FetchSet::default();
        for (name, inner) in &inner.0 {
            all.add(&self.view_part_provider(&inner_views, name, inner)?);
        }
        Some(all)
    }

    /// The fields that base offers and chosen fetches provide of objects of type `on`.
    fn views(&self, state: &State, on: TypeId) -> Vec<SourceFields<'_>> {
        let graph = self.search.graph;
        let view = |offer: Offer, providers: FetchSet| {
            // An entry point for a single field provides no key fields.
            let node = offer.only_slot.is_none().then(|| offer.node(graph, on))??;
            Some((offer.source, &node.fields, providers))
        };
        let base = state.base_offers.iter();
        let base = base.filter_map(|offer| view(*offer, FetchSet::default()));
        let chosen = state.chosen.iter().enumerate();
        let chosen = chosen.filter_map(|(index, chosen)| {
            view(chosen.offer(graph, on)?, FetchSet::from_index(index))
        });
        base.chain(chosen).collect()
    }

    /// Adds a candidate to a chosen fetch if one can serve it, else to a new fetch; false if that
    /// is impossible.
    pub(super) fn use_candidate(&mut self, candidate: &Candidate, state: &mut State) -> bool {
        let Some(dependencies) = self.candidate_dependencies(candidate, state) else {
            return false;
        };
        let shared = self.shareable_fetch(candidate, state, &dependencies);
        let index = match shared {
            Some(index) => {
                state.add_dependencies(index, &dependencies);
                index
            }
            None => self.add_fetch(candidate, state, dependencies),
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
                parts: Arc::clone(&candidate.nested_key_parts),
            });
        }
        if let (Some(required_slots), Some(slot)) = (&candidate.required_slots, candidate.slot) {
            chosen
                .fulfilled_requirements
                .push(super::FulfilledRequirement {
                    on: candidate.on,
                    slot,
                    required_slots: Arc::clone(required_slots),
                });
        }
        match self.requirements_cost(candidate, index, state) {
            Some(cost) => state.cost += cost,
            None => return false,
        }
        true
    }

    /// The fetches that the candidate depends on; `None` if a key field or requirement is not
    /// provided.
    fn candidate_dependencies(&self, candidate: &Candidate, state: &State) -> Option<FetchSet> {
        let entry = &self.search.graph.source(candidate.source).entry_points[candidate.entry];
        let mut dependencies = FetchSet::default();
        for (name, inner) in candidate.plain_key(entry) {
            dependencies.add(&self.key_part_provider(state, entry.on, name, inner)?);
        }
        for required in candidate.all_required_slots() {
            dependencies.add(&self.slot_provider(state, candidate.on, required.slot)?);
        }
        if let Some(provider) = self.typename_provider(candidate, state) {
            dependencies.add(&provider);
        }
        Some(state.closure(&dependencies))
    }

    /// The chosen fetch that returns the types of the objects, if the candidate needs them and
    /// base offers do not provide them.
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

    /// A chosen fetch that can serve the candidate too.
    pub(super) fn shareable_fetch(
        &self,
        candidate: &Candidate,
        state: &State,
        dependencies: &FetchSet,
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
        // One entry point for each type, and one for an abstract type serves all.
        let is_compatible_entry = |(known, entry): &(TypeId, usize)| {
            if *known == on {
                *entry == candidate.entry
            } else {
                !is_abstract(*known) && !is_abstract(on)
            }
        };
        let mut chosen = state.chosen.iter().enumerate();
        chosen
            .find(|(index, chosen)| {
                chosen.source == candidate.source
                    && !dependencies.contains(*index)
                    && is_compatible(chosen)
                    && chosen.entries.iter().all(is_compatible_entry)
            })
            .map(|(index, _)| index)
    }

    /// Whether one representation can hold both requirements: no field with different arguments.
    fn has_compatible_arguments(&self, fulfilled: &[KeySlot], candidate: &Candidate) -> bool {
        let slots = &self.search.selection.position(self.scope.at).slots;
        candidate
            .required_slots
            .iter()
            .flat_map(|slots| slots.iter())
            .all(|required| {
                let mut same = fulfilled.iter().filter(|slot| slot.name == required.name);
                same.all(|slot| slots[slot.slot].arguments == slots[required.slot].arguments)
            })
    }

    /// Adds a fetch for a candidate and returns its index.
    fn add_fetch(&self, candidate: &Candidate, state: &mut State, dependencies: FetchSet) -> usize {
        state.cost += self.call_cost(candidate) + u64::from(dependencies.len());
        let level = state.level_after(&dependencies);
        state.chosen.push(super::ChosenFetch {
            level,
            source: candidate.source,
            slot: candidate
                .slot
                .filter(|_| candidate.required_slots.is_none()),
            entries: Vec::new(),
            fulfilled_requirements: Vec::new(),
            nested_keys: Vec::new(),
            dependencies,
            chosen_for: state.wanted,
            role: super::FetchRole::Whole,
        });
        state.chosen.len() - 1
    }

    /// The cost of fetching objects nested in the candidate's requirements, which become
    /// dependencies of the fetch at `index`; `None` if they cannot be fetched.
    fn requirements_cost(
        &mut self,
        candidate: &Candidate,
        index: usize,
        state: &mut State,
    ) -> Option<u64> {
        let mut sum = 0;
        for required in candidate.all_required_slots() {
            sum += self.requirement_cost(required, candidate.on, index, state)?;
        }
        Some(sum)
    }

    /// The cost of fetching objects nested in one required field.
    fn requirement_cost(
        &mut self,
        required: &KeySlot,
        on: TypeId,
        index: usize,
        state: &mut State,
    ) -> Option<u64> {
        let (offers, dependencies) = self.nested_offers(state, on, required.slot, Some(index));
        let dependencies = state.closure(&dependencies);
        state.add_dependencies(index, &dependencies);
        self.nested_cost(required.slot, &offers)
    }

    /// Whether the nested fields of a slot can be fetched from the offers for it.
    fn is_nested_plannable(&mut self, state: &State, on: TypeId, slot: usize) -> bool {
        let (offers, _) = self.nested_offers(state, on, slot, None);
        self.nested_cost(slot, &offers).is_some()
    }

    /// The offers for objects nested in a slot, and the chosen fetches that make them, without the
    /// fetch `except` and those that depend on it.
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
        let mut dependencies = FetchSet::default();
        for (index, chosen) in state.chosen.iter().enumerate() {
            if except.is_some_and(|except| index == except || chosen.dependencies.contains(except))
            {
                continue;
            }
            if let Some(offer) = chosen.child_offer(graph, selection, wanted) {
                offers.push(offer);
                dependencies.insert(index);
            }
        }
        (offers, dependencies)
    }

    /// The cost of fetching the objects nested in a slot that only a requirement selects; `None` if
    /// they cannot be fetched.
    fn nested_cost(&mut self, slot: usize, offers: &[Offer]) -> Option<u64> {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let position = selection.position(self.scope.at);
        let Some(child) = position.slots[slot].child else {
            return Some(0);
        };
        let scope = PlanScope::new(graph, selection, child, Vec::new(), offers);
        self.search.context.requirement_depth += 1;
        let maximum = self.search.context.limits.requirement_depth;
        let is_allowed = self.search.context.requirement_depth <= maximum;
        let cover = is_allowed
            .then(|| self.search.cover(&scope, offers))
            .flatten();
        self.search.context.requirement_depth -= 1;
        cover.map(|cover| cover.cost)
    }
}

/// Whether one fetch may serve all object types: no requirement applies to some of them only.
fn is_free_of_requirements(chosen: &super::ChosenFetch, candidate: &Candidate) -> bool {
    let has_none = chosen.fulfilled_requirements.is_empty() && candidate.required_slots.is_none();
    let mut entries = chosen.entries.iter();
    has_none || entries.all(|(on, _)| *on == candidate.on)
}

/// A source's fields of an object, and the chosen fetches that provide them.
type SourceFields<'g> = (SourceId, &'g indexmap::IndexMap<Name, NodeField>, FetchSet);
