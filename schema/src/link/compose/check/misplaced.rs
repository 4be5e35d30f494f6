//! Directives at locations where they have no meaning.

use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node, ast};

use super::super::part::{SubgraphPart, fields};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::federation::Directive;

pub(super) fn check(part: &SubgraphPart<'_>, problems: &mut Problems) {
    for (owner, definition) in part.types() {
        check_interface_object(part, owner, definition, problems);
        for (_, field) in fields(definition).into_iter().flatten() {
            let at = FieldSite { part, owner, field };
            if definition.is_interface() && !part.is_legacy() {
                at.check_on_interface(problems);
            }
            at.check_provides(problems);
        }
    }
}

fn check_interface_object(
    part: &SubgraphPart<'_>,
    name: &Name,
    definition: &ExtendedType,
    problems: &mut Problems,
) {
    let mut uses = part.type_directives(definition.directives(), Directive::InterfaceObject);
    if let Some(directive) = uses.next()
        && !part.has_type_directive(definition.directives(), Directive::Key)
    {
        let message = format!("`{name}` is an `@interfaceObject` without a `@key`");
        let span = part.span(directive.location());
        let help = format!("add a `@key` of the interface `{name}`");
        let problem = Diagnostic::error(Code::InterfaceObjectUsageError, span, message);
        problems.push(problem.help(help));
    }
}

struct FieldSite<'a> {
    part: &'a SubgraphPart<'a>,
    owner: &'a Name,
    field: &'a Component<FieldDefinition>,
}

impl FieldSite<'_> {
    fn name(&self) -> String {
        format!("{}.{}", self.owner, self.field.name)
    }

    fn error(&self, code: Code, directive: &Node<ast::Directive>, message: String) -> Diagnostic {
        Diagnostic::error(code, self.part.span(directive.location()), message)
    }

    fn check_on_interface(&self, problems: &mut Problems) {
        for (kind, code) in [
            (Directive::Requires, Code::RequiresUnsupportedOnInterface),
            (Directive::Provides, Code::ProvidesUnsupportedOnInterface),
            (Directive::Shareable, Code::InvalidShareableUsage),
        ] {
            for directive in self.part.directives(&self.field.directives, kind) {
                let message = format!(
                    "`@{}` is on `{}`, a field of an interface",
                    kind.name(),
                    self.name()
                );
                let help = "move it to the fields of the implementing object types".to_owned();
                problems.push(self.error(code, directive, message).help(help));
            }
        }
    }

    fn check_provides(&self, problems: &mut Problems) {
        for directive in self
            .part
            .directives(&self.field.directives, Directive::Provides)
        {
            let ty = self.field.ty.inner_named_type();
            let is_leaf = match self.part.schema.types.get(ty) {
                Some(definition) => definition.is_leaf(),
                None => false, // The validator reports it.
            };
            if is_leaf {
                let message = format!(
                    "`@provides` is on `{}`, whose type `{ty}` has no fields",
                    self.name()
                );
                problems.push(self.error(Code::ProvidesOnNonObjectField, directive, message));
            }
        }
    }
}
