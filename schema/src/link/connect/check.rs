//! Checks a mapping or template for its site: available variables, existing fields, and a value of
//! a suitable type.

use std::ops::Range;

use super::inference::inferred_type::InferredType;
use super::inference::parts::Part;
use super::inference::{Finding, FindingKind, TypeInference};
use super::site::{DirectiveArgument, Site, SiteDirective};
use super::{ConnectLocation, Located, Reader, unbraced};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::mapping::ast::Selection;
use crate::mapping::{Mapping, VARIABLES, VariableUse, Version, remedy};
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::template::{ConstantText, Template, TemplatePart};

mod variables;

/// Reports the problems of a mapping at `site`.
pub(super) fn mapping(reader: &mut Reader<'_>, site: Site<'_>, mapping: &Located<Mapping>) {
    let mut inference = type_inference(reader, site);
    let selection = mapping.value.ast();
    let inferred = inference.infer(selection, site.argument.input());
    let parts = if site.argument.is_in_url() {
        type_inference(reader, site).parts(selection, site.argument.input())
    } else {
        Vec::new()
    };
    let mark = reader.problems.mark();
    let mut check = Check::new(reader, site, &mapping.literal);
    check.check_variables(&mapping.value.variables(), &inference.unfollowed_ranges);
    check.report_findings(inference.findings, 0, &inference.unfollowed_ranges);
    // The inferred type of a faulty mapping would only repeat its errors.
    if !check.reader.problems.has_errors_since(mark) {
        check.check_inferred_type(inferred, &selection.range, Some(selection));
        check.check_parts(&parts);
    }
}

/// Reports the problems of a template at `site`.
pub(super) fn template(reader: &mut Reader<'_>, site: Site<'_>, template: &Located<Template>) {
    let mut check = Check::new(reader, site, &template.literal);
    check.check_variables(&template.value.variables(), &[]);
    check.check_constants(&template.value);
    for expression in template.value.expressions() {
        let mut inference = type_inference(reader, site);
        let inferred = inference.infer(expression.mapping.ast(), site.argument.input());
        let mark = reader.problems.mark();
        let mut check = Check::new(reader, site, &template.literal);
        check.report_findings(inference.findings, expression.range.start + 1, &[]);
        if !check.reader.problems.has_errors_since(mark) {
            check.check_inferred_type(inferred, &expression.range, None);
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

    /// Warns of variables in constant text, which are sent as they are written.
    fn check_constants(&mut self, template: &Template) {
        for part in template.parts() {
            let TemplatePart::Constant(ConstantText { range, .. }) = part else {
                continue;
            };
            let text = template.text().get(range.clone()).unwrap_or_default();
            for found in unbraced::variables(text) {
                let variable = text.get(found.clone()).unwrap_or_default();
                let range = range.start + found.start..range.start + found.end;
                let message =
                    format!("`{variable}` is not in braces, and is sent as it is written");
                let problem = self.problem(&range, message);
                self.report(problem.help(format!("write `{{{variable}}}`")).warning());
            }
        }
        if self.site.argument == DirectiveArgument::Url {
            self.check_route_parameters(template.text());
        }
    }

    /// Warns of `:name` for a variable; other segments with a colon are methods of some APIs.
    fn check_route_parameters(&mut self, url: &str) {
        for range in unbraced::route_parameters(url) {
            let segment = url.get(range.clone()).unwrap_or_default();
            let name = segment.trim_start_matches(':');
            let Some(variable) = self.variable_with(name) else {
                continue;
            };
            let message = format!("`{segment}` is no parameter, and is sent as it is written");
            let help = format!("write `{{${variable}.{name}}}`");
            let problem = self.problem(&range, message).help(help);
            self.report(problem.warning());
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
                FindingKind::FieldForLiteral(name) => {
                    self.field_for_literal(&name, &range).warning()
                }
                FindingKind::VariableInQuotes { text, variable } => {
                    let name = text.get(variable.clone()).unwrap_or_default();
                    let message = format!("`{name}` is in quotes, and is not evaluated");
                    let help = format!("write `{}`", unbraced::joined(&text, &variable));
                    self.problem(&range, message).help(help).warning()
                }
            };
            self.report(problem);
        }
    }

    /// An error where the value becomes text, because a missing value would leave a hole in a URL
    /// or header; a warning elsewhere.
    fn unknown_method(&self, name: &str, range: &Range<usize>) -> TextProblem {
        let message = format!("`->{name}` is not a method");
        let problem = self
            .problem(range, message)
            .help(remedy::unknown_method(name, self.reader.link.version));
        if self.site.argument.is_text() && self.reader.link.version >= Version::V0_3 {
            problem
        } else {
            problem.warning()
        }
    }

    fn nothing_to_read(&self, key: &str, range: &Range<usize>) -> TextProblem {
        let available = self.site.variables(self.reader);
        let text = self.literal.value.as_str();
        let is_quoted = text
            .get(range.start..)
            .is_some_and(|it| it.starts_with(['\'', '"']));
        let help = if let Some(choice) = remedy::choice(text, range.start) {
            choice
        } else if let Some(expression) = unbraced::dollar_outside(text, range.start, &available) {
            format!("write `{expression}`")
        } else if is_quoted {
            remedy::quoted_text(key)
        } else if available.contains(&key) {
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

    fn field_for_literal(&self, name: &str, range: &Range<usize>) -> TextProblem {
        let message =
            format!("`{name}` is read from the response: after an alias it is no literal");
        let help = if remedy::is_keyword(name) {
            format!("write `$({name})`")
        } else {
            format!("write `$('{name}')` for the text, or `{name}` for the member")
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

    fn check_inferred_type(
        &mut self,
        inferred: InferredType,
        range: &Range<usize>,
        selection: Option<&Selection>,
    ) {
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
            DirectiveArgument::FormBody => Some("write members, as in `amount: $args.amount`"),
            DirectiveArgument::IsSuccess => Some("compare, as in `$status->eq(200)`"),
            _ => None,
        };
        let help = match self.site.argument {
            DirectiveArgument::Message => {
                let text = self.literal.value.as_str();
                selection.and_then(|it| remedy::literal_or_path(it, text))
            }
            _ => help.map(str::to_owned),
        };
        let message = format!("{needed}, and the value is {}", inferred.description());
        let problem = self.problem(range, message);
        self.report(problem.maybe_help(help));
    }

    /// Reports parts that no text in a URL can stand for.
    fn check_parts(&mut self, parts: &[Part]) {
        for part in parts {
            let Some(found) = self.site.argument.part_mismatch(part.inferred) else {
                continue;
            };
            let (message, help) = match &part.name {
                Some(name) => (
                    format!(
                        "the parameter `{name}` needs a scalar or a list of scalars, and the value is {found}"
                    ),
                    "select its fields, as in `$args.filter { name }`, or send it as JSON text with \
                     `->jsonStringify`",
                ),
                None => (
                    format!("a segment of `path` needs a scalar, and the value is {found}"),
                    "use one of its fields",
                ),
            };
            let problem = self.problem(&part.range, message).help(help.to_owned());
            self.report(problem);
        }
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
