//! The parts of the value of a mapping, each with its type: members of an object, elements of a
//! list.

use std::ops::Range;

use super::inferred_type::{InferredType, Members};
use super::{InputTypes, TypeInference};
use crate::mapping::ast::{Expr, Head, Item, MemberValue, Path, Selection};
use crate::types::TypeKind;

/// A member or an element.
pub(in crate::link::connect) struct Part {
    /// The key of the member; `None` for an element.
    pub(in crate::link::connect) name: Option<String>,
    /// The range in the text that determines it.
    pub(in crate::link::connect) range: Range<usize>,
    pub(in crate::link::connect) inferred: InferredType,
}

impl TypeInference<'_> {
    /// The parts of a mapping's value whose `$` and `@` have the type `input`, as far as they are
    /// known.
    pub(in crate::link::connect) fn parts(
        &mut self,
        selection: &Selection,
        input: InferredType,
    ) -> Vec<Part> {
        let inputs = InputTypes {
            dollar: input,
            at: input,
        };
        let mut parts = Vec::new();
        self.add_items(selection, inputs, &mut parts);
        parts
    }

    fn add_items(&mut self, selection: &Selection, inputs: InputTypes, parts: &mut Vec<Part>) {
        for item in &selection.items {
            match item {
                Item::Member(member) => parts.push(Part {
                    name: Some(member.key.name.clone()),
                    range: member.key.range.clone(),
                    inferred: match &member.value {
                        MemberValue::Group(group) => self.selection(group, inputs),
                        MemberValue::Expr(expr) => self.expr(expr, inputs),
                    },
                }),
                Item::Whole(expr) => self.add_expr(expr, inputs, parts),
                Item::Spread(path) => self.add_path(path, inputs, parts),
            }
        }
    }

    fn add_expr(&mut self, expr: &Expr, inputs: InputTypes, parts: &mut Vec<Part>) {
        match expr {
            Expr::Path(path) => self.add_path(path, inputs, parts),
            Expr::Group(group) => self.add_items(group, inputs, parts),
            Expr::Object(members, _) => {
                for (key, value) in members {
                    parts.push(Part {
                        name: Some(key.name.clone()),
                        range: key.range.clone(),
                        inferred: self.expr(value, inputs),
                    });
                }
            }
            Expr::List(elements, range) => {
                for element in elements {
                    parts.push(Part {
                        name: None,
                        range: range.clone(),
                        inferred: self.expr(element, inputs),
                    });
                }
            }
            Expr::String(..)
            | Expr::Number(..)
            | Expr::Bool(..)
            | Expr::Null(_)
            | Expr::Choice(..) => {}
        }
    }

    fn add_path(&mut self, path: &Path, inputs: InputTypes, parts: &mut Vec<Part>) {
        if let (Head::Expr(expr), true, None) = (&path.head, path.steps.is_empty(), &path.group) {
            return self.add_expr(expr, inputs, parts);
        }
        let before = Path {
            group: None,
            ..path.clone()
        };
        let before = self.path(&before, inputs);
        if let Some(group) = &path.group {
            let inside = InputTypes {
                dollar: before,
                at: before,
            };
            return self.add_items(group, inside, parts);
        }
        for (name, inferred) in self.declared_members(before.members) {
            parts.push(Part {
                name: Some(name),
                range: path.range.clone(),
                inferred,
            });
        }
    }

    /// The arguments, or the members of an input object, that a value may have.
    fn declared_members(&self, members: Members) -> Vec<(String, InferredType)> {
        let declared = match members {
            Members::Arguments => self.arguments,
            Members::OfType(id) => match &self.types.get(id).kind {
                TypeKind::InputObject(members) => Some(members),
                _ => None,
            },
            Members::Unknown
            | Members::Empty
            | Members::HttpMessage
            | Members::Headers
            | Members::Strings => None,
        };
        let declared = declared.into_iter().flatten();
        declared
            .map(|(name, definition)| (name.to_string(), self.type_ref(&definition.ty)))
            .collect()
    }
}
