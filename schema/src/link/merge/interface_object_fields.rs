//! Fields that an `@interfaceObject` adds to every object of the interface.

use apollo_compiler::Name;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{Component, ExtendedType};

use super::Merge;
use crate::link::compose::part::{SubgraphPart, fields};

impl Merge<'_, '_> {
    /// Adds the fields of interface objects to the objects that lack them.
    pub(super) fn add_interface_object_fields(&mut self, parts: &[SubgraphPart<'_>]) {
        let mut missing = Vec::new();
        for (interface, definition) in &self.schema.types {
            let ExtendedType::Interface(it) = definition else {
                continue;
            };
            for (name, field) in &it.fields {
                if is_provided_by_interface_object(parts, interface, name) {
                    missing.extend(self.objects_without(interface, field));
                }
            }
        }
        for (object, field) in missing {
            if let Some(ExtendedType::Object(it)) = self.schema.types.get_mut(&object) {
                let fields = &mut it.make_mut().fields;
                fields.entry(field.name.clone()).or_insert(field);
            }
        }
    }

    fn objects_without(
        &self,
        interface: &Name,
        field: &Component<FieldDefinition>,
    ) -> Vec<(Name, Component<FieldDefinition>)> {
        let mut objects = Vec::new();
        for (name, definition) in &self.schema.types {
            let ExtendedType::Object(object) = definition else {
                continue;
            };
            let implements = object.implements_interfaces.contains(interface.as_str());
            let has = fields(definition).is_some_and(|it| it.contains_key(&field.name));
            if implements && !has {
                objects.push((name.clone(), field.clone()));
            }
        }
        objects
    }
}

/// Whether a subgraph provides the field through an `@interfaceObject`.
fn is_provided_by_interface_object(
    parts: &[SubgraphPart<'_>],
    interface: &Name,
    field: &Name,
) -> bool {
    parts.iter().any(|part| {
        part.is_interface_object(interface)
            && part.field(interface, field).is_some()
            && !part.is_external(interface, field)
    })
}
