//! The cache rules of connectors.

use std::fmt::Write as _;
use std::sync::Arc;

use schema::connector::{Connector, ConnectorOutput, HeaderValue, Method, Phase};
use schema::source::{EntryCardinality, EntryPoint, NodeId, ObjectTypes, Source};
use schema::types::{Name, TypeId, Types};

use super::CachePlanCompiler;
use crate::cache::digest;
use crate::entity_cache::backoff::UncacheableBackoff;
use crate::entity_cache::contents::ContentScan;
use crate::entity_cache::rules::{ArgumentRole, CacheRule, FetchCachePlan};
use crate::entity_key::KeyField;
use crate::plan::{Fetch, FetchId};
use crate::response::mapping::MappingCompiler;
use crate::settings::CachePolicy;
use crate::source_client::connector::ConnectorClient;
use crate::source_client::variables::Variable;

/// A connector and the fetch that it makes.
#[derive(Clone, Copy)]
pub(super) struct PlannedConnector<'a> {
    pub(super) id: FetchId,
    pub(super) source: &'a Source,
    pub(super) connector: &'a Connector,
    pub(super) client: &'a ConnectorClient,
    pub(super) fetch: &'a Fetch,
}

/// The objects at a node of a source.
#[derive(Clone, Copy)]
struct SourceObjects<'a> {
    source: &'a Source,
    node: NodeId,
}

impl CachePlanCompiler<'_> {
    pub(super) fn connector_plan(
        &self,
        planned: PlannedConnector<'_>,
        cache_policy: &CachePolicy,
    ) -> Option<FetchCachePlan> {
        if !planned.is_cacheable() {
            return None;
        }
        let mut scan = self.content_scan(&planned.source.subgraph);
        let argument_role = self.scan_connector(planned, &mut scan);
        let tag_rules = self.connector_tags(planned, argument_role, &scan.contents);
        let equivalent = self.equivalent_batch(planned);
        // An entity has one cache key, whether a root field or its batch returns it.
        let (identity, on) = equivalent.unwrap_or((planned, planned.entry().on));
        let types = self.graph().types();
        let rule = CacheRule {
            policy: scan.effective_policy(cache_policy),
            source: Name::clone(&identity.source.name),
            type_name: Name::clone(&types.get(on).name),
            selection: identity.identity_text().into(),
            headers: self.client_headers(planned.client.vary_headers.as_deref()?),
            tag_rules: Arc::new(tag_rules),
            argument_role,
            key_fields: planned.entity_key(types),
            indexed_selection: None,
            backoff: UncacheableBackoff::default(),
            stats: self.type_stats(&planned.source.subgraph, on),
        };
        let fetch = planned.fetch;
        let compiler = MappingCompiler {
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

    /// The batch that may substitute a root field, with the type of its objects, where both return
    /// the same fields and depend on the same headers.
    fn equivalent_batch<'b>(
        &'b self,
        planned: PlannedConnector<'b>,
    ) -> Option<(PlannedConnector<'b>, TypeId)> {
        let slot = planned.fetch.field_slot?;
        let field = &self.selection.position(planned.fetch.at).slots[slot].field;
        let program = self.programs[planned.id].as_ref()?;
        let substitute = program.batch_substitute.as_ref()?;
        let source = self.graph().source(substitute.source);
        let (connector, client) = self.sources.connector(substitute.source)?;
        let root = planned.source.node(planned.entry().node);
        let own = SourceObjects {
            source: planned.source,
            node: root.fields.get(field)?.child?,
        };
        let on = own.source.node(own.node).on;
        let is_batch = |entry: &&EntryPoint| {
            entry.on == on && matches!(entry.cardinality, EntryCardinality::Batch(_))
        };
        let entry = source.entry_points.iter().find(is_batch)?;
        let node = entry.node;
        let batch = SourceObjects { source, node };
        let is_same = own.provides_all_of(batch)
            && batch.provides_all_of(own)
            && client.vary_headers == planned.client.vary_headers;
        let batch = PlannedConnector {
            source,
            connector,
            client,
            ..planned
        };
        (is_same && batch.is_cacheable()).then_some((batch, on))
    }

    /// Scans what a connector returns; returns the role of its field's arguments.
    fn scan_connector(
        &self,
        planned: PlannedConnector<'_>,
        scan: &mut ContentScan<'_>,
    ) -> ArgumentRole {
        let (source, entry) = (planned.source, planned.entry());
        let Some(slot) = planned.fetch.field_slot else {
            scan.apply_type_hint(entry.on);
            scan.visit_source(source, entry.node);
            return ArgumentRole::Plain;
        };
        let slot = &self.selection.position(planned.fetch.at).slots[slot];
        scan.apply_root_hint(scan.hint(entry.on, &slot.field));
        let field = source.node(entry.node).fields.get(&slot.field);
        let Some(child) = field.and_then(|field| field.child) else {
            return ArgumentRole::Plain;
        };
        let role = planned.argument_role(child);
        if role == ArgumentRole::Plain {
            scan.visit_type(source.node(child).on);
        }
        scan.visit_source(source, child);
        role
    }
}

impl<'a> PlannedConnector<'a> {
    pub(super) fn entry(&self) -> &'a EntryPoint {
        &self.source.entry_points[self.fetch.first_entry().entry]
    }

    /// Whether the arguments of a root field are the key of the entity that it returns.
    fn argument_role(&self, child: NodeId) -> ArgumentRole {
        let returned_type = self.source.node(child).on;
        match self.field_entity() {
            Some(entity) if entity.on == returned_type => ArgumentRole::EntityKey,
            _ => ArgumentRole::Plain,
        }
    }

    /// The entity that a root field returns.
    fn field_entity(&self) -> Option<&'a EntryPoint> {
        let mut entries = self.source.entry_points.iter();
        let is_entity = |entry: &&EntryPoint| entry.cardinality == EntryCardinality::Object;
        let entity = entries.find(is_entity);
        entity.filter(|_| self.fetch.first_entry().key.is_empty())
    }

    /// The key of the entities that a fetch or a root field returns.
    fn entity_key(&self, types: &Types) -> Vec<KeyField> {
        let entry = self.field_entity().unwrap_or(self.entry());
        KeyField::from_field_set(&entry.key, entry.on, types)
    }

    /// Whether the connector only reads, and its value follows from the response and from what is
    /// part of the cache key.
    fn is_cacheable(&self) -> bool {
        let uses = |variable| self.client.uses(Phase::Response, variable);
        let reports_errors = self.connector.selection.calls_method("withError");
        let is_read = matches!(self.connector.method, Method::Get | Method::Post);
        is_read && !reports_errors && !uses(Variable::Request) && !uses(Variable::Batch)
    }

    /// A digest of everything that decides the request and the reading of the response.
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
            (Variable::Config, &self.client.config),
            (Variable::Env, &self.client.environment),
        ] {
            let uses = |phase| self.client.uses(phase, variable);
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
        digest(&text)
    }
}

impl SourceObjects<'_> {
    /// Whether the objects have all the fields of the other source's objects; both are of one type.
    fn provides_all_of(self, other: Self) -> bool {
        let (own, wanted) = (self.source.node(self.node), other.source.node(other.node));
        let is_one_type = |objects: &ObjectTypes| matches!(objects, ObjectTypes::OwnType);
        is_one_type(&own.object_types)
            && is_one_type(&wanted.object_types)
            && own.on == wanted.on
            && wanted.fields.iter().all(|(name, wanted)| {
                let provided = own.fields.get(name).map(|field| field.child);
                match (provided, wanted.child) {
                    (Some(None), None) => true,
                    (Some(Some(node)), Some(wanted)) => {
                        let objects = Self { node, ..self };
                        objects.provides_all_of(Self {
                            node: wanted,
                            ..other
                        })
                    }
                    _ => false,
                }
            })
    }
}
