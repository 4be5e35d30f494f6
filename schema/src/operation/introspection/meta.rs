//! The fields of `__Schema`, `__Type` and the other types of introspection (GraphQL §4.2).

use std::borrow::Cow;

use apollo_compiler::ast::{
    DirectiveDefinition, DirectiveList, EnumValueDefinition, FieldDefinition, InputValueDefinition,
    Type,
};
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::{self, ExtendedType, Implementers};
use apollo_compiler::{Name, Node, Schema};

use super::MetaField;

/// An object of an introspection type.
#[derive(Clone, Copy)]
pub(super) enum Meta<'a> {
    Schema,
    Type(&'a ExtendedType),
    /// A list or non-null type.
    Wrapped(Wrapped<'a>),
    Directive(&'a DirectiveDefinition),
    Field(&'a FieldDefinition),
    EnumValue(&'a EnumValueDefinition),
    Input(&'a InputValueDefinition),
}

/// A type without its outermost `!`, if `nullable` says so.
#[derive(Clone, Copy)]
pub(super) struct Wrapped<'a> {
    ty: &'a Type,
    nullable: bool,
}

/// The value of a field of an introspection type.
pub(super) enum MetaValue<'a> {
    Null,
    Boolean(bool),
    Text(Cow<'a, str>),
    Object(Meta<'a>),
    List(Box<dyn Iterator<Item = Self> + 'a>),
}

impl<'a> Meta<'a> {
    /// The type called `name`.
    pub(super) fn named(schema: &'a Schema, name: &str) -> Option<Self> {
        schema.types.get(name).map(Self::Type)
    }

    fn of_type(schema: &'a Schema, ty: &'a Type) -> Option<Self> {
        match ty {
            Type::Named(name) => Self::named(schema, name),
            _ => Some(Self::Wrapped(Wrapped {
                ty,
                nullable: false,
            })),
        }
    }

    /// The value of a selected field.
    pub(super) fn field(
        self,
        schema: &'a Schema,
        implementers: &'a HashMap<Name, Implementers>,
        field: &MetaField<'_>,
    ) -> MetaValue<'a> {
        if field.name == "__typename" {
            return self.type_name().into();
        }
        match self {
            Self::Schema => schema_field(schema, field),
            Self::Type(ExtendedType::Interface(ty)) if field.name == "possibleTypes" => {
                let implementers = implementers.get(&ty.name);
                let names = implementers.into_iter().flat_map(|it| &it.objects);
                types(schema, names)
            }
            Self::Type(ty) => type_field(schema, ty, field),
            Self::Wrapped(ty) => wrapped_field(schema, ty, field),
            Self::Directive(it) => directive_field(it, field),
            Self::Field(it) => match field.name {
                "args" => inputs(it.arguments.iter(), field),
                "type" => Self::of_type(schema, &it.ty).into(),
                "name" => it.name.as_str().into(),
                "description" => it.description.as_deref().into(),
                _ => deprecation(schema, &it.directives, field),
            },
            Self::EnumValue(it) => match field.name {
                "name" => it.value.as_str().into(),
                "description" => it.description.as_deref().into(),
                _ => deprecation(schema, &it.directives, field),
            },
            Self::Input(it) => input_field(schema, it, field),
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            Self::Schema => "__Schema",
            Self::Type(_) | Self::Wrapped(_) => "__Type",
            Self::Directive(_) => "__Directive",
            Self::Field(_) => "__Field",
            Self::EnumValue(_) => "__EnumValue",
            Self::Input(_) => "__InputValue",
        }
    }
}

impl<'a> From<&'a str> for MetaValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<Option<&'a str>> for MetaValue<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl<'a> From<Option<Meta<'a>>> for MetaValue<'a> {
    fn from(meta: Option<Meta<'a>>) -> Self {
        meta.map_or(Self::Null, MetaValue::Object)
    }
}

fn schema_field<'a>(schema: &'a Schema, field: &MetaField<'_>) -> MetaValue<'a> {
    let definition = &schema.schema_definition;
    let root = |name: Option<&'a schema::ComponentName>| {
        name.and_then(|name| Meta::named(schema, name)).into()
    };
    match field.name {
        "description" => definition.description.as_deref().into(),
        "types" => objects(schema.types.values().map(Meta::Type)),
        "queryType" => root(definition.query.as_ref()),
        "mutationType" => root(definition.mutation.as_ref()),
        "subscriptionType" => root(definition.subscription.as_ref()),
        "directives" => {
            let directives = schema.directive_definitions.values();
            objects(directives.map(|it| Meta::Directive(it)))
        }
        _ => MetaValue::Null,
    }
}

fn type_field<'a>(
    schema: &'a Schema,
    ty: &'a ExtendedType,
    field: &MetaField<'_>,
) -> MetaValue<'a> {
    match (field.name, ty) {
        ("kind", _) => kind(ty).into(),
        ("name", _) => ty.name().as_str().into(),
        ("description", _) => ty.description().map(|text| &**text).into(),
        ("fields", ExtendedType::Object(it)) => fields(it.fields.values().map(|it| &**it), field),
        ("fields", ExtendedType::Interface(it)) => {
            fields(it.fields.values().map(|it| &**it), field)
        }
        ("interfaces", ExtendedType::Object(it)) => {
            types(schema, it.implements_interfaces.iter().map(|it| &it.name))
        }
        ("interfaces", ExtendedType::Interface(it)) => {
            types(schema, it.implements_interfaces.iter().map(|it| &it.name))
        }
        ("possibleTypes", ExtendedType::Union(it)) => {
            types(schema, it.members.iter().map(|it| &it.name))
        }
        ("enumValues", ExtendedType::Enum(it)) => {
            let all = field.includes_deprecated;
            let values = it.values.values();
            let values = values.filter(move |it| all || !is_deprecated(&it.directives));
            objects(values.map(|it| Meta::EnumValue(it)))
        }
        ("inputFields", ExtendedType::InputObject(it)) => {
            inputs(it.fields.values().map(|it| &**it), field)
        }
        ("isOneOf", ExtendedType::InputObject(it)) => {
            MetaValue::Boolean(it.directives.has("oneOf"))
        }
        ("specifiedByURL", ExtendedType::Scalar(it)) => {
            let directive = it.directives.get("specifiedBy");
            let url = directive.and_then(|it| it.specified_argument_by_name("url"));
            url.and_then(|url| url.as_str()).into()
        }
        _ => MetaValue::Null,
    }
}

fn kind(ty: &ExtendedType) -> &'static str {
    match ty {
        ExtendedType::Scalar(_) => "SCALAR",
        ExtendedType::Object(_) => "OBJECT",
        ExtendedType::Interface(_) => "INTERFACE",
        ExtendedType::Union(_) => "UNION",
        ExtendedType::Enum(_) => "ENUM",
        ExtendedType::InputObject(_) => "INPUT_OBJECT",
    }
}

fn wrapped_field<'a>(
    schema: &'a Schema,
    wrapped: Wrapped<'a>,
    field: &MetaField<'_>,
) -> MetaValue<'a> {
    let is_list = match wrapped.ty {
        Type::NonNullList(_) => wrapped.nullable,
        ty => ty.is_list(),
    };
    match (field.name, wrapped.ty) {
        ("kind", _) if is_list => "LIST".into(),
        ("kind", _) => "NON_NULL".into(),
        ("ofType", Type::NonNullList(_)) if !is_list => MetaValue::Object(Meta::Wrapped(Wrapped {
            nullable: true,
            ..wrapped
        })),
        ("ofType", Type::List(inner) | Type::NonNullList(inner)) => {
            Meta::of_type(schema, inner).into()
        }
        ("ofType", Type::Named(name) | Type::NonNullNamed(name)) => {
            Meta::named(schema, name).into()
        }
        _ => MetaValue::Null,
    }
}

fn directive_field<'a>(directive: &'a DirectiveDefinition, field: &MetaField<'_>) -> MetaValue<'a> {
    match field.name {
        "name" => directive.name.as_str().into(),
        "description" => directive.description.as_deref().into(),
        "args" => inputs(directive.arguments.iter(), field),
        "isRepeatable" => MetaValue::Boolean(directive.repeatable),
        "locations" => {
            let locations = directive.locations.iter();
            MetaValue::List(Box::new(locations.map(|it| it.name().into())))
        }
        _ => MetaValue::Null,
    }
}

fn input_field<'a>(
    schema: &'a Schema,
    input: &'a InputValueDefinition,
    field: &MetaField<'_>,
) -> MetaValue<'a> {
    match field.name {
        "name" => input.name.as_str().into(),
        "description" => input.description.as_deref().into(),
        "type" => Meta::of_type(schema, &input.ty).into(),
        "defaultValue" => {
            let default = input.default_value.as_ref();
            default.map_or(MetaValue::Null, |value| {
                MetaValue::Text(Cow::Owned(crate::input::literal_text(value)))
            })
        }
        _ => deprecation(schema, &input.directives, field),
    }
}

/// `isDeprecated` and `deprecationReason`.
fn deprecation<'a>(
    schema: &'a Schema,
    directives: &'a DirectiveList,
    field: &MetaField<'_>,
) -> MetaValue<'a> {
    let directive = directives.get("deprecated");
    match field.name {
        "isDeprecated" => MetaValue::Boolean(directive.is_some()),
        "deprecationReason" => directive
            .and_then(|it| it.argument_by_name("reason", schema).ok())
            .and_then(|reason| reason.as_str())
            .into(),
        _ => MetaValue::Null,
    }
}

fn is_deprecated(directives: &DirectiveList) -> bool {
    directives.has("deprecated")
}

fn types<'a>(schema: &'a Schema, names: impl Iterator<Item = &'a Name> + 'a) -> MetaValue<'a> {
    objects(names.filter_map(|name| Meta::named(schema, name)))
}

fn fields<'a>(
    fields: impl Iterator<Item = &'a Node<FieldDefinition>> + 'a,
    field: &MetaField<'_>,
) -> MetaValue<'a> {
    let all = field.includes_deprecated;
    let fields = fields.filter(move |it| all || !is_deprecated(&it.directives));
    objects(fields.map(|it| Meta::Field(it)))
}

fn inputs<'a>(
    inputs: impl Iterator<Item = &'a Node<InputValueDefinition>> + 'a,
    field: &MetaField<'_>,
) -> MetaValue<'a> {
    let all = field.includes_deprecated;
    let inputs = inputs.filter(move |it| all || !is_deprecated(&it.directives));
    objects(inputs.map(|it| Meta::Input(it)))
}

fn objects<'a>(metas: impl Iterator<Item = Meta<'a>> + 'a) -> MetaValue<'a> {
    MetaValue::List(Box::new(metas.map(MetaValue::Object)))
}
