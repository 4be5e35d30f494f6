//! Root fields that a batch can answer: `user(id:)`, where its service is also asked for many
//! users at a time.
//!
//! The graph says so by `entity: true`: the field gives the entity whose key is the argument. Its
//! own connector still has the last word on what is not found, and on what is refused.

use schema::connector::{Connector, Gives};
use schema::graph::Graph;
use schema::source::{Access, Entry, NodeId, Objects, Serves, Source, SourceId};
use schema::types::TypeRef;

use super::{Program, Sharing};
use crate::extract::Compile;
use crate::plan::{Fetch, Takes};
use crate::selection::{PositionId, ROOT, Selection};

/// A batch that can answer a field.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) source: SourceId,
    /// What becomes of the objects of the batch.
    pub(crate) program: Program,
}

impl StandIn {
    /// The batch that can answer what `fetch` asks for.
    pub(super) fn of(graph: &Graph, selection: &Selection, fetch: &Fetch) -> Option<Box<Self>> {
        let slot = fetch.slot.filter(|_| fetch.at == ROOT)?;
        let asked = &selection.position(ROOT).slots[slot];
        let (Some(at), TypeRef::Named(..), [(argument, _)]) =
            (asked.child, &asked.ty, asked.arguments.as_slice())
        else {
            return None;
        };
        let own = graph.source(fetch.source);
        let is_key = |entry: &&Entry| {
            let is_argument = matches!(
                entry.key.0.as_slice(),
                [(name, inner)] if name == argument && inner.is_empty()
            );
            is_argument && entry.on == selection.position(at).ty
        };
        let entity = own.entries.iter().filter(is_key);
        let entity = entity
            .clone()
            .find(|entry| entry.serves == Serves::Object)?;
        let mut takes = fetch.takes.clone();
        takes.remove(&ROOT);
        graph.sources().find_map(|(id, source)| {
            let connector = batch_beside(own, source)?;
            let mut entries = source.entries.iter().filter(is_key);
            let entry = entries.find(|entry| entry.key == entity.key)?;
            covers(selection, &takes, at, (source, entry.node)).then(|| {
                let compile = Compile {
                    types: graph.types(),
                    selection,
                    takes: &takes,
                };
                Box::new(Self {
                    source: id,
                    program: Program {
                        extract: compile.object(connector.selection.ast(), at),
                        sharing: Sharing::Impossible,
                        stand_in: None,
                    },
                })
            })
        })
    }
}

/// The connector of `source`, if it takes batches and asks where `own` asks.
fn batch_beside<'g>(own: &Source, source: &'g Source) -> Option<&'g Connector> {
    let (Access::Connector(own_connector), Access::Connector(connector)) =
        (&own.access, &source.access)
    else {
        return None;
    };
    let is_batch = matches!(connector.gives, Gives::Batch { .. });
    let is_beside = own.service == source.service && own_connector.source == connector.source;
    (is_batch && is_beside).then_some(connector)
}

/// Whether all that is taken is there, of objects that are of one type each.
fn covers(
    selection: &Selection,
    takes: &Takes,
    at: PositionId,
    (source, node): (&Source, NodeId),
) -> bool {
    let node = source.node(node);
    let is_one = matches!(node.objects, Objects::One) && node.on == selection.position(at).ty;
    let slots = takes.get(&at).into_iter().flat_map(|slots| slots.keys());
    let mut slots = slots.map(|slot| &selection.position(at).slots[*slot]);
    is_one
        && slots.all(|slot| {
            let Some(field) = node.fields.get(&slot.field) else {
                return false;
            };
            let is_given = field.requires.is_none() && !field.only_in_keys;
            let inside = match (slot.child, field.child) {
                (None, None) => true,
                (Some(at), Some(node)) => covers(selection, takes, at, (source, node)),
                _ => false,
            };
            is_given && inside
        })
}
