//! The load: a fixed number of clients, each of which sends its next request after a response.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{ClientError, Connection, ResponseDigest};

/// The requests of the clients of one gateway, with the expected responses.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Sent in turn; each client starts at a different one.
    pub(crate) exchanges: Arc<[Exchange]>,
    /// Number of clients.
    pub(crate) connections: usize,
}

/// A request and its expected response.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// The body of the request.
    pub(crate) request: Bytes,
    /// The digest of the expected body.
    pub(crate) response: ResponseDigest,
}

/// Connected clients, before their first request.
#[derive(Debug)]
pub(crate) struct Clients {
    connections: Vec<Connection>,
    exchanges: Arc<[Exchange]>,
}

/// The result of a load.
#[derive(Debug)]
pub(crate) struct LoadResult {
    /// Time from the first request to the last response.
    pub(crate) elapsed: Duration,
    /// Latencies of all requests, ascending.
    pub(crate) latencies: Vec<Duration>,
}

impl Load {
    /// Connects all clients.
    pub(crate) async fn connect(&self, address: SocketAddr) -> Result<Clients, ClientError> {
        let mut connections = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            connections.push(Connection::open(address).await?);
        }
        Ok(Clients {
            connections,
            exchanges: Arc::clone(&self.exchanges),
        })
    }
}

impl Clients {
    /// Sends requests for `time`, then waits for the pending responses, so that every request counts
    /// in full. Fails if a response is wrong.
    pub(crate) async fn run(self, time: Duration) -> Result<LoadResult, ClientError> {
        let start = Instant::now();
        let offset = self.exchanges.len() / self.connections.len().max(1);
        let mut tasks = JoinSet::new();
        for (index, connection) in self.connections.into_iter().enumerate() {
            let exchanges = Arc::clone(&self.exchanges);
            tasks.spawn(run_client(
                connection,
                exchanges,
                index * offset,
                start + time,
            ));
        }
        let mut latencies = Vec::new();
        for client in tasks.join_all().await {
            latencies.append(&mut client?);
        }
        let elapsed = start.elapsed();
        latencies.sort_unstable();
        Ok(LoadResult { elapsed, latencies })
    }
}

async fn run_client(
    mut connection: Connection,
    exchanges: Arc<[Exchange]>,
    first: usize,
    deadline: Instant,
) -> Result<Vec<Duration>, ClientError> {
    let mut latencies = Vec::with_capacity(LATENCIES);
    for exchange in exchanges.iter().cycle().skip(first) {
        let sent = Instant::now();
        if sent >= deadline {
            break;
        }
        let request = exchange.request.clone();
        connection
            .send_expecting(request, &exchange.response)
            .await?;
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

impl LoadResult {
    /// Number of responses.
    pub(crate) fn requests(&self) -> usize {
        self.latencies.len()
    }

    /// The latency that a `share` of all requests did not exceed; zero without requests.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank among values in memory"
        )]
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        let found = self.latencies.get(rank.saturating_sub(1));
        found.copied().unwrap_or_default()
    }
}

/// Initial capacity for the latencies of one client, enough for a few seconds.
const LATENCIES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn result(milliseconds: impl Iterator<Item = u64>) -> LoadResult {
        LoadResult {
            elapsed: Duration::from_secs(1),
            latencies: milliseconds.map(Duration::from_millis).collect(),
        }
    }

    #[test]
    fn a_percentile_is_the_latency_that_a_share_did_not_exceed() {
        let result = result(1..=200);
        assert_eq!(result.percentile(0.5), Duration::from_millis(100));
        assert_eq!(result.percentile(0.99), Duration::from_millis(198));
        assert_eq!(result.percentile(1.0), Duration::from_millis(200));
    }

    #[test]
    fn without_requests_percentiles_are_zero() {
        assert_eq!(result(0..0).percentile(0.5), Duration::ZERO);
    }
}
