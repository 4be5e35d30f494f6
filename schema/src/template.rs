//! Templates: text with expressions in braces, for URLs, base URLs and header values.
//!
//! Parses and renders. [`url`] joins rendered parts to a URL, [`form`] encodes bodies as forms.
//! The end of an expression is found by counting braces, those in quotes too, as the connect
//! specification requires.

use std::ops::Range;

use crate::json::{Value, View};
use crate::mapping::{Mapping, ParseError, Report, UsedField, VariableUse, Vars, Version};

mod encode;
pub mod form;
mod segment;
pub mod url;

/// A parsed template.
#[derive(Clone, Debug)]
pub struct Template {
    text: Box<str>,
    parts: Vec<TemplatePart>,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Constant text.
    Constant(ConstantText),
    /// An expression whose value is rendered as text.
    Expression(Expression),
}

/// The constant text between expressions.
#[derive(Clone, Debug)]
pub struct ConstantText {
    /// The text without tabs and line breaks.
    pub text: String,
    /// Its range in the template.
    pub range: Range<usize>,
    /// The text percent-encoded for a URL.
    encoded: String,
}

/// An expression between braces.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The mapping, evaluated with `null` as `$` and `@`.
    pub mapping: Mapping,
    /// Its range in the template, braces included.
    pub range: Range<usize>,
}

/// A rendered template.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// The reports of the expressions, with ranges in the template.
    pub reports: Vec<Report>,
}

/// An expression evaluated to a list or an object, which cannot be rendered as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a template expression must evaluate to a scalar, found {found}")]
pub struct RenderError {
    /// The kind of value.
    pub found: &'static str,
    /// The range of the expression, braces included.
    pub range: Range<usize>,
}

impl Rendered {
    fn with_capacity(template: &Template) -> Self {
        Self {
            text: String::with_capacity(template.text.len() + 16),
            reports: Vec::new(),
        }
    }
}

impl Template {
    /// Parses a template with expressions of `version`.
    pub fn parse(text: &str, version: Version) -> Result<Self, ParseError> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let part = if rest.starts_with('{') {
                expression(text, at, version)?
            } else {
                constant(rest, at)
            };
            at = part.range().end;
            parts.push(part);
        }
        Ok(Self {
            text: text.into(),
            parts,
        })
    }

    /// A template without expressions: braces are ordinary characters.
    pub fn constant(text: &str) -> Self {
        let part = TemplatePart::Constant(ConstantText::new(text, 0..text.len()));
        Self {
            text: text.into(),
            parts: vec![part],
        }
    }

    /// The source text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parts in order; they cover the whole text.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }

    /// Whether it has no expressions, and so always renders to the same text.
    pub fn is_constant(&self) -> bool {
        self.expressions().next().is_none()
    }

    /// The expressions in order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Expression(expression) => Some(expression),
            TemplatePart::Constant(_) => None,
        })
    }

    /// The uses of variables, with ranges in the template's text.
    pub fn variables(&self) -> Vec<VariableUse> {
        self.expressions()
            .flat_map(|expression| {
                let offset = expression.range.start + 1;
                let uses = expression.mapping.variables().into_iter();
                uses.map(move |used| shifted_use(used, offset))
            })
            .collect()
    }

    /// Renders for a URL: reserved characters are encoded in values, but not in constant text.
    pub fn render_uri<'a>(&'a self, vars: &Vars<'a>) -> Result<Rendered, RenderError> {
        self.render(vars, |constant| &constant.encoded, encode::push_value)
    }

    /// Renders without encoding.
    pub fn render_plain<'a>(&'a self, vars: &Vars<'a>) -> Result<Rendered, RenderError> {
        self.render(vars, |constant| &constant.text, String::push_str)
    }

    fn render<'a>(
        &'a self,
        vars: &Vars<'a>,
        constant: fn(&ConstantText) -> &str,
        push: fn(&mut String, &str),
    ) -> Result<Rendered, RenderError> {
        let mut rendered = Rendered::with_capacity(self);
        for part in &self.parts {
            match part {
                TemplatePart::Constant(part) => rendered.text.push_str(constant(part)),
                TemplatePart::Expression(expression) => {
                    expression.render(vars, push, &mut rendered)?;
                }
            }
        }
        Ok(rendered)
    }
}

impl Expression {
    /// Appends the value, with `push`, and its reports.
    fn render<'a>(
        &'a self,
        vars: &Vars<'a>,
        push: fn(&mut String, &str),
        rendered: &mut Rendered,
    ) -> Result<(), RenderError> {
        let outcome = self.mapping.eval(Value::Null, vars);
        let offset = self.range.start + 1;
        let reports = outcome.reports.into_iter();
        rendered.reports.extend(reports.map(|report| Report {
            range: report.range.start + offset..report.range.end + offset,
            ..report
        }));
        let value = outcome.value.unwrap_or(Value::Null);
        push_text(&mut rendered.text, &value, push).map_err(|found| RenderError {
            found,
            range: self.range.clone(),
        })
    }
}

impl TemplatePart {
    /// Its range in the template.
    pub fn range(&self) -> &Range<usize> {
        match self {
            Self::Constant(constant) => &constant.range,
            Self::Expression(expression) => &expression.range,
        }
    }
}

impl ConstantText {
    fn new(text: &str, range: Range<usize>) -> Self {
        let text: String = text
            .chars()
            .filter(|c| !matches!(c, '\t' | '\n' | '\x0c' | '\r'))
            .collect();
        Self {
            encoded: encode::constant(&text),
            text,
            range,
        }
    }
}

/// Appends the text of a scalar, nothing for null. Fails with the kind of any other value.
fn push_text(
    out: &mut String,
    value: &Value<'_>,
    push: fn(&mut String, &str),
) -> Result<(), &'static str> {
    match value.view() {
        View::Null => {}
        View::Bool(value) => push(out, if value { "true" } else { "false" }),
        View::Number(text) => push(out, text),
        View::String(text) => push(out, &text),
        View::List(_) | View::Object(_) => return Err(value.kind_name()),
    }
    Ok(())
}

fn constant(rest: &str, start: usize) -> TemplatePart {
    let len = rest.find('{').unwrap_or(rest.len());
    let text = rest.get(..len).unwrap_or_default();
    TemplatePart::Constant(ConstantText::new(text, start..start + len))
}

/// Parses the expression whose opening brace is at `start`.
fn expression(text: &str, start: usize, version: Version) -> Result<TemplatePart, ParseError> {
    let Some(end) = closing_brace(text, start) else {
        return Err(ParseError::new(start..text.len(), "unclosed expression")
            .help("close it with `}`; braces in quotes count too"));
    };
    let inside = text.get(start + 1..end).unwrap_or_default();
    let mapping = Mapping::parse(inside, version).map_err(|error| {
        let error = error.shifted(start + 1);
        let inner = inside.trim().strip_prefix('{');
        if let Some(inner) = inner.and_then(|inner| inner.strip_suffix('}')) {
            error.help(format!("write one pair of braces: `{{{}}}`", inner.trim()))
        } else if error.range.start >= end && error.help.is_none() {
            error.help("braces in quotes count when the end of an expression is searched for")
        } else {
            error
        }
    })?;
    Ok(TemplatePart::Expression(Expression {
        mapping,
        range: start..end + 1,
    }))
}

fn closing_brace(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(offset),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn shifted_use(used: VariableUse, offset: usize) -> VariableUse {
    VariableUse {
        name: used.name,
        range: used.range.start + offset..used.range.end + offset,
        fields: shifted_fields(used.fields, offset),
    }
}

fn shifted_fields(fields: Vec<UsedField>, offset: usize) -> Vec<UsedField> {
    let shifted = fields.into_iter().map(|field| UsedField {
        name: field.name,
        range: field.range.start + offset..field.range.end + offset,
        fields: shifted_fields(field.fields, offset),
        is_optional: field.is_optional,
    });
    shifted.collect()
}

#[cfg(test)]
mod tests;
