//! Subgraphs before linking.

use crate::span::Document;
use crate::types::Name;

/// A subgraph: its name, URL and SDL.
#[derive(Clone, Debug)]
pub struct Subgraph {
    /// The name, unique in the graph.
    pub name: Name,
    /// The GraphQL endpoint; the configuration may override it. `None` for connectors.
    pub url: Option<Name>,
    /// The SDL.
    pub document: Document,
}
