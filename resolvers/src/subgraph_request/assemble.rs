//! Assembles the fields of one position: their selection set, and the shape of each scope.

use std::sync::Arc;

use indexmap::IndexMap;
use schema::source::{ObjectTypes, SourceNode};
use schema::types::TypeId;

use super::selection_set::{Fragment, SelectionSet};
use super::slot_fields::SlotReader;
use super::walk::{DocumentField, SubgraphScope, Walk};
use crate::response::shape::{ObjectShape, ResponseField, ResponseFields, TypeSource, ValueShape};

impl<'a> Walk<'a> {
    /// The selection set of some fields, and the shape that each of `scopes` reads from it.
    pub(super) fn assemble(
        &self,
        scopes: &[SubgraphScope<'a>],
        document_fields: Vec<DocumentField>,
    ) -> (SelectionSet, Vec<ObjectShape>) {
        let mut selection_set = SelectionSet::default();
        let mut builders: Vec<ObjectShapeBuilder> = scopes
            .iter()
            .map(|scope| ObjectShapeBuilder::new(self.source.node(scope.node)))
            .collect();
        for DocumentField { on, field, readers } in document_fields {
            for (reader, shape) in readers {
                if let Some(builder) = builders.get_mut(reader.scope) {
                    builder.add(&reader, &field.key, shape);
                }
            }
            match on.filter(|_| builders.iter().any(|it| it.has_typename)) {
                Some(on) => self.fragment_set(&mut selection_set, on).fields.push(field),
                None => selection_set.fields.push(field),
            }
        }
        selection_set.has_typename = builders.iter().any(|it| it.has_typename);
        let shapes = builders.into_iter().zip(scopes);
        let shapes = shapes.map(|(builder, scope)| builder.finish(scope, self));
        (selection_set, shapes.collect())
    }

    /// The selection set of the fragment for one type; adds the fragment if there is none.
    fn fragment_set<'s>(
        &self,
        selection_set: &'s mut SelectionSet,
        on: TypeId,
    ) -> &'s mut SelectionSet {
        let name = self.type_name(on);
        let known = selection_set.fragments.iter().position(|it| it.on == *name);
        let index = known.unwrap_or_else(|| {
            selection_set.fragments.push(Fragment {
                on: Arc::clone(name),
                is_object: true,
                selection_set: SelectionSet::default(),
            });
            selection_set.fragments.len() - 1
        });
        &mut selection_set.fragments[index].selection_set
    }
}

/// Collects the shape of one scope.
struct ObjectShapeBuilder {
    /// Whether the response has the `__typename` of each object.
    has_typename: bool,
    /// By type; `None` for a node without types.
    fields_by_type: IndexMap<Option<TypeId>, ResponseFields>,
}

impl ObjectShapeBuilder {
    fn new(node: &SourceNode) -> Self {
        let types: Vec<Option<TypeId>> = match &node.object_types {
            ObjectTypes::OwnType => vec![Some(node.on)],
            ObjectTypes::ByTypename(members) => members.keys().copied().map(Some).collect(),
            ObjectTypes::UnknownType => vec![None],
        };
        Self {
            has_typename: matches!(node.object_types, ObjectTypes::ByTypename(_)),
            fields_by_type: types
                .into_iter()
                .map(|ty| (ty, ResponseFields::default()))
                .collect(),
        }
    }

    fn add(&mut self, reader: &SlotReader, key: &Arc<str>, shape: ValueShape) {
        let Some(ResponseFields(members)) = self.fields_by_type.get_mut(&reader.on) else {
            return; // Readers have the types of the node.
        };
        match members.iter_mut().find(|member| member.key == *key) {
            Some(member) => member.slots.push((reader.slot, shape)),
            None => members.push(ResponseField {
                key: Arc::clone(key),
                slots: vec![(reader.slot, shape)],
            }),
        }
    }

    fn finish(self, scope: &SubgraphScope<'_>, walk: &Walk<'_>) -> ObjectShape {
        let is_abstract = walk.selection.position(scope.at).is_abstract(walk.types);
        let mut fields_by_type = self.fields_by_type.into_iter();
        let type_source = if self.has_typename {
            let named = fields_by_type.filter_map(|(ty, fields)| {
                let ty = ty?;
                Some((Arc::clone(walk.type_name(ty)), ty, fields))
            });
            TypeSource::ByTypename(named.collect())
        } else {
            match fields_by_type.next() {
                Some((Some(ty), fields)) => TypeSource::Fixed(is_abstract.then_some(ty), fields),
                Some((None, fields)) => TypeSource::Unknown(fields),
                None => TypeSource::Unknown(ResponseFields::default()),
            }
        };
        ObjectShape {
            at: scope.at,
            type_source,
        }
    }
}
