//! Where a connector can be entered, with which key, and what it then gives.

use super::args::Args;
use super::uses::{Uses, is_root};
use super::{Place, Reader, Written};
use crate::connector::Gives;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Kind, Nullability, TypeId, TypeRef};
use crate::link::view::{self, View};
use crate::source::{Entry, FieldSet, Node, NodeField, NodeId, Serves};
use crate::span::Span;

/// What the place and the variables of a connector make of it.
pub(super) struct Entered {
    pub(super) entries: Vec<Entry>,
    pub(super) nodes: Vec<Node>,
    pub(super) gives: Gives,
}

/// Judges a connector at its place; `None` when something was reported.
pub(super) fn enter(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    args: &Args<'_>,
    uses: &Uses,
    written: &Written,
) -> Option<Entered> {
    let entity = args.get("entity").and_then(|value| value.to_bool());
    match place {
        Place::Type(object) => {
            let on = reader.types.find(&object.name)?;
            let at = At {
                args,
                uses,
                written,
            };
            if is_root(reader.types, &object.name) {
                report(
                    reader,
                    Code::ConnectOnRoot,
                    args.span(),
                    "a root type cannot be fetched: move `@connect` to its fields",
                );
                return None;
            }
            if entity == Some(false) {
                report(
                    reader,
                    Code::ConnectOnTypeMustBeEntity,
                    args.span_of("entity"),
                    "a connector on a type always gives the entity: leave `entity` out",
                );
                return None;
            }
            on_type(reader, on, &at)
        }
        Place::Field(owner, field) => {
            let on = reader.types.find(&owner.name)?;
            let definition = reader.types.get(on).field(&field.name)?;
            let (name, ty) = (definition.name.clone(), definition.ty.clone());
            let view = field_view(reader, on, (&name, &ty), written)?;
            let mut entries = vec![Entry {
                on,
                key: uses.fields("this"),
                node: view.root,
                serves: Serves::Field,
            }];
            if entity == Some(true) {
                let inner = view.nodes[view.root.0].fields.get(&name)?.child;
                let key = entity_key(reader, (on, &name, &ty), args, uses)?;
                entries.push(Entry {
                    on: ty.named(),
                    key,
                    node: inner?,
                    serves: Serves::Object,
                });
            }
            Some(Entered {
                entries,
                nodes: view.nodes,
                gives: Gives::Field(name),
            })
        }
    }
}

/// A directive and what was read of it.
struct At<'a> {
    args: &'a Args<'a>,
    uses: &'a Uses,
    written: &'a Written,
}

fn report(reader: &mut Reader<'_>, code: Code, span: Span, message: &str) {
    reader.problems.push(Diagnostic::error(code, span, message));
}

/// The node of the owner with this one field.
fn field_view(
    reader: &mut Reader<'_>,
    on: TypeId,
    (name, ty): (&crate::graph::Name, &TypeRef),
    written: &Written,
) -> Option<View> {
    let mut view = View::default();
    let child = view::of_value(
        &mut view,
        &mut view::Ctx {
            sdl: reader.sdl,
            types: reader.types,
            literal: &written.selection.literal,
            abstract_types: reader.link.version >= crate::mapping::Version::V0_4,
            problems: reader.problems,
        },
        written.selection.it.ast(),
        ty.named(),
    )?;
    let fields = std::iter::once((name.clone(), NodeField { child })).collect();
    view.nodes.push(Node { on, fields });
    view.root = NodeId(view.nodes.len() - 1);
    Some(view)
}

fn on_type(reader: &mut Reader<'_>, on: TypeId, at: &At<'_>) -> Option<Entered> {
    let (batch, this) = (at.uses.has("batch"), at.uses.has("this"));
    let span = at.args.span();
    if batch && this {
        let span = at.uses.first("this", reader).unwrap_or(span);
        report(
            reader,
            Code::ConnectBatchAndThis,
            span,
            "`$this` is one entity and `$batch` is many: use one of them",
        );
        return None;
    }
    let variable = if batch { "batch" } else { "this" };
    let key = at.uses.fields(variable);
    if key.is_empty() {
        report(
            reader,
            Code::ConnectorsCannotResolveKey,
            span,
            "a connector on a type must use `$this` or `$batch`, or it cannot know which entity is meant",
        );
        return None;
    }
    let max = max_size(reader, at.args)?;
    let mut view = View::default();
    let node = view::of_value(
        &mut view,
        &mut view::Ctx {
            sdl: reader.sdl,
            types: reader.types,
            literal: &at.written.selection.literal,
            abstract_types: reader.link.version >= crate::mapping::Version::V0_4,
            problems: reader.problems,
        },
        at.written.selection.it.ast(),
        on,
    )??;
    if batch && !view.gives(node, &key) {
        let span = at.args.span_of("selection");
        let message = format!(
            "the selection does not give `{key}`, by which answers are matched to entities"
        );
        report(
            reader,
            Code::ConnectorsBatchKeyNotInSelection,
            span,
            &message,
        );
        return None;
    }
    let serves = if batch {
        Serves::Batch(max)
    } else {
        Serves::Object
    };
    let gives = if batch {
        Gives::Batch {
            key: key.clone(),
            max,
        }
    } else {
        Gives::Object
    };
    Some(Entered {
        entries: vec![Entry {
            on,
            key,
            node,
            serves,
        }],
        nodes: view.nodes,
        gives,
    })
}

/// `batch.maxSize`; the outer `None` when it was reported.
fn max_size(reader: &mut Reader<'_>, args: &Args<'_>) -> Option<Option<usize>> {
    let Some(batch) = args.object("batch") else {
        return Some(None);
    };
    let Some(value) = batch.get("maxSize") else {
        return Some(None);
    };
    match value.to_i32().map(usize::try_from) {
        Some(Ok(max)) if max > 0 => Some(Some(max)),
        _ => {
            report(
                reader,
                Code::GraphqlError,
                batch.span_of("maxSize"),
                "`maxSize` must be at least 1",
            );
            None
        }
    }
}

/// The key of an `entity: true` connector: the arguments it uses, each a field of the entity.
fn entity_key(
    reader: &mut Reader<'_>,
    (on, name, ty): (TypeId, &crate::graph::Name, &TypeRef),
    args: &Args<'_>,
    uses: &Uses,
) -> Option<FieldSet> {
    let types = reader.types;
    let span = args.span_of("entity");
    if Some(on) != types.query() {
        report(
            reader,
            Code::EntityNotOnRootQuery,
            span,
            "`entity: true` is for fields of the query root",
        );
        return None;
    }
    let one_object = matches!(ty, TypeRef::Named(id, Nullability::Nullable)
        if matches!(types.get(*id).kind, Kind::Object(_)));
    if !one_object {
        let message = format!(
            "an entity field gives one object or null, and this is `{}`",
            ty.display(types)
        );
        report(reader, Code::EntityTypeInvalid, span, &message);
        return None;
    }
    let field = types.get(on).field(name)?;
    let entity = types.get(ty.named());
    let mismatch = field.arguments.iter().find(|(argument, definition)| {
        entity
            .field(argument)
            .is_none_or(|twin| !same_shape(reader, definition.ty.named(), twin.ty.named()))
    });
    if let Some((argument, _)) = mismatch {
        let message = format!(
            "the argument `{argument}` is not a field of `{}` with the same type",
            entity.name
        );
        report(reader, Code::EntityResolverArgumentMismatch, span, &message);
        return None;
    }
    let key = uses.fields("args");
    if field.arguments.is_empty() || key.is_empty() {
        report(
            reader,
            Code::EntityResolverArgumentMismatch,
            span,
            "an entity field needs an argument that says which entity is meant, and must use it",
        );
        return None;
    }
    Some(key)
}

/// Whether an argument's type is a field's type, or an input with fields of the same types.
fn same_shape(reader: &Reader<'_>, input: TypeId, output: TypeId) -> bool {
    if input == output {
        return true;
    }
    let output = reader.types.get(output);
    match &reader.types.get(input).kind {
        Kind::Input(members) => members.iter().all(|(name, member)| {
            output
                .field(name)
                .is_some_and(|field| same_shape(reader, member.ty.named(), field.ty.named()))
        }),
        _ => false,
    }
}
