//! The tree as the client's JSON: names, order, null rules, checks of leaves, errors with paths.
//!
//! One walk writes straight into the output. Where a null is not allowed the walk goes back to
//! the nearest place where it is, and what was written since is cut off (GraphQL §6.4.4).

use std::sync::Arc;

use schema::graph::Graph;
use schema::operation::Variables;
use schema::types::{Name, Nullability, Scalar, TypeId, TypeKind, TypeRef};

use crate::error::{FailureId, Failures, FieldError, FieldErrorKind, PathElement};
use crate::selection::{Condition, Output, OutputValue, PositionId, ROOT, Selection, SlotOrigin};
use crate::tree::{Row, Tree, Value};

mod leaf;

use self::leaf::Leaf;

/// Everything that is written, compiled from a selection.
#[derive(Debug)]
pub(crate) struct ResponseProgram {
    members: Vec<Member>,
    /// Conditions that members refer to by number.
    conditions: Vec<Condition>,
}

/// A member of an object.
#[derive(Debug)]
struct Member {
    /// `"key":`, escaped.
    prefix: Box<[u8]>,
    key: Name,
    /// `Type.field`, for messages.
    coordinate: Arc<str>,
    /// The object types that have it; `None`: all at its place.
    on: Option<Box<[TypeId]>>,
    /// Of `Written::whens`; `None`: always.
    condition: Option<usize>,
    /// Of `Written::whens`: it is not written then; `None`: never so.
    unless: Option<usize>,
    value: MemberValue,
}

#[derive(Debug)]
enum MemberValue {
    /// The name of the object's type.
    TypeName(Vec<(TypeId, Box<[u8]>)>),
    Slot(usize, OutputType),
    /// JSON that is written as it is.
    Verbatim(usize),
}

/// The form of a value.
#[derive(Debug)]
struct OutputType {
    nullability: Nullability,
    /// As the schema writes it, for messages.
    name: Arc<str>,
    shape: OutputShape,
}

#[derive(Debug)]
enum OutputShape {
    List(Box<OutputType>),
    Object(OutputObject),
    Leaf(Leaf),
}

/// What is written of an object.
#[derive(Debug)]
struct OutputObject {
    members: Vec<Member>,
    type_check: TypeCheck,
}

/// How the type of an object matters.
#[derive(Debug)]
enum TypeCheck {
    /// Every object there has it, or it makes no difference.
    Any,
    /// It decides what is written, so it must be known; of these types there is nothing to write.
    Required { hidden: Box<[TypeId]> },
    /// It may be unknown, but none of these.
    Optional { hidden: Box<[TypeId]> },
}

impl ResponseProgram {
    /// Compiles what `selection` writes.
    pub(crate) fn new(selection: &Selection, graph: &Graph) -> Self {
        let mut compiler = ProgramCompiler {
            selection,
            graph,
            conditions: Vec::new(),
        };
        Self {
            members: compiler.members(ROOT, &selection.outputs),
            conditions: compiler.conditions,
        }
    }
}

struct ProgramCompiler<'a> {
    selection: &'a Selection,
    graph: &'a Graph,
    conditions: Vec<Condition>,
}

impl ProgramCompiler<'_> {
    fn members(&mut self, at: PositionId, outputs: &[Output]) -> Vec<Member> {
        outputs
            .iter()
            .map(|output| self.member(at, output))
            .collect()
    }

    fn member(&mut self, at: PositionId, output: &Output) -> Member {
        let position = self.selection.position(at);
        let possible = &self.graph.types().get(position.ty).possible_types;
        let is_every_type = possible.iter().all(|ty| output.on.contains(ty));
        let owner = output.on.first().copied().unwrap_or(position.ty);
        let (field, value) = match output.value {
            OutputValue::TypeName => ("__typename", self.type_names(&output.on)),
            OutputValue::Slot(index) => {
                let slot = &position.slots[index];
                let value = match slot.origin {
                    SlotOrigin::Introspection(_) => MemberValue::Verbatim(index),
                    SlotOrigin::Source => MemberValue::Slot(
                        index,
                        self.output_type(&slot.ty, slot.child, &output.outputs),
                    ),
                };
                (slot.field.as_ref(), value)
            }
        };
        let owner = &self.graph.types().get(owner).name;
        Member {
            prefix: format!("\"{}\":", output.key).into_bytes().into(),
            key: Arc::clone(&output.key),
            coordinate: format!("{owner}.{field}").into(),
            on: (!is_every_type).then(|| output.on.clone().into()),
            condition: self.optional_condition_index(&output.condition),
            unless: (!output.unless.is_never()).then(|| self.condition_index(&output.unless)),
            value,
        }
    }

    fn type_names(&self, on: &[TypeId]) -> MemberValue {
        let text = |ty: &TypeId| format!("\"{}\"", self.graph.types().get(*ty).name).into_bytes();
        MemberValue::TypeName(on.iter().map(|ty| (*ty, text(ty).into())).collect())
    }

    fn optional_condition_index(&mut self, condition: &Condition) -> Option<usize> {
        (!condition.is_always()).then(|| self.condition_index(condition))
    }

    fn condition_index(&mut self, condition: &Condition) -> usize {
        let known = self.conditions.iter().position(|known| known == condition);
        known.unwrap_or_else(|| {
            self.conditions.push(condition.clone());
            self.conditions.len() - 1
        })
    }

    fn output_type(
        &mut self,
        ty: &TypeRef,
        child: Option<PositionId>,
        outputs: &[Output],
    ) -> OutputType {
        let shape = match (ty, child) {
            (TypeRef::List(inner, _), _) => {
                OutputShape::List(Box::new(self.output_type(inner, child, outputs)))
            }
            (TypeRef::Named(..), Some(child)) => {
                OutputShape::Object(self.output_object(child, outputs))
            }
            (TypeRef::Named(id, _), None) => OutputShape::Leaf(self.leaf(*id)),
        };
        OutputType {
            nullability: ty.nullability(),
            name: ty.display(self.graph.types()).into(),
            shape,
        }
    }

    fn output_object(&mut self, at: PositionId, outputs: &[Output]) -> OutputObject {
        let members = self.members(at, outputs);
        let position = self.selection.position(at);
        let possible = &self.graph.types().get(position.ty).possible_types;
        let depends_on_type = members.iter().any(|member| match &member.value {
            MemberValue::TypeName(_) => possible.len() > 1,
            MemberValue::Slot(..) | MemberValue::Verbatim(_) => member.on.is_some(),
        });
        let hidden = possible.iter().filter(|ty| !self.graph.is_visible(**ty));
        let hidden: Box<[TypeId]> = hidden.copied().collect();
        let type_check = match (depends_on_type, hidden.is_empty()) {
            (true, _) => TypeCheck::Required { hidden },
            (false, false) => TypeCheck::Optional { hidden },
            (false, true) => TypeCheck::Any,
        };
        OutputObject {
            members,
            type_check,
        }
    }

    fn leaf(&self, ty: TypeId) -> Leaf {
        match &self.graph.types().get(ty).kind {
            TypeKind::Enum(values) => {
                let shown = values.iter();
                Leaf::from_enum_values(shown.filter(|value| self.graph.is_value_visible(ty, value)))
            }
            TypeKind::Scalar(scalar) => Leaf::Scalar(*scalar),
            TypeKind::Object(_)
            | TypeKind::Interface(_)
            | TypeKind::Union
            | TypeKind::InputObject(_) => Leaf::Scalar(Scalar::Custom),
        }
    }
}

/// Writes the tree; gives the errors that belong to it, at most `limit` of them.
pub(crate) fn project(
    program: &ResponseProgram,
    tree: &Tree,
    failures: &Failures,
    (variables, limit): (&Variables, usize),
    out: &mut Vec<u8>,
) -> Vec<FieldError> {
    let mut projection = Projection {
        tree,
        failures,
        active_conditions: program
            .conditions
            .iter()
            .map(|when| when.is_true(variables))
            .collect(),
        path: Vec::with_capacity(16),
        errors: Vec::new(),
        omitted_errors: 0,
        limit,
    };
    let start = out.len();
    if projection
        .write_object(tree.root(), &program.members, out)
        .is_err()
    {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
    projection.into_errors()
}

struct Projection<'a> {
    tree: &'a Tree,
    failures: &'a Failures,
    active_conditions: Vec<bool>,
    path: Vec<PathStep<'a>>,
    errors: Vec<FieldError>,
    omitted_errors: usize,
    limit: usize,
}

#[derive(Clone, Copy)]
enum PathStep<'a> {
    Key(&'a Name),
    Index(u32),
}

/// A null where none may be: whoever stands around it becomes null.
struct PropagatedNull;

impl<'a> Projection<'a> {
    fn write_object(
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
                MemberValue::Slot(slot, form) => {
                    let value = self.tree.slot(row, *slot);
                    // Most are leaves of the right type, which need no path.
                    if let (Value::Leaf(text), OutputShape::Leaf(leaf)) = (value, &form.shape)
                        && leaf.write(self.tree.text(text), out)
                    {
                        continue;
                    }
                    self.path.push(PathStep::Key(&member.key));
                    let written = self.write_value(value, form, member, out);
                    self.path.pop();
                    written?;
                }
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// Whether an object has a type with which it can be written; if not, the failure of the call
    /// that was to tell the type, where there was one.
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

    /// Whether the type decides on anything that is written with these variables.
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
            .is_none_or(|when| self.active_conditions[when])
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
        let found = match ty {
            Some(ty) => names.iter().find(|(known, _)| *known == ty),
            None => names.first(),
        };
        out.extend_from_slice(found.map_or(b"null", |(_, name)| name));
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
        let result = match (value, &output_type.shape) {
            (Value::Object(row), OutputShape::Object(object)) => match self.check_type(row, object)
            {
                Ok(()) => self.write_object(row, &object.members, out),
                Err(failure) => {
                    let failure = failure.and_then(|failure| self.failures.get(failure));
                    self.add_error(failure.map_or_else(
                        || wrong_type(member, output_type),
                        |failure| FieldErrorKind::Fetch(Arc::clone(failure)),
                    ));
                    Err(PropagatedNull)
                }
            },
            (Value::List { start, len }, OutputShape::List(item)) => {
                self.write_list((start, len), item, member, out)
            }
            (Value::Leaf(text), OutputShape::Leaf(leaf)) => {
                if leaf.write(self.tree.text(text), out) {
                    return Ok(());
                }
                self.add_error(wrong_type(member, output_type));
                Err(PropagatedNull)
            }
            (Value::Absent | Value::Null, _) => {
                if output_type.nullability == Nullability::NonNull {
                    self.add_error(FieldErrorKind::NonNull {
                        coordinate: Arc::clone(&member.coordinate),
                    });
                }
                Err(PropagatedNull)
            }
            (Value::Failed(failure), _) => {
                if let Some(failure) = self.failures.get(failure) {
                    self.add_error(FieldErrorKind::Fetch(Arc::clone(failure)));
                }
                Err(PropagatedNull)
            }
            (Value::Object(_) | Value::List { .. } | Value::Leaf(_), _) => {
                self.add_error(wrong_type(member, output_type));
                Err(PropagatedNull)
            }
        };
        match (result, output_type.nullability) {
            (Err(PropagatedNull), Nullability::Nullable) => {
                out.truncate(start);
                out.extend_from_slice(b"null");
                Ok(())
            }
            (result, _) => result,
        }
    }

    fn write_list(
        &mut self,
        (start, len): (u32, u32),
        item: &'a OutputType,
        member: &'a Member,
        out: &mut Vec<u8>,
    ) -> Result<(), PropagatedNull> {
        out.push(b'[');
        for index in 0..len {
            if index > 0 {
                out.push(b',');
            }
            self.path.push(PathStep::Index(index));
            let value = self.tree.item(start, index);
            let written = self.write_value(value, item, member, out);
            self.path.pop();
            written?;
        }
        out.push(b']');
        Ok(())
    }

    fn add_error(&mut self, kind: FieldErrorKind) {
        if self.errors.len() >= self.limit {
            self.omitted_errors += 1;
            return;
        }
        let path = self.path.iter().map(|step| match step {
            PathStep::Key(key) => PathElement::Key(Arc::clone(key)),
            PathStep::Index(index) => PathElement::Index(*index as usize),
        });
        self.errors.push(FieldError {
            path: path.collect(),
            kind,
        });
    }

    fn into_errors(mut self) -> Vec<FieldError> {
        self.path.clear(); // The walk went back to the root.
        for failure in &self.failures.unplaced {
            if let Some(failure) = self.failures.get(*failure) {
                self.add_error(FieldErrorKind::Fetch(Arc::clone(failure)));
            }
        }
        self.omitted_errors += self.failures.omitted;
        if self.omitted_errors > 0 {
            self.errors.push(FieldError {
                path: Vec::new(),
                kind: FieldErrorKind::More(self.omitted_errors),
            });
        }
        self.errors
    }
}

fn wrong_type(member: &Member, output_type: &OutputType) -> FieldErrorKind {
    FieldErrorKind::WrongType {
        coordinate: Arc::clone(&member.coordinate),
        type_name: Arc::clone(&output_type.name),
    }
}
