//! What is still to be done at a place, and whether it is done.

use schema::key::FieldSet;
use schema::source::{NodeField, SourceId};
use schema::types::{Name, TypeId};

use super::super::{Offer, Place};
use super::Attempt;
use super::candidates::Candidate;
use super::state::{Chosens, State};
use crate::selection::KeySlot;

/// Objects inside what is told for what is told for …; a circle of requirements has no end.
pub(in super::super) const MAX_DEPTH: u32 = 8;

/// Part of a key that every object has, and that goes with each of them anyway.
pub(in super::super) const TYPE_NAME: &str = "__typename";

/// Something that is still to be done.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// It is known of which type the objects are.
    Told,
    /// A slot of objects of this type is given.
    Field(TypeId, usize),
    /// A part of a key of objects of this type is given.
    Key(TypeId, (Name, FieldSet)),
    /// All that the candidate must know is there; it is to be used.
    Use(Candidate),
    /// A candidate for this was used.
    Reached(Box<Self>),
}

impl Goal {
    /// Everything that is asked of a place, the last to be done first.
    pub(super) fn all(place: &Place) -> Vec<Self> {
        let wants = place.wants.iter().rev();
        let fields = wants.flat_map(|(on, slots)| {
            let slots = slots.iter().rev();
            slots.map(|slot| Self::Field(*on, *slot))
        });
        fields.chain(place.told.then_some(Self::Told)).collect()
    }
}

impl Attempt<'_, '_> {
    /// Whether nothing need be done for a goal.
    pub(super) fn is_reached(&mut self, goal: &Goal, state: &State) -> bool {
        match goal {
            Goal::Told => self.is_told(state),
            Goal::Field(on, slot) if self.is_deep(*slot) => {
                self.giver(state, *on, *slot).is_some() && self.has_all(state, (*on, *slot))
            }
            Goal::Field(on, slot) => self.giver(state, *on, *slot).is_some(),
            Goal::Key(on, part) => self.key_part(state, *on, part).is_some(),
            Goal::Use(_) | Goal::Reached(_) => false,
        }
    }

    /// Whether it is known of which type the objects are.
    pub(super) fn is_told(&self, state: &State) -> bool {
        let graph = self.search.graph;
        let ty = self.search.selection.position(self.place.at).ty;
        let tells = |offer: &Offer| offer.tells(graph);
        !graph.types().get(ty).is_abstract()
            || state.base.is_empty()
            || state.base.iter().any(tells)
            || state.chosen.iter().any(|chosen| {
                let (on, _) = chosen.entries[0];
                graph.types().get(on).is_abstract()
                    && chosen.offer(graph, on).is_some_and(|it| tells(&it))
            })
    }

    /// Who gives a slot: nobody that must be waited for, or one of the chosen.
    pub(super) fn giver(&self, state: &State, on: TypeId, slot: usize) -> Option<Chosens> {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let wanted = (self.place.at, on, slot);
        let mut base = state.base.iter();
        if base.any(|offer| offer.gives(graph, selection, wanted).is_some()) {
            return Some(Chosens::default());
        }
        let mut chosen = state.chosen.iter();
        chosen
            .position(|chosen| chosen.gives(graph, selection, wanted).is_some())
            .map(Chosens::one)
    }

    /// As `giver`, for a part of a key.
    pub(super) fn key_part(
        &self,
        state: &State,
        on: TypeId,
        part: &(Name, FieldSet),
    ) -> Option<Chosens> {
        let views = self.views(state, on);
        self.part(&views, part)
    }

    pub(super) fn part(
        &self,
        views: &[View<'_>],
        (name, inner): &(Name, FieldSet),
    ) -> Option<Chosens> {
        if name.as_ref() == TYPE_NAME {
            return Some(Chosens::default());
        }
        let given = views.iter().filter_map(|(source, fields, waits)| {
            let field = fields.get(name)?;
            field.requires.is_none().then_some((*source, field, *waits))
        });
        if inner.is_empty() {
            return given.map(|(_, _, waits)| waits).next();
        }
        let inside: Vec<View<'_>> = given
            .filter_map(|(source, field, waits)| {
                let node = self.search.graph.source(source).node(field.child?);
                Some((source, &node.fields, waits))
            })
            .collect();
        let mut all = Chosens::default();
        for part in &inner.0 {
            all.add(self.part(&inside, part)?);
        }
        Some(all)
    }

    fn views(&self, state: &State, on: TypeId) -> Vec<View<'_>> {
        let graph = self.search.graph;
        let view = |offer: Offer, waits: Chosens| {
            // An entry for one field gives no key: a field with arguments is never part of one.
            let node = offer.only.is_none().then(|| offer.node(graph, on))??;
            Some((offer.source, &node.fields, waits))
        };
        let base = state.base.iter();
        let base = base.filter_map(|offer| view(*offer, Chosens::default()));
        let chosen = state.chosen.iter().enumerate();
        let chosen = chosen
            .filter_map(|(index, chosen)| view(chosen.offer(graph, on)?, Chosens::one(index)));
        base.chain(chosen).collect()
    }

    /// Uses a candidate: in a fetch that is already chosen where that is possible, else in one
    /// more. Whether there is a way to do so.
    pub(super) fn enter(&mut self, candidate: &Candidate, state: &mut State) -> bool {
        let Some(deps) = self.waits_for(candidate, state) else {
            return false;
        };
        let shared = self.shared(candidate, state, deps);
        let index = match shared {
            Some(index) => {
                state.wait(index, deps);
                index
            }
            None => match self.begin(candidate, state, deps) {
                Some(index) => index,
                None => return false,
            },
        };
        let entry = (candidate.entered(self.search.graph), candidate.entry);
        let chosen = &mut state.chosen[index];
        let is_new = !chosen.entries.contains(&entry);
        if is_new {
            chosen.entries.push(entry);
        }
        if is_new && !candidate.deep.is_empty() {
            chosen.deep.push(super::Deep {
                on: entry.0,
                parts: std::sync::Arc::clone(&candidate.deep),
            });
        }
        if let (Some(needs), Some(slot)) = (&candidate.needs, candidate.slot) {
            chosen.fulfilled.push(super::Fulfilled {
                on: candidate.on,
                slot,
                needs: std::sync::Arc::clone(needs),
            });
        }
        match self.told_cost(candidate, index, state) {
            Some(cost) => state.cost += cost,
            None => return false,
        }
        true
    }

    /// All that must be done before the candidate is used; `None` when something is missing.
    fn waits_for(&self, candidate: &Candidate, state: &State) -> Option<Chosens> {
        let entry = &self.search.graph.source(candidate.source).entries[candidate.entry];
        let mut deps = Chosens::default();
        for part in candidate.plain_key(entry) {
            deps.add(self.key_part(state, entry.on, part)?);
        }
        for need in candidate.told() {
            deps.add(self.giver(state, candidate.on, need.slot)?);
        }
        if let Some(teller) = self.teller(candidate, state) {
            deps.add(teller);
        }
        Some(state.closure(deps))
    }

    /// Who says of which type the objects are, where the candidate must know and a chosen does.
    fn teller(&self, candidate: &Candidate, state: &State) -> Option<Chosens> {
        let graph = self.search.graph;
        let on = candidate.entered(graph);
        if graph.types().get(on).is_abstract()
            || state.base.is_empty()
            || state.base.iter().any(|offer| offer.tells(graph))
        {
            return None;
        }
        let mut chosen = state.chosen.iter();
        chosen
            .position(|chosen| graph.types().get(chosen.entries[0].0).is_abstract())
            .map(Chosens::one)
    }

    /// The fetch that is chosen already and can serve the candidate too.
    pub(super) fn shared(
        &self,
        candidate: &Candidate,
        state: &State,
        deps: Chosens,
    ) -> Option<usize> {
        let graph = self.search.graph;
        let on = candidate.entered(graph);
        if !candidate.shares(graph) {
            return None;
        }
        let is_abstract = |on: TypeId| graph.types().get(on).is_abstract();
        let fits = |chosen: &super::Chosen| {
            let mut told = chosen.fulfilled.iter().filter(|it| it.on == candidate.on);
            told.all(|told| self.agree(&told.needs, candidate))
                && (!candidate.is_of_interface(graph) || is_plain(chosen, candidate))
        };
        let mut chosen = state.chosen.iter().enumerate();
        chosen
            .find(|(index, chosen)| {
                chosen.source == candidate.source
                    && !deps.has(*index)
                    && fits(chosen)
                    // One entry a type, and what serves any type serves all of them.
                    && chosen.entries.iter().all(|(known, entry)| {
                        if *known == on { *entry == candidate.entry } else { !is_abstract(*known) && !is_abstract(on) }
                    })
            })
            .map(|(index, _)| index)
    }

    /// Whether the source can be told both at once: not one field with two sets of arguments.
    fn agree(&self, told: &[KeySlot], candidate: &Candidate) -> bool {
        let slots = &self.search.selection.position(self.place.at).slots;
        candidate
            .needs
            .iter()
            .flat_map(|needs| needs.iter())
            .all(|need| {
                let mut same = told.iter().filter(|told| told.name == need.name);
                same.all(|told| slots[told.slot].arguments == slots[need.slot].arguments)
            })
    }

    fn begin(&self, candidate: &Candidate, state: &mut State, deps: Chosens) -> Option<usize> {
        if state.chosen.len() >= Chosens::MAX {
            return None;
        }
        state.cost += self.cost(candidate) + u64::from(deps.len());
        let level = state.level_after(deps);
        state.chosen.push(super::Chosen {
            level,
            source: candidate.source,
            slot: candidate.slot.filter(|_| candidate.needs.is_none()),
            entries: Vec::new(),
            fulfilled: Vec::new(),
            deep: Vec::new(),
            deps,
        });
        Some(state.chosen.len() - 1)
    }

    /// What the objects inside of what the source is told cost. They are brought by those who are
    /// chosen now, and all of these come first.
    fn told_cost(&mut self, candidate: &Candidate, index: usize, state: &mut State) -> Option<u64> {
        let mut sum = 0;
        for need in candidate.told() {
            sum += self.need_cost(need, (candidate.on, index), state)?;
        }
        Some(sum)
    }

    fn need_cost(
        &mut self,
        need: &KeySlot,
        (on, index): (TypeId, usize),
        state: &mut State,
    ) -> Option<u64> {
        let (offers, deps) = self.offers_of(state, (on, need.slot), Some(index));
        let deps = state.closure(deps);
        state.wait(index, deps);
        self.cost_of(need.slot, &offers)
    }

    /// Whether what is inside of a slot can be had from those who give it.
    fn has_all(&mut self, state: &State, wanted: (TypeId, usize)) -> bool {
        let (offers, _) = self.offers_of(state, wanted, None);
        self.cost_of(wanted.1, &offers).is_some()
    }

    /// What is offered inside of a slot, and by which of the chosen, but for one of them and those
    /// that wait for it.
    fn offers_of(
        &self,
        state: &State,
        (on, slot): (TypeId, usize),
        except: Option<usize>,
    ) -> (Vec<Offer>, Chosens) {
        let wanted = (self.place.at, on, slot);
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let base = state.base.iter();
        let mut offers: Vec<Offer> = base
            .filter_map(|offer| offer.inside(graph, selection, wanted))
            .collect();
        let mut deps = Chosens::default();
        for (index, chosen) in state.chosen.iter().enumerate() {
            if except.is_some_and(|except| index == except || chosen.deps.has(except)) {
                continue;
            }
            if let Some(offer) = chosen.inside(graph, selection, wanted) {
                offers.push(offer);
                deps.add(Chosens::one(index));
            }
        }
        (offers, deps)
    }

    /// What the objects in a slot that only sources are told of cost where this is offered; `None`
    /// when they cannot be had.
    fn cost_of(&mut self, slot: usize, offers: &[Offer]) -> Option<u64> {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let position = selection.position(self.place.at);
        let Some(child) = position.slots[slot].child else {
            return Some(0);
        };
        let place = Place::whole(graph, selection, (child, Vec::new()), offers);
        self.search.memory.depth += 1;
        let known = self.search.memory.depth <= MAX_DEPTH;
        let cover = known.then(|| self.search.cover(&place, offers)).flatten();
        self.search.memory.depth -= 1;
        cover.map(|cover| cover.cost)
    }
}

/// Whether one selection may stand for all objects: none of them is told anything of its own.
fn is_plain(chosen: &super::Chosen, candidate: &Candidate) -> bool {
    let nothing_told = chosen.fulfilled.is_empty() && candidate.needs.is_none();
    let mut entries = chosen.entries.iter();
    nothing_told || entries.all(|(on, _)| *on == candidate.on)
}

/// A source's fields of an object, and who must be waited for until they are there.
type View<'g> = (SourceId, &'g indexmap::IndexMap<Name, NodeField>, Chosens);
