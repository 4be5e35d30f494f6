//! The configuration: one YAML file, its sections, and their order.
//!
//! Each section has its own module and two forms: a `Raw…` type as written in the file, and a
//! checked type that is ready to use. Nothing here opens a socket or reads a file: callers pass
//! the text, and receive all problems at once.

pub mod admin;
pub mod cache;
pub mod connectors;
pub mod errors;
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
use self::errors::Errors;
use self::expand::Environment;
use self::graph::Graph;
use self::limits::Limits;
use self::listen::Listen;
use self::log::Log;
use self::raw::Named;
use self::reader::Reader;
use self::services::SubgraphConfigs;
use self::shutdown::Shutdown;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The socket for clients.
    pub listen: Listen,
    /// Limits on requests and operations.
    pub limits: Limits,
    /// The graph to serve.
    pub graph: Graph,
    /// GraphQL subgraphs.
    pub services: SubgraphConfigs,
    /// REST sources.
    pub connectors: Connectors,
    /// The entity cache.
    pub cache: Cache,
    /// What clients see of errors that sources return.
    pub errors: Errors,
    /// The admin socket and access to traces.
    pub admin: Admin,
    /// Log format and level.
    pub log: Log,
    /// Graceful shutdown.
    pub shutdown: Shutdown,
}

/// The whole file as written.
///
/// `shape` rejects unknown keys, because serde would report only the first one;
/// `deny_unknown_fields` is for the JSON Schema alone.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(title = "Configuration of Weir", deny_unknown_fields)]
#[serde(default)]
struct RawConfig {
    /// The socket for clients, and timeouts for a request and its response.
    listen: Option<listen::RawListen>,
    /// Limits on requests and operations.
    limits: Option<limits::RawLimits>,
    /// The graph to serve: subgraphs or a supergraph.
    graph: Option<graph::RawGraph>,
    /// Requests to GraphQL subgraphs, by subgraph name.
    services: Option<Named<services::RawSubgraphConfig>>,
    /// Calls to REST sources.
    connectors: Option<connectors::RawConnectors>,
    /// The entity cache: what it stores, where, and for how long (`docs/caching.md`).
    cache: Option<cache::RawCache>,
    /// What clients see of errors that sources return (`docs/errors.md`).
    errors: Option<errors::RawErrors>,
    /// The admin socket, and which clients may request a trace of their operation (`docs/operations.md`).
    admin: Option<admin::RawAdmin>,
    /// Log format and level.
    log: Option<log::RawLog>,
    /// Graceful shutdown.
    shutdown: Option<shutdown::RawShutdown>,
}

impl Config {
    /// Reads a configuration; `None` if the diagnostics contain an error.
    ///
    /// Diagnostics have the order of the file.
    pub fn read(document: &Document, environment: &Environment) -> (Option<Self>, Vec<Diagnostic>) {
        let mut reader = Reader::new(document, environment);
        let raw: Option<RawConfig> = reader.parse_with_schema(&docs::json_schema());
        let config = raw.map(|raw| {
            let config = raw.check(&mut reader);
            config.graph.require_files(&mut reader);
            config
        });
        let problems = reader.into_problems();
        let config = config.filter(|_| !problems.has_errors());
        (config, sorted_by_position(problems.into_vec()))
    }

    /// The defaults, for a graph that the command line or the binary supplies.
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
            errors: self.errors.unwrap_or_default().check(&graph, reader),
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
