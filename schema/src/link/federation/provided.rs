//! Fields available at a place in addition to those available everywhere on its type: `@provides`,
//! and the fields of keys.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use apollo_compiler::ast::Selection;

use super::fields::{self, check_braces, child_type, inner_type_name};
use super::parsed_subgraph::ParsedSubgraph;
use super::{FieldAvailability, SubgraphSchema};
use crate::key::FieldSet;
use crate::types::Name;

/// Fields available at one place in addition to those available everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ProvidedFields {
    /// Fields of every object at the place.
    pub(super) fields: BTreeMap<Name, Arc<Self>>,
    /// Fields of the objects of one type.
    pub(super) on: BTreeMap<Name, Arc<Self>>,
}

impl ProvidedFields {
    /// Parses the field set of a `@provides` on a field of type `owner`.
    pub(super) fn read(text: &str, owner: &str, subgraph: &SubgraphSchema) -> Result<Self, String> {
        let mut provided = Self::default();
        provided.add_selections(&fields::read(text)?, owner, subgraph)?;
        Ok(provided)
    }

    fn add_selections(
        &mut self,
        selections: &[Selection],
        owner: &str,
        subgraph: &SubgraphSchema,
    ) -> Result<(), String> {
        for selection in selections {
            match selection {
                Selection::Field(field) if field.name == "__typename" => {}
                Selection::Field(field) => {
                    let child = child_type(subgraph, owner, &field.name)?;
                    check_braces(&field.name, child.is_some(), &field.selection_set)?;
                    let inner = self.fields.entry(field.name.as_str().into()).or_default();
                    if let Some(child) = child {
                        Arc::make_mut(inner).add_selections(
                            &field.selection_set,
                            &child,
                            subgraph,
                        )?;
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let inner = &fragment.selection_set;
                    let Some(on) = &fragment.type_condition else {
                        self.add_selections(inner, owner, subgraph)?;
                        continue;
                    };
                    if !subgraph.types.contains_key(on.as_str()) {
                        return Err(format!("type `{on}` does not exist in the subgraph"));
                    }
                    let narrowed = self.on.entry(on.as_str().into()).or_default();
                    Arc::make_mut(narrowed).add_selections(inner, on, subgraph)?;
                }
                Selection::FragmentSpread(_) => {} // `fields::read` rejects it.
            }
        }
        Ok(())
    }

    /// The fields of a key of `owner`, without external ones: the subgraph receives those in
    /// representations and never resolves them.
    pub(super) fn from_key(set: &FieldSet, owner: &str, subgraph: &SubgraphSchema) -> Self {
        let mut provided = Self::default();
        let Some(ty) = subgraph.types.get(owner) else {
            return provided;
        };
        for (name, inner) in &set.0 {
            let field = ty.fields.get(name);
            let Some(field) =
                field.filter(|field| field.availability != FieldAvailability::Provided)
            else {
                continue;
            };
            let inner = Self::from_key(inner, inner_type_name(&field.ty), subgraph);
            provided.fields.insert(Name::clone(name), Arc::new(inner));
        }
        provided
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.on.is_empty()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        merge_all(&mut self.fields, &other.fields);
        merge_all(&mut self.on, &other.on);
    }

    /// The fields that type `ty` does not have everywhere; for an abstract type also those of each
    /// member. Nested fields are reduced in turn when their own place is built.
    pub(super) fn beyond_type(&self, ty: &str, parsed: &ParsedSubgraph<'_>) -> Self {
        let mut beyond = Self::default();
        if self.is_empty() {
            return beyond;
        }
        beyond.fields = self.fields_beyond_type(ty, parsed);
        for member in parsed.members(ty) {
            let fields = self.fields_beyond_type(member, parsed);
            if !fields.is_empty() {
                let on = BTreeMap::new();
                let narrowed = Arc::new(Self { fields, on });
                beyond.on.insert((*member).into(), narrowed);
            }
        }
        beyond
    }

    fn fields_beyond_type(
        &self,
        ty: &str,
        parsed: &ParsedSubgraph<'_>,
    ) -> BTreeMap<Name, Arc<Self>> {
        let mut flat = Self::default();
        self.flatten(ty, parsed, &mut flat);
        flat.fields
            .retain(|name, inner| parsed.adds_fields(ty, name, inner));
        flat.fields
    }

    /// Whether a place of type `ty` has additional fields with `self`; `parsed` memoizes the results
    /// of nested places.
    pub(super) fn adds_fields(&self, ty: &str, parsed: &ParsedSubgraph<'_>) -> bool {
        let members = parsed.members(ty).iter().copied();
        std::iter::once(ty).chain(members).any(|ty| {
            let mut flat = Self::default();
            self.flatten(ty, parsed, &mut flat);
            let mut fields = flat.fields.iter();
            fields.any(|(name, inner)| parsed.adds_fields(ty, name, inner))
        })
    }

    /// Adds to `flat` the fields available on every object of type `ty`.
    fn flatten(&self, ty: &str, parsed: &ParsedSubgraph<'_>, flat: &mut Self) {
        merge_all(&mut flat.fields, &self.fields);
        for (on, inner) in &self.on {
            if **on == *ty || parsed.members(on).contains(&ty) {
                inner.flatten(ty, parsed, flat);
            }
        }
    }
}

fn merge_all(
    known: &mut BTreeMap<Name, Arc<ProvidedFields>>,
    more: &BTreeMap<Name, Arc<ProvidedFields>>,
) {
    for (name, inner) in more {
        match known.entry(Name::clone(name)) {
            Entry::Vacant(entry) => {
                entry.insert(Arc::clone(inner));
            }
            Entry::Occupied(mut entry) if !Arc::ptr_eq(entry.get(), inner) => {
                Arc::make_mut(entry.get_mut()).merge(inner);
            }
            Entry::Occupied(_) => {}
        }
    }
}
