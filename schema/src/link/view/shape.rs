//! The members that the value of a mapping has, as far as its text tells.

use std::ops::Range;

use crate::mapping::ast::{Expr, Head, Item, MemberValue, Path, Selection, Step};

/// What a value looks like; lists are seen through.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// An object, or a list of such.
    Object(Vec<Member>),
    /// A leaf, or something that only the data tells.
    Unknown,
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    /// Where its key stands.
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
}

/// The shape of what an item list gives.
pub(super) fn of_selection(selection: &Selection) -> Shape {
    let mut members = Vec::new();
    for item in &selection.items {
        match item {
            Item::Member(member) => add(
                &mut members,
                Member {
                    name: member.key.name.clone(),
                    range: member.key.range.clone(),
                    shape: match &member.value {
                        MemberValue::Group(group) => of_selection(group),
                        MemberValue::Expr(expr) => shape_of(expr),
                    },
                },
            ),
            Item::Whole(expr) => return shape_of(expr),
            Item::Spread(path) => {
                if let Shape::Object(spread) = of_path(path) {
                    for member in spread {
                        add(&mut members, member);
                    }
                }
            }
        }
    }
    Shape::Object(members)
}

fn shape_of(expr: &Expr) -> Shape {
    match expr {
        Expr::Path(path) => of_path(path),
        Expr::Object(members, _) => Shape::Object(
            members
                .iter()
                .map(|(key, value)| Member {
                    name: key.name.clone(),
                    range: key.range.clone(),
                    shape: shape_of(value),
                })
                .collect(),
        ),
        Expr::Group(group) => of_selection(group),
        Expr::List(items, _) => joined(items.iter().map(shape_of)),
        Expr::Choice(_, operands) => joined(operands.iter().map(shape_of)),
        Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Null(_) => Shape::Unknown,
    }
}

fn of_path(path: &Path) -> Shape {
    if let Some(group) = &path.group {
        return of_selection(group);
    }
    let head = match &path.head {
        Head::Expr(expr) => shape_of(expr),
        Head::Key(_) | Head::Dollar(_) | Head::At(_) | Head::Variable(_) => Shape::Unknown,
    };
    path.steps.iter().fold(head, of_step)
}

fn of_step(before: Shape, step: &Step) -> Shape {
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
        "map" | "echo" => args.first().map_or(Shape::Unknown, shape_of),
        "match" => joined(args.iter().filter_map(|pair| match pair {
            Expr::List(items, _) => items.get(1).map(shape_of),
            _ => None,
        })),
        // These give their input, or elements of it.
        "first" | "last" | "slice" | "filter" | "find" | "get" | "as" | "withWarning"
        | "withError" => before,
        _ => Shape::Unknown,
    }
}

/// The members of all shapes that have any.
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

/// Adds a member; two of one name become one with the members of both.
fn add(members: &mut Vec<Member>, member: Member) {
    match members.iter_mut().find(|known| known.name == member.name) {
        Some(known) => {
            let before = std::mem::replace(&mut known.shape, Shape::Unknown);
            known.shape = joined([before, member.shape].into_iter());
        }
        None => members.push(member),
    }
}
