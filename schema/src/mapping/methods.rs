//! The methods after `->`: one table, one function per method, one file per topic.
//!
//! All versions have all methods. `->as` is in the table for its documentation; it binds a
//! variable for the rest of its path, so `eval::path` implements it.

use super::ast::{Expr, Key};
use super::eval::{self, Evaluation};
use super::report::ReportKind;
use super::scope::{Scope, TracedValue, Trail};
use crate::diagnostic::nearest;
use crate::json::{Value, View};

mod equal;
mod lists;
mod logic;
mod numbers;
mod objects;
mod strings;

/// A method that mappings may use.
#[derive(Clone, Copy, Debug)]
pub struct MethodInfo {
    /// The name after `->`.
    pub name: &'static str,
    /// The syntax with arguments.
    pub usage: &'static str,
    /// One sentence that describes its value.
    pub doc: &'static str,
    run: Method,
}

/// The methods, sorted by name.
pub fn methods() -> &'static [MethodInfo] {
    METHODS
}

type Method = for<'s, 'a> fn(&mut Evaluation<'_, 'a>, &Call<'s, 'a>) -> Option<Value<'a>>;

/// A call of a method.
pub(super) struct Call<'s, 'a> {
    pub(super) name: &'a Key,
    pub(super) args: Option<&'a [Expr]>,
    /// The scope of the arguments; `@` is the method's input.
    pub(super) scope: Scope<'s, 'a>,
}

pub(super) fn call<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    let name = call.name.name.as_str();
    if let Ok(index) = METHODS.binary_search_by(|method| method.name.cmp(name))
        && let Some(method) = METHODS.get(index)
    {
        // A string of a document must be decoded first, in time linear in its length.
        call.spend(run, call.input().weight_of_string() / 64)?;
        return (method.run)(run, call);
    }
    call.report(run, ReportKind::MethodUnknown, || {
        match nearest(name, METHODS.iter().map(|method| method.name)) {
            Some(known) => format!("there is no method `->{name}`; did you mean `->{known}`?"),
            None => format!("there is no method `->{name}`"),
        }
    });
    None
}

impl<'s, 'a> Call<'s, 'a> {
    /// The method's input, the value before `->`.
    fn input(&self) -> &'s Value<'a> {
        self.scope.at.value
    }

    fn view(&self) -> View<'s, 'a> {
        self.scope.at.value.view()
    }

    fn expr(&self, index: usize) -> Option<&'a Expr> {
        self.args.and_then(|args| args.get(index))
    }

    fn count(&self) -> usize {
        self.args.map_or(0, <[Expr]>::len)
    }

    /// The value of the argument at `index`; `None` if it is missing or has no value.
    fn argument(&self, run: &mut Evaluation<'_, 'a>, index: usize) -> Option<Value<'a>> {
        eval::value(run, self.expr(index)?, self.scope)
    }

    /// The value of an argument with an element of the input as `@`.
    fn for_element(
        &self,
        run: &mut Evaluation<'_, 'a>,
        expr: &'a Expr,
        index: usize,
        element: &Value<'a>,
    ) -> Option<Value<'a>> {
        let trail = &Trail::Index(self.scope.at.trail, index);
        eval::value(
            run,
            expr,
            self.scope.with_at(TracedValue::new(element, trail)),
        )
    }

    /// The value of one of the arguments.
    fn value_of(&self, run: &mut Evaluation<'_, 'a>, expr: &'a Expr) -> Option<Value<'a>> {
        eval::value(run, expr, self.scope)
    }

    /// Whether `condition` holds for an element of the input; reports a value that is no boolean.
    fn condition_for(
        &self,
        run: &mut Evaluation<'_, 'a>,
        condition: &'a Expr,
        index: usize,
        element: &Value<'a>,
    ) -> Option<bool> {
        let value = self.for_element(run, condition, index, element);
        let trail = Trail::Index(self.scope.at.trail, index);
        self.boolean(run, value.as_ref(), &trail)
    }

    fn boolean(
        &self,
        run: &mut Evaluation<'_, 'a>,
        value: Option<&Value<'a>>,
        trail: &Trail<'_>,
    ) -> Option<bool> {
        if let Some(View::Bool(holds)) = value.map(Value::view) {
            return Some(holds);
        }
        run.report(ReportKind::NotBoolean, trail, &self.name.range, || {
            let (name, found) = (&self.name.name, value.map_or("nothing", Value::kind_name));
            format!("the condition of `->{name}` must be a boolean, found {found}")
        });
        None
    }

    /// The required argument; reports a missing one, and further ones with `Arity::Exact`.
    fn needed_argument(&self, run: &mut Evaluation<'_, 'a>, arity: Arity) -> Option<&'a Expr> {
        let count = self.count();
        if count == 0 || (arity == Arity::Exact && count > 1) {
            let name = &self.name.name;
            self.bad_argument(run, || {
                format!("`->{name}` needs one argument, found {count}")
            });
            return None;
        }
        self.expr(0)
    }

    /// Reports parentheses, empty ones too.
    fn check_no_parentheses(&self, run: &mut Evaluation<'_, 'a>) -> Option<()> {
        if self.args.is_none() {
            return Some(());
        }
        let name = &self.name.name;
        self.bad_argument(run, || {
            format!("`->{name}` takes no arguments, not even `()`")
        });
        None
    }

    fn bad_input(&self, run: &mut Evaluation<'_, 'a>, expected: &str) -> Option<Value<'a>> {
        self.report(run, ReportKind::BadInput, || {
            let (name, found) = (&self.name.name, self.input().kind_name());
            format!("`->{name}` works on {expected}, found {found}")
        });
        None
    }

    fn bad_argument(&self, run: &mut Evaluation<'_, 'a>, message: impl FnOnce() -> String) {
        self.report(run, ReportKind::BadArgument, message);
    }

    pub(super) fn report(
        &self,
        run: &mut Evaluation<'_, 'a>,
        kind: ReportKind,
        message: impl FnOnce() -> String,
    ) {
        run.report(kind, self.scope.at.trail, &self.name.range, message);
    }

    fn spend(&self, run: &mut Evaluation<'_, 'a>, work: usize) -> Option<()> {
        run.spend(work, &self.name.range)
    }
}

/// The number of arguments that a method accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arity {
    /// One; further ones are ignored.
    AtLeastOne,
    /// One; further ones are reported.
    Exact,
}

macro_rules! table {
    ($($name:literal $usage:literal $run:path: $doc:literal)*) => {
        &[$(MethodInfo { name: $name, usage: $usage, doc: $doc, run: $run }),*]
    };
}

/// The methods, sorted by the bytes of their names for the binary search.
static METHODS: &[MethodInfo] = table! {
    "add" "add(n, …)" numbers::add: "The sum; of integers an integer."
    "and" "and(b, …)" logic::and: "Whether the input and all arguments are true."
    "as" "as($v), as($v, e)" objects::echo_input: "The input; `$v` is the input or `e` for the rest of the path."
    "contains" "contains(e)" lists::contains: "Whether the list has an element equal to `e`."
    "div" "div(n, …)" numbers::div: "The quotient, always with a decimal point."
    "echo" "echo(e)" objects::echo: "The value of `e`, where `@` is the input."
    "entries" "entries" objects::entries: "The members of an object as a list of `{ key, value }`."
    "eq" "eq(e)" logic::eq: "Whether the input equals `e`; numbers compare by value."
    "filter" "filter(c)" lists::filter: "The elements for which `c` is true."
    "find" "find(c)" lists::find: "The first element for which `c` is true."
    "first" "first" lists::first: "The first element of a list, or character of a string."
    "get" "get(i)" lists::get: "The element, byte or member at an index (negative: from the end) or key."
    "gt" "gt(e)" logic::gt: "Whether the input is greater; two numbers or two strings."
    "gte" "gte(e)" logic::gte: "Whether the input is greater or equal; two numbers or two strings."
    "in" "in(list)" logic::is_in: "Whether the input equals an element of `list`."
    "joinNotNull" "joinNotNull(s)" strings::join_not_null: "The non-null elements joined to one text with `s` between them."
    "jsonParse" "jsonParse" strings::json_parse: "The value of a JSON text."
    "jsonStringify" "jsonStringify" strings::json_stringify: "The value as compact JSON text."
    "keysToCamelCase" "keysToCamelCase" objects::keys_to_camel_case: "The object with its keys in camelCase."
    "keysToCamelCaseDeep" "keysToCamelCaseDeep" objects::keys_to_camel_case_deep: "The object or list with all keys at any depth in camelCase."
    "last" "last" lists::last: "The last element of a list, or character of a string."
    "lt" "lt(e)" logic::lt: "Whether the input is less; two numbers or two strings."
    "lte" "lte(e)" logic::lte: "Whether the input is less or equal; two numbers or two strings."
    "map" "map(e)" lists::map: "The list of `e` for each element."
    "match" "match([k, v], …)" logic::matches: "The `v` of the first pair whose `k` equals the input; `[@, v]` matches any input."
    "mod" "mod(n, …)" numbers::modulo: "The remainder, with the sign of the input."
    "mul" "mul(n, …)" numbers::mul: "The product; of integers an integer."
    "ne" "ne(e)" logic::ne: "Whether the input differs from `e`."
    "not" "not" logic::not: "The opposite of a boolean."
    "or" "or(b, …)" logic::or: "Whether the input or one argument is true."
    "parseInt" "parseInt, parseInt(base)" numbers::parse_int: "The integer in a text, or a number truncated to an integer."
    "size" "size" lists::size: "The number of elements, bytes or members."
    "slice" "slice(a, b)" lists::slice: "Elements or bytes from `a` up to, not including, `b`."
    "split" "split(s), split(s, n)" strings::split: "The parts of a text between `s`, at most the first `n`."
    "sub" "sub(n, …)" numbers::sub: "The difference; of integers an integer."
    "toString" "toString" strings::to_string: "A scalar as text; null as an empty text."
    "trim" "trim" strings::trim: "The text without white space at its ends."
    "trimEnd" "trimEnd" strings::trim_end: "The text without white space at its end."
    "trimStart" "trimStart" strings::trim_start: "The text without white space at its start."
    "withError" "withError(e)" objects::with_error: "The input; sends `e`, a text or `{ message, extensions }`, to the client as an error."
    "withWarning" "withWarning(e)" objects::with_warning: "The input; `e` is reported to the author of the mapping."
};
