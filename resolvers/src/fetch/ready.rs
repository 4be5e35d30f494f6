//! A source with what the operator decided about it, made once for an engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use schema::connector::{Connector, HeaderValue as From};
use schema::json::Json;
use schema::mapping::Mapping;
use schema::source::{Access, Source};
use schema::template::Template;
use schema::types::Name;

use crate::settings::Settings;

/// Everything about a source that does not change from call to call.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) service: Name,
    pub(crate) coordinate: Name,
    pub(crate) timeout: Duration,
    /// Instead of the graph's `baseURL`.
    pub(crate) base: Option<Template>,
    pub(crate) config: Json,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    request: BTreeSet<String>,
    answer: BTreeSet<String>,
}

/// A part of a call, which has variables of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Request,
    Answer,
}

impl Ready {
    /// `source` with its settings.
    pub(crate) fn new(source: &Source, settings: &Settings) -> Self {
        let Access::Connector(connector) = &source.access;
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
            headers: own.map(|own| own.headers.clone()).unwrap_or_default(),
            request: request_variables(connector),
            answer: answer_variables(connector),
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

fn request_variables(connector: &Connector) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut mappings: Vec<&Arc<Mapping>> = Vec::new();
    for location in connector.base.iter().chain([&connector.own]) {
        names.extend(location.url.variables().into_iter().map(|it| it.name));
        mappings.extend(location.path.iter().chain(&location.query));
    }
    for header in &connector.headers {
        if let From::Template(template) = &header.value {
            names.extend(template.variables().into_iter().map(|it| it.name));
        }
    }
    mappings.extend(&connector.body);
    add(&mappings, &mut names);
    names
}

fn answer_variables(connector: &Connector) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut mappings = vec![&connector.selection];
    mappings.extend(&connector.is_success);
    mappings.extend(&connector.error_message);
    mappings.extend(&connector.error_extensions);
    add(&mappings, &mut names);
    names
}

fn add(mappings: &[&Arc<Mapping>], names: &mut BTreeSet<String>) {
    for mapping in mappings {
        names.extend(mapping.variables().into_iter().map(|it| it.name));
    }
}
