//! Rules of what `@key`, `@requires` and `@provides` may name.

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, ast};

use super::super::fields::{objects, parse};
use super::super::part::{Part, fields, text};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::federation::Directive;

pub(super) fn check(part: &Part<'_>, problems: &mut Problems) {
    for (owner, definition) in part.types() {
        let legacy_interface = definition.is_interface() && part.is_legacy();
        for key in part.on_type(definition.directives(), Directive::Key) {
            if !legacy_interface {
                let set = Set::new(part, key, format!("`{owner}`"));
                set.read(owner, |set, fields| set.key(fields, problems));
            }
        }
        for (name, field) in fields(definition).into_iter().flatten() {
            let place = format!("`{owner}.{name}`");
            for requires in part.on(&field.directives, Directive::Requires) {
                let set = Set::new(part, requires, place.clone());
                set.read(owner, |set, fields| {
                    let code = Code::RequiresFieldsMissingExternal;
                    set.external(fields, code, problems);
                });
            }
            for provides in part.on(&field.directives, Directive::Provides) {
                let set = Set::new(part, provides, place.clone());
                set.read(field.ty.inner_named_type(), |set, fields| {
                    set.provided(fields, problems);
                    let code = Code::ProvidesFieldsMissingExternal;
                    set.external(fields, code, problems);
                });
            }
        }
    }
}

/// One directive that names fields.
struct Set<'a> {
    part: &'a Part<'a>,
    directive: &'a Node<ast::Directive>,
    /// Where it stands, as people read it.
    place: String,
}

impl<'a> Set<'a> {
    fn new(part: &'a Part<'a>, directive: &'a Node<ast::Directive>, place: String) -> Self {
        Self {
            part,
            directive,
            place,
        }
    }

    /// Reads the fields, which are those of `on`; one that is no selection is told elsewhere.
    fn read(&self, on: &Name, look: impl FnOnce(&Self, &SelectionSet)) {
        let set = text(self.directive, "fields").and_then(|it| parse(&self.part.schema, on, it));
        if let Some(set) = set {
            look(self, &set.selection_set);
        }
    }

    fn refuse(&self, code: Code, message: String) -> Diagnostic {
        let value = self.directive.specified_argument_by_name("fields");
        let at = value.map_or_else(|| self.directive.location(), Node::location);
        Diagnostic::error(code, self.part.span(at), message)
    }

    fn key(&self, set: &SelectionSet, problems: &mut Problems) {
        for field in every(set) {
            let (owner, name) = (&field.of, &field.it.name);
            if !field.it.definition.arguments.is_empty() {
                let message = format!("`{owner}.{name}`, a key of {}, has arguments", self.place);
                problems.push(self.refuse(Code::KeyFieldsHasArgs, message));
            }
            let ty = field.it.definition.ty.inner_named_type();
            let kind = match self.part.schema.types.get(ty) {
                Some(ExtendedType::Interface(_)) => "an interface",
                Some(ExtendedType::Union(_)) => "a union",
                _ => continue,
            };
            let message = format!("`{owner}.{name}`, a key of {}, is {kind}", self.place);
            problems.push(self.refuse(Code::KeyFieldsSelectInvalidType, message));
        }
    }

    fn provided(&self, set: &SelectionSet, problems: &mut Problems) {
        for field in every(set) {
            if !field.it.definition.arguments.is_empty() {
                let (owner, name) = (&field.of, &field.it.name);
                let message = format!(
                    "`{owner}.{name}`, which {} provides, has arguments",
                    self.place
                );
                problems.push(self.refuse(Code::ProvidesFieldsHasArgs, message));
            }
        }
    }

    /// Reports leaves that are not external, and stand in nothing that is.
    fn external(&self, set: &SelectionSet, code: Code, problems: &mut Problems) {
        if self.part.is_legacy() {
            return; // Federation 1 did not ask.
        }
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    if self.is_external(&set.ty, &field.name) || field.name == "__typename" {
                        continue;
                    }
                    if !field.selection_set.selections.is_empty() {
                        self.external(&field.selection_set, code, problems);
                        continue;
                    }
                    let (owner, name) = (&set.ty, &field.name);
                    let message = format!(
                        "`{owner}.{name}`, which `@{}` of {} names, is not `@external`",
                        self.directive.name, self.place
                    );
                    let help = format!(
                        "mark it `@external` if another subgraph gives it, or leave it out of `@{}`",
                        self.directive.name
                    );
                    problems.push(self.refuse(code, message).help(help));
                }
                Selection::InlineFragment(fragment) => {
                    self.external(&fragment.selection_set, code, problems);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Whether the field says that it is another's; of an interface's, whether an object's does.
    fn is_external(&self, owner: &Name, name: &Name) -> bool {
        let mut owners = objects(&self.part.schema, owner);
        owners.push(owner.clone());
        owners.iter().any(|owner| {
            let Some(definition) = self.part.get(owner) else {
                return false;
            };
            let field = fields(definition).and_then(|fields| fields.get(name));
            field.is_some_and(|field| {
                self.part.has_on(&field.directives, Directive::External)
                    || self.part.covers(definition, field, Directive::External)
            })
        })
    }
}

/// A selected field with the type that it is of.
struct Selected<'a> {
    of: &'a Name,
    it: &'a Node<apollo_compiler::executable::Field>,
}

/// Every field at any depth.
fn every(set: &SelectionSet) -> Vec<Selected<'_>> {
    let mut found = Vec::new();
    for selection in &set.selections {
        match selection {
            Selection::Field(it) => {
                found.push(Selected { of: &set.ty, it });
                found.extend(every(&it.selection_set));
            }
            Selection::InlineFragment(it) => found.extend(every(&it.selection_set)),
            Selection::FragmentSpread(_) => {}
        }
    }
    found
}
