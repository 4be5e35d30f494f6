//! The entry points of a connector: its keys, and the nodes that it provides.

use std::sync::Arc;

use super::args::Args;
use super::connect_directive::ConnectDirective;
use super::variable_uses::VariableUses;
use super::{ConnectLocation, Located, Reader, key, location};
use crate::connector::ConnectorOutput;
use crate::diagnostic::{Code, Diagnostic};
use crate::key::FieldSet;
use crate::link::{Reported, ReportedResult};
use crate::mapping::Mapping;
use crate::source::{self, EntryCardinality, EntryPoint, NodeField, SourceNode};
use crate::span::Span;
use crate::types::{Field, TypeId, Types};

/// The entry points of a connector, which follow from its location and variables.
pub(super) struct ConnectorEntryPoints {
    pub(super) entry_points: Vec<EntryPoint>,
    pub(super) nodes: Vec<SourceNode>,
    pub(super) output: ConnectorOutput,
}

/// The entry points of a connector at `location`.
pub(super) fn entry_points(
    reader: &mut Reader<'_>,
    location: ConnectLocation<'_>,
    connect: &ParsedConnect<'_>,
) -> ReportedResult<ConnectorEntryPoints> {
    match location {
        ConnectLocation::Type(object) => {
            let Some(on) = reader.types.find(&object.name) else {
                return Err(Reported); // Missing types were reported before.
            };
            on_type(reader, on, connect)
        }
        ConnectLocation::Field(owner, field) => {
            let on = reader.types.find(&owner.name);
            let resolved = on.and_then(|on| Some((on, reader.types.get(on).field(&field.name)?)));
            let Some((on, field)) = resolved else {
                return Err(Reported);
            };
            on_field(reader, on, field, connect)
        }
    }
}

/// A directive with its arguments and variables.
pub(super) struct ParsedConnect<'a> {
    pub(super) args: &'a Args<'a>,
    pub(super) uses: &'a VariableUses,
    pub(super) directive: &'a ConnectDirective,
}

fn report(reader: &mut Reader<'_>, code: Code, span: Span, message: &str) -> Reported {
    reader.problems.push(Diagnostic::error(code, span, message));
    Reported
}

/// Reports problems of the selection of a connector that is invalid for another reason.
pub(super) fn check_selection(
    reader: &mut Reader<'_>,
    location: ConnectLocation<'_>,
    selection: &Located<Mapping>,
) {
    let types = reader.types;
    let owner = types.find(&location.owner().name);
    let output_type = match location {
        ConnectLocation::Type(_) => owner,
        ConnectLocation::Field(_, field) => owner
            .and_then(|on| types.get(on).field(&field.name))
            .map(|field| field.ty.named_type()),
    };
    if let Some(output_type) = output_type {
        // Only the reported problems matter.
        let _ = reader
            .selection_reader(selection)
            .selection(selection.value.ast(), output_type);
    }
}

fn on_field(
    reader: &mut Reader<'_>,
    on: TypeId,
    field: &Field,
    connect: &ParsedConnect<'_>,
) -> ReportedResult<ConnectorEntryPoints> {
    let mut selection_reader = reader.selection_reader(&connect.directive.selection);
    let child = selection_reader.selection(
        connect.directive.selection.value.ast(),
        field.ty.named_type(),
    )?;
    let node_field = NodeField {
        child,
        requires: None,
        context_arguments: Arc::default(),
        only_in_keys: false,
        ty: "".into(),
    };
    let fields = std::iter::once((Arc::clone(&field.name), node_field)).collect();
    let node = selection_reader.add_node(on, fields);
    let nodes = selection_reader.nodes;
    let this = connect.uses.fields("this");
    key::check(reader, on, &this, "this", connect)?;
    let name = |types: &Types, on| Arc::clone(&types.get(on).name);
    let mut entry_points = vec![EntryPoint {
        on,
        type_name: name(reader.types, on),
        key: this,
        node,
        cardinality: EntryCardinality::Field,
    }];
    if location::entity_argument(connect.args) == Some(true) {
        let key = entity_key(reader, field, connect)?;
        entry_points.extend(child.map(|node| EntryPoint {
            on: field.ty.named_type(),
            type_name: name(reader.types, field.ty.named_type()),
            key,
            node,
            cardinality: EntryCardinality::Object,
        }));
    }
    Ok(ConnectorEntryPoints {
        entry_points,
        nodes,
        output: ConnectorOutput::Field(Arc::clone(&field.name)),
    })
}

fn on_type(
    reader: &mut Reader<'_>,
    on: TypeId,
    connect: &ParsedConnect<'_>,
) -> ReportedResult<ConnectorEntryPoints> {
    let is_batch = is_batch(reader, connect)?;
    let variable = if is_batch { "batch" } else { "this" };
    let key = connect.uses.fields(variable);
    if key.is_empty() {
        let message = "a connector on a type must use `$this` or `$batch` to identify the entity";
        let code = Code::ConnectorsCannotResolveKey;
        return Err(report(reader, code, connect.args.span(), message));
    }
    let max = max_size(reader, connect.args)?;
    key::check(reader, on, &key, variable, connect)?;
    let selection = &connect.directive.selection;
    let mut selection_reader = reader.selection_reader(selection);
    let Some(node) = selection_reader.selection(selection.value.ast(), on)? else {
        return Err(Reported);
    };
    let nodes = selection_reader.nodes;
    if is_batch {
        if !source::is_provided(&nodes, node, &key) {
            let message =
                format!("the selection lacks the key `{key}`, which matches responses to entities");
            let code = Code::ConnectorsBatchKeyNotInSelection;
            return Err(report(
                reader,
                code,
                connect.args.span_of("selection"),
                &message,
            ));
        }
        key::check_from_response(reader, selection, &key)?;
    }
    let (cardinality, output) = if is_batch {
        let key = key.clone();
        (
            EntryCardinality::Batch(max),
            ConnectorOutput::Batch { key, max_size: max },
        )
    } else {
        (EntryCardinality::Object, ConnectorOutput::Object)
    };
    Ok(ConnectorEntryPoints {
        entry_points: vec![EntryPoint {
            on,
            type_name: Arc::clone(&reader.types.get(on).name),
            key,
            node,
            cardinality,
        }],
        nodes,
        output,
    })
}

/// Whether a connector on a type fetches batches; reports a batch connector that uses `$this`.
fn is_batch(reader: &mut Reader<'_>, connect: &ParsedConnect<'_>) -> ReportedResult<bool> {
    let (batch, this) = (
        connect.uses.has("batch"),
        connect.uses.first_span("this", reader),
    );
    match this {
        Some(this) if batch => {
            let message = "`$this` is one entity and `$batch` is many: use only one of the two";
            Err(report(reader, Code::ConnectBatchAndThis, this, message))
        }
        _ => Ok(batch),
    }
}

/// The value of `batch.maxSize`; `None` where it is absent.
fn max_size(reader: &mut Reader<'_>, args: &Args<'_>) -> ReportedResult<Option<usize>> {
    let batch = args.object("batch");
    let Some((batch, value)) = batch.and_then(|it| it.get("maxSize").map(|value| (it, value)))
    else {
        return Ok(None);
    };
    match value.to_i32().map(usize::try_from) {
        Some(Ok(max)) if max > 0 => Ok(Some(max)),
        _ => {
            let message = "`maxSize` must be at least 1";
            let code = Code::GraphqlError;
            Err(report(reader, code, batch.span_of("maxSize"), message))
        }
    }
}

/// The key of an `entity: true` connector: the arguments that it uses, each a field of the entity.
fn entity_key(
    reader: &mut Reader<'_>,
    field: &Field,
    connect: &ParsedConnect<'_>,
) -> ReportedResult<FieldSet> {
    let key = connect.uses.fields("args");
    if key.is_empty() {
        let message = "an entity field must use an argument that identifies the entity";
        let code = Code::EntityResolverArgumentMismatch;
        return Err(report(
            reader,
            code,
            connect.args.span_of("entity"),
            message,
        ));
    }
    key::check(reader, field.ty.named_type(), &key, "args", connect)?;
    Ok(key)
}
