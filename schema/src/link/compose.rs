//! Composition: subgraph documents → the merged schema, and the schemas of the GraphQL subgraphs.
//!
//! The rules are those of Apollo Federation. A subgraph with connectors contributes its types
//! only; its sources are read by `connect`.

use apollo_compiler::Schema;

use self::part::SubgraphPart;
use super::caching::SubgraphCacheDirectives;
use super::federation::SubgraphSchema;
use super::{merge, overrides};
use crate::diagnostic::Problems;
use crate::sdl::Sdl;

mod caching;
mod check;
pub(super) mod contexts;
mod external;
pub(super) mod field_sets;
mod legacy;
pub(super) mod part;
mod print;
mod subgraph_schema;

/// The subgraphs and their merged schema.
pub(super) struct Composition<'a> {
    pub(super) parts: Vec<SubgraphPart<'a>>,
    /// The merged schema, `@inaccessible` elements included.
    pub(super) schema: Schema,
}

/// Composes the subgraphs; reports every violated composition rule.
pub(super) fn compose<'a>(sdls: &'a [Sdl], problems: &mut Problems) -> Composition<'a> {
    let mut parts: Vec<SubgraphPart<'_>> = sdls.iter().map(SubgraphPart::new).collect();
    legacy::adapt(&mut parts);
    overrides::apply(&mut parts, problems);
    for part in &parts {
        check::part(part, problems);
    }
    let schema = merge::merge(&parts, problems);
    let composition = Composition { parts, schema };
    check::composition(&composition, problems);
    composition
}

impl Composition<'_> {
    /// The supergraph as SDL, in the form that other gateways read.
    pub(super) fn print(&self) -> String {
        print::print(self)
    }

    /// The schemas of the GraphQL subgraphs, in the form that planning uses.
    pub(super) fn subgraph_schemas(&self) -> Vec<SubgraphSchema> {
        let parts = self.parts.iter();
        parts
            .filter(|part| !part.has_connectors())
            .map(subgraph_schema::subgraph_schema)
            .collect()
    }

    /// The cache directives of each subgraph.
    pub(super) fn cache_directives(&self) -> Vec<SubgraphCacheDirectives> {
        self.parts
            .iter()
            .map(caching::subgraph_cache_directives)
            .collect()
    }
}
