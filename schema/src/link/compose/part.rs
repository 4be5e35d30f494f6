//! One subgraph in the terms of federation: its types, and what its directives make of them.

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

/// A field of a type.
pub(in crate::link) type Coordinate = (Name, Name);

/// One subgraph.
pub(in crate::link) struct SubgraphPart<'a> {
    pub(in crate::link) sdl: &'a Sdl,
    /// As the document has it, without what is of no use to others.
    pub(in crate::link) schema: Schema,
    /// What its sets of fields name.
    pub(in crate::link) field_sets: FieldSets,
    /// `@external` that means it; see `external`.
    pub(in crate::link) external: HashSet<Coordinate>,
    /// Fields that other subgraphs took over.
    pub(in crate::link) overridden: HashMap<Coordinate, Overridden>,
    /// Fields that it took over under a label.
    pub(in crate::link) progressive_overrides: HashMap<Coordinate, String>,
    /// Directives of its own that the graph is to keep (`@composeDirective`).
    pub(in crate::link) composed_directives: HashSet<String>,
}

/// How a field was taken over by another subgraph (`@override`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::link) enum Overridden {
    Always,
    /// For requests for which the label is on.
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

    /// Whether it says nothing of federation 2, so that the rules of federation 1 hold.
    pub(in crate::link) fn is_legacy(&self) -> bool {
        self.sdl.links.federation.is_none()
    }

    /// Its types but for the scalars that every schema has.
    pub(in crate::link) fn types(&self) -> impl Iterator<Item = (&Name, &ExtendedType)> {
        let types = self.schema.types.iter();
        types.filter(|(_, definition)| !definition.is_built_in())
    }

    pub(in crate::link) fn get(&self, name: &str) -> Option<&ExtendedType> {
        let found = self.schema.types.get(name);
        found.filter(|definition| !definition.is_built_in())
    }

    pub(in crate::link) fn field(
        &self,
        ty: &str,
        field: &str,
    ) -> Option<&Component<FieldDefinition>> {
        fields(self.get(ty)?)?.get(field)
    }

    /// Whether the type is an interface of the graph that is an object here.
    pub(in crate::link) fn is_interface_object(&self, name: &str) -> bool {
        self.get(name).is_some_and(|definition| {
            definition.is_object()
                && self.has_type_directive(definition.directives(), Directive::InterfaceObject)
        })
    }

    pub(in crate::link) fn is_external(&self, ty: &Name, field: &Name) -> bool {
        self.external.contains(&(ty.clone(), field.clone()))
    }

    /// How another subgraph took the field over, if one did.
    pub(in crate::link) fn overridden(&self, ty: &Name, field: &Name) -> Option<&Overridden> {
        self.overridden.get(&(ty.clone(), field.clone()))
    }

    /// The directives of a type that are `wanted`.
    pub(in crate::link) fn type_directives<'b>(
        &'b self,
        list: &'b DirectiveList,
        directive: Directive,
    ) -> impl Iterator<Item = &'b Component<ast::Directive>> {
        list.iter()
            .filter(move |it| self.sdl.links.directives.find(&it.name) == Some(directive))
    }

    /// The directives of anything else that are `wanted`.
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

    /// Whether a directive of the type covers `field`: it stands where the field does, on the
    /// definition or on the same extension.
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

    /// Whether the type is said to be another subgraph's at `origin`.
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

/// The fields of a type that has any.
pub(in crate::link) fn fields(definition: &ExtendedType) -> Option<&Fields> {
    match definition {
        ExtendedType::Object(it) => Some(&it.fields),
        ExtendedType::Interface(it) => Some(&it.fields),
        _ => None,
    }
}

/// Whether a `@key` says that objects can be asked for by it.
pub(in crate::link) fn is_resolvable(key: &ast::Directive) -> bool {
    let written = key.specified_argument_by_name("resolvable");
    written.and_then(|value| value.to_bool()).unwrap_or(true)
}

/// The argument of a directive that is text.
pub(in crate::link) fn string_argument<'a>(
    directive: &'a ast::Directive,
    argument: &str,
) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}
