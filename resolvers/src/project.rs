//! The tree as the client's JSON: names, order, null rules, checks of leaves, errors with paths.
//!
//! One walk writes straight into the output. Where a null is not allowed the walk goes back to
//! the nearest place where it is, and what was written since is cut off (GraphQL §6.4.4).

use std::sync::Arc;

use schema::graph::Graph;
use schema::operation::Variables;
use schema::types::{Kind, Name, Nullability, Scalar, TypeId, TypeRef};

use crate::error::{Failures, FieldError, FieldErrorKind, PathElement};
use crate::selection::{From, Output, OutputValue, PositionId, ROOT, Selection, When};
use crate::tree::{Row, Tree, Value};

mod leaf;

use self::leaf::Leaf;

/// Everything that is written, compiled from a selection.
#[derive(Debug)]
pub(crate) struct Written {
    members: Vec<Member>,
    /// Conditions that members refer to by number.
    whens: Vec<When>,
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
    when: Option<usize>,
    /// Of `Written::whens`: it is not written then; `None`: never so.
    unless: Option<usize>,
    value: MemberValue,
}

#[derive(Debug)]
enum MemberValue {
    /// The name of the object's type.
    TypeName(Vec<(TypeId, Box<[u8]>)>),
    Slot(usize, Form),
    /// JSON that is written as it is.
    Verbatim(usize),
}

/// The form of a value.
#[derive(Debug)]
struct Form {
    nullability: Nullability,
    /// As the schema writes it, for messages.
    name: Arc<str>,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    List(Box<Form>),
    Object(Object),
    Leaf(Leaf),
}

/// What is written of an object.
#[derive(Debug)]
struct Object {
    members: Vec<Member>,
    types: Types,
}

/// How the type of an object matters.
#[derive(Debug)]
enum Types {
    /// Every object there has it, or it makes no difference.
    Any,
    /// It decides what is written, so it must be known; of these types there is nothing to write.
    Told { hidden: Box<[TypeId]> },
    /// It may be unknown, but none of these.
    Untold { hidden: Box<[TypeId]> },
}

impl Written {
    /// Compiles what `selection` writes.
    pub(crate) fn of(selection: &Selection, graph: &Graph) -> Self {
        let mut compile = Compile {
            selection,
            graph,
            whens: Vec::new(),
        };
        Self {
            members: compile.members(ROOT, &selection.outputs),
            whens: compile.whens,
        }
    }
}

struct Compile<'a> {
    selection: &'a Selection,
    graph: &'a Graph,
    whens: Vec<When>,
}

impl Compile<'_> {
    fn members(&mut self, at: PositionId, outputs: &[Output]) -> Vec<Member> {
        outputs
            .iter()
            .map(|output| self.member(at, output))
            .collect()
    }

    fn member(&mut self, at: PositionId, output: &Output) -> Member {
        let position = self.selection.position(at);
        let possible = &self.graph.types().get(position.ty).possible;
        let whole = possible.iter().all(|ty| output.on.contains(ty));
        let owner = output.on.first().copied().unwrap_or(position.ty);
        let (field, value) = match output.value {
            OutputValue::TypeName => ("__typename", self.type_names(&output.on)),
            OutputValue::Slot(index) => {
                let slot = &position.slots[index];
                let value = match slot.from {
                    From::Introspection(_) => MemberValue::Verbatim(index),
                    From::Source => {
                        MemberValue::Slot(index, self.form(&slot.ty, slot.child, &output.outputs))
                    }
                };
                (slot.field.as_ref(), value)
            }
        };
        let owner = &self.graph.types().get(owner).name;
        Member {
            prefix: format!("\"{}\":", output.key).into_bytes().into(),
            key: Arc::clone(&output.key),
            coordinate: format!("{owner}.{field}").into(),
            on: (!whole).then(|| output.on.clone().into()),
            when: self.when(&output.when),
            unless: (!output.unless.is_never()).then(|| self.number(&output.unless)),
            value,
        }
    }

    fn type_names(&self, on: &[TypeId]) -> MemberValue {
        let text = |ty: &TypeId| format!("\"{}\"", self.graph.types().get(*ty).name).into_bytes();
        MemberValue::TypeName(on.iter().map(|ty| (*ty, text(ty).into())).collect())
    }

    fn when(&mut self, when: &When) -> Option<usize> {
        (!when.is_always()).then(|| self.number(when))
    }

    fn number(&mut self, when: &When) -> usize {
        let known = self.whens.iter().position(|known| known == when);
        known.unwrap_or_else(|| {
            self.whens.push(when.clone());
            self.whens.len() - 1
        })
    }

    fn form(&mut self, ty: &TypeRef, child: Option<PositionId>, outputs: &[Output]) -> Form {
        let shape = match (ty, child) {
            (TypeRef::List(inner, _), _) => Shape::List(Box::new(self.form(inner, child, outputs))),
            (TypeRef::Named(..), Some(child)) => Shape::Object(self.object(child, outputs)),
            (TypeRef::Named(id, _), None) => Shape::Leaf(self.leaf(*id)),
        };
        Form {
            nullability: ty.nullability(),
            name: ty.display(self.graph.types()).into(),
            shape,
        }
    }

    fn object(&mut self, at: PositionId, outputs: &[Output]) -> Object {
        let members = self.members(at, outputs);
        let position = self.selection.position(at);
        let possible = &self.graph.types().get(position.ty).possible;
        let differs = members.iter().any(|member| match &member.value {
            MemberValue::TypeName(_) => possible.len() > 1,
            MemberValue::Slot(..) | MemberValue::Verbatim(_) => member.on.is_some(),
        });
        let hidden = possible.iter().filter(|ty| !self.graph.shows(**ty));
        let hidden: Box<[TypeId]> = hidden.copied().collect();
        let types = match (differs, hidden.is_empty()) {
            (true, _) => Types::Told { hidden },
            (false, false) => Types::Untold { hidden },
            (false, true) => Types::Any,
        };
        Object { members, types }
    }

    fn leaf(&self, ty: TypeId) -> Leaf {
        match &self.graph.types().get(ty).kind {
            Kind::Enum(values) => {
                let shown = values.iter();
                Leaf::of_enum(shown.filter(|value| self.graph.shows_value(ty, value)))
            }
            Kind::Scalar(scalar) => Leaf::Scalar(*scalar),
            Kind::Object(_) | Kind::Interface(_) | Kind::Union | Kind::Input(_) => {
                Leaf::Scalar(Scalar::Custom)
            }
        }
    }
}

/// Writes the tree; gives the errors that belong to it, at most `limit` of them.
pub(crate) fn project(
    written: &Written,
    tree: &Tree,
    failures: &Failures,
    (variables, limit): (&Variables, usize),
    out: &mut Vec<u8>,
) -> Vec<FieldError> {
    let mut project = Project {
        tree,
        failures,
        active: written
            .whens
            .iter()
            .map(|when| when.holds(variables))
            .collect(),
        path: Vec::with_capacity(16),
        errors: Vec::new(),
        left_out: 0,
        limit,
    };
    let start = out.len();
    if project.object(tree.root(), &written.members, out).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
    project.into_errors()
}

struct Project<'a> {
    tree: &'a Tree,
    failures: &'a Failures,
    active: Vec<bool>,
    path: Vec<Step<'a>>,
    errors: Vec<FieldError>,
    left_out: usize,
    limit: usize,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a Name),
    Index(u32),
}

/// A null where none may be: whoever stands around it becomes null.
struct Nulled;

impl<'a> Project<'a> {
    fn object(&mut self, row: Row, members: &'a [Member], out: &mut Vec<u8>) -> Result<(), Nulled> {
        out.push(b'{');
        let empty = out.len();
        for member in members {
            if !self.applies(member, row) {
                continue;
            }
            if out.len() > empty {
                out.push(b',');
            }
            out.extend_from_slice(&member.prefix);
            match &member.value {
                MemberValue::TypeName(names) => self.type_name(row, names, out),
                MemberValue::Verbatim(slot) => self.verbatim(row, *slot, out),
                MemberValue::Slot(slot, form) => {
                    let value = self.tree.slot(row, *slot);
                    // Most are leaves of the right type, which need no path.
                    if let (Value::Leaf(text), Shape::Leaf(leaf)) = (value, &form.shape)
                        && leaf.write(self.tree.text(text), out)
                    {
                        continue;
                    }
                    self.path.push(Step::Key(&member.key));
                    let written = self.value(value, form, member, out);
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
    fn typed(&self, row: Row, object: &Object) -> Result<(), Option<u32>> {
        let (hidden, must_be_known) = match &object.types {
            Types::Any => return Ok(()),
            Types::Told { hidden } => (hidden, true),
            Types::Untold { hidden } => (hidden, false),
        };
        match self.tree.type_of(row) {
            Some(ty) if hidden.contains(&ty) => Err(None),
            None if must_be_known && self.differs(object) => Err(self.tree.untold(row)),
            _ => Ok(()),
        }
    }

    /// Whether the type decides on anything that is written with these variables.
    fn differs(&self, object: &Object) -> bool {
        let mut members = object.members.iter();
        members.any(|member| {
            let by_type = matches!(member.value, MemberValue::TypeName(_)) || member.on.is_some();
            by_type && self.is_active(member)
        })
    }

    fn is_active(&self, member: &Member) -> bool {
        member.when.is_none_or(|when| self.active[when])
            && member.unless.is_none_or(|unless| !self.active[unless])
    }

    fn applies(&self, member: &Member, row: Row) -> bool {
        if !self.is_active(member) {
            return false;
        }
        member.on.as_ref().is_none_or(|on| {
            let ty = self.tree.type_of(row);
            ty.is_none_or(|ty| on.contains(&ty))
        })
    }

    fn type_name(&self, row: Row, names: &[(TypeId, Box<[u8]>)], out: &mut Vec<u8>) {
        let ty = self.tree.type_of(row);
        let found = match ty {
            Some(ty) => names.iter().find(|(known, _)| *known == ty),
            None => names.first(),
        };
        out.extend_from_slice(found.map_or(b"null", |(_, name)| name));
    }

    fn verbatim(&self, row: Row, slot: usize, out: &mut Vec<u8>) {
        match self.tree.slot(row, slot) {
            Value::Leaf(text) => out.extend_from_slice(self.tree.text(text)),
            _ => out.extend_from_slice(b"null"),
        }
    }

    fn value(
        &mut self,
        value: Value,
        form: &'a Form,
        member: &'a Member,
        out: &mut Vec<u8>,
    ) -> Result<(), Nulled> {
        let start = out.len();
        let result = match (value, &form.shape) {
            (Value::Object(row), Shape::Object(object)) => match self.typed(row, object) {
                Ok(()) => self.object(row, &object.members, out),
                Err(failure) => {
                    let failure = failure.and_then(|failure| self.failures.get(failure));
                    self.error(failure.map_or_else(
                        || wrong_type(member, form),
                        |failure| FieldErrorKind::Fetch(Arc::clone(failure)),
                    ));
                    Err(Nulled)
                }
            },
            (Value::List { start, len }, Shape::List(item)) => {
                self.list((start, len), item, member, out)
            }
            (Value::Leaf(text), Shape::Leaf(leaf)) => {
                if leaf.write(self.tree.text(text), out) {
                    return Ok(());
                }
                self.error(wrong_type(member, form));
                Err(Nulled)
            }
            (Value::Absent | Value::Null, _) => {
                if form.nullability == Nullability::NonNull {
                    self.error(FieldErrorKind::NonNull {
                        coordinate: Arc::clone(&member.coordinate),
                    });
                }
                Err(Nulled)
            }
            (Value::Failed(failure), _) => {
                if let Some(failure) = self.failures.get(failure) {
                    self.error(FieldErrorKind::Fetch(Arc::clone(failure)));
                }
                Err(Nulled)
            }
            (Value::Object(_) | Value::List { .. } | Value::Leaf(_), _) => {
                self.error(wrong_type(member, form));
                Err(Nulled)
            }
        };
        match (result, form.nullability) {
            (Err(Nulled), Nullability::Nullable) => {
                out.truncate(start);
                out.extend_from_slice(b"null");
                Ok(())
            }
            (result, _) => result,
        }
    }

    fn list(
        &mut self,
        (start, len): (u32, u32),
        item: &'a Form,
        member: &'a Member,
        out: &mut Vec<u8>,
    ) -> Result<(), Nulled> {
        out.push(b'[');
        for index in 0..len {
            if index > 0 {
                out.push(b',');
            }
            self.path.push(Step::Index(index));
            let value = self.tree.item(start, index);
            let written = self.value(value, item, member, out);
            self.path.pop();
            written?;
        }
        out.push(b']');
        Ok(())
    }

    fn error(&mut self, kind: FieldErrorKind) {
        if self.errors.len() >= self.limit {
            self.left_out += 1;
            return;
        }
        let path = self.path.iter().map(|step| match step {
            Step::Key(key) => PathElement::Key(Arc::clone(key)),
            Step::Index(index) => PathElement::Index(*index as usize),
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
                self.error(FieldErrorKind::Fetch(Arc::clone(failure)));
            }
        }
        self.left_out += self.failures.left_out;
        if self.left_out > 0 {
            self.errors.push(FieldError {
                path: Vec::new(),
                kind: FieldErrorKind::More(self.left_out),
            });
        }
        self.errors
    }
}

fn wrong_type(member: &Member, form: &Form) -> FieldErrorKind {
    FieldErrorKind::WrongType {
        coordinate: Arc::clone(&member.coordinate),
        type_name: Arc::clone(&form.name),
    }
}
