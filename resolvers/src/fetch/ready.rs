//! A source with what the operator decided about it, made once for an engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use schema::connector::{Connector, HeaderValue as From};
use schema::json::Json;
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
    variables: BTreeSet<String>,
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
            variables: variables(connector),
        }
    }

    /// Whether the connector names `$variable` anywhere.
    pub(crate) fn uses(&self, variable: &str) -> bool {
        self.variables.contains(variable)
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

fn variables(connector: &Connector) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let locations = connector.base.iter().chain([&connector.own]);
    let mut mappings: Vec<_> = Vec::new();
    for location in locations {
        names.extend(location.url.variables().into_iter().map(|it| it.name));
        mappings.extend(location.path.iter().chain(&location.query));
    }
    for header in &connector.headers {
        if let From::Template(template) = &header.value {
            names.extend(template.variables().into_iter().map(|it| it.name));
        }
    }
    mappings.extend(&connector.body);
    mappings.push(&connector.selection);
    mappings.extend(&connector.is_success);
    mappings.extend(&connector.error_message);
    mappings.extend(&connector.error_extensions);
    for mapping in mappings {
        names.extend(mapping.variables().into_iter().map(|it| it.name));
    }
    names
}
