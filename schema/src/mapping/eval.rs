//! Evaluates mappings.
//!
//! Item lists and expressions are here, paths in [`path`], methods in `methods`. Evaluation never
//! fails: an absent value is `None`, with a report. Recursion is bounded by the maximum nesting
//! of mappings and documents, work by [`BASE_WORK`] and [`WORK_PER_BYTE`].

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use super::Outcome;
use super::ast::{Choice, Expr, Item, Member, MemberValue, Selection};
use super::merge::Merged;
use super::report::{Report, ReportKind, Reports};
use super::scope::{Scope, TracedValue, Trail, Vars};
use crate::json::{Object, Value};

mod group;
mod path;

use self::group::GroupCache;

/// Maximum work of an evaluation with empty input, in units of a path, a list element or eight
/// bytes read or written: a fraction of a second.
const BASE_WORK: usize = 1 << 20;

/// Additional work units per byte of input and variables, so that work and result may grow
/// linearly with them, but not quadratically.
const WORK_PER_BYTE: usize = 4;

/// Evaluates an item list with `input` as `$` and `@`, for each element if it is a list.
fn eval_selection<'a>(selection: &'a Selection, input: &Value<'a>, vars: &Vars<'a>) -> Outcome<'a> {
    outcome([input, input], vars, |run| {
        let input = TracedValue::new(input, &Trail::Root);
        Some(selection_value(run, selection, Scope::new(input, None)))
    })
}

/// Evaluates an expression with `dollar` as `$` and `at` as `@`.
fn eval_expr<'a>(
    expr: &'a Expr,
    dollar: &Value<'a>,
    at: &Value<'a>,
    vars: &Vars<'a>,
) -> Outcome<'a> {
    outcome([dollar, at], vars, |run| {
        value(run, expr, scope(dollar, at))
    })
}

/// Evaluates the value of a member with `dollar` as `$` and `at` as `@`.
pub fn eval_member<'a>(
    member: &'a MemberValue,
    dollar: &Value<'a>,
    at: &Value<'a>,
    vars: &Vars<'a>,
) -> Outcome<'a> {
    outcome([dollar, at], vars, |run| {
        member_value(run, member, scope(dollar, at))
    })
}

/// Evaluates a whole mapping: a single path gets a list as a whole, items get its elements.
pub fn eval_mapping<'a>(
    selection: &'a Selection,
    input: &Value<'a>,
    vars: &Vars<'a>,
) -> Outcome<'a> {
    match selection.items.as_slice() {
        [Item::Whole(expr)] => eval_expr(expr, input, input, vars),
        _ => eval_selection(selection, input, vars),
    }
}

fn outcome<'a>(
    inputs: [&Value<'a>; 2],
    vars: &Vars<'a>,
    eval: impl FnOnce(&mut Evaluation<'_, 'a>) -> Option<Value<'a>>,
) -> Outcome<'a> {
    let bytes = inputs.map(Value::weight);
    let bytes = bytes[0].max(bytes[1]).saturating_add(vars.weight());
    let mut run = Evaluation {
        vars,
        reports: Reports::default(),
        remaining_work: BASE_WORK.saturating_add(bytes.saturating_mul(WORK_PER_BYTE)),
        groups: GroupCache::default(),
    };
    let value = eval(&mut run);
    Outcome {
        value,
        reports: run.reports.into_vec(),
    }
}

fn scope<'s, 'a>(dollar: &'s Value<'a>, at: &'s Value<'a>) -> Scope<'s, 'a> {
    Scope::new(TracedValue::new(dollar, &Trail::Root), None)
        .with_at(TracedValue::new(at, &Trail::Root))
}

/// The state of an evaluation.
pub(super) struct Evaluation<'r, 'a> {
    pub(super) vars: &'r Vars<'a>,
    reports: Reports,
    remaining_work: usize,
    groups: GroupCache<'a>,
}

impl Evaluation<'_, '_> {
    pub(super) fn report(
        &mut self,
        kind: ReportKind,
        trail: &Trail<'_>,
        range: &Range<usize>,
        message: impl FnOnce() -> String,
    ) {
        if !self.reports.has_room(kind) {
            return;
        }
        let path = trail.path();
        // Checked before the message is built, which may be expensive.
        if !self.reports.has(kind, range, &path) {
            self.add(Report {
                kind,
                message: message(),
                path,
                range: range.clone(),
                extensions: None,
            });
        }
    }

    pub(super) fn add(&mut self, report: Report) {
        self.reports.push(report);
    }

    /// Subtracts work; `None` once the budget is spent, upon which callers stop.
    pub(super) fn spend(&mut self, work: usize, range: &Range<usize>) -> Option<()> {
        if let Some(left) = self.remaining_work.checked_sub(work) {
            self.remaining_work = left;
            return Some(());
        }
        self.remaining_work = 0;
        self.add(Report {
            kind: ReportKind::Limit,
            message: "the evaluation exceeded its work limit on this input".to_owned(),
            path: Vec::new(),
            range: range.clone(),
            extensions: None,
        });
        None
    }
}

/// The value of an item list applied to `@`, or to each of its elements if it is a list.
pub(super) fn selection_value<'a>(
    run: &mut Evaluation<'_, 'a>,
    selection: &'a Selection,
    scope: Scope<'_, 'a>,
) -> Value<'a> {
    let TracedValue { value, trail } = scope.at;
    let Some(list) = value.as_list() else {
        return items_value(run, selection, scope);
    };
    let mut elements = Vec::with_capacity(list.len());
    for (index, element) in list.iter().enumerate() {
        if run.spend(1, &selection.range).is_none() {
            break;
        }
        let trail = &Trail::Index(trail, index);
        let scope = Scope::new(TracedValue::new(&element, trail), scope.locals);
        elements.push(selection_value(run, selection, scope));
    }
    Value::list(elements)
}

/// The value of an item list applied to a value that is not a list.
fn items_value<'a>(
    run: &mut Evaluation<'_, 'a>,
    selection: &'a Selection,
    scope: Scope<'_, 'a>,
) -> Value<'a> {
    let result = object_value(run, selection, scope);
    match &result {
        Value::Object(object) if object.is_empty() && !scope.at.value.is_object() => {
            scope.at.value.clone()
        }
        _ => result,
    }
}

/// The merged members of the items.
fn object_value<'a>(
    run: &mut Evaluation<'_, 'a>,
    selection: &'a Selection,
    scope: Scope<'_, 'a>,
) -> Value<'a> {
    if let Some(value) = group::object_value(run, selection, scope) {
        return value;
    }
    let mut result = Merged::with_capacity(selection.items.len());
    for item in &selection.items {
        let is_lossy = match item {
            Item::Member(member) => member_item(run, member, scope, &mut result),
            Item::Whole(expr) => match value(run, expr, scope) {
                Some(value) => result.merge(value),
                None => false,
            },
            Item::Spread(path) => spread_item(run, path, scope, &mut result),
        };
        if is_lossy {
            let trail = scope.at.trail;
            run.report(ReportKind::LossyMerge, trail, &selection.range, || {
                "values of different types have one key, the later value is used".to_owned()
            });
        }
    }
    result.into_value()
}

fn member_item<'a>(
    run: &mut Evaluation<'_, 'a>,
    member: &'a Member,
    scope: Scope<'_, 'a>,
    result: &mut Merged<'a>,
) -> bool {
    match member_value(run, &member.value, scope) {
        Some(value) => result.insert(Cow::Borrowed(&member.key.name), value),
        None => false,
    }
}

fn spread_item<'a>(
    run: &mut Evaluation<'_, 'a>,
    item: &'a super::ast::Path,
    scope: Scope<'_, 'a>,
    result: &mut Merged<'a>,
) -> bool {
    let trail = scope.at.trail;
    match path::value(run, item, scope) {
        Some(value) if value.is_null() || value.is_object() => result.merge(value),
        Some(value) => {
            run.report(ReportKind::SpreadType, trail, &item.range, || {
                format!(
                    "expected an object or null to merge, found {}",
                    value.kind_name()
                )
            });
            false
        }
        None => {
            run.report(ReportKind::SpreadEmpty, trail, &item.range, || {
                "expected an object or null to merge, found nothing".to_owned()
            });
            false
        }
    }
}

fn member_value<'a>(
    run: &mut Evaluation<'_, 'a>,
    member: &'a MemberValue,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    match member {
        MemberValue::Group(group) => Some(items_value(run, group, scope)),
        MemberValue::Expr(expr) => value(run, expr, scope),
    }
}

/// The value of an expression.
pub(super) fn value<'a>(
    run: &mut Evaluation<'_, 'a>,
    expr: &'a Expr,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    match expr {
        Expr::Path(item) => path::value(run, item, scope),
        Expr::String(text, _) => Some(Value::String(Cow::Borrowed(text))),
        Expr::Number(text, _) => Some(Value::Number(Cow::Borrowed(text))),
        Expr::Bool(value, _) => Some(Value::Bool(*value)),
        Expr::Null(_) => Some(Value::Null),
        Expr::Group(group) => Some(object_value(run, group, scope)),
        Expr::Object(members, range) => {
            run.spend(members.len(), range)?;
            let mut object = Object::with_capacity(members.len());
            for (key, expr) in members {
                if let Some(value) = value(run, expr, scope) {
                    object.insert(Cow::Borrowed(key.name.as_str()), value);
                }
            }
            Some(Value::Object(Rc::new(object)))
        }
        Expr::List(elements, range) => {
            run.spend(elements.len(), range)?;
            let elements = elements
                .iter()
                .map(|element| value(run, element, scope).unwrap_or(Value::Null));
            Some(Value::list(elements.collect()))
        }
        Expr::Choice(choice, operands) => first_present(run, *choice, operands, scope),
    }
}

fn first_present<'a>(
    run: &mut Evaluation<'_, 'a>,
    choice: Choice,
    operands: &'a [Expr],
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    let mark = run.reports.mark();
    let mut last = None;
    for operand in operands {
        last = value(run, operand, scope);
        let is_usable = match (&last, choice) {
            (None, _) => false,
            (Some(value), Choice::Coalesce) => !value.is_null(),
            (Some(_), Choice::Exists) => true,
        };
        if is_usable {
            break;
        }
    }
    if last.is_some() {
        run.reports.discard_since(mark);
    }
    last
}
