//! `@override` of fields that connectors give, which cannot be moved field by field.

use apollo_compiler::schema::{ExtendedType, ObjectType};

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::{Sdl, called_on_field};

/// Reports every `@override` whose `from` is a subgraph with connectors that has the field.
pub(super) fn check(sdls: &[Sdl], problems: &mut Problems) {
    for sdl in sdls {
        let federation = sdl.links.federation.as_ref();
        let name = federation.map_or_else(|| "override".to_owned(), |it| it.directive("override"));
        for definition in sdl.schema.types.values() {
            if let ExtendedType::Object(object) = definition {
                check_object(sdls, (sdl, object), &name, problems);
            }
        }
    }
}

fn check_object(
    sdls: &[Sdl],
    (sdl, object): (&Sdl, &ObjectType),
    name: &str,
    problems: &mut Problems,
) {
    for (field_name, field) in &object.fields {
        for directive in called_on_field(&field.directives, name) {
            let from = directive.specified_argument_by_name("from");
            let Some(from) = from.and_then(|value| value.as_str()) else {
                continue; // The validator reports a missing argument.
            };
            let overridden = sdls
                .iter()
                .filter(|other| *other.name == *from && other.links.connect.is_some())
                .find_map(|other| {
                    let twin = other.schema.get_object(&object.name)?;
                    Some((other, twin.fields.get(field_name)?))
                });
            let Some((other, twin)) = overridden else {
                continue;
            };
            let message = format!(
                "`{}.{field_name}` is given by connectors of `{from}`, which cannot be overridden",
                object.name
            );
            let span = sdl.span(directive.location());
            let problem = Diagnostic::error(Code::OverrideOnConnector, span, message)
                .label(other.span(twin.name.location()), format!("in `{from}`"))
                .help(Some(format!(
                    "leave `@override` out, and take the field out of `{from}` when nothing needs it there"
                )));
            problems.push(problem);
        }
    }
}
