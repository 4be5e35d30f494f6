//! Checks the members of variables that a text reads: arguments, fields and headers.

use indexmap::IndexMap;

use super::{Check, ConnectLocation, SiteDirective};
use crate::diagnostic::{Code, nearest};
use crate::mapping::{UsedField, VariableUse};
use crate::types::{ArgumentDefinition, Name, TypeId, TypeKind};

impl Check<'_, '_> {
    pub(super) fn check_fields(&mut self, variable: &VariableUse, is_unfollowed: bool) {
        let SiteDirective::Connect(location) = self.site.directive else {
            return self.check_headers(variable);
        };
        let types = self.reader.types;
        let owner = types.find(&location.owner().name);
        match (variable.name.as_str(), location) {
            ("args", ConnectLocation::Field(_, field)) => {
                let field = owner.and_then(|owner| types.get(owner).field(&field.name));
                if let Some(field) = field {
                    self.check_inputs(
                        &variable.fields,
                        &location.name(),
                        &field.arguments,
                        is_unfollowed,
                    );
                }
            }
            ("this" | "batch", _) if variable.fields.is_empty() => {
                let message = format!("`${}` is an object, and is used as a whole", variable.name);
                let help = format!(
                    "name the fields that are used, as in `${}.id`",
                    variable.name
                );
                let problem = self.problem(&variable.range, message).help(help);
                self.report(problem.code(Code::UndefinedField));
            }
            ("this" | "batch", _) => {
                if let Some(owner) = owner {
                    self.check_outputs(&variable.fields, owner);
                }
            }
            _ => self.check_headers(variable),
        }
    }

    /// Checks arguments, or members of an input object.
    fn check_inputs(
        &mut self,
        fields: &[UsedField],
        owner: &str,
        known: &IndexMap<Name, ArgumentDefinition>,
        is_unfollowed: bool,
    ) {
        for field in fields {
            let Some(argument) = known.get(field.name.as_str()) else {
                let close = nearest(&field.name, known.keys().map(AsRef::as_ref));
                let help = close
                    .map(|close| format!("write `{close}`"))
                    .or_else(|| available_names(known.keys()));
                let message = format!("`{}` is not an argument of `{owner}`", field.name);
                let problem = self.problem(&field.range, message).maybe_help(help);
                let problem = problem.code(Code::UndefinedArgument);
                self.report(if is_unfollowed {
                    problem.warning()
                } else {
                    problem
                });
                continue;
            };
            let ty = self.reader.types.get(argument.ty.named_type());
            if let TypeKind::InputObject(inner) = &ty.kind {
                self.check_inputs(&field.fields, &ty.name, inner, is_unfollowed);
            }
        }
    }

    /// Checks fields of an object.
    fn check_outputs(&mut self, fields: &[UsedField], on: TypeId) {
        let types = self.reader.types;
        let ty = types.get(on);
        for field in fields.iter().filter(|field| field.name != "__typename") {
            if matches!(ty.kind, TypeKind::Union) {
                let message = format!(
                    "`{}` is a union: its fields are not known before it is fetched",
                    ty.name
                );
                let problem = self.problem(&field.range, message);
                self.report(problem.code(Code::UnsupportedVariableType));
            } else if let Some(definition) = ty.field(&field.name) {
                if types.get(definition.ty.named_type()).is_composite() {
                    self.check_outputs(&field.fields, definition.ty.named_type());
                }
            } else {
                let known = ty.fields().into_iter().flat_map(IndexMap::keys);
                let close = nearest(&field.name, known.map(AsRef::as_ref));
                let help = close.map(|close| format!("write `{close}`"));
                let message = format!("`{}` is not a field of `{}`", field.name, ty.name);
                let problem = self.problem(&field.range, message).maybe_help(help);
                self.report(problem.code(Code::UndefinedField));
            }
        }
    }

    /// Warns of members of `$request` and `$response` other than `headers`, which have no value.
    fn check_message_members(&mut self, variable: &VariableUse) {
        let name = variable.name.as_str();
        for field in variable.fields.iter().filter(|it| it.name != "headers") {
            let help = match (name, field.name.as_str()) {
                ("response", "body") => "the body of the response is `$`".to_owned(),
                ("response", "status" | "statusCode") => "write `$status`".to_owned(),
                _ => format!("write `${name}.headers`"),
            };
            let message = format!("`${name}` has only `headers`, and no `{}`", field.name);
            let problem = self.problem(&field.range, message).help(help);
            self.report(problem.warning());
        }
    }

    /// Warns of header names with upper-case letters: mappings see lower-case names.
    fn check_headers(&mut self, variable: &VariableUse) {
        if !matches!(variable.name.as_str(), "request" | "response") {
            return;
        }
        self.check_message_members(variable);
        let headers = variable
            .fields
            .iter()
            .filter(|field| field.name == "headers");
        for header in headers.flat_map(|headers| &headers.fields) {
            let lower = header.name.to_ascii_lowercase();
            if lower != header.name {
                let message = format!("no header is named `{}`", header.name);
                let help = format!("header names are lower case here: write `'{lower}'`");
                let problem = self.problem(&header.range, message).help(help);
                self.report(problem.warning());
            }
        }
    }
}

fn available_names<'n>(names: impl Iterator<Item = &'n Name>) -> Option<String> {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => None,
        [only] => Some(format!("write {only}")),
        _ => Some(format!("write one of {}", names.join(", "))),
    }
}
