//! A connector with what the operator decided about it, made once for an engine.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use schema::connector::{Connector, Phase};
use schema::json::Json;
use schema::source::Source;
use schema::template::Template;
use schema::types::Name;

use crate::settings::Settings;

/// Everything about a connector that does not change from call to call.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) service: Name,
    pub(crate) coordinate: Name,
    pub(crate) timeout: Duration,
    /// Instead of the graph's `baseURL`.
    pub(crate) base: Option<Template>,
    pub(crate) config: Json,
    pub(crate) environment: Json,
    /// How many calls one operation may make, with all connectors of the same `counted_as`.
    pub(crate) calls: Option<NonZeroUsize>,
    pub(crate) counted_as: Name,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    request: BTreeSet<String>,
    answer: BTreeSet<String>,
}

impl Ready {
    /// The connector of `source` with its settings.
    pub(crate) fn new(source: &Source, connector: &Connector, settings: &Settings) -> Self {
        let own = connector
            .source
            .as_deref()
            .and_then(|name| settings.sources.get(name));
        let config = own.map_or_else(
            || "{}".to_owned(),
            |own| match &own.config {
                serde_json::Value::Null => "{}".to_owned(),
                config => config.to_string(),
            },
        );
        Self {
            service: Arc::clone(&source.service),
            coordinate: Arc::clone(&source.name),
            timeout: own
                .and_then(|own| own.timeout)
                .unwrap_or(settings.source_timeout),
            base: own
                .and_then(|own| own.url.as_ref())
                .map(|url| Template::constant(url.as_str())),
            config: parsed(config),
            environment: environment(connector, settings),
            calls: own.and_then(|own| own.calls).or(settings.source_calls),
            counted_as: Arc::clone(connector.source.as_ref().unwrap_or(&source.name)),
            headers: own.map(|own| own.headers.clone()).unwrap_or_default(),
            request: names(connector, Phase::Request),
            answer: names(connector, Phase::Answer),
        }
    }

    /// Whether the connector names `$variable` in that phase.
    pub(crate) fn uses(&self, phase: Phase, variable: &str) -> bool {
        match phase {
            Phase::Request => self.request.contains(variable),
            Phase::Answer => self.answer.contains(variable),
        }
    }
}

/// JSON that a serializer wrote is JSON.
fn parsed(text: String) -> Json {
    Json::parse(Bytes::from(text)).unwrap_or_else(|_| empty())
}

#[expect(clippy::expect_used, reason = "a constant")]
fn empty() -> Json {
    Json::parse(Bytes::from_static(b"{}")).expect("an empty object is JSON")
}

fn names(connector: &Connector, phase: Phase) -> BTreeSet<String> {
    let uses = connector.uses(phase);
    uses.into_iter().map(|used| used.name).collect()
}

/// The environment variables that the connector names; one that is not set is not there.
fn environment(connector: &Connector, settings: &Settings) -> Json {
    let mut members = serde_json::Map::new();
    for phase in [Phase::Request, Phase::Answer] {
        let uses = connector.uses(phase);
        for used in uses.iter().filter(|used| used.name == "env") {
            for field in &used.fields {
                if let Some(value) = settings.environment.get(&field.name) {
                    members.insert(field.name.clone(), value.as_str().into());
                }
            }
        }
    }
    parsed(serde_json::Value::Object(members).to_string())
}
