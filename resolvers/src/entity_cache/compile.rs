//! Derives the cache rules of a plan.

mod connector;
mod tags;

use std::sync::Arc;

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use schema::caching::{CacheDirectives, CacheHint, CacheScope};
use schema::graph::Graph;
use schema::source::{Access, EntryPoint, Source};
use schema::types::{Name, TypeId};

use self::connector::PlannedConnector;
use super::backoff::UncacheableBackoff;
use super::contents::{ContentScan, Contents};
use super::rules::{ArgumentRole, CacheRule, ClientHeaders, FetchCachePlan};
use super::superset::SelectionIndex;
use crate::cache::{LifetimePolicy, Scope, TypeStats};
use crate::plan::{ByFetch, ByRequest, Fetch, FetchId, Plan};
use crate::program::Program;
use crate::selection::Selection;
use crate::settings::{CachePolicy, Caching};
use crate::source_client::subgraph::SubgraphClient;
use crate::source_client::{SourceClient, Sources};
use crate::subgraph_request::{CanonicalSelection, Document, Part, RepresentationSpec};

/// Compiles the rules of one plan.
pub(crate) struct CachePlanCompiler<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) caching: &'a Caching,
    pub(crate) selection_index: &'a SelectionIndex,
    pub(crate) selection: &'a Selection,
    pub(crate) plan: &'a Plan,
    pub(crate) programs: &'a ByFetch<Option<Program>>,
    pub(crate) documents: &'a ByRequest<Option<Document>>,
}

/// A fetch of a subgraph, and its part of a request.
#[derive(Clone, Copy)]
struct PlannedPart<'a> {
    fetch: &'a Fetch,
    part: &'a Part,
    source: &'a Source,
    client: &'a SubgraphClient,
}

/// Entities of a part that are represented and read alike: one kind.
struct PartKind<'a> {
    /// Their representations, each with its entry point; at least one.
    specs: Vec<(&'a RepresentationSpec, &'a EntryPoint)>,
    selection: &'a CanonicalSelection,
}

impl CachePlanCompiler<'_> {
    /// The rules of every fetch of a query.
    pub(crate) fn fetch_plans(&self) -> ByFetch<Option<FetchCachePlan>> {
        let fetches = self.plan.fetches.pairs();
        fetches
            .map(|(id, fetch)| self.fetch_plan(id, fetch))
            .collect()
    }

    fn graph(&self) -> &Graph {
        &self.sources.graph
    }

    fn directives(&self, subgraph: &str) -> Option<&CacheDirectives> {
        self.graph().subgraph_cache_directives(subgraph)
    }

    fn fetch_plan(&self, id: FetchId, fetch: &Fetch) -> Option<FetchCachePlan> {
        let source = self.graph().source(fetch.source);
        let cache_policy = self.caching.subgraph_policy(&source.subgraph);
        // Context arguments are not part of the cache key, so these fetches are not cached.
        if !cache_policy.is_enabled || !fetch.context_fields.is_empty() {
            return None;
        }
        match (&source.access, &self.sources.clients[fetch.source.index()]) {
            (Access::Connector(connector), SourceClient::Connector(client)) => {
                let planned = PlannedConnector {
                    id,
                    source,
                    connector,
                    client,
                    fetch,
                };
                self.connector_plan(planned, cache_policy)
            }
            (Access::Graphql(_), SourceClient::Subgraph(client)) => {
                let planned = PlannedPart {
                    fetch,
                    part: self.part(id)?,
                    source,
                    client,
                };
                self.subgraph_plan(planned, cache_policy)
            }
            _ => None,
        }
    }

    /// The part of a fetch; `None` where its values cannot be told from those of another part:
    /// the root fields of a request are one value, so two fetches cannot share them.
    fn part(&self, id: FetchId) -> Option<&Part> {
        let mut documents = self.documents.iter().flatten();
        let (document, part) = documents.find_map(|document| {
            let part = document.parts.iter().find(|part| part.fetch == id)?;
            Some((document, part))
        })?;
        let parts = document.parts.iter();
        let roots = parts.filter(|part| part.entities_field.is_none()).count();
        (part.entities_field.is_some() || roots <= 1).then_some(part)
    }

    fn subgraph_plan(
        &self,
        planned: PlannedPart<'_>,
        cache_policy: &CachePolicy,
    ) -> Option<FetchCachePlan> {
        let kinds = 0..planned.part.shapes.len();
        let rules = kinds.map(|kind| self.subgraph_rule(planned, kind, cache_policy));
        Some(FetchCachePlan {
            rules: rules.collect::<Option<_>>()?,
            extract: None,
            is_covered_by_batch: false,
        })
    }

    fn subgraph_rule(
        &self,
        planned: PlannedPart<'_>,
        kind: usize,
        cache_policy: &CachePolicy,
    ) -> Option<CacheRule> {
        let PlannedPart { source, fetch, .. } = planned;
        let kind = planned.kind(kind)?;
        let (_, entry) = kind.specs.first()?;
        let mut scan = self.content_scan(&source.subgraph);
        if planned.part.entities_field.is_some() {
            scan.apply_type_hint(entry.on);
        } else {
            let slots = fetch.slots.get(&fetch.at).into_iter();
            for slot in slots.flat_map(|slots| slots.keys()) {
                let field = &self.selection.position(fetch.at).slots[*slot].field;
                scan.apply_root_hint(scan.hint(entry.on, field));
            }
        }
        scan.visit_selection(self.selection, &fetch.slots, fetch.at);
        let mut tag_rules = self.type_tag_rules(&source.subgraph, entry.on, &scan.contents);
        self.add_kind_tags(planned, &kind, &mut tag_rules);
        let selection = kind.selection;
        // Selections of fallbacks are rarely requested, so they displace no others.
        let is_indexed = selection.inputs.is_empty() && fetch.fallback_of.is_none();
        let indexed_selection = is_indexed.then(|| {
            self.selection_index
                .add(&source.subgraph, &entry.type_name, selection)
        });
        Some(CacheRule {
            policy: scan.effective_policy(cache_policy),
            source: Name::clone(&source.subgraph),
            type_name: Name::clone(&entry.type_name),
            selection: selection.text.clone(),
            headers: self.client_headers(planned.client.forwarded_headers()),
            tag_rules: Arc::new(tag_rules),
            argument_role: ArgumentRole::Plain,
            key_fields: Vec::new(),
            indexed_selection: indexed_selection.flatten(),
            backoff: UncacheableBackoff::default(),
            stats: self.type_stats(&source.subgraph, entry.on),
        })
    }

    fn type_stats(&self, subgraph: &str, on: TypeId) -> Arc<TypeStats> {
        let name = &self.graph().types().get(on).name;
        self.caching.cache.type_stats(subgraph, name)
    }

    fn content_scan<'l>(&'l self, subgraph: &str) -> ContentScan<'l> {
        ContentScan {
            graph: self.graph(),
            directives: self.directives(subgraph),
            contents: Contents::default(),
            is_public: false,
        }
    }

    /// Divides the forwarded headers: those that identify the caller are not part of the key of
    /// values that all callers share.
    fn client_headers(&self, forwarded: &[HeaderName]) -> ClientHeaders {
        let is_credential = |name: &&HeaderName| {
            let standard = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
            standard.contains(name) || self.caching.caller_headers.contains(name)
        };
        let (credentials, keyed) = forwarded.iter().partition::<Vec<_>, _>(is_credential);
        ClientHeaders {
            keyed: keyed.into_iter().cloned().collect(),
            credentials: credentials.into_iter().cloned().collect(),
            caller: self.caching.caller_headers.clone(),
        }
    }
}

impl<'a> PlannedPart<'a> {
    fn kind(&self, kind: usize) -> Option<PartKind<'a>> {
        let specs = self.part.representation_specs.iter();
        let specs = specs.zip(&self.fetch.selected_entries);
        let specs = specs.filter(|(spec, _)| spec.kind == kind);
        let specs = specs.map(|(spec, entry)| (spec, &self.source.entry_points[entry.entry]));
        Some(PartKind {
            specs: specs.collect(),
            selection: self.part.selections.get(kind)?,
        })
    }
}

impl ContentScan<'_> {
    /// Applies the hint on a value itself, whose scope is that of all of it.
    fn apply_root_hint(&mut self, hint: Option<CacheHint>) {
        self.is_public |= hint.is_some_and(|hint| hint.scope == Some(CacheScope::Public));
        self.apply_hint(hint);
    }

    /// Applies the hint on the type of an entity.
    fn apply_type_hint(&mut self, ty: TypeId) {
        let directives = self.directives;
        let directives = directives.and_then(|directives| directives.type_directives(ty));
        self.apply_root_hint(directives.and_then(|directives| directives.hint));
    }

    /// The policy of a subgraph, limited by the hints on what was scanned.
    fn effective_policy(&self, cache_policy: &CachePolicy) -> LifetimePolicy {
        let contents = &self.contents;
        let max_age = contents.max_age.map(u64::from);
        LifetimePolicy {
            default: cache_policy.default_ttl,
            max: cache_policy.max_ttl,
            stale: cache_policy.stale_while_revalidate,
            stale_if_error: cache_policy.stale_if_error,
            negative: cache_policy.negative_ttl,
            declared_age: max_age.map(std::time::Duration::from_secs),
            declared_scope: match (contents.is_private, self.is_public) {
                (true, _) => Some(Scope::Private),
                (false, true) => Some(Scope::Public),
                (false, false) => None,
            },
        }
    }
}

impl Caching {
    /// The policy of a subgraph: its own, or the default.
    pub(crate) fn subgraph_policy(&self, subgraph: &str) -> &CachePolicy {
        self.subgraphs.get(subgraph).unwrap_or(&self.default)
    }
}
