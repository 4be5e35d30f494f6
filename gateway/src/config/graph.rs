//! `graph`: which subgraphs are served.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::link::LinkOptions;
use schema::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::reader::Reader;
use super::setting::Setting;
use super::written::{Named, Text};

/// What is served.
#[derive(Clone, Debug)]
pub struct Graph {
    /// In the order of the file.
    pub subgraphs: Vec<SubgraphFile>,
    /// Whether clients may read the schema.
    pub introspection: Introspection,
    /// What is allowed beyond the released dialects.
    pub link: LinkOptions,
    /// How many prepared operations are kept.
    pub prepared_operations: NonZeroUsize,
}

/// Where the SDL of one subgraph is.
#[derive(Clone, Debug)]
pub struct SubgraphFile {
    /// The subgraph's name.
    pub name: String,
    /// As written: relative to the folder of the configuration.
    pub path: PathBuf,
    /// Where the configuration names it, for diagnostics about the file.
    pub span: Span,
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
pub(super) struct Written {
    /// The subgraphs by name.
    subgraphs: Option<Named<WrittenSubgraph>>,
    /// Whether clients may read the schema. GraphiQL needs it.
    #[schemars(extend("default" = INTROSPECTION.written()))]
    introspection: Option<Text<bool>>,
    /// Whether subgraphs may use version 0.4 of the connect specification, which may still change.
    #[schemars(extend("default" = EXPERIMENTAL_CONNECT.written()))]
    experimental_connect: Option<Text<bool>>,
    /// How many operations are kept ready to run; the least recently used goes first.
    #[schemars(extend("default" = PREPARED_OPERATIONS.written()))]
    prepared_operations: Option<Text<NonZeroUsize>>,
}

/// One subgraph as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct WrittenSubgraph {
    /// The file with its SDL, relative to the folder of the configuration. Required.
    schema: Option<Text<String>>,
}

impl Written {
    pub(super) fn check(self, reader: &mut Reader<'_>) -> Graph {
        let subgraphs = self.subgraphs.unwrap_or_default();
        Graph {
            subgraphs: subgraphs
                .0
                .into_iter()
                .filter_map(|(name, subgraph)| subgraph.check(name, reader))
                .collect(),
            introspection: if reader.or(self.introspection, INTROSPECTION) {
                Introspection::Allow
            } else {
                Introspection::Refuse
            },
            link: LinkOptions {
                experimental_connect: reader.or(self.experimental_connect, EXPERIMENTAL_CONNECT),
            },
            prepared_operations: reader.or(self.prepared_operations, PREPARED_OPERATIONS),
        }
    }
}

impl WrittenSubgraph {
    fn check(self, name: Spanned<String>, reader: &mut Reader<'_>) -> Option<SubgraphFile> {
        if !is_subgraph_name(&name.value) {
            reader.refuse(
                name.referenced,
                format!("`{}` cannot be the name of a subgraph", name.value),
                "use letters, digits, `_` and `-`, and begin with a letter".to_owned(),
            );
        }
        let Some(schema) = self.schema else {
            reader.refuse(
                name.referenced,
                format!("the subgraph `{}` has no `schema`", name.value),
                "name the file with its SDL: `schema: users.graphql`".to_owned(),
            );
            return None;
        };
        Some(SubgraphFile {
            name: name.value,
            path: reader.value(&schema)?.into(),
            span: reader.span(schema.at()),
        })
    }
}

impl Graph {
    /// Reports a configuration that serves nothing.
    pub(super) fn demand_subgraphs(&self, reader: &mut Reader<'_>) {
        if self.subgraphs.is_empty() && !reader.has_errors() {
            let message = "the configuration names no subgraph under `graph.subgraphs`";
            let diagnostic = Diagnostic::unplaced(Code::ConfigInvalidValue, message);
            reader.push(diagnostic.help(
                "write for example `graph: { subgraphs: { users: { schema: users.graphql } } }`"
                    .to_owned(),
            ));
        }
    }

    /// Reports a name at `at` that is no subgraph's.
    pub(super) fn demand(&self, name: &str, at: Location, reader: &mut Reader<'_>) {
        let names = || self.subgraphs.iter().map(|subgraph| subgraph.name.as_str());
        if names().all(|known| known != name) {
            let help = nearest(name, names()).map(|near| format!("write `{near}`"));
            reader.refuse(at, format!("there is no subgraph `{name}`"), help);
        }
    }
}

fn is_subgraph_name(name: &str) -> bool {
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
