//! The checked graph: types as clients see them, and the sources that provide their fields.
//!
//! A `Graph` is immutable; a reload builds a new one. Only `link` builds it, after checking that
//! the subgraphs fit together.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::caching::CacheDirectives;
use crate::client::ClientSchema;
use crate::connector::Phase;
use crate::key::FieldSet;
use crate::override_label::OverrideLabels;
use crate::source::{Access, Source, SourceId};
use crate::types::{Name, TypeId, Types};

/// A checked graph with its sources and client schema.
#[derive(Debug)]
pub struct Graph {
    pub(crate) types: Arc<Types>,
    pub(crate) sources: Vec<Source>,
    pub(crate) client: Arc<ClientSchema>,
    /// The entry points of all sources by type, in source order.
    entry_points: Vec<Vec<(SourceId, usize)>>,
    /// Whether any field has a context argument.
    has_contexts: bool,
    /// The fields that are non-null in some subgraph, by type.
    non_null_fields: Vec<HashSet<Name>>,
    /// Cache directives by subgraph.
    cache_directives: Arc<BTreeMap<Name, CacheDirectives>>,
    /// The labels of progressive overrides; `None` without any.
    pub(crate) override_labels: Option<Arc<OverrideLabels>>,
    digest: GraphDigest,
}

/// A digest of the documents that a graph was linked from: graphs with equal digests are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphDigest([u8; 32]);

impl GraphDigest {
    /// The digest of documents, each with its name.
    pub(crate) fn from_documents<'d>(documents: impl Iterator<Item = (&'d str, &'d str)>) -> Self {
        let mut hash = Sha256::new();
        for part in documents.flat_map(|(name, text)| [name, text]) {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The digest as bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Graph {
    pub(crate) fn new(types: Types, sources: Vec<Source>, client: ClientSchema) -> Self {
        Self {
            entry_points: entry_points_by_type(&types, &sources),
            has_contexts: has_contexts(&sources),
            non_null_fields: non_null_fields(&types, &sources),
            types: Arc::new(types),
            sources,
            client: Arc::new(client),
            cache_directives: Arc::default(),
            override_labels: None,
            digest: GraphDigest::default(),
        }
    }

    /// Adds the digest of the documents that the graph was linked from.
    #[must_use]
    pub(crate) fn with_digest(self, digest: GraphDigest) -> Self {
        Self { digest, ..self }
    }

    /// The digest of the documents that the graph was linked from.
    pub fn digest(&self) -> &GraphDigest {
        &self.digest
    }

    /// Adds override labels; the current sources are those with no label active.
    #[must_use]
    pub(crate) fn with_override_labels(self, labels: OverrideLabels) -> Self {
        let labels = Some(Arc::new(labels));
        Self {
            override_labels: labels,
            ..self
        }
    }

    /// The labels of progressive overrides, active for some requests only, in order.
    pub fn override_labels(&self) -> &[Name] {
        self.override_labels
            .as_ref()
            .map_or(&[], |labels| &labels.names)
    }

    /// The graph with the override labels active for which `is_on` returns true, by index.
    ///
    /// Ids of sources and entry points are the same for all labels; node ids are not. `None`
    /// without labels.
    #[must_use]
    pub fn with_active_labels(&self, is_on: &dyn Fn(usize) -> bool) -> Option<Self> {
        let labels = self.override_labels.as_ref()?;
        let sources = labels.views.sources(&self.types, is_on);
        Some(Self {
            entry_points: entry_points_by_type(&self.types, &sources),
            has_contexts: has_contexts(&sources),
            non_null_fields: non_null_fields(&self.types, &sources),
            types: Arc::clone(&self.types),
            sources,
            client: Arc::clone(&self.client),
            cache_directives: Arc::clone(&self.cache_directives),
            override_labels: Some(Arc::clone(labels)),
            digest: self.digest,
        })
    }

    /// Adds the cache directives of each subgraph.
    #[must_use]
    pub(crate) fn with_cache_directives(
        self,
        cache_directives: BTreeMap<Name, CacheDirectives>,
    ) -> Self {
        Self {
            cache_directives: Arc::new(cache_directives),
            ..self
        }
    }

    /// The cache directives of all subgraphs that have any.
    pub fn cache_directives(&self) -> impl Iterator<Item = &CacheDirectives> {
        self.cache_directives.values()
    }

    /// The cache directives of a subgraph; `None` when it has none.
    pub fn subgraph_cache_directives(&self, subgraph: &str) -> Option<&CacheDirectives> {
        self.cache_directives.get(subgraph)
    }

    /// The entry points for objects of type `on`: a source and the index of its entry point.
    pub fn entry_points(&self, on: TypeId) -> &[(SourceId, usize)] {
        &self.entry_points[on.0]
    }

    /// The distinct keys that identify entities of type `on` in any source, in source order.
    pub fn entity_keys(&self, on: TypeId) -> Vec<&FieldSet> {
        let mut keys = Vec::new();
        for (source, index) in self.entry_points(on) {
            let entry = &self.source(*source).entry_points[*index];
            if entry.is_entity_lookup() && !keys.contains(&&entry.key) {
                keys.push(&entry.key);
            }
        }
        keys
    }

    /// Whether any field has an argument from an ancestor object (`@fromContext`).
    pub fn has_contexts(&self) -> bool {
        self.has_contexts
    }

    /// Whether a subgraph has a field of objects of type `on` as non-null, so that an error of the
    /// field makes the object null in the response of that subgraph (GraphQL §6.4.4).
    pub fn may_propagate_null(&self, on: TypeId, field: &str) -> bool {
        self.non_null_fields[on.0].contains(field)
    }

    /// The types that clients see.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// Whether a type is in the client schema; sources may return objects of hidden types.
    pub fn is_visible(&self, ty: TypeId) -> bool {
        let types = &self.client.schema.types;
        types.contains_key(&*self.types.get(ty).name)
    }

    /// Whether an enum value is in the client schema.
    pub fn is_value_visible(&self, ty: TypeId, value: &str) -> bool {
        let definition = self.client.schema.get_enum(&self.types.get(ty).name);
        definition.is_some_and(|definition| definition.values.contains_key(value))
    }

    /// The sources in subgraph order.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = (SourceId, &Source)> {
        self.sources
            .iter()
            .enumerate()
            .map(|(index, source)| (SourceId(index), source))
    }

    /// The source with this id, which must be of this graph.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0]
    }

    /// The names of environment variables that connectors read as `$env`.
    pub fn environment_variables(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for source in &self.sources {
            let Access::Connector(connector) = &source.access else {
                continue;
            };
            for phase in [Phase::Request, Phase::Response] {
                for variable in connector.variable_uses(phase) {
                    if variable.name == "env" {
                        names.extend(variable.fields.into_iter().map(|field| field.name));
                    }
                }
            }
        }
        names
    }

    /// The SDL of the client schema.
    pub fn client_sdl(&self) -> String {
        self.client.sdl()
    }
}

fn has_contexts(sources: &[Source]) -> bool {
    let mut nodes = sources.iter().flat_map(|source| &source.nodes);
    nodes.any(|node| {
        node.fields
            .values()
            .any(|field| !field.context_arguments.is_empty())
    })
}

fn non_null_fields(types: &Types, sources: &[Source]) -> Vec<HashSet<Name>> {
    let mut by_type = vec![HashSet::new(); types.iter().len()];
    for node in sources.iter().flat_map(|source| &source.nodes) {
        let fields = node.fields.iter();
        let non_null = fields.filter(|(_, field)| field.is_non_null());
        for (name, _) in non_null {
            for on in &types.get(node.on).possible_types {
                by_type[on.0].insert(Name::clone(name));
            }
        }
    }
    by_type
}

fn entry_points_by_type(types: &Types, sources: &[Source]) -> Vec<Vec<(SourceId, usize)>> {
    let mut by_type = vec![Vec::new(); types.iter().len()];
    for (id, source) in sources.iter().enumerate() {
        for (index, entry) in source.entry_points.iter().enumerate() {
            by_type[entry.on.0].push((SourceId(id), index));
        }
    }
    by_type
}
