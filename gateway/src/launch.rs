//! A configuration and a graph become a gateway that listens.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use resolvers::invalidation::{CurrentNames, Names};
use resolvers::local::LocalService;
use resolvers::settings::{
    Batching, Introspection, Limits, Reports, Settings, SourceSettings, SubgraphSettings,
};
use resolvers::{Engine, EngineError};
use schema::graph::Graph;
use schema::source::Access;
use schema::types::Name;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::app::App;
use crate::config::connectors::{self, Connectors, Source};
use crate::config::services::SubgraphConfigs;
use crate::config::shutdown::Shutdown;
use crate::config::{Config, expand, graph};
use crate::endpoint::admin::Admin;
use crate::routes;
use crate::server::{self, HttpService};
use crate::tasks::{Tasks, Unfinished};

mod caching;
mod vary;

/// A gateway whose sockets are open; it answers while it runs.
#[derive(Debug)]
pub struct Gateway {
    sockets: Vec<(TcpListener, HttpService)>,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    shutdown: Shutdown,
    stop: CancellationToken,
    /// What the cache does beside answering.
    background: Tasks,
}

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine could not be made.
    #[error("the graph cannot be served")]
    Engine(#[from] EngineError),
    /// Nothing is mounted as this service, and there is no URL for it.
    #[error("nobody says where the service `{0}` is")]
    NoUrl(String),
    /// Something is mounted under a name that no subgraph has that speaks GraphQL.
    #[error("the graph has no service `{0}` that speaks GraphQL, so nothing can be mounted as it")]
    NotAService(String),
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

/// A gateway that is being put together.
#[derive(Debug)]
pub struct Builder<'a> {
    config: &'a Config,
    graph: Arc<Graph>,
    local: BTreeMap<String, Arc<dyn LocalService>>,
}

impl Builder<'_> {
    /// Has `service` asked for what the subgraph called `subgraph` gives, in this process,
    /// wherever else the graph says that the service is.
    #[must_use]
    pub fn mount(
        mut self,
        subgraph: impl Into<String>,
        service: impl LocalService + 'static,
    ) -> Self {
        self.local.insert(subgraph.into(), Arc::new(service));
        self
    }

    /// Opens the sockets that the configuration names; with port 0, `address` says which it became.
    ///
    /// Stops, in the manner of `server::serve`, when `stop` is cancelled.
    pub async fn bind(self, stop: CancellationToken) -> Result<Gateway, StartError> {
        let (config, graph) = (self.config, Arc::clone(&self.graph));
        let mut settings = self.settings()?;
        if config.connectors.reports == connectors::Reports::Show {
            tracing::warn!("`connectors.reports` shows clients what mappings met: for development");
        }
        for name in graph.environment_variables() {
            if !settings.environment.contains_key(&name) {
                tracing::info!(name, "connectors read this variable, and it is not set");
            }
        }
        let background = Tasks::default();
        let names = CurrentNames::default();
        names.replace(Names::new(&graph));
        settings.caching = caching::start(&config.cache, &names, &background);
        let cache = settings.caching.as_ref().map(|it| it.cache.clone());
        let app = Arc::new(App {
            vary: vary::vary_header(config, &graph),
            trace_access: config.admin.trace_access.clone(),
            engine: Engine::new(graph, settings)?,
            limits: config.limits.clone(),
            listen: config.listen.clone(),
            stop: stop.clone(),
        });
        let router = routes::router(Arc::clone(&app));
        let (listener, address) = listen(config.listen.address).await?;
        let mut sockets = vec![(listener, HttpService::new(router, &config.listen))];
        let mut admin_address = None;
        if let Some(socket) = &config.admin.socket {
            let key = socket.key.clone();
            let admin = Admin {
                key,
                cache,
                names,
                app,
            };
            let service = HttpService {
                connections: MAX_ADMIN_CONNECTIONS,
                ..HttpService::new(routes::admin_router(admin), &config.listen)
            };
            let (listener, address) = listen(socket.address).await?;
            tracing::info!(%address, "operators are heard");
            admin_address = Some(address);
            sockets.push((listener, service));
        }
        Ok(Gateway {
            sockets,
            address,
            admin_address,
            shutdown: config.shutdown,
            stop,
            background,
        })
    }

    /// The settings with what is mounted; every service is somewhere, and everything has a place.
    fn settings(self) -> Result<Settings, StartError> {
        let is_known = |name: &String| is_subgraph(&self.graph, name);
        if let Some(name) = self.local.keys().find(|name| !is_known(name)) {
            return Err(StartError::NotAService(name.clone()));
        }
        let mut missing = subgraphs_without_url(self.config, &self.graph).into_iter();
        if let Some(name) = missing.find(|name| !self.local.contains_key(&**name)) {
            return Err(StartError::NoUrl(name.to_string()));
        }
        let mut settings = settings(self.config, &self.graph);
        settings.local = self.local;
        Ok(settings)
    }
}

impl Gateway {
    /// A gateway for `graph`, with nothing mounted yet.
    pub fn builder(config: &Config, graph: Arc<Graph>) -> Builder<'_> {
        Builder {
            config,
            graph,
            local: BTreeMap::new(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators are heard, if anywhere.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Answers until it is told to stop; an error names what was still running then.
    pub async fn run(self) -> Result<(), Unfinished> {
        server::serve(self.sockets, self.stop, self.shutdown).await?;
        // With the last request the cache is gone, and its work ends when what it has still to
        // write is written.
        if let Err(unfinished) = self.background.finish_within(CACHE_GRACE).await {
            tracing::warn!(%unfinished, "stopped: the cache had more to write");
        }
        Ok(())
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen_error = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    Ok((listener, address))
}

/// What the engine of `graph` needs to know of the configuration, and of the environment; without a
/// cache, which is started with the gateway.
pub fn settings(config: &Config, graph: &Graph) -> Settings {
    Settings {
        sources: sources(&config.connectors, graph),
        subgraphs: subgraph_settings(&config.services),
        local: BTreeMap::new(),
        limits: Limits {
            depth: config.limits.depth.get(),
            tokens: config.limits.tokens.get(),
            fields: config.limits.fields.get(),
            source_body: config.connectors.max_response_bytes.get(),
            source_url: MAX_URL_BYTES,
            errors: config.limits.errors.get(),
        },
        operation_timeout: config.limits.operation_timeout,
        source_timeout: config.connectors.timeout,
        source_call_limit: config.connectors.max_calls,
        caching: None,
        batching: match config.connectors.batching {
            connectors::Batching::AcrossOperations => Batching::AcrossOperations,
            connectors::Batching::WithinOperation => Batching::WithinOperation,
        },
        environment: expand::process_variables(graph.environment_variables()),
        reports: match config.connectors.reports {
            connectors::Reports::Show => Reports::Show,
            connectors::Reports::Hide => Reports::Hide,
        },
        prepared_operations: config.graph.prepared_operations,
        overrides: config
            .graph
            .override_labels
            .iter()
            .map(|(name, label)| (name.clone(), label.percent))
            .collect(),
        introspection: match config.graph.introspection {
            graph::Introspection::Allow => Introspection::Allow,
            graph::Introspection::Refuse => Introspection::Refuse,
        },
    }
}

/// The services that neither `graph` nor `config` has a URL for, each once.
pub fn subgraphs_without_url(config: &Config, graph: &Graph) -> BTreeSet<Name> {
    let sources = graph.sources().map(|(_, source)| source);
    let without_url = sources.filter(|source| {
        let Access::Graphql(graphql) = &source.access else {
            return false;
        };
        let configured = config.services.0.get(&*source.subgraph);
        let url = graphql.url.as_deref();
        configured.is_none_or(|service| service.url.is_none())
            && url.is_none_or(|url| url.parse::<Url>().is_err())
    });
    without_url
        .map(|source| Arc::clone(&source.subgraph))
        .collect()
}

fn is_subgraph(graph: &Graph, name: &str) -> bool {
    let mut sources = graph.sources();
    sources
        .any(|(_, source)| *source.subgraph == *name && matches!(source.access, Access::Graphql(_)))
}

fn subgraph_settings(services: &SubgraphConfigs) -> BTreeMap<String, SubgraphSettings> {
    let settings = services.0.iter().map(|(name, service)| {
        let settings = SubgraphSettings {
            url: service.url.clone(),
            headers: service.headers.clone(),
            forwarded_headers: service.forward_headers.clone(),
            timeout: service.timeout,
        };
        (name.clone(), settings)
    });
    settings.collect()
}

fn sources(connectors: &Connectors, graph: &Graph) -> BTreeMap<String, SourceSettings> {
    let configured = connectors.sources.iter();
    let mut sources: BTreeMap<_, _> = configured
        .map(|(name, source)| (name.clone(), source_settings(source)))
        .collect();
    for (_, source) in graph.sources() {
        let Access::Connector(connector) = &source.access else {
            continue;
        };
        if let Some(config) = connectors.subgraphs.get(&*source.subgraph) {
            // Connectors that name no source are configured under their subgraph's name.
            let name = connector.source.as_ref().unwrap_or(&source.subgraph);
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
        call_limit: source.max_calls,
    }
}

/// Connections of operators and of what collects numbers.
const MAX_ADMIN_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// What the cache still has to write is written in far less time, unless Redis is down.
const CACHE_GRACE: Duration = Duration::from_secs(1);

/// What every server takes (RFC 9110 §4.1).
const MAX_URL_BYTES: usize = 8_000;
