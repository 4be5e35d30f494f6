//! `@context` and `@fromContext` of one subgraph.

use apollo_compiler::ast::{self, FieldDefinition, InputValueDefinition};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::part::{SubgraphPart, string_argument};
use crate::link::federation::{FieldSetText, SubgraphContext};
use crate::sdl::federation::Directive;

/// `$user { currency { code } }`: a context, and what is taken of the object that sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link) struct ContextReference<'a> {
    pub(in crate::link) context: &'a str,
    pub(in crate::link) selection: &'a str,
    /// Where it is written, where that is known.
    location: Option<SourceSpan>,
}

/// Reads a `field`; `None` where it does not begin with the name of a context.
pub(in crate::link) fn context_reference(field: &str) -> Option<ContextReference<'_>> {
    let named = field.trim().strip_prefix('$')?;
    let is_part = |char: char| char == '_' || char.is_ascii_alphanumeric();
    let end = named.find(|char| !is_part(char)).unwrap_or(named.len());
    let (context, selection) = named.split_at(end);
    let selection = selection.trim();
    let found = ContextReference {
        context,
        selection,
        location: None,
    };
    (!context.is_empty()).then_some(found)
}

impl SubgraphPart<'_> {
    /// The `@fromContext` of an argument.
    pub(in crate::link) fn context_directive<'b>(
        &'b self,
        argument: &'b InputValueDefinition,
    ) -> Option<&'b Node<ast::Directive>> {
        self.directives(&argument.directives, Directive::FromContext)
            .next()
    }

    /// The types that set a context.
    pub(in crate::link) fn context_setters(&self, context: &str) -> Vec<Name> {
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
        self.type_directives(definition.directives(), Directive::Context)
            .filter_map(|directive| string_argument(directive, "name"))
    }

    /// Every argument of a field that comes from a context, with what it refers to; those that
    /// refer to none are reported elsewhere.
    pub(in crate::link) fn context_references<'b>(
        &'b self,
        field: &'b FieldDefinition,
    ) -> impl Iterator<Item = (&'b InputValueDefinition, ContextReference<'b>)> {
        field.arguments.iter().filter_map(|argument| {
            let directive = self.context_directive(argument)?;
            let field = directive.specified_argument_by_name("field")?;
            let found = context_reference(field.as_str()?)?;
            let at = field.location();
            Some((
                &**argument,
                ContextReference {
                    location: at,
                    ..found
                },
            ))
        })
    }

    /// The same as planning looks at them.
    pub(super) fn subgraph_contexts(&self, field: &FieldDefinition) -> Vec<SubgraphContext> {
        let name = |name: &Name| crate::types::Name::from(name.as_str());
        let references = self.context_references(field);
        references
            .map(|(argument, reference)| SubgraphContext {
                argument: name(&argument.name),
                ty: argument.ty.to_string().into(),
                setters: self
                    .context_setters(reference.context)
                    .iter()
                    .map(name)
                    .collect(),
                selection: FieldSetText {
                    text: reference.selection.to_owned(),
                    span: self.span(reference.location),
                },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_context_name_and_a_selection() {
        let found = context_reference(" $user { currency { code } } ").unwrap();
        assert_eq!(found.context, "user");
        assert_eq!(found.selection, "{ currency { code } }");
        let found = context_reference("$a_1 ... on A { x }").unwrap();
        assert_eq!((found.context, found.selection), ("a_1", "... on A { x }"));
        assert_eq!(context_reference("$user").unwrap().selection, "");
        for text in ["", "user { currency }", "$ { currency }", "{ $user }"] {
            assert_eq!(context_reference(text), None, "{text}");
        }
    }
}
