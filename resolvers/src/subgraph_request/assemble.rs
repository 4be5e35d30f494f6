//! What was written at a place, as one selection set, and what each place of the result reads of it.

use std::sync::Arc;

use indexmap::IndexMap;
use schema::source::{ObjectTypes as Given, SourceNode};
use schema::types::TypeId;

use super::selection_set::{Fragment, SelectionSet};
use super::slot_fields::SlotReader;
use super::walk::{DocumentField, SubgraphScope, Walk};
use crate::response::shape::{ObjectShape, ResponseField, ResponseFields, TypeSource, ValueShape};

impl<'a> Walk<'a> {
    /// The text of a place, and what each of `places` reads there.
    pub(super) fn assemble(
        &self,
        scopes: &[SubgraphScope<'a>],
        document_fields: Vec<DocumentField>,
    ) -> (SelectionSet, Vec<ObjectShape>) {
        let mut selection_set = SelectionSet::default();
        let mut shapes: Vec<ObjectShapeBuilder> = scopes
            .iter()
            .map(|place| ObjectShapeBuilder::new(self.source.node(place.node)))
            .collect();
        for DocumentField {
            on,
            field,
            readers: reads,
            ..
        } in document_fields
        {
            for (reader, take) in reads {
                if let Some(reading) = shapes.get_mut(reader.scope) {
                    reading.add(&reader, &field.key, take);
                }
            }
            match on.filter(|_| shapes.iter().any(|it| it.has_typename)) {
                Some(on) => self.fragment_set(&mut selection_set, on).fields.push(field),
                None => selection_set.fields.push(field),
            }
        }
        selection_set.has_typename = shapes.iter().any(|reading| reading.has_typename);
        let objects = shapes.into_iter().zip(scopes);
        let objects = objects.map(|(reading, place)| reading.finish(place, self));
        (selection_set, objects.collect())
    }

    fn fragment_set<'s>(
        &self,
        selection_set: &'s mut SelectionSet,
        on: TypeId,
    ) -> &'s mut SelectionSet {
        let name = &self.types.get(on).name;
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

/// What is read at one place, while it is collected.
struct ObjectShapeBuilder {
    /// Whether the answer names the type of each object.
    has_typename: bool,
    /// By type; the one of a place where types are not told has none.
    fields_by_type: IndexMap<Option<TypeId>, ResponseFields>,
}

impl ObjectShapeBuilder {
    fn new(node: &SourceNode) -> Self {
        let types: Vec<Option<TypeId>> = match &node.object_types {
            Given::OwnType => vec![Some(node.on)],
            Given::ByTypename(members) => members.keys().copied().map(Some).collect(),
            Given::UnknownType => vec![None],
        };
        Self {
            has_typename: matches!(node.object_types, Given::ByTypename(_)),
            fields_by_type: types
                .into_iter()
                .map(|ty| (ty, ResponseFields::default()))
                .collect(),
        }
    }

    fn add(&mut self, reader: &SlotReader, key: &Arc<str>, shape: ValueShape) {
        let Some(ResponseFields(members)) = self.fields_by_type.get_mut(&reader.on) else {
            return; // A reader was made for one of these types.
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
        let mut each = self.fields_by_type.into_iter();
        let type_source = if self.has_typename {
            let named = each.filter_map(|(ty, fields)| {
                let ty = ty?;
                Some((Arc::clone(&walk.types.get(ty).name), ty, fields))
            });
            TypeSource::ByTypename(named.collect())
        } else {
            match each.next() {
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
