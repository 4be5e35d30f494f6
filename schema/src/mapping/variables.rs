//! Which variables a mapping uses, and what of them.
//!
//! Follows `$` and `@` into braces and arguments, so that `$batch->map(@.id)` uses `id` as
//! `$batch.id` does. What a method computes is nobody's field.

use std::ops::Range;

use super::ast::{Expr, Head, Item, Key, MemberValue, Path, Selection, Step};

/// One place where a variable stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    /// Without the dollar.
    pub name: String,
    /// Of the variable alone, dollar included.
    pub range: Range<usize>,
    /// What is read of it there, in the order written; empty: the whole of it.
    pub fields: Vec<UsedField>,
}

/// A member that is read, lists passed through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedField {
    /// The member's key.
    pub name: String,
    /// Where the key stands.
    pub range: Range<usize>,
    /// What is read of it; empty: the whole of it.
    pub fields: Vec<Self>,
}

/// What all the uses of `$name` read together: each member once, in the order they first come.
pub fn used_fields(uses: &[VariableUse], name: &str) -> Vec<UsedField> {
    let mut fields = Vec::new();
    for used in uses.iter().filter(|used| used.name == name) {
        merge(&mut fields, &used.fields);
    }
    fields
}

fn merge(into: &mut Vec<UsedField>, fields: &[UsedField]) {
    for field in fields {
        if let Some(known) = into.iter_mut().find(|known| known.name == field.name) {
            merge(&mut known.fields, &field.fields);
        } else {
            let mut fields = Vec::new();
            merge(&mut fields, &field.fields);
            into.push(UsedField {
                name: field.name.clone(),
                range: field.range.clone(),
                fields,
            });
        }
    }
}

pub(super) fn variables(selection: &Selection) -> Vec<VariableUse> {
    let mut walk = Walk::default();
    walk.selection(selection, UseScope::default());
    walk.into_uses()
}

/// A use, or a field of one, in the order met.
struct UseNode {
    parent: Option<usize>,
    name: String,
    range: Range<usize>,
}

#[derive(Default)]
struct Walk {
    marks: Vec<UseNode>,
}

/// Which mark `$`, `@` and local variables stand for, if for one at all.
#[derive(Clone, Copy, Default)]
struct UseScope<'s> {
    dollar: Option<usize>,
    at: Option<usize>,
    locals: Option<&'s Local<'s>>,
}

struct Local<'s> {
    name: &'s str,
    mark: Option<usize>,
    outer: Option<&'s Self>,
}

impl Walk {
    fn selection(&mut self, selection: &Selection, seen: UseScope<'_>) {
        for item in &selection.items {
            match item {
                Item::Member(member) => match &member.value {
                    MemberValue::Group(group) => self.selection(group, seen),
                    MemberValue::Expr(expr) => {
                        self.expr(expr, seen);
                    }
                },
                Item::Whole(expr) => {
                    self.expr(expr, seen);
                }
                Item::Spread(path) => {
                    self.path(path, seen);
                }
            }
        }
    }

    /// The mark that the value is, if it is one.
    fn expr(&mut self, expr: &Expr, seen: UseScope<'_>) -> Option<usize> {
        match expr {
            Expr::Path(path) => return self.path(path, seen),
            Expr::Group(group) => self.selection(group, seen),
            Expr::Object(members, _) => {
                for (_, expr) in members {
                    self.expr(expr, seen);
                }
            }
            Expr::List(elements, _) | Expr::Choice(_, elements) => {
                for element in elements {
                    self.expr(element, seen);
                }
            }
            Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Null(_) => {}
        }
        None
    }

    fn path(&mut self, path: &Path, seen: UseScope<'_>) -> Option<usize> {
        let start = match &path.head {
            Head::Key(key) => self.field(seen.dollar, key),
            Head::Dollar(_) => seen.dollar,
            Head::At(_) => seen.at,
            Head::Variable(key) => self.variable(key, seen),
            Head::Expr(expr) => self.expr(expr, seen),
        };
        self.steps(path, 0, start, seen)
    }

    fn variable(&mut self, key: &Key, seen: UseScope<'_>) -> Option<usize> {
        let mut local = seen.locals;
        while let Some(candidate) = local {
            if candidate.name == key.name {
                return candidate.mark;
            }
            local = candidate.outer;
        }
        Some(self.mark(None, key))
    }

    fn steps(
        &mut self,
        path: &Path,
        from: usize,
        mut mark: Option<usize>,
        seen: UseScope<'_>,
    ) -> Option<usize> {
        for (index, step) in path.steps.iter().enumerate().skip(from) {
            match step {
                Step::Key(key) => mark = self.field(mark, key),
                Step::Question(_) => {}
                Step::Method(name, args) => {
                    let args = args.as_deref().unwrap_or_default();
                    let inside = UseScope { at: mark, ..seen };
                    if name.name == "as"
                        && let Some(Expr::Path(Path {
                            head: Head::Variable(local),
                            ..
                        })) = args.first()
                    {
                        let bound = match args.get(1) {
                            Some(expr) => self.expr(expr, inside),
                            None => mark,
                        };
                        let local = Local {
                            name: &local.name,
                            mark: bound,
                            outer: seen.locals,
                        };
                        let locals = Some(&local);
                        return self.steps(path, index + 1, mark, UseScope { locals, ..seen });
                    }
                    mark = self.method(&name.name, args, inside);
                }
            }
        }
        let Some(group) = &path.group else {
            return mark;
        };
        let inside = UseScope {
            dollar: mark,
            at: mark,
            ..seen
        };
        self.selection(group, inside);
        None
    }

    /// The mark behind a method; arguments that merely decide are still read.
    fn method(&mut self, name: &str, args: &[Expr], seen: UseScope<'_>) -> Option<usize> {
        let last = args.iter().map(|arg| self.expr(arg, seen)).last().flatten();
        match name {
            "first" | "last" | "slice" | "filter" | "find" | "withWarning" | "withError" => seen.at,
            "echo" | "map" => last,
            _ => None,
        }
    }

    fn field(&mut self, parent: Option<usize>, key: &Key) -> Option<usize> {
        parent.map(|parent| self.mark(Some(parent), key))
    }

    fn mark(&mut self, parent: Option<usize>, key: &Key) -> usize {
        self.marks.push(UseNode {
            parent,
            name: key.name.clone(),
            range: key.range.clone(),
        });
        self.marks.len() - 1
    }

    fn into_uses(self) -> Vec<VariableUse> {
        let mut fields: Vec<Vec<UsedField>> = self.marks.iter().map(|_| Vec::new()).collect();
        let mut uses = Vec::new();
        // A field stands behind what it is a field of, so backwards each one is complete.
        for (index, mark) in self.marks.into_iter().enumerate().rev() {
            let mut inside = fields.pop().unwrap_or_default();
            debug_assert_eq!(fields.len(), index, "one list a mark");
            inside.reverse();
            let UseNode {
                parent,
                name,
                range,
            } = mark;
            match parent.and_then(|parent| fields.get_mut(parent)) {
                Some(siblings) => siblings.push(UsedField {
                    name,
                    range,
                    fields: inside,
                }),
                None => uses.push(VariableUse {
                    name,
                    range,
                    fields: inside,
                }),
            }
        }
        uses.reverse();
        uses
    }
}
