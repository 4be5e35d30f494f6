//! What methods give of what they are given.

use super::value::{Form, Kinds, Members};
use super::{Forms, Found, Seen, What};
use crate::mapping::ast::{Expr, Head, Key, Path};
use crate::mapping::methods;

impl Forms<'_> {
    /// The form of `seen.at->name(args)`.
    pub(super) fn method(&mut self, name: &Key, args: &[Expr], seen: Seen) -> Form {
        if name.name == "as" {
            return self.bind(args, seen);
        }
        if !methods().iter().any(|known| known.name == name.name) {
            self.found.push(Found {
                what: What::Method(name.name.clone()),
                range: name.range.clone(),
            });
        }
        let given = self.given(name, args, seen);
        if self.follows_methods() {
            given
        } else {
            Form::ANY
        }
    }

    /// `->as($v)` and `->as($v, e)`: the input, with a name for the rest of the path.
    fn bind(&mut self, args: &[Expr], seen: Seen) -> Form {
        let bound = match args.get(1) {
            Some(expr) => self.expr(expr, seen),
            None => seen.at,
        };
        if let Some(Expr::Path(Path {
            head: Head::Variable(local),
            ..
        })) = args.first()
        {
            self.locals.push((local.name.clone(), bound));
        }
        seen.at
    }

    fn given(&mut self, name: &Key, args: &[Expr], seen: Seen) -> Form {
        let input = seen.at;
        let each = Seen {
            at: element(input),
            ..seen
        };
        match name.name.as_str() {
            "map" => {
                let mapped = self.joined(args, each);
                return Form::list(mapped);
            }
            "filter" | "find" => {
                self.joined(args, each);
            }
            "match" => return self.pairs(args, seen),
            "echo" => return self.joined(args, seen),
            _ => {
                self.joined(args, seen);
            }
        }
        match name.name.as_str() {
            "size" | "add" | "sub" | "mul" | "div" | "mod" | "parseInt" => Form::of(Kinds::NUMBER),
            "and" | "or" | "not" | "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in"
            | "contains" => Form::of(Kinds::BOOL),
            "joinNotNull" | "toString" | "trim" | "trimStart" | "trimEnd" | "jsonStringify" => {
                Form::of(Kinds::STRING)
            }
            "split" => Form::list(Form::of(Kinds::STRING)),
            "entries" => Form::list(Form::object(Members::Unknown)),
            "first" | "last" | "find" => picked(input),
            "filter" => Form::list(element(input)),
            "slice" | "withWarning" | "withError" => input,
            _ => Form::ANY,
        }
    }

    /// `->match([k, v], …)`: one of the values.
    fn pairs(&mut self, pairs: &[Expr], seen: Seen) -> Form {
        let mut form = Form::of(Kinds::NULL);
        for pair in pairs {
            if let Expr::List(items, _) = pair {
                let mut items = items.iter();
                if let Some(candidate) = items.next() {
                    self.expr(candidate, seen);
                }
                for value in items {
                    form = form.or(self.expr(value, seen));
                }
            } else {
                self.expr(pair, seen);
            }
        }
        form
    }
}

/// What `@` is for each element; a value that is no list is its own only element.
fn element(input: Form) -> Form {
    if input.is_list() {
        input.elements()
    } else if input.own.has(Kinds::LIST) {
        Form::ANY
    } else {
        input
    }
}

/// One element of a list, or one character of a string.
fn picked(input: Form) -> Form {
    if input.own == Kinds::STRING {
        input
    } else {
        element(input)
    }
}
