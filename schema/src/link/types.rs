//! The merged schema → the types of a `Graph`.

use std::sync::Arc;

use apollo_compiler::Schema;
use apollo_compiler::ast::Type as AstType;
use apollo_compiler::schema::{ExtendedType, FieldDefinition, InputValueDefinition};
use apollo_compiler::validation::Valid;
use indexmap::IndexMap;

use crate::input;
use crate::types::{
    ArgumentDefinition, Field, Name, Nullability, Scalar, Type, TypeId, TypeKind, TypeRef, Types,
};

/// Converts every type of `schema`, the built-in ones included.
pub(super) fn read(schema: &Valid<Schema>) -> Types {
    let mut types = Types::default();
    for name in schema.types.keys() {
        let empty = Type {
            name: name.as_str().into(),
            kind: TypeKind::Union,
            possible_types: Vec::new(),
        };
        types.add(name.as_str().into(), empty);
    }
    let ids: Vec<TypeId> = types.iter().map(|(id, _)| id).collect();
    for (id, definition) in ids.iter().zip(schema.types.values()) {
        let kind = kind(definition, &types, schema);
        types.get_mut(*id).kind = kind;
    }
    for (id, definition) in ids.iter().zip(schema.types.values()) {
        let possible = possible_types(*id, definition, schema, &types);
        types.get_mut(*id).possible_types = possible;
    }
    let root = |name: Option<&apollo_compiler::Name>| name.and_then(|name| types.find(name));
    let definition = &schema.schema_definition;
    let query = root(definition.query.as_ref().map(|it| &it.name));
    let mutation = root(definition.mutation.as_ref().map(|it| &it.name));
    types.query = query;
    types.mutation = mutation;
    types
}

fn kind(definition: &ExtendedType, types: &Types, schema: &Schema) -> TypeKind {
    match definition {
        ExtendedType::Scalar(it) => TypeKind::Scalar(Scalar::from_name(&it.name)),
        ExtendedType::Enum(it) => {
            TypeKind::Enum(it.values.keys().map(|v| v.as_str().into()).collect())
        }
        ExtendedType::Union(_) => TypeKind::Union,
        ExtendedType::Object(it) => TypeKind::Object(fields(it.fields.values(), types, schema)),
        ExtendedType::Interface(it) => {
            TypeKind::Interface(fields(it.fields.values(), types, schema))
        }
        ExtendedType::InputObject(it) => TypeKind::InputObject(
            it.fields
                .values()
                .map(|field| (name(&field.name), argument(field, types, schema)))
                .collect(),
        ),
    }
}

fn fields<'a>(
    fields: impl Iterator<Item = &'a apollo_compiler::schema::Component<FieldDefinition>>,
    types: &Types,
    schema: &Schema,
) -> IndexMap<Name, Field> {
    fields
        .map(|field| {
            let merged = Field {
                name: name(&field.name),
                ty: type_ref(&field.ty, types),
                arguments: field
                    .arguments
                    .iter()
                    .map(|it| (name(&it.name), argument(it, types, schema)))
                    .collect(),
            };
            (Arc::clone(&merged.name), merged)
        })
        .collect()
}

fn argument(
    definition: &InputValueDefinition,
    types: &Types,
    schema: &Schema,
) -> ArgumentDefinition {
    ArgumentDefinition {
        ty: type_ref(&definition.ty, types),
        default: definition
            .default_value
            .as_ref()
            .and_then(|value| input::coerce_literal(value, &definition.ty, schema).constant()),
    }
}

fn name(name: &str) -> Name {
    name.into()
}

fn type_ref(ty: &AstType, types: &Types) -> TypeRef {
    let nullability = if ty.is_non_null() {
        Nullability::NonNull
    } else {
        Nullability::Nullable
    };
    if ty.is_list() {
        TypeRef::List(Box::new(type_ref(ty.item_type(), types)), nullability)
    } else {
        // In a valid schema every named type exists.
        let id = types.find(ty.inner_named_type()).unwrap_or(TypeId(0));
        TypeRef::Named(id, nullability)
    }
}

fn possible_types(
    id: TypeId,
    definition: &ExtendedType,
    schema: &Schema,
    types: &Types,
) -> Vec<TypeId> {
    match definition {
        ExtendedType::Object(_) => vec![id],
        ExtendedType::Union(it) => it
            .members
            .iter()
            .filter_map(|member| types.find(member))
            .collect(),
        ExtendedType::Interface(it) => {
            let implements = |other: &ExtendedType| match other {
                ExtendedType::Object(object) => object.implements_interfaces.contains(&it.name),
                _ => false,
            };
            let all = schema.types.iter();
            let objects = all.filter(|(_, other)| implements(other));
            let objects: Vec<TypeId> = objects.filter_map(|(name, _)| types.find(name)).collect();
            // Subgraphs with an `@interfaceObject` may still return objects of the interface.
            if objects.is_empty() {
                vec![id]
            } else {
                objects
            }
        }
        ExtendedType::Scalar(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_) => {
            Vec::new()
        }
    }
}
