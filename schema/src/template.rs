//! Text with expressions in braces: URLs, base URLs, header values.
//!
//! Parses and renders. Joining rendered parts to a URL is in [`url`], encoding bodies as forms in
//! [`form`]. Where an expression ends is found by counting braces, those in quotes too, as the
//! dialect has it.

use std::ops::Range;

use crate::json::{Value, View};
use crate::mapping::{Mapping, ParseError, Report, UsedField, VariableUse, Vars, Version};

mod encode;
pub mod form;
pub mod url;

/// A parsed template.
#[derive(Clone, Debug)]
pub struct Template {
    text: Box<str>,
    parts: Vec<TemplatePart>,
}

/// A stretch of a template.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Text that is always the same.
    Constant(ConstantText),
    /// Text that an expression gives.
    Expression(Expression),
}

/// Text that is always the same.
#[derive(Clone, Debug)]
pub struct ConstantText {
    /// Without tabs and line breaks.
    pub text: String,
    /// Where it stands in the template.
    pub range: Range<usize>,
    /// As it goes into a URL.
    encoded: String,
}

/// An expression between braces.
#[derive(Clone, Debug)]
pub struct Expression {
    /// What it evaluates; sees `null` as `$` and `@`.
    pub mapping: Mapping,
    /// Where its braces stand in the template.
    pub range: Range<usize>,
}

/// What a template gave.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// What the expressions met.
    pub reports: Vec<Report>,
}

/// An expression gave a list or an object, which have no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an expression of the template gives {found}, which has no text")]
pub struct RenderError {
    /// The kind of value.
    pub found: &'static str,
    /// The braces of the expression.
    pub range: Range<usize>,
}

impl Template {
    /// Reads a template whose expressions are written for `version`.
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

    /// The template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its stretches in order, none left out.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }

    /// Whether it always gives the same text.
    pub fn is_constant(&self) -> bool {
        self.expressions().next().is_none()
    }

    /// Its expressions in order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Expression(expression) => Some(expression),
            TemplatePart::Constant(_) => None,
        })
    }

    /// Every use of a variable, with ranges in the template's text.
    pub fn variables(&self) -> Vec<VariableUse> {
        self.expressions()
            .flat_map(|expression| {
                let offset = expression.range.start + 1;
                let uses = expression.mapping.variables().into_iter();
                uses.map(move |used| shifted_use(used, offset))
            })
            .collect()
    }

    /// Renders into a URL: constants keep what has a meaning in a URL, values keep nothing.
    pub fn render_uri<'a>(&'a self, vars: &Vars<'a>) -> Result<Rendered, RenderError> {
        self.render(vars, |constant| &constant.encoded, encode::push_value)
    }

    /// Renders as it is, nothing encoded.
    pub fn render_plain<'a>(&'a self, vars: &Vars<'a>) -> Result<Rendered, RenderError> {
        self.render(vars, |constant| &constant.text, String::push_str)
    }

    fn render<'a>(
        &'a self,
        vars: &Vars<'a>,
        constant: fn(&ConstantText) -> &str,
        push: fn(&mut String, &str),
    ) -> Result<Rendered, RenderError> {
        let mut rendered = Rendered {
            text: String::with_capacity(self.text.len() + 16),
            reports: Vec::new(),
        };
        for part in &self.parts {
            match part {
                TemplatePart::Constant(part) => rendered.text.push_str(constant(part)),
                TemplatePart::Expression(expression) => {
                    let outcome = expression.mapping.eval(Value::Null, vars);
                    rendered.reports.extend(outcome.reports);
                    let value = outcome.value.unwrap_or(Value::Null);
                    push_text(&mut rendered.text, &value, push).map_err(|found| RenderError {
                        found,
                        range: expression.range.clone(),
                    })?;
                }
            }
        }
        Ok(rendered)
    }
}

impl TemplatePart {
    /// Where it stands in the template.
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

/// Pushes the text of a scalar; null has none. Says what it is when it is not a scalar.
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

/// Stands on the opening brace.
fn expression(text: &str, start: usize, version: Version) -> Result<TemplatePart, ParseError> {
    let Some(end) = closing_brace(text, start) else {
        return Err(
            ParseError::new(start..text.len(), "this expression has no end")
                .help("close it with `}`; braces in quotes count too"),
        );
    };
    let inside = text.get(start + 1..end).unwrap_or_default();
    let mapping = Mapping::parse(inside, version).map_err(|error| {
        let error = error.shifted(start + 1);
        if error.range.start >= end && error.help.is_none() {
            error.help("braces in quotes count too when the end of an expression is looked for")
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
    let moved = fields.into_iter().map(|field| UsedField {
        name: field.name,
        range: field.range.start + offset..field.range.end + offset,
        fields: shifted_fields(field.fields, offset),
    });
    moved.collect()
}

#[cfg(test)]
mod tests;
