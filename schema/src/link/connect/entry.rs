//! Where a connector can be entered, with which key, and what it then gives.

use std::sync::Arc;

use super::args::Args;
use super::uses::Uses;
use super::written::Written;
use super::{Place, Placed, Reader, key, place};
use crate::connector::Gives;
use crate::diagnostic::{Code, Diagnostic};
use crate::key::FieldSet;
use crate::link::{Read, Reported};
use crate::mapping::Mapping;
use crate::source::{self, Entry, Node, NodeField, Serves};
use crate::span::Span;
use crate::types::{Field, TypeId, Types};

/// What the place and the variables of a connector make of it.
pub(super) struct Entered {
    pub(super) entries: Vec<Entry>,
    pub(super) nodes: Vec<Node>,
    pub(super) gives: Gives,
}

/// Judges a connector at its place.
pub(super) fn enter(reader: &mut Reader<'_>, place: Place<'_>, at: &At<'_>) -> Read<Entered> {
    match place {
        Place::Type(object) => {
            let Some(on) = reader.types.find(&object.name) else {
                return Err(Reported); // Types that are not there were reported before.
            };
            on_type(reader, on, at)
        }
        Place::Field(owner, field) => {
            let on = reader.types.find(&owner.name);
            let found = on.and_then(|on| Some((on, reader.types.get(on).field(&field.name)?)));
            let Some((on, field)) = found else {
                return Err(Reported);
            };
            on_field(reader, (on, field), at)
        }
    }
}

/// A directive and what was read of it.
pub(super) struct At<'a> {
    pub(super) args: &'a Args<'a>,
    pub(super) uses: &'a Uses,
    pub(super) written: &'a Written,
}

fn report(reader: &mut Reader<'_>, code: Code, span: Span, message: &str) -> Reported {
    reader.problems.push(Diagnostic::error(code, span, message));
    Reported
}

/// Reports what is wrong with a selection by itself, for a connector that failed otherwise.
pub(super) fn judge(reader: &mut Reader<'_>, place: Place<'_>, selection: &Placed<Mapping>) {
    let types = reader.types;
    let owner = types.find(&place.owner().name);
    let gives = match place {
        Place::Type(_) => owner,
        Place::Field(_, field) => owner
            .and_then(|on| types.get(on).field(&field.name))
            .map(|field| field.ty.named()),
    };
    if let Some(gives) = gives {
        // Reported there; there is nothing to go on with here.
        let _ = reader.view(selection).of(selection.it.ast(), gives);
    }
}

fn on_field(reader: &mut Reader<'_>, (on, field): (TypeId, &Field), at: &At<'_>) -> Read<Entered> {
    let mut view = reader.view(&at.written.selection);
    let child = view.of(at.written.selection.it.ast(), field.ty.named())?;
    let given = NodeField {
        child,
        requires: None,
        contexts: Arc::default(),
        only_in_keys: false,
        ty: "".into(),
    };
    let fields = std::iter::once((Arc::clone(&field.name), given)).collect();
    let node = view.add(on, fields);
    let nodes = view.nodes;
    let this = at.uses.fields("this");
    key::check(reader, on, (&this, "this"), at)?;
    let name = |types: &Types, on| Arc::clone(&types.get(on).name);
    let mut entries = vec![Entry {
        on,
        type_name: name(reader.types, on),
        key: this,
        node,
        serves: Serves::Field,
    }];
    if place::entity(at.args) == Some(true) {
        let key = entity_key(reader, field, at)?;
        entries.extend(child.map(|node| Entry {
            on: field.ty.named(),
            type_name: name(reader.types, field.ty.named()),
            key,
            node,
            serves: Serves::Object,
        }));
    }
    Ok(Entered {
        entries,
        nodes,
        gives: Gives::Field(Arc::clone(&field.name)),
    })
}

fn on_type(reader: &mut Reader<'_>, on: TypeId, at: &At<'_>) -> Read<Entered> {
    let batch = is_batch(reader, at)?;
    let key = at.uses.fields(if batch { "batch" } else { "this" });
    if key.is_empty() {
        let message = "a connector on a type must use `$this` or `$batch`, or it cannot know which entity is meant";
        let code = Code::ConnectorsCannotResolveKey;
        return Err(report(reader, code, at.args.span(), message));
    }
    let max = max_size(reader, at.args)?;
    key::check(reader, on, (&key, if batch { "batch" } else { "this" }), at)?;
    let selection = &at.written.selection;
    let mut view = reader.view(selection);
    let Some(node) = view.of(selection.it.ast(), on)? else {
        return Err(Reported);
    };
    let nodes = view.nodes;
    if batch {
        if !source::gives(&nodes, node, &key) {
            let message = format!(
                "the selection does not give `{key}`, by which answers are matched to entities"
            );
            let code = Code::ConnectorsBatchKeyNotInSelection;
            return Err(report(reader, code, at.args.span_of("selection"), &message));
        }
        key::check_from_answer(reader, selection, &key)?;
    }
    let (serves, gives) = if batch {
        let key = key.clone();
        (Serves::Batch(max), Gives::Batch { key, max })
    } else {
        (Serves::Object, Gives::Object)
    };
    Ok(Entered {
        entries: vec![Entry {
            on,
            type_name: Arc::clone(&reader.types.get(on).name),
            key,
            node,
            serves,
        }],
        nodes,
        gives,
    })
}

/// Whether a connector on a type fetches many at once; reports what it must not be.
fn is_batch(reader: &mut Reader<'_>, at: &At<'_>) -> Read<bool> {
    let (batch, this) = (at.uses.has("batch"), at.uses.first("this", reader));
    match this {
        Some(this) if batch => {
            let message = "`$this` is one entity and `$batch` is many: use one of them";
            Err(report(reader, Code::ConnectBatchAndThis, this, message))
        }
        _ => Ok(batch),
    }
}

/// `batch.maxSize`, if it is written.
fn max_size(reader: &mut Reader<'_>, args: &Args<'_>) -> Read<Option<usize>> {
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

/// The key of an `entity: true` connector: the arguments it uses, each a field of the entity.
fn entity_key(reader: &mut Reader<'_>, field: &Field, at: &At<'_>) -> Read<FieldSet> {
    let key = at.uses.fields("args");
    if key.is_empty() {
        let message =
            "an entity field needs an argument that says which entity is meant, and must use it";
        let code = Code::EntityResolverArgumentMismatch;
        return Err(report(reader, code, at.args.span_of("entity"), message));
    }
    key::check(reader, field.ty.named(), (&key, "args"), at)?;
    Ok(key)
}
