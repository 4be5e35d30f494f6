//! Connections to Redis in every topology.
//!
//! A [`RedisConnection`] only sends; reconnecting is background work of the store, so no caller
//! waits for a connection.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, Pipeline, RedisError,
    RedisResult, TlsMode, Value,
};

use super::super::settings::{RedisSettings, RedisTopology};

/// A multiplexed connection, cheap to clone.
#[derive(Clone)]
pub(super) enum RedisConnection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl RedisConnection {
    /// Connects within the settings' connect timeout; each command then has `response_timeout`.
    pub(super) async fn connect(
        settings: &RedisSettings,
        response_timeout: Duration,
    ) -> RedisResult<Self> {
        let connecting = connect(settings, response_timeout);
        match tokio::time::timeout(settings.connect_timeout, connecting).await {
            Ok(connection) => connection,
            Err(_) => Err(timed_out()),
        }
    }

    /// Sends one command. An error reply is an error.
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        let reply = match self {
            Self::Server(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        };
        checked(reply?)
    }
}

/// Sends commands as one pipeline; replies are in their order.
pub(super) async fn send_all(
    connection: &mut MultiplexedConnection,
    commands: &[(&str, &Cmd)],
) -> RedisResult<Vec<RedisResult<Value>>> {
    let mut pipeline = Pipeline::with_capacity(commands.len());
    for (_, command) in commands {
        pipeline.add_command((*command).clone());
    }
    let replies = connection
        .req_packed_commands(&pipeline, 0, commands.len())
        .await?;
    Ok(replies.into_iter().map(checked).collect())
}

/// The client returns error replies of a server as values.
fn checked(reply: Value) -> RedisResult<Value> {
    match reply {
        Value::ServerError(error) => Err(error.into()),
        reply => Ok(reply),
    }
}

async fn connect(
    settings: &RedisSettings,
    response_timeout: Duration,
) -> RedisResult<RedisConnection> {
    match &settings.topology {
        RedisTopology::Single(address) => {
            let client = Client::open(address.as_str())?;
            connect_server(&client, settings, response_timeout).await
        }
        RedisTopology::Sentinel {
            sentinels,
            master,
            server,
        } => {
            let node = match server {
                Some(address) => Some(node_info(address)?),
                None => None,
            };
            let sentinels = sentinels.iter().map(String::as_str).collect();
            let kind = SentinelServerType::Master;
            let mut client = SentinelClient::build(sentinels, master, node, kind)?;
            let client = client.async_get_client().await?;
            connect_server(&client, settings, response_timeout).await
        }
        RedisTopology::Cluster(nodes) => {
            let nodes = nodes.iter().map(String::as_str);
            // Few retries with short waits: callers have no time, and a miss is acceptable.
            let client = ClusterClientBuilder::new(nodes)
                .connection_timeout(settings.connect_timeout)
                .response_timeout(response_timeout)
                .connection_concurrency_limit(settings.max_concurrency)
                .retries(CLUSTER_RETRIES)
                .min_retry_wait(1)
                .max_retry_wait(5)
                .build()?;
            Ok(RedisConnection::Cluster(
                client.get_async_connection().await?,
            ))
        }
    }
}

async fn connect_server(
    client: &Client,
    settings: &RedisSettings,
    response_timeout: Duration,
) -> RedisResult<RedisConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(settings.connect_timeout))
        .set_response_timeout(Some(response_timeout))
        .set_concurrency_limit(settings.max_concurrency);
    let connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    Ok(RedisConnection::Server(connection))
}

/// The connection parameters of the primary behind Sentinels, from `address`.
fn node_info(address: &str) -> RedisResult<SentinelNodeConnectionInfo> {
    let info = address.into_connection_info()?;
    let node = SentinelNodeConnectionInfo::default()
        .set_redis_connection_info(info.redis_settings().clone());
    Ok(match info.addr() {
        ConnectionAddr::TcpTls { .. } => node.set_tls_mode(TlsMode::Secure),
        _ => node,
    })
}

fn timed_out() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}

/// Maximum retries of a Cluster command; each redirection of a moved slot takes one.
const CLUSTER_RETRIES: u32 = 3;
