//! `cache.redis`: the level of the cache that replicas share.

use std::num::NonZeroUsize;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use url::Url;

use crate::config::raw::Text;
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::setting::{Bytes, Setting, Timeout};

/// The level of the cache that replicas share.
#[derive(Clone, Debug)]
pub struct Redis {
    /// Addresses of the servers.
    pub topology: Topology,
    /// Prefix of every key.
    pub prefix: String,
    /// Timeout of a command that a request waits for.
    pub timeout: Duration,
    /// Timeout of a command in the background.
    pub write_timeout: Duration,
    /// Timeout of a connection attempt.
    pub connect_timeout: Duration,
    /// Maximum bytes of a value in Redis; larger ones are cached in memory only.
    pub max_value_bytes: NonZeroUsize,
    /// The stream of change events.
    pub events: Option<Events>,
}

/// How Redis is deployed. The addresses contain the password.
#[derive(Clone, Debug)]
pub enum Topology {
    /// One server.
    Single(Secret<String>),
    /// A server chosen by Sentinels.
    Sentinel {
        /// Addresses of the Sentinels.
        nodes: Vec<Secret<String>>,
        /// The Sentinels' name of the server.
        master: String,
        /// A URL with the user, password, database and scheme of the server.
        server: Option<Secret<String>>,
    },
    /// A Cluster; these members are contacted first.
    Cluster(Vec<Secret<String>>),
}

/// The stream to which sources write change events.
#[derive(Clone, Debug)]
pub struct Events {
    /// The name of the stream.
    pub stream: String,
    /// The consumer group; its replicas divide the messages.
    pub group: String,
}

/// `cache.redis` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawRedis {
    /// URL of a single server: `redis://user:password@host:port/database`, or `rediss://` for TLS. Excludes `sentinel` and `cluster`.
    url: Option<Text<RedisUrl>>,
    /// A server chosen by Sentinels.
    #[schemars(with = "RawSentinel")]
    sentinel: Option<Spanned<RawSentinel>>,
    /// URLs of some members of a Cluster; the other members are discovered.
    #[schemars(with = "Vec<Text<RedisUrl>>")]
    cluster: Option<Spanned<Vec<Text<RedisUrl>>>>,
    /// Password of the server or the Cluster members, without percent-encoding.
    password: Option<Text<String>>,
    /// Prefix of every key in Redis. Gateways with the same prefix share their cache.
    #[schemars(extend("default" = "weir"))]
    prefix: Option<Text<KeyPrefix>>,
    /// Timeout of a command that a request waits for; a lookup that times out is a miss.
    #[schemars(extend("default" = TIMEOUT.to_text()))]
    timeout: Option<Text<Timeout>>,
    /// Timeout of a command in the background.
    #[schemars(extend("default" = WRITE_TIMEOUT.to_text()))]
    write_timeout: Option<Text<Timeout>>,
    /// Timeout of a connection attempt.
    #[schemars(extend("default" = CONNECT_TIMEOUT.to_text()))]
    connect_timeout: Option<Text<Timeout>>,
    /// Maximum size of a value in Redis; larger values are cached in memory only.
    #[schemars(extend("default" = VALUE_SIZE.to_text()))]
    value_size: Option<Text<Bytes>>,
    /// A stream in the same Redis with change events from sources. Default: no stream.
    #[schemars(with = "RawEvents")]
    events: Option<Spanned<RawEvents>>,
}

/// `cache.redis.sentinel` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSentinel {
    /// URLs of the Sentinels. Required.
    nodes: Option<Vec<Text<RedisUrl>>>,
    /// The Sentinels' name of the server. Required.
    master: Option<Text<String>>,
    /// A URL with the scheme, user, password and database of the server; its host is ignored. Default: `redis://` without credentials.
    server: Option<Text<RedisUrl>>,
}

/// `cache.redis.events` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawEvents {
    /// The name of the stream, such as `weir:events`. Required.
    stream: Option<Text<String>>,
    /// The name of the consumer group. Each message is delivered to one gateway of each group.
    #[schemars(extend("default" = "weir"))]
    group: Option<Text<String>>,
}

/// Checks the section `cache.redis`; `None` if it has no usable address.
pub(super) fn check(raw: Spanned<RawRedis>, reader: &mut Reader<'_>) -> Option<Redis> {
    let (at, raw) = (raw.referenced, raw.value);
    let password = raw.password.and_then(|text| reader.value(&text));
    let topologies = [
        raw.url
            .map(|url| (url.location(), Topology::from_url(&url, reader))),
        raw.sentinel.map(|it| Topology::from_sentinel(it, reader)),
        raw.cluster.map(|it| Topology::from_cluster(&it, reader)),
    ];
    let topology = only_topology(topologies.into_iter().flatten(), at, reader);
    let prefix = reader.value_or(raw.prefix, KeyPrefix(PREFIX.to_owned()));
    let events = raw.events;
    let events = events.and_then(|events| Events::from_raw(events, reader));
    Some(Redis {
        prefix: prefix.0,
        timeout: reader.value_or(raw.timeout, TIMEOUT).0,
        write_timeout: reader.value_or(raw.write_timeout, WRITE_TIMEOUT).0,
        connect_timeout: reader.value_or(raw.connect_timeout, CONNECT_TIMEOUT).0,
        max_value_bytes: reader.value_or(raw.value_size, VALUE_SIZE).0,
        events,
        topology: topology?.with_password(password.as_deref()),
    })
}

/// The first topology; reports a missing one and each further one.
fn only_topology(
    mut topologies: impl Iterator<Item = (Location, Option<Topology>)>,
    at: Location,
    reader: &mut Reader<'_>,
) -> Option<Topology> {
    let Some((_, topology)) = topologies.next() else {
        let message = "no address is configured for Redis";
        let help = "set `url`, `sentinel` or `cluster`".to_owned();
        reader.report_invalid(at, message, help);
        return None;
    };
    for (at, _) in topologies {
        let message = "`url`, `sentinel` and `cluster` exclude each other";
        let help = "keep one of the three".to_owned();
        reader.report_invalid(at, message, help);
    }
    topology
}

impl Topology {
    fn from_url(url: &Text<RedisUrl>, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self::Single(reader.value(url)?.0))
    }

    fn from_sentinel(
        raw: Spanned<RawSentinel>,
        reader: &mut Reader<'_>,
    ) -> (Location, Option<Self>) {
        let (at, raw) = (raw.referenced, raw.value);
        let nodes = addresses(&raw.nodes.unwrap_or_default(), at, reader);
        let master = if let Some(master) = raw.master {
            reader.value(&master)
        } else {
            let message = "no server name is configured for the Sentinels";
            let help = "set `master`".to_owned();
            reader.report_invalid(at, message, help);
            None
        };
        let server = raw.server.and_then(|server| reader.value(&server));
        let topology = nodes.zip(master).map(|(nodes, master)| Self::Sentinel {
            nodes,
            master,
            server: server.map(|server| server.0),
        });
        (at, topology)
    }

    fn from_cluster(
        raw: &Spanned<Vec<Text<RedisUrl>>>,
        reader: &mut Reader<'_>,
    ) -> (Location, Option<Self>) {
        let at = raw.referenced;
        let nodes = addresses(&raw.value, at, reader);
        (at, nodes.map(Self::Cluster))
    }

    /// Adds a password to the addresses of the servers that hold data, not to the Sentinels.
    fn with_password(self, password: Option<&str>) -> Self {
        let Some(password) = password else {
            return self;
        };
        let with =
            |address: &Secret<String>| Secret::new(url_with_password(address.reveal(), password));
        match self {
            Self::Single(address) => Self::Single(with(&address)),
            Self::Cluster(nodes) => Self::Cluster(nodes.iter().map(with).collect()),
            Self::Sentinel {
                nodes,
                master,
                server,
            } => Self::Sentinel {
                nodes,
                master,
                // The host of this URL is ignored.
                server: Some(with(
                    &server.unwrap_or_else(|| Secret::new("redis://server".to_owned())),
                )),
            },
        }
    }
}

fn addresses(
    texts: &[Text<RedisUrl>],
    at: Location,
    reader: &mut Reader<'_>,
) -> Option<Vec<Secret<String>>> {
    if texts.is_empty() {
        let message = "the list of servers is empty";
        let help = "list the URL of at least one server".to_owned();
        reader.report_invalid(at, message, help);
        return None;
    }
    // Collected before the first failure is looked at, so that every invalid URL is reported.
    let addresses: Vec<_> = texts.iter().map(|text| reader.value(text)).collect();
    let all: Option<Vec<_>> = addresses.into_iter().collect();
    Some(all?.into_iter().map(|address| address.0).collect())
}

fn url_with_password(address: &str, password: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return address.to_owned();
    };
    // `set_password` leaves percent signs as they are. It fails only for a URL without a host.
    let _ = url.set_password(Some(&password.replace('%', "%25")));
    url.into()
}

impl Events {
    fn from_raw(raw: Spanned<RawEvents>, reader: &mut Reader<'_>) -> Option<Self> {
        let (at, raw) = (raw.referenced, raw.value);
        let group = reader.value_or(raw.group, GROUP.to_owned());
        let Some(stream) = raw.stream else {
            let message = "no stream is configured for change events";
            let help = "set `stream`, such as `weir:events`".to_owned();
            reader.report_invalid(at, message, help);
            return None;
        };
        let stream = reader.value(&stream)?;
        Some(Self { stream, group })
    }
}

/// The URL of a Redis server, including its password.
struct RedisUrl(Secret<String>);

impl Setting for RedisUrl {
    const EXPECTED: &'static str = "the URL of a Redis server";
    const EXAMPLE: &'static str = "a URL such as `redis://user:password@redis.example.com:6379/0`, or `rediss://` for TLS; percent-encode special characters of the password";

    fn parse(text: &str) -> Option<Self> {
        resolvers::cache::is_redis_address(text).then(|| Self(Secret::new(text.to_owned())))
    }

    fn to_text(&self) -> String {
        self.0.reveal().clone()
    }
}

/// A prefix of keys in Redis.
struct KeyPrefix(String);

impl Setting for KeyPrefix {
    const EXPECTED: &'static str = "a prefix of keys in Redis";
    const EXAMPLE: &'static str = "at most 64 letters, digits and characters of `-_.:/`";

    fn parse(text: &str) -> Option<Self> {
        // Braces are hash tags: they would determine the slot of a key in a Cluster.
        let is_usable = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/')
        };
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(is_usable);
        fits.then(|| Self(text.to_owned()))
    }

    fn to_text(&self) -> String {
        self.0.clone()
    }
}

/// Default key prefix, for a Redis that other programs use too.
const PREFIX: &str = "weir";

/// Default consumer group: all gateways of one graph.
const GROUP: &str = "weir";

/// Default timeout of a command: ten times the latency of a nearby Redis, and short enough that a
/// request without it is only slower.
const TIMEOUT: Timeout = Timeout(Duration::from_millis(20));

/// Default timeout of a background command: no request waits, and large values should not fail.
const WRITE_TIMEOUT: Timeout = Timeout(Duration::from_millis(250));

/// Default timeout of a connection attempt: includes DNS and a TLS handshake.
const CONNECT_TIMEOUT: Timeout = Timeout(Duration::from_millis(500));

/// Default maximum bytes of a value: a larger one would delay the commands behind it beyond their
/// timeout.
const VALUE_SIZE: Bytes = Bytes(NonZeroUsize::new(1024 * 1024).unwrap());
