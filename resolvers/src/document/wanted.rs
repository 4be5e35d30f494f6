//! Which fields a place needs: slot by slot and type by type, equal ones together.

use indexmap::IndexMap;
use schema::source::{Node, NodeField, NodeId, Objects as Given};
use schema::types::{Name, TypeId};

use super::walk::{Place, Walk};
use crate::selection::{PositionId, Slot, When};

/// A field that is to be written, for the objects of one type.
pub(super) struct Wanted<'a> {
    /// `None`: of all objects, whatever their type.
    pub(super) on: Option<TypeId>,
    /// Whether it shares a response key with nothing, not with its like either.
    pub(super) acts: bool,
    pub(super) slot: &'a Slot,
    pub(super) arguments: String,
    pub(super) given: &'a NodeField,
    pub(super) when: When,
    pub(super) readers: Vec<Reader>,
}

/// A slot that a field fills.
pub(super) struct Reader {
    /// Which of the places that are walked together.
    pub(super) place: usize,
    pub(super) slot: usize,
    /// Objects of this type only.
    pub(super) on: Option<TypeId>,
    pub(super) child: Option<NodeId>,
}

impl<'a> Walk<'a> {
    /// Every field that a slot asks for, type by type.
    pub(super) fn wanted(&self, places: &[Place<'a>]) -> Vec<Wanted<'a>> {
        type Alike<'a> = (Option<TypeId>, &'a Name, String, Option<usize>);
        let mut wanted: IndexMap<Alike<'a>, Wanted<'a>> = IndexMap::new();
        for (index, place) in places.iter().enumerate() {
            let slots = place.takes.get(&place.at).into_iter().flatten();
            for (number, types) in slots {
                let slot = &self.selection.position(place.at).slots[*number];
                for (on, node) in self.owners(place, types) {
                    let Some(given) = node.fields.get(&slot.field) else {
                        continue; // Others of these objects give it.
                    };
                    let arguments = self.arguments((place.at, *number, on));
                    // A mutation that is written twice is done twice.
                    let acts = on.is_some() && on == self.types.mutation();
                    let key = (on, &slot.field, arguments.clone(), acts.then_some(*number));
                    let found = wanted.entry(key).or_insert_with(|| Wanted {
                        on,
                        acts,
                        slot,
                        arguments,
                        given,
                        when: When::never(),
                        readers: Vec::new(),
                    });
                    found.when.or(&slot.when);
                    found.readers.push(Reader {
                        place: index,
                        slot: *number,
                        on,
                        child: given.child,
                    });
                }
            }
        }
        wanted.into_values().collect()
    }

    /// `first: 10, after: $cursor`; nothing that neither the client wrote nor a context gives.
    fn arguments(&self, (at, number, on): (PositionId, usize, Option<TypeId>)) -> String {
        let slot = &self.selection.position(at).slots[number];
        let written = slot.arguments.iter().filter_map(|(name, argument)| {
            let text = argument.text.as_ref()?;
            Some(format!("{name}: {text}"))
        });
        let contexts = self.contexts.iter();
        let contexts = contexts.filter(|context| {
            (context.at, context.slot) == (at, number) && on.is_none_or(|on| on == context.on)
        });
        let contexts = contexts.map(|context| context.written.clone());
        written.chain(contexts).collect::<Vec<_>>().join(", ")
    }

    /// The nodes whose objects a slot is taken of, each with its type where that is known.
    fn owners(&self, place: &Place<'a>, types: &[TypeId]) -> Vec<(Option<TypeId>, &'a Node)> {
        let node = self.source.node(place.node);
        match &node.objects {
            Given::One if types.contains(&node.on) => vec![(Some(node.on), node)],
            Given::One => Vec::new(),
            Given::Several(members) => members
                .iter()
                .filter(|(ty, _)| types.contains(ty))
                .map(|(ty, node)| (Some(*ty), self.source.node(*node)))
                .collect(),
            Given::Untold => {
                let only = place.only.as_ref();
                let applies = only.is_none_or(|only| {
                    let mut only = only.iter();
                    only.any(|on| types.iter().any(|ty| ty == on || self.types.is_a(*ty, *on)))
                });
                applies.then_some((None, node)).into_iter().collect()
            }
        }
    }

    /// Writes once what is asked of objects of all types in the same way, those first.
    pub(super) fn in_common(
        &self,
        places: &[Place<'a>],
        wanted: Vec<Wanted<'a>>,
    ) -> Vec<Wanted<'a>> {
        let Some(node) = places.first().map(|place| self.source.node(place.node)) else {
            return wanted;
        };
        let Given::Several(members) = &node.objects else {
            return wanted;
        };
        let mut common: IndexMap<(&Name, String), Vec<Wanted<'a>>> = IndexMap::new();
        for each in wanted {
            let key = (&each.slot.field, each.arguments.clone());
            common.entry(key).or_default().push(each);
        }
        let (mut first, mut apart) = (Vec::new(), Vec::new());
        for ((name, _), group) in common {
            let given = node.fields.get(name).filter(|given| {
                group.len() == members.len()
                    && group.iter().all(|each| {
                        let mut readers = each.readers.iter();
                        readers.all(|reader| reader.child == given.child)
                    })
            });
            match given {
                Some(given) => first.extend(merged(group, given)),
                None => apart.extend(group),
            }
        }
        // Fragments in the order in which the service has its types.
        apart.sort_by_key(|each| each.on.and_then(|on| members.get_index_of(&on)));
        first.extend(apart);
        first
    }
}

/// One field for the objects of all types.
fn merged<'a>(group: Vec<Wanted<'a>>, given: &'a NodeField) -> Option<Wanted<'a>> {
    let mut group = group.into_iter();
    let mut all = group.next()?;
    for other in group {
        all.when.or(&other.when);
        all.readers.extend(other.readers);
    }
    all.on = None;
    all.given = given;
    Some(all)
}
