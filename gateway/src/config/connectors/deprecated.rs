//! Deprecated keys of `connectors`, which published graphs use.
//!
//! Each key is read as its replacement; `shape` warns about it by means of `x-instead` in the JSON
//! Schema. Setting both a key and its replacement is an error, even if the values are equal.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schema::diagnostic::{Code, Diagnostic};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use url::Url;

use super::{Connectors, Source};
use crate::config::node::Node;
use crate::config::raw::{Named, Text};
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::setting::Setting;

/// `connectors.subgraphs.<name>` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct DeprecatedSubgraph {
    #[serde(rename = "$config")]
    #[schemars(
        with = "BTreeMap<String, serde_json::Value>",
        extend("deprecated" = true, "x-instead" = "connectors.sources.<subgraph>.<source>.$config")
    )]
    config: Option<Spanned<Node>>,
    #[schemars(extend("deprecated" = true))]
    sources: Option<Named<DeprecatedSource>>,
}

/// `connectors.subgraphs.<name>.sources.<name>` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct DeprecatedSource {
    #[schemars(
        extend("deprecated" = true, "x-instead" = "connectors.sources.<subgraph>.<source>.url")
    )]
    override_url: Option<Text<Url>>,
    #[schemars(extend(
        "deprecated" = true,
        "x-instead" = "connectors.sources.<subgraph>.<source>.calls_per_operation"
    ))]
    max_requests_per_operation: Option<Text<NonZeroUsize>>,
    #[serde(rename = "$config")]
    #[schemars(
        with = "BTreeMap<String, serde_json::Value>",
        extend("deprecated" = true, "x-instead" = "connectors.sources.<subgraph>.<source>.$config")
    )]
    config: Option<Spanned<Node>>,
}

/// The value of a key or of its deprecated spelling.
pub(super) fn current_or_deprecated<T: Setting>(
    current: Option<Text<T>>,
    deprecated: Option<Text<T>>,
    reader: &mut Reader<'_>,
) -> Option<T> {
    if let (Some(_), Some(old)) = (&current, &deprecated) {
        report_duplicate(old.location(), reader);
    }
    current.or(deprecated).and_then(|text| reader.value(&text))
}

impl DeprecatedSubgraph {
    /// Adds the settings of the subgraph `name` to `connectors`.
    pub(super) fn check(self, name: &str, connectors: &mut Connectors, reader: &mut Reader<'_>) {
        for (source_name, raw) in self.sources.unwrap_or_default().0 {
            let name = format!("{name}.{}", source_name.value);
            let source = connectors.sources.entry(name);
            let source = source.or_insert_with(|| Source {
                span: Some(reader.span(source_name.referenced)),
                ..Source::with_url(None)
            });
            raw.check(source, reader);
        }
        if let Some(config) = self.config {
            warn_replaced_config(name, config.referenced, connectors, reader);
            let config = Secret::new(reader.json(&config));
            connectors.subgraphs.insert(name.to_owned(), config);
        }
    }
}

impl DeprecatedSource {
    fn check(self, source: &mut Source, reader: &mut Reader<'_>) {
        set_once(self.override_url, &mut source.url, reader);
        set_once(
            self.max_requests_per_operation,
            &mut source.max_calls,
            reader,
        );
        if let Some(config) = self.config {
            if has_config(source) {
                report_duplicate(config.referenced, reader);
            }
            source.config = Secret::new(reader.json(&config));
        }
    }
}

fn set_once<T: Setting>(text: Option<Text<T>>, value: &mut Option<T>, reader: &mut Reader<'_>) {
    let Some(text) = text else { return };
    if value.is_some() {
        report_duplicate(text.location(), reader);
    }
    *value = reader.value(&text);
}

fn report_duplicate(at: Location, reader: &mut Reader<'_>) {
    let help = "remove this key, which is deprecated".to_owned();
    reader.report_invalid(at, "the key and its replacement are both set", help);
}

/// Warns that the `$config` of a subgraph replaces those of its sources, as the dialect specifies.
fn warn_replaced_config(
    name: &str,
    at: Location,
    connectors: &Connectors,
    reader: &mut Reader<'_>,
) {
    let sources = connectors.sources.iter();
    let of_subgraph = sources.filter(|(source, _)| {
        let subgraph = source.split_once('.').map(|(subgraph, _)| subgraph);
        subgraph == Some(name)
    });
    for (source, _) in of_subgraph.filter(|(_, source)| has_config(source)) {
        let message = format!("this replaces the whole `$config` of `{source}`");
        let span = reader.span(at);
        reader.push(Diagnostic::warning(Code::ConfigOldSpelling, span, message));
    }
}

fn has_config(source: &Source) -> bool {
    source
        .config
        .reveal()
        .as_object()
        .is_some_and(|members| !members.is_empty())
}
