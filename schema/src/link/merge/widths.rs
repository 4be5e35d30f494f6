//! Compares types by the values that they contain.

use apollo_compiler::ast::Type;
use apollo_compiler::schema::Schema;

/// The type of the two that contains the other, nullable where either is; `None` where neither
/// named type is a subtype of the other, or the list depths differ.
pub(super) fn wider(schema: &Schema, left: &Type, right: &Type) -> Option<Type> {
    let inner = match (left.is_list(), right.is_list()) {
        (true, true) => wider(schema, left.item_type(), right.item_type())?.list(),
        (false, false) => {
            let (left, right) = (left.inner_named_type(), right.inner_named_type());
            if left == right || schema.is_subtype(left, right) {
                Type::Named(left.clone())
            } else if schema.is_subtype(right, left) {
                Type::Named(right.clone())
            } else {
                return None;
            }
        }
        _ => return None,
    };
    Some(if left.is_non_null() && right.is_non_null() {
        inner.non_null()
    } else {
        inner
    })
}

/// The type whose values both accept; `None` where the names or list depths differ.
pub(super) fn narrower(left: &Type, right: &Type) -> Option<Type> {
    let inner = match (left.is_list(), right.is_list()) {
        (true, true) => narrower(left.item_type(), right.item_type())?.list(),
        (false, false) if left.inner_named_type() == right.inner_named_type() => {
            Type::Named(left.inner_named_type().clone())
        }
        _ => return None,
    };
    Some(if left.is_non_null() || right.is_non_null() {
        inner.non_null()
    } else {
        inner
    })
}

/// Whether every value of `small` is a value of `big`.
pub(super) fn contains(schema: &Schema, big: &Type, small: &Type) -> bool {
    wider(schema, big, small).is_some_and(|widest| widest == *big)
}
