//! Checks a mapping or template for its site: available variables, existing fields, and a value of
//! a suitable type.

use std::ops::Range;

use indexmap::IndexMap;

use super::inference::inferred_type::InferredType;
use super::inference::{Finding, FindingKind, TypeInference};
use super::site::{DirectiveArgument, Site, SiteDirective, VARIABLES};
use super::{ConnectLocation, Located, Reader};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::mapping::{Mapping, UsedField, VariableUse, Version, methods};
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::template::Template;
use crate::types::{ArgumentDefinition, Name, TypeId, TypeKind};

/// Reports the problems of a mapping at `site`.
pub(super) fn mapping(reader: &mut Reader<'_>, site: Site<'_>, mapping: &Located<Mapping>) {
    let mut inference = type_inference(reader, site);
    let selection = mapping.value.ast();
    let inferred = inference.infer(selection, site.argument.input());
    let mark = reader.problems.mark();
    let mut check = Check::new(reader, site, &mapping.literal);
    check.check_variables(&mapping.value.variables(), &inference.unfollowed_ranges);
    check.report_findings(inference.findings, 0, &inference.unfollowed_ranges);
    // The inferred type of a faulty mapping would only repeat its errors.
    if !check.reader.problems.has_errors_since(mark) {
        check.check_inferred_type(inferred, &selection.range);
    }
}

/// Reports the problems of a template at `site`.
pub(super) fn template(reader: &mut Reader<'_>, site: Site<'_>, template: &Located<Template>) {
    Check::new(reader, site, &template.literal).check_variables(&template.value.variables(), &[]);
    for expression in template.value.expressions() {
        let mut inference = type_inference(reader, site);
        let inferred = inference.infer(expression.mapping.ast(), site.argument.input());
        let mark = reader.problems.mark();
        let mut check = Check::new(reader, site, &template.literal);
        check.report_findings(inference.findings, expression.range.start + 1, &[]);
        if !check.reader.problems.has_errors_since(mark) {
            check.check_inferred_type(inferred, &expression.range);
        }
    }
}

fn type_inference<'a>(reader: &Reader<'a>, site: Site<'_>) -> TypeInference<'a> {
    let types = reader.types;
    let mut inference = TypeInference::new(types, reader.link.version);
    if let SiteDirective::Connect(location) = site.directive {
        let owner = types.find(&location.owner().name);
        inference.owner = owner;
        if let ConnectLocation::Field(_, field) = location {
            let field = owner.and_then(|owner| types.get(owner).field(&field.name));
            inference.arguments = field.map(|field| &field.arguments);
        }
    }
    inference
}

/// The check of one text.
struct Check<'c, 'a> {
    reader: &'c mut Reader<'a>,
    site: Site<'c>,
    literal: &'c Literal,
}

impl<'c, 'a> Check<'c, 'a> {
    fn new(reader: &'c mut Reader<'a>, site: Site<'c>, literal: &'c Literal) -> Self {
        Self {
            reader,
            site,
            literal,
        }
    }

    fn report(&mut self, problem: TextProblem) {
        let span = Span::new(
            &self.reader.sdl.document,
            self.literal.source_range(&problem.range),
        );
        let severity = if problem.is_error {
            Diagnostic::error
        } else {
            Diagnostic::warning
        };
        let diagnostic = severity(problem.code, span, problem.message).help(problem.help);
        self.reader.problems.push(diagnostic);
    }

    fn problem(&self, range: &Range<usize>, message: impl Into<String>) -> TextProblem {
        TextProblem {
            code: self.site.argument.code(),
            range: range.clone(),
            message: message.into(),
            help: None,
            is_error: true,
        }
    }

    /// Checks every use of a variable; in `unfollowed` ranges the version of the dialect does not
    /// check fields, so problems there are warnings.
    fn check_variables(&mut self, uses: &[VariableUse], unfollowed: &[Range<usize>]) {
        let available = self.site.variables(self.reader);
        for variable in uses {
            let name = variable.name.as_str();
            if available.contains(&name) {
                self.check_fields(variable, is_within(&variable.range, unfollowed));
            } else {
                self.report_unavailable(variable, &available);
            }
        }
    }

    fn report_unavailable(&mut self, variable: &VariableUse, available: &[&str]) {
        let name = variable.name.as_str();
        let all: Vec<_> = available.iter().map(|name| format!("`${name}`")).collect();
        let known = format!("the variables are {}", all.join(", "));
        let (message, help) = if VARIABLES.contains(&name) {
            (self.site.reason(name), known)
        } else {
            let close = nearest(name, available.iter().copied());
            (
                format!("`${name}` is not a variable"),
                close.map_or(known, |close| format!("write `${close}`")),
            )
        };
        let problem = self.problem(&variable.range, message).help(help);
        self.report(problem);
    }

    fn check_fields(&mut self, variable: &VariableUse, is_unfollowed: bool) {
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

    /// Warns of header names with upper-case letters: mappings see lower-case names.
    fn check_headers(&mut self, variable: &VariableUse) {
        if !matches!(variable.name.as_str(), "request" | "response") {
            return;
        }
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

    fn report_findings(
        &mut self,
        findings: Vec<Finding>,
        offset: usize,
        unfollowed: &[Range<usize>],
    ) {
        for Finding { kind, range } in findings {
            let is_unfollowed = is_within(&range, unfollowed);
            let range = range.start + offset..range.end + offset;
            let problem = match kind {
                FindingKind::UnknownMethod(name) => self.unknown_method(&name, &range),
                FindingKind::NothingToRead(key) if is_unfollowed => {
                    self.nothing_to_read(&key, &range).warning()
                }
                FindingKind::NothingToRead(key) => self.nothing_to_read(&key, &range),
            };
            self.report(problem);
        }
    }

    /// An error where the value becomes text, because a missing value would leave a hole in a URL
    /// or header; a warning elsewhere.
    fn unknown_method(&self, name: &str, range: &Range<usize>) -> TextProblem {
        let close = nearest(name, methods().iter().map(|method| method.name));
        // Two letters are close to any two letters, and more often name a member.
        let help = close.filter(|_| name.len() > 2).map_or_else(
            || format!("to read a member, write `.{name}`"),
            |close| format!("write `->{close}`"),
        );
        let message = format!("`->{name}` is not a method");
        let problem = self.problem(range, message).help(help);
        if self.site.argument.is_text() && self.reader.link.version >= Version::V0_3 {
            problem
        } else {
            problem.warning()
        }
    }

    fn nothing_to_read(&self, key: &str, range: &Range<usize>) -> TextProblem {
        let available = self.site.variables(self.reader);
        let help = if available.contains(&key) {
            format!("write `${key}`")
        } else if let Some(variable) = self.variable_with(key) {
            format!("write `${variable}.{key}`")
        } else {
            let all: Vec<_> = available.iter().map(|name| format!("`${name}`")).collect();
            format!("start with one of {}", all.join(", "))
        };
        let message = if self.site.argument == DirectiveArgument::Requestless {
            format!("`{key}` is read from a response, and this connector makes no request")
        } else {
            format!("`{key}` is read from a response, and this is evaluated before the request")
        };
        self.problem(range, message).help(help)
    }

    /// The available variable that has a member `key`.
    fn variable_with(&self, key: &str) -> Option<&'static str> {
        let SiteDirective::Connect(location) = self.site.directive else {
            return None;
        };
        let types = self.reader.types;
        let owner = types.get(types.find(&location.owner().name)?);
        match location {
            ConnectLocation::Field(_, field) => {
                let arguments = &owner.field(&field.name)?.arguments;
                arguments.contains_key(key).then_some("args")
            }
            ConnectLocation::Type(_) => owner.field(key).map(|_| "this"),
        }
    }

    fn check_inferred_type(&mut self, inferred: InferredType, range: &Range<usize>) {
        let Some(needed) = self.site.argument.mismatch(inferred) else {
            return;
        };
        let help = match self.site.argument {
            argument if argument.is_text() && inferred.is_list() => {
                Some("use one element with `->first`, or join them with `->joinNotNull(',')`")
            }
            argument if argument.is_text() => Some("use one of its fields"),
            DirectiveArgument::Path => Some("write a list, as in `$([$args.id])`"),
            DirectiveArgument::QueryParams => Some("write members, as in `limit: $args.first`"),
            DirectiveArgument::IsSuccess => Some("compare, as in `$status->eq(200)`"),
            _ => None,
        };
        let message = format!("{needed}, and the value is {}", inferred.description());
        let problem = self.problem(range, message);
        self.report(problem.maybe_help(help.map(str::to_owned)));
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

fn is_within(range: &Range<usize>, ranges: &[Range<usize>]) -> bool {
    ranges
        .iter()
        .any(|outer| outer.start <= range.start && range.end <= outer.end)
}

/// A diagnostic whose range is relative to the text.
struct TextProblem {
    code: Code,
    range: Range<usize>,
    message: String,
    help: Option<String>,
    is_error: bool,
}

impl TextProblem {
    fn code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    fn help(self, help: String) -> Self {
        self.maybe_help(Some(help))
    }

    fn maybe_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    fn warning(self) -> Self {
        Self {
            is_error: false,
            ..self
        }
    }
}
