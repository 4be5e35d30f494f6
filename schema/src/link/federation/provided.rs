//! What a place gives beyond what its type gives everywhere (`@provides`, keys of keys).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use apollo_compiler::ast::Selection;

use super::fields::{self, below, braces, named};
use super::parsed::Parsed;
use super::{Given, Service};
use crate::key::FieldSet;
use crate::types::Name;

/// Fields that are given at one place in addition.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Extra {
    /// Of every object there.
    pub(super) fields: BTreeMap<Name, Arc<Self>>,
    /// Of objects of these types.
    pub(super) on: BTreeMap<Name, Arc<Self>>,
}

impl Extra {
    /// Reads what `@provides` says of objects of type `owner`.
    pub(super) fn read(text: &str, owner: &str, service: &Service) -> Result<Self, String> {
        let mut extra = Self::default();
        extra.select(&fields::read(text)?, owner, service)?;
        Ok(extra)
    }

    fn select(
        &mut self,
        selections: &[Selection],
        owner: &str,
        service: &Service,
    ) -> Result<(), String> {
        for selection in selections {
            match selection {
                Selection::Field(field) if field.name == "__typename" => {}
                Selection::Field(field) => {
                    let child = below(service, owner, &field.name)?;
                    braces(&field.name, child.is_some(), &field.selection_set)?;
                    let inner = self.fields.entry(field.name.as_str().into()).or_default();
                    if let Some(child) = child {
                        Arc::make_mut(inner).select(&field.selection_set, &child, service)?;
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let inner = &fragment.selection_set;
                    let Some(on) = &fragment.type_condition else {
                        self.select(inner, owner, service)?;
                        continue;
                    };
                    if !service.types.contains_key(on.as_str()) {
                        return Err(format!("there is no type `{on}`"));
                    }
                    let narrowed = self.on.entry(on.as_str().into()).or_default();
                    Arc::make_mut(narrowed).select(inner, on, service)?;
                }
                Selection::FragmentSpread(_) => {} // `fields::read` refuses it.
            }
        }
        Ok(())
    }

    /// The fields of a key of `owner` but for external ones: such a key is told to the service,
    /// which gives it nowhere. Composing takes `@external` off those that it does give.
    pub(super) fn of_key(set: &FieldSet, owner: &str, service: &Service) -> Self {
        let mut extra = Self::default();
        let Some(ty) = service.types.get(owner) else {
            return extra;
        };
        for (name, inner) in &set.0 {
            let field = ty.fields.get(name);
            let Some(field) = field.filter(|field| field.given != Given::Provided) else {
                continue;
            };
            let inner = Self::of_key(inner, named(&field.ty), service);
            extra.fields.insert(Name::clone(name), Arc::new(inner));
        }
        extra
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.on.is_empty()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        merge_all(&mut self.fields, &other.fields);
        merge_all(&mut self.on, &other.on);
    }

    /// The part of it that a place of type `ty` does not give anyway: of an object type its
    /// fields; of an abstract one what may be asked for without a fragment, and what each member
    /// gives. Deeper parts are looked at when one gets there.
    pub(super) fn at(&self, ty: &str, parsed: &Parsed<'_>) -> Self {
        let mut here = Self::default();
        if self.is_empty() {
            return here;
        }
        here.fields = self.fields_at(ty, parsed);
        for member in parsed.members(ty) {
            let fields = self.fields_at(member, parsed);
            if !fields.is_empty() {
                let on = BTreeMap::new();
                let narrowed = Arc::new(Self { fields, on });
                here.on.insert((*member).into(), narrowed);
            }
        }
        here
    }

    fn fields_at(&self, ty: &str, parsed: &Parsed<'_>) -> BTreeMap<Name, Arc<Self>> {
        let mut flat = Self::default();
        self.flatten(ty, parsed, &mut flat);
        flat.fields
            .retain(|name, inner| parsed.adds((ty, name), inner));
        flat.fields
    }

    /// Whether a place of type `ty` gives more by it; `parsed` remembers the answers.
    pub(super) fn adds(&self, ty: &str, parsed: &Parsed<'_>) -> bool {
        let members = parsed.members(ty).iter().copied();
        std::iter::once(ty).chain(members).any(|ty| {
            let mut flat = Self::default();
            self.flatten(ty, parsed, &mut flat);
            let mut fields = flat.fields.iter();
            fields.any(|(name, inner)| parsed.adds((ty, name), inner))
        })
    }

    /// Adds to `flat` what is given of every object of type `ty`.
    fn flatten(&self, ty: &str, parsed: &Parsed<'_>, flat: &mut Self) {
        merge_all(&mut flat.fields, &self.fields);
        for (on, inner) in &self.on {
            if **on == *ty || parsed.members(on).contains(&ty) {
                inner.flatten(ty, parsed, flat);
            }
        }
    }
}

fn merge_all(known: &mut BTreeMap<Name, Arc<Extra>>, more: &BTreeMap<Name, Arc<Extra>>) {
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
