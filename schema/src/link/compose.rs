//! Subgraphs of both kinds → what they make together: the merged schema, and the services that
//! speak GraphQL.
//!
//! The rules are those of Apollo Federation. Connectors give sources by themselves (`connect`);
//! of a subgraph that has them only the types are looked at here.

use apollo_compiler::Schema;

use self::part::Part;
use super::caching::Statements;
use super::federation::Service;
use super::{merge, overrides};
use crate::diagnostic::Problems;
use crate::sdl::Sdl;

mod caching;
mod check;
pub(super) mod contexts;
mod external;
pub(super) mod fields;
mod legacy;
pub(super) mod part;
mod print;
mod service;

/// What subgraphs make together.
pub(super) struct Composed<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// Types as clients see them, and those that they may not see (`@inaccessible`).
    pub(super) schema: Schema,
}

/// Merges the subgraphs; reports what does not fit.
pub(super) fn compose<'a>(sdls: &'a [Sdl], problems: &mut Problems) -> Composed<'a> {
    let mut parts: Vec<Part<'_>> = sdls.iter().map(Part::new).collect();
    legacy::adapt(&mut parts);
    overrides::apply(&mut parts, problems);
    for part in &parts {
        check::part(part, problems);
    }
    let schema = merge::merge(&parts, problems);
    let composed = Composed { parts, schema };
    check::together(&composed, problems);
    composed
}

impl Composed<'_> {
    /// As a supergraph that other gateways read.
    pub(super) fn print(&self) -> String {
        print::print(self)
    }

    /// The subgraphs that speak GraphQL, as planning looks at them.
    pub(super) fn services(&self) -> Vec<Service> {
        let parts = self.parts.iter();
        parts
            .filter(|part| !part.has_connectors())
            .map(service::service)
            .collect()
    }

    /// What each subgraph says about keeping what it gives.
    pub(super) fn statements(&self) -> Vec<Statements> {
        self.parts.iter().map(caching::statements).collect()
    }
}
