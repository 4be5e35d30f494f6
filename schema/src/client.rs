//! The client schema in the form that `apollo_compiler` validates operations against.

use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::{Implementers, Schema};
use apollo_compiler::validation::Valid;

/// The merged schema without federation and connector directives.
pub(crate) struct ClientSchema {
    pub(crate) schema: Valid<Schema>,
    pub(crate) implementers: HashMap<apollo_compiler::Name, Implementers>,
}

impl ClientSchema {
    pub(crate) fn new(schema: Valid<Schema>) -> Self {
        Self {
            implementers: schema.implementers_map(),
            schema,
        }
    }

    pub(crate) fn sdl(&self) -> String {
        self.schema.to_string()
    }
}

impl std::fmt::Debug for ClientSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSchema")
            .field("types", &self.schema.types.len())
            .finish_non_exhaustive()
    }
}
