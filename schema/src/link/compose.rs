//! Subgraphs of both kinds → what they make together: the merged schema, and the services that
//! speak GraphQL.
//!
//! The rules are those of Apollo Federation. Connectors give sources by themselves (`connect`);
//! of a subgraph that has them only the types are looked at here.

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

/// What subgraphs make together.
pub(super) struct Composition<'a> {
    pub(super) parts: Vec<SubgraphPart<'a>>,
    /// Types as clients see them, and those that they may not see (`@inaccessible`).
    pub(super) schema: Schema,
}

/// Merges the subgraphs; reports what does not fit.
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
    /// As a supergraph that other gateways read.
    pub(super) fn print(&self) -> String {
        print::print(self)
    }

    /// The subgraphs that speak GraphQL, as planning looks at them.
    pub(super) fn subgraph_schemas(&self) -> Vec<SubgraphSchema> {
        let parts = self.parts.iter();
        parts
            .filter(|part| !part.has_connectors())
            .map(subgraph_schema::subgraph_schema)
            .collect()
    }

    /// What each subgraph says about keeping what it gives.
    pub(super) fn cache_directives(&self) -> Vec<SubgraphCacheDirectives> {
        self.parts
            .iter()
            .map(caching::subgraph_cache_directives)
            .collect()
    }
}
