//! The errors that services give with their answers, each put where the client sees it.
//!
//! A path of a service leads through its own response keys; what it leads to is a slot of some
//! object. The nearest null on the way is what the error explains, and becomes the failure. What
//! leads nowhere is told once, without a path.

use schema::json::{Kind, Node, Str};

use super::execution::Execution;
use super::subgraph_fetch::PartEntities;
use crate::error::{FailureId, FetchError, SubgraphError};
use crate::response::shape::{ObjectShape, ResponseFields, TypeSource, ValueShape};
use crate::tree::{Row, Tree, Value};

/// One step of a path.
#[derive(Clone, Copy, Debug)]
enum ErrorPathStep<'j> {
    Key(Str<'j>),
    Index(usize),
}

/// Whether an error found its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
    Yes,
    No,
}

impl<'a> Execution<'_, 'a> {
    /// Places every error, the first of an answer without data everywhere.
    pub(super) fn place_errors(
        &mut self,
        parts: &[PartEntities<'a>],
        data: Option<Node<'_>>,
        errors: Option<Node<'_>>,
    ) {
        let (Some(first), Some(errors)) = (parts.first(), errors) else {
            return;
        };
        let limit = self.context.error_limit;
        let mut is_data_missing = data.is_none();
        for error in errors.elements().take(limit) {
            let told = FetchError::GraphqlError(graphql_error(error));
            let failure = self.context.failure(first.part.fetch, told);
            let failure = self.failures.add(failure);
            let placed = match (data, error_path(error)) {
                (Some(data), Some(path)) => self.place_error(parts, data, &path, failure),
                (None, _) if is_data_missing => {
                    is_data_missing = false;
                    self.fail_all_parts(parts, failure);
                    Placed::Yes
                }
                _ => Placed::No,
            };
            if placed == Placed::No {
                // It may be about anything that was asked for.
                for part_entities in parts {
                    self.discard_claims(part_entities.part.fetch, &part_entities.selected);
                }
                self.failures.unplaced.push(failure);
            }
        }
        if errors.len() > limit {
            for part_entities in parts {
                self.discard_claims(part_entities.part.fetch, &part_entities.selected);
            }
        }
        self.failures.omitted += errors.len().saturating_sub(limit);
    }

    fn place_error(
        &mut self,
        parts: &[PartEntities<'a>],
        data: Node<'_>,
        path: &[ErrorPathStep<'_>],
        failure: FailureId,
    ) -> Placed {
        let Some(path) = path_to_null(data, path) else {
            return Placed::No;
        };
        let Some(ErrorPathStep::Key(key)) = path.first() else {
            return Placed::No;
        };
        let mut placed = Placed::No;
        for part_entities in parts {
            let PartEntities {
                part,
                entities,
                selected,
                ..
            } = part_entities;
            let (rest, affected) = match (&part.entities_field, path) {
                (None, path) => (path, selected.as_slice()),
                (Some(listed), _) if !key.is(&listed.key) => continue,
                (Some(_), [_, ErrorPathStep::Index(index), rest @ ..]) => {
                    let one = selected.get(*index..).and_then(|rest| rest.get(..1));
                    (rest, one.unwrap_or_default())
                }
                (Some(_), [_, ..]) => (&[][..], selected.as_slice()),
                (Some(_), []) => continue,
            };
            self.discard_claims(part.fetch, affected);
            for index in affected {
                let objects = &part.shapes[entities.kind(*index)];
                for row in entities.rows(*index) {
                    if mark_row(&mut self.tree, objects, (*row, rest), failure) == Placed::Yes {
                        placed = Placed::Yes;
                    }
                }
            }
        }
        placed
    }
}

/// The path as far as the first value on it that is null or not there; `None` when there is none.
fn path_to_null<'p, 'j>(
    data: Node<'_>,
    path: &'p [ErrorPathStep<'j>],
) -> Option<&'p [ErrorPathStep<'j>]> {
    let mut node = data;
    for (depth, step) in path.iter().enumerate() {
        let inner = match (step, node.kind()) {
            (ErrorPathStep::Key(key), Kind::Object(_)) => node.get(&key.decode()),
            (ErrorPathStep::Index(index), Kind::List(mut elements)) => elements.nth(*index),
            _ => return None, // It leads through a leaf.
        };
        match inner.filter(|inner| !inner.is_null()) {
            Some(inner) => node = inner,
            None => return path.get(..=depth),
        }
    }
    None
}

/// Marks what a path leads to from the object of a row; with no path left, all of it.
fn mark_row(
    tree: &mut Tree,
    objects: &ObjectShape,
    (row, path): (Row, &[ErrorPathStep<'_>]),
    failure: FailureId,
) -> Placed {
    let mut placed = Placed::No;
    let ResponseFields(members) = match &objects.type_source {
        TypeSource::Fixed(_, fields) | TypeSource::Unknown(fields) => fields,
        TypeSource::ByTypename(each) => {
            let ty = tree.type_of(row);
            let mut each = each.iter();
            match each.find(|(_, known, _)| Some(*known) == ty) {
                Some((_, _, fields)) => fields,
                None => return Placed::No,
            }
        }
    };
    for member in members {
        let rest = match path {
            [] => path,
            [ErrorPathStep::Key(key), rest @ ..] if key.is(&member.key) => rest,
            _ => continue,
        };
        for (slot, shape) in &member.slots {
            let value = tree.slot(row, *slot);
            let (value, marked) = mark(tree, shape, (value, rest), failure);
            tree.set_slot(row, *slot, value);
            if marked == Placed::Yes {
                placed = Placed::Yes;
            }
        }
    }
    placed
}

/// Follows a path into a value; gives what the value is afterwards.
fn mark(
    tree: &mut Tree,
    shape: &ValueShape,
    (value, path): (Value, &[ErrorPathStep<'_>]),
    failure: FailureId,
) -> (Value, Placed) {
    match (value, path, shape) {
        (Value::Absent | Value::Null, _, _) => (Value::Failed(failure), Placed::Yes),
        // One error explains it already.
        (Value::Failed(_), _, _) => (value, Placed::Yes),
        (Value::Object(row), [_, ..], ValueShape::Objects(objects)) => {
            (value, mark_row(tree, objects, (row, path), failure))
        }
        (Value::List { start, len }, [ErrorPathStep::Index(index), rest @ ..], _) => {
            let index = u32::try_from(*index).ok().filter(|index| *index < len);
            let Some(index) = index else {
                return (value, Placed::No);
            };
            let item = tree.item(start, index);
            let (item, placed) = mark(tree, shape, (item, rest), failure);
            tree.set_item(start, index, item);
            (value, placed)
        }
        (Value::Object(_) | Value::List { .. } | Value::Leaf(_), _, _) => (value, Placed::No),
    }
}

/// `path` of an error; `None` when it has none that could be one.
fn error_path(error: Node<'_>) -> Option<Vec<ErrorPathStep<'_>>> {
    let Kind::List(elements) = error.get("path")?.kind() else {
        return None;
    };
    let steps = elements.map(|element| match element.kind() {
        Kind::String(key) => Some(ErrorPathStep::Key(key)),
        Kind::Number(text) => text.parse().ok().map(ErrorPathStep::Index),
        Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Object(_) => None,
    });
    steps
        .collect::<Option<Vec<_>>>()
        .filter(|path| !path.is_empty())
}

fn graphql_error(error: Node<'_>) -> SubgraphError {
    let message = match error.get("message").map(Node::kind) {
        Some(Kind::String(message)) => message.decode().into_owned(),
        _ => NO_MESSAGE.to_owned(),
    };
    let extensions = error.get("extensions");
    let extensions = extensions.filter(|it| matches!(it.kind(), Kind::Object(_)));
    SubgraphError {
        message,
        extensions: extensions.map(|it| it.raw().to_owned()),
    }
}

const NO_MESSAGE: &str = "the service told an error without a message";
