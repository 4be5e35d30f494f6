//! How a source's JSON becomes fields: the mapping language, parsed and evaluated.
//!
//! A mapping is parsed once and evaluated many times. Evaluation never fails: it gives a value or
//! none, and reports what it met. What a mapping may be used for (which variables exist where,
//! what shape is wanted) is not decided here.

pub mod ast;
mod error;
mod eval;
mod merge;
mod method_calls;
mod methods;
mod parse;
mod print;
mod report;
mod scan;
mod scope;
mod variables;
mod version;

pub use self::error::ParseError;
pub use self::eval::{eval_expr, eval_member, eval_selection};
pub use self::methods::{MethodInfo, methods};
pub use self::parse::MAX_NESTING;
pub use self::report::{MAX_REPORTS, PathElement, Report, ReportKind};
pub use self::scope::Vars;
pub use self::variables::{UsedField, VariableUse, used_fields};
pub use self::version::Version;

use crate::json::Value;

/// A parsed mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    text: Box<str>,
    version: Version,
    selection: ast::Selection,
}

/// What an evaluation gave.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The value, or nothing at all, which is not `null`.
    pub value: Option<Value<'a>>,
    /// What was met on the way, in order, at most [`MAX_REPORTS`] for people who write mappings
    /// and as many for clients (`->withError`).
    pub reports: Vec<Report>,
}

impl Mapping {
    /// Reads a mapping written for `version`.
    pub fn parse(text: &str, version: Version) -> Result<Self, ParseError> {
        Ok(Self {
            text: text.into(),
            version,
            selection: parse::parse(text, version)?,
        })
    }

    /// The mapping as a tree.
    pub fn ast(&self) -> &ast::Selection {
        &self.selection
    }

    /// The mapping as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it was written for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Evaluates the mapping with `input` as `$` and `@`.
    ///
    /// Work and depth are bounded whatever the input is.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "values are made for the call"
    )]
    pub fn eval<'a>(&'a self, input: Value<'a>, vars: &Vars<'a>) -> Outcome<'a> {
        eval::eval_mapping(&self.selection, &input, vars)
    }

    /// Whether the mapping calls `->name` anywhere.
    pub fn calls_method(&self, name: &str) -> bool {
        method_calls::calls_method(&self.selection, name)
    }

    /// Every use of a variable from outside, in the order written, with the fields used of it.
    pub fn variables(&self) -> Vec<VariableUse> {
        variables::variables(&self.selection)
    }
}

#[cfg(test)]
mod tests;
