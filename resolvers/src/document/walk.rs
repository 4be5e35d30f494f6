//! Through the slots that a request takes and the service's nodes, side by side: what is written
//! at each place, and what is read of it.
//!
//! Several places of the result can be one place of the request: a client and a requirement may
//! ask for the same field, each with slots of its own. They are walked together.

use std::collections::HashMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::input::Input;
use schema::source::{Entry, Node, NodeId, Objects as Given, Source};
use schema::types::{Name, TypeId, Types};

use super::represent::{self, Representation};
use super::set::{Compared, Field, Fragment, Owners, Set};
use super::take::{Objects, Take};
use super::wanted::{Reader, Wanted};
use super::{EnteredAs, TooLarge};
use crate::plan::{Entered, Takes};
use crate::selection::{PositionId, Selection, Slot, When};

pub(super) struct Walk<'a> {
    pub(super) types: &'a Types,
    pub(super) selection: &'a Selection,
    pub(super) source: &'a Source,
    /// Arguments that are filled from objects further up.
    pub(super) contexts: Vec<Context>,
    /// Of the client, those that are used, in the order first met.
    pub(super) variables: Vec<Name>,
    /// Conditions that fields refer to by number.
    pub(super) whens: Vec<When>,
    /// How many fields may be written.
    most: usize,
    /// Sets that were made for places inside of others. The same places may be met many times,
    /// once for each type around them.
    made: HashMap<Inside, Made>,
    compared: Compared,
}

/// A set, and what is read of it for each of its places.
type Made = (Arc<Set>, Vec<Arc<Objects>>);

/// Places walked together, and the condition that is known there.
type Inside = (Vec<(*const Takes, PositionId, NodeId)>, When);

/// A place of the result, and what the service gives there.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) takes: &'a Takes,
    pub(super) at: PositionId,
    pub(super) node: NodeId,
    /// Objects of these types only; `None`: all. It matters where the service names no types.
    pub(super) only: Option<Vec<TypeId>>,
}

/// An argument that is filled from objects further up.
pub(super) struct Context {
    pub(super) at: PositionId,
    pub(super) slot: usize,
    pub(super) on: TypeId,
    /// `currency: $c0`.
    pub(super) written: String,
}

/// Where a selection set is written.
#[derive(Clone, Copy)]
pub(super) struct Around<'s> {
    /// What holds whenever it matters.
    pub(super) known: &'s When,
    /// Fragments beside it, whose response keys it shares.
    pub(super) beside: &'s [Fragment],
    /// Whether it may be of objects that those are of, too.
    pub(super) overlaps: bool,
}

/// A field and how its slots read it.
pub(super) struct Written {
    pub(super) on: Option<TypeId>,
    pub(super) acts: bool,
    pub(super) field: Field,
    pub(super) reads: Vec<(Reader, Take)>,
}

type Result<T> = std::result::Result<T, TooLarge>;

impl<'a> Walk<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        selection: &'a Selection,
        source: &'a Source,
        most: usize,
    ) -> Self {
        Self {
            types: graph.types(),
            selection,
            source,
            contexts: Vec::new(),
            variables: Vec::new(),
            whens: Vec::new(),
            most,
            made: HashMap::new(),
            compared: Compared::new(),
        }
    }

    /// Begins another part, with contexts of its own: what was written may have those of the last.
    pub(super) fn forget(&mut self) {
        if !self.contexts.is_empty() {
            self.contexts.clear();
            self.made.clear();
        }
    }

    pub(super) fn mutation(&self) -> Option<TypeId> {
        self.types.mutation()
    }

    /// How objects of one type are told to the service.
    pub(super) fn entered(
        &self,
        entered: &Entered,
        entry: &Entry,
        (at, kind): (PositionId, usize),
    ) -> EnteredAs {
        let ty = self.types.get(entered.on);
        let write = represent::Compile {
            types: self.types,
            selection: self.selection,
        };
        EnteredAs {
            on: entered.on,
            possible: ty.is_abstract().then(|| ty.possible.clone().into()),
            representation: Representation::of(&write, &entry.type_name, (at, entered)),
            kind,
        }
    }

    /// Whether an entry is of one object type.
    pub(super) fn is_object(&self, entry: &Entry) -> bool {
        matches!(self.source.node(entry.node).objects, Given::One)
    }

    /// The selection set for `places`, and what is read of it for each of them.
    pub(super) fn set(
        &mut self,
        places: &[Place<'a>],
        around: Around<'_>,
    ) -> Result<(Set, Vec<Objects>)> {
        let wanted = self.in_common(places, self.wanted(places));
        let mut written: Vec<Written> = Vec::with_capacity(wanted.len());
        let mut weight: usize = 0;
        for wanted in wanted {
            let mut field = self.field(wanted, places, around.known)?;
            weight = weight.saturating_add(field.field.weight);
            if weight > self.most {
                return Err(TooLarge);
            }
            self.choose_key(&mut field, places, (&written, around));
            written.push(field);
        }
        Ok(self.assemble(places, written))
    }

    /// The field itself, under its own name, and what is inside.
    fn field(&mut self, wanted: Wanted<'a>, places: &[Place<'a>], known: &When) -> Result<Written> {
        self.use_variables(wanted.slot);
        let is_new = !wanted.when.is_always() && wanted.when != *known;
        let known = if is_new { &wanted.when } else { known };
        let (inside, at) = self.inside(&wanted.readers, places);
        let made = self.set_inside(&inside, known)?;
        let (set, objects) = made.map_or((None, Vec::new()), |(set, it)| (Some(set), it));
        let field = Field {
            key: Arc::clone(&wanted.slot.field),
            name: Arc::clone(&wanted.slot.field),
            arguments: wanted.arguments,
            ty: Arc::clone(&wanted.given.ty),
            when: is_new.then(|| self.condition(&wanted.when)),
            weight: set.as_ref().map_or(0, |set| set.weight()).saturating_add(1),
            set,
        };
        let reads = wanted.readers.into_iter().zip(at);
        let reads = reads.map(|(reader, inside)| {
            let objects = inside.and_then(|index| objects.get(index));
            let take = objects.map_or_else(
                || Take::Leaf(self.slot(&reader, places).ty.lists()),
                |objects| Take::Objects(Arc::clone(objects)),
            );
            (reader, take)
        });
        Ok(Written {
            on: wanted.on,
            acts: wanted.acts,
            reads: reads.collect(),
            field,
        })
    }

    fn slot(&self, reader: &Reader, places: &[Place<'a>]) -> &'a Slot {
        &self.selection.position(places[reader.place].at).slots[reader.slot]
    }

    /// The places behind a field, each once, and which of them each reader reads.
    fn inside(
        &self,
        readers: &[Reader],
        places: &[Place<'a>],
    ) -> (Vec<Place<'a>>, Vec<Option<usize>>) {
        let mut inside: Vec<Place<'a>> = Vec::new();
        let mut at = Vec::with_capacity(readers.len());
        for reader in readers {
            let takes = places[reader.place].takes;
            let child = self.slot(reader, places).child.zip(reader.child);
            at.push(child.map(|(child, node)| {
                let same = |it: &Place<'_>| {
                    it.at == child && it.node == node && std::ptr::eq(it.takes, takes)
                };
                inside.iter().position(same).unwrap_or_else(|| {
                    inside.push(Place {
                        takes,
                        at: child,
                        node,
                        only: None,
                    });
                    inside.len() - 1
                })
            }));
        }
        (inside, at)
    }

    fn set_inside(&mut self, places: &[Place<'a>], known: &When) -> Result<Option<Made>> {
        if places.is_empty() {
            return Ok(None);
        }
        let each = places.iter();
        let each = each.map(|place| (std::ptr::from_ref(place.takes), place.at, place.node));
        let key: Inside = (each.collect(), known.clone());
        if let Some(made) = self.made.get(&key) {
            return Ok(Some(made.clone()));
        }
        let around = Around {
            known,
            beside: &[],
            overlaps: false,
        };
        let (set, objects) = self.set(places, around)?;
        let made = (Arc::new(set), objects.into_iter().map(Arc::new).collect());
        self.made.insert(key, made.clone());
        Ok(Some(made))
    }

    fn use_variables(&mut self, slot: &Slot) {
        for (_, argument) in &slot.arguments {
            if argument.text.is_some() {
                add_variables(&argument.value, &mut self.variables);
            }
        }
    }

    fn condition(&mut self, when: &When) -> usize {
        let known = self.whens.iter().position(|known| known == when);
        known.unwrap_or_else(|| {
            self.whens.push(when.clone());
            self.whens.len() - 1
        })
    }

    /// Gives a field an alias where its own name is taken by another.
    fn choose_key(
        &mut self,
        field: &mut Written,
        places: &[Place<'a>],
        (written, around): (&[Written], Around<'_>),
    ) {
        let mut number = 0;
        while !is_free(field, (written, around), &mut self.compared)
            || self.is_other_field(&field.field, places)
        {
            field.field.key = format!("_a{number}_{}", field.field.name).into();
            number += 1;
        }
    }

    /// Whether an alias is the name of a field.
    fn is_other_field(&self, field: &Field, places: &[Place<'a>]) -> bool {
        let has = |node: &Node| node.fields.contains_key(&field.key);
        *field.key != *field.name
            && places.iter().any(|place| {
                let node = self.source.node(place.node);
                has(node)
                    || matches!(&node.objects, Given::Several(members)
                        if members.values().any(|member| has(self.source.node(*member))))
            })
    }
}

/// Whether no other field stands in the way of a field's key.
fn is_free(
    field: &Written,
    (written, around): (&[Written], Around<'_>),
    compared: &mut Compared,
) -> bool {
    let inside = written.iter().all(|other| {
        let owners = match (field.on, other.on) {
            (Some(on), Some(other)) if on != other => Owners::Apart,
            _ => Owners::Same,
        };
        let differs = other.field.key != field.field.key;
        differs || (!field.acts && other.field.may_share_key(&field.field, owners, compared))
    });
    inside
        && around.beside.iter().all(|fragment| {
            let owners = if around.overlaps || !fragment.is_object {
                Owners::Same
            } else {
                Owners::Apart
            };
            let mut others = fragment.set.all_fields();
            others.all(|other| {
                other.key != field.field.key || other.may_share_key(&field.field, owners, compared)
            })
        })
}

fn add_variables(input: &Input, variables: &mut Vec<Name>) {
    match input {
        Input::Constant(_) => {}
        Input::Variable(name) => {
            if !variables.contains(name) {
                variables.push(Arc::clone(name));
            }
        }
        Input::List(items) => items.iter().for_each(|it| add_variables(it, variables)),
        Input::Object(members) => {
            let mut values = members.iter().map(|(_, value)| value);
            values.by_ref().for_each(|it| add_variables(it, variables));
        }
    }
}
