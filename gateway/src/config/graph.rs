//! `graph`: what is served, as a supergraph or as subgraphs.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use schema::diagnostic::{Code, Diagnostic, Severity, nearest};
use schema::link::LinkOptions;
use schema::override_label;
use schema::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use url::Url;

use super::raw::{Named, Text};
use super::reader::Reader;
use super::setting::{Percentage, Setting};

/// What is served.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Which files make it.
    pub files: GraphFiles,
    /// Whether clients may read the schema.
    pub introspection: Introspection,
    /// What is allowed beyond the released dialects.
    pub link: LinkOptions,
    /// How many prepared operations are kept.
    pub prepared_operations: NonZeroUsize,
    /// When overrides are on, by their labels.
    pub override_labels: BTreeMap<String, OverrideLabel>,
}

/// What is decided about one label of overrides.
#[derive(Clone, Debug)]
pub struct OverrideLabel {
    /// For so many of a hundred requests it is on.
    pub percent: f64,
    /// Where the configuration names it, for diagnostics.
    pub span: Span,
}

/// Which files make a graph.
#[derive(Clone, Debug)]
pub enum GraphFiles {
    /// One that a composer has written.
    Supergraph(SchemaFile),
    /// One for each subgraph, in the order of the configuration.
    Subgraphs(Vec<SubgraphFile>),
}

/// A file with SDL.
#[derive(Clone, Debug)]
pub struct SchemaFile {
    /// As written: relative to the folder of the configuration.
    pub path: PathBuf,
    /// Where the configuration names it, for diagnostics; `None` when the command line does.
    pub span: Option<Span>,
}

/// One subgraph.
#[derive(Clone, Debug)]
pub struct SubgraphFile {
    /// The subgraph's name.
    pub name: String,
    /// Its SDL.
    pub file: SchemaFile,
    /// Where the service is, when it speaks GraphQL.
    pub url: Option<Url>,
}

/// Whether `__schema` and `__type` are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Answered.
    Allow,
    /// Refused.
    Refuse,
}

/// `graph` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawGraph {
    /// The file with a supergraph that a composer has written, relative to the folder of the configuration; in place of `graph.subgraphs`.
    supergraph: Option<Text<String>>,
    /// The subgraphs by name, which Weir composes; in place of `graph.supergraph`.
    subgraphs: Option<Named<RawSubgraph>>,
    /// Whether clients may read the schema. GraphiQL needs it.
    #[schemars(extend("default" = INTROSPECTION.to_text()))]
    introspection: Option<Text<bool>>,
    /// Whether subgraphs may use version 0.4 of the connect specification, which may still change.
    #[schemars(extend("default" = EXPERIMENTAL_CONNECT.to_text()))]
    experimental_connect: Option<Text<bool>>,
    /// How many operations are kept ready to run; the least recently used goes first.
    #[schemars(extend("default" = PREPARED_OPERATIONS.to_text()))]
    prepared_operations: Option<Text<NonZeroUsize>>,
    /// For which requests overrides are on, by the label of `@override(from:, label:)`: `true`, `false`, or a part of all, such as `12.5%`, drawn for each request. Labels that are not named are off, but for `percent(N)`, which says so itself.
    override_labels: Option<Named<Text<Percentage>>>,
}

/// One subgraph as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSubgraph {
    /// The file with its SDL, relative to the folder of the configuration. Required.
    schema: Option<Text<String>>,
    /// Where the service is that speaks GraphQL, with the path of its endpoint. Connectors say themselves where theirs is.
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
            },
            prepared_operations: reader.value_or(self.prepared_operations, PREPARED_OPERATIONS),
            override_labels: override_labels(self.override_labels.unwrap_or_default(), reader),
        }
    }
}

fn override_labels(
    written: Named<Text<Percentage>>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, OverrideLabel> {
    let mut labels = BTreeMap::new();
    for (name, share) in written.0 {
        if override_label::percent(&name.value).is_some() {
            let message = format!("the label `{}` says itself when it is on", name.value);
            let help = "leave it out, or give the label another name".to_owned();
            reader.report_invalid(name.referenced, message, help);
        }
        if let Some(Percentage(percent)) = reader.value(&share) {
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
        let message = "a graph is one supergraph or made of subgraphs, not both";
        let help = "keep `supergraph` or `subgraphs`".to_owned();
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
                format!("`{}` cannot be the name of a subgraph", name.value),
                "use letters, digits, `_` and `-`, and begin with a letter".to_owned(),
            );
        }
        let Some(schema) = self.schema else {
            reader.report_invalid(
                name.referenced,
                format!("the subgraph `{}` has no `schema`", name.value),
                "name the file with its SDL: `schema: users.graphql`".to_owned(),
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
    /// The subgraphs that it is made of; none of a supergraph, whose own are not known yet.
    pub fn subgraphs(&self) -> &[SubgraphFile] {
        match &self.files {
            GraphFiles::Subgraphs(subgraphs) => subgraphs,
            GraphFiles::Supergraph(_) => &[],
        }
    }

    /// Warns of labels that a graph does not have, `known` being all that it has: a rollout that
    /// has come to its end is no reason not to start.
    pub fn unknown_labels(&self, known: &[schema::types::Name]) -> Vec<Diagnostic> {
        let labels = self.override_labels.iter();
        let unknown = labels.filter(|(name, _)| known.iter().all(|known| **known != ***name));
        unknown
            .map(|(name, label)| {
                let message = format!("no override of the graph has the label `{name}`");
                let near = nearest(name, known.iter().map(|known| &**known));
                let help = near.map(|near| format!("write `{near}`"));
                let code = Code::ConfigInvalidValue;
                let mut warning = Diagnostic::error(code, label.span.clone(), message).help(help);
                warning.severity = Severity::Warning;
                warning
            })
            .collect()
    }

    /// Reports a configuration that serves nothing.
    pub(super) fn require_files(&self, reader: &mut Reader<'_>) {
        let GraphFiles::Subgraphs(subgraphs) = &self.files else {
            return;
        };
        if subgraphs.is_empty() && !reader.has_errors() {
            let message =
                "the configuration names no supergraph and no subgraph under `graph.subgraphs`";
            let diagnostic = Diagnostic::without_span(Code::ConfigInvalidValue, message);
            reader.push(diagnostic.help(
                "write for example `graph: { subgraphs: { users: { schema: users.graphql } } }`"
                    .to_owned(),
            ));
        }
    }

    /// Reports a name at `at` that is no subgraph's; those of a supergraph are known later.
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

/// Whether a subgraph can be called so; names go into the log, into files and into paths of keys.
pub fn is_subgraph_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A graph that nobody can read is a decision, not an accident.
const INTROSPECTION: bool = true;

/// What may change its meaning should be chosen by who can bear that.
const EXPERIMENTAL_CONNECT: bool = false;

/// Several times the documents of a large application, and some ten megabytes.
const PREPARED_OPERATIONS: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();
