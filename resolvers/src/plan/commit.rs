//! What the search chose, as fetches: who fills which slot, who gives whom its key.

use std::sync::Arc;

use schema::graph::Graph;
use schema::source::NodeField;
use schema::types::TypeId;

use super::search::{Chosen, Memory, Search, first_level};
use super::{Entered, Fetch, Offer, Place, Step, Unplannable, coordinate};
use crate::selection::{PositionId, ROOT, Selection, SetId, When};

mod told;

pub(super) struct Commit<'a> {
    pub(super) graph: &'a Graph,
    pub(super) selection: &'a mut Selection,
    pub(super) fetches: &'a mut Vec<Fetch>,
    pub(super) memory: &'a mut Memory,
    pub(super) stage: usize,
}

/// A fetch that reaches a place, and what it offers there.
#[derive(Clone, Debug)]
struct Provider {
    fetch: usize,
    offers: Offers,
}

#[derive(Clone, Debug)]
enum Offers {
    /// It came here from further up.
    Through(Offer),
    /// It was made for the objects here.
    Chosen(Arc<Chosen>),
}

/// The slots from the root to a place, each with the types of the objects it is read of.
type Way = Vec<(usize, Vec<TypeId>)>;

/// A fetch that gives a slot, and what it offers inside of it.
type Giver = (usize, Option<Offer>);

type Done<T = ()> = Result<T, Unplannable>;

impl Commit<'_> {
    pub(super) fn root(&mut self, place: &Place) -> Done {
        self.place(place, &Way::new(), Vec::new())
    }

    fn place(&mut self, place: &Place, way: &Way, mut providers: Vec<Provider>) -> Done {
        let offers: Vec<Offer> = providers.iter().filter_map(Provider::through).collect();
        let Some(cover) = self.search().cover(place, &offers) else {
            return Err(self.unplannable(place, &offers));
        };
        for chosen in &cover.choices {
            let fetch = self.fetch((place.at, way), chosen, &providers)?;
            let mut chosen = chosen.clone();
            chosen.level += first_level(&offers);
            providers.push(Provider {
                fetch,
                offers: Offers::Chosen(Arc::new(chosen)),
            });
        }
        let mut slots = self.alike(place, &providers);
        // What is told of places further in is there before these are planned.
        let is_late = |slot: usize| !self.selection.position(place.at).slots[slot].early;
        slots.sort_by_key(|(slot, _)| is_late(*slot));
        for (slot, on) in slots {
            let sets = self.selection.sets.inside(&place.sets, &on, slot);
            self.slot((place.at, way), (slot, &on, sets), &providers)?;
        }
        Ok(())
    }

    fn search(&mut self) -> Search<'_> {
        Search {
            graph: self.graph,
            selection: self.selection,
            memory: self.memory,
        }
    }

    /// Names the field that stands in the way, as far in as it stands.
    fn unplannable(&mut self, place: &Place, offers: &[Offer]) -> Unplannable {
        let wants: Vec<(TypeId, usize)> = place
            .wants
            .iter()
            .flat_map(|(on, slots)| slots.iter().map(|slot| (*on, *slot)))
            .collect();
        let mut search = self.search();
        let alone = |(on, slot): &&(TypeId, usize)| {
            let place = Place {
                wants: vec![(*on, vec![*slot])],
                ..place.clone()
            };
            search.cover(&place, offers).is_none()
        };
        let found = wants.iter().find(alone).or(wants.first()).copied();
        if let Some((inner, offers)) = found.and_then(|found| self.whole(place, offers, found))
            && self.search().cover(&inner, &offers).is_none()
        {
            return self.unplannable(&inner, &offers);
        }
        let position = self.selection.position(place.at);
        let (on, field) = found.map_or((position.ty, "?"), |(on, slot)| {
            (on, position.slots[slot].field.as_ref())
        });
        self.missing(on, field)
    }

    /// The objects in a slot, and what all sources together could offer of them.
    fn whole(
        &self,
        place: &Place,
        offers: &[Offer],
        (on, slot): (TypeId, usize),
    ) -> Option<(Place, Vec<Offer>)> {
        let child = self.selection.position(place.at).slots[slot].child?;
        let entries = self.graph.entries(on).iter();
        let entries = entries.map(|entry| Offer::entered(self.graph, *entry));
        let wanted = (place.at, on, slot);
        let inside = |offer: Offer| offer.inside(self.graph, self.selection, wanted);
        let inside = offers.iter().copied().chain(entries).filter_map(inside);
        let inside: Vec<Offer> = inside.collect();
        let sets = self.selection.sets.inside(&place.sets, &[on], slot);
        let inner = Place::whole(self.graph, self.selection, (child, sets), &inside);
        (!inside.is_empty()).then_some((inner, inside))
    }

    fn missing(&self, on: TypeId, field: &str) -> Unplannable {
        Unplannable {
            coordinate: coordinate(self.graph, on, field),
        }
    }

    /// Every slot that is wanted, with the types for which the same fetches give it.
    fn alike(&self, place: &Place, providers: &[Provider]) -> Vec<(usize, Vec<TypeId>)> {
        let mut found: Vec<(usize, Vec<Giver>, Vec<TypeId>)> = Vec::new();
        for (on, slots) in &place.wants {
            for slot in slots {
                let givers = self.givers((place.at, *on, *slot), providers);
                let is_leaf = self.selection.position(place.at).slots[*slot]
                    .child
                    .is_none();
                let count = if is_leaf { 1 } else { givers.len() };
                let givers: Vec<_> = givers.into_iter().take(count).collect();
                let mut known = found.iter_mut();
                match known.find(|(known, same, _)| known == slot && *same == givers) {
                    Some((_, _, types)) => types.push(*on),
                    None => found.push((*slot, givers, vec![*on])),
                }
            }
        }
        found.into_iter().map(|(slot, _, on)| (slot, on)).collect()
    }

    /// The fetches that give a slot, and what each offers inside of it.
    fn givers(&self, wanted: (PositionId, TypeId, usize), providers: &[Provider]) -> Vec<Giver> {
        let givers = providers.iter().filter_map(|provider| {
            let field = self.gives(provider, wanted)?;
            Some((provider.fetch, provider.inside(field)))
        });
        let acts = wanted.0 == ROOT && self.graph.types().mutation() == Some(wanted.1);
        givers.take(if acts { 1 } else { usize::MAX }).collect()
    }

    fn gives(
        &self,
        provider: &Provider,
        wanted: (PositionId, TypeId, usize),
    ) -> Option<&NodeField> {
        match &provider.offers {
            Offers::Through(offer) => offer.gives(self.graph, self.selection, wanted),
            Offers::Chosen(chosen) => chosen.gives(self.graph, self.selection, wanted),
        }
    }

    fn fetch(
        &mut self,
        (at, way): (PositionId, &Way),
        chosen: &Chosen,
        providers: &[Provider],
    ) -> Done<usize> {
        let mut after = Vec::new();
        for fulfilled in &chosen.fulfilled {
            let on = [fulfilled.on];
            self.told((at, way), (&fulfilled.needs, &on), providers, &mut after)?;
        }
        for deep in &chosen.deep {
            let on = self.types_at(at, deep.on);
            self.told((at, way), (&deep.parts, &on), providers, &mut after)?;
        }
        let contexts = self.contexts(at, chosen);
        for argument in contexts.iter().flat_map(|it| &*it.arguments) {
            for above in &argument.places {
                self.holders((above.at, &above.value), &mut after);
            }
        }
        let mut entered = Vec::with_capacity(chosen.entries.len());
        for (on, entry) in &chosen.entries {
            let key = self.graph.source(chosen.source).entries[*entry].key.clone();
            entered.push(Entered {
                on: *on,
                entry: *entry,
                key: self.whole_key((&key, chosen), ((at, way), *on), providers, &mut after)?,
                requires: self.requires(chosen, *on),
            });
        }
        after.extend(self.creators(&entered, providers));
        after.sort_unstable();
        after.dedup();
        self.fetches.push(Fetch {
            source: chosen.source,
            at,
            path: self.path(way),
            entered,
            slot: chosen.slot,
            contexts,
            after,
            stage: self.stage,
            takes: super::Takes::new(),
            when: When::never(),
        });
        Ok(self.fetches.len() - 1)
    }

    /// Who must have been there before for reasons other than keys: who brought the objects,
    /// where there is no key, and who said of which type they are, where others did not.
    fn creators(&self, entered: &[Entered], providers: &[Provider]) -> Vec<usize> {
        let types = self.graph.types();
        let mut found = Vec::new();
        if entered.iter().any(|entered| entered.key.is_empty()) {
            let above = providers.iter().filter(|it| it.through().is_some());
            found.extend(above.map(|provider| provider.fetch).next());
        }
        let mut through = providers.iter().filter_map(Provider::through).peekable();
        let untold = through.peek().is_some() && through.all(|offer| !offer.tells(self.graph));
        if untold
            && entered
                .iter()
                .any(|entered| !types.get(entered.on).is_abstract())
        {
            let tellers = providers.iter().filter(|provider| match &provider.offers {
                Offers::Chosen(chosen) => types.get(chosen.entries[0].0).is_abstract(),
                Offers::Through(_) => false,
            });
            found.extend(tellers.map(|provider| provider.fetch));
        }
        found
    }

    /// Has a slot of objects of these types filled, and what `sets` ask inside of it.
    fn slot(
        &mut self,
        (at, way): (PositionId, &Way),
        (slot, on, sets): (usize, &[TypeId], Vec<SetId>),
        providers: &[Provider],
    ) -> Done {
        let givers = self.givers((at, on[0], slot), providers);
        let Some((first, _)) = givers.first() else {
            let field = Arc::clone(&self.selection.position(at).slots[slot].field);
            return Err(self.missing(on[0], &field));
        };
        let Some(child) = self.selection.position(at).slots[slot].child else {
            self.take(*first, (at, way), (slot, on));
            return Ok(());
        };
        let providers = inside(&givers);
        let offers: Vec<Offer> = providers.iter().filter_map(Provider::through).collect();
        let inner = Place::whole(self.graph, self.selection, (child, sets), &offers);
        let mut deeper = way.clone();
        deeper.push((slot, on.to_vec()));
        self.place(&inner, &deeper, providers.clone())?;
        // Somebody must say whether there is an object at all, and of which type.
        let tells = |provider: &Provider| {
            let mut through = provider.through().into_iter();
            !inner.told || through.any(|offer| offer.tells(self.graph))
        };
        let fits: Vec<usize> = providers
            .iter()
            .filter(|provider| tells(provider))
            .map(|provider| provider.fetch)
            .collect();
        if !fits.iter().any(|fetch| self.has(*fetch, (at, slot), on)) {
            let fetch = fits.first().copied().unwrap_or(*first);
            self.take(fetch, (at, way), (slot, on));
        }
        Ok(())
    }

    /// Has `fetch` fill a slot, and the slots on the way to it.
    fn take(
        &mut self,
        fetch: usize,
        (at, way): (PositionId, &Way),
        (slot, on): (usize, &[TypeId]),
    ) {
        let fetch = &mut self.fetches[fetch];
        let (mut at, mut slot, mut on) = (at, slot, on);
        for above in way.iter().rev().map(Some).chain([None]) {
            let types = fetch.takes.entry(at).or_default().entry(slot).or_default();
            for ty in on {
                if !types.contains(ty) {
                    types.push(*ty);
                }
            }
            let (Some((up, through)), Some((parent, _))) =
                (above, self.selection.position(at).parent)
            else {
                return;
            };
            if at == fetch.at {
                return;
            }
            (at, slot, on) = (parent, *up, through);
        }
    }

    fn has(&self, fetch: usize, (at, slot): (PositionId, usize), on: &[TypeId]) -> bool {
        let takes = self.fetches[fetch].takes.get(&at);
        takes
            .and_then(|slots| slots.get(&slot))
            .is_some_and(|types| on.iter().all(|ty| types.contains(ty)))
    }

    /// The way to a place, with the types only where they tell objects apart.
    fn path(&self, way: &Way) -> Vec<Step> {
        let mut at = ROOT;
        let mut path = Vec::with_capacity(way.len());
        for (slot, on) in way {
            let possible = &self
                .graph
                .types()
                .get(self.selection.position(at).ty)
                .possible;
            let definition = &self.selection.position(at).slots[*slot];
            let everybody = possible.iter().all(|ty| on.contains(ty))
                || (!definition.on.is_empty() && definition.on.iter().all(|ty| on.contains(ty)));
            path.push(Step {
                slot: *slot,
                through: (!everybody).then(|| on.clone()),
            });
            if let Some(child) = definition.child {
                at = child;
            }
        }
        path
    }
}

impl Provider {
    fn through(&self) -> Option<Offer> {
        match &self.offers {
            Offers::Through(offer) => Some(*offer),
            Offers::Chosen(_) => None,
        }
    }

    /// What it offers inside a field that it gives.
    fn inside(&self, field: &NodeField) -> Option<Offer> {
        let (source, level) = match &self.offers {
            Offers::Through(offer) => (offer.source, offer.level),
            Offers::Chosen(chosen) => (chosen.source, chosen.level),
        };
        Some(Offer {
            source,
            node: field.child?,
            only: None,
            level,
        })
    }
}

/// The fetches that reach the objects in a slot.
fn inside(givers: &[Giver]) -> Vec<Provider> {
    givers
        .iter()
        .filter_map(|(fetch, offer)| {
            Some(Provider {
                fetch: *fetch,
                offers: Offers::Through((*offer)?),
            })
        })
        .collect()
}
