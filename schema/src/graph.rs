//! The checked graph: types as clients see them, and the sources that give their fields.
//!
//! A `Graph` is immutable; a reload makes a new one. It is made by `link`, which is the only
//! place that decides whether a set of subgraphs makes sense.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::caching::Caching;
use crate::client::ClientSchema;
use crate::connector::Phase;
use crate::key::FieldSet;
use crate::label::Labels;
use crate::source::{Access, Source, SourceId};
use crate::types::{Name, TypeId, Types};

/// What the graph is.
#[derive(Debug)]
pub struct Graph {
    pub(crate) types: Arc<Types>,
    pub(crate) sources: Vec<Source>,
    pub(crate) client: Arc<ClientSchema>,
    /// By type: the entries of all sources for objects of it, in the order of the sources.
    entries: Vec<Vec<(SourceId, usize)>>,
    /// Whether any source is given something from further up.
    has_contexts: bool,
    /// By subgraph.
    caching: Arc<BTreeMap<Name, Caching>>,
    /// `None` where nothing depends on any.
    pub(crate) labels: Option<Arc<Labels>>,
}

impl Graph {
    pub(crate) fn new(types: Types, sources: Vec<Source>, client: ClientSchema) -> Self {
        Self {
            entries: entries(&types, &sources),
            has_contexts: has_contexts(&sources),
            types: Arc::new(types),
            sources,
            client: Arc::new(client),
            caching: Arc::default(),
            labels: None,
        }
    }

    /// With labels on which its sources depend; those that it has are those for none.
    #[must_use]
    pub(crate) fn depending_on(self, labels: Labels) -> Self {
        let labels = Some(Arc::new(labels));
        Self { labels, ..self }
    }

    /// The labels of overrides that are on for some requests only, in order.
    pub fn labels(&self) -> &[Name] {
        self.labels.as_ref().map_or(&[], |labels| &labels.names)
    }

    /// The graph as it is for requests for which these labels are on, by their numbers.
    ///
    /// Its sources and their entries have the same ids; nodes do not.
    #[must_use]
    pub fn with_labels(&self, is_on: &dyn Fn(usize) -> bool) -> Option<Self> {
        let labels = self.labels.as_ref()?;
        let sources = labels.views.sources(&self.types, is_on);
        Some(Self {
            entries: entries(&self.types, &sources),
            has_contexts: has_contexts(&sources),
            types: Arc::clone(&self.types),
            sources,
            client: Arc::clone(&self.client),
            caching: Arc::clone(&self.caching),
            labels: Some(Arc::clone(labels)),
        })
    }

    /// With what its subgraphs say about keeping what they give.
    #[must_use]
    pub(crate) fn with_caching(self, caching: BTreeMap<Name, Caching>) -> Self {
        let caching = Arc::new(caching);
        Self { caching, ..self }
    }

    /// What all subgraphs say about keeping what they give.
    pub fn said_of_caching(&self) -> impl Iterator<Item = &Caching> {
        self.caching.values()
    }

    /// What a subgraph says about keeping what it gives; `None` where it says nothing.
    pub fn caching(&self, subgraph: &str) -> Option<&Caching> {
        self.caching.get(subgraph)
    }

    /// The entries for objects of type `on`: a source, and the number of one of its entries.
    pub fn entries(&self, on: TypeId) -> &[(SourceId, usize)] {
        &self.entries[on.0]
    }

    /// All keys by which objects of type `on` can be found, each once, in the order of the
    /// sources.
    pub fn entity_keys(&self, on: TypeId) -> Vec<&FieldSet> {
        let mut keys = Vec::new();
        for (source, index) in self.entries(on) {
            let entry = &self.source(*source).entries[*index];
            if entry.finds_objects() && !keys.contains(&&entry.key) {
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
    pub fn shows(&self, ty: TypeId) -> bool {
        let types = &self.client.schema.types;
        types.contains_key(&*self.types.get(ty).name)
    }

    /// Whether clients see a value of an enum.
    pub fn shows_value(&self, ty: TypeId, value: &str) -> bool {
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
    pub fn environment(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for source in &self.sources {
            let Access::Connector(connector) = &source.access else {
                continue;
            };
            for phase in [Phase::Request, Phase::Answer] {
                for used in connector.uses(phase) {
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
    nodes.any(|node| node.fields.values().any(|field| !field.contexts.is_empty()))
}

fn entries(types: &Types, sources: &[Source]) -> Vec<Vec<(SourceId, usize)>> {
    let mut entries = vec![Vec::new(); types.iter().len()];
    for (source, definition) in sources.iter().enumerate() {
        for (index, entry) in definition.entries.iter().enumerate() {
            entries[entry.on.0].push((SourceId(source), index));
        }
    }
    entries
}
