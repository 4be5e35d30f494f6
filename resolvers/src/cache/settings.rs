//! What an operator decides about the cache; made from the configuration, never read from it here.

use std::fmt;
use std::time::Duration;

use redis::IntoConnectionInfo as _;

use super::entry::clock::Clock;
use super::events::EventSettings;

/// Everything that is decided about the cache.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// Bytes of entries that this process keeps, keys and tags counted.
    pub memory_bytes: usize,
    /// How many tags this process knows; entries of a forgotten tag are looked up in Redis again.
    pub max_tags: usize,
    /// The level that replicas share; without it each has its own.
    pub redis: Option<RedisSettings>,
    /// Lifetimes are shortened by up to this many hundredths, so that what was kept at one moment
    /// does not expire at one moment.
    pub jitter_percent: u8,
    /// For how long nobody else in the fleet fetches what one fetches.
    pub lease_ttl: Duration,
    /// How long to wait for what somebody else fetches, before fetching it too.
    pub wait_timeout: Duration,
    /// For how long a key whose value may not be kept is not looked for.
    pub uncacheable_ttl: Duration,
    /// How many renewals may be under way.
    pub max_refreshes: usize,
    /// What time it is.
    pub clock: Clock,
}

/// How Redis is reached, and what it may cost.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// Where it is.
    pub topology: RedisTopology,
    /// First part of every key in it.
    pub prefix: String,
    /// For one command; what takes longer is a miss.
    pub command_timeout: Duration,
    /// For one command that nobody waits for.
    pub write_timeout: Duration,
    /// For a connection.
    pub connect_timeout: Duration,
    /// So many failures one after the other, and Redis is left alone.
    pub max_failures: u32,
    /// How often to look whether it is back.
    pub probe_interval: Duration,
    /// Commands under way on a connection.
    pub max_concurrency: usize,
    /// Values waiting to be written.
    pub max_queued_writes: usize,
    /// Bytes of values waiting to be written.
    pub max_queued_bytes: usize,
    /// Larger values are compressed.
    pub compress_over: usize,
    /// Larger values are kept in memory only, and not read from Redis.
    pub max_value_bytes: usize,
    /// Generations of tags are kept for this long after they were last written; longer than any
    /// entry.
    pub retention: Duration,
    /// Invalidations that Redis keeps for replicas that were away; one that missed more begins
    /// with an empty memory.
    pub max_invalidation_messages: usize,
    /// Where services say what has changed.
    pub events: Option<EventSettings>,
}

/// Where Redis is. Addresses are `redis://` or `rediss://` (TLS), with `user:password@`.
#[derive(Clone)]
pub enum RedisTopology {
    /// One server.
    Single(String),
    /// A server chosen by Sentinels.
    Sentinel {
        /// Addresses of the Sentinels.
        sentinels: Vec<String>,
        /// The name they know the server by.
        master: String,
        /// An address whose user, password, database and scheme are used for the server itself.
        server: Option<String>,
    },
    /// A Cluster, of which these members are asked first.
    Cluster(Vec<String>),
}

/// Whether `text` is an address that a [`Place`] can have.
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
    /// Addresses hold passwords.
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
    /// Memory only, with values that serve most.
    pub fn with_memory(memory_bytes: usize) -> Self {
        Self {
            memory_bytes,
            max_tags: (memory_bytes / 512).max(MIN_TAGS),
            redis: None,
            jitter_percent: 10,
            lease_ttl: Duration::from_secs(2),
            wait_timeout: Duration::from_secs(1),
            uncacheable_ttl: Duration::from_secs(5),
            max_refreshes: 1024,
            clock: Clock::system(),
        }
    }
}

/// Some megabytes: with little memory and a Redis beside it, what is found there has tags too.
const MIN_TAGS: usize = 1 << 16;

impl RedisSettings {
    /// Values that serve most, for what is at `place`.
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
            retention: Duration::from_hours(48),
            max_invalidation_messages: 10_000,
            events: None,
        }
    }
}
