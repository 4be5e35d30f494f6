//! Names of a graph by which values can be invalidated: its subgraphs, types and entity keys.
//!
//! A user's invalidation request with an unknown name is rejected with a suggestion. Change events
//! of services are not: they may concern more than this graph, or another version of it, so an
//! unknown name in them is widened as far as necessary.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use schema::diagnostic::nearest;
use schema::graph::Graph;
use schema::types::{Name, TypeId};

use crate::cache::{EntityKey, Target};

/// Names of a graph by which values can be invalidated.
#[derive(Clone, Debug, Default)]
pub struct Names {
    subgraphs: BTreeSet<Name>,
    types: BTreeMap<Name, TypeNames>,
}

/// The names related to a type.
#[derive(Clone, Debug, Default)]
struct TypeNames {
    /// Types to invalidate with this one: itself; for an abstract type its possible types; for an
    /// object type the abstract types under which a source may return it.
    related: BTreeSet<Name>,
    /// The keys by which objects can be fetched, as sorted field sets.
    keys: BTreeSet<String>,
}

/// A target that the graph does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownTarget {
    /// Unknown subgraph.
    #[error("the graph has no subgraph `{name}`{}", suggestion_text(.near.as_deref()))]
    Subgraph {
        /// The name as written.
        name: String,
        /// A similar name.
        near: Option<String>,
    },
    /// Unknown type.
    #[error("the graph has no type `{name}`{}", suggestion_text(.near.as_deref()))]
    Type {
        /// The name as written.
        name: String,
        /// A similar name.
        near: Option<String>,
    },
    /// Unknown key of a type.
    #[error("`{type_name}` has no key `{fields}`{}", key_suggestion(.keys))]
    Key {
        /// The type.
        type_name: String,
        /// The fields of the unknown key.
        fields: String,
        /// The keys of the type.
        keys: Vec<String>,
    },
}

/// The names of the current graph. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct CurrentNames(Arc<RwLock<Arc<Names>>>);

impl Names {
    /// The names of `graph`.
    pub fn new(graph: &Graph) -> Self {
        let subgraphs = graph
            .sources()
            .map(|(_, source)| Arc::clone(&source.subgraph));
        let mut names = Self {
            subgraphs: subgraphs.collect(),
            types: BTreeMap::new(),
        };
        let types = graph.types();
        for (id, ty) in types.iter().filter(|(_, ty)| ty.is_composite()) {
            names.type_names(&ty.name).keys.extend(keys(graph, id));
            for object in &ty.possible_types {
                let object = &types.get(*object).name;
                names
                    .type_names(&ty.name)
                    .related
                    .insert(Arc::clone(object));
                names
                    .type_names(object)
                    .related
                    .insert(Arc::clone(&ty.name));
            }
        }
        names
    }

    fn type_names(&mut self, name: &Name) -> &mut TypeNames {
        let known = self.types.entry(Arc::clone(name));
        known.or_insert_with(|| TypeNames {
            related: BTreeSet::from([Arc::clone(name)]),
            keys: BTreeSet::new(),
        })
    }

    /// The targets of this graph that `target` covers. Values of `@cacheTag` are only known at run
    /// time, so every named target is accepted.
    pub fn resolve(&self, target: Target) -> Result<Vec<Target>, UnknownTarget> {
        match target {
            Target::Everything | Target::Named(_) => Ok(vec![target]),
            Target::Subgraph(name) => {
                self.subgraph(&name)?;
                Ok(vec![Target::Subgraph(name)])
            }
            Target::Type(name) => {
                let related = self.ty(&name)?.related.iter();
                Ok(related.map(|name| Target::Type(name.to_string())).collect())
            }
            Target::Entity { type_name, key } => self.entity(&type_name, &key),
        }
    }

    /// Checks that the graph has a subgraph of this name.
    pub fn subgraph(&self, name: &str) -> Result<(), UnknownTarget> {
        if self.subgraphs.contains(name) {
            return Ok(());
        }
        let near = nearest(name, self.subgraphs.iter().map(|known| &**known));
        Err(UnknownTarget::Subgraph {
            name: name.to_owned(),
            near: near.map(str::to_owned),
        })
    }

    /// The entities of a type whose key is one field with this value, for each such key. `None` if
    /// there is no such key.
    pub fn resolve_value(&self, type_name: &str, value: &str) -> Option<Vec<Target>> {
        let keys = self.types.get(type_name)?.keys.iter();
        let targets = keys
            .filter(|key| !key.contains([' ', '{']))
            .filter_map(|field| {
                self.entity(type_name, &EntityKey::from_field(field, value))
                    .ok()
            });
        let targets: Vec<Target> = targets.flatten().collect();
        (!targets.is_empty()).then_some(targets)
    }

    fn entity(&self, type_name: &str, key: &EntityKey) -> Result<Vec<Target>, UnknownTarget> {
        let ty = self.ty(type_name)?;
        let fields = key.fields().sorted().to_string();
        let related = || ty.related.iter().filter_map(|name| self.types.get(name));
        if !related().any(|ty| ty.keys.contains(&fields)) {
            return Err(UnknownTarget::Key {
                type_name: type_name.to_owned(),
                fields,
                keys: ty.keys.iter().cloned().collect(),
            });
        }
        let related = ty.related.iter().map(|name| Target::Entity {
            type_name: name.to_string(),
            key: key.clone(),
        });
        Ok(related.collect())
    }

    fn ty(&self, name: &str) -> Result<&TypeNames, UnknownTarget> {
        self.types.get(name).ok_or_else(|| {
            let near = nearest(name, self.types.keys().map(|known| &**known));
            UnknownTarget::Type {
                name: name.to_owned(),
                near: near.map(str::to_owned),
            }
        })
    }
}

impl CurrentNames {
    /// Replaces the names after a graph reload.
    pub fn replace(&self, names: Names) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
    }

    /// The current names.
    pub fn load(&self) -> Arc<Names> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The keys by which objects of a type can be fetched.
fn keys(graph: &Graph, ty: TypeId) -> impl Iterator<Item = String> {
    let entries = graph.entry_points(ty).iter();
    let keys = entries.map(|(source, entry)| &graph.source(*source).entry_points[*entry].key);
    let keys = keys.filter(|key| !key.is_empty());
    keys.map(|key| key.sorted().to_string())
}

fn suggestion_text(near: Option<&str>) -> String {
    near.map(|near| format!("; write `{near}`"))
        .unwrap_or_default()
}

fn key_suggestion(keys: &[String]) -> String {
    if keys.is_empty() {
        return "; it has none, so invalidate the type".to_owned();
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    format!("; write one of {}", keys.join(", "))
}

#[cfg(test)]
mod tests;
