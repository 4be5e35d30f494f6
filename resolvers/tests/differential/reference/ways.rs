//! The ways by which a field can be had: from a subgraph that gave the object, or by the object's
//! key from another, whatever the plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Holder, Outcome, Reference, Whole};
use crate::data::Thing;
use crate::fault::Lost;
use crate::model::{Availability, Kind, Name, Pick};

/// One way, and its outcome.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) subgraph: Name,
    pub(super) outcome: Outcome,
    /// What the field provides below it.
    pub(super) provides: Vec<Pick>,
    /// Whether the subgraph gave the object too.
    pub(super) is_inline: bool,
}

impl Reference<'_> {
    /// All ways of a field.
    pub(super) fn ways(&mut self, whole: &Whole, name: &str) -> Vec<Way> {
        let data = self.data;
        let model = &data.model;
        let ty = &whole.thing.ty;
        if model.get(ty).is_some_and(|ty| ty.kind == Kind::Root) {
            let subgraphs = model.subgraphs_of(ty, name).into_iter();
            let way = |subgraph: &Name| {
                let outcome = self.call(subgraph, &whole.thing);
                self.way(subgraph, ty, name, outcome)
            };
            return subgraphs.map(way).collect();
        }
        let holders = whole.holders.iter();
        let mut ways: Vec<Way> = holders.filter_map(|it| self.inline(it, name)).collect();
        let is_everywhere = ways.len() == whole.holders.len();
        let has_context = (data.field(&whole.thing, name)).is_some_and(|it| it.context.is_some());
        if !is_everywhere || has_context || self.is_divided(&whole.thing, name) {
            ways.extend(self.by_key(whole, name));
        }
        self.in_context(whole, name, ways)
    }

    /// The ways of a field that may take an argument from an object above.
    fn in_context(&mut self, whole: &Whole, name: &str, ways: Vec<Way>) -> Vec<Way> {
        let field = self.data.field(&whole.thing, name);
        let Some(context) = field.and_then(|field| field.context.as_ref()) else {
            return ways;
        };
        let mut above = whole.ancestors.iter().rev();
        let Some(owner) = above.find(|it| it.thing.ty == context.owner) else {
            return ways;
        };
        let inputs = self.input_outcomes(owner, &[Pick::leaf(&context.field)]);
        let all = ways.into_iter().flat_map(|way| {
            let outcomes = inputs.iter().map(move |input| (way.clone(), *input));
            outcomes.map(|(way, input)| Way {
                outcome: input.then(way.outcome),
                ..way
            })
        });
        all.collect()
    }

    /// Whether several subgraphs give parts of a field's objects, or a plan has a reason to call
    /// another subgraph for the field: it gives more of them.
    fn is_divided(&self, thing: &Thing, name: &str) -> bool {
        let field = self.data.field(thing, name);
        field.is_some_and(|field| self.data.model.get(&field.ty.named).is_some())
    }

    fn way(&self, subgraph: &Name, ty: &str, name: &str, outcome: Outcome) -> Way {
        let home_field = self.data.model.home_field(ty, subgraph, name);
        Way {
            subgraph: Arc::clone(subgraph),
            outcome,
            provides: home_field.map(|it| it.provides.clone()).unwrap_or_default(),
            is_inline: false,
        }
    }

    /// The way by which a holder gives a field with the object.
    fn inline(&self, holder: &Holder, name: &str) -> Option<Way> {
        let data = self.data;
        let model = &data.model;
        let home_field = model.home_field(&holder.called, &holder.subgraph, name)?;
        let field = &model.get(&holder.called)?.fields[name];
        let named = holder.provided.iter().filter(|pick| *pick.field == *name);
        let is_given = match home_field.availability {
            Availability::Resolved => field.requires.is_empty(),
            Availability::Overridden => self.is_key(holder, name),
            Availability::External => named.clone().next().is_some(),
        };
        let mut way = self.way(&holder.subgraph, &holder.called, name, holder.outcome);
        let below = named.flat_map(|pick| pick.inner.iter().cloned());
        way.provides.extend(below);
        way.is_inline = true;
        is_given.then_some(way)
    }

    /// Whether a field is a part of a key in the subgraph, which is given even if it is overridden.
    fn is_key(&self, holder: &Holder, name: &str) -> bool {
        let ty = &self.data.model.types[&holder.called];
        let home = ty.homes.get(&holder.subgraph);
        let mut keys = home.into_iter().flat_map(|home| &home.keys);
        keys.any(|key| ty.keys[key.index].iter().any(|pick| *pick.field == *name))
    }

    /// The ways by which another call, for the entity, gives a field.
    fn by_key(&mut self, whole: &Whole, name: &str) -> Vec<Way> {
        let data = self.data;
        let model = &data.model;
        let ty = &whole.thing.ty;
        let mut entries: Vec<(Name, Name)> = Vec::new();
        for subgraph in model.subgraphs_of(ty, name) {
            let interfaces = model.interfaces(ty, None).into_iter().filter(|interface| {
                let home = model.home(interface, subgraph);
                home.is_some_and(|home| home.is_interface_object)
            });
            let entered = interfaces.chain([ty]);
            let entered = entered.filter(|entry| model.resolves(entry, subgraph, name));
            entries.extend(entered.map(|entry| (Arc::clone(subgraph), Arc::clone(entry))));
        }
        let requires = self.data.field(&whole.thing, name);
        let requires = requires
            .map(|field| field.requires.clone())
            .unwrap_or_default();
        let inputs = self.input_outcomes(whole, &requires);
        let mut ways = Vec::new();
        for (subgraph, entry) in entries {
            let mut outcomes = BTreeSet::new();
            for holder in &whole.holders {
                let reach = Reach {
                    thing: &whole.thing,
                    to: &subgraph,
                    entry: &entry,
                };
                let reached = self.reach(&reach, holder, &mut Vec::new());
                // An entity is fetched by its type, which an interface object does not give; so is
                // a field with requirements, because these are of a type.
                let needs_type = entry == whole.thing.ty || !requires.is_empty();
                let is_typed = holder.called == whole.thing.ty || !needs_type;
                let typing = if is_typed {
                    Vec::new()
                } else {
                    self.typing_calls(whole)
                };
                for (_, typing) in typing {
                    outcomes.extend(reached.iter().map(|it| typing.then(*it)));
                }
                outcomes.extend(reached);
            }
            for outcome in outcomes {
                let all = inputs.iter().map(|input| input.then(outcome));
                ways.extend(all.map(|outcome| self.way(&subgraph, &entry, name, outcome)));
            }
        }
        ways
    }

    /// The possible outcomes of the inputs of a field: given or failed.
    fn input_outcomes(&mut self, whole: &Whole, picks: &[Pick]) -> BTreeSet<Outcome> {
        let mut outcomes = BTreeSet::new();
        let outside = std::mem::take(&mut self.input_may_fail);
        let is_given = picks.is_empty() || self.inputs(whole, picks).is_ok();
        if is_given {
            outcomes.insert(Outcome::Given);
        }
        if !is_given || self.input_may_fail {
            outcomes.insert(Outcome::Failed);
        }
        self.input_may_fail = outside;
        outcomes
    }

    /// The possible outcomes of the calls from a holder of an entity to another subgraph.
    fn reach(
        &self,
        reach: &Reach<'_>,
        from: &Holder,
        visited: &mut Vec<Name>,
    ) -> BTreeSet<Outcome> {
        let mut outcomes = BTreeSet::new();
        if self.is_entered(from, (reach.to, reach.entry)) {
            outcomes.insert(from.outcome.then(self.call(reach.to, reach.thing)));
            return outcomes;
        }
        let ty = &reach.thing.ty;
        for hop in self.data.model.types[ty].homes.keys() {
            if visited.contains(hop) || !self.is_entered(from, (hop, ty)) {
                continue;
            }
            visited.push(Arc::clone(hop));
            let next = Holder {
                subgraph: Arc::clone(hop),
                called: Arc::clone(ty),
                provided: Vec::new(),
                outcome: from.outcome.then(self.call(hop, reach.thing)),
            };
            outcomes.extend(self.reach(reach, &next, visited));
            visited.pop();
        }
        outcomes
    }

    /// Whether a holder gives a key by which a subgraph resolves the entity.
    fn is_entered(&self, from: &Holder, (to, entry): (&Name, &Name)) -> bool {
        let data = self.data;
        let model = &data.model;
        let (Some(ty), Some(home)) = (model.get(entry), model.home(entry, to)) else {
            return false;
        };
        let mut keys = home.keys.iter().filter(|key| key.resolvable);
        keys.any(|key| {
            let mut picks = ty.keys[key.index].iter();
            picks.all(|pick| self.inline(from, &pick.field).is_some())
        })
    }

    /// The outcome of a call of a subgraph, for an entity or a root field.
    fn call(&self, subgraph: &str, thing: &Thing) -> Outcome {
        if self.faults.service(subgraph).is_some() {
            return Outcome::Failed;
        }
        let rest = self.data.model.rest.as_ref();
        let rest = rest.filter(|rest| *rest.subgraph == *subgraph);
        let lost = self.faults.entity(subgraph, thing);
        if let (Some(rest), Some(_)) = (rest, lost) {
            // An object that is missing in a batch is null; alone it has another status.
            return if rest.is_batch {
                Outcome::Missing
            } else {
                Outcome::Failed
            };
        }
        match lost {
            // The subgraph looks for the entity first.
            _ if self.data.is_stranger(thing, subgraph) => Outcome::Missing,
            Some(Lost::Throws) => Outcome::Failed,
            Some(Lost::Missing) => Outcome::Missing,
            None => Outcome::Given,
        }
    }

    /// The ways by which the type of an object is known. Interface objects do not give it; another
    /// subgraph is called for it, if the selections depend on it.
    pub(super) fn typing(&self, whole: &Whole) -> Vec<Way> {
        let mut ways = Vec::new();
        for (subgraph, outcome) in self.typing_calls(whole) {
            let outcome = match outcome {
                Outcome::Given => Outcome::Given,
                // The object is there, but its type is not known.
                Outcome::Missing | Outcome::Failed => Outcome::Failed,
            };
            ways.push(self.way(subgraph, &whole.thing.ty, "", outcome));
        }
        ways.push(self.way(&"".into(), &whole.thing.ty, "", Outcome::Given));
        ways
    }

    /// The subgraphs that may be called for the type of an object, with the outcomes of the calls;
    /// none if the type comes with the object.
    fn typing_calls(&self, whole: &Whole) -> Vec<(&Name, Outcome)> {
        let mut holders = whole.holders.iter();
        let Some(holder) = holders.find(|it| it.called != whole.thing.ty) else {
            return Vec::new();
        };
        let homes = self.data.model.types[&holder.called].homes.iter();
        let homes = homes.filter(|(_, home)| !home.is_interface_object);
        let entered = homes.filter(|(_, home)| home.keys.iter().any(|key| key.resolvable));
        let calls = entered.map(|(subgraph, _)| (subgraph, self.call(subgraph, &whole.thing)));
        calls.collect()
    }
}

/// A subgraph to be called for an entity, as a type or an interface of it.
struct Reach<'a> {
    thing: &'a Thing,
    to: &'a Name,
    entry: &'a Name,
}
