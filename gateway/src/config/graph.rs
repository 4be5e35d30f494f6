//! `graph`: the graph to serve, as a supergraph or as subgraphs.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use schema::diagnostic::{Code, Diagnostic, Severity, nearest};
use schema::link::{AccessDirectives, LinkOptions};
use schema::override_label;
use schema::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use url::Url;

use super::raw::{Named, Text};
use super::reader::Reader;
use super::setting::{Bytes, Percentage, Setting};

/// The graph to serve.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The SDL files.
    pub files: GraphFiles,
    /// Whether clients may query the schema.
    pub introspection: Introspection,
    /// Whether the graph may have features of drafts, and directives that are not enforced.
    pub link: LinkOptions,
    /// Maximum number of prepared operations in memory.
    pub prepared_operations: NonZeroUsize,
    /// Maximum bytes of the cached prepared operations.
    pub operation_cache_size: NonZeroUsize,
    /// Progressive overrides by label.
    pub override_labels: BTreeMap<String, OverrideLabel>,
}

/// The share of requests for which an override label is active.
#[derive(Clone, Debug)]
pub struct OverrideLabel {
    /// Percentage of requests, from 0 to 100.
    pub percent: f64,
    /// The label in the file, for diagnostics.
    pub span: Span,
}

/// The SDL files of a graph.
#[derive(Clone, Debug)]
pub enum GraphFiles {
    /// A supergraph from a composition tool.
    Supergraph(SchemaFile),
    /// Subgraphs in the order of the configuration.
    Subgraphs(Vec<SubgraphFile>),
}

/// An SDL file.
#[derive(Clone, Debug)]
pub struct SchemaFile {
    /// As written: relative to the folder of the configuration.
    pub path: PathBuf,
    /// The path in the configuration, for diagnostics; `None` if from the command line.
    pub span: Option<Span>,
}

/// One subgraph.
#[derive(Clone, Debug)]
pub struct SubgraphFile {
    /// The subgraph's name.
    pub name: String,
    /// Its SDL.
    pub file: SchemaFile,
    /// The endpoint of a GraphQL subgraph.
    pub url: Option<Url>,
}

/// Whether `__schema` and `__type` may be queried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Introspection is allowed.
    Allow,
    /// Operations with introspection fields are rejected.
    Refuse,
}

/// `graph` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawGraph {
    /// SDL file of a composed supergraph, relative to the folder of the configuration. Excludes `graph.subgraphs`.
    supergraph: Option<Text<String>>,
    /// Subgraphs by name, which Weir composes. Excludes `graph.supergraph`.
    subgraphs: Option<Named<RawSubgraph>>,
    /// Whether clients may query the schema. GraphiQL needs it.
    #[schemars(extend("default" = INTROSPECTION.to_text()))]
    introspection: Option<Text<bool>>,
    /// Whether subgraphs may use version 0.4 of the connect specification, which is not final.
    #[schemars(extend("default" = EXPERIMENTAL_CONNECT.to_text()))]
    experimental_connect: Option<Text<bool>>,
    /// Whether a graph with `@authenticated`, `@requiresScopes` or `@policy` is served, although Weir does not enforce them: `refuse` or `allow`.
    #[schemars(extend("default" = ACCESS_DIRECTIVES.to_text()))]
    unenforced_access_directives: Option<Text<AccessDirectives>>,
    /// Maximum number of prepared operations in memory; the least recently used one is evicted first.
    #[schemars(extend("default" = PREPARED_OPERATIONS.to_text()))]
    prepared_operations: Option<Text<NonZeroUsize>>,
    /// Maximum memory of the cached prepared operations, estimated. An operation larger than a quarter of it is prepared for each request.
    #[schemars(extend("default" = OPERATION_CACHE_SIZE.to_text()))]
    operation_cache_size: Option<Text<Bytes>>,
    /// Progressive overrides by the label of `@override(from:, label:)`: `true`, `false`, or a percentage of requests such as `12.5%`, drawn for each request. Other labels are inactive, except `percent(N)`, which contains its own percentage.
    override_labels: Option<Named<Text<Percentage>>>,
}

/// One subgraph as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSubgraph {
    /// SDL file, relative to the folder of the configuration. Required.
    schema: Option<Text<String>>,
    /// URL of the subgraph's GraphQL endpoint. Subgraphs with connectors have none: their SDL declares the URLs of sources.
    url: Option<Text<Url>>,
}

impl RawGraph {
    pub(super) fn check(self, reader: &mut Reader<'_>) -> Graph {
        Graph {
            files: graph_files(self.supergraph, self.subgraphs, reader),
            introspection: if reader.value_or(self.introspection, INTROSPECTION) {
                Introspection::Allow
            } else {
                Introspection::Refuse
            },
            link: LinkOptions {
                experimental_connect: reader
                    .value_or(self.experimental_connect, EXPERIMENTAL_CONNECT),
                access_directives: reader
                    .value_or(self.unenforced_access_directives, ACCESS_DIRECTIVES),
            },
            operation_cache_size: reader
                .value_or(self.operation_cache_size, OPERATION_CACHE_SIZE)
                .0,
            prepared_operations: reader.value_or(self.prepared_operations, PREPARED_OPERATIONS),
            override_labels: override_labels(self.override_labels.unwrap_or_default(), reader),
        }
    }
}

fn override_labels(
    raw: Named<Text<Percentage>>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, OverrideLabel> {
    let mut labels = BTreeMap::new();
    for (name, text) in raw.0 {
        if override_label::percent(&name.value).is_some() {
            let message = format!("the label `{}` contains its own percentage", name.value);
            let help = "remove this key, or rename the label".to_owned();
            reader.report_invalid(name.referenced, message, help);
        }
        if let Some(Percentage(percent)) = reader.value(&text) {
            let span = reader.span(name.referenced);
            labels.insert(name.value, OverrideLabel { percent, span });
        }
    }
    labels
}

fn graph_files(
    supergraph: Option<Text<String>>,
    subgraphs: Option<Named<RawSubgraph>>,
    reader: &mut Reader<'_>,
) -> GraphFiles {
    if let (Some(supergraph), Some(_)) = (&supergraph, &subgraphs) {
        let message = "`supergraph` and `subgraphs` exclude each other";
        let help = "remove one of the two".to_owned();
        reader.report_invalid(supergraph.location(), message, help);
    }
    let subgraphs = subgraphs.unwrap_or_default().0.into_iter();
    let subgraphs = subgraphs
        .filter_map(|(name, subgraph)| subgraph.check(name, reader))
        .collect();
    match supergraph {
        None => GraphFiles::Subgraphs(subgraphs),
        Some(supergraph) => GraphFiles::Supergraph(SchemaFile {
            path: reader.value(&supergraph).unwrap_or_default().into(),
            span: Some(reader.span(supergraph.location())),
        }),
    }
}

impl RawSubgraph {
    fn check(self, name: Spanned<String>, reader: &mut Reader<'_>) -> Option<SubgraphFile> {
        if !is_subgraph_name(&name.value) {
            reader.report_invalid(
                name.referenced,
                format!("`{}` is not a valid subgraph name", name.value),
                "use letters, digits, `_` and `-`, and begin with a letter".to_owned(),
            );
        }
        let Some(schema) = self.schema else {
            reader.report_invalid(
                name.referenced,
                format!("the subgraph `{}` has no `schema`", name.value),
                "set the path of its SDL file: `schema: users.graphql`".to_owned(),
            );
            return None;
        };
        Some(SubgraphFile {
            name: name.value,
            url: self.url.and_then(|url| reader.value(&url)),
            file: SchemaFile {
                path: reader.value(&schema)?.into(),
                span: Some(reader.span(schema.location())),
            },
        })
    }
}

impl Graph {
    /// The configured subgraphs; empty for a supergraph, whose subgraphs are in its SDL.
    pub fn subgraphs(&self) -> &[SubgraphFile] {
        match &self.files {
            GraphFiles::Subgraphs(subgraphs) => subgraphs,
            GraphFiles::Supergraph(_) => &[],
        }
    }

    /// Warns of configured labels that are not in `known`, the labels of the graph. Not an error,
    /// because a label disappears from the graph at the end of a rollout.
    pub fn unknown_labels(&self, known: &[schema::types::Name]) -> Vec<Diagnostic> {
        let labels = self.override_labels.iter();
        let unknown = labels.filter(|(name, _)| known.iter().all(|known| **known != ***name));
        unknown
            .map(|(name, label)| {
                let message = format!("the graph has no override with the label `{name}`");
                let near = nearest(name, known.iter().map(|known| &**known));
                let help = near.map(|near| format!("write `{near}`"));
                let code = Code::ConfigInvalidValue;
                let mut warning = Diagnostic::error(code, label.span.clone(), message).help(help);
                warning.severity = Severity::Warning;
                warning
            })
            .collect()
    }

    /// Reports a configuration without SDL files.
    pub(super) fn require_files(&self, reader: &mut Reader<'_>) {
        let GraphFiles::Subgraphs(subgraphs) = &self.files else {
            return;
        };
        if subgraphs.is_empty() && !reader.has_errors() {
            let message = "the configuration has neither `graph.supergraph` nor `graph.subgraphs`";
            let diagnostic = Diagnostic::without_span(Code::ConfigInvalidValue, message);
            reader.push(
                diagnostic.help(
                    "add a subgraph: `graph: { subgraphs: { users: { schema: users.graphql } } }`"
                        .to_owned(),
                ),
            );
        }
    }

    /// Reports a name at `at` that is not a configured subgraph. Names in a supergraph are checked
    /// once its SDL is read.
    pub(super) fn require_subgraph(&self, name: &str, at: Location, reader: &mut Reader<'_>) {
        let GraphFiles::Subgraphs(subgraphs) = &self.files else {
            return;
        };
        let names = || subgraphs.iter().map(|subgraph| subgraph.name.as_str());
        if names().all(|known| known != name) {
            let help = nearest(name, names()).map(|near| format!("write `{near}`"));
            reader.report_invalid(at, format!("there is no subgraph `{name}`"), help);
        }
    }
}

/// The diagnostic of a section for subgraphs that names one, at `span`, that is not in `known`.
pub(super) fn unknown_subgraph(name: &str, span: Span, known: &BTreeSet<&str>) -> Diagnostic {
    let message = format!("the graph has no subgraph `{name}`");
    let near = nearest(name, known.iter().copied());
    let help = near.map(|near| format!("write `{near}`"));
    Diagnostic::error(Code::ConfigInvalidValue, span, message).help(help)
}

/// Whether a subgraph may have this name, which appears in logs, file names and configuration keys.
pub fn is_subgraph_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl Setting for AccessDirectives {
    const EXPECTED: &'static str = "a decision";
    const EXAMPLE: &'static str = "`refuse` or `allow`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "refuse" => Some(Self::Refuse),
            "allow" => Some(Self::Allow),
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Refuse => "refuse".to_owned(),
            Self::Allow => "allow".to_owned(),
        }
    }

    fn json_schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "enum": ["refuse", "allow"] })
    }
}

/// Default of `unenforced_access_directives`: what the graph protects is not served to everybody.
const ACCESS_DIRECTIVES: AccessDirectives = AccessDirectives::Refuse;

/// Default of `introspection`: GraphiQL works, and hiding a schema is an explicit decision.
const INTROSPECTION: bool = true;

/// Default of `experimental_connect`: a draft may change its meaning.
const EXPERIMENTAL_CONNECT: bool = false;

/// Default number of prepared operations: several times those of a large application, about 10 MB.
const PREPARED_OPERATIONS: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();

/// Default maximum bytes of cached operations: a usual one has 20 to 200 KiB.
const OPERATION_CACHE_SIZE: Bytes = Bytes(NonZeroUsize::new(64 * 1024 * 1024).unwrap());
