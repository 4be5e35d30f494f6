//! Adds a chosen fetch to the plan, divided by when its inputs are there.
//!
//! A requirement belongs to a field, not to a fetch: fields without one are fetched as soon as the
//! key is there, in a fetch of their own. Where the requirements are there as early as the key,
//! one fetch serves all fields.

use std::collections::BTreeSet;

use schema::graph::Graph;
use schema::types::TypeId;

use super::super::search::{ChosenFetch, FetchRole, FulfilledRequirement};
use super::super::{EntrySelection, Fetch, FetchId, FetchSlots};
use super::{Commit, Location, PlanResult, Provider, ProviderOffer};
use crate::plan::{ByFetch, remove_fetch};
use crate::selection::{Condition, Selection};

/// The fetches in the order of their planning.
#[derive(Debug, Default)]
pub(in super::super) struct FetchOrder {
    /// Length of the longest chain of fetches before each fetch.
    levels: ByFetch<usize>,
    /// Fetches for the fields without late requirements; there may be no such fields.
    early: Vec<FetchId>,
}

/// A fetch that was added, and the part of the chosen fetch that it is.
pub(super) struct AddedFetch {
    pub(super) fetch: FetchId,
    pub(super) chosen: ChosenFetch,
}

/// The inputs of a chosen fetch, which are planned.
struct PlannedInputs {
    entries: Vec<EntrySelection>,
    /// Fetches that provide the keys, or create the objects.
    key_dependencies: Vec<FetchId>,
    /// Fetches that provide each of the requirements.
    requirement_dependencies: Vec<Vec<FetchId>>,
}

/// The part of a chosen fetch whose inputs are there at one level.
struct FetchPart {
    chosen: ChosenFetch,
    depends_on: Vec<FetchId>,
}

impl Commit<'_> {
    /// Adds the fetches for a chosen one, after all fetches that provide keys and requirements.
    pub(super) fn add_fetches(
        &mut self,
        location: Location<'_>,
        chosen: &ChosenFetch,
    ) -> PlanResult<Vec<AddedFetch>> {
        let inputs = self.plan_inputs(location, chosen)?;
        let parts = self.parts(location, chosen, &inputs).into_iter();
        let added = parts.map(|part| AddedFetch {
            fetch: self.push_fetch(location, &part, &inputs.entries),
            chosen: part.chosen,
        });
        Ok(added.collect())
    }

    fn plan_inputs(
        &mut self,
        location: Location<'_>,
        chosen: &ChosenFetch,
    ) -> PlanResult<PlannedInputs> {
        let at = location.at;
        let mut requirement_dependencies = Vec::with_capacity(chosen.fulfilled_requirements.len());
        for fulfilled in &chosen.fulfilled_requirements {
            let mut depends_on = Vec::new();
            let on = [fulfilled.on];
            self.plan_requirements(location, &fulfilled.required_slots, &on, &mut depends_on)?;
            requirement_dependencies.push(depends_on);
        }
        let mut key_dependencies = Vec::new();
        for nested_key in &chosen.nested_keys {
            let on = self.object_types(at, nested_key.on);
            self.plan_requirements(location, &nested_key.parts, &on, &mut key_dependencies)?;
        }
        let fulfilled = chosen.fulfilled_requirements.iter();
        for (fulfilled, depends_on) in fulfilled.zip(&mut requirement_dependencies) {
            let context_field = self.context_field(location.at, chosen.source, fulfilled);
            for argument in context_field.iter().flat_map(|it| &*it.arguments) {
                for source in &argument.sources {
                    self.add_value_fetches(source.at, &source.value, depends_on);
                }
            }
        }
        let mut entries = Vec::with_capacity(chosen.entries.len());
        for index in 0..chosen.entries.len() {
            entries.push(self.entry_selection(location, chosen, index, &mut key_dependencies)?);
        }
        key_dependencies.extend(self.ordering_dependencies(&entries, location.providers));
        Ok(PlannedInputs {
            entries,
            key_dependencies,
            requirement_dependencies,
        })
    }

    /// The parts of a chosen fetch, the earliest first.
    fn parts(
        &self,
        location: Location<'_>,
        chosen: &ChosenFetch,
        inputs: &PlannedInputs,
    ) -> Vec<FetchPart> {
        let key_level = self.level_after(&inputs.key_dependencies);
        let levels = self.requirement_levels(chosen, inputs, key_level);
        let last = levels.iter().copied().max().unwrap_or(key_level);
        if last == key_level || self.is_only_type_provider(location, chosen) {
            let requirements = inputs.requirement_dependencies.iter();
            let depends_on = [&inputs.key_dependencies].into_iter().chain(requirements);
            return vec![FetchPart {
                chosen: chosen.clone(),
                depends_on: depends_on.flatten().copied().collect(),
            }];
        }
        let distinct: BTreeSet<usize> = levels.iter().copied().chain([key_level]).collect();
        let parts = distinct.into_iter().map(|level| {
            let is_own = |index: &usize| levels[*index] == level;
            let own: Vec<usize> = (0..levels.len()).filter(is_own).collect();
            let requirements = own.iter();
            let requirements = requirements.map(|it| &inputs.requirement_dependencies[*it]);
            let depends_on = [&inputs.key_dependencies].into_iter().chain(requirements);
            let role = if level == key_level {
                FetchRole::Early
            } else {
                FetchRole::Late
            };
            let mut own_part = self.chosen_part(chosen, &own, role);
            own_part.level = earlier_by(chosen.level, last - level);
            FetchPart {
                depends_on: depends_on.flatten().copied().collect(),
                chosen: own_part,
            }
        });
        parts.collect()
    }

    /// The chosen fetch with these requirements only.
    fn chosen_part(
        &self,
        chosen: &ChosenFetch,
        requirements: &[usize],
        role: FetchRole,
    ) -> ChosenFetch {
        let fulfilled = requirements.iter();
        let fulfilled = fulfilled.map(|index| chosen.fulfilled_requirements[*index].clone());
        let fulfilled: Vec<FulfilledRequirement> = fulfilled.collect();
        let mut part = chosen.clone();
        if role == FetchRole::Late {
            let types = self.graph.types();
            let is_own = |on: TypeId| fulfilled.iter().any(|it| types.is_a(it.on, on));
            part.entries.retain(|(on, _)| is_own(*on));
        }
        part.fulfilled_requirements = fulfilled;
        part.role = role;
        part
    }

    /// The level at which each requirement and the key are there. A fetch by an abstract type has a
    /// field for the objects of all types, so the level of the field is that of the latest type.
    fn requirement_levels(
        &self,
        chosen: &ChosenFetch,
        inputs: &PlannedInputs,
        key_level: usize,
    ) -> Vec<usize> {
        let dependencies = inputs.requirement_dependencies.iter();
        let own: Vec<usize> = dependencies
            .map(|depends_on| self.level_after(depends_on).max(key_level))
            .collect();
        let mut entries = chosen.entries.iter();
        if !entries.any(|(on, _)| self.graph.types().get(*on).is_abstract()) {
            return own;
        }
        let of_slot = |slot: usize| {
            let fulfilled = chosen.fulfilled_requirements.iter().zip(&own);
            let same = fulfilled.filter(|(it, _)| it.slot == slot);
            same.map(|(_, level)| *level).max().unwrap_or(key_level)
        };
        let fulfilled = chosen.fulfilled_requirements.iter();
        fulfilled.map(|it| of_slot(it.slot)).collect()
    }

    /// The level of a fetch that depends on `dependencies`.
    fn level_after(&self, dependencies: &[FetchId]) -> usize {
        let levels = dependencies.iter().map(|it| self.order.levels[*it] + 1);
        levels.max().unwrap_or(0)
    }

    fn push_fetch(
        &mut self,
        location: Location<'_>,
        part: &FetchPart,
        entries: &[EntrySelection],
    ) -> FetchId {
        let chosen = &part.chosen;
        let selected_entries = entries
            .iter()
            .filter(|it| chosen.entries.contains(&(it.on, it.entry)))
            .map(|it| EntrySelection {
                requires: self.required_slots(chosen, it.on),
                ..it.clone()
            });
        let selected_entries = selected_entries.collect();
        let mut depends_on = part.depends_on.clone();
        depends_on.sort_unstable();
        depends_on.dedup();
        let level = self.level_after(&depends_on);
        self.order.levels.push(level);
        let id = self.fetches.push(Fetch {
            source: chosen.source,
            at: location.at,
            path: self.path_steps(location.slot_path),
            selected_entries,
            field_slot: chosen.slot,
            context_fields: self.context_fields(location.at, chosen),
            depends_on,
            stage: self.stage,
            slots: FetchSlots::new(),
            condition: Condition::never(),
            fallbacks: Vec::new(),
            fallback_of: None,
        });
        if chosen.role == FetchRole::Early {
            self.order.early.push(id);
        }
        id
    }

    /// Whether a chosen fetch returns the types of the objects, which no inherited offer does.
    fn is_only_type_provider(&self, location: Location<'_>, chosen: &ChosenFetch) -> bool {
        let mut entries = chosen.entries.iter();
        self.is_type_unknown(location.providers)
            && entries.any(|(on, _)| self.graph.types().get(*on).is_abstract())
    }

    /// Whether there are inherited offers, and none returns the types of the objects.
    fn is_type_unknown(&self, providers: &[Provider]) -> bool {
        let inherited = providers.iter().filter_map(Provider::inherited_offer);
        let mut inherited = inherited.peekable();
        inherited.peek().is_some() && inherited.all(|offer| !offer.provides_typename(self.graph))
    }

    /// Dependencies that no key implies: on the fetch that returns the objects if there is no key,
    /// and on the fetch that returns their types if inherited ones do not.
    fn ordering_dependencies(
        &self,
        selected_entries: &[EntrySelection],
        providers: &[Provider],
    ) -> Vec<FetchId> {
        let types = self.graph.types();
        let mut dependencies = Vec::new();
        if selected_entries.iter().any(|it| it.key.is_empty()) {
            let inherited = providers.iter().filter(|it| it.inherited_offer().is_some());
            dependencies.extend(inherited.map(|provider| provider.fetch).next());
        }
        let mut entries = selected_entries.iter();
        if self.is_type_unknown(providers)
            && entries.any(|entry_selection| !types.get(entry_selection.on).is_abstract())
        {
            let typename_providers = providers.iter().filter(|provider| match &provider.offer {
                ProviderOffer::Chosen(chosen) => {
                    chosen.role != FetchRole::Late && types.get(chosen.entries[0].0).is_abstract()
                }
                ProviderOffer::Inherited(_) => false,
            });
            dependencies.extend(typename_providers.map(|provider| provider.fetch));
        }
        dependencies
    }
}

/// The level that is earlier than another by a number of levels.
fn earlier_by(level: u32, distance: usize) -> u32 {
    level.saturating_sub(u32::try_from(distance).unwrap_or(u32::MAX))
}

impl FetchOrder {
    /// Removes early fetches that no field needs, and entry points by which none is needed.
    pub(in super::super) fn drop_unused(
        self,
        graph: &Graph,
        selection: &Selection,
        fetches: &mut ByFetch<Fetch>,
    ) {
        for early in self.early.into_iter().rev() {
            let fetch = &mut fetches[early];
            if fetch.slots.is_empty() {
                let dependencies = fetch.depends_on.clone();
                remove_fetch(fetches, early, &dependencies);
                continue;
            }
            let slots = fetch.slots.get(&fetch.at);
            let filled = slots.into_iter().flat_map(|slots| slots.values().flatten());
            let filled: Vec<TypeId> = filled.copied().collect();
            let is_abstract_position = selection.position(fetch.at).is_abstract(graph.types());
            fetch.selected_entries.retain(|entry_selection| {
                let on = entry_selection.on;
                !is_abstract_position || filled.iter().any(|ty| graph.types().is_a(*ty, on))
            });
        }
    }
}
