//! Turns covers into fetches: which fetch fills which slot, and which it depends on.

use std::sync::Arc;

use schema::graph::Graph;
use schema::source::NodeField;
use schema::types::TypeId;

use self::fetch_parts::AddedFetch;
pub(super) use self::fetch_parts::FetchOrder;
use super::search::{ChosenFetch, FetchRole, Search, SearchContext, first_level};
use super::{ByFetch, Fetch, FetchId, Offer, PlanScope, Step, TypedSlot, Unplannable};
use crate::selection::{PositionId, ROOT, Selection, SlotSetId};

mod fetch_inputs;
mod fetch_parts;
mod unplannable;

/// The fetches planned so far, with the context for adding more.
pub(super) struct Commit<'a> {
    pub(super) graph: &'a Graph,
    pub(super) selection: &'a mut Selection,
    pub(super) fetches: &'a mut ByFetch<Fetch>,
    pub(super) order: &'a mut FetchOrder,
    pub(super) search_context: &'a mut SearchContext,
    pub(super) stage: usize,
}

/// A fetch that reaches a position, with its offer there.
#[derive(Clone, Debug)]
struct Provider {
    fetch: FetchId,
    offer: ProviderOffer,
}

#[derive(Clone, Debug)]
enum ProviderOffer {
    /// The fetch began at an ancestor position.
    Inherited(Offer),
    /// The fetch begins at this position.
    Chosen(Arc<ChosenFetch>),
}

/// The slots from the root to a position, each with the types of the objects it is read from.
type SlotPath = Vec<(usize, Vec<TypeId>)>;

/// The objects at a position: the path to them, and the fetches that reach them.
#[derive(Clone, Copy)]
struct Location<'p> {
    at: PositionId,
    slot_path: &'p SlotPath,
    providers: &'p [Provider],
}

/// A fetch that provides a slot, with its offer for the objects nested in the slot.
type FieldProvider = (FetchId, Option<Offer>);

type PlanResult<T = ()> = Result<T, Unplannable>;

impl Commit<'_> {
    /// Plans everything that a root scope selects.
    pub(super) fn plan_root(&mut self, scope: &PlanScope) -> PlanResult {
        self.plan_scope(scope, &SlotPath::new(), Vec::new())
    }

    fn plan_scope(
        &mut self,
        scope: &PlanScope,
        slot_path: &SlotPath,
        mut providers: Vec<Provider>,
    ) -> PlanResult {
        let offers: Vec<Offer> = providers
            .iter()
            .filter_map(Provider::inherited_offer)
            .collect();
        let Some(cover) = self.search().required_cover(scope, &offers) else {
            return Err(self.unplannable(scope, &offers));
        };
        for chosen in &cover.chosen_fetches {
            let location = Location {
                at: scope.at,
                slot_path,
                providers: &providers,
            };
            for added in self.add_fetches(location, chosen)? {
                providers.push(Provider::from_added(added, first_level(&offers)));
            }
            // An early fetch is made only for fields that no other fetch provides.
            providers.sort_by_key(Provider::is_early);
        }
        let mut slots = self.slots_by_provider(scope, &providers);
        // Values for context arguments are planned before the nested fields that use them.
        let is_context_source =
            |slot: usize| self.selection.position(scope.at).slots[slot].is_context_source;
        slots.sort_by_key(|(slot, _)| !is_context_source(*slot));
        let location = Location {
            at: scope.at,
            slot_path,
            providers: &providers,
        };
        for (slot, on) in slots {
            let sets = self
                .selection
                .slot_sets
                .nested_sets(&scope.slot_sets, &on, slot);
            self.plan_slot(location, slot, &on, sets)?;
        }
        Ok(())
    }

    fn search(&mut self) -> Search<'_> {
        Search {
            graph: self.graph,
            selection: self.selection,
            context: self.search_context,
        }
    }

    /// Every wanted slot with the object types for which the same fetches provide it.
    fn slots_by_provider(
        &self,
        scope: &PlanScope,
        providers: &[Provider],
    ) -> Vec<(usize, Vec<TypeId>)> {
        let mut groups: Vec<(usize, Vec<FieldProvider>, Vec<TypeId>)> = Vec::new();
        for (on, slots) in &scope.wanted_slots {
            for slot in slots {
                let wanted = scope.typed_slot(*on, *slot);
                let field_providers = self.field_providers(wanted, providers);
                let is_leaf = self.selection.position(scope.at).slots[*slot]
                    .child
                    .is_none();
                let count = if is_leaf { 1 } else { field_providers.len() };
                let field_providers: Vec<_> = field_providers.into_iter().take(count).collect();
                let mut known = groups.iter_mut();
                match known.find(|(known, same, _)| known == slot && *same == field_providers) {
                    Some((_, _, types)) => types.push(*on),
                    None => groups.push((*slot, field_providers, vec![*on])),
                }
            }
        }
        groups.into_iter().map(|(slot, _, on)| (slot, on)).collect()
    }

    /// The fetches that provide a slot; at the root of a mutation only the first, because the
    /// field must run once.
    fn field_providers(&self, wanted: TypedSlot, providers: &[Provider]) -> Vec<FieldProvider> {
        let field_providers = providers.iter().filter_map(|provider| {
            let field = self.provided_field(provider, wanted)?;
            Some((provider.fetch, provider.child_offer(field)))
        });
        let is_mutation_root =
            wanted.at == ROOT && self.graph.types().mutation() == Some(wanted.on);
        field_providers
            .take(if is_mutation_root { 1 } else { usize::MAX })
            .collect()
    }

    fn provided_field(&self, provider: &Provider, wanted: TypedSlot) -> Option<&NodeField> {
        match &provider.offer {
            ProviderOffer::Inherited(offer) => {
                offer.provided_field(self.graph, self.selection, wanted)
            }
            ProviderOffer::Chosen(chosen) => {
                chosen.provided_field(self.graph, self.selection, wanted)
            }
        }
    }

    /// Plans a slot of objects of the types `on`, and the slots that `sets` select inside of it.
    fn plan_slot(
        &mut self,
        location: Location<'_>,
        slot: usize,
        on: &[TypeId],
        sets: Vec<SlotSetId>,
    ) -> PlanResult {
        let at = location.at;
        let wanted = TypedSlot {
            at,
            on: on[0],
            slot,
        };
        let field_providers = self.field_providers(wanted, location.providers);
        let Some((first, _)) = field_providers.first() else {
            let field = Arc::clone(wanted.field(self.selection));
            return Err(self.unplannable_field(on[0], &field));
        };
        let Some(child) = self.selection.position(at).slots[slot].child else {
            self.fill_slot(*first, location, slot, on);
            return Ok(());
        };
        let providers = nested_providers(&field_providers);
        let offers: Vec<Offer> = providers
            .iter()
            .filter_map(Provider::inherited_offer)
            .collect();
        let inner = PlanScope::new(self.graph, self.selection, child, sets, &offers);
        let mut inner_path = location.slot_path.clone();
        inner_path.push((slot, on.to_vec()));
        self.plan_scope(&inner, &inner_path, providers.clone())?;
        // Some fetch must return whether there is an object at all, and its type if needed.
        let provides_typename = |provider: &Provider| {
            let mut offer = provider.inherited_offer().into_iter();
            !inner.needs_typename || offer.any(|offer| offer.provides_typename(self.graph))
        };
        let typename_providers: Vec<FetchId> = providers
            .iter()
            .filter(|provider| provides_typename(provider))
            .map(|provider| provider.fetch)
            .collect();
        if !typename_providers
            .iter()
            .any(|fetch| self.is_slot_filled(*fetch, at, slot, on))
        {
            let fetch = typename_providers.first().copied().unwrap_or(*first);
            self.fill_slot(fetch, location, slot, on);
        }
        Ok(())
    }

    /// Makes `fetch` fill a slot, and the slots on the path from its own position.
    fn fill_slot(&mut self, fetch: FetchId, location: Location<'_>, slot: usize, on: &[TypeId]) {
        let fetch = &mut self.fetches[fetch];
        let (mut at, mut slot, mut on) = (location.at, slot, on);
        for step in location.slot_path.iter().rev().map(Some).chain([None]) {
            let types = fetch.slots.entry(at).or_default().entry(slot).or_default();
            for ty in on {
                if !types.contains(ty) {
                    types.push(*ty);
                }
            }
            let (Some((up, through)), Some((parent, _))) =
                (step, self.selection.position(at).parent)
            else {
                return;
            };
            if at == fetch.at {
                return;
            }
            (at, slot, on) = (parent, *up, through);
        }
    }

    /// Whether `fetch` fills a slot of objects of all the types `on`.
    fn is_slot_filled(&self, fetch: FetchId, at: PositionId, slot: usize, on: &[TypeId]) -> bool {
        let slots = self.fetches[fetch].slots.get(&at);
        slots
            .and_then(|slots| slots.get(&slot))
            .is_some_and(|types| on.iter().all(|ty| types.contains(ty)))
    }

    /// The steps of a slot path, with types only where a step does not follow all of them.
    fn path_steps(&self, slot_path: &SlotPath) -> Vec<Step> {
        let mut at = ROOT;
        let mut path = Vec::with_capacity(slot_path.len());
        for (slot, on) in slot_path {
            let possible = &self
                .graph
                .types()
                .get(self.selection.position(at).ty)
                .possible_types;
            let definition = &self.selection.position(at).slots[*slot];
            let is_every_type = possible.iter().all(|ty| on.contains(ty))
                || (!definition.on.is_empty() && definition.on.iter().all(|ty| on.contains(ty)));
            path.push(Step {
                slot: *slot,
                types: (!is_every_type).then(|| on.clone()),
            });
            if let Some(child) = definition.child {
                at = child;
            }
        }
        path
    }
}

impl Provider {
    fn from_added(added: AddedFetch, first_level: u32) -> Self {
        let mut chosen = added.chosen;
        chosen.level += first_level;
        Self {
            fetch: added.fetch,
            offer: ProviderOffer::Chosen(Arc::new(chosen)),
        }
    }

    fn is_early(&self) -> bool {
        matches!(&self.offer, ProviderOffer::Chosen(chosen) if chosen.role == FetchRole::Early)
    }

    fn inherited_offer(&self) -> Option<Offer> {
        match &self.offer {
            ProviderOffer::Inherited(offer) => Some(*offer),
            ProviderOffer::Chosen(_) => None,
        }
    }

    /// The offer for the objects nested in a field that the fetch provides.
    fn child_offer(&self, field: &NodeField) -> Option<Offer> {
        let (source, level) = match &self.offer {
            ProviderOffer::Inherited(offer) => (offer.source, offer.level),
            ProviderOffer::Chosen(chosen) => (chosen.source, chosen.level),
        };
        Some(Offer {
            source,
            node: field.child?,
            only_slot: None,
            level,
        })
    }
}

/// The fetches that reach the objects nested in a slot.
fn nested_providers(field_providers: &[FieldProvider]) -> Vec<Provider> {
    field_providers
        .iter()
        .filter_map(|(fetch, offer)| {
            Some(Provider {
                fetch: *fetch,
                offer: ProviderOffer::Inherited((*offer)?),
            })
        })
        .collect()
}
