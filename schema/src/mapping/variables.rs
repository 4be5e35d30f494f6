//! The variables that a mapping uses, and the fields that it reads of them.
//!
//! Follows `$` and `@` into braces and arguments, so that `$batch->map(@.id)` uses `id` as
//! `$batch.id` does. Fields of computed values are not fields of a variable.

use std::ops::Range;

use super::ast::{Expr, Head, Item, Key, MemberValue, Path, Selection, Step};

/// One use of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    /// The name without the dollar sign.
    pub name: String,
    /// The range of the variable, dollar sign included.
    pub range: Range<usize>,
    /// The fields that are read, in source order; empty for the whole value.
    pub fields: Vec<UsedField>,
}

/// A field that is read of a variable, through lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedField {
    /// The field's key.
    pub name: String,
    /// The range of the key.
    pub range: Range<usize>,
    /// The nested fields that are read; empty for the whole value.
    pub fields: Vec<Self>,
    /// Whether the mapping says what a missing value stands for: `key?`, or an operand of `??`
    /// that is not the last.
    pub is_optional: bool,
}

/// The merged fields of all uses of `$name`, each once, in order of first use.
pub fn used_fields(uses: &[VariableUse], name: &str) -> Vec<UsedField> {
    let mut fields = Vec::new();
    for variable in uses.iter().filter(|variable| variable.name == name) {
        merge(&mut fields, &variable.fields);
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
                is_optional: field.is_optional,
            });
        }
    }
}

pub(super) fn variables(selection: &Selection) -> Vec<VariableUse> {
    let mut collector = UseCollector::default();
    collector.selection(selection, UseScope::default());
    collector.into_uses()
}

/// A use of a variable (without a parent) or of a field.
struct UseNode {
    parent: Option<usize>,
    name: String,
    range: Range<usize>,
    is_optional: bool,
}

#[derive(Default)]
struct UseCollector {
    /// The uses in traversal order; a parent comes before its fields.
    nodes: Vec<UseNode>,
}

/// The nodes of `$`, `@` and local variables; `None` for computed values.
#[derive(Clone, Copy, Default)]
struct UseScope<'s> {
    dollar: Option<usize>,
    at: Option<usize>,
    locals: Option<&'s Local<'s>>,
    is_optional: bool,
}

struct Local<'s> {
    name: &'s str,
    node: Option<usize>,
    outer: Option<&'s Self>,
}

impl UseCollector {
    fn selection(&mut self, selection: &Selection, scope: UseScope<'_>) {
        for item in &selection.items {
            match item {
                Item::Member(member) => match &member.value {
                    MemberValue::Group(group) => self.selection(group, scope),
                    MemberValue::Expr(expr) => {
                        self.expr(expr, scope);
                    }
                },
                Item::Whole(expr) => {
                    self.expr(expr, scope);
                }
                Item::Spread(path) => {
                    self.path(path, scope);
                }
            }
        }
    }

    /// The node of the value; `None` if it is computed.
    fn expr(&mut self, expr: &Expr, scope: UseScope<'_>) -> Option<usize> {
        match expr {
            Expr::Path(path) => return self.path(path, scope),
            Expr::Group(group) => self.selection(group, scope),
            Expr::Object(members, _) => {
                for (_, expr) in members {
                    self.expr(expr, scope);
                }
            }
            Expr::List(elements, _) => {
                for element in elements {
                    self.expr(element, scope);
                }
            }
            Expr::Choice(_, operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    let has_other = index + 1 < operands.len();
                    let is_optional = scope.is_optional || has_other;
                    self.expr(
                        operand,
                        UseScope {
                            is_optional,
                            ..scope
                        },
                    );
                }
            }
            Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Null(_) => {}
        }
        None
    }

    fn path(&mut self, path: &Path, scope: UseScope<'_>) -> Option<usize> {
        let start = match &path.head {
            Head::Key(key) => self.field(scope.dollar, key, scope),
            Head::Dollar(_) => scope.dollar,
            Head::At(_) => scope.at,
            Head::Variable(key) => self.variable(key, scope),
            Head::Expr(expr) => self.expr(expr, scope),
        };
        self.steps(path, 0, start, scope)
    }

    fn variable(&mut self, key: &Key, scope: UseScope<'_>) -> Option<usize> {
        let mut local = scope.locals;
        while let Some(candidate) = local {
            if candidate.name == key.name {
                return candidate.node;
            }
            local = candidate.outer;
        }
        Some(self.add(None, key, scope))
    }

    fn steps(
        &mut self,
        path: &Path,
        from: usize,
        mut node: Option<usize>,
        scope: UseScope<'_>,
    ) -> Option<usize> {
        for (index, step) in path.steps.iter().enumerate().skip(from) {
            match step {
                Step::Key(key) => node = self.field(node, key, scope),
                Step::Question(_) => {
                    if let Some(node) = node.and_then(|node| self.nodes.get_mut(node)) {
                        node.is_optional = true;
                    }
                }
                Step::Method(name, args) => {
                    let args = args.as_deref().unwrap_or_default();
                    let inside = UseScope { at: node, ..scope };
                    if name.name == "as"
                        && let Some(Expr::Path(Path {
                            head: Head::Variable(local),
                            ..
                        })) = args.first()
                    {
                        let bound = match args.get(1) {
                            Some(expr) => self.expr(expr, inside),
                            None => node,
                        };
                        let local = Local {
                            name: &local.name,
                            node: bound,
                            outer: scope.locals,
                        };
                        let locals = Some(&local);
                        return self.steps(path, index + 1, node, UseScope { locals, ..scope });
                    }
                    node = self.method(&name.name, args, inside);
                }
            }
        }
        let Some(group) = &path.group else {
            return node;
        };
        let inside = UseScope {
            dollar: node,
            at: node,
            ..scope
        };
        self.selection(group, inside);
        None
    }

    /// The node of a method's value; its arguments count as read in any case.
    fn method(&mut self, name: &str, args: &[Expr], scope: UseScope<'_>) -> Option<usize> {
        let nodes = args.iter().map(|arg| self.expr(arg, scope));
        let last = nodes.last().flatten();
        match name {
            "first" | "last" | "slice" | "filter" | "find" | "withWarning" | "withError" => {
                scope.at
            }
            "echo" | "map" => last,
            _ => None,
        }
    }

    fn field(&mut self, parent: Option<usize>, key: &Key, scope: UseScope<'_>) -> Option<usize> {
        parent.map(|parent| self.add(Some(parent), key, scope))
    }

    fn add(&mut self, parent: Option<usize>, key: &Key, scope: UseScope<'_>) -> usize {
        self.nodes.push(UseNode {
            parent,
            name: key.name.clone(),
            range: key.range.clone(),
            is_optional: scope.is_optional,
        });
        self.nodes.len() - 1
    }

    fn into_uses(self) -> Vec<VariableUse> {
        let mut fields: Vec<Vec<UsedField>> = self.nodes.iter().map(|_| Vec::new()).collect();
        let mut uses = Vec::new();
        // A field comes after its parent, so in reverse order each node is complete.
        for (index, node) in self.nodes.into_iter().enumerate().rev() {
            let mut inside = fields.pop().unwrap_or_default();
            debug_assert_eq!(fields.len(), index, "one list per node");
            inside.reverse();
            let UseNode {
                parent,
                name,
                range,
                is_optional,
            } = node;
            match parent.and_then(|parent| fields.get_mut(parent)) {
                Some(siblings) => siblings.push(UsedField {
                    name,
                    range,
                    fields: inside,
                    is_optional,
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
