//! The types of all subgraphs as one schema.
//!
//! Output types are merged by union, input types by intersection, enums by union. Two subgraphs
//! that say different things of one name are reported, both places shown.

use apollo_compiler::ast::{self, Type};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::{
    Component, ComponentName, EnumType, ExtendedType, FieldDefinition, InputObjectType,
    InputValueDefinition, InterfaceType, ObjectType, Schema, SchemaDefinition,
};
use apollo_compiler::{Name, Node};

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::Sdl;

/// Merges the schemas; a type that is said in two ways is kept as it was said first.
pub(super) fn merge(sdls: &[Sdl], problems: &mut Problems) -> Schema {
    let mut merge = Merge {
        schema: Schema::new(),
        origins: IndexMap::default(),
        problems,
    };
    for (index, sdl) in sdls.iter().enumerate() {
        merge.roots(sdl);
        merge.directives(sdl);
        for (name, definition) in &sdl.schema.types {
            if sdl.wrote(definition.location()) || is_extended(sdl, definition) {
                merge.add(sdls, index, name, definition);
            }
        }
    }
    merge.schema
}

/// A type that exists by `extend` alone has no place of its own; its fields have.
fn is_extended(sdl: &Sdl, definition: &ExtendedType) -> bool {
    !definition.is_built_in()
        && definition.location().is_none()
        && definition.iter_origins().any(|origin| {
            sdl.wrote(
                origin
                    .extension_id()
                    .and_then(apollo_compiler::schema::ExtensionId::location),
            )
        })
}

struct Merge<'a> {
    schema: Schema,
    /// Which subgraph first said what a type is.
    origins: IndexMap<Name, usize>,
    problems: &'a mut Problems,
}

impl Merge<'_> {
    fn roots(&mut self, sdl: &Sdl) {
        let written: &SchemaDefinition = &sdl.schema.schema_definition;
        let merged = self.schema.schema_definition.make_mut();
        for (from, to) in [
            (&written.query, &mut merged.query),
            (&written.mutation, &mut merged.mutation),
        ] {
            if to.is_none()
                && let Some(name) = from
            {
                *to = Some(ComponentName::from(name.name.clone()));
            }
        }
    }

    /// Definitions of directives that stay in the schema and that the library does not know.
    fn directives(&mut self, sdl: &Sdl) {
        let definitions = &mut self.schema.directive_definitions;
        for name in FOR_CLIENTS {
            if let Some((name, definition)) = sdl.schema.directive_definitions.get_key_value(name)
                && !definitions.contains_key(name)
            {
                definitions.insert(name.clone(), definition.clone());
            }
        }
    }

    fn add(&mut self, sdls: &[Sdl], index: usize, name: &Name, definition: &ExtendedType) {
        let sdl = &sdls[index];
        let Some(first) = self.origins.get(name).copied() else {
            self.origins.insert(name.clone(), index);
            self.schema.types.insert(name.clone(), bare(definition));
            return;
        };
        let pair = Pair {
            first: &sdls[first],
            second: sdl,
        };
        let Some(merged) = self.schema.types.get_mut(name) else {
            return;
        };
        use ExtendedType as T;
        match (merged, definition) {
            (T::Object(merged), T::Object(new)) => {
                object(merged.make_mut(), new, &pair, self.problems);
            }
            (T::Interface(merged), T::Interface(new)) => {
                interface(merged.make_mut(), new, &pair, self.problems);
            }
            (T::Union(merged), T::Union(new)) => {
                merged
                    .make_mut()
                    .members
                    .extend(new.members.iter().cloned());
            }
            (T::Enum(merged), T::Enum(new)) => enum_values(merged.make_mut(), new),
            (T::InputObject(merged), T::InputObject(new)) => {
                input(merged.make_mut(), new, &pair, self.problems);
            }
            (T::Scalar(_), T::Scalar(_)) => {}
            (merged, new) => {
                let message = format!(
                    "`{name}` is {} here and {} in `{}`",
                    sort(new),
                    sort(merged),
                    pair.first.name,
                );
                let places = (new.name().location(), merged.name().location());
                self.problems.push(pair.conflict(places, message));
            }
        }
    }
}

/// Two subgraphs that speak of one name.
struct Pair<'a> {
    first: &'a Sdl,
    second: &'a Sdl,
}

impl Pair<'_> {
    fn conflict(
        &self,
        (new, known): (Option<SourceSpan>, Option<SourceSpan>),
        message: String,
    ) -> Diagnostic {
        let diagnostic = Diagnostic::error(Code::SubgraphConflict, self.second.span(new), message);
        // A field that a third subgraph added has its place in that one; then one place is shown.
        if self.first.wrote(known) {
            diagnostic.label(self.first.span(known), format!("in `{}`", self.first.name))
        } else {
            diagnostic
        }
    }
}

fn sort(definition: &ExtendedType) -> &'static str {
    match definition {
        ExtendedType::Scalar(_) => "a scalar",
        ExtendedType::Object(_) => "an object type",
        ExtendedType::Interface(_) => "an interface",
        ExtendedType::Union(_) => "a union",
        ExtendedType::Enum(_) => "an enum",
        ExtendedType::InputObject(_) => "an input type",
    }
}

fn object(merged: &mut ObjectType, new: &ObjectType, pair: &Pair<'_>, problems: &mut Problems) {
    describe(&mut merged.description, new.description.as_ref());
    let interfaces = new.implements_interfaces.iter().cloned();
    merged.implements_interfaces.extend(interfaces);
    let known = (&mut merged.fields, &merged.name);
    fields(known, &new.fields, pair, problems);
}

fn interface(
    merged: &mut InterfaceType,
    new: &InterfaceType,
    pair: &Pair<'_>,
    problems: &mut Problems,
) {
    describe(&mut merged.description, new.description.as_ref());
    let interfaces = new.implements_interfaces.iter().cloned();
    merged.implements_interfaces.extend(interfaces);
    let known = (&mut merged.fields, &merged.name);
    fields(known, &new.fields, pair, problems);
}

/// The first description that anybody gives is kept.
fn describe(known: &mut Option<Node<str>>, new: Option<&Node<str>>) {
    if known.is_none() {
        *known = new.cloned();
    }
}

type Fields = IndexMap<Name, Component<FieldDefinition>>;

fn fields(
    (merged, owner): (&mut Fields, &Name),
    new: &Fields,
    pair: &Pair<'_>,
    problems: &mut Problems,
) {
    for (name, field) in new {
        let Some(known) = merged.get_mut(name) else {
            merged.insert(name.clone(), bare_field(field));
            continue;
        };
        let places = (field.name.location(), known.name.location());
        match wider(&known.ty, &field.ty) {
            Some(ty) => known.make_mut().ty = ty,
            None => problems.push(pair.conflict(
                places,
                format!(
                    "`{owner}.{name}` is `{}` here and `{}` in `{}`",
                    field.ty, known.ty, pair.first.name
                ),
            )),
        }
        if let Some(argument) = differing_argument(known, field) {
            problems.push(pair.conflict(
                places,
                format!(
                    "the argument `{argument}` of `{owner}.{name}` is not the same as in `{}`",
                    pair.first.name
                ),
            ));
        }
        let known = known.make_mut();
        describe(&mut known.description, field.description.as_ref());
    }
}

fn differing_argument(known: &FieldDefinition, new: &FieldDefinition) -> Option<Name> {
    let one_way = |left: &FieldDefinition, right: &FieldDefinition| {
        left.arguments
            .iter()
            .find(|argument| {
                let twin = right.arguments.iter().find(|it| it.name == argument.name);
                twin.is_none_or(|twin| {
                    twin.ty != argument.ty || twin.default_value != argument.default_value
                })
            })
            .map(|argument| argument.name.clone())
    };
    one_way(known, new).or_else(|| one_way(new, known))
}

/// The type that has the values of both: nullable where one of them is.
fn wider(left: &Type, right: &Type) -> Option<Type> {
    let inner = match (left.is_list(), right.is_list()) {
        (true, true) => wider(left.item_type(), right.item_type())?.list(),
        (false, false) if left.inner_named_type() == right.inner_named_type() => {
            Type::Named(left.inner_named_type().clone())
        }
        _ => return None,
    };
    Some(if left.is_non_null() && right.is_non_null() {
        inner.non_null()
    } else {
        inner
    })
}

fn enum_values(merged: &mut EnumType, new: &EnumType) {
    for (name, value) in &new.values {
        merged
            .values
            .entry(name.clone())
            .or_insert_with(|| value.clone());
    }
}

fn input(
    merged: &mut InputObjectType,
    new: &InputObjectType,
    pair: &Pair<'_>,
    problems: &mut Problems,
) {
    for (name, field) in &new.fields {
        let Some(known) = merged.fields.get(name) else {
            continue;
        };
        if known.ty != field.ty {
            let places = (field.name.location(), known.name.location());
            let message = format!(
                "`{}.{name}` is `{}` here and `{}` in `{}`",
                merged.name, field.ty, known.ty, pair.first.name
            );
            problems.push(pair.conflict(places, message));
        }
    }
    for (name, field) in
        missing(&merged.fields, &new.fields).chain(missing(&new.fields, &merged.fields))
    {
        if field.is_required() {
            problems.push(pair.conflict(
                (new.name.location(), merged.name.location()),
                format!(
                    "`{}.{name}` is required in one subgraph and missing in another",
                    merged.name
                ),
            ));
        }
    }
    merged
        .fields
        .retain(|name, _| new.fields.contains_key(name));
}

type Inputs = IndexMap<Name, Component<InputValueDefinition>>;

fn missing<'a>(
    of: &'a Inputs,
    from: &'a Inputs,
) -> impl Iterator<Item = (&'a Name, &'a Component<InputValueDefinition>)> {
    of.iter().filter(|(name, _)| !from.contains_key(*name))
}

/// The definition with the directives that clients may see.
fn bare(definition: &ExtendedType) -> ExtendedType {
    let mut definition = definition.clone();
    match &mut definition {
        ExtendedType::Scalar(it) => keep(&mut it.make_mut().directives),
        ExtendedType::Union(it) => keep(&mut it.make_mut().directives),
        ExtendedType::Enum(it) => {
            let it = it.make_mut();
            keep(&mut it.directives);
            for value in it.values.values_mut() {
                keep_on_node(&mut value.make_mut().directives);
            }
        }
        ExtendedType::InputObject(it) => {
            let it = it.make_mut();
            keep(&mut it.directives);
            for field in it.fields.values_mut() {
                keep_on_node(&mut field.make_mut().directives);
            }
        }
        ExtendedType::Object(it) => {
            let it = it.make_mut();
            keep(&mut it.directives);
            it.fields
                .values_mut()
                .for_each(|field| *field = bare_field(field));
        }
        ExtendedType::Interface(it) => {
            let it = it.make_mut();
            keep(&mut it.directives);
            it.fields
                .values_mut()
                .for_each(|field| *field = bare_field(field));
        }
    }
    definition
}

fn bare_field(field: &Component<FieldDefinition>) -> Component<FieldDefinition> {
    let mut field = field.clone();
    let inner = field.make_mut();
    keep_on_node(&mut inner.directives);
    for argument in &mut inner.arguments {
        keep_on_node(&mut argument.make_mut().directives);
    }
    field
}

/// Directives that mean something to clients.
const FOR_CLIENTS: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

fn keep(directives: &mut apollo_compiler::schema::DirectiveList) {
    directives
        .0
        .retain(|directive| FOR_CLIENTS.contains(&directive.name.as_str()));
}

fn keep_on_node(directives: &mut ast::DirectiveList) {
    directives
        .0
        .retain(|directive: &Node<_>| FOR_CLIENTS.contains(&directive.name.as_str()));
}
