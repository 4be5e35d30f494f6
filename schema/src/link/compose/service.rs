//! A subgraph that speaks GraphQL as a `Service`: what planning looks at.

use apollo_compiler::Name;
use apollo_compiler::ast::{self, FieldDefinition};
use apollo_compiler::schema::{Component, ExtendedType};

use super::part::{Overridden, Part, fields, is_resolvable};
use crate::link::federation::{
    Given, Service, ServiceField, ServiceKey, ServiceKind, ServiceType, Side, Written,
};
use crate::sdl::federation::Directive;

/// The service that `part` describes.
pub(super) fn service(part: &Part<'_>) -> Service {
    let types = part.types();
    Service {
        name: std::sync::Arc::clone(&part.sdl.name),
        url: part.sdl.url.clone(),
        types: types
            .filter_map(|(name, definition)| {
                Some((name.as_str().into(), ty(part, name, definition)?))
            })
            .collect(),
    }
}

fn ty(part: &Part<'_>, name: &Name, definition: &ExtendedType) -> Option<ServiceType> {
    let kind = match definition {
        ExtendedType::Object(_) if part.is_interface_object(name) => ServiceKind::InterfaceObject,
        ExtendedType::Object(_) => ServiceKind::Object,
        ExtendedType::Interface(_) => ServiceKind::Interface,
        ExtendedType::Union(_) => ServiceKind::Union,
        ExtendedType::Scalar(_) | ExtendedType::Enum(_) => ServiceKind::Leaf,
        ExtendedType::InputObject(_) => return None,
    };
    let fields = fields(definition).into_iter().flatten();
    Some(ServiceType {
        kind,
        keys: keys(part, definition),
        fields: fields
            .map(|(field_name, it)| (field_name.as_str().into(), field(part, (name, kind), it)))
            .collect(),
        members: members(part, name, definition),
    })
}

fn keys(part: &Part<'_>, definition: &ExtendedType) -> Vec<ServiceKey> {
    if definition.is_interface() && part.is_legacy() {
        return Vec::new(); // Federation 1 gives them no meaning.
    }
    let keys = part.on_type(definition.directives(), Directive::Key);
    keys.filter_map(|key| {
        Some(ServiceKey {
            fields: written(part, key)?,
            resolvable: is_resolvable(key),
        })
    })
    .collect()
}

fn field(
    part: &Part<'_>,
    (owner, kind): (&Name, ServiceKind),
    field: &Component<FieldDefinition>,
) -> ServiceField {
    // Federation 1 allowed these on fields of interfaces, where they mean nothing.
    let means_it = kind != ServiceKind::Interface || !part.is_legacy();
    let set = |directive: Directive| {
        let found = part.on(&field.directives, directive).next();
        let found = found.filter(|_| means_it);
        found.and_then(|it| written(part, it))
    };
    let overridden = part.overridden(owner, &field.name);
    let given = if overridden == Some(&Overridden::Always) {
        Given::Overridden
    } else if part.is_external(owner, &field.name) {
        Given::Provided
    } else {
        Given::Always
    };
    ServiceField {
        ty: field.ty.to_string().into(),
        requires: set(Directive::Requires),
        contexts: part.service_contexts(field),
        provides: set(Directive::Provides),
        given,
        progress: match (
            overridden,
            part.taken.get(&(owner.clone(), field.name.clone())),
        ) {
            (Some(Overridden::Under(label)), _) => Some((label.as_str().into(), Side::Loses)),
            (_, Some(label)) => Some((label.as_str().into(), Side::Takes)),
            _ => None,
        },
    }
}

/// The `fields` of a directive.
fn written(part: &Part<'_>, directive: &ast::Directive) -> Option<Written> {
    let value = directive.specified_argument_by_name("fields")?;
    Some(Written {
        text: value.as_str()?.to_owned(),
        at: part.span(value.location()),
    })
}

fn members(part: &Part<'_>, name: &Name, definition: &ExtendedType) -> Vec<crate::types::Name> {
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
