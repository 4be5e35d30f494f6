//! Places the errors of a subgraph's response where the client sees them.
//!
//! An error's path has the response keys of the request; it leads to a slot of some object. The
//! first null on the path is what the error explains, and becomes the failure. An error whose path
//! leads to no null is listed once, without a path.

use std::sync::Arc;

use schema::json::{Kind, Node};

use super::error_origin::error_origin;
use super::execution::Execution;
use super::failed_slots::{ErrorPlace, FailedValue};
use super::subgraph_fetch::PartEntities;
use crate::entity_key::EntityIndex;
use crate::error::{FailureId, FetchError, SubgraphError};
use crate::response::shape::{ObjectShape, ResponseField, ResponseFields, TypeSource, ValueShape};
use crate::source_client::graphql::NOT_A_LIST;
use crate::tree::{Row, Tree, Value};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathStep {
    Key(Box<str>),
    Index(usize),
}

/// Whether an error was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    Yes,
    No,
}

impl Placed {
    fn or(self, other: Self) -> Self {
        match self {
            Self::Yes => self,
            Self::No => other,
        }
    }
}

impl<'a> Execution<'_, 'a> {
    /// Places every error; without `data` the first error fails all entities of the request.
    pub(super) fn place_errors(
        &mut self,
        parts: &[PartEntities<'a>],
        data: Option<Node<'_>>,
        errors: Option<Node<'_>>,
    ) {
        let (Some(first), Some(errors)) = (parts.first(), errors) else {
            return;
        };
        if !matches!(errors.kind(), Kind::List(_)) {
            let error = FetchError::NotGraphql(NOT_A_LIST);
            let failure = self.context.failure(first.fetch_id(), error);
            let failure = self.failures.add(failure);
            return self.add_unplaced(parts, failure);
        }
        let limit = self.context.error_limit;
        let mut is_data_missing = data.is_none();
        for error in errors.elements().take(limit) {
            let graphql_error = FetchError::GraphqlError(graphql_error(error));
            let failure = self.context.failure(first.fetch_id(), graphql_error);
            let failure = self.failures.add(failure);
            let placed = match (data, error_path(error)) {
                (Some(data), Some(path)) => self.place_error(parts, data, &path, failure),
                (None, path) if is_data_missing => {
                    is_data_missing = false;
                    self.add_origin(parts, path.as_deref().unwrap_or_default(), &[], failure);
                    self.fail_all_parts(parts, failure);
                    Placed::Yes
                }
                // The first error explains it.
                (None, Some(_)) => Placed::Yes,
                (_, None) => Placed::No,
            };
            if placed == Placed::No {
                self.add_unplaced(parts, failure);
            }
        }
        if errors.len() > limit {
            self.discard_parts(parts);
        }
        self.failures.omitted += errors.len().saturating_sub(limit);
    }

    /// Lists an error without a path; it may concern any entity of the request.
    fn add_unplaced(&mut self, parts: &[PartEntities<'a>], failure: FailureId) {
        self.discard_parts(parts);
        self.failures.unplaced.push(failure);
    }

    fn discard_parts(&mut self, parts: &[PartEntities<'a>]) {
        for part in parts {
            self.cache.discard(part.fetch_id(), &part.selected);
        }
    }

    /// Records where an error occurred below the value that it made null.
    fn add_origin(
        &mut self,
        parts: &[PartEntities<'a>],
        path: &[PathStep],
        null_path: &[PathStep],
        failure: FailureId,
    ) {
        let mut origins = parts.iter();
        let origin = origins.find_map(|part| error_origin(part, path, null_path));
        if let Some(origin) = origin {
            self.failures.origins.insert(failure, origin);
        }
    }

    fn place_error(
        &mut self,
        parts: &[PartEntities<'a>],
        data: Node<'_>,
        path: &[PathStep],
        failure: FailureId,
    ) -> Placed {
        let Some(null_path) = path_to_null(data, path) else {
            return Placed::No;
        };
        self.add_origin(parts, path, null_path, failure);
        let mut placed = Placed::No;
        for part in parts {
            let Some((affected, rest)) = affected_entities(part, null_path) else {
                continue;
            };
            self.cache.discard(part.fetch_id(), affected);
            let path: Arc<[PathStep]> = rest.into();
            let is_abstract = self.context.prepared.is_abstract[part.fetch.at.0];
            let mut marker = Marker {
                tree: &mut self.tree,
                failure,
            };
            for entity in affected {
                let entity = part.entities.entity(*entity);
                let shape = &part.part.shapes[entity.kind()];
                for row in entity.rows() {
                    if rest.is_empty() && is_abstract && marker.tree.type_of(*row).is_none() {
                        marker.tree.set_type_failure(*row, failure);
                        placed = Placed::Yes;
                    }
                    placed = placed.or(marker.mark_row(shape, *row, rest));
                    let path = Arc::clone(&path);
                    let failed = FailedValue {
                        row: *row,
                        failure,
                        place: Some(ErrorPlace { shape, path }),
                    };
                    self.failed_slots.add(part.fetch_id(), failed);
                }
            }
        }
        placed
    }
}

/// The entities of a part that a path leads to, and the rest of the path below them; `None` when
/// it leads to another part.
fn affected_entities<'p>(
    part: &'p PartEntities<'_>,
    path: &'p [PathStep],
) -> Option<(&'p [EntityIndex], &'p [PathStep])> {
    let PathStep::Key(key) = path.first()? else {
        return None;
    };
    let selected = part.selected.as_slice();
    match (&part.part.entities_field, path) {
        (None, path) => Some((selected, path)),
        (Some(field), _) if *key != field.key => None,
        (Some(_), [_, PathStep::Index(index), rest @ ..]) => {
            let entity = selected.get(*index..).and_then(|rest| rest.get(..1));
            Some((entity.unwrap_or_default(), rest))
        }
        (Some(_), _) => Some((selected, &[])),
    }
}

/// The path up to the first value on it that is null or missing; `None` when there is none.
fn path_to_null<'p>(data: Node<'_>, path: &'p [PathStep]) -> Option<&'p [PathStep]> {
    let mut node = data;
    for (depth, step) in path.iter().enumerate() {
        let inner = match (step, node.kind()) {
            (PathStep::Key(key), Kind::Object(_)) => node.get(key),
            (PathStep::Index(index), Kind::List(mut elements)) => elements.nth(*index),
            _ => return None, // The path leads through a leaf.
        };
        match inner.filter(|inner| !inner.is_null()) {
            Some(inner) => node = inner,
            None => return path.get(..=depth),
        }
    }
    None
}

/// Marks the values that a path leads to with one failure.
pub(super) struct Marker<'t> {
    pub(super) tree: &'t mut Tree,
    pub(super) failure: FailureId,
}

impl Marker<'_> {
    /// Follows a path from the object in `row`; an empty path marks all of its fields.
    pub(super) fn mark_row(&mut self, shape: &ObjectShape, row: Row, path: &[PathStep]) -> Placed {
        let mut placed = Placed::No;
        for field in self.fields(shape, row) {
            let rest = match path {
                [] => path,
                [PathStep::Key(key), rest @ ..] if **key == *field.key => rest,
                _ => continue,
            };
            for (slot, shape) in &field.slots {
                let value = self.tree.slot(row, *slot);
                let (value, marked) = self.mark(shape, value, rest);
                self.tree.set_slot(row, *slot, value);
                placed = placed.or(marked);
            }
        }
        placed
    }

    /// The fields of the object in `row`, by its type; those of all types if the error left none to
    /// know it by.
    fn fields<'s>(
        &self,
        shape: &'s ObjectShape,
        row: Row,
    ) -> impl Iterator<Item = &'s ResponseField> + use<'s> {
        let ty = self.tree.type_of(row);
        let by_type = match &shape.type_source {
            TypeSource::Fixed(_, fields) | TypeSource::Unknown(fields) => vec![fields],
            TypeSource::ByTypename(by_type) => {
                let types = by_type.iter();
                let types = types.filter(|(_, known, _)| ty.is_none_or(|ty| ty == *known));
                types.map(|(_, _, fields)| fields).collect()
            }
        };
        let fields = by_type.into_iter();
        fields.flat_map(|ResponseFields(fields)| fields)
    }

    /// Follows a path into a value; returns the value as it is afterwards.
    fn mark(&mut self, shape: &ValueShape, value: Value, path: &[PathStep]) -> (Value, Placed) {
        match (value, path, shape) {
            (Value::Absent | Value::Null, _, _) => (Value::Failed(self.failure), Placed::Yes),
            // An earlier error explains it.
            (Value::Failed(_), _, _) => (value, Placed::Yes),
            // Where the path ends at an object, another source has given it: what this one was to
            // give inside of it has failed.
            (Value::Object(row), _, ValueShape::Objects(shape)) => {
                (value, self.mark_row(shape, row, path))
            }
            (Value::List { start, len }, [], _) => {
                let mut placed = Placed::No;
                for index in 0..len {
                    let item = self.tree.item(start, index);
                    if matches!(item, Value::Object(_) | Value::List { .. }) {
                        placed = placed.or(self.mark(shape, item, path).1);
                    }
                }
                (value, placed)
            }
            (Value::List { start, len }, [PathStep::Index(index), rest @ ..], _) => {
                let index = u32::try_from(*index).ok().filter(|index| *index < len);
                let Some(index) = index else {
                    return (value, Placed::No);
                };
                let item = self.tree.item(start, index);
                let (item, placed) = self.mark(shape, item, rest);
                self.tree.set_item(start, index, item);
                (value, placed)
            }
            (Value::Object(_) | Value::List { .. } | Value::Leaf(_), _, _) => (value, Placed::No),
        }
    }
}

/// The `path` of an error; `None` when it has none, or none that GraphQL allows.
fn error_path(error: Node<'_>) -> Option<Vec<PathStep>> {
    let Kind::List(elements) = error.get("path")?.kind() else {
        return None;
    };
    let steps = elements.map(|element| match element.kind() {
        Kind::String(key) => Some(PathStep::Key(key.decode().into())),
        Kind::Number(text) => text.parse().ok().map(PathStep::Index),
        Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Object(_) => None,
    });
    let steps = steps.collect::<Option<Vec<_>>>();
    steps.filter(|path| !path.is_empty())
}

fn graphql_error(error: Node<'_>) -> SubgraphError {
    // Some servers return plain texts instead of objects.
    let message = match error.get("message").unwrap_or(error).kind() {
        Kind::String(message) => message.decode().into_owned(),
        _ => NO_MESSAGE.to_owned(),
    };
    let extensions = error.get("extensions");
    let extensions = extensions.filter(|it| matches!(it.kind(), Kind::Object(_)));
    SubgraphError {
        message,
        extensions: extensions.map(|it| it.raw().to_owned()),
    }
}

const NO_MESSAGE: &str = "the subgraph returned an error without a message";
