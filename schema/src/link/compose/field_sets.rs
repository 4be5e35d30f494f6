//! Field sets of `@key`, `@requires` and `@provides`: parsing, and the fields that they name.

use std::collections::HashSet;

use apollo_compiler::ast::{self, FieldDefinition};
use apollo_compiler::executable::{FieldSet, Selection, SelectionSet};
use apollo_compiler::parser::Parser;
use apollo_compiler::schema::{Component, ExtendedType, Schema};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node};

use super::part::{Coordinate, SubgraphPart, fields, string_argument};
use crate::sdl::federation::Directive;

/// The fields that the field sets of one subgraph name. A named interface field counts for the
/// implementing object types too.
#[derive(Debug, Default)]
pub(in crate::link) struct FieldSets {
    /// Named by a `@key`.
    pub(in crate::link) key: HashSet<Coordinate>,
    /// Named by a `@key` of a type extension.
    pub(in crate::link) key_of_extension: HashSet<Coordinate>,
    /// Named by a `@provides`.
    pub(in crate::link) provided: HashSet<Coordinate>,
    /// Named by a `@requires`, or by the selection of a `@fromContext`.
    pub(in crate::link) required: HashSet<Coordinate>,
}

impl FieldSets {
    pub(super) fn read(part: &SubgraphPart<'_>) -> Self {
        let mut sets = Self::default();
        for (name, definition) in part.types() {
            for key in part.type_directives(definition.directives(), Directive::Key) {
                let named = named_fields(part, name, key);
                if part.is_extension(definition, &key.origin) {
                    sets.key_of_extension.extend(named.iter().cloned());
                }
                sets.key.extend(named);
            }
            for (_, field) in fields(definition).into_iter().flatten() {
                sets.add_field(part, name, field);
            }
        }
        sets
    }

    fn add_field(
        &mut self,
        part: &SubgraphPart<'_>,
        owner: &Name,
        field: &Component<FieldDefinition>,
    ) {
        for requires in part.directives(&field.directives, Directive::Requires) {
            self.required.extend(named_fields(part, owner, requires));
        }
        for (_, reference) in part.context_references(field) {
            for setter in part.context_setters(reference.context) {
                let field_set = parse(&part.schema, &setter, reference.selection);
                if let Some(set) = field_set {
                    collect(&part.schema, &set.selection_set, &mut self.required);
                }
            }
        }
        for provides in part.directives(&field.directives, Directive::Provides) {
            let of = field.ty.inner_named_type();
            self.provided.extend(named_fields(part, of, provides));
        }
    }
}

/// The existing fields that the `fields` argument of a directive names.
fn named_fields(
    part: &SubgraphPart<'_>,
    on: &Name,
    directive: &Node<ast::Directive>,
) -> HashSet<Coordinate> {
    let mut named = HashSet::new();
    if let Some(set) =
        string_argument(directive, "fields").and_then(|text| parse(&part.schema, on, text))
    {
        collect(&part.schema, &set.selection_set, &mut named);
    }
    named
}

/// Parses `text` as a field set on type `on`; invalid parts are left out. `None` when `on` is not
/// a composite type or the text is too long.
pub(in crate::link) fn parse(schema: &Schema, on: &Name, text: &str) -> Option<FieldSet> {
    let composite = matches!(
        schema.types.get(on)?,
        ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)
    );
    if !composite || text.len() > MAX_LENGTH {
        return None;
    }
    let schema = Valid::assume_valid_ref(schema);
    let mut parser = Parser::new().recursion_limit(RECURSION_LIMIT);
    let parsed = parser.parse_field_set(schema, on.clone(), text, "fields");
    Some(parsed.unwrap_or_else(|error| error.partial))
}

fn collect(schema: &Schema, set: &SelectionSet, named: &mut HashSet<Coordinate>) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                named.insert((set.ty.clone(), field.name.clone()));
                for object in implementing_objects(schema, &set.ty) {
                    named.insert((object, field.name.clone()));
                }
                collect(schema, &field.selection_set, named);
            }
            Selection::InlineFragment(fragment) => {
                collect(schema, &fragment.selection_set, named);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// The object types of `schema` that implement the interface `name`; empty for other types.
pub(super) fn implementing_objects(schema: &Schema, name: &Name) -> Vec<Name> {
    if !schema
        .types
        .get(name)
        .is_some_and(ExtendedType::is_interface)
    {
        return Vec::new();
    }
    let implements = |definition: &ExtendedType| {
        let object = definition.as_object();
        object.is_some_and(|object| object.implements_interfaces.contains(name.as_str()))
    };
    let types = schema.types.iter();
    types
        .filter(|(_, definition)| implements(definition))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Maximum length of a field set, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// Maximum nesting depth of a field set: parsing is recursive.
const RECURSION_LIMIT: usize = 64;
