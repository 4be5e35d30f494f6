//! What a connector's selection gives of a type: nodes, and what does not fit the schema.

use std::ops::Range;

use indexmap::IndexMap;

use self::shape::Shape;
use crate::diagnostic::{Code, Diagnostic, Problems, nearest};
use crate::graph::{Name, Type, TypeId, Types};
use crate::mapping::ast::Selection;
use crate::sdl::Sdl;
use crate::sdl::literal::Literal;
use crate::source::{FieldSet, Node, NodeField, NodeId};
use crate::span::Span;

mod shape;

/// Nodes under construction.
#[derive(Debug)]
pub(super) struct View {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
}

impl Default for View {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            root: NodeId(0),
        }
    }
}

impl View {
    /// Whether all of `set` is given at `node`.
    pub(super) fn gives(&self, node: NodeId, set: &FieldSet) -> bool {
        set.0.iter().all(|(name, inner)| {
            self.nodes[node.0].fields.get(name).is_some_and(|field| {
                inner.is_empty() || field.child.is_some_and(|child| self.gives(child, inner))
            })
        })
    }
}

/// What judging a selection needs.
pub(super) struct Ctx<'a> {
    pub(super) sdl: &'a Sdl,
    pub(super) types: &'a Types,
    pub(super) literal: &'a Literal,
    pub(super) abstract_types: bool,
    pub(super) problems: &'a mut Problems,
}

/// The node that `selection` gives for a value of type `ty`: `Some(None)` for leaves, `None`
/// when something was reported.
pub(super) fn of_value(
    view: &mut View,
    ctx: &mut Ctx<'_>,
    selection: &Selection,
    ty: TypeId,
) -> Option<Option<NodeId>> {
    let shape = shape::of_selection(selection);
    let range = selection.range.clone();
    value(view, ctx, (&shape, &range), (ty, &mut Vec::new()))
}

fn value(
    view: &mut View,
    ctx: &mut Ctx<'_>,
    (shape, range): (&Shape, &Range<usize>),
    (ty, above): (TypeId, &mut Vec<TypeId>),
) -> Option<Option<NodeId>> {
    let definition = ctx.types.get(ty);
    if !definition.is_composite() {
        if matches!(shape, Shape::Object(_)) && !is_custom(definition) {
            ctx.report(
                Code::GroupSelectionIsNotObject,
                range,
                &format!("`{}` has no fields to select", definition.name),
                None,
            );
            return None;
        }
        return Some(None);
    }
    if definition.is_abstract() && !ctx.abstract_types {
        ctx.report(
            Code::ConnectorsUnsupportedAbstractType,
            range,
            &format!(
                "`{}` is an interface or union, which connectors give from v0.4 on",
                definition.name
            ),
            None,
        );
        return None;
    }
    let Shape::Object(members) = shape else {
        ctx.report(
            Code::GroupSelectionRequiredForObject,
            range,
            &format!(
                "`{}` is an object: its fields must be selected",
                definition.name
            ),
            Some("add `{ … }` with the fields".to_owned()),
        );
        return None;
    };
    if above.contains(&ty) {
        ctx.report(
            Code::CircularReference,
            range,
            &format!("`{}` is selected inside itself", definition.name),
            Some(format!(
                "leave it out here, and give `{}` a connector of its own that fetches it by key",
                definition.name
            )),
        );
        return None;
    }
    above.push(ty);
    let fields = fields(view, ctx, members, (definition, above));
    above.pop();
    view.nodes.push(Node { on: ty, fields });
    Some(Some(NodeId(view.nodes.len() - 1)))
}

fn is_custom(ty: &Type) -> bool {
    matches!(
        ty.kind,
        crate::graph::Kind::Scalar(crate::graph::Scalar::Custom)
    )
}

fn fields(
    view: &mut View,
    ctx: &mut Ctx<'_>,
    members: &[shape::Member],
    (ty, above): (&Type, &mut Vec<TypeId>),
) -> IndexMap<Name, NodeField> {
    let mut given = IndexMap::new();
    for member in members {
        if member.name == "__typename" {
            continue;
        }
        let Some(field) = ctx.find(ty, &member.name) else {
            ctx.unknown_field(ty, member);
            continue;
        };
        if !field.arguments.is_empty() {
            ctx.report(
                Code::ConnectorsFieldWithArguments,
                &member.range,
                &format!(
                    "`{}.{}` has arguments, which a selection cannot heed",
                    ty.name, field.name
                ),
                Some("give the field a `@connect` of its own".to_owned()),
            );
            continue;
        }
        let (name, named) = (field.name.clone(), field.ty.named());
        if let Some(child) = value(view, ctx, (&member.shape, &member.range), (named, above)) {
            given.insert(name, NodeField { child });
        }
    }
    given
}

impl<'a> Ctx<'a> {
    /// The field of an object, or of any object that an abstract type may be.
    fn find(&self, ty: &'a Type, name: &str) -> Option<&'a crate::graph::Field> {
        ty.field(name).or_else(|| {
            let mut possible = ty.possible.iter();
            possible.find_map(|id| self.types.get(*id).field(name))
        })
    }

    fn unknown_field(&mut self, ty: &Type, member: &shape::Member) {
        let known = ty.fields().into_iter().flat_map(IndexMap::keys);
        let help = nearest(&member.name, known.map(AsRef::as_ref)).map(|close| {
            format!(
                "write `{close}`, or `{close}: {0}` if the answer calls it `{0}`",
                member.name
            )
        });
        self.report(
            Code::SelectedFieldNotFound,
            &member.range,
            &format!("`{}` is not a field of `{}`", member.name, ty.name),
            help,
        );
    }

    fn report(&mut self, code: Code, range: &Range<usize>, message: &str, help: Option<String>) {
        let span = Span::new(&self.sdl.document, self.literal.place(range));
        self.problems
            .push(Diagnostic::error(code, span, message).help(help));
    }
}
