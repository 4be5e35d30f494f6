//! Every path to a field with a context argument must contain an object that sets the context.

use std::collections::{HashSet, VecDeque};

use super::SatisfiabilityCheck;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::key::ContextArgument;
use crate::link::compose::part::fields;
use crate::source::Source;
use crate::types::{Name, TypeId};

/// Reports context arguments with a path to their field on which no type sets the context.
pub(super) fn check(check: &SatisfiabilityCheck<'_>, problems: &mut Problems) {
    for (on, ty) in check.types.iter() {
        for name in ty.fields().into_iter().flat_map(|fields| fields.keys()) {
            for (source, argument) in required_contexts(check, on, name) {
                let setters: Vec<TypeId> = argument.setters.iter().map(|it| it.0).collect();
                let Some(path) = unset_path(check, on, &setters) else {
                    continue;
                };
                let unset = UnsetContext {
                    on,
                    field: name,
                    source,
                    argument,
                    path,
                };
                problems.push(unset.diagnostic(check));
            }
        }
    }
}

/// An argument that comes from a context, and a path to its field without the context.
struct UnsetContext<'a> {
    on: TypeId,
    field: &'a Name,
    source: &'a Source,
    argument: &'a ContextArgument,
    path: String,
}

/// The context arguments of a field; none if a source provides the field without one.
fn required_contexts<'a>(
    check: &SatisfiabilityCheck<'a>,
    on: TypeId,
    name: &Name,
) -> Vec<(&'a Source, &'a ContextArgument)> {
    let mut found: Vec<(&Source, &ContextArgument)> = Vec::new();
    for source in check.sources {
        let nodes = source.nodes.iter().filter(|node| node.on == on);
        let fields = nodes.filter_map(|node| node.fields.get(name));
        for field in fields.filter(|field| !field.only_in_keys) {
            if field.context_arguments.is_empty() {
                return Vec::new();
            }
            let new = field.context_arguments.iter();
            let known = |it: &&ContextArgument| found.iter().all(|(_, known)| known != it);
            let new: Vec<_> = new.filter(known).map(|it| (source, it)).collect();
            found.extend(new);
        }
    }
    found
}

/// A path from a root type to objects of type `to` that contains none of `setters`.
fn unset_path(check: &SatisfiabilityCheck<'_>, to: TypeId, setters: &[TypeId]) -> Option<String> {
    let types = check.types;
    let roots = [types.query(), types.mutation()];
    let mut queue: VecDeque<(TypeId, String)> = VecDeque::new();
    for root in roots.into_iter().flatten() {
        queue.push_back((root, types.get(root).name.to_string()));
    }
    let mut seen: HashSet<TypeId> = queue.iter().map(|(root, _)| *root).collect();
    while let Some((from, path)) = queue.pop_front() {
        if setters.contains(&from) {
            continue;
        }
        let ty = types.get(from);
        let visible = check.client.types.get(&*ty.name).and_then(fields);
        for (name, field) in ty.fields().into_iter().flatten() {
            if visible.is_none_or(|it| !it.contains_key(&**name)) {
                continue;
            }
            let path = format!("{path}.{name}");
            for object in &types.get(field.ty.named_type()).possible_types {
                if *object == to {
                    return Some(path);
                }
                if seen.insert(*object) {
                    queue.push_back((*object, path.clone()));
                }
            }
        }
    }
    None
}

impl UnsetContext<'_> {
    fn diagnostic(&self, check: &SatisfiabilityCheck<'_>) -> Diagnostic {
        let owner = &check.types.get(self.on).name;
        let message = format!(
            "`{owner}.{}({}:)` comes from a context in `{}`, and no type on the path `{}` sets it",
            self.field, self.argument.argument, self.source.name, self.path
        );
        let part = check
            .parts
            .iter()
            .find(|part| *part.sdl.name == *self.source.name);
        let place = part.and_then(|part| {
            let field = part.field(owner, self.field)?;
            let mut arguments = field.arguments.iter();
            let definition = arguments.find(|it| *it.name == *self.argument.argument)?;
            Some(part.span(definition.name.location()))
        });
        let problem = match place {
            Some(span) => Diagnostic::error(Code::ContextNotSet, span, message),
            None => Diagnostic::without_span(Code::ContextNotSet, message),
        };
        let help = "add `@context` to a type on that path, or provide the field without \
                the argument in another subgraph";
        problem.help(help.to_owned())
    }
}
