//! What was written at a place, as one selection set, and what each place of the result reads of it.

use std::sync::Arc;

use indexmap::IndexMap;
use schema::source::{Node, Objects as Given};
use schema::types::TypeId;

use super::set::{Fragment, Set};
use super::take::{Fields, Member, Objects, Take, Told};
use super::walk::{Place, Walk, Written};
use super::wanted::Reader;

impl<'a> Walk<'a> {
    /// The text of a place, and what each of `places` reads there.
    pub(super) fn assemble(
        &self,
        places: &[Place<'a>],
        written: Vec<Written>,
    ) -> (Set, Vec<Objects>) {
        let mut set = Set::default();
        let mut reading: Vec<Reading> = places
            .iter()
            .map(|place| Reading::new(self.source.node(place.node)))
            .collect();
        for Written {
            on, field, reads, ..
        } in written
        {
            for (reader, take) in reads {
                if let Some(reading) = reading.get_mut(reader.place) {
                    reading.add(&reader, &field.key, take);
                }
            }
            match on.filter(|_| reading.iter().any(|it| it.is_named)) {
                Some(on) => self.in_fragment(&mut set, on).fields.push(field),
                None => set.fields.push(field),
            }
        }
        set.type_name = reading.iter().any(|reading| reading.is_named);
        let objects = reading.into_iter().zip(places);
        let objects = objects.map(|(reading, place)| reading.finish(place, self));
        (set, objects.collect())
    }

    fn in_fragment<'s>(&self, set: &'s mut Set, on: TypeId) -> &'s mut Set {
        let name = &self.types.get(on).name;
        let known = set.fragments.iter().position(|it| it.on == *name);
        let index = known.unwrap_or_else(|| {
            set.fragments.push(Fragment {
                on: Arc::clone(name),
                is_object: true,
                set: Set::default(),
            });
            set.fragments.len() - 1
        });
        &mut set.fragments[index].set
    }
}

/// What is read at one place, while it is collected.
struct Reading {
    /// Whether the answer names the type of each object.
    is_named: bool,
    /// By type; the one of a place where types are not told has none.
    each: IndexMap<Option<TypeId>, Fields>,
}

impl Reading {
    fn new(node: &Node) -> Self {
        let types: Vec<Option<TypeId>> = match &node.objects {
            Given::One => vec![Some(node.on)],
            Given::Several(members) => members.keys().copied().map(Some).collect(),
            Given::Untold => vec![None],
        };
        Self {
            is_named: matches!(node.objects, Given::Several(_)),
            each: types
                .into_iter()
                .map(|ty| (ty, Fields::default()))
                .collect(),
        }
    }

    fn add(&mut self, reader: &Reader, key: &Arc<str>, take: Take) {
        let Some(Fields(members)) = self.each.get_mut(&reader.on) else {
            return; // A reader was made for one of these types.
        };
        match members.iter_mut().find(|member| member.key == *key) {
            Some(member) => member.slots.push((reader.slot, take)),
            None => members.push(Member {
                key: Arc::clone(key),
                slots: vec![(reader.slot, take)],
            }),
        }
    }

    fn finish(self, place: &Place<'_>, walk: &Walk<'_>) -> Objects {
        let is_abstract = walk.selection.position(place.at).is_abstract(walk.types);
        let mut each = self.each.into_iter();
        let told = if self.is_named {
            let named = each.filter_map(|(ty, fields)| {
                let ty = ty?;
                Some((Arc::clone(&walk.types.get(ty).name), ty, fields))
            });
            Told::Named(named.collect())
        } else {
            match each.next() {
                Some((Some(ty), fields)) => Told::Known(is_abstract.then_some(ty), fields),
                Some((None, fields)) => Told::Untold(fields),
                None => Told::Untold(Fields::default()),
            }
        };
        Objects { at: place.at, told }
    }
}
