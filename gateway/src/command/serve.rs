//! `weir` and `weir serve`: run a gateway until a signal stops it.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use mocks::Shop;
use tokio_util::sync::CancellationToken;

use super::graph_args::{self, GraphArgs};
use super::{Failed, print};
use crate::config::admin::TraceAccess;
use crate::config::listen::{Listen, Playground};
use crate::endpoint::page;
use crate::launch::{Builder, Gateway, StartError};
use crate::project::Project;
use crate::{open_files, shop, telemetry};

/// Serves the graph that the command line names.
pub(super) fn serve_project(
    graph_args: &GraphArgs,
    listen: Option<SocketAddr>,
) -> Result<(), Failed> {
    let project = graph_args::print_diagnostics(graph_args.read())?;
    run(async {
        let project = with_address(project, listen);
        let stop = CancellationToken::new();
        let gateway = bind(&project, |builder| builder, &stop).await?;
        let addresses = addresses(&project.config.listen, gateway.address());
        print::output(&format!(
            "Weir serves {}.\n\n{addresses}",
            graph_args.display_name()
        ));
        run_until_stopped(gateway, stop).await
    })
}

/// Serves the demo, with its services in this process.
pub(super) fn serve_shop(listen: Option<SocketAddr>) -> Result<(), Failed> {
    let project = graph_args::print_diagnostics(Project::shop())?;
    run(async {
        let mut project = with_address(project, listen);
        let shop = Shop::start()
            .await
            .map_err(|error| print::error(&error, None))?;
        shop::configure(&shop, &mut project.config);
        // The demo has no secrets, and traces show how it works.
        project.config.admin.trace_access = TraceAccess::Everyone;
        let stop = CancellationToken::new();
        let gateway = bind(&project, shop::mount, &stop).await?;
        print::output(&welcome(&shop, &project.config.listen, gateway.address()));
        let result = run_until_stopped(gateway, stop).await;
        shop.stop().await;
        result
    })
}

fn run(command: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    block_on(command)?
}

/// Runs `task` on a new runtime.
pub(super) fn block_on<T>(task: impl Future<Output = T>) -> Result<T, Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| print::error(&error, None))?;
    Ok(runtime.block_on(task))
}

fn with_address(mut project: Project, listen: Option<SocketAddr>) -> Project {
    if let Some(address) = listen {
        project.config.listen.address = address;
    }
    project
}

async fn bind<'p>(
    project: &'p Project,
    mount: impl FnOnce(Builder<'p>) -> Builder<'p>,
    stop: &CancellationToken,
) -> Result<Gateway, Failed> {
    telemetry::start(project.config.log);
    open_files::raise_limit();
    let builder = mount(Gateway::builder(
        &project.config,
        Arc::clone(&project.graph),
    ));
    builder.bind(stop.clone()).await.map_err(|error| {
        let help = match &error {
            StartError::Listen { address, .. } if *address == project.config.listen.address => {
                Some("choose another address with `--listen`")
            }
            StartError::Listen { .. } => Some("set another address as `admin.address`"),
            StartError::Engine(_) | StartError::NoUrl { .. } | StartError::NotASubgraph(_) => None,
        };
        print::error(&error, help)
    })
}

/// Runs until the first signal, then shuts down gracefully; the second signal stops at once.
async fn run_until_stopped(gateway: Gateway, stop: CancellationToken) -> Result<(), Failed> {
    let mut signals = Signals::new().map_err(|error| print::error(&error, None))?;
    let mut running = std::pin::pin!(gateway.run());
    tokio::select! {
        ended = running.as_mut() => return result_from_shutdown(ended),
        () = signals.next() => stop.cancel(),
    }
    tracing::info!("received a signal, shutting down; a second signal exits immediately");
    tokio::select! {
        ended = running => result_from_shutdown(ended),
        () = signals.next() => Err(Failed),
    }
}

fn result_from_shutdown(result: Result<(), crate::tasks::Unfinished>) -> Result<(), Failed> {
    // The unfinished tasks are in the log already.
    result.map_err(|_| Failed)
}

fn welcome(shop: &Shop, listen: &Listen, address: SocketAddr) -> String {
    let mut text =
        "Weir serves its demo, a shop: three REST services, a subgraph over HTTP and resolvers in\nRust, as one graph.\n\n".to_owned();
    text.push_str(&addresses(listen, address));
    for service in shop::services(shop) {
        let _ = writeln!(text, "  {:<10}{}", service.name(), service.url());
    }
    text.push_str("\nCtrl-C stops it. To serve your own graph, see `weir serve --help`.\n");
    text
}

fn addresses(listen: &Listen, address: SocketAddr) -> String {
    let mut text = String::new();
    let host = if address.ip().is_unspecified() {
        format!("127.0.0.1:{}", address.port())
    } else {
        address.to_string()
    };
    match listen.playground {
        Playground::Serve if page::is_built() => {
            let _ = writeln!(text, "  GraphiQL  http://{host}/");
        }
        Playground::Serve => {
            let _ = writeln!(
                text,
                "  GraphiQL  not in this binary; `make install` builds one with it"
            );
        }
        Playground::Hide => {}
    }
    let _ = writeln!(text, "  GraphQL   http://{host}/graphql");
    text
}

/// The signals that stop a process: SIGTERM and Ctrl-C.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
