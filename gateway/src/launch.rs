//! A configuration and a graph become a gateway that listens.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use resolvers::settings::{Introspection, Limits, Reports, Settings, SourceSettings};
use resolvers::{Engine, EngineError};
use schema::graph::Graph;
use schema::source::Access;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::connectors::{self, Connectors, Source};
use crate::config::shutdown::Shutdown;
use crate::config::{Config, expand, graph};
use crate::routes;
use crate::server::{self, Service};
use crate::tasks::Unfinished;

/// A gateway whose socket is open; it answers while it runs.
#[derive(Debug)]
pub struct Gateway {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
    shutdown: Shutdown,
    stop: CancellationToken,
}

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine could not be made.
    #[error("the graph cannot be served")]
    Engine(#[from] EngineError),
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen at {address}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Gateway {
    /// Opens the socket that `config` names; with port 0, `address` says which it became.
    ///
    /// Stops, in the manner of `server::serve`, when `stop` is cancelled.
    pub async fn bind(
        config: &Config,
        graph: Arc<Graph>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        if config.connectors.reports == connectors::Reports::Show {
            tracing::warn!("`connectors.reports` shows clients what mappings met: for development");
        }
        let settings = settings(config, &graph);
        for name in graph.environment() {
            if !settings.environment.contains_key(&name) {
                tracing::info!(name, "connectors read this variable, and it is not set");
            }
        }
        let engine = Engine::new(graph, settings)?;
        let app = App {
            engine,
            limits: config.limits.clone(),
            listen: config.listen.clone(),
            stop: stop.clone(),
        };
        let failed = |source| StartError::Listen {
            address: config.listen.address,
            source,
        };
        let listener = TcpListener::bind(config.listen.address)
            .await
            .map_err(failed)?;
        Ok(Self {
            address: listener.local_addr().map_err(failed)?,
            listener,
            service: Service::new(routes::router(app), &config.listen),
            shutdown: config.shutdown,
            stop,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is told to stop; an error names what was still running then.
    pub async fn run(self) -> Result<(), Unfinished> {
        server::serve(self.listener, self.service, self.stop, self.shutdown).await
    }
}

/// What the engine of `graph` needs to know of the configuration, and of the environment.
pub fn settings(config: &Config, graph: &Graph) -> Settings {
    Settings {
        sources: sources(&config.connectors, graph),
        limits: Limits {
            depth: config.limits.depth.get(),
            tokens: config.limits.tokens.get(),
            fields: config.limits.fields.get(),
            source_body: config.connectors.answer_size.get(),
            source_url: SOURCE_URL,
            errors: config.limits.errors.get(),
        },
        operation_timeout: config.limits.operation_timeout,
        source_timeout: config.connectors.timeout,
        source_calls: config.connectors.calls,
        environment: expand::variables(graph.environment()),
        reports: match config.connectors.reports {
            connectors::Reports::Show => Reports::Show,
            connectors::Reports::Hide => Reports::Hide,
        },
        prepared_operations: config.graph.prepared_operations,
        introspection: match config.graph.introspection {
            graph::Introspection::Allow => Introspection::Allow,
            graph::Introspection::Refuse => Introspection::Refuse,
        },
    }
}

fn sources(connectors: &Connectors, graph: &Graph) -> BTreeMap<String, SourceSettings> {
    let configured = connectors.sources.iter();
    let mut sources: BTreeMap<_, _> = configured
        .map(|(name, source)| (name.clone(), source_settings(source)))
        .collect();
    for (_, source) in graph.sources() {
        let Access::Connector(connector) = &source.access;
        let config = connectors.subgraphs.get(&*source.service);
        if let (Some(name), Some(config)) = (&connector.source, config) {
            let settings = sources.entry(name.to_string()).or_default();
            settings.config = config.reveal().clone();
        }
    }
    sources
}

fn source_settings(source: &Source) -> SourceSettings {
    SourceSettings {
        url: source.url.clone(),
        config: source.config.reveal().clone(),
        headers: source.headers.clone(),
        timeout: source.timeout,
        calls: source.calls,
    }
}

/// What every server takes (RFC 9110 §4.1).
const SOURCE_URL: usize = 8_000;
