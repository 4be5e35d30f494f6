//! The mapping language, parsed and evaluated: how a source's JSON becomes fields.
//!
//! A mapping is parsed once and evaluated many times. Evaluation never fails: it returns a value
//! or none, with reports. Checks that depend on the use of a mapping (available variables,
//! expected shape) are in `link`.

pub mod ast;
mod error;
mod eval;
mod merge;
mod method_calls;
mod methods;
mod parse;
mod print;
pub(crate) mod remedy;
mod report;
mod scan;
mod scope;
mod variables;
mod version;

pub use self::error::ParseError;
pub use self::eval::{eval_mapping, eval_member};
pub use self::methods::{MethodInfo, methods};
pub use self::parse::MAX_NESTING;
pub use self::report::{MAX_REPORTS, PathElement, Report, ReportKind};
pub use self::scope::Vars;
pub use self::variables::{UsedField, VariableUse, used_fields};
pub use self::version::Version;

use crate::json::Value;

/// The variables of the dialect; any other is defined by `->as`.
pub(crate) const VARIABLES: [&str; 9] = [
    "args", "this", "batch", "config", "context", "env", "request", "response", "status",
];

/// A parsed mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    text: Box<str>,
    version: Version,
    selection: ast::Selection,
}

/// The result of an evaluation.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The value; `None` for an absent value, which is different from `null`.
    pub value: Option<Value<'a>>,
    /// The reports in order: at most [`MAX_REPORTS`] for the author of the mapping, and as many
    /// for the client (`->withError`).
    pub reports: Vec<Report>,
}

impl Mapping {
    /// Parses a mapping of `version`.
    pub fn parse(text: &str, version: Version) -> Result<Self, ParseError> {
        Ok(Self {
            text: text.into(),
            version,
            selection: parse::parse(text, version)?,
        })
    }

    /// The syntax tree.
    pub fn ast(&self) -> &ast::Selection {
        &self.selection
    }

    /// The source text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The version of its grammar.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Evaluates the mapping with `input` as `$` and `@`.
    ///
    /// Work and depth are bounded for any input.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "values are created for the call"
    )]
    pub fn eval<'a>(&'a self, input: Value<'a>, vars: &Vars<'a>) -> Outcome<'a> {
        eval_mapping(&self.selection, &input, vars)
    }

    /// Whether the mapping calls the method `name`.
    pub fn calls_method(&self, name: &str) -> bool {
        method_calls::calls_method(&self.selection, name)
    }

    /// The uses of external variables in source order, with the fields that are read.
    pub fn variables(&self) -> Vec<VariableUse> {
        variables::variables(&self.selection)
    }
}

#[cfg(test)]
mod tests;
