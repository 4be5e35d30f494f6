//! The checked graph: types as clients see them, and the sources that give their fields.
//!
//! A `Graph` is immutable; a reload makes a new one. It is made by `link`, which is the only
//! place that decides whether a set of subgraphs makes sense.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::caching::CacheDirectives;
use crate::client::ClientSchema;
use crate::connector::Phase;
use crate::key::FieldSet;
use crate::override_label::OverrideLabels;
use crate::source::{Access, Source, SourceId};
use crate::types::{Name, TypeId, Types};

/// What the graph is.
#[derive(Debug)]
pub struct Graph {
    pub(crate) types: Arc<Types>,
    pub(crate) sources: Vec<Source>,
    pub(crate) client: Arc<ClientSchema>,
    /// By type: the entries of all sources for objects of it, in the order of the sources.
    entry_points: Vec<Vec<(SourceId, usize)>>,
    /// Whether any source is given something from further up.
    has_contexts: bool,
    /// By subgraph.
    cache_directives: Arc<BTreeMap<Name, CacheDirectives>>,
    /// `None` where nothing depends on any.
    pub(crate) override_labels: Option<Arc<OverrideLabels>>,
}

impl Graph {
    pub(crate) fn new(types: Types, sources: Vec<Source>, client: ClientSchema) -> Self {
        Self {
            entry_points: entry_points_by_type(&types, &sources),
            has_contexts: has_contexts(&sources),
            types: Arc::new(types),
            sources,
            client: Arc::new(client),
            cache_directives: Arc::default(),
            override_labels: None,
        }
    }

    /// With labels on which its sources depend; those that it has are those for none.
    #[must_use]
    pub(crate) fn with_override_labels(self, labels: OverrideLabels) -> Self {
        let labels = Some(Arc::new(labels));
        Self {
            override_labels: labels,
            ..self
        }
    }

    /// The labels of overrides that are on for some requests only, in order.
    pub fn override_labels(&self) -> &[Name] {
        self.override_labels
            .as_ref()
            .map_or(&[], |labels| &labels.names)
    }

    /// The graph as it is for requests for which these labels are on, by their numbers.
    ///
    /// Its sources and their entries have the same ids; nodes do not.
    #[must_use]
    pub fn with_active_labels(&self, is_on: &dyn Fn(usize) -> bool) -> Option<Self> {
        let labels = self.override_labels.as_ref()?;
        let sources = labels.views.sources(&self.types, is_on);
        Some(Self {
            entry_points: entry_points_by_type(&self.types, &sources),
            has_contexts: has_contexts(&sources),
            types: Arc::clone(&self.types),
            sources,
            client: Arc::clone(&self.client),
            cache_directives: Arc::clone(&self.cache_directives),
            override_labels: Some(Arc::clone(labels)),
        })
    }

    /// With what its subgraphs say about keeping what they give.
    #[must_use]
    pub(crate) fn with_cache_directives(self, caching: BTreeMap<Name, CacheDirectives>) -> Self {
        let caching = Arc::new(caching);
        Self {
            cache_directives: caching,
            ..self
        }
    }

    /// What all subgraphs say about keeping what they give.
    pub fn cache_directives(&self) -> impl Iterator<Item = &CacheDirectives> {
        self.cache_directives.values()
    }

    /// What a subgraph says about keeping what it gives; `None` where it says nothing.
    pub fn subgraph_cache_directives(&self, subgraph: &str) -> Option<&CacheDirectives> {
        self.cache_directives.get(subgraph)
    }

    /// The entries for objects of type `on`: a source, and the number of one of its entries.
    pub fn entry_points(&self, on: TypeId) -> &[(SourceId, usize)] {
        &self.entry_points[on.0]
    }

    /// All keys by which objects of type `on` can be found, each once, in the order of the
    /// sources.
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

    /// Whether any field takes an argument from an object further up (`@fromContext`).
    pub fn has_contexts(&self) -> bool {
        self.has_contexts
    }

    /// The types that clients see.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// Whether clients see a type; one that they don't may still be what a source answers with.
    pub fn is_visible(&self, ty: TypeId) -> bool {
        let types = &self.client.schema.types;
        types.contains_key(&*self.types.get(ty).name)
    }

    /// Whether clients see a value of an enum.
    pub fn is_value_visible(&self, ty: TypeId, value: &str) -> bool {
        let definition = self.client.schema.get_enum(&self.types.get(ty).name);
        definition.is_some_and(|definition| definition.values.contains_key(value))
    }

    /// Everything that can be asked, in the order of the subgraphs.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = (SourceId, &Source)> {
        self.sources
            .iter()
            .enumerate()
            .map(|(index, source)| (SourceId(index), source))
    }

    /// The source with this id, which this graph gave out.
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
                for used in connector.variable_uses(phase) {
                    if used.name == "env" {
                        names.extend(used.fields.into_iter().map(|field| field.name));
                    }
                }
            }
        }
        names
    }

    /// The schema that clients see, as SDL.
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

fn entry_points_by_type(types: &Types, sources: &[Source]) -> Vec<Vec<(SourceId, usize)>> {
    let mut entries = vec![Vec::new(); types.iter().len()];
    for (source, definition) in sources.iter().enumerate() {
        for (index, entry) in definition.entry_points.iter().enumerate() {
            entries[entry.on.0].push((SourceId(source), index));
        }
    }
    entries
}
