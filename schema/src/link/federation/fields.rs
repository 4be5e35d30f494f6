//! The text of a set of fields, as `@key`, `@requires` and `@provides` have it, as a tree.
//!
//! Says what is written; whether there are such fields is for who reads the tree.

use apollo_compiler::ast::{Definition, Selection};
use apollo_compiler::parser::Parser;

use super::{FieldSetText, SubgraphSchema, SubgraphTypeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::key::FieldSet;
use crate::types::Name;

/// A directive that names fields.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldSetDirective {
    Key,
    Requires,
    FromContext,
    Provides,
}

impl FieldSetDirective {
    /// That `written`, which stands at `place`, cannot be used.
    pub(super) fn diagnostic(self, written: &FieldSetText, place: &str, why: &str) -> Diagnostic {
        let (name, code) = match self {
            Self::Key => ("key", Code::KeyInvalidFields),
            Self::Requires => ("requires", Code::RequiresInvalidFields),
            Self::FromContext => ("fromContext", Code::ContextSelectionInvalid),
            Self::Provides => ("provides", Code::ProvidesInvalidFields),
        };
        let message = format!("`@{name}` of {place}: {why}");
        Diagnostic::error(code, written.span.clone(), message)
    }
}

/// Deeper than any person writes; what follows is recursive.
const RECURSION_LIMIT: usize = 50;

/// More than any person writes.
const TOKEN_LIMIT: usize = 4_000;

/// Reads fields and inline fragments; says what else there is.
pub(in crate::link) fn read(text: &str) -> Result<Vec<Selection>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it names no field".to_owned());
    }
    let braced = if text.starts_with('{') {
        text.to_owned()
    } else {
        format!("{{{text}}}")
    };
    let document = Parser::new()
        .recursion_limit(RECURSION_LIMIT)
        .token_limit(TOKEN_LIMIT)
        .parse_ast(braced, "fields")
        .map_err(|_| "it is not a set of fields".to_owned())?;
    let [Definition::OperationDefinition(operation)] = document.definitions.as_slice() else {
        return Err("it is not a set of fields".to_owned());
    };
    check(&operation.selection_set)?;
    Ok(operation.selection_set.clone())
}

fn check(selections: &[Selection]) -> Result<(), String> {
    for selection in selections {
        let (directives, inner) = match selection {
            Selection::Field(field) => {
                if let Some(alias) = &field.alias {
                    return Err(format!("`{alias}` is an alias, which cannot stand here"));
                }
                (&field.directives, &field.selection_set)
            }
            Selection::InlineFragment(fragment) => (&fragment.directives, &fragment.selection_set),
            Selection::FragmentSpread(spread) => {
                let name = &spread.fragment_name;
                return Err(format!("there is no fragment `{name}`"));
            }
        };
        if let Some(directive) = directives.0.first() {
            return Err(format!("`@{}` cannot stand here", directive.name));
        }
        check(inner)?;
    }
    Ok(())
}

/// The fields of a key of `owner`. `__typename` is always known, so it is left out, unless it is
/// all: then there is but one object of the type.
pub(super) fn parse_key(
    text: &str,
    owner: &str,
    subgraph: &SubgraphSchema,
) -> Result<FieldSet, String> {
    let selections = read(text)?;
    let mut set = FieldSet::default();
    add_key_fields(&selections, owner, subgraph, &mut set)?;
    if set.is_empty() {
        set.insert("__typename");
    }
    Ok(set)
}

fn add_key_fields(
    selections: &[Selection],
    owner: &str,
    subgraph: &SubgraphSchema,
    set: &mut FieldSet,
) -> Result<(), String> {
    for selection in selections {
        let Selection::Field(field) = selection else {
            return Err("a fragment cannot stand in a key".to_owned());
        };
        if field.name == "__typename" {
            continue;
        }
        if !field.arguments.is_empty() {
            return Err(format!("`{}` cannot have arguments in a key", field.name));
        }
        let child = child_type(subgraph, owner, &field.name)?;
        check_braces(&field.name, child.is_some(), &field.selection_set)?;
        let inner = set.insert(&field.name);
        if let Some(child) = child {
            add_key_fields(&field.selection_set, &child, subgraph, inner)?;
        }
    }
    Ok(())
}

/// The composite type of `owner.field` in `service`; `None` for a leaf.
pub(super) fn child_type(
    subgraph: &SubgraphSchema,
    owner: &str,
    field: &str,
) -> Result<Option<Name>, String> {
    let found = subgraph
        .types
        .get(owner)
        .and_then(|it| it.fields.get(field));
    let found = found.ok_or_else(|| format!("`{owner}` has no field `{field}`"))?;
    Ok(composite_type(subgraph, &found.ty))
}

/// The composite type inside `ty`; `None` for a leaf.
pub(super) fn composite_type(subgraph: &SubgraphSchema, ty: &str) -> Option<Name> {
    let name = inner_type_name(ty);
    let (known, it) = subgraph.types.get_key_value(name)?;
    (it.kind != SubgraphTypeKind::Leaf).then(|| Name::clone(known))
}

/// The name inside the lists and non-nulls of `ty`.
pub(super) fn inner_type_name(ty: &str) -> &str {
    ty.trim_matches(['[', ']', '!', ' '])
}

/// Whether `name` has fields of its own exactly where it must.
pub(super) fn check_braces(
    name: &str,
    is_composite: bool,
    inner: &[Selection],
) -> Result<(), String> {
    match (is_composite, inner.is_empty()) {
        (true, true) => Err(format!("`{name}` needs fields of its own")),
        (false, false) => Err(format!("`{name}` has no fields of its own")),
        _ => Ok(()),
    }
}
