//! Parses the field sets of `@key`, `@requires` and `@provides`.
//!
//! Checks the syntax and the fields of keys; the caller checks the fields of the other directives.

use apollo_compiler::ast::{Definition, Selection};
use apollo_compiler::parser::Parser;

use super::{FieldSetText, SubgraphSchema, SubgraphTypeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::key::FieldSet;
use crate::types::Name;

/// A directive with a field set.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldSetDirective {
    Key,
    Requires,
    FromContext,
    Provides,
}

impl FieldSetDirective {
    /// Reports that the field set of the directive at `coordinate` is invalid.
    pub(super) fn diagnostic(
        self,
        field_set: &FieldSetText,
        coordinate: &str,
        why: &str,
    ) -> Diagnostic {
        let (name, code) = match self {
            Self::Key => ("key", Code::KeyInvalidFields),
            Self::Requires => ("requires", Code::RequiresInvalidFields),
            Self::FromContext => ("fromContext", Code::ContextSelectionInvalid),
            Self::Provides => ("provides", Code::ProvidesInvalidFields),
        };
        let message = format!("`@{name}` of {coordinate}: {why}");
        Diagnostic::error(code, field_set.span.clone(), message)
    }
}

/// Maximum nesting depth of a field set: its readers are recursive.
const RECURSION_LIMIT: usize = 50;

/// Maximum number of tokens of a field set.
const TOKEN_LIMIT: usize = 4_000;

/// Parses fields and inline fragments; an error for aliases, directives and fragment spreads.
pub(in crate::link) fn read(text: &str) -> Result<Vec<Selection>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the field set is empty".to_owned());
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
        .map_err(|_| "the field set is not valid".to_owned())?;
    let [Definition::OperationDefinition(operation)] = document.definitions.as_slice() else {
        return Err("the field set is not valid".to_owned());
    };
    check(&operation.selection_set)?;
    Ok(operation.selection_set.clone())
}

fn check(selections: &[Selection]) -> Result<(), String> {
    for selection in selections {
        let (directives, inner) = match selection {
            Selection::Field(field) => {
                if let Some(alias) = &field.alias {
                    return Err(format!(
                        "`{alias}` is an alias, and field sets cannot have aliases"
                    ));
                }
                (&field.directives, &field.selection_set)
            }
            Selection::InlineFragment(fragment) => (&fragment.directives, &fragment.selection_set),
            Selection::FragmentSpread(spread) => {
                let name = &spread.fragment_name;
                return Err(format!(
                    "`{name}` is a named fragment, and field sets cannot have those"
                ));
            }
        };
        if let Some(directive) = directives.0.first() {
            return Err(format!(
                "`@{}` is not allowed in a field set",
                directive.name
            ));
        }
        check(inner)?;
    }
    Ok(())
}

/// The fields of a key of `owner`. `__typename` is always known, so it is left out, unless it is
/// the only field of its object: such a key identifies the single object of the type.
pub(super) fn parse_key(
    text: &str,
    owner: &str,
    subgraph: &SubgraphSchema,
) -> Result<FieldSet, String> {
    let selections = read(text)?;
    let mut set = FieldSet::default();
    add_key_fields(&selections, owner, subgraph, &mut set)?;
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
            return Err("a key cannot have fragments".to_owned());
        };
        if field.name == "__typename" {
            continue;
        }
        if !field.arguments.is_empty() {
            return Err(format!(
                "`{}` has arguments, and a field of a key cannot have any",
                field.name
            ));
        }
        let child = child_type(subgraph, owner, &field.name)?;
        check_braces(&field.name, child.is_some(), &field.selection_set)?;
        let inner = set.insert(&field.name);
        if let Some(child) = child {
            add_key_fields(&field.selection_set, &child, subgraph, inner)?;
        }
    }
    if set.is_empty() {
        set.insert("__typename");
    }
    Ok(())
}

/// The composite type of `owner.field` in the subgraph; `None` for a leaf.
pub(super) fn child_type(
    subgraph: &SubgraphSchema,
    owner: &str,
    field: &str,
) -> Result<Option<Name>, String> {
    let ty = subgraph.types.get(owner);
    let definition = ty.and_then(|ty| ty.fields.get(field));
    let definition = definition.ok_or_else(|| format!("`{owner}` has no field `{field}`"))?;
    Ok(composite_type(subgraph, &definition.ty))
}

/// The composite type named in `ty`; `None` for a leaf.
pub(super) fn composite_type(subgraph: &SubgraphSchema, ty: &str) -> Option<Name> {
    let name = inner_type_name(ty);
    let (known, it) = subgraph.types.get_key_value(name)?;
    (it.kind != SubgraphTypeKind::Leaf).then(|| Name::clone(known))
}

/// The named type of `ty`, without lists and non-nulls.
pub(super) fn inner_type_name(ty: &str) -> &str {
    ty.trim_matches(['[', ']', '!', ' '])
}

/// Checks that `name` has a selection set exactly when its type is composite.
pub(super) fn check_braces(
    name: &str,
    is_composite: bool,
    inner: &[Selection],
) -> Result<(), String> {
    match (is_composite, inner.is_empty()) {
        (true, true) => Err(format!("`{name}` needs a selection of fields")),
        (false, false) => Err(format!(
            "`{name}` is a leaf, and cannot have a selection of fields"
        )),
        _ => Ok(()),
    }
}
