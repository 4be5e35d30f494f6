//! `@context` and `@fromContext` of one subgraph.

use apollo_compiler::ast::{self, FieldDefinition, InputValueDefinition};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::part::{SubgraphPart, string_argument};
use crate::link::federation::{FieldSetText, SubgraphContext};
use crate::sdl::federation::Directive;

/// `$user { currency { code } }`: a context, and a selection on the object that sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link) struct ContextReference<'a> {
    pub(in crate::link) context: &'a str,
    pub(in crate::link) selection: &'a str,
    /// The location in the document, if known.
    location: Option<SourceSpan>,
}

/// Parses the `field` argument of `@fromContext`; `None` when it does not begin with `$name`.
pub(in crate::link) fn context_reference(field: &str) -> Option<ContextReference<'_>> {
    let named = field.trim().strip_prefix('$')?;
    let is_name = |char: char| char == '_' || char.is_ascii_alphanumeric();
    let end = named.find(|char| !is_name(char)).unwrap_or(named.len());
    let (context, selection) = named.split_at(end);
    let selection = selection.trim();
    let reference = ContextReference {
        context,
        selection,
        location: None,
    };
    (!context.is_empty()).then_some(reference)
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

    /// The types that set `context`.
    pub(in crate::link) fn context_setters(&self, context: &str) -> Vec<Name> {
        let types = self.types();
        types
            .filter(|(_, definition)| self.contexts(definition).any(|it| it == context))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The names of the contexts that the type sets.
    pub(in crate::link) fn contexts<'b>(
        &'b self,
        definition: &'b ExtendedType,
    ) -> impl Iterator<Item = &'b str> {
        self.type_directives(definition.directives(), Directive::Context)
            .filter_map(|directive| string_argument(directive, "name"))
    }

    /// The context arguments of a field and their references; a reference that does not parse is
    /// reported by `check`.
    pub(in crate::link) fn context_references<'b>(
        &'b self,
        field: &'b FieldDefinition,
    ) -> impl Iterator<Item = (&'b InputValueDefinition, ContextReference<'b>)> {
        field.arguments.iter().filter_map(|argument| {
            let directive = self.context_directive(argument)?;
            let field = directive.specified_argument_by_name("field")?;
            let reference = ContextReference {
                location: field.location(),
                ..context_reference(field.as_str()?)?
            };
            Some((&**argument, reference))
        })
    }

    /// The context arguments of a field in the form that planning uses.
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
        let reference = context_reference(" $user { currency { code } } ").unwrap();
        assert_eq!(reference.context, "user");
        assert_eq!(reference.selection, "{ currency { code } }");
        let reference = context_reference("$a_1 ... on A { x }").unwrap();
        assert_eq!(
            (reference.context, reference.selection),
            ("a_1", "... on A { x }")
        );
        assert_eq!(context_reference("$user").unwrap().selection, "");
        for text in ["", "user { currency }", "$ { currency }", "{ $user }"] {
            assert_eq!(context_reference(text), None, "{text}");
        }
    }
}
