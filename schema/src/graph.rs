//! The checked graph: types as clients see them, and the sources that give their fields.
//!
//! A `Graph` is immutable; a reload makes a new one. It is made by `link`, which is the only
//! place that decides whether a set of subgraphs makes sense.

use std::collections::BTreeSet;

use crate::client::ClientSchema;
use crate::connector::Phase;
use crate::source::{Access, Source, SourceId};
use crate::types::Types;

/// What the graph is.
#[derive(Debug)]
pub struct Graph {
    pub(crate) types: Types,
    pub(crate) sources: Vec<Source>,
    pub(crate) client: ClientSchema,
}

impl Graph {
    /// The types that clients see.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// Everything that can be asked, in the order of the subgraphs.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = (SourceId, &Source)> {
        self.sources
            .iter()
            .enumerate()
            .map(|(index, source)| (SourceId(index), source))
    }

    /// The source with this id, which this graph gave out.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0]
    }

    /// The names of environment variables that connectors read as `$env`.
    pub fn environment(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for source in &self.sources {
            let Access::Connector(connector) = &source.access;
            for phase in [Phase::Request, Phase::Answer] {
                for used in connector.uses(phase) {
                    if used.name == "env" {
                        names.extend(used.fields.into_iter().map(|field| field.name));
                    }
                }
            }
        }
        names
    }

    /// The schema that clients see, as SDL.
    pub fn client_sdl(&self) -> String {
        self.client.sdl()
    }
}
