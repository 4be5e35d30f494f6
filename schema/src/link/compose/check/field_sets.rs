//! Rules for the fields that `@key`, `@requires` and `@provides` name.

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, ast};

use super::super::field_sets::{implementing_objects, parse};
use super::super::part::{SubgraphPart, fields, string_argument};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::federation::Directive;

pub(super) fn check(part: &SubgraphPart<'_>, problems: &mut Problems) {
    for (owner, definition) in part.types() {
        let legacy_interface = definition.is_interface() && part.is_legacy();
        for key in part.type_directives(definition.directives(), Directive::Key) {
            if !legacy_interface {
                let set = FieldSetCheck::new(part, key, format!("`{owner}`"));
                set.read(owner, |set, fields| set.check_key(fields, problems));
            }
        }
        for (name, field) in fields(definition).into_iter().flatten() {
            let coordinate = format!("`{owner}.{name}`");
            for requires in part.directives(&field.directives, Directive::Requires) {
                let set = FieldSetCheck::new(part, requires, coordinate.clone());
                set.read(owner, |set, fields| {
                    let code = Code::RequiresFieldsMissingExternal;
                    set.check_external(fields, code, problems);
                });
            }
            for provides in part.directives(&field.directives, Directive::Provides) {
                let set = FieldSetCheck::new(part, provides, coordinate.clone());
                set.read(field.ty.inner_named_type(), |set, fields| {
                    set.check_provided(fields, problems);
                    let code = Code::ProvidesFieldsMissingExternal;
                    set.check_external(fields, code, problems);
                });
            }
        }
    }
}

/// One directive with a field set.
struct FieldSetCheck<'a> {
    part: &'a SubgraphPart<'a>,
    directive: &'a Node<ast::Directive>,
    /// The type or field that has the directive, for messages.
    coordinate: String,
}

impl<'a> FieldSetCheck<'a> {
    fn new(
        part: &'a SubgraphPart<'a>,
        directive: &'a Node<ast::Directive>,
        coordinate: String,
    ) -> Self {
        Self {
            part,
            directive,
            coordinate,
        }
    }

    /// Parses the field set as a selection on type `on`, and checks it. A field set that does not
    /// parse is reported by `federation`.
    fn read(&self, on: &Name, check: impl FnOnce(&Self, &SelectionSet)) {
        let set = string_argument(self.directive, "fields")
            .and_then(|it| parse(&self.part.schema, on, it));
        if let Some(set) = set {
            check(self, &set.selection_set);
        }
    }

    fn error(&self, code: Code, message: String) -> Diagnostic {
        let value = self.directive.specified_argument_by_name("fields");
        let at = value.map_or_else(|| self.directive.location(), Node::location);
        Diagnostic::error(code, self.part.span(at), message)
    }

    fn check_key(&self, set: &SelectionSet, problems: &mut Problems) {
        for field in all_fields(set) {
            let (owner, name) = (&field.owner, &field.field.name);
            if !field.field.definition.arguments.is_empty() {
                let message = format!(
                    "`{owner}.{name}`, a key of {}, has arguments",
                    self.coordinate
                );
                problems.push(self.error(Code::KeyFieldsHasArgs, message));
            }
            let ty = field.field.definition.ty.inner_named_type();
            let kind = match self.part.schema.types.get(ty) {
                Some(ExtendedType::Interface(_)) => "an interface",
                Some(ExtendedType::Union(_)) => "a union",
                _ => continue,
            };
            let message = format!("`{owner}.{name}`, a key of {}, is {kind}", self.coordinate);
            problems.push(self.error(Code::KeyFieldsSelectInvalidType, message));
        }
    }

    fn check_provided(&self, set: &SelectionSet, problems: &mut Problems) {
        for field in all_fields(set) {
            if !field.field.definition.arguments.is_empty() {
                let (owner, name) = (&field.owner, &field.field.name);
                let message = format!(
                    "`{owner}.{name}`, which {} provides, has arguments",
                    self.coordinate
                );
                problems.push(self.error(Code::ProvidesFieldsHasArgs, message));
            }
        }
    }

    /// Reports leaf fields that are not external and not nested in an external field.
    fn check_external(&self, set: &SelectionSet, code: Code, problems: &mut Problems) {
        if self.part.is_legacy() {
            return; // Federation 1 has no such rule.
        }
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    if self.is_external(&set.ty, &field.name) || field.name == "__typename" {
                        continue;
                    }
                    if !field.selection_set.selections.is_empty() {
                        self.check_external(&field.selection_set, code, problems);
                        continue;
                    }
                    let (owner, name) = (&set.ty, &field.name);
                    let message = format!(
                        "`{owner}.{name}` is not `@external`, and `@{}` of {} names it",
                        self.directive.name, self.coordinate
                    );
                    let help = format!(
                        "add `@external` if another subgraph resolves the field, or remove it from `@{}`",
                        self.directive.name
                    );
                    problems.push(self.error(code, message).help(help));
                }
                Selection::InlineFragment(fragment) => {
                    self.check_external(&fragment.selection_set, code, problems);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Whether the field is `@external`; for a field of an interface, whether it is on an
    /// implementing object type.
    fn is_external(&self, owner: &Name, name: &Name) -> bool {
        let mut owners = implementing_objects(&self.part.schema, owner);
        owners.push(owner.clone());
        owners.iter().any(|owner| {
            let Some(definition) = self.part.get(owner) else {
                return false;
            };
            let field = fields(definition).and_then(|fields| fields.get(name));
            field.is_some_and(|field| {
                self.part
                    .has_directive(&field.directives, Directive::External)
                    || self
                        .part
                        .is_covered_by(definition, field, Directive::External)
            })
        })
    }
}

/// A selected field and its parent type.
struct SelectedField<'a> {
    owner: &'a Name,
    field: &'a Node<apollo_compiler::executable::Field>,
}

/// The fields of a selection set at every depth.
fn all_fields(set: &SelectionSet) -> Vec<SelectedField<'_>> {
    let mut fields = Vec::new();
    for selection in &set.selections {
        match selection {
            Selection::Field(it) => {
                fields.push(SelectedField {
                    owner: &set.ty,
                    field: it,
                });
                fields.extend(all_fields(&it.selection_set));
            }
            Selection::InlineFragment(it) => fields.extend(all_fields(&it.selection_set)),
            Selection::FragmentSpread(_) => {}
        }
    }
    fields
}
