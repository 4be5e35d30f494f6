//! Arguments of a field that none of its connectors uses.

use std::collections::HashSet;

use super::{ConnectLocation, Reader};
use crate::connector::Phase;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Access, Source};

/// Warns of the arguments of a field that `sources`, its connectors, do not use.
pub(super) fn check(reader: &mut Reader<'_>, location: ConnectLocation<'_>, sources: &[Source]) {
    let ConnectLocation::Field(_, field) = location else {
        return;
    };
    let Some(used) = used_arguments(sources) else {
        return;
    };
    let unused = field.arguments.iter().filter(|argument| {
        let is_deprecated = argument.directives.has("deprecated");
        !is_deprecated && !used.contains(argument.name.as_str())
    });
    for argument in unused {
        let name = &argument.name;
        let message = format!(
            "no connector of `{}` uses the argument `{name}`",
            location.name()
        );
        let help =
            format!("write `{{$args.{name}}}` in a URL or header, or `$args.{name}` in a mapping");
        let span = reader.sdl.span(name.location());
        let problem = Diagnostic::warning(Code::ArgumentUnused, span, message);
        reader.problems.push(problem.help(help));
    }
}

/// The names of the arguments that connectors use; `None` if one uses `$args` as a whole.
fn used_arguments(sources: &[Source]) -> Option<HashSet<String>> {
    let mut used = HashSet::new();
    for source in sources {
        let Access::Connector(connector) = &source.access else {
            continue;
        };
        let phases = [Phase::Request, Phase::Response];
        let uses = phases
            .into_iter()
            .flat_map(|it| connector.variable_uses(it));
        for variable in uses.filter(|it| it.name == "args") {
            if variable.fields.is_empty() {
                return None;
            }
            used.extend(variable.fields.into_iter().map(|field| field.name));
        }
    }
    Some(used)
}
