//! The result types of methods.

use super::inferred_type::{InferredType, Kinds, Members};
use super::{Finding, FindingKind, InputTypes, TypeInference};
use crate::mapping::ast::{Expr, Head, Key, Path};
use crate::mapping::methods;

impl TypeInference<'_> {
    /// The type of `@->name(args)`.
    pub(super) fn method(&mut self, name: &Key, args: &[Expr], inputs: InputTypes) -> InferredType {
        if name.name == "as" {
            return self.bind(args, inputs);
        }
        if !methods().iter().any(|known| known.name == name.name) {
            self.findings.push(Finding {
                kind: FindingKind::UnknownMethod(name.name.clone()),
                range: name.range.clone(),
            });
        }
        let result = self.method_result(name, args, inputs);
        if self.infers_methods() {
            result
        } else {
            InferredType::ANY
        }
    }

    /// Binds the variable of `->as($v)` or `->as($v, e)` for the rest of the path; the result is the
    /// input.
    fn bind(&mut self, args: &[Expr], inputs: InputTypes) -> InferredType {
        let bound = match args.get(1) {
            Some(expr) => self.expr(expr, inputs),
            None => inputs.at,
        };
        if let Some(Expr::Path(Path {
            head: Head::Variable(local),
            ..
        })) = args.first()
        {
            self.locals.push((local.name.clone(), bound));
        }
        inputs.at
    }

    fn method_result(&mut self, name: &Key, args: &[Expr], inputs: InputTypes) -> InferredType {
        let input = inputs.at;
        let each = InputTypes {
            at: element(input),
            ..inputs
        };
        match name.name.as_str() {
            "map" => {
                let mapped = self.joined(args, each);
                return InferredType::list(mapped);
            }
            "filter" | "find" => {
                self.joined(args, each);
            }
            "match" => return self.match_result(args, inputs),
            "echo" => return self.joined(args, inputs),
            _ => {
                self.joined(args, inputs);
            }
        }
        match name.name.as_str() {
            "size" | "add" | "sub" | "mul" | "div" | "mod" | "parseInt" => {
                InferredType::from_kinds(Kinds::NUMBER)
            }
            "and" | "or" | "not" | "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in"
            | "contains" => InferredType::from_kinds(Kinds::BOOL),
            "joinNotNull" | "toString" | "trim" | "trimStart" | "trimEnd" | "jsonStringify" => {
                InferredType::from_kinds(Kinds::STRING)
            }
            "split" => InferredType::list(InferredType::from_kinds(Kinds::STRING)),
            "entries" => InferredType::list(InferredType::object(Members::Unknown)),
            "first" | "last" | "find" => element_or_character(input),
            "filter" => InferredType::list(element(input)),
            "slice" | "withWarning" | "withError" => input,
            _ => InferredType::ANY,
        }
    }

    /// The result of `->match([k, v], …)`: one of the values, or null.
    fn match_result(&mut self, pairs: &[Expr], inputs: InputTypes) -> InferredType {
        let mut inferred = InferredType::from_kinds(Kinds::NULL);
        for pair in pairs {
            if let Expr::List(items, _) = pair {
                let mut items = items.iter();
                if let Some(candidate) = items.next() {
                    self.expr(candidate, inputs);
                }
                for value in items {
                    inferred = inferred.or(self.expr(value, inputs));
                }
            } else {
                self.expr(pair, inputs);
            }
        }
        inferred
    }
}

/// The type of `@` for each element; a value that is not a list is its own element.
fn element(input: InferredType) -> InferredType {
    if input.is_list() {
        input.elements()
    } else if input.kinds.intersects(Kinds::LIST) {
        InferredType::ANY
    } else {
        input
    }
}

/// The type of one element of a list, or of one character of a string.
fn element_or_character(input: InferredType) -> InferredType {
    if input.kinds == Kinds::STRING {
        input
    } else {
        element(input)
    }
}
