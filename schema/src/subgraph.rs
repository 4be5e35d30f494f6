//! One service's part of the graph, as it was written.

use crate::span::Document;
use crate::types::Name;

/// One service's SDL.
#[derive(Clone, Debug)]
pub struct Subgraph {
    /// The service's name, unique in the graph.
    pub name: Name,
    /// Where it is, when it speaks GraphQL; the configuration may say so too, or otherwise.
    pub url: Option<Name>,
    /// Its SDL.
    pub document: Document,
}
