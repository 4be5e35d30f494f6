//! Rules for the location of a connector, whatever its texts contain.

use std::collections::HashSet;

use super::args::Args;
use super::{ConnectLocation, Reader};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::{Reported, ReportedResult};
use crate::span::Span;
use crate::types::{Field, Nullability, TypeId, TypeKind, TypeRef, Types};

/// Reports a connector that is not allowed at `location`.
pub(super) fn check(
    reader: &mut Reader<'_>,
    location: ConnectLocation<'_>,
    args: &Args<'_>,
) -> ReportedResult<()> {
    let types = reader.types;
    let Some(on) = types.find(&location.owner().name) else {
        return Err(Reported); // Missing types were reported before.
    };
    match location {
        ConnectLocation::Type(_) => on_type(reader, on, args),
        ConnectLocation::Field(_, field) => {
            let Some(field) = types.get(on).field(&field.name) else {
                return Err(Reported);
            };
            on_field(reader, on, field, args)
        }
    }
}

/// The value of `entity`; `None` where it is absent.
pub(super) fn entity_argument(args: &Args<'_>) -> Option<bool> {
    args.get("entity").and_then(|value| value.to_bool())
}

fn report(reader: &mut Reader<'_>, code: Code, span: Span, message: &str) -> Reported {
    reader.problems.push(Diagnostic::error(code, span, message));
    Reported
}

fn on_type(reader: &mut Reader<'_>, on: TypeId, args: &Args<'_>) -> ReportedResult<()> {
    if Some(on) == reader.types.query() || Some(on) == reader.types.mutation() {
        let message = "a root type cannot be fetched: move `@connect` to its fields";
        return Err(report(reader, Code::ConnectOnRoot, args.span(), message));
    }
    if entity_argument(args) == Some(false) {
        let message = "a connector on a type always fetches the entity: remove `entity`";
        let code = Code::ConnectOnTypeMustBeEntity;
        return Err(report(reader, code, args.span_of("entity"), message));
    }
    Ok(())
}

fn on_field(
    reader: &mut Reader<'_>,
    on: TypeId,
    field: &Field,
    args: &Args<'_>,
) -> ReportedResult<()> {
    if field.ty.named_type() == on {
        let (owner, name) = (&reader.types.get(on).name, &field.name);
        let message = format!("`{owner}.{name}` returns a `{owner}` inside a `{owner}`");
        let problem = Diagnostic::error(Code::CircularReference, args.span(), message);
        // A type with this connector is no `{owner}` inside a `{owner}`.
        reader.problems.push(problem.help(Some(format!(
            "give the reference a type of its own, with the key of `{owner}` and this connector: \
             `type {owner}Ref {{ id: ID! {name}: {owner} @connect(…) }}`"
        ))));
        return Err(Reported);
    }
    if entity_argument(args) == Some(true) {
        return on_entity_field(reader, on, field, args.span_of("entity"));
    }
    Ok(())
}

fn on_entity_field(
    reader: &mut Reader<'_>,
    on: TypeId,
    field: &Field,
    span: Span,
) -> ReportedResult<()> {
    let types = reader.types;
    if Some(on) != types.query() {
        let message = "`entity: true` is for fields of `Query` only";
        return Err(report(reader, Code::EntityNotOnRootQuery, span, message));
    }
    let entity = types.get(field.ty.named_type());
    let one_object = matches!(field.ty, TypeRef::Named(_, Nullability::Nullable))
        && matches!(entity.kind, TypeKind::Object(_));
    if !one_object {
        let message = format!(
            "an entity field must return a nullable object, and this one returns `{}`",
            field.ty.display(types)
        );
        let help = matches!(entity.kind, TypeKind::Object(_))
            .then(|| format!("change its type to `{}`, or remove `entity`", entity.name));
        let problem = Diagnostic::error(Code::EntityTypeInvalid, span, message).help(help);
        reader.problems.push(problem);
        return Err(Reported);
    }
    let mismatch = field.arguments.iter().find(|(argument, definition)| {
        entity
            .field(argument)
            .is_none_or(|twin| !same_shape(types, definition.ty.named_type(), twin.ty.named_type()))
    });
    if let Some((argument, _)) = mismatch {
        let message = format!(
            "the argument `{argument}` is not a field of `{}` with the same type",
            entity.name
        );
        let code = Code::EntityResolverArgumentMismatch;
        return Err(report(reader, code, span, &message));
    }
    Ok(())
}

/// Whether an argument's type is the type of a field, or an input with fields of the same types.
///
/// Iterative, with a set of visited pairs: inputs may be recursive, and nested deep.
fn same_shape(types: &Types, input: TypeId, output: TypeId) -> bool {
    let mut pairs = vec![(input, output)];
    let mut seen = HashSet::new();
    while let Some((input, output)) = pairs.pop() {
        if input == output || !seen.insert((input, output)) {
            continue;
        }
        let TypeKind::InputObject(members) = &types.get(input).kind else {
            return false;
        };
        for (name, member) in members {
            let Some(field) = types.get(output).field(name) else {
                return false;
            };
            pairs.push((member.ty.named_type(), field.ty.named_type()));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Diagnostic;
    use crate::link::{LinkOptions, link};
    use crate::span::Document;
    use crate::subgraph::Subgraph;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        let sdl = format!(
            r#"
extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])

type Query {{
  part(of: Of!): Part
    @connect(
      http: {{ GET: "https://api.example.com/parts/{{$args.of.id}}" }}
      selection: "of {{ id }}"
      entity: true
    )
}}

type Part {{ of: Whole }}
type Whole {{ id: ID! }}
input Of {{ id: ID!  {input} }}
"#
        );
        let subgraph = Subgraph {
            name: "parts".into(),
            url: None,
            document: Document::new("parts.graphql", sdl),
        };
        let wholes = Subgraph {
            name: "wholes".into(),
            url: None,
            document: Document::new(
                "wholes.graphql",
                r#"type Whole @key(fields: "id") { id: ID!  parent: Whole }"#,
            ),
        };
        let (_, diagnostics) = link(&[subgraph, wholes], LinkOptions::default());
        let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
        assert!(rendered.join("\n").starts_with(expected), "{rendered:?}");
        assert_eq!(rendered.is_empty(), expected.is_empty(), "{rendered:?}");
    }

    #[test]
    fn recursive_inputs_are_compared_once() {
        check("parent: Of", "");
        check("parents: [Of!]", "error[ENTITY_RESOLVER_ARGUMENT_MISMATCH]");
    }
}
