//! Whether a mapping calls a method, decided on its syntax tree: a string literal that contains the
//! name of a method does not count.

use super::ast::{Expr, Head, Item, MemberValue, Path, Selection, Step};

/// Whether `->name` occurs anywhere in the selection, arguments of other methods included.
pub(super) fn calls_method(selection: &Selection, name: &str) -> bool {
    selection.items.iter().any(|item| match item {
        Item::Member(member) => match &member.value {
            MemberValue::Group(group) => calls_method(group, name),
            MemberValue::Expr(expr) => expr_calls(expr, name),
        },
        Item::Whole(expr) => expr_calls(expr, name),
        Item::Spread(path) => path_calls(path, name),
    })
}

fn expr_calls(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Path(path) => path_calls(path, name),
        Expr::Group(group) => calls_method(group, name),
        Expr::Object(members, _) => members.iter().any(|(_, value)| expr_calls(value, name)),
        Expr::List(elements, _) | Expr::Choice(_, elements) => {
            elements.iter().any(|element| expr_calls(element, name))
        }
        Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Null(_) => false,
    }
}

fn path_calls(path: &Path, name: &str) -> bool {
    let is_in_head = matches!(&path.head, Head::Expr(expr) if expr_calls(expr, name));
    is_in_head
        || path.steps.iter().any(|step| step_calls(step, name))
        || (path.group.as_ref()).is_some_and(|group| calls_method(group, name))
}

fn step_calls(step: &Step, name: &str) -> bool {
    match step {
        Step::Method(method, arguments) => {
            let mut arguments = arguments.iter().flatten();
            method.name == name || arguments.any(|argument| expr_calls(argument, name))
        }
        Step::Key(_) | Step::Question(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mapping, Version};

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let mapping = Mapping::parse(text, Version::V0_4);
        let mapping = mapping.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(mapping.calls_method("withError"), expected, "{text}");
    }

    #[test]
    fn a_call_is_found_wherever_it_occurs() {
        for text in [
            "$->withError('e')",
            "id a: name->withError('e')",
            "a { b: c->withError('e') }",
            "a: { b: c->withError('e') }",
            "a ...b->withError('e') { c }",
            "a: $([1, id->withError('e')])",
            "a: $({ b: id->withError('e') })",
            "a: b ?? c->withError('e')",
            "a: b->map(@.c->withError('e'))",
            "a: b->echo({ c: @->withError('e') })",
        ] {
            check(text, true);
        }
    }

    #[test]
    fn a_literal_or_a_key_with_the_name_is_no_call() {
        for text in [
            "a: $('withError')",
            "a: b->echo('->withError')",
            "withError a: $.withError.b",
            "'->withError': a",
            "a: b->withWarning('withError')",
        ] {
            check(text, false);
        }
    }
}
