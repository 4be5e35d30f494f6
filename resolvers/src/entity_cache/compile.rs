//! From a plan to what may be kept of it.

mod tags;

use std::fmt::Write as _;
use std::sync::Arc;

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use schema::caching::{CacheDirectives as Said, CacheScope as SaidScope};
use schema::connector::{Connector, ConnectorOutput, HeaderValue, Method, Phase};
use schema::graph::Graph;
use schema::source::{Access, EntryCardinality, EntryPoint, NodeId, ObjectTypes, Source};
use schema::types::{Name, TypeId};

use super::backoff::UncacheableBackoff;
use super::contents::{ContentScan, Contents};
use super::rules::{ArgumentRole, CacheRule, ClientHeaders, FetchCachePlan};
use super::superset::SelectionIndex;
use crate::cache::{LifetimePolicy, Scope, TypeStats};
use crate::plan::{ByFetch, ByRequest, Fetch, FetchId, Plan};
use crate::program::Program;
use crate::response::mapping::MappingCompiler as Reading;
use crate::selection::Selection;
use crate::settings::{CachePolicy, Caching};
use crate::source_client::connector::ConnectorClient;
use crate::source_client::subgraph::SubgraphClient;
use crate::source_client::variables::Variable;
use crate::source_client::{SourceClient, Sources};
use crate::subgraph_request::{Document, Part, RepresentationSpec};

/// What compiling needs at every step.
pub(crate) struct CachePlanCompiler<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) caching: &'a Caching,
    pub(crate) selection_index: &'a SelectionIndex,
    pub(crate) selection: &'a Selection,
    pub(crate) plan: &'a Plan,
    pub(crate) programs: &'a ByFetch<Option<Program>>,
    pub(crate) documents: &'a ByRequest<Option<Document>>,
}

impl CachePlanCompiler<'_> {
    /// What may be kept of a query.
    pub(crate) fn fetch_plans(&self) -> ByFetch<Option<FetchCachePlan>> {
        let fetches = self.plan.fetches.pairs();
        fetches
            .map(|(index, fetch)| self.fetch_plan(index, fetch))
            .collect()
    }

    fn graph(&self) -> &Graph {
        &self.sources.graph
    }

    fn directives(&self, service: &str) -> Option<&Said> {
        self.graph().subgraph_cache_directives(service)
    }

    fn fetch_plan(&self, index: FetchId, fetch: &Fetch) -> Option<FetchCachePlan> {
        let source = self.graph().source(fetch.source);
        let cache_policy = self.caching.subgraph_policy(&source.subgraph);
        // What depends on objects further up is not known by what it is asked for with.
        if !cache_policy.is_enabled || !fetch.context_fields.is_empty() {
            return None;
        }
        match (&source.access, &self.sources.clients[fetch.source.index()]) {
            (Access::Connector(connector), SourceClient::Connector(ready)) => {
                let planned = PlannedConnector {
                    index,
                    source,
                    connector,
                    ready,
                    fetch,
                };
                self.connector_plan(planned, cache_policy)
            }
            (Access::Graphql(_), SourceClient::Subgraph(service)) => {
                self.subgraph_plan((index, fetch), (source, service), cache_policy)
            }
            _ => None,
        }
    }

    fn connector_plan(
        &self,
        planned: PlannedConnector<'_>,
        cache_policy: &CachePolicy,
    ) -> Option<FetchCachePlan> {
        if !planned.is_cacheable() {
            return None;
        }
        let fetch = planned.fetch;
        let entry = &planned.source.entry_points[fetch.first_entry().entry];
        let mut scan = self.content_scan(&planned.source.subgraph);
        let arguments = self.scan_connector(&planned, &mut scan, entry);
        let is_public = scan.is_public && !scan.contents.is_private;
        let contents = scan.contents;
        let tag_rules = self.connector_tags(&planned, (entry, arguments), &contents);
        let equivalent = self.equivalent_batch(&planned);
        // One entity is one value, whichever of the two is asked for it.
        let (identity, on) = match &equivalent {
            Some((batch, on)) => (batch, *on),
            None => (&planned, entry.on),
        };
        let types = self.graph().types();
        let rule = CacheRule {
            policy: effective_policy(cache_policy, &contents, is_public),
            source: Name::clone(&identity.source.name),
            type_name: Name::clone(&types.get(on).name),
            selection: identity.identity_text().into(),
            headers: self.client_headers(planned.ready.vary_headers.as_deref()?),
            tag_rules: Arc::new(tag_rules),
            argument_role: arguments,
            indexed_selection: None,
            backoff: UncacheableBackoff::default(),
            stats: self.type_stats(&planned.source.subgraph, on),
        };
        let compiler = Reading {
            types,
            selection: self.selection,
            fetch_slots: &fetch.slots,
        };
        let extract = match fetch.field_slot {
            Some(slot) => compiler.cached_slot(fetch.at, slot),
            None => compiler.cached_object(fetch.at),
        };
        Some(FetchCachePlan {
            rules: vec![rule],
            extract: Some(extract),
            is_covered_by_batch: equivalent.is_some(),
        })
    }

    /// The batch that may stand in for a root field, with the type of its objects, where both
    /// give the same and depend on the same headers.
    fn equivalent_batch<'b>(
        &'b self,
        planned: &PlannedConnector<'b>,
    ) -> Option<(PlannedConnector<'b>, TypeId)> {
        let slot = planned.fetch.field_slot?;
        let field = &self.selection.position(planned.fetch.at).slots[slot].field;
        let substitute = self.programs[planned.index]
            .as_ref()?
            .batch_substitute
            .as_ref()?;
        let source = self.graph().source(substitute.source);
        let (connector, ready) = self.sources.connector(substitute.source)?;
        let own = planned
            .source
            .node(planned.source.entry_points[planned.fetch.first_entry().entry].node);
        let own = own.fields.get(field)?.child?;
        let on = planned.source.node(own).on;
        let is_batch = |entry: &&EntryPoint| {
            entry.on == on && matches!(entry.cardinality, EntryCardinality::Batch(_))
        };
        let entry = source.entry_points.iter().find(is_batch)?;
        let is_same = provides_all((planned.source, own), (source, entry.node))
            && provides_all((source, entry.node), (planned.source, own))
            && ready.vary_headers == planned.ready.vary_headers;
        let batch = PlannedConnector {
            source,
            connector,
            ready,
            ..*planned
        };
        (is_same && batch.is_cacheable()).then_some((batch, on))
    }

    /// Looks through what a connector gives, and says what the arguments of its field are.
    fn scan_connector(
        &self,
        planned: &PlannedConnector<'_>,
        scan: &mut ContentScan<'_>,
        entry: &EntryPoint,
    ) -> ArgumentRole {
        let (source, node) = (planned.source, planned.source.node(entry.node));
        let Some(slot) = planned.fetch.field_slot else {
            let type_directives = scan
                .directives
                .and_then(|said| said.type_directives(entry.on));
            scan.apply_root_hint(type_directives.and_then(|said| said.hint));
            scan.visit_source(source, entry.node);
            return ArgumentRole::Plain;
        };
        let slot = &self.selection.position(planned.fetch.at).slots[slot];
        scan.apply_root_hint(scan.hint(entry.on, &slot.field));
        let field = node.fields.get(&slot.field);
        let Some(child) = field.and_then(|field| field.child) else {
            return ArgumentRole::Plain;
        };
        let arguments = Self::argument_role(planned, child);
        if arguments == ArgumentRole::Plain {
            scan.visit_type(source.node(child).on);
        }
        scan.visit_source(source, child);
        arguments
    }

    /// Whether the arguments of a root field are the key of the entity that it gives.
    fn argument_role(planned: &PlannedConnector<'_>, child: NodeId) -> ArgumentRole {
        let returned_type = planned.source.node(child).on;
        let is_entity = planned.fetch.first_entry().key.is_empty()
            && planned.source.entry_points.iter().any(|entry| {
                entry.on == returned_type && entry.cardinality == EntryCardinality::Object
            });
        if is_entity {
            ArgumentRole::EntityKey
        } else {
            ArgumentRole::Plain
        }
    }

    fn subgraph_plan(
        &self,
        (index, fetch): (FetchId, &Fetch),
        (source, service): (&Source, &SubgraphClient),
        cache_policy: &CachePolicy,
    ) -> Option<FetchCachePlan> {
        let mut documents = self.documents.iter().flatten();
        let (document, part) = documents.find_map(|document| {
            let part = document.parts.iter().find(|part| part.fetch == index)?;
            Some((document, part))
        })?;
        let roots = document
            .parts
            .iter()
            .filter(|it| it.entities_field.is_none());
        // The roots of a request are one value; where two fetches share them, none.
        if part.entities_field.is_none() && roots.count() > 1 {
            return None;
        }
        let kinds = (0..part.shapes.len()).map(|kind| {
            let kind_of_part = (fetch, part, kind);
            self.subgraph_rule(kind_of_part, (source, service), cache_policy)
        });
        Some(FetchCachePlan {
            rules: kinds.collect::<Option<_>>()?,
            extract: None,
            is_covered_by_batch: false,
        })
    }

    fn subgraph_rule(
        &self,
        (fetch, part, kind): (&Fetch, &Part, usize),
        (source, service): (&Source, &SubgraphClient),
        cache_policy: &CachePolicy,
    ) -> Option<CacheRule> {
        let specs: Vec<(&RepresentationSpec, &EntryPoint)> = part
            .representation_specs
            .iter()
            .zip(&fetch.selected_entries)
            .filter(|(spec, _)| spec.kind == kind)
            .map(|(spec, entry_selection)| (spec, &source.entry_points[entry_selection.entry]))
            .collect();
        let (_, entry) = specs.first()?;
        let canonical = part.selections.get(kind)?;
        let mut scan = self.content_scan(&source.subgraph);
        if part.entities_field.is_some() {
            let type_directives = scan
                .directives
                .and_then(|said| said.type_directives(entry.on));
            scan.apply_root_hint(type_directives.and_then(|said| said.hint));
        } else {
            let slots = fetch.slots.get(&fetch.at).into_iter().flatten();
            for (slot, _) in slots {
                let field = &self.selection.position(fetch.at).slots[*slot].field;
                scan.apply_root_hint(scan.hint(entry.on, field));
            }
        }
        scan.visit_selection(self.selection, &fetch.slots, fetch.at);
        let is_public = scan.is_public && !scan.contents.is_private;
        let contents = scan.contents;
        let mut tag_rules = self.type_tag_rules(&source.subgraph, entry.on, &contents);
        self.add_kind_tags((fetch, part), (source, &specs), &mut tag_rules);
        let indexed_selection = canonical.inputs.is_empty().then(|| {
            let names = (&source.subgraph, &entry.type_name);
            self.selection_index
                .add(names, &canonical.text, &canonical.leaves)
        });
        Some(CacheRule {
            policy: effective_policy(cache_policy, &contents, is_public),
            source: Name::clone(&source.subgraph),
            type_name: Name::clone(&entry.type_name),
            selection: canonical.text.clone(),
            headers: self.client_headers(service.forwarded_headers()),
            tag_rules: Arc::new(tag_rules),
            argument_role: ArgumentRole::Plain,
            indexed_selection: indexed_selection.flatten(),
            backoff: UncacheableBackoff::default(),
            stats: self.type_stats(&source.subgraph, entry.on),
        })
    }

    fn type_stats(&self, service: &str, on: TypeId) -> Arc<TypeStats> {
        let name = &self.graph().types().get(on).name;
        self.caching.cache.type_stats(service, name)
    }

    fn content_scan<'l>(&'l self, service: &str) -> ContentScan<'l> {
        ContentScan {
            graph: self.graph(),
            directives: self.directives(service),
            contents: Contents::default(),
            is_public: false,
        }
    }

    /// Of the headers that are sent on, those that say who asks are not in the key of what
    /// everybody may have.
    fn client_headers(&self, forwarded: &[HeaderName]) -> ClientHeaders {
        let is_credential = |name: &&HeaderName| {
            let own = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
            own.contains(name) || self.caching.caller_headers.contains(name)
        };
        let (credentials, keyed) = forwarded.iter().partition::<Vec<_>, _>(is_credential);
        ClientHeaders {
            keyed: keyed.into_iter().cloned().collect(),
            credentials: credentials.into_iter().cloned().collect(),
            caller: self.caching.caller_headers.clone(),
        }
    }
}

/// A connector and the fetch that it makes.
#[derive(Clone, Copy)]
struct PlannedConnector<'a> {
    index: FetchId,
    source: &'a Source,
    connector: &'a Connector,
    ready: &'a ConnectorClient,
    fetch: &'a Fetch,
}

impl PlannedConnector<'_> {
    /// Whether what it gives depends on the answer and on what is in the key only, and the call
    /// does nothing but read.
    fn is_cacheable(&self) -> bool {
        let uses = |variable| self.ready.uses(Phase::Response, variable);
        let reports_errors = self.connector.selection.calls_method("withError");
        let is_read = matches!(self.connector.method, Method::Get | Method::Post);
        is_read && !reports_errors && !uses(Variable::Request) && !uses(Variable::Batch)
    }

    /// Everything that decides what is asked and what is made of the answer.
    fn identity_text(&self) -> String {
        let connector = self.connector;
        let mut text = format!("{} ", connector.method.as_str());
        for location in connector.source_url.iter().chain([&connector.connect_url]) {
            text.push_str(location.url.text());
            for mapping in location.path.iter().chain(&location.query) {
                text.push(' ');
                text.push_str(mapping.text());
            }
        }
        for header in &connector.headers {
            if let HeaderValue::Template(template) = &header.value {
                let _ = write!(text, "\n{}: {}", header.name, template.text());
            }
        }
        let mappings = [&connector.body, &connector.is_success];
        for mapping in mappings.into_iter().flatten() {
            text.push('\n');
            text.push_str(mapping.text());
        }
        for (variable, value) in [
            (Variable::Config, &self.ready.config),
            (Variable::Env, &self.ready.environment),
        ] {
            let uses = |phase| self.ready.uses(phase, variable);
            if uses(Phase::Request) || uses(Phase::Response) {
                text.push('\n');
                text.push_str(value.root().raw());
            }
        }
        text.push('\n');
        text.push_str(connector.selection.text());
        if let ConnectorOutput::Field(name) = &connector.output {
            text.push_str(name);
        }
        crate::cache::digest(&text)
    }
}

/// Whether one source gives, of the objects at its node, all that the other gives of them.
fn provides_all((one, node): (&Source, NodeId), (other, other_node): (&Source, NodeId)) -> bool {
    let (node, other_node) = (one.node(node), other.node(other_node));
    let is_one = |objects: &ObjectTypes| matches!(objects, ObjectTypes::OwnType);
    is_one(&node.object_types)
        && is_one(&other_node.object_types)
        && node.on == other_node.on
        && other_node.fields.iter().all(|(name, wanted)| {
            let provided = node.fields.get(name);
            match (provided.map(|given| given.child), wanted.child) {
                (Some(None), None) => true,
                (Some(Some(node)), Some(there)) => provides_all((one, node), (other, there)),
                _ => false,
            }
        })
}

fn effective_policy(
    cache_policy: &CachePolicy,
    contents: &Contents,
    is_public: bool,
) -> LifetimePolicy {
    LifetimePolicy {
        default: cache_policy.default_ttl,
        max: cache_policy.max_ttl,
        stale: cache_policy.stale_while_revalidate,
        stale_if_error: cache_policy.stale_if_error,
        negative: cache_policy.negative_ttl,
        declared_age: contents
            .max_age
            .map(|seconds| std::time::Duration::from_secs(seconds.into())),
        declared_scope: match (contents.is_private, is_public) {
            (true, _) => Some(Scope::Private),
            (false, true) => Some(Scope::Public),
            (false, false) => None,
        },
    }
}

impl ContentScan<'_> {
    /// What is said on a value itself, whose scope is that of all of it.
    fn apply_root_hint(&mut self, hint: Option<schema::caching::CacheHint>) {
        self.is_public |= hint.is_some_and(|hint| hint.scope == Some(SaidScope::Public));
        self.apply_hint(hint);
    }
}

impl Caching {
    /// What is decided about a subgraph.
    pub(crate) fn subgraph_policy(&self, subgraph: &str) -> &CachePolicy {
        self.subgraphs.get(subgraph).unwrap_or(&self.default)
    }
}
