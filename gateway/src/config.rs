//! The configuration: one YAML file, its sections, and their order.
//!
//! Every section lives in its own file and has two forms: `Written`, as a person wrote it, and a
//! checked form that is ready to use. Nothing here opens a socket or reads a file; whoever loads
//! a configuration hands its text in, and gets every problem of it at once.

pub mod admin;
pub mod cache;
pub mod connectors;
pub mod graph;
mod headers;
pub mod limits;
pub mod listen;
pub mod log;
pub mod services;
pub mod shutdown;

pub mod docs;
pub mod expand;
pub(crate) mod node;
mod raw;
pub(crate) mod reader;
pub mod secret;
mod setting;
mod shape;

use schema::diagnostic::Diagnostic;
use schema::span::Document;
use schemars::JsonSchema;
use serde::Deserialize;

use self::admin::Admin;
use self::cache::Cache;
use self::connectors::Connectors;
use self::expand::Environment;
use self::graph::Graph;
use self::limits::Limits;
use self::listen::Listen;
use self::log::Log;
use self::raw::Named;
use self::reader::Reader;
use self::services::SubgraphConfigs;
use self::shutdown::Shutdown;

/// Everything an operator decides. Holding one means that it is usable.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where requests arrive.
    pub listen: Listen,
    /// What one request may ask for.
    pub limits: Limits,
    /// What is served.
    pub graph: Graph,
    /// The services behind the graph that speak GraphQL.
    pub services: SubgraphConfigs,
    /// The REST services behind the graph.
    pub connectors: Connectors,
    /// What is kept of what they give.
    pub cache: Cache,
    /// What operators can do.
    pub admin: Admin,
    /// What is said while running.
    pub log: Log,
    /// How running ends.
    pub shutdown: Shutdown,
}

/// The whole file as written.
///
/// Unknown keys are refused by `shape`, which reports all of them; `deny_unknown_fields` is told
/// to the JSON Schema only, because serde would stop at the first.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(title = "Configuration of Weir", deny_unknown_fields)]
#[serde(default)]
struct RawConfig {
    /// Where requests arrive, and how long a client may take to send one.
    listen: Option<listen::RawListen>,
    /// What one request may ask for.
    limits: Option<limits::RawLimits>,
    /// What is served.
    graph: Option<graph::RawGraph>,
    /// How the services are asked that speak GraphQL, by the names of their subgraphs.
    services: Option<Named<services::RawSubgraphConfig>>,
    /// The REST services behind the graph.
    connectors: Option<connectors::RawConnectors>,
    /// What is kept of what services give, where, and for how long (`docs/caching.md`).
    cache: Option<cache::RawCache>,
    /// A socket for operators, and who may be told what was done for an answer (`docs/operations.md`).
    admin: Option<admin::RawAdmin>,
    /// What is said while running.
    log: Option<log::RawLog>,
    /// How running ends.
    shutdown: Option<shutdown::RawShutdown>,
}

impl Config {
    /// Reads a configuration; `None` when there is an error among the diagnostics.
    ///
    /// Diagnostics come in the order of the file.
    pub fn read(document: &Document, environment: &Environment) -> (Option<Self>, Vec<Diagnostic>) {
        let mut reader = Reader::new(document, environment);
        let written: Option<RawConfig> = reader.parse_with_schema(&docs::json_schema());
        let config = written.map(|written| {
            let config = written.check(&mut reader);
            config.graph.require_files(&mut reader);
            config
        });
        let problems = reader.into_problems();
        let config = config.filter(|_| !problems.has_errors());
        (config, sorted_by_position(problems.into_vec()))
    }

    /// What an empty file means, for the graph that comes with the binary.
    pub fn without_file() -> Self {
        let document = Document::new("", "");
        let environment = Environment::default();
        RawConfig::default().check(&mut Reader::new(&document, &environment))
    }
}

impl RawConfig {
    fn check(self, reader: &mut Reader<'_>) -> Config {
        let graph = self.graph.unwrap_or_default().check(reader);
        let services = self.services.unwrap_or_default();
        let connectors = self.connectors.unwrap_or_default();
        Config {
            listen: self.listen.unwrap_or_default().check(reader),
            limits: self.limits.unwrap_or_default().check(reader),
            services: services::check(services, &graph, reader),
            connectors: connectors.check(&graph, reader),
            cache: self.cache.unwrap_or_default().check(&graph, reader),
            admin: admin::check(self.admin.unwrap_or_default(), reader),
            log: self.log.unwrap_or_default().check(reader),
            shutdown: self.shutdown.unwrap_or_default().check(reader),
            graph,
        }
    }
}

fn sorted_by_position(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| {
        let first = diagnostic.labels.first();
        first.map_or(0, |label| label.span.range.start)
    });
    diagnostics
}
