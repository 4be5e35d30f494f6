//! Common parts of the servers of this binary: URLs of the services, socket, and shutdown.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::serve::ListenerExt as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::print;

/// The URLs of the services, without a slash at the end.
#[derive(Args, Clone, Debug)]
pub(crate) struct Services {
    /// URL of the users service
    #[arg(long, value_name = "URL")]
    pub(crate) users: String,
    /// URL of the products service
    #[arg(long, value_name = "URL")]
    pub(crate) products: String,
    /// URL of the orders service
    #[arg(long, value_name = "URL")]
    pub(crate) orders: String,
}

/// Serves `router` on a free port, which it announces as `weir` does.
pub(crate) async fn serve(router: Router) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(Failure::io("cannot listen"))?;
    let address = listener
        .local_addr()
        .map_err(Failure::io("cannot listen"))?;
    print::output(&announcement(address));
    let listener = listener.tap_io(|socket| {
        // Fails for a closed socket, which the server notices itself.
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, router)
        .await
        .map_err(Failure::io("cannot serve"))
}

/// The line in which a gateway announces its address.
fn announcement(address: SocketAddr) -> String {
    format!("  GraphQL   http://{address}/graphql")
}

/// The address in an announcement.
pub(crate) fn parse_announcement(line: &str) -> Option<SocketAddr> {
    let url = line.trim().strip_prefix("GraphQL")?.trim();
    let address = url.strip_prefix("http://")?.strip_suffix("/graphql")?;
    address.parse().ok()
}

/// Returns at the first SIGINT or SIGTERM.
pub(crate) async fn wait_for_stop() -> Failure {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => return Failure::io("cannot listen to signals")(error),
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    Failure::Interrupted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_address_is_parsed() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 4000));
        assert_eq!(parse_announcement(&announcement(address)), Some(address));
        assert_eq!(parse_announcement("Weir serves weir.yaml."), None);
    }
}
