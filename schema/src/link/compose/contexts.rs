//! `@context` and `@fromContext` of one subgraph.

use apollo_compiler::ast::{self, FieldDefinition, InputValueDefinition};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::part::{Part, text};
use crate::link::federation::{ServiceContext, Written};
use crate::sdl::federation::Directive;

/// `$user { currency { code } }`: a context, and what is taken of the object that sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link) struct Reference<'a> {
    pub(in crate::link) context: &'a str,
    pub(in crate::link) selection: &'a str,
    /// Where it is written, where that is known.
    at: Option<SourceSpan>,
}

/// Reads a `field`; `None` where it does not begin with the name of a context.
pub(in crate::link) fn reference(field: &str) -> Option<Reference<'_>> {
    let named = field.trim().strip_prefix('$')?;
    let is_part = |char: char| char == '_' || char.is_ascii_alphanumeric();
    let end = named.find(|char| !is_part(char)).unwrap_or(named.len());
    let (context, selection) = named.split_at(end);
    let selection = selection.trim();
    let found = Reference {
        context,
        selection,
        at: None,
    };
    (!context.is_empty()).then_some(found)
}

impl Part<'_> {
    /// The `@fromContext` of an argument.
    pub(in crate::link) fn contextual<'b>(
        &'b self,
        argument: &'b InputValueDefinition,
    ) -> Option<&'b Node<ast::Directive>> {
        self.on(&argument.directives, Directive::FromContext).next()
    }

    /// The types that set a context.
    pub(in crate::link) fn setters(&self, context: &str) -> Vec<Name> {
        let types = self.types();
        types
            .filter(|(_, definition)| self.contexts(definition).any(|it| it == context))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The names of the contexts that a type sets.
    pub(in crate::link) fn contexts<'b>(
        &'b self,
        definition: &'b ExtendedType,
    ) -> impl Iterator<Item = &'b str> {
        self.on_type(definition.directives(), Directive::Context)
            .filter_map(|directive| text(directive, "name"))
    }

    /// Every argument of a field that comes from a context, with what it refers to; those that
    /// refer to none are reported elsewhere.
    pub(in crate::link) fn references<'b>(
        &'b self,
        field: &'b FieldDefinition,
    ) -> impl Iterator<Item = (&'b InputValueDefinition, Reference<'b>)> {
        field.arguments.iter().filter_map(|argument| {
            let directive = self.contextual(argument)?;
            let field = directive.specified_argument_by_name("field")?;
            let found = reference(field.as_str()?)?;
            let at = field.location();
            Some((&**argument, Reference { at, ..found }))
        })
    }

    /// The same as planning looks at them.
    pub(super) fn service_contexts(&self, field: &FieldDefinition) -> Vec<ServiceContext> {
        let name = |name: &Name| crate::types::Name::from(name.as_str());
        let references = self.references(field);
        references
            .map(|(argument, reference)| ServiceContext {
                argument: name(&argument.name),
                ty: argument.ty.to_string().into(),
                setters: self.setters(reference.context).iter().map(name).collect(),
                selection: Written {
                    text: reference.selection.to_owned(),
                    at: self.span(reference.at),
                },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_named_before_what_is_taken() {
        let found = reference(" $user { currency { code } } ").unwrap();
        assert_eq!(found.context, "user");
        assert_eq!(found.selection, "{ currency { code } }");
        let found = reference("$a_1 ... on A { x }").unwrap();
        assert_eq!((found.context, found.selection), ("a_1", "... on A { x }"));
        assert_eq!(reference("$user").unwrap().selection, "");
        for text in ["", "user { currency }", "$ { currency }", "{ $user }"] {
            assert_eq!(reference(text), None, "{text}");
        }
    }
}
