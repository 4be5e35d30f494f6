//! Projection: writes the tree as the client's JSON, with null propagation, coercion of leaves and
//! errors with paths.
//!
//! One walk writes straight into the output. A null at a non-null type propagates to the nearest
//! nullable ancestor, where the output is truncated (GraphQL §6.4.4).

use std::sync::Arc;

use schema::operation::Variables;
use schema::types::{Name, Nullability, TypeId};

use self::errors::ErrorList;
use self::origin::EnclosingObject;
pub(crate) use self::program::ResponseProgram;
use self::program::{Member, MemberValue, OutputObject, OutputShape, OutputType, TypeCheck};
use crate::error::{FailureId, Failures, FieldError, FieldErrorKind};
use crate::tree::{Row, Tree, Value};

mod errors;
mod origin;
mod program;

/// The result of an execution, and the inputs that decide how it is written.
#[derive(Clone, Copy)]
pub(crate) struct ProjectionInput<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) failures: &'a Failures,
    pub(crate) variables: &'a Variables,
    /// Maximum number of errors that are listed; one more error has the number of the others.
    pub(crate) error_limit: usize,
    /// Maximum bytes that are written.
    pub(crate) max_bytes: usize,
}

/// Writes the tree to `out` and returns the errors of the response. A response over the maximum is
/// null, with one error.
pub(crate) fn project(
    program: &ResponseProgram,
    input: ProjectionInput<'_>,
    out: &mut Vec<u8>,
) -> Vec<FieldError> {
    let tree = input.tree;
    let mut projection = Projection {
        tree,
        failures: input.failures,
        active_conditions: program
            .conditions
            .iter()
            .map(|condition| condition.is_true(input.variables))
            .collect(),
        path: Vec::with_capacity(16),
        objects: Vec::with_capacity(8),
        errors: ErrorList::new(input.error_limit),
        max_len: out.len().saturating_add(input.max_bytes),
        is_too_large: false,
    };
    let start = out.len();
    let no_errors = projection.errors.count();
    let root = &program.root;
    let written = projection.in_object(tree.root(), root, |projection| {
        projection.write_members(tree.root(), &root.members, out)
    });
    if let Err(PropagatedNull(cause)) = written {
        if let Some(cause) = cause {
            projection.errors.retain_last(no_errors, cause);
        }
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
    if projection.is_too_large {
        // What was written may be as large as the maximum, and the response waits for its client.
        out.shrink_to_fit();
        return vec![FieldError {
            path: Vec::new(),
            kind: FieldErrorKind::ResponseTooLarge(input.max_bytes),
        }];
    }
    projection.into_errors()
}

struct Projection<'a> {
    tree: &'a Tree,
    failures: &'a Failures,
    active_conditions: Vec<bool>,
    path: Vec<PathStep<'a>>,
    /// The objects that are being written, the innermost last.
    objects: Vec<EnclosingObject<'a>>,
    errors: ErrorList,
    /// Maximum length of the output.
    max_len: usize,
    /// Whether the projection stopped because the output would be longer.
    is_too_large: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PathStep<'a> {
    Key(&'a Name),
    Index(u32),
}

/// A null that must not be there: the enclosing value becomes null (GraphQL §6.4.4). Its cause is
/// the failure of a call, if one failed.
struct PropagatedNull(Option<FailureId>);

impl<'a> Projection<'a> {
    /// Writes inside of an object, to which the paths of errors lead.
    fn in_object<T>(
        &mut self,
        row: Row,
        object: &'a OutputObject,
        write: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.objects.push(EnclosingObject {
            row,
            object,
            depth: self.path.len(),
        });
        let result = write(self);
        self.objects.pop();
        result
    }

    fn write_members(
        &mut self,
        row: Row,
        members: &'a [Member],
        out: &mut Vec<u8>,
    ) -> Result<(), PropagatedNull> {
        out.push(b'{');
        let empty = out.len();
        for member in members {
            if !self.is_applicable(member, row) {
                continue;
            }
            if out.len() > empty {
                out.push(b',');
            }
            out.extend_from_slice(&member.prefix);
            match &member.value {
                MemberValue::TypeName(names) => self.write_typename(row, names, out),
                MemberValue::Verbatim(slot) => self.write_verbatim(row, *slot, out),
                MemberValue::Slot(slot, output_type) => {
                    let value = self.tree.slot(row, *slot);
                    // Most values are leaves of the right type, which need no path.
                    if let (Value::Leaf(text), OutputShape::Leaf(leaf)) =
                        (value, &output_type.shape)
                        && text.len() <= self.room(out)
                        && leaf.write(self.tree.text(text), out)
                    {
                        continue;
                    }
                    self.path.push(PathStep::Key(&member.key));
                    let result = self.write_value(value, output_type, member, out);
                    self.path.pop();
                    result?;
                }
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// How many more bytes may be written. A value is checked before it is written, and adds no more
    /// than the keys of one object to its own length.
    fn room(&self, out: &[u8]) -> usize {
        self.max_len.saturating_sub(out.len())
    }

    /// Whether a value may be written; if not, nothing is any more.
    fn has_room(&mut self, value: Value, out: &[u8]) -> bool {
        let len = match value {
            Value::Leaf(text) => text.len(),
            _ => MIN_VALUE_BYTES,
        };
        self.is_too_large |= len > self.room(out);
        !self.is_too_large
    }

    /// Checks that an object has a type with which it can be written. The error is the failure of
    /// the call that was to provide the type, if a call failed.
    fn check_type(&self, row: Row, object: &OutputObject) -> Result<(), Option<FailureId>> {
        let (hidden, is_required) = match &object.type_check {
            TypeCheck::Any => return Ok(()),
            TypeCheck::Required { hidden } => (hidden, true),
            TypeCheck::Optional { hidden } => (hidden, false),
        };
        match self.tree.type_of(row) {
            Some(ty) if hidden.contains(&ty) => Err(None),
            None if is_required && self.depends_on_type(object) => Err(self.tree.type_failure(row)),
            _ => Ok(()),
        }
    }

    /// Whether a member that is active with these variables depends on the type.
    fn depends_on_type(&self, object: &OutputObject) -> bool {
        let mut members = object.members.iter();
        members.any(|member| {
            let by_type = matches!(member.value, MemberValue::TypeName(_)) || member.on.is_some();
            by_type && self.is_active(member)
        })
    }

    fn is_active(&self, member: &Member) -> bool {
        member
            .condition
            .is_none_or(|condition| self.active_conditions[condition])
            && member
                .unless
                .is_none_or(|unless| !self.active_conditions[unless])
    }

    fn is_applicable(&self, member: &Member, row: Row) -> bool {
        if !self.is_active(member) {
            return false;
        }
        member.on.as_ref().is_none_or(|on| {
            let ty = self.tree.type_of(row);
            ty.is_none_or(|ty| on.contains(&ty))
        })
    }

    fn write_typename(&self, row: Row, names: &[(TypeId, Box<[u8]>)], out: &mut Vec<u8>) {
        let ty = self.tree.type_of(row);
        let name = match ty {
            Some(ty) => names.iter().find(|(known, _)| *known == ty),
            None => names.first(),
        };
        out.extend_from_slice(name.map_or(b"null", |(_, name)| name));
    }

    fn write_verbatim(&self, row: Row, slot: usize, out: &mut Vec<u8>) {
        match self.tree.slot(row, slot) {
            Value::Leaf(text) => out.extend_from_slice(self.tree.text(text)),
            _ => out.extend_from_slice(b"null"),
        }
    }

    fn write_value(
        &mut self,
        value: Value,
        output_type: &'a OutputType,
        member: &'a Member,
        out: &mut Vec<u8>,
    ) -> Result<(), PropagatedNull> {
        let start = out.len();
        if !self.has_room(value, out) {
            return Err(PropagatedNull(None));
        }
        let errors_before = self.errors.count();
        let result = match (value, &output_type.shape) {
            (Value::Object(row), OutputShape::Object(object)) => {
                self.in_object(row, object, |projection| {
                    projection.check_type(row, object).map_err(|cause| {
                        projection.add_type_error(cause, output_type, member);
                        PropagatedNull(cause)
                    })?;
                    projection.write_members(row, &object.members, out)
                })
            }
            (Value::List { start, len }, OutputShape::List(item_type)) => {
                self.write_list(self.tree.items(start, len), item_type, member, out)
            }
            (Value::Leaf(text), OutputShape::Leaf(leaf)) => {
                if leaf.write(self.tree.text(text), out) {
                    return Ok(());
                }
                self.add_error(wrong_type(member, output_type));
                Err(PropagatedNull(None))
            }
            (Value::Absent | Value::Null, _) => {
                if output_type.nullability == Nullability::NonNull {
                    self.add_error(FieldErrorKind::NonNull {
                        coordinate: Arc::clone(&member.coordinate),
                    });
                }
                Err(PropagatedNull(None))
            }
            (Value::Failed(cause), _) => {
                self.add_failure(cause, output_type);
                Err(PropagatedNull(Some(cause)))
            }
            (Value::Object(_) | Value::List { .. } | Value::Leaf(_), _) => {
                self.add_error(wrong_type(member, output_type));
                Err(PropagatedNull(None))
            }
        };
        if let Err(PropagatedNull(Some(cause))) = result {
            self.errors.retain_last(errors_before, cause);
        }
        match (result, output_type.nullability) {
            (Err(PropagatedNull(_)), Nullability::Nullable) if !self.is_too_large => {
                out.truncate(start);
                out.extend_from_slice(b"null");
                Ok(())
            }
            (result, _) => result,
        }
    }

    /// Adds the error of a value that is missing because of a failure.
    fn add_failure(&mut self, cause: FailureId, output_type: &'a OutputType) {
        if let Some(kind) = self.failures.get(cause) {
            let path = self.failure_path(cause, output_type);
            self.errors.add(&path, kind.clone(), Some(cause));
        }
    }

    /// Adds the error of an object whose type is wrong, or unknown because of a failure.
    fn add_type_error(
        &mut self,
        cause: Option<FailureId>,
        output_type: &'a OutputType,
        member: &Member,
    ) {
        match cause {
            Some(cause) => self.add_failure(cause, output_type),
            None => self.add_error(wrong_type(member, output_type)),
        }
    }

    fn write_list(
        &mut self,
        items: impl Iterator<Item = Value>,
        item_type: &'a OutputType,
        member: &'a Member,
        out: &mut Vec<u8>,
    ) -> Result<(), PropagatedNull> {
        out.push(b'[');
        for (index, item) in (0..).zip(items) {
            if index > 0 {
                out.push(b',');
            }
            self.path.push(PathStep::Index(index));
            let result = self.write_value(item, item_type, member, out);
            self.path.pop();
            result?;
        }
        out.push(b']');
        Ok(())
    }

    fn add_error(&mut self, kind: FieldErrorKind) {
        self.errors.add(&self.path, kind, None);
    }

    fn into_errors(mut self) -> Vec<FieldError> {
        for id in &self.failures.unplaced {
            if let Some(kind) = self.failures.get(*id) {
                // Unplaced errors have no path.
                self.errors.add(&[], kind.clone(), Some(*id));
            }
        }
        self.errors.into_errors(self.failures.omitted)
    }
}

/// Minimum bytes of a value that is not a leaf.
const MIN_VALUE_BYTES: usize = 2;

fn wrong_type(member: &Member, output_type: &OutputType) -> FieldErrorKind {
    FieldErrorKind::WrongType {
        coordinate: Arc::clone(&member.coordinate),
        type_name: Arc::clone(&output_type.name),
    }
}
