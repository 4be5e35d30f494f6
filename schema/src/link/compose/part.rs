//! One subgraph during composition: its types, and the meaning of its federation directives.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{self, FieldDefinition};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::{Component, ComponentOrigin, DirectiveList, ExtendedType, Schema};
use apollo_compiler::{Name, Node};

use super::external;
use super::field_sets::FieldSets;
use crate::sdl::Sdl;
use crate::sdl::federation::Directive;
use crate::span::Span;

/// A type name and the name of one of its fields.
pub(in crate::link) type Coordinate = (Name, Name);

/// One subgraph during composition.
pub(in crate::link) struct SubgraphPart<'a> {
    pub(in crate::link) sdl: &'a Sdl,
    /// The schema of the document. `legacy` removes unused external fields from it.
    pub(in crate::link) schema: Schema,
    /// The fields that its field sets name.
    pub(in crate::link) field_sets: FieldSets,
    /// Fields that are external in effect; see `external`.
    pub(in crate::link) external: HashSet<Coordinate>,
    /// Fields that other subgraphs override.
    pub(in crate::link) overridden: HashMap<Coordinate, Overridden>,
    /// Fields that it overrides under a label, with the label.
    pub(in crate::link) progressive_overrides: HashMap<Coordinate, String>,
    /// Names of the directives that the supergraph preserves (`@composeDirective`).
    pub(in crate::link) composed_directives: HashSet<String>,
}

/// How another subgraph overrides a field (`@override`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::link) enum Overridden {
    /// For all requests.
    Always,
    /// For requests with this label active.
    UnderLabel(String),
}

/// Fields by name.
pub(in crate::link) type Fields = IndexMap<Name, Component<FieldDefinition>>;

impl<'a> SubgraphPart<'a> {
    pub(super) fn new(sdl: &'a Sdl) -> Self {
        let mut part = Self {
            sdl,
            schema: sdl.schema.clone(),
            field_sets: FieldSets::default(),
            external: HashSet::new(),
            overridden: HashMap::new(),
            progressive_overrides: HashMap::new(),
            composed_directives: HashSet::new(),
        };
        part.composed_directives = composed_directives(&part);
        part.field_sets = FieldSets::read(&part);
        part.external = external::external_fields(&part);
        part
    }

    /// The name of the subgraph.
    pub(in crate::link) fn name(&self) -> &str {
        &self.sdl.name
    }

    pub(in crate::link) fn has_connectors(&self) -> bool {
        self.sdl.links.connect.is_some()
    }

    /// Whether the rules of federation 1 apply: the document does not link federation 2.
    pub(in crate::link) fn is_legacy(&self) -> bool {
        self.sdl.links.federation.is_none()
    }

    /// Its types, without the built-in ones.
    pub(in crate::link) fn types(&self) -> impl Iterator<Item = (&Name, &ExtendedType)> {
        let types = self.schema.types.iter();
        types.filter(|(_, definition)| !definition.is_built_in())
    }

    pub(in crate::link) fn get(&self, name: &str) -> Option<&ExtendedType> {
        let definition = self.schema.types.get(name);
        definition.filter(|definition| !definition.is_built_in())
    }

    pub(in crate::link) fn field(
        &self,
        ty: &str,
        field: &str,
    ) -> Option<&Component<FieldDefinition>> {
        fields(self.get(ty)?)?.get(field)
    }

    /// Whether the type is an `@interfaceObject`.
    pub(in crate::link) fn is_interface_object(&self, name: &str) -> bool {
        self.get(name).is_some_and(|definition| {
            definition.is_object()
                && self.has_type_directive(definition.directives(), Directive::InterfaceObject)
        })
    }

    pub(in crate::link) fn is_external(&self, ty: &Name, field: &Name) -> bool {
        self.external.contains(&(ty.clone(), field.clone()))
    }

    /// How another subgraph overrides the field, if one does.
    pub(in crate::link) fn overridden(&self, ty: &Name, field: &Name) -> Option<&Overridden> {
        self.overridden.get(&(ty.clone(), field.clone()))
    }

    /// The uses of `directive` in the list of a type.
    pub(in crate::link) fn type_directives<'b>(
        &'b self,
        list: &'b DirectiveList,
        directive: Directive,
    ) -> impl Iterator<Item = &'b Component<ast::Directive>> {
        list.iter()
            .filter(move |it| self.sdl.links.directives.find(&it.name) == Some(directive))
    }

    /// The uses of `directive` in the list of a field or argument.
    pub(in crate::link) fn directives<'b>(
        &'b self,
        list: &'b ast::DirectiveList,
        directive: Directive,
    ) -> impl Iterator<Item = &'b Node<ast::Directive>> {
        list.iter()
            .filter(move |it| self.sdl.links.directives.find(&it.name) == Some(directive))
    }

    pub(in crate::link) fn has_type_directive(
        &self,
        list: &DirectiveList,
        directive: Directive,
    ) -> bool {
        self.type_directives(list, directive).next().is_some()
    }

    pub(in crate::link) fn has_directive(
        &self,
        list: &ast::DirectiveList,
        directive: Directive,
    ) -> bool {
        self.directives(list, directive).next().is_some()
    }

    /// Whether `directive` on the type applies to `field`: both are on the definition, or on the
    /// same extension.
    pub(in crate::link) fn is_covered_by(
        &self,
        definition: &ExtendedType,
        field: &Component<FieldDefinition>,
        directive: Directive,
    ) -> bool {
        let same = |it: &Component<ast::Directive>| it.origin == field.origin;
        self.type_directives(definition.directives(), directive)
            .any(same)
    }

    /// Whether the type is an extension at `origin`, by `extend type` or `@extends`.
    pub(in crate::link) fn is_extension(
        &self,
        definition: &ExtendedType,
        origin: &ComponentOrigin,
    ) -> bool {
        origin.extension_id().is_some()
            || self.has_type_directive(definition.directives(), Directive::Extends)
    }

    pub(in crate::link) fn span(&self, location: Option<SourceSpan>) -> Span {
        self.sdl.span(location)
    }
}

fn composed_directives(part: &SubgraphPart<'_>) -> HashSet<String> {
    let directives = &part.schema.schema_definition.directives;
    part.type_directives(directives, Directive::Compose)
        .filter_map(|it| {
            Some(
                string_argument(it, "name")?
                    .trim_start_matches('@')
                    .to_owned(),
            )
        })
        .collect()
}

/// The fields of an object or interface type.
pub(in crate::link) fn fields(definition: &ExtendedType) -> Option<&Fields> {
    match definition {
        ExtendedType::Object(it) => Some(&it.fields),
        ExtendedType::Interface(it) => Some(&it.fields),
        _ => None,
    }
}

/// Whether a `@key` allows entity lookups (`resolvable`, true by default).
pub(in crate::link) fn is_resolvable(key: &ast::Directive) -> bool {
    let resolvable = key.specified_argument_by_name("resolvable");
    resolvable.and_then(|value| value.to_bool()).unwrap_or(true)
}

/// The value of a string argument of a directive.
pub(in crate::link) fn string_argument<'a>(
    directive: &'a ast::Directive,
    argument: &str,
) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}
