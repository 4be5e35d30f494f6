//! The members of the value that a mapping produces, as far as its text determines them.

use std::ops::Range;

use crate::mapping::VARIABLES;
use crate::mapping::ast::{Expr, Head, Item, MemberValue, Path, Selection, Step};

/// The members of a value; a list has the shape of its elements.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// An object, or a list of objects.
    Object(Vec<Member>),
    /// A leaf, or a value whose members depend on the data.
    Unknown,
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    /// The range of its key.
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
    pub(super) origin: Origin,
}

/// The data that a value is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Some of it is read from the response.
    Response,
    /// Only literals and variables.
    Other,
}

impl Origin {
    fn or(self, other: Self) -> Self {
        if self == Self::Response { self } else { other }
    }
}

/// The shape of a selection whose `$` is the response.
pub(super) fn selection_shape(selection: &Selection) -> Shape {
    items_shape(selection, Origin::Response)
}

/// The shape of a selection whose `$` and `@` have the origin `input`.
fn items_shape(selection: &Selection, input: Origin) -> Shape {
    let mut members = Vec::new();
    for item in &selection.items {
        match item {
            Item::Member(member) => add(
                &mut members,
                Member {
                    name: member.key.name.clone(),
                    range: member.key.range.clone(),
                    shape: match &member.value {
                        MemberValue::Group(group) => items_shape(group, input),
                        MemberValue::Expr(expr) => expr_shape(expr, input),
                    },
                    origin: match &member.value {
                        MemberValue::Group(_) => input,
                        MemberValue::Expr(expr) => origin(expr, input),
                    },
                },
            ),
            Item::Whole(expr) => return expr_shape(expr, input),
            Item::Spread(path) => {
                if let Shape::Object(spread) = path_shape(path, input) {
                    for member in spread {
                        add(&mut members, member);
                    }
                }
            }
        }
    }
    Shape::Object(members)
}

fn expr_shape(expr: &Expr, input: Origin) -> Shape {
    match expr {
        Expr::Path(path) => path_shape(path, input),
        Expr::Object(members, _) => Shape::Object(
            members
                .iter()
                .map(|(key, value)| Member {
                    name: key.name.clone(),
                    range: key.range.clone(),
                    shape: expr_shape(value, input),
                    origin: origin(value, input),
                })
                .collect(),
        ),
        Expr::Group(group) => items_shape(group, input),
        Expr::List(items, _) => joined(items.iter().map(|item| expr_shape(item, input))),
        Expr::Choice(_, operands) => joined(operands.iter().map(|item| expr_shape(item, input))),
        Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Null(_) => Shape::Unknown,
    }
}

/// The origin of a value; the arguments of methods count, too.
fn origin(expr: &Expr, input: Origin) -> Origin {
    let any = |exprs: &[Expr]| {
        let origins = exprs.iter().map(|expr| origin(expr, input));
        origins.fold(Origin::Other, Origin::or)
    };
    match expr {
        Expr::Path(path) => path
            .steps
            .iter()
            .fold(head_origin(path, input), |before, step| {
                let Step::Method(_, Some(args)) = step else {
                    return before;
                };
                let origins = args.iter().map(|arg| origin(arg, before));
                origins.fold(before, Origin::or)
            }),
        Expr::Object(members, _) => {
            let origins = members.iter().map(|(_, expr)| origin(expr, input));
            origins.fold(Origin::Other, Origin::or)
        }
        Expr::Group(_) => input,
        Expr::List(items, _) | Expr::Choice(_, items) => any(items),
        Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Null(_) => Origin::Other,
    }
}

/// The origin of the head of a path.
fn head_origin(path: &Path, input: Origin) -> Origin {
    match &path.head {
        Head::Variable(key) if VARIABLES.contains(&key.name.as_str()) => Origin::Other,
        // Defined by `->as`, probably as a part of the input.
        Head::Key(_) | Head::Dollar(_) | Head::At(_) | Head::Variable(_) => input,
        Head::Expr(expr) => origin(expr, input),
    }
}

fn path_shape(path: &Path, input: Origin) -> Shape {
    let start = head_origin(path, input);
    if let Some(group) = &path.group {
        return items_shape(group, start);
    }
    let head = match &path.head {
        Head::Expr(expr) => expr_shape(expr, input),
        Head::Key(_) | Head::Dollar(_) | Head::At(_) | Head::Variable(_) => Shape::Unknown,
    };
    path.steps
        .iter()
        .fold(head, |before, step| step_shape(before, step, start))
}

fn step_shape(before: Shape, step: &Step, input: Origin) -> Shape {
    let (name, args) = match step {
        Step::Question(_) => return before,
        Step::Key(key) => {
            return match before {
                Shape::Object(members) => members
                    .into_iter()
                    .find(|member| member.name == key.name)
                    .map_or(Shape::Unknown, |member| member.shape),
                Shape::Unknown => Shape::Unknown,
            };
        }
        Step::Method(name, args) => (name.name.as_str(), args.as_deref().unwrap_or_default()),
    };
    match name {
        "map" | "echo" => args
            .first()
            .map_or(Shape::Unknown, |expr| expr_shape(expr, input)),
        "match" => joined(args.iter().filter_map(|pair| match pair {
            Expr::List(items, _) => items.get(1).map(|value| expr_shape(value, input)),
            _ => None,
        })),
        // These return their input, or elements of it.
        "first" | "last" | "slice" | "filter" | "find" | "get" | "as" | "withWarning"
        | "withError" => before,
        _ => Shape::Unknown,
    }
}

/// A shape with the members of all `shapes`.
fn joined(shapes: impl Iterator<Item = Shape>) -> Shape {
    shapes.fold(Shape::Unknown, |joined, shape| match (joined, shape) {
        (Shape::Object(mut members), Shape::Object(more)) => {
            for member in more {
                add(&mut members, member);
            }
            Shape::Object(members)
        }
        (Shape::Unknown, other) | (other, Shape::Unknown) => other,
    })
}

/// Adds a member, or merges it into the member of that name.
fn add(members: &mut Vec<Member>, member: Member) {
    match members.iter_mut().find(|known| known.name == member.name) {
        Some(known) => {
            let before = std::mem::replace(&mut known.shape, Shape::Unknown);
            known.shape = joined([before, member.shape].into_iter());
            known.origin = known.origin.or(member.origin);
        }
        None => members.push(member),
    }
}
