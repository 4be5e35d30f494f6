//! Builds a gateway from a configuration and a graph, and binds its sockets.

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
use crate::respond::warning_log::WarningLog;
use crate::server::{self, HttpService};
use crate::tasks::{Tasks, Unfinished};
use crate::{open_files, routes};

mod caching;
mod vary;

/// A gateway with bound sockets; `run` serves requests.
#[derive(Debug)]
pub struct Gateway {
    sockets: Vec<(TcpListener, HttpService)>,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    shutdown: Shutdown,
    stop: CancellationToken,
    /// Background tasks of the cache.
    background: Tasks,
}

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine rejected the graph or its settings.
    #[error("the graph cannot be served")]
    Engine(#[from] EngineError),
    /// A GraphQL subgraph has neither a URL nor a mounted service.
    #[error("no URL is configured for subgraph `{subgraph}`; {remedy}")]
    NoUrl {
        /// The name of the subgraph.
        subgraph: String,
        /// The key or argument to set, as an imperative.
        remedy: String,
    },
    /// A service is mounted under a name that is not a GraphQL subgraph.
    #[error("cannot mount a service as `{0}`: the graph has no GraphQL subgraph of this name")]
    NotASubgraph(String),
    /// The address is in use, not local, or not permitted.
    #[error("cannot listen at {address}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
}

/// Builds a gateway.
#[derive(Debug)]
pub struct Builder<'a> {
    config: &'a Config,
    graph: Arc<Graph>,
    local: BTreeMap<String, Arc<dyn LocalService>>,
}

impl Builder<'_> {
    /// Executes requests to `subgraph` in this process with `service`, instead of sending them to
    /// the subgraph's URL.
    #[must_use]
    pub fn mount(
        mut self,
        subgraph: impl Into<String>,
        service: impl LocalService + 'static,
    ) -> Self {
        self.local.insert(subgraph.into(), Arc::new(service));
        self
    }

    /// Binds the configured sockets; with port 0, `Gateway::address` is the selected one.
    ///
    /// The gateway shuts down gracefully, as `server::serve` does, when `stop` is cancelled.
    pub async fn bind(self, stop: CancellationToken) -> Result<Gateway, StartError> {
        let (config, graph) = (self.config, Arc::clone(&self.graph));
        let mut settings = self.settings()?;
        log_settings(config, &graph, &settings);
        let background = Tasks::default();
        let names = CurrentNames::default();
        names.replace(Names::new(&graph));
        settings.caching = caching::start(&config.cache, &names, &background);
        let cache = settings.caching.as_ref().map(|it| it.cache.clone());
        let app = Arc::new(App {
            client_max_age: config.cache.client_max_age,
            vary: vary::vary_header(config, &graph),
            errors: config.errors.clone(),
            reports: config.connectors.reports,
            warnings: WarningLog::default(),
            trace_access: config.admin.trace_access.clone(),
            engine: Engine::new(graph, settings)?,
            limits: config.limits.clone(),
            listen: config.listen.clone(),
            log: config.log,
            stop: stop.clone(),
        });
        let (listener, address) = listen(config.listen.address).await?;
        let service = HttpService {
            connections: open_files::allowed_connections(config.listen.connections),
            ..HttpService::new(routes::router(Arc::clone(&app)), &config.listen)
        };
        let mut gateway = Gateway {
            sockets: vec![(listener, service)],
            address,
            admin_address: None,
            shutdown: config.shutdown,
            stop,
            background,
        };
        if let Some(socket) = &config.admin.socket {
            let admin = Admin {
                key: socket.key.clone(),
                cache,
                names,
                app,
            };
            gateway.bind_admin(socket.address, admin).await?;
        }
        Ok(gateway)
    }

    /// The engine's settings with the mounted services. Every mounted service is a subgraph, and
    /// every GraphQL subgraph has a URL or a mounted service.
    fn settings(self) -> Result<Settings, StartError> {
        let is_known = |name: &String| is_subgraph(&self.graph, name);
        if let Some(name) = self.local.keys().find(|name| !is_known(name)) {
            return Err(StartError::NotASubgraph(name.clone()));
        }
        let mut missing = subgraphs_without_url(self.config, &self.graph).into_iter();
        if let Some(name) = missing.find(|name| !self.local.contains_key(&**name)) {
            return Err(StartError::NoUrl {
                subgraph: name.to_string(),
                remedy: missing_url_remedy(self.config, &name),
            });
        }
        let mut settings = settings(self.config, &self.graph);
        settings.local = self.local;
        Ok(settings)
    }
}

impl Gateway {
    /// A builder of a gateway for `graph`, without mounted services.
    pub fn builder(config: &Config, graph: Arc<Graph>) -> Builder<'_> {
        Builder {
            config,
            graph,
            local: BTreeMap::new(),
        }
    }

    /// The address of the socket for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the admin socket, if one is configured.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Serves requests until shutdown; an error names the tasks that did not finish in time.
    pub async fn run(self) -> Result<(), Unfinished> {
        server::serve(self.sockets, self.stop, self.shutdown).await?;
        // The last request dropped the cache; its tasks end once pending writes are done.
        if let Err(unfinished) = self.background.finish_within(CACHE_GRACE).await {
            tracing::warn!(%unfinished, "stopped before all pending cache writes were done");
        }
        Ok(())
    }

    async fn bind_admin(&mut self, address: SocketAddr, admin: Admin) -> Result<(), StartError> {
        let listen_config = admin.app.listen.clone();
        let service = HttpService {
            connections: MAX_ADMIN_CONNECTIONS,
            ..HttpService::new(routes::admin_router(admin), &listen_config)
        };
        let (listener, address) = listen(address).await?;
        tracing::info!(%address, "admin socket listens");
        self.admin_address = Some(address);
        self.sockets.push((listener, service));
        Ok(())
    }
}

fn log_settings(config: &Config, graph: &Graph, settings: &Settings) {
    if config.connectors.reports == connectors::Reports::Show {
        tracing::warn!("`connectors.reports` shows mapping reports to clients: for development");
    }
    for name in graph.environment_variables() {
        if !settings.environment.contains_key(&name) {
            tracing::info!(
                name,
                "connectors read an environment variable that is not set"
            );
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen_error = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    Ok((listener, address))
}

/// The engine's settings from the configuration and the environment, without a cache, which the
/// gateway starts.
pub fn settings(config: &Config, graph: &Graph) -> Settings {
    Settings {
        sources: sources(&config.connectors, graph),
        subgraphs: subgraph_settings(&config.services),
        local: BTreeMap::new(),
        limits: Limits {
            depth: config.limits.depth.get(),
            tokens: config.limits.tokens.get(),
            fields: config.limits.fields.get(),
            selections: config.limits.selections.get(),
            aliases: config.limits.aliases.get(),
            root_fields: config.limits.root_fields.get(),
            introspection_size: config.limits.introspection_size.get(),
            response_size: config.limits.response_size.get(),
            operation_memory: config.limits.operation_memory.get(),
            source_body: config.connectors.max_response_bytes.get(),
            source_url: config.connectors.max_url_bytes.get(),
            source_headers: config.connectors.max_header_bytes.get(),
            errors: config.limits.errors.get(),
        },
        operation_timeout: config.limits.operation_timeout,
        prepare_timeout: config.limits.prepare_timeout,
        source_timeout: config.connectors.timeout,
        source_call_limit: Some(config.connectors.max_calls),
        call_limits: config.connectors.call_limits,
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
        operation_cache_size: config.graph.operation_cache_size.get(),
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

/// The GraphQL subgraphs for which neither `graph` nor `config` has a URL.
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

/// The key or argument that sets the URL of `subgraph`, as an imperative.
pub fn missing_url_remedy(config: &Config, subgraph: &str) -> String {
    let mut subgraphs = config.graph.subgraphs().iter();
    match subgraphs.find(|file| file.name == subgraph) {
        None => format!("set `services.{subgraph}.url`"),
        Some(file) if file.file.span.is_none() => {
            format!("write `--subgraph {subgraph}=FILE@URL`")
        }
        Some(_) => format!("set `graph.subgraphs.{subgraph}.url`"),
    }
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
            call_limits: service.call_limits,
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
            // The settings of connectors without a `@source` have the name of their subgraph.
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
        call_limits: source.call_limits,
    }
}

/// Maximum concurrent connections to the admin socket.
const MAX_ADMIN_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// Maximum time for pending cache writes at shutdown: far more than needed, unless Redis is down.
const CACHE_GRACE: Duration = Duration::from_secs(1);
