//! `@context` and `@fromContext`: names and locations. The selections are checked by `federation`.

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node, ast};

use super::super::contexts::context_reference;
use super::super::part::{SubgraphPart, fields, is_resolvable, string_argument};
use crate::diagnostic::{Code, Diagnostic, Problems, nearest};
use crate::sdl::federation::Directive;

pub(super) fn check(part: &SubgraphPart<'_>, problems: &mut Problems) {
    for (owner, definition) in part.types() {
        for context in part.type_directives(definition.directives(), Directive::Context) {
            problems.extend(invalid_name(part, context));
        }
        for (_, field) in fields(definition).into_iter().flatten() {
            for argument in &field.arguments {
                let Some(directive) = part.context_directive(argument) else {
                    continue;
                };
                let at = ContextualArgument {
                    part,
                    owner,
                    definition,
                    field,
                    argument,
                    directive,
                };
                at.check(problems);
            }
        }
    }
    for definition in part.schema.directive_definitions.values() {
        for argument in &definition.arguments {
            if let Some(directive) = part.context_directive(argument) {
                let message = format!(
                    "`@{}({}:)` is an argument of a directive, and `@fromContext` applies to \
                     arguments of fields only",
                    definition.name, argument.name
                );
                let span = part.span(directive.location());
                problems.push(Diagnostic::error(Code::ContextNotSet, span, message));
            }
        }
    }
}

/// Reports a name with other characters than letters and digits: a supergraph prefixes the name
/// with the subgraph's and two underscores.
fn invalid_name(part: &SubgraphPart<'_>, context: &Node<ast::Directive>) -> Option<Diagnostic> {
    let name = string_argument(context, "name")?;
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|char| char.is_ascii_alphabetic());
    if starts && chars.all(|char| char.is_ascii_alphanumeric()) {
        return None;
    }
    let message = format!("`{name}` is not a valid context name");
    let help = "begin the name with a letter, and use letters and digits only".to_owned();
    let span = part.span(context.location());
    Some(Diagnostic::error(Code::ContextNameInvalid, span, message).help(help))
}

/// An argument with `@fromContext`.
struct ContextualArgument<'a> {
    part: &'a SubgraphPart<'a>,
    owner: &'a Name,
    definition: &'a ExtendedType,
    field: &'a Component<FieldDefinition>,
    argument: &'a InputValueDefinition,
    directive: &'a Node<ast::Directive>,
}

impl ContextualArgument<'_> {
    fn check(&self, problems: &mut Problems) {
        problems.extend(self.misplaced());
        problems.extend(self.unset());
        problems.extend(self.unreachable());
    }

    fn name(&self) -> String {
        format!(
            "{}.{}({}:)",
            self.owner, self.field.name, self.argument.name
        )
    }

    fn error(&self, code: Code, message: String) -> Diagnostic {
        Diagnostic::error(code, self.part.span(self.directive.location()), message)
    }

    /// Reports a context argument on or of an interface field, or with a default: the merged field
    /// does not have the argument, so no interface can declare it and no default applies.
    fn misplaced(&self) -> Option<Diagnostic> {
        let owner = self.owner;
        let ExtendedType::Object(object) = self.definition else {
            let message = format!("`{}` is an argument of an interface field", self.name());
            let help = format!("move `@fromContext` to the object types that implement `{owner}`");
            return Some(self.error(Code::ContextNotSet, message).help(help));
        };
        let mut interfaces = object.implements_interfaces.iter();
        let interface_with_field =
            interfaces.find(|it| self.part.field(it, &self.field.name).is_some());
        if let Some(interface) = interface_with_field {
            let message = format!(
                "`{}` comes from a context, and interface `{interface}` declares the field too",
                self.name()
            );
            let help = format!("remove `{}` from `{interface}`", self.field.name);
            return Some(self.error(Code::ContextNotSet, message).help(help));
        }
        self.argument.default_value.as_ref().map(|_| {
            let message = format!(
                "`{}` comes from a context and has a default value",
                self.name()
            );
            let help =
                "remove the default value: an argument without a context value is sent as null"
                    .to_owned();
            self.error(Code::ContextSelectionInvalid, message)
                .help(help)
        })
    }

    fn unset(&self) -> Option<Diagnostic> {
        let field = string_argument(self.directive, "field").unwrap_or_default();
        let Some(reference) = context_reference(field) else {
            let message = format!("`{field}` does not name a context");
            let help = "write `$name { field }`".to_owned();
            return Some(self.error(Code::NoContextReferenced, message).help(help));
        };
        let context = reference.context;
        if !self.part.context_setters(context).is_empty() {
            return None;
        }
        let message = format!("no type of `{}` sets context `{context}`", self.part.name());
        let types = self.part.types();
        let known = types.flat_map(|(_, definition)| self.part.contexts(definition));
        let help = match nearest(context, known) {
            Some(close) => format!("write `${close}`"),
            None => format!("add `@context(name: \"{context}\")` to the type that provides it"),
        };
        Some(self.error(Code::ContextNotSet, message).help(help))
    }

    /// Reports an owner without a resolvable key: the field is requested in an entity lookup of its
    /// own, after the ancestor that sets the context is fetched.
    fn unreachable(&self) -> Option<Diagnostic> {
        let (owner, definition) = (self.owner, self.definition);
        let mut keys = self
            .part
            .type_directives(definition.directives(), Directive::Key);
        if keys.any(|key| is_resolvable(key)) || !definition.is_object() {
            return None;
        }
        let message = format!(
            "`{}` comes from a context, and `{owner}` has no resolvable `@key`",
            self.name()
        );
        let help = format!("add a resolvable `@key` to `{owner}`");
        Some(self.error(Code::ContextNoResolvableKey, message).help(help))
    }
}
