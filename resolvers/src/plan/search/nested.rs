//! Nested scopes: their cost, and entry points that may lower it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use schema::source::EntryCardinality;
use schema::types::TypeId;

use super::super::{Offer, PlanScope};
use super::CoverSearch;
use super::candidates::Candidate;
use super::state::{FetchSet, State};
use crate::selection::{PositionId, SlotSetId};

/// A nested position with the client's selection and the offers there.
struct NestedScope {
    at: PositionId,
    slot_sets: Vec<SlotSetId>,
    offers: Vec<Offer>,
}

/// The offers at a nested position: one that may be added, and those that are there.
#[derive(PartialEq, Eq, Hash)]
struct NestedOffers {
    own: Offer,
    known: Vec<Offer>,
    at: PositionId,
    sets: Vec<SlotSetId>,
}

/// Whether the own offer provides what the known ones do not.
type KnownNested = HashMap<NestedOffers, bool>;

impl CoverSearch<'_, '_> {
    /// The cost of all nested scopes; `None` if one has no cover.
    pub(super) fn nested_scopes_cost(&mut self, state: &State) -> Option<u64> {
        let mut sum = 0;
        for nested in self.nested_scopes(state) {
            let NestedScope {
                at,
                slot_sets,
                offers,
            } = nested;
            let (graph, selection) = (self.search.graph, &*self.search.selection);
            let scope = PlanScope::new(graph, selection, at, slot_sets, &offers);
            if !scope.wanted_slots.is_empty() || scope.needs_typename {
                sum += self.search.cover(&scope, &offers)?.cost;
            }
        }
        Some(sum)
    }

    /// The levels of all wanted slots added up: of covers with equally many calls, the one that
    /// provides values earlier is cheaper.
    pub(super) fn lateness(&self, state: &State) -> u64 {
        let mut sum = 0;
        for (on, slots) in &self.scope.wanted_slots {
            for slot in slots {
                sum += u64::from(self.slot_level(state, *on, *slot));
            }
        }
        sum
    }

    fn slot_level(&self, state: &State, on: TypeId, slot: usize) -> u32 {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let wanted = self.scope.typed_slot(on, slot);
        let base = state.base_offers.iter();
        let base = base.filter(|offer| offer.provides(graph, selection, wanted));
        let chosen = state.chosen.iter();
        let chosen =
            chosen.filter(|chosen| chosen.provided_field(graph, selection, wanted).is_some());
        let levels = base.map(|offer| offer.level);
        levels
            .chain(chosen.map(|chosen| chosen.level))
            .min()
            .unwrap_or(0)
    }

    /// Whether each field that is selected on several types at once comes from a chosen fetch, or
    /// from an offer that can provide it for all types it returns; otherwise the value would depend
    /// on which fetch returns the object.
    pub(super) fn is_consistent(&self, state: &State) -> bool {
        if state.base_offers.is_empty() {
            return true;
        }
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        self.types_by_shared_slot()
            .into_iter()
            .all(|(slot, types)| {
                let mut unchosen = types
                    .into_iter()
                    .filter(|on| !self.is_slot_chosen(state, *on, slot))
                    .peekable();
                // Most slots need no offer; an offer is checked once for all types.
                if unchosen.peek().is_none() {
                    return true;
                }
                let offers = state.base_offers.iter();
                let offers: Vec<&Offer> = offers
                    .filter(|offer| self.is_consistent_offer(state, **offer, slot))
                    .collect();
                unchosen.all(|on| {
                    let wanted = self.scope.typed_slot(on, slot);
                    let mut offers = offers.iter();
                    offers.any(|offer| offer.provides(graph, selection, wanted))
                })
            })
    }

    /// The wanted slots of fields that are selected on several types at once, each with the types
    /// that it is wanted on.
    fn types_by_shared_slot(&self) -> BTreeMap<usize, Vec<TypeId>> {
        let slots = &self.search.selection.position(self.scope.at).slots;
        let mut types: BTreeMap<usize, Vec<TypeId>> = BTreeMap::new();
        for (on, wanted) in &self.scope.wanted_slots {
            for slot in wanted.iter().filter(|slot| slots[**slot].across_types) {
                types.entry(*slot).or_default().push(*on);
            }
        }
        types
    }

    /// Whether fetches by an abstract type fulfil their requirements for every object type.
    pub(super) fn is_required_of_all_types(&self, state: &State) -> bool {
        let types = self.search.graph.types();
        state.chosen.iter().all(|chosen| {
            let mut entries = chosen.entries.iter();
            let is_abstract = entries.any(|(on, _)| types.get(*on).is_abstract());
            let is_fulfilled = |on: TypeId, slot: usize| {
                let mut fulfilled = chosen.fulfilled_requirements.iter();
                fulfilled.any(|it| it.on == on && self.has_same_field(&[it.slot], slot))
            };
            !is_abstract
                || chosen.fulfilled_requirements.iter().all(|fulfilled| {
                    let mut wanted = self.scope.wanted_slots.iter();
                    wanted.all(|(on, _)| is_fulfilled(*on, fulfilled.slot))
                })
        })
    }

    /// Whether any of `slots` has the field and the arguments of `slot`: a field that is selected on
    /// several types has several slots where its selection sets have other non-null fields.
    fn has_same_field(&self, slots: &[usize], slot: usize) -> bool {
        let here = &self.search.selection.position(self.scope.at).slots;
        slots.contains(&slot)
            || slots.iter().any(|other| {
                let (one, other) = (&here[slot], &here[*other]);
                (&one.field, &one.arguments, &one.ty) == (&other.field, &other.arguments, &other.ty)
            })
    }

    fn is_slot_chosen(&self, state: &State, on: TypeId, slot: usize) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let wanted = self.scope.typed_slot(on, slot);
        let mut chosen = state.chosen.iter();
        chosen.any(|chosen| chosen.provided_field(graph, selection, wanted).is_some())
    }

    /// Whether for each type that `offer` can return it provides a slot, or a chosen fetch does.
    fn is_consistent_offer(&self, state: &State, offer: Offer, slot: usize) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        self.scope.wanted_slots.iter().all(|(on, wanted)| {
            let typed_slot = self.scope.typed_slot(*on, slot);
            offer.provides(graph, selection, typed_slot)
                || !self.has_same_field(wanted, slot)
                || offer.node(graph, *on).is_none()
                || self.is_slot_chosen(state, *on, slot)
                || self.is_reachable_by_own_key(offer, *on, slot)
        })
    }

    /// Whether a slot can be fetched by a key that `offer` itself provides.
    fn is_reachable_by_own_key(&self, offer: Offer, on: TypeId, slot: usize) -> bool {
        let graph = self.search.graph;
        let name = &self.search.selection.position(self.scope.at).slots[slot].field;
        let Some(node) = offer.node(graph, on) else {
            return false;
        };
        let own = [(offer.source, &node.fields, FetchSet::default())];
        graph.entry_points(on).iter().any(|(source, index)| {
            let source = graph.source(*source);
            let entry = &source.entry_points[*index];
            let field = source.node(entry.node).fields.get(name);
            let mut key = entry.key.0.iter();
            field.is_some_and(|field| !field.only_in_keys)
                && key.all(|(name, inner)| self.view_part_provider(&own, name, inner).is_some())
        })
    }

    /// The nested scopes of the wanted slots; object types with the same offers share one.
    fn nested_scopes(&self, state: &State) -> Vec<NestedScope> {
        let mut groups: Vec<(usize, Vec<Offer>, Vec<TypeId>)> = Vec::new();
        let selection = &*self.search.selection;
        let slots_here = &selection.position(self.scope.at).slots;
        let is_composite = |slot: &&usize| slots_here[**slot].child.is_some();
        for (on, slots) in &self.scope.wanted_slots {
            for slot in slots.iter().filter(is_composite) {
                let offers = self.child_offers(state, *on, *slot);
                let mut known = groups.iter_mut();
                match known.find(|it| (it.0, &it.1) == (*slot, &offers)) {
                    Some((_, _, types)) => types.push(*on),
                    None => groups.push((*slot, offers, vec![*on])),
                }
            }
        }
        let nested_scopes = groups.into_iter().filter_map(|(slot, offers, on)| {
            let slot_sets = selection
                .slot_sets
                .nested_sets(&self.scope.slot_sets, &on, slot);
            Some(NestedScope {
                at: slots_here[slot].child?,
                slot_sets,
                offers,
            })
        });
        nested_scopes.collect()
    }

    /// The offers for the objects nested in a slot.
    fn child_offers(&self, state: &State, on: TypeId, slot: usize) -> Vec<Offer> {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let wanted = self.scope.typed_slot(on, slot);
        let base = state.base_offers.iter();
        let base = base.filter_map(|offer| offer.child_offer(graph, selection, wanted));
        let chosen = state.chosen.iter();
        let chosen = chosen.filter_map(|chosen| chosen.child_offer(graph, selection, wanted));
        let all = base.chain(chosen);
        if self.scope.is_mutation_root(graph, selection) {
            all.take(1).collect()
        } else {
            all.collect()
        }
    }

    /// Unused entry points that provide nested fields no base offer provides, numbered; those
    /// decided on before are left out.
    pub(super) fn extra_candidates(&self, state: &State) -> Vec<(usize, Candidate)> {
        let graph = self.search.graph;
        if self.scope.is_mutation_root(graph, self.search.selection) {
            return Vec::new();
        }
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut known_nested = KnownNested::default();
        for (on, slots) in &self.scope.wanted_slots {
            for (source, entry) in graph.entry_points(*on) {
                let candidate = Candidate {
                    source: *source,
                    entry: *entry,
                    on: *on,
                    slot: None,
                    required_slots: None,
                    nested_key_parts: Arc::default(),
                };
                let cardinality = candidate.entry_point(graph).cardinality;
                let mut slots = slots.iter();
                if cardinality != EntryCardinality::Field
                    && slots
                        .any(|slot| self.is_helpful(&candidate, state, *slot, &mut known_nested))
                {
                    candidates.push(candidate);
                }
            }
        }
        candidates
            .into_iter()
            .enumerate()
            .skip(state.extra_decided)
            .filter(|(_, candidate)| !self.is_used(candidate, state))
            .collect()
    }

    /// Whether a base offer or chosen fetch uses the candidate's entry point already; for a field
    /// with requirements, whether they are fulfilled.
    pub(super) fn is_used(&self, candidate: &Candidate, state: &State) -> bool {
        let graph = self.search.graph;
        if candidate.required_slots.is_some() {
            // Other fields of the source are no evidence that these requirements are sent.
            return state.chosen.iter().any(|chosen| {
                let mut fulfilled = chosen.fulfilled_requirements.iter();
                chosen.source == candidate.source
                    && fulfilled.any(|it| (it.on, Some(it.slot)) == (candidate.on, candidate.slot))
            });
        }
        let offer = candidate.offer(graph);
        let entry = (candidate.on, candidate.entry);
        state.base_offers.contains(&offer)
            || state
                .chosen
                .iter()
                .any(|chosen| chosen.source == candidate.source && chosen.entries.contains(&entry))
    }

    /// Whether the candidate provides nested fields of a slot that no base offer provides.
    fn is_helpful(
        &self,
        candidate: &Candidate,
        state: &State,
        slot: usize,
        known_nested: &mut KnownNested,
    ) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let Some(child) = selection.position(self.scope.at).slots[slot].child else {
            return false;
        };
        let wanted = self.scope.typed_slot(candidate.on, slot);
        let own = candidate.offer(graph);
        let own = own.child_offer(graph, selection, wanted);
        let known = &state.base_offers;
        let known: Vec<Offer> = known
            .iter()
            .filter_map(|offer| offer.child_offer(graph, selection, wanted))
            .collect();
        let sets = &selection.slot_sets;
        let sets = sets.nested_sets(&self.scope.slot_sets, &[candidate.on], slot);
        own.is_some_and(|own| {
            let nested = NestedOffers {
                own,
                known,
                at: child,
                sets,
            };
            self.has_new_slots(nested, known_nested)
        })
    }

    /// Whether the own offer provides a selected field at the position, or nested in it, that none
    /// of the known offers does. Each of the object types may lead to the same nested offers, so
    /// these are looked at once.
    fn has_new_slots(&self, offers: NestedOffers, known_nested: &mut KnownNested) -> bool {
        if let Some(has_new) = known_nested.get(&offers) {
            return *has_new;
        }
        let has_new = self.finds_new_slots(&offers, known_nested);
        known_nested.insert(offers, has_new);
        has_new
    }

    fn finds_new_slots(&self, offers: &NestedOffers, known_nested: &mut KnownNested) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let NestedOffers {
            own,
            known,
            at,
            sets,
        } = offers;
        let scope = PlanScope::new(graph, selection, *at, sets.clone(), &[*own]);
        scope.wanted_slots.iter().any(|(on, slots)| {
            slots.iter().any(|slot| {
                let wanted = scope.typed_slot(*on, *slot);
                let mut known_offers = known.iter();
                if own.provides(graph, selection, wanted)
                    && !known_offers.any(|offer| offer.provides(graph, selection, wanted))
                {
                    return true;
                }
                let Some(child) = selection.position(*at).slots[*slot].child else {
                    return false;
                };
                let known_children = known
                    .iter()
                    .filter_map(|offer| offer.child_offer(graph, selection, wanted))
                    .collect();
                let sets = selection
                    .slot_sets
                    .nested_sets(&scope.slot_sets, &[*on], *slot);
                own.child_offer(graph, selection, wanted)
                    .is_some_and(|own| {
                        let nested = NestedOffers {
                            own,
                            known: known_children,
                            at: child,
                            sets,
                        };
                        self.has_new_slots(nested, known_nested)
                    })
            })
        })
    }
}
