//! The client schema in the form that `apollo_compiler` validates operations against.

use apollo_compiler::Node;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::{Component, ExtendedType, Implementers, Schema};
use apollo_compiler::validation::Valid;
use apollo_compiler::{name, ty};

/// The merged schema without federation and connector directives.
pub(crate) struct ClientSchema {
    pub(crate) schema: Valid<Schema>,
    pub(crate) implementers: HashMap<apollo_compiler::Name, Implementers>,
}

impl ClientSchema {
    pub(crate) fn new(schema: Valid<Schema>) -> Self {
        Self {
            implementers: schema.implementers_map(),
            schema: with_is_one_of(schema),
        }
    }

    pub(crate) fn sdl(&self) -> String {
        self.schema.to_string()
    }
}

/// Adds `__Type.isOneOf` (draft of GraphQL, §4.2.2), which the library does not define.
fn with_is_one_of(schema: Valid<Schema>) -> Valid<Schema> {
    let mut schema = schema.into_inner();
    if let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") {
        let field = FieldDefinition {
            description: None,
            name: name!("isOneOf"),
            arguments: Vec::new(),
            ty: ty!(Boolean),
            directives: apollo_compiler::ast::DirectiveList::default(),
        };
        let field = Component::from(Node::new(field));
        ty.make_mut()
            .fields
            .entry(name!("isOneOf"))
            .or_insert(field);
    }
    // A field of a built-in type and scalar leaves a valid schema valid.
    Valid::assume_valid(schema)
}

impl std::fmt::Debug for ClientSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSchema")
            .field("types", &self.schema.types.len())
            .finish_non_exhaustive()
    }
}
