//! A composed GraphQL subgraph → its `SubgraphSchema`, which planning uses.

use apollo_compiler::Name;
use apollo_compiler::ast::{self, FieldDefinition};
use apollo_compiler::schema::{Component, ExtendedType};

use super::part::{Overridden, SubgraphPart, fields, is_resolvable};
use crate::link::federation::{
    FieldAvailability, FieldSetText, OverrideSide, SubgraphField, SubgraphKey, SubgraphSchema,
    SubgraphType, SubgraphTypeKind,
};
use crate::sdl::federation::Directive;

/// The schema of the subgraph `part`.
pub(super) fn subgraph_schema(part: &SubgraphPart<'_>) -> SubgraphSchema {
    let types = part.types();
    SubgraphSchema {
        name: std::sync::Arc::clone(&part.sdl.name),
        url: part.sdl.url.clone(),
        renamed_types: part.sdl.renamed_roots.clone(),
        types: types
            .filter_map(|(name, definition)| {
                Some((name.as_str().into(), subgraph_type(part, name, definition)?))
            })
            .collect(),
    }
}

fn subgraph_type(
    part: &SubgraphPart<'_>,
    name: &Name,
    definition: &ExtendedType,
) -> Option<SubgraphType> {
    let kind = match definition {
        ExtendedType::Object(_) if part.is_interface_object(name) => {
            SubgraphTypeKind::InterfaceObject
        }
        ExtendedType::Object(_) => SubgraphTypeKind::Object,
        ExtendedType::Interface(_) => SubgraphTypeKind::Interface,
        ExtendedType::Union(_) => SubgraphTypeKind::Union,
        ExtendedType::Scalar(_) | ExtendedType::Enum(_) => SubgraphTypeKind::Leaf,
        ExtendedType::InputObject(_) => return None,
    };
    let fields = fields(definition).into_iter().flatten();
    Some(SubgraphType {
        kind,
        keys: keys(part, definition),
        fields: fields
            .map(|(field_name, it)| {
                (
                    field_name.as_str().into(),
                    subgraph_field(part, name, kind, it),
                )
            })
            .collect(),
        members: members(part, name, definition),
    })
}

fn keys(part: &SubgraphPart<'_>, definition: &ExtendedType) -> Vec<SubgraphKey> {
    if definition.is_interface() && part.is_legacy() {
        return Vec::new(); // Keys of interfaces have no meaning in federation 1.
    }
    let keys = part.type_directives(definition.directives(), Directive::Key);
    keys.filter_map(|key| {
        Some(SubgraphKey {
            fields: field_set_text(part, key)?,
            resolvable: is_resolvable(key),
        })
    })
    .collect()
}

fn subgraph_field(
    part: &SubgraphPart<'_>,
    owner: &Name,
    kind: SubgraphTypeKind,
    field: &Component<FieldDefinition>,
) -> SubgraphField {
    // Federation 1 allows these directives on interface fields, where they have no meaning.
    let has_effect = kind != SubgraphTypeKind::Interface || !part.is_legacy();
    let set = |directive: Directive| {
        let directive = part.directives(&field.directives, directive).next();
        let directive = directive.filter(|_| has_effect);
        directive.and_then(|it| field_set_text(part, it))
    };
    let overridden = part.overridden(owner, &field.name);
    let availability = if overridden == Some(&Overridden::Always) {
        FieldAvailability::Overridden
    } else if part.is_external(owner, &field.name) {
        FieldAvailability::Provided
    } else {
        FieldAvailability::Always
    };
    SubgraphField {
        ty: field.ty.to_string().into(),
        requires: set(Directive::Requires),
        contexts: part.subgraph_contexts(field),
        provides: set(Directive::Provides),
        availability,
        progressive_override: match (
            overridden,
            part.progressive_overrides
                .get(&(owner.clone(), field.name.clone())),
        ) {
            (Some(Overridden::UnderLabel(label)), _) => {
                Some((label.as_str().into(), OverrideSide::From))
            }
            (_, Some(label)) => Some((label.as_str().into(), OverrideSide::To)),
            _ => None,
        },
    }
}

/// The `fields` argument of a directive.
fn field_set_text(part: &SubgraphPart<'_>, directive: &ast::Directive) -> Option<FieldSetText> {
    let value = directive.specified_argument_by_name("fields")?;
    Some(FieldSetText {
        text: value.as_str()?.to_owned(),
        span: part.span(value.location()),
    })
}

fn members(
    part: &SubgraphPart<'_>,
    name: &Name,
    definition: &ExtendedType,
) -> Vec<crate::types::Name> {
    if let ExtendedType::Union(union) = definition {
        let members = union.members.iter();
        return members.map(|member| member.as_str().into()).collect();
    }
    if !definition.is_interface() {
        return Vec::new();
    }
    let implements = |definition: &ExtendedType| {
        let object = definition.as_object();
        object.is_some_and(|object| object.implements_interfaces.contains(name.as_str()))
    };
    let types = part.types();
    types
        .filter(|(_, definition)| implements(definition))
        .map(|(name, _)| name.as_str().into())
        .collect()
}
