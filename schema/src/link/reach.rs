//! Whether every root field can be asked somewhere.

use apollo_compiler::schema::ExtendedType;

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::Sdl;
use crate::source::Source;
use crate::types::Types;

/// Reports root fields that no source gives.
pub(super) fn check(sdls: &[Sdl], types: &Types, sources: &[Source], problems: &mut Problems) {
    for root in [types.query(), types.mutation()].into_iter().flatten() {
        for sdl in sdls {
            let Some(ExtendedType::Object(object)) =
                sdl.schema.types.get(types.get(root).name.as_ref())
            else {
                continue;
            };
            for (name, field) in &object.fields {
                let given = sources.iter().any(|source| {
                    let mut entries = source.entries.iter();
                    entries.any(|entry| {
                        entry.on == root
                            && source.node(entry.node).fields.contains_key(name.as_str())
                    })
                });
                if !given {
                    problems.push(
                        Diagnostic::error(
                            Code::UnreachableField,
                            sdl.span(field.name.location()),
                            format!("nothing gives `{}.{name}`", object.name),
                        )
                        .help(Some("give it a `@connect`".to_owned())),
                    );
                }
            }
        }
    }
}
