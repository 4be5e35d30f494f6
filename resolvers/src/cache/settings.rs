//! Settings of the cache: the gateway makes them from its configuration.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::IntoConnectionInfo as _;

use super::entry::clock::Clock;
use super::events::EventSettings;
use super::failure::FailureReporter;

/// Settings of the cache.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// Maximum bytes of entries in memory, keys and tags included.
    pub memory_bytes: usize,
    /// Maximum number of tags in memory; entries of an evicted tag are looked up in Redis again.
    pub max_tags: usize,
    /// The Redis level, shared by replicas; without it every replica has its own cache.
    pub redis: Option<RedisSettings>,
    /// Maximum percentage by which a lifetime is shortened, so that values stored together do not
    /// expire together.
    pub jitter_percent: u8,
    /// Time for which lookups of an uncacheable key are bypassed.
    pub uncacheable_ttl: Duration,
    /// Maximum number of concurrent refreshes.
    pub max_refreshes: usize,
    /// Source of the current time.
    pub clock: Clock,
}

/// Settings of the Redis level.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// Addresses.
    pub topology: RedisTopology,
    /// Prefix of every name in Redis.
    pub prefix: String,
    /// Timeout of a command that a request waits for; a later reply is a miss.
    pub command_timeout: Duration,
    /// Timeout of a command in the background.
    pub write_timeout: Duration,
    /// Timeout of connecting.
    pub connect_timeout: Duration,
    /// Number of consecutive failures after which the circuit breaker opens.
    pub max_failures: u32,
    /// Time between probes while the circuit breaker is open.
    pub probe_interval: Duration,
    /// Maximum number of commands in flight on a connection.
    pub max_concurrency: usize,
    /// Maximum number of queued writes.
    pub max_queued_writes: usize,
    /// Maximum bytes of queued values.
    pub max_queued_bytes: usize,
    /// Size in bytes above which values are compressed.
    pub compress_over: usize,
    /// Maximum bytes of a value in Redis; larger ones are cached in memory only.
    pub max_value_bytes: usize,
    /// Time for which the lease of a replica that stopped keeps the others from fetching the same
    /// value; a lease is renewed as long as its fetch lasts.
    pub lease_ttl: Duration,
    /// Time for which Redis retains the generation of a tag after its last write; longer than any
    /// entry lives.
    pub retention: Duration,
    /// Maximum number of invalidations that Redis retains for disconnected replicas; a replica that
    /// missed more starts with an empty memory.
    pub max_invalidation_messages: usize,
    /// The stream of change events.
    pub events: Option<EventSettings>,
    /// The log of failures.
    pub failure_reporter: Option<Arc<dyn FailureReporter>>,
}

/// The topology of Redis. Addresses are `redis://` or `rediss://` (TLS), with `user:password@`.
#[derive(Clone)]
pub enum RedisTopology {
    /// One server.
    Single(String),
    /// A primary server that Sentinels report.
    Sentinel {
        /// Addresses of the Sentinels.
        sentinels: Vec<String>,
        /// Name of the primary.
        master: String,
        /// Address whose user, password, database and scheme are used for the primary.
        server: Option<String>,
    },
    /// A Cluster, with the addresses of some of its nodes.
    Cluster(Vec<String>),
}

/// Whether `text` is an address that a [`RedisTopology`] can have.
pub fn is_redis_address(text: &str) -> bool {
    let url = redis::parse_redis_url(text);
    let is_over_tcp = url.is_some_and(|url| {
        let is_plain = url.fragment().is_none() && !url.path().contains('-');
        let has_address = url.has_host() && url.port() != Some(0);
        is_plain && has_address && matches!(url.scheme(), "redis" | "rediss")
    });
    is_over_tcp && text.into_connection_info().is_ok()
}

impl fmt::Debug for RedisTopology {
    /// Omits addresses, which contain passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(_) => f.write_str("one server"),
            Self::Sentinel {
                sentinels, master, ..
            } => {
                write!(f, "{master} of {} sentinels", sentinels.len())
            }
            Self::Cluster(nodes) => write!(f, "a cluster, by {} of its nodes", nodes.len()),
        }
    }
}

impl CacheSettings {
    /// Default settings without Redis.
    pub fn with_memory(memory_bytes: usize) -> Self {
        Self {
            memory_bytes,
            max_tags: (memory_bytes / 512).max(MIN_TAGS),
            redis: None,
            jitter_percent: 10,
            uncacheable_ttl: Duration::from_secs(5),
            max_refreshes: 1024,
            clock: Clock::system(),
        }
    }
}

/// Minimum number of tags, some megabytes: with little memory and a Redis, values that are found
/// there have tags too.
const MIN_TAGS: usize = 1 << 16;

impl RedisSettings {
    /// Default settings for Redis at `topology`.
    pub fn new(topology: RedisTopology) -> Self {
        Self {
            topology,
            prefix: "weir".to_owned(),
            command_timeout: Duration::from_millis(20),
            write_timeout: Duration::from_millis(250),
            connect_timeout: Duration::from_millis(500),
            max_failures: 3,
            probe_interval: Duration::from_millis(250),
            max_concurrency: 4096,
            max_queued_writes: 4096,
            max_queued_bytes: 32 << 20,
            compress_over: 4096,
            max_value_bytes: 1 << 20,
            lease_ttl: Duration::from_secs(1),
            retention: Duration::from_hours(48),
            max_invalidation_messages: 10_000,
            events: None,
            failure_reporter: None,
        }
    }
}
