//! Rules for the keys of connectors: which fields can be part of a key, and how a batch response is
//! matched to its entities.

use std::ops::Range;

use super::entry::ParsedConnect;
use super::{Located, Reader};
use crate::diagnostic::{Code, Diagnostic};
use crate::key::FieldSet;
use crate::link::selection_nodes;
use crate::link::{Reported, ReportedResult};
use crate::mapping::Mapping;
use crate::span::Span;
use crate::types::{TypeId, Types};

/// Reports a key, built from the uses of `variable`, with fields of `on` that cannot be in a key.
pub(super) fn check(
    reader: &mut Reader<'_>,
    on: TypeId,
    key: &FieldSet,
    variable: &str,
    connect: &ParsedConnect<'_>,
) -> ReportedResult<()> {
    let Some(problem) = key_problem(reader.types, on, key) else {
        return Ok(());
    };
    let (message, help) = match problem {
        KeyProblem::WholeObject(path) => (
            format!("`${variable}.{path}` is an object, and a key is made of scalars"),
            format!("name the fields that are used, as in `${variable}.{path} {{ id }}`"),
        ),
        KeyProblem::HasArguments(path) => (
            format!("`{path}` has arguments, and cannot be part of a key"),
            "use fields without arguments".to_owned(),
        ),
    };
    let span = connect
        .uses
        .first_span(variable, reader)
        .unwrap_or_else(|| connect.args.span());
    let problem = Diagnostic::error(Code::ConnectorsCannotResolveKey, span, message);
    reader.problems.push(problem.help(Some(help)));
    Err(Reported)
}

enum KeyProblem {
    WholeObject(String),
    HasArguments(String),
}

fn key_problem(types: &Types, on: TypeId, key: &FieldSet) -> Option<KeyProblem> {
    key.0.iter().find_map(|(name, inner)| {
        let field = types.get(on).field(name)?;
        if !field.arguments.is_empty() {
            return Some(KeyProblem::HasArguments(name.to_string()));
        }
        let composite = types.get(field.ty.named_type()).is_composite();
        match (composite, inner.is_empty()) {
            (true, true) => Some(KeyProblem::WholeObject(name.to_string())),
            (true, false) => {
                key_problem(types, field.ty.named_type(), inner).map(|problem| match problem {
                    KeyProblem::WholeObject(path) => {
                        KeyProblem::WholeObject(format!("{name}.{path}"))
                    }
                    KeyProblem::HasArguments(path) => {
                        KeyProblem::HasArguments(format!("{name}.{path}"))
                    }
                })
            }
            (false, _) => None,
        }
    })
}

/// Reports key fields of a batch connector that are not read from the response.
pub(super) fn check_from_response(
    reader: &mut Reader<'_>,
    selection: &Located<Mapping>,
    key: &FieldSet,
) -> ReportedResult<()> {
    let mut computed: Vec<(String, Range<usize>)> = Vec::new();
    selection_nodes::keys_not_from_response(selection.value.ast(), key, &mut computed);
    if computed.is_empty() {
        return Ok(());
    }
    for (name, range) in computed {
        let source_range = selection.literal.source_range(&range);
        let message = format!("the key `{name}` is not read from the response");
        let problem = Diagnostic::error(
            Code::ConnectorsNonRootBatchKey,
            Span::new(&reader.sdl.document, source_range),
            message,
        );
        reader.problems.push(problem.help(Some(format!(
            "read `{name}` from the response, to match each entity with its data"
        ))));
    }
    Err(Reported)
}
