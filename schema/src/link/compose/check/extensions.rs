//! Types that are extended, and defined by no subgraph.

use super::super::Composition;
use crate::diagnostic::{Code, Diagnostic, Problems};

pub(super) fn check(composition: &Composition<'_>, problems: &mut Problems) {
    for name in composition.schema.types.keys() {
        if ROOTS.contains(&name.as_str()) {
            continue;
        }
        let mut first = None;
        let has_base = composition.parts.iter().any(|part| {
            let Some(definition) = part.get(name) else {
                return false;
            };
            let mut origins = definition.iter_origins();
            let extension = origins.find_map(|origin| origin.extension_id());
            if let (None, Some(extension)) = (&first, extension) {
                first = Some(part.span(extension.location()));
            }
            let mut origins = definition.iter_origins();
            extension.is_none() || origins.any(|origin| origin.extension_id().is_none())
        });
        if let (false, Some(span)) = (has_base, first) {
            let message = format!("`{name}` is extended, but no subgraph defines it");
            let help = format!(
                "write `type {name}` instead of `extend type {name}` in one of the subgraphs"
            );
            let problem = Diagnostic::error(Code::ExtensionWithNoBase, span, message);
            problems.push(problem.help(help));
        }
    }
}

/// Root types: extending them needs no definition.
const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];
