//! `@override`: fields that move from one subgraph to another.

use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node, ast};

use super::compose::part::{Coordinate, Overridden, SubgraphPart, fields, string_argument};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::override_label;
use crate::sdl::federation::Directive;

/// Marks each overridden field in the subgraph that loses it, and reports invalid overrides.
pub(super) fn apply(parts: &mut [SubgraphPart<'_>], problems: &mut Problems) {
    for index in 0..parts.len() {
        let mut overrides = Vec::new();
        for directive in override_directives(&parts[index]) {
            let label = string_argument(&directive.node, "label").map(str::to_owned);
            let from = overridden_field(parts, index, &directive, problems);
            overrides.extend(from.map(|from| (from, label)));
        }
        for ((other, field), label) in overrides {
            let overridden = match label {
                None => Overridden::Always,
                Some(label) => {
                    parts[index]
                        .progressive_overrides
                        .insert(field.clone(), label.clone());
                    Overridden::UnderLabel(label)
                }
            };
            parts[other].overridden.insert(field, overridden);
        }
    }
}

/// Help text on the syntax of override labels.
pub(super) const OVERRIDE_LABELS: &str = "use a letter followed by letters, digits and `_-:./`, \
     or `percent(N)` with a number from 0 to 100";

/// One `@override` and the field that has it.
struct OverrideDirective {
    owner: Name,
    on_interface: bool,
    field: Component<ast::FieldDefinition>,
    node: Node<ast::Directive>,
}

fn override_directives(part: &SubgraphPart<'_>) -> Vec<OverrideDirective> {
    let mut overrides = Vec::new();
    for (owner, definition) in part.types() {
        for (_, field) in fields(definition).into_iter().flatten() {
            let directives = part.directives(&field.directives, Directive::Override);
            overrides.extend(directives.map(|node| OverrideDirective {
                owner: owner.clone(),
                on_interface: matches!(definition, ExtendedType::Interface(_)),
                field: field.clone(),
                node: node.clone(),
            }));
        }
    }
    overrides
}

/// The index of the subgraph that loses the field, and the field; `None` where no other subgraph
/// resolves it.
fn overridden_field(
    parts: &[SubgraphPart<'_>],
    index: usize,
    directive: &OverrideDirective,
    problems: &mut Problems,
) -> Option<(usize, Coordinate)> {
    let part = &parts[index];
    let from = string_argument(&directive.node, "from")?;
    let span = part.span(directive.node.location());
    let (owner, name) = (&directive.owner, &directive.field.name);
    let error = |code, message: String| Diagnostic::error(code, span.clone(), message);
    if directive.on_interface {
        let message = format!(
            "`{owner}.{name}` is a field of an interface, and only fields of objects can be overridden"
        );
        problems.push(error(Code::OverrideOnInterface, message));
        return None;
    }
    if from == part.name() {
        let message = format!("`{owner}.{name}` is overridden from its own subgraph");
        problems.push(error(Code::OverrideFromSelfError, message));
        return None;
    }
    let label = string_argument(&directive.node, "label");
    if let Some(label) = label.filter(|label| !override_label::is_valid(label)) {
        let message = format!("`{label}` is not a valid override label for `{owner}.{name}`");
        let problem = error(Code::OverrideLabelInvalid, message);
        problems.push(problem.help(OVERRIDE_LABELS.to_owned()));
    }
    let other = parts.iter().position(|other| other.name() == from)?;
    let twin = parts[other].field(owner, name)?;
    let label = (
        parts[other].span(twin.name.location()),
        format!("in `{from}`"),
    );
    if parts[other].has_connectors() {
        let message = format!(
            "`{owner}.{name}` is resolved by connectors of `{from}`, which cannot be overridden"
        );
        let help = format!(
            "remove `@override`, and remove the field from `{from}` once nothing there needs it"
        );
        let problem = error(Code::OverrideOnConnector, message).label(label.0, label.1);
        problems.push(problem.help(help));
    } else if parts[other].has_directive(&twin.directives, Directive::Override) {
        let message = format!("`{owner}.{name}` has `@override` in `{from}` too");
        let help = "remove one of the two `@override`s".to_owned();
        let problem = error(Code::OverrideSourceHasOverride, message).label(label.0, label.1);
        problems.push(problem.help(help));
    }
    problems.extend(directive.conflict(part, &parts[other], twin));
    let external = parts[other].is_external(owner, name);
    (!external).then(|| (other, (owner.clone(), name.clone())))
}

impl OverrideDirective {
    /// Reports a directive that contradicts `@override`: the overriding subgraph must resolve the
    /// field, and requirements and provided fields of the overridden one would be lost.
    fn conflict(
        &self,
        part: &SubgraphPart<'_>,
        from: &SubgraphPart<'_>,
        overridden: &ast::FieldDefinition,
    ) -> Option<Diagnostic> {
        let own = (part, &**self.field, Directive::External);
        let requires = (from, overridden, Directive::Requires);
        let provides = (from, overridden, Directive::Provides);
        let mut conflicts = [own, requires, provides].into_iter();
        let (other, kind) = conflicts.find_map(|(part, field, kind)| {
            let mut directives = part.directives(&field.directives, kind);
            Some((part.span(directives.next()?.location()), kind))
        })?;
        let coordinate = format!("{}.{}", self.owner, self.field.name);
        let where_found = match kind {
            Directive::External => "here".to_owned(),
            _ => format!("in `{}`", from.name()),
        };
        let message = format!(
            "`{coordinate}` cannot have `@override`, because it has `@{}` {where_found}",
            kind.name()
        );
        let span = part.span(self.node.location());
        let code = Code::OverrideCollisionWithAnotherDirective;
        Some(Diagnostic::error(code, span, message).label(other, "the other directive"))
    }
}
