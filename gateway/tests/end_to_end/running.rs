//! A gateway in the process of the test, usually with the demo's graph, on a free port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway::config::Config;
use gateway::launch::{Builder, Gateway};
use gateway::shop;
use gateway::tasks::Tasks;
use schema::graph::Graph;
use schema::subgraph::Subgraph;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A gateway that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    _stop: DropGuard,
    _tasks: Tasks,
}

impl Running {
    /// A gateway whose services are unreachable, for tests that do not need them.
    pub(crate) async fn alone(configure: impl FnOnce(&mut Config)) -> Self {
        Self::stoppable(CancellationToken::new(), configure).await
    }

    /// A gateway in front of running services.
    pub(crate) async fn before(shop: &mocks::Shop) -> Self {
        Self::alone(|config| shop::configure(shop, config)).await
    }

    /// A gateway whose services are unreachable, and that `stop` stops.
    pub(crate) async fn stoppable(
        stop: CancellationToken,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::without_file();
        config.listen.address.set_port(0);
        config.shutdown.grace = Duration::from_secs(1);
        configure(&mut config);
        let graph = linked(&config, &shop::subgraphs());
        Self::from_builder(shop::mount(Gateway::builder(&config, graph)), stop).await
    }

    /// A gateway for another graph than the demo's.
    pub(crate) async fn serving(
        config: &Config,
        subgraphs: &[Subgraph],
        stop: CancellationToken,
    ) -> Self {
        let graph = linked(config, subgraphs);
        Self::from_builder(Gateway::builder(config, graph), stop).await
    }

    /// A gateway from a complete builder.
    pub(crate) async fn from_builder(builder: Builder<'_>, stop: CancellationToken) -> Self {
        let gateway = builder.bind(stop.clone()).await.unwrap();
        let tasks = Tasks::default();
        let (address, admin) = (gateway.address(), gateway.admin_address());
        tasks.spawn("gateway", async {
            let _ = gateway.run().await;
        });
        Self {
            address,
            admin,
            _stop: stop.drop_guard(),
            _tasks: tasks,
        }
    }
}

/// The graph of `subgraphs`.
pub(crate) fn linked(config: &Config, subgraphs: &[Subgraph]) -> Arc<Graph> {
    let (graph, diagnostics) = schema::link::link(subgraphs, config.graph.link);
    Arc::new(graph.unwrap_or_else(|| panic!("{diagnostics:#?}")))
}
