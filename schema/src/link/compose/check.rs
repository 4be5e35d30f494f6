//! What is wrong with one subgraph's federation directives, and with what they say together.
//!
//! Whether sets of fields can be read is told by `federation::views`, whether types go together
//! by `merge`.

use super::Composed;
use super::part::Part;
use crate::diagnostic::Problems;

mod access;
mod composed;
mod contexts;
mod extensions;
mod external;
mod hidden;
mod interfaces;
mod places;
mod sets;
mod sharing;

/// Reports what is wrong in `part` by itself.
pub(super) fn part(part: &Part<'_>, problems: &mut Problems) {
    places::check(part, problems);
    composed::check(part, problems);
    access::check(part, problems);
    contexts::check(part, problems);
    if !part.has_connectors() {
        sets::check(part, problems);
    }
    if !part.is_legacy() && !part.has_connectors() {
        external::check(part, problems);
    }
}

/// Reports what is wrong with the subgraphs together.
pub(super) fn together(composed: &Composed<'_>, problems: &mut Problems) {
    extensions::check(composed, problems);
    sharing::check(composed, problems);
    interfaces::check(composed, problems);
    hidden::check(composed, problems);
}
