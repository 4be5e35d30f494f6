//! Typed access to directive arguments; the definitions in the document guarantee their types.

use apollo_compiler::ast::Directive;

/// A string argument.
pub(super) fn text<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}

/// An enum argument.
pub(super) fn enum_value<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    let value = directive.specified_argument_by_name(argument)?;
    value.as_enum().map(apollo_compiler::Name::as_str)
}

/// A boolean argument; `None` when it is absent.
pub(super) fn flag(directive: &Directive, argument: &str) -> Option<bool> {
    directive.specified_argument_by_name(argument)?.to_bool()
}
