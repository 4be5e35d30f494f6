//! Evaluates paths: the head, the steps from left to right, the selection in braces.

use std::borrow::Cow;
use std::ops::Range;

use super::group::StartMember;
use super::{Evaluation, selection_value, value as expr_value};
use crate::json::{Node, Value};
use crate::mapping::ast::{Expr, Head, Key, Path, Step};
use crate::mapping::methods::{self, Call};
use crate::mapping::report::ReportKind;
use crate::mapping::scope::{Local, Scope, TracedValue, Trail};

/// The value of a path.
pub(in crate::mapping) fn value<'a>(
    run: &mut Evaluation<'_, 'a>,
    path: &'a Path,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    run.spend(1, &path.range)?;
    let value = head(run, path, scope)?;
    rest_value(run, path, value, scope)
}

/// The value of a path whose first member of `object` is known.
pub(super) fn value_from_member<'a>(
    run: &mut Evaluation<'_, 'a>,
    start: StartMember<'a>,
    object: Node<'a>,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    let StartMember { path, key, member } = start;
    run.spend(1, &path.range)?;
    run.spend(object.len() / 4, &key.range)?;
    let Some(member) = member else {
        if !is_guarded(path) {
            missing(run, scope.dollar, key);
        }
        return None;
    };
    rest_value(run, path, Value::Node(member), scope)
}

/// The value of a path with `value` as the value of its head.
fn rest_value<'a>(
    run: &mut Evaluation<'_, 'a>,
    path: &'a Path,
    mut value: Value<'a>,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    if !path.steps.is_empty() || path.group.is_some() {
        let walk = PathWalk {
            path,
            base: base(path, scope),
            from: 0,
        };
        value = steps(run, walk, value, scope)?;
    }
    run.spend(value.weight() / 8, &path.range)?;
    Some(value)
}

/// A path from the step at index `from` on.
#[derive(Clone, Copy)]
struct PathWalk<'s, 'a> {
    path: &'a Path,
    base: &'s Trail<'s>,
    from: usize,
}

fn base<'s>(path: &Path, scope: Scope<'s, '_>) -> &'s Trail<'s> {
    match &path.head {
        Head::Key(_) | Head::Dollar(_) => scope.dollar.trail,
        Head::At(_) | Head::Expr(_) => scope.at.trail,
        Head::Variable(_) => &Trail::Root,
    }
}

fn head<'a>(
    run: &mut Evaluation<'_, 'a>,
    path: &'a Path,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    match &path.head {
        Head::Key(key) => property(run, scope.dollar, key, is_guarded(path)),
        Head::Dollar(range) => copy(run, scope.dollar.value, range),
        Head::At(range) => copy(run, scope.at.value, range),
        Head::Variable(key) => variable(run, key, scope),
        Head::Expr(expr) => expr_value(run, expr, scope),
    }
}

/// Whether the head may be absent.
fn is_guarded(path: &Path) -> bool {
    matches!(path.steps.first(), Some(Step::Question(_)))
}

fn variable<'a>(
    run: &mut Evaluation<'_, 'a>,
    key: &Key,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    if let Some(local) = scope.local(&key.name) {
        return copy(run, local.value.as_ref()?, &key.range);
    }
    let vars = run.vars;
    if let Some(value) = vars.get(&key.name) {
        return copy(run, value, &key.range);
    }
    let trail = scope.at.trail;
    run.report(ReportKind::VariableMissing, trail, &key.range, || {
        format!("`${}` is not set here", key.name)
    });
    None
}

/// Clones a value; only computed strings cost time linear in their length.
fn copy<'a>(
    run: &mut Evaluation<'_, 'a>,
    value: &Value<'a>,
    range: &Range<usize>,
) -> Option<Value<'a>> {
    if let Value::String(Cow::Owned(text)) = value {
        run.spend(text.len() / 8, range)?;
    }
    Some(value.clone())
}

fn steps<'a>(
    run: &mut Evaluation<'_, 'a>,
    walk: PathWalk<'_, 'a>,
    mut value: Value<'a>,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    let PathWalk { path, base, from } = walk;
    for (index, step) in path.steps.iter().enumerate().skip(from) {
        let before = &Trail::Steps(base, path, index);
        value = match step {
            Step::Key(key) => {
                let is_guarded = matches!(path.steps.get(index + 1), Some(Step::Question(_)));
                let input = TracedValue::new(&value, before);
                property(run, input, key, is_guarded)?
            }
            Step::Question(_) if value.is_null() => return None,
            Step::Question(_) => value,
            Step::Method(name, args) => {
                let trail = &Trail::Steps(base, path, index + 1);
                let call = Call {
                    name,
                    args: args.as_deref(),
                    scope: scope.with_at(TracedValue::new(&value, trail)),
                };
                if name.name == "as" {
                    let local = binding(run, &call, scope);
                    let scope = Scope {
                        locals: local.as_ref().or(scope.locals),
                        ..scope
                    };
                    let from = index + 1;
                    return steps(run, PathWalk { from, ..walk }, value.clone(), scope);
                }
                methods::call(run, &call)?
            }
        };
    }
    let Some(group) = &path.group else {
        return Some(value);
    };
    let trail = &Trail::Steps(base, path, path.steps.len());
    let scope = Scope::new(TracedValue::new(&value, trail), scope.locals);
    Some(selection_value(run, group, scope))
}

/// The variable that `->as($name)` or `->as($name, value)` binds for the rest of the path.
fn binding<'s, 'a: 's>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'s, 'a>,
    scope: Scope<'s, 'a>,
) -> Option<Local<'s, 'a>> {
    let args = call.args.unwrap_or_default();
    let Some(name) = args.first().and_then(variable_name) else {
        call.report(run, ReportKind::BadArgument, || {
            "`->as` needs a variable to bind, such as `$name`".to_owned()
        });
        return None;
    };
    let value = match args.get(1) {
        Some(expr) => expr_value(run, expr, call.scope),
        None => Some(call.scope.at.value.clone()),
    };
    Some(Local {
        name,
        value,
        outer: scope.locals,
    })
}

fn variable_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Path(Path {
            head: Head::Variable(key),
            steps,
            group: None,
            ..
        }) if steps.is_empty() => Some(&key.name),
        _ => None,
    }
}

/// The member of an object, or the list of the members of a list's elements.
fn property<'a>(
    run: &mut Evaluation<'_, 'a>,
    input: TracedValue<'_, 'a>,
    key: &Key,
    is_guarded: bool,
) -> Option<Value<'a>> {
    if let Some(fields) = input.value.as_object() {
        run.spend(fields.len() / 4, &key.range)?;
        let member = fields.get(&key.name);
        if member.is_none() && !is_guarded {
            missing(run, input, key);
        }
        return member;
    }
    let Some(list) = input.value.as_list() else {
        missing(run, input, key);
        return None;
    };
    let mut members = Vec::with_capacity(list.len());
    for (index, element) in list.iter().enumerate() {
        run.spend(1, &key.range)?;
        let trail = &Trail::Index(input.trail, index);
        let member = property(run, TracedValue::new(&element, trail), key, false);
        members.push(member.unwrap_or(Value::Null));
    }
    Some(Value::list(members))
}

fn missing(run: &mut Evaluation<'_, '_>, input: TracedValue<'_, '_>, key: &Key) {
    let trail = Trail::Key(input.trail, &key.name);
    run.report(ReportKind::PropertyMissing, &trail, &key.range, || {
        format!("{} has no `{}`", input.value.kind_name(), key.name)
    });
}
