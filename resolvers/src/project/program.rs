//! A selection, compiled for writing: members in order, prefixes escaped, types and leaves resolved.

use std::sync::Arc;

use schema::graph::Graph;
use schema::types::{Name, Nullability, Scalar, TypeId, TypeKind, TypeRef};

use crate::leaf::Leaf;
use crate::selection::{Condition, Output, OutputValue, PositionId, ROOT, Selection, SlotOrigin};

/// The response of an operation, compiled from its selection.
#[derive(Debug)]
pub(crate) struct ResponseProgram {
    pub(super) root: OutputObject,
    /// Conditions, by the index in `Member`.
    pub(super) conditions: Vec<Condition>,
}

/// A member of a response object.
#[derive(Debug)]
pub(super) struct Member {
    /// `"key":`, escaped.
    pub(super) prefix: Box<[u8]>,
    pub(super) key: Name,
    /// `Type.field`, for error messages.
    pub(super) coordinate: Arc<str>,
    /// The object types that have it; `None`: all of the position.
    pub(super) on: Option<Box<[TypeId]>>,
    /// Condition under which it is written; `None`: always.
    pub(super) condition: Option<usize>,
    /// Condition under which it is omitted; `None`: never.
    pub(super) unless: Option<usize>,
    pub(super) value: MemberValue,
}

#[derive(Debug)]
pub(super) enum MemberValue {
    /// The name of the object's type.
    TypeName(Vec<(TypeId, Box<[u8]>)>),
    Slot(usize, OutputType),
    /// A slot whose JSON is written verbatim.
    Verbatim(usize),
}

/// The type of a value.
#[derive(Debug)]
pub(super) struct OutputType {
    pub(super) nullability: Nullability,
    /// In schema notation, for error messages.
    pub(super) name: Arc<str>,
    pub(super) shape: OutputShape,
}

#[derive(Debug)]
pub(super) enum OutputShape {
    List(Box<OutputType>),
    Object(OutputObject),
    Leaf(Leaf),
}

/// The members of an object, and the check of its type.
#[derive(Debug)]
pub(super) struct OutputObject {
    pub(super) at: PositionId,
    pub(super) members: Vec<Member>,
    pub(super) type_check: TypeCheck,
}

/// Requirements on the type of an object.
#[derive(Debug)]
pub(super) enum TypeCheck {
    /// No requirement: no member depends on it, and no type is hidden.
    Any,
    /// The members depend on it, so it must be known and not one of the hidden types.
    Required { hidden: Box<[TypeId]> },
    /// It may be unknown, but not one of the hidden types.
    Optional { hidden: Box<[TypeId]> },
}

impl ResponseProgram {
    /// Compiles the outputs of `selection`.
    pub(crate) fn new(selection: &Selection, graph: &Graph) -> Self {
        let mut compiler = ProgramCompiler {
            selection,
            graph,
            conditions: Vec::new(),
        };
        Self {
            root: OutputObject {
                at: ROOT,
                members: compiler.members(ROOT, &selection.outputs),
                type_check: TypeCheck::Any,
            },
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
            at,
            members,
            type_check,
        }
    }

    fn leaf(&self, ty: TypeId) -> Leaf {
        match &self.graph.types().get(ty).kind {
            TypeKind::Enum(values) => {
                let values = values.iter();
                Leaf::from_enum_values(
                    values.filter(|value| self.graph.is_value_visible(ty, value)),
                )
            }
            TypeKind::Scalar(scalar) => Leaf::Scalar(*scalar),
            TypeKind::Object(_)
            | TypeKind::Interface(_)
            | TypeKind::Union
            | TypeKind::InputObject(_) => Leaf::Scalar(Scalar::Custom),
        }
    }
}
