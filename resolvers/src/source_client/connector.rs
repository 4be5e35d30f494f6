//! The client of a connector: the parts of its requests that are the same for every call, computed
//! once for an engine.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use schema::connector::{Connector, ConnectorOutput, HeaderValue as HeaderSource, Phase};
use schema::graph::Graph;
use schema::json::Json;
use schema::mapping::ast::{Expr, Item, Path, Selection};
use schema::mapping::used_fields;
use schema::source::Source;
use schema::template::Template;
use schema::types::Name;

use super::call_gate::CallGate;
use super::variables::{Variable, VariableSet};
use crate::entity_key::KeyField;
use crate::settings::Settings;

/// A connector with the operator's settings.
#[derive(Debug)]
pub(crate) struct ConnectorClient {
    pub(crate) subgraph: Name,
    pub(crate) coordinate: Name,
    pub(crate) timeout: Duration,
    /// Replaces the graph's `baseURL`.
    pub(crate) base_url: Option<Template>,
    pub(crate) config: Json,
    pub(crate) environment: Json,
    /// Maximum number of calls of one operation by all connectors with the same `call_limit_group`.
    pub(crate) max_calls: Option<NonZeroUsize>,
    pub(crate) call_limit_group: Name,
    /// Bounds the calls of all operations, shared by the connectors of one group.
    pub(crate) gate: Arc<CallGate>,
    /// Maximum entities of one call, where the graph sets none.
    pub(crate) max_entities: usize,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The client headers that a request depends on; `None`: it may depend on any.
    pub(crate) vary_headers: Option<Vec<HeaderName>>,
    /// The fields that match the objects of a batch to entities; empty for other connectors.
    pub(crate) batch_key: Vec<KeyField>,
    /// The mapping reduced to the keys, if calls of this batch connector may serve several
    /// operations.
    pub(crate) key_mapping: Option<Selection>,
    request_variables: VariableSet,
    response_variables: VariableSet,
}

impl ConnectorClient {
    /// Creates the client of the connector of `source`.
    pub(crate) fn new(
        source: &Source,
        connector: &Connector,
        graph: &Graph,
        settings: &Settings,
    ) -> Self {
        let name = connector.source.as_deref().unwrap_or(&source.subgraph);
        let own = settings.sources.get(name);
        let config = own.map_or_else(
            || "{}".to_owned(),
            |own| match &own.config {
                serde_json::Value::Null => "{}".to_owned(),
                config => config.to_string(),
            },
        );
        let group = connector.source.as_ref().unwrap_or(&source.name);
        let overrides = own.map(|own| own.call_limits).unwrap_or_default();
        let limits = overrides.over(settings.call_limits);
        Self {
            subgraph: Arc::clone(&source.subgraph),
            coordinate: Arc::clone(&source.name),
            timeout: own
                .and_then(|own| own.timeout)
                .unwrap_or(settings.source_timeout),
            base_url: own
                .and_then(|own| own.url.as_ref())
                .map(|url| Template::constant(url.as_str())),
            config: parse_or_empty(config),
            environment: environment(connector, settings),
            max_calls: own
                .and_then(|own| own.call_limit)
                .or(settings.source_call_limit),
            call_limit_group: Arc::clone(group),
            gate: Arc::new(CallGate::new(Arc::clone(group), limits)),
            max_entities: limits.entities.get(),
            headers: own.map(|own| own.headers.clone()).unwrap_or_default(),
            vary_headers: vary_headers(connector),
            batch_key: batch_key(source, connector, graph),
            key_mapping: key_mapping(connector),
            request_variables: used_variables(connector, Phase::Request),
            response_variables: used_variables(connector, Phase::Response),
        }
    }

    /// Whether the connector uses `variable` in `phase`.
    pub(crate) fn uses(&self, phase: Phase, variable: Variable) -> bool {
        match phase {
            Phase::Request => self.request_variables.contains(variable),
            Phase::Response => self.response_variables.contains(variable),
        }
    }
}

/// Parses serialized JSON, which is always valid.
fn parse_or_empty(text: String) -> Json {
    Json::parse(Bytes::from(text)).unwrap_or_else(|_| empty_object())
}

#[expect(clippy::expect_used, reason = "a constant")]
fn empty_object() -> Json {
    Json::parse(Bytes::from_static(b"{}")).expect("an empty object is JSON")
}

fn used_variables(connector: &Connector, phase: Phase) -> VariableSet {
    let uses = connector.variable_uses(phase);
    VariableSet::from_names(uses.iter().map(|used| used.name.as_str()))
}

/// The client headers that a connector forwards or reads as `$request.headers.<name>`.
fn vary_headers(connector: &Connector) -> Option<Vec<HeaderName>> {
    let mut names = Vec::new();
    for header in &connector.headers {
        if let HeaderSource::FromRequest(name) = &header.value {
            names.push(HeaderName::from_bytes(name.as_bytes()).ok()?);
        }
    }
    let uses = connector.variable_uses(Phase::Request);
    if uses.iter().any(|used| used.name == "request") {
        for used in uses.iter().filter(|used| used.name == "request") {
            // A use of more than single headers may depend on all of them.
            let [headers] = used.fields.as_slice() else {
                return None;
            };
            if headers.name != "headers" || headers.fields.is_empty() {
                return None;
            }
        }
        for headers in used_fields(&uses, "request") {
            for header in headers.fields {
                names.push(HeaderName::from_bytes(header.name.as_bytes()).ok()?);
            }
        }
    }
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    Some(names)
}

fn batch_key(source: &Source, connector: &Connector, graph: &Graph) -> Vec<KeyField> {
    let (ConnectorOutput::Batch { key, .. }, [entry]) =
        (&connector.output, source.entry_points.as_slice())
    else {
        return Vec::new();
    };
    KeyField::from_field_set(key, entry.on, graph.types())
}

/// The mapping reduced to the keys; `None` if values depend on more than the response and the
/// settings, or if the mapping reports errors, which only the operation's own client may see.
fn key_mapping(connector: &Connector) -> Option<Selection> {
    let ConnectorOutput::Batch { key, .. } = &connector.output else {
        return None;
    };
    let request = used_variables(connector, Phase::Request);
    let response = used_variables(connector, Phase::Response);
    let depends_on_operation = [Variable::Args, Variable::This]
        .into_iter()
        .any(|variable| request.contains(variable) || response.contains(variable))
        || response.contains(Variable::Request)
        || response.contains(Variable::Batch);
    if depends_on_operation || connector.selection.calls_method("withError") {
        return None;
    }
    let names: Vec<&str> = key.0.iter().map(|(name, _)| name.as_ref()).collect();
    let whole = connector.selection.ast();
    let reduced = match whole.items.as_slice() {
        [Item::Whole(Expr::Path(path))] => path.group.as_ref().and_then(|group| {
            let path = Path {
                group: Some(restrict_members(group, &names)?),
                ..path.clone()
            };
            Some(Selection {
                items: vec![Item::Whole(Expr::Path(path))],
                range: whole.range.clone(),
            })
        }),
        _ => restrict_members(whole, &names),
    };
    Some(reduced.unwrap_or_else(|| whole.clone()))
}

/// A group with only the members `names`; `None` if members come from other items too.
fn restrict_members(group: &Selection, names: &[&str]) -> Option<Selection> {
    let mut items = Vec::new();
    for item in &group.items {
        match item {
            Item::Member(member) if names.contains(&member.key.name.as_str()) => {
                items.push(item.clone());
            }
            Item::Member(_) => {}
            Item::Whole(_) | Item::Spread(_) => return None,
        }
    }
    Some(Selection {
        items,
        range: group.range.clone(),
    })
}

/// The environment variables that the connector uses; unset ones are absent.
fn environment(connector: &Connector, settings: &Settings) -> Json {
    let mut members = serde_json::Map::new();
    for phase in [Phase::Request, Phase::Response] {
        let uses = connector.variable_uses(phase);
        for used in uses.iter().filter(|used| used.name == "env") {
            for field in &used.fields {
                if let Some(value) = settings.environment.get(&field.name) {
                    members.insert(field.name.clone(), value.as_str().into());
                }
            }
        }
    }
    parse_or_empty(serde_json::Value::Object(members).to_string())
}
