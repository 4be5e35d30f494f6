//! Fields that a subgraph defines and the supergraph does not list: those that its keys and its
//! `@provides` name. Federation 1 lists none of them, and older composers not all.
//!
//! Field sets that do not parse are reported by `federation`.

use apollo_compiler::ast::{FieldDefinition, Selection};
use apollo_compiler::schema::{ExtendedType, Schema};

use super::arguments::{flag, text};
use super::join::{Join, JoinDirective, JoinVersion};
use crate::link::federation::{FieldAvailability, SubgraphField, SubgraphSchema, read_fields};

/// Adds the unlisted fields to `subgraphs`, with the types of the merged schema.
pub(super) fn add(subgraphs: &mut [SubgraphSchema], join: &Join<'_>) {
    for (name, definition) in join.types() {
        add_key_fields(subgraphs, name, definition, join);
    }
    for subgraph in subgraphs {
        add_provided_fields(subgraph, &join.document.schema);
    }
}

/// Adds the fields of keys. An extension resolves its key fields everywhere, although they are
/// external; other key fields count as external.
fn add_key_fields(
    subgraphs: &mut [SubgraphSchema],
    name: &str,
    definition: &ExtendedType,
    join: &Join<'_>,
) {
    let directives = definition.directives().iter().map(|it| &it.node);
    for directive in join.directives(directives, JoinDirective::Type) {
        let graph = join.graph_id(directive);
        let subgraph = graph.and_then(|graph| subgraphs.get_mut(graph.0));
        let key = text(directive, "key").map(read_fields);
        let (Some(subgraph), Some(Ok(selections))) = (subgraph, key) else {
            continue;
        };
        let is_extension = flag(directive, "extension") == Some(true);
        let availability = if is_extension || join.version == JoinVersion::V0_1 {
            FieldAvailability::Always
        } else {
            FieldAvailability::Provided
        };
        let mut adder = FieldAdder {
            subgraph,
            schema: &join.document.schema,
            availability,
        };
        adder.select(name, &selections);
    }
}

fn add_provided_fields(subgraph: &mut SubgraphSchema, schema: &Schema) {
    let fields = subgraph.types.values().flat_map(|ty| ty.fields.values());
    let sets = fields.filter_map(|field| {
        let child = field.ty.trim_matches(['[', ']', '!']).to_owned();
        let selections = read_fields(&field.provides.as_ref()?.text).ok()?;
        Some((child, selections))
    });
    let sets: Vec<_> = sets.collect();
    for (child, selections) in sets {
        let mut adder = FieldAdder {
            subgraph,
            schema,
            availability: FieldAvailability::Provided,
        };
        adder.select(&child, &selections);
    }
}

struct FieldAdder<'a> {
    subgraph: &'a mut SubgraphSchema,
    schema: &'a Schema,
    availability: FieldAvailability,
}

impl FieldAdder<'_> {
    fn select(&mut self, owner: &str, selections: &[Selection]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let Ok(definition) = self.schema.type_field(owner, &field.name) else {
                        continue;
                    };
                    self.add(owner, definition);
                    let ty = self.subgraph.types.get(owner);
                    for member in ty.map(|ty| ty.members.clone()).unwrap_or_default() {
                        self.add(&member, definition);
                    }
                    self.select(definition.ty.inner_named_type(), &field.selection_set);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.type_condition.as_deref().unwrap_or(owner);
                    self.select(on, &fragment.selection_set);
                }
                Selection::FragmentSpread(_) => {} // `read_fields` rejects it.
            }
        }
    }

    fn add(&mut self, owner: &str, definition: &FieldDefinition) {
        let Some(ty) = self.subgraph.types.get_mut(owner) else {
            return;
        };
        let availability = self.availability;
        let field = ty.fields.entry(definition.name.as_str().into());
        let field = field.or_insert_with(|| SubgraphField {
            ty: definition.ty.to_string().into(),
            requires: None,
            contexts: Vec::new(),
            provides: None,
            availability,
            progressive_override: None,
        });
        if field.availability == FieldAvailability::Provided {
            field.availability = availability;
        }
    }
}
