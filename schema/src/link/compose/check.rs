//! The composition rules for federation directives: per subgraph, and across subgraphs.
//!
//! Field sets that do not parse are reported by `federation`, types that do not merge by `merge`.

use super::Composition;
use super::part::SubgraphPart;
use crate::diagnostic::Problems;

mod access;
mod compose_directive;
mod contexts;
mod defaults;
mod extensions;
mod external;
mod field_sets;
mod inaccessible;
mod interfaces;
mod misplaced;
mod sharing;

/// Checks the rules that concern `part` alone.
pub(super) fn part(part: &SubgraphPart<'_>, problems: &mut Problems) {
    misplaced::check(part, problems);
    compose_directive::check(part, problems);
    access::check(part, problems);
    contexts::check(part, problems);
    if !part.has_connectors() {
        field_sets::check(part, problems);
    }
    if !part.is_legacy() && !part.has_connectors() {
        external::check(part, problems);
    }
}

/// Checks the rules that concern several subgraphs.
pub(super) fn composition(composition: &Composition<'_>, problems: &mut Problems) {
    extensions::check(composition, problems);
    sharing::check(composition, problems);
    interfaces::check(composition, problems);
    inaccessible::check(composition, problems);
    defaults::check(composition, problems);
}
