//! Introspection: answers `__schema` and `__type` (GraphQL §4).
//!
//! The selections of a request are merged once, with variables substituted; then one walk over the
//! schema writes the JSON, and ends with an error at the maximum of bytes. Every visited object and
//! field adds to the JSON, so the maximum bounds the time as well.

use std::collections::HashSet;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::Value;
use apollo_compiler::executable as exe;
use indexmap::IndexMap;

use self::write::Writer;
use super::read::conditions;
use super::{Operation, OperationError, OperationErrorKind, Variables, name};
use crate::client::ClientSchema;
use crate::types::{Constant, Name};

mod meta;
#[cfg(test)]
mod tests;
mod write;

/// The response keys of `__schema` and `__type` at the root of an operation.
pub(super) fn keys(operation: &Operation) -> Vec<Name> {
    let Some(parsed) = operation.executable() else {
        return Vec::new();
    };
    parsed
        .root_fields(&operation.document)
        .filter(|field| is_introspection(&field.name))
        .map(|field| name(field.response_key()))
        .collect()
}

/// The results of `__schema` and `__type`, by response key, of at most `max_bytes` together.
pub(super) fn introspect(
    operation: &Operation,
    client: &ClientSchema,
    variables: &Variables,
    max_bytes: usize,
) -> Result<Vec<(Name, String)>, OperationError> {
    let Some(parsed) = operation.executable() else {
        return Ok(Vec::new());
    };
    let merger = Merger {
        document: &operation.document,
        variables,
    };
    let mut writer = Writer::new(client, max_bytes);
    merger
        .merge(&[&parsed.selection_set], is_introspection)
        .iter()
        .map(|root| Ok((root.key.into(), writer.root(root)?)))
        .collect::<Result<_, write::TooLarge>>()
        .map_err(|write::TooLarge| too_large(max_bytes))
}

/// Whether a root field is answered by this module.
pub(super) fn is_introspection(field: &str) -> bool {
    field == "__schema" || field == "__type"
}

fn too_large(max_bytes: usize) -> OperationError {
    OperationError {
        kind: OperationErrorKind::Limit,
        message: format!(
            "the result of introspection has more than {max_bytes} bytes \
             (`limits.introspection_size`)"
        ),
        locations: Vec::new(),
    }
}

/// A selected field of an introspection type, merged with the others of its response key.
struct MetaField<'a> {
    key: &'a str,
    name: &'a str,
    /// `includeDeprecated`.
    includes_deprecated: bool,
    /// `name` of `__type`.
    type_name: Option<String>,
    fields: Vec<Self>,
}

/// Merges selections (GraphQL §6.3.2). The types of introspection are objects, so every fragment
/// of a valid document applies.
struct Merger<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
}

impl<'a> Merger<'a> {
    /// Merges the selected fields for whose names `applies` holds.
    fn merge(
        &self,
        sets: &[&'a exe::SelectionSet],
        applies: fn(&str) -> bool,
    ) -> Vec<MetaField<'a>> {
        let mut grouped = IndexMap::new();
        let mut visited = HashSet::new();
        for set in sets {
            self.collect(set, &mut visited, &mut grouped);
        }
        grouped
            .into_iter()
            .filter(|(_, fields)| fields.iter().all(|field| applies(&field.name)))
            .filter_map(|(key, fields)| self.field(key, &fields))
            .collect()
    }

    fn collect(
        &self,
        set: &'a exe::SelectionSet,
        visited: &mut HashSet<&'a str>,
        grouped: &mut IndexMap<&'a str, Vec<&'a exe::Field>>,
    ) {
        for selection in &set.selections {
            if !self.includes(selection) {
                continue;
            }
            match selection {
                exe::Selection::Field(field) => {
                    grouped.entry(field.response_key()).or_default().push(field);
                }
                exe::Selection::InlineFragment(fragment) => {
                    self.collect(&fragment.selection_set, visited, grouped);
                }
                exe::Selection::FragmentSpread(spread) => {
                    if visited.insert(&spread.fragment_name)
                        && let Some(fragment) = spread.fragment_def(self.document)
                    {
                        self.collect(&fragment.selection_set, visited, grouped);
                    }
                }
            }
        }
    }

    fn includes(&self, selection: &exe::Selection) -> bool {
        conditions(selection.directives()).is_some_and(|conditions| {
            conditions
                .iter()
                .all(|it| self.variables.is_true(&it.variable) == it.expected)
        })
    }

    fn field(&self, key: &'a str, fields: &[&'a exe::Field]) -> Option<MetaField<'a>> {
        let first = fields.first()?;
        let includes_deprecated = self.argument(first, "includeDeprecated");
        let type_name = match self.argument(first, "name") {
            Some(Constant::String(name)) => Some(name),
            _ => None,
        };
        let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
        Some(MetaField {
            key,
            name: &first.name,
            includes_deprecated: matches!(includes_deprecated, Some(Constant::Boolean(true))),
            type_name,
            fields: self.merge(&sets, |_| true),
        })
    }

    fn argument(&self, field: &exe::Field, name: &str) -> Option<Constant> {
        match field.specified_argument_by_name(name)?.as_ref() {
            Value::Boolean(value) => Some(Constant::Boolean(*value)),
            Value::String(value) => Some(Constant::String(value.clone())),
            Value::Variable(variable) => self.variables.value(variable).cloned(),
            _ => None,
        }
    }
}
