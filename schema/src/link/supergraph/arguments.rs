//! Arguments of directives, for what the definitions in the document make sure of.

use apollo_compiler::ast::Directive;

/// A text.
pub(super) fn text<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}

/// A value of an enum.
pub(super) fn enum_value<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    let value = directive.specified_argument_by_name(argument)?;
    value.as_enum().map(apollo_compiler::Name::as_str)
}

/// `None` where nothing is written.
pub(super) fn flag(directive: &Directive, argument: &str) -> Option<bool> {
    directive.specified_argument_by_name(argument)?.to_bool()
}
