//! What is wrong with one subgraph's federation directives, and with what they say together.
//!
//! Whether sets of fields can be read is told by `federation::views`, whether types go together
//! by `merge`.

use super::Composition;
use super::part::SubgraphPart;
use crate::diagnostic::Problems;

mod access;
mod compose_directive;
mod contexts;
mod extensions;
mod external;
mod field_sets;
mod inaccessible;
mod interfaces;
mod misplaced;
mod sharing;

/// Reports what is wrong in `part` by itself.
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

/// Reports what is wrong with the subgraphs together.
pub(super) fn composition(composition: &Composition<'_>, problems: &mut Problems) {
    extensions::check(composition, problems);
    sharing::check(composition, problems);
    interfaces::check(composition, problems);
    inaccessible::check(composition, problems);
}
