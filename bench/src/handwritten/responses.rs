//! A cache of whole responses in Redis, a common addition to a slow gateway.
//!
//! All requests share one connection, with GET before the execution and SET with a TTL after it. An
//! error of Redis counts as a miss. Responses are opaque, so that they only expire and cannot be
//! invalidated.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, AsyncTypedCommands as _, Client, RedisResult};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// The cached responses.
#[derive(Clone, Debug)]
pub(super) struct Responses {
    connection: MultiplexedConnection,
}

/// The cache key of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; KEY_PREFIX.len() + 32]);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    query: Cow<'a, str>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    #[serde(borrow)]
    operation_name: Option<Cow<'a, str>>,
}

impl Key {
    /// The key for the request `body`; `None` if it is not a GraphQL request.
    pub(super) fn from_body(body: &[u8]) -> Option<Self> {
        let request: Request<'_> = serde_json::from_slice(body).ok()?;
        let variables = request.variables.map_or("", RawValue::get);
        let name = request.operation_name.as_deref().unwrap_or_default();
        let mut hash = Sha256::new();
        for part in [&request.query, variables, name] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let mut key = [0; KEY_PREFIX.len() + 32];
        let (prefix, rest) = key.split_at_mut(KEY_PREFIX.len());
        prefix.copy_from_slice(KEY_PREFIX);
        rest.copy_from_slice(&hash.finalize());
        Some(Self(key))
    }
}

impl Responses {
    /// Connects to the Redis at `url`.
    pub(super) async fn connect(url: &str) -> RedisResult<Self> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(REDIS_TIMEOUT));
        let connection = Client::open(url)?
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Self { connection })
    }

    /// The cached response with this key.
    pub(super) async fn get(&self, key: Key) -> Option<Bytes> {
        let mut connection = self.connection.clone();
        let command = redis::cmd("GET").arg(&key.0[..]).to_owned();
        let found: RedisResult<Option<Vec<u8>>> = command.query_async(&mut connection).await;
        found.ok().flatten().map(Bytes::from)
    }

    /// Caches `response`; errors are ignored.
    pub(super) async fn set(&self, key: Key, response: &[u8]) {
        let mut connection = self.connection.clone();
        let _ = connection
            .set_ex(&key.0[..], response, LIFETIME_SECONDS)
            .await;
    }
}

const KEY_PREFIX: &[u8] = b"response:";

/// TTL of a response, in seconds: the `max-age` of the services.
const LIFETIME_SECONDS: u64 = 3600;

/// Maximum time to wait for Redis; equal to that of weir in `bench/src/cache/contender.rs`.
const REDIS_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_requests_have_equal_keys() {
        let key = |body: &str| Key::from_body(body.as_bytes());
        let one = key(r#"{"query":"{ a }","variables":{"id":1}}"#);
        assert!(one.is_some());
        assert_eq!(key(r#"{"variables":{"id":1}, "query":"{ a }"}"#), one);
        for other in [
            r#"{"query":"{ a }"}"#,
            r#"{"query":"{ b }","variables":{"id":1}}"#,
            r#"{"query":"{ a }","variables":{"id":2}}"#,
            r#"{"query":"{ a }","variables":{"id":1},"operationName":"A"}"#,
        ] {
            assert!(key(other).is_some(), "{other}");
            assert_ne!(key(other), one, "{other}");
        }
        assert_eq!(key("[]"), None);
    }
}
