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
    /// Where it is.
    pub topology: Topology,
    /// First part of every key in it.
    pub prefix: String,
    /// For one command that a request waits for.
    pub timeout: Duration,
    /// For one that nobody waits for.
    pub write_timeout: Duration,
    /// For a connection.
    pub connect_timeout: Duration,
    /// Larger values are kept in memory only.
    pub max_value_bytes: NonZeroUsize,
    /// Messages of services about what has changed.
    pub events: Option<Events>,
}

/// Where Redis is. The addresses have the password in them.
#[derive(Clone, Debug)]
pub enum Topology {
    /// One server.
    Single(Secret<String>),
    /// A server chosen by Sentinels.
    Sentinel {
        /// Addresses of the Sentinels.
        nodes: Vec<Secret<String>>,
        /// The name they know the server by.
        master: String,
        /// Whose user, password, database and scheme count for the server.
        server: Option<Secret<String>>,
    },
    /// A Cluster, of which these members are asked first.
    Cluster(Vec<Secret<String>>),
}

/// Where services write what has changed.
#[derive(Clone, Debug)]
pub struct Events {
    /// The name of the stream.
    pub stream: String,
    /// The replicas that divide its messages among them.
    pub group: String,
}

/// `cache.redis` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawRedis {
    /// The server: `redis://user:password@host:port/database`, or `rediss://` for TLS. In place of `sentinel` and `cluster`.
    url: Option<Text<RedisUrl>>,
    /// A server that Sentinels know.
    #[schemars(with = "RawSentinel")]
    sentinel: Option<Spanned<RawSentinel>>,
    /// URLs of some members of a Cluster, which know the others.
    #[schemars(with = "Vec<Text<RedisUrl>>")]
    cluster: Option<Spanned<Vec<Text<RedisUrl>>>>,
    /// The password of the server or the Cluster's members, for one that would have to be percent-encoded in a URL.
    password: Option<Text<String>>,
    /// The first part of every key in Redis. Gateways share what they keep when they have the same.
    #[schemars(extend("default" = "weir"))]
    prefix: Option<Text<KeyPrefix>>,
    /// How long one command may take that a request waits for; what takes longer counts as not there.
    #[schemars(extend("default" = TIMEOUT.to_text()))]
    timeout: Option<Text<Timeout>>,
    /// How long one command may take that nobody waits for.
    #[schemars(extend("default" = WRITE_TIMEOUT.to_text()))]
    write_timeout: Option<Text<Timeout>>,
    /// How long a connection may take.
    #[schemars(extend("default" = CONNECT_TIMEOUT.to_text()))]
    connect_timeout: Option<Text<Timeout>>,
    /// The largest value that is kept in Redis; larger ones are kept in memory only.
    #[schemars(extend("default" = VALUE_SIZE.to_text()))]
    value_size: Option<Text<Bytes>>,
    /// A stream in the same Redis to which services write what has changed. Default: none is read.
    #[schemars(with = "RawEvents")]
    events: Option<Spanned<RawEvents>>,
}

/// Sentinels as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSentinel {
    /// URLs of the Sentinels. Required.
    nodes: Option<Vec<Text<RedisUrl>>>,
    /// The name that the Sentinels know the server by. Required.
    master: Option<Text<String>>,
    /// A URL whose scheme, user, password and database count for the server; its host does not. Default: `redis://` without any.
    server: Option<Text<RedisUrl>>,
}

/// The stream of events as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawEvents {
    /// The name of the stream, such as `weir:events`. Required.
    stream: Option<Text<String>>,
    /// The name of the consumer group. Gateways of one group divide the messages among them, those of another get each message too.
    #[schemars(extend("default" = "weir"))]
    group: Option<Text<String>>,
}

/// The checked form of `written`; `None` when it says of no server where it is.
pub(super) fn check(written: Spanned<RawRedis>, reader: &mut Reader<'_>) -> Option<Redis> {
    let (at, written) = (written.referenced, written.value);
    let password = written.password.and_then(|text| reader.value(&text));
    let topologies = [
        written
            .url
            .map(|url| (url.location(), Topology::from_url(&url, reader))),
        written
            .sentinel
            .map(|it| Topology::from_sentinel(it, reader)),
        written
            .cluster
            .map(|it| Topology::from_cluster(&it, reader)),
    ];
    let topology = only_topology(topologies.into_iter().flatten(), at, reader);
    let events = written
        .events
        .and_then(|events| Events::from_raw(events, reader));
    Some(Redis {
        prefix: reader
            .value_or(written.prefix, KeyPrefix(PREFIX.to_owned()))
            .0,
        timeout: reader.value_or(written.timeout, TIMEOUT).0,
        write_timeout: reader.value_or(written.write_timeout, WRITE_TIMEOUT).0,
        connect_timeout: reader.value_or(written.connect_timeout, CONNECT_TIMEOUT).0,
        max_value_bytes: reader.value_or(written.value_size, VALUE_SIZE).0,
        events,
        topology: topology?.with_password(password.as_deref()),
    })
}

/// The only place that is written, if it can be used.
fn only_topology(
    mut places: impl Iterator<Item = (Location, Option<Topology>)>,
    at: Location,
    reader: &mut Reader<'_>,
) -> Option<Topology> {
    let Some((_, topology)) = places.next() else {
        let message = "nothing says where Redis is";
        let help = "write `url`, `sentinel` or `cluster`".to_owned();
        reader.report_invalid(at, message, help);
        return None;
    };
    for (at, _) in places {
        let message = "Redis is at one URL, behind Sentinels or a Cluster, not several of these";
        let help = "keep one of `url`, `sentinel` and `cluster`".to_owned();
        reader.report_invalid(at, message, help);
    }
    topology
}

impl Topology {
    fn from_url(url: &Text<RedisUrl>, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self::Single(reader.value(url)?.0))
    }

    fn from_sentinel(
        written: Spanned<RawSentinel>,
        reader: &mut Reader<'_>,
    ) -> (Location, Option<Self>) {
        let (at, written) = (written.referenced, written.value);
        let nodes = addresses(&written.nodes.unwrap_or_default(), at, reader);
        let master = if let Some(master) = written.master {
            reader.value(&master)
        } else {
            let message = "nothing says which server the Sentinels are asked for";
            let help = "write its name as `master`".to_owned();
            reader.report_invalid(at, message, help);
            None
        };
        let server = written.server.and_then(|server| reader.value(&server));
        let topology = nodes.zip(master).map(|(nodes, master)| Self::Sentinel {
            nodes,
            master,
            server: server.map(|server| server.0),
        });
        (at, topology)
    }

    fn from_cluster(
        written: &Spanned<Vec<Text<RedisUrl>>>,
        reader: &mut Reader<'_>,
    ) -> (Location, Option<Self>) {
        let at = written.referenced;
        let nodes = addresses(&written.value, at, reader);
        (at, nodes.map(Self::Cluster))
    }

    /// The same with a password for the servers that hold data.
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
                // Its host is not looked at.
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
        let message = "this names no server";
        let help = "list the URL of at least one".to_owned();
        reader.report_invalid(at, message, help);
        return None;
    }
    let addresses = texts.iter().map(|text| reader.value(text));
    // All are read, so that every problem is told.
    let addresses: Vec<_> = addresses.collect();
    let all: Option<Vec<_>> = addresses.into_iter().collect();
    Some(all?.into_iter().map(|address| address.0).collect())
}

fn url_with_password(address: &str, password: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return address.to_owned();
    };
    // Of what is encoded already nobody asks whether it is. It has a host, and only what has none
    // takes no password.
    let _ = url.set_password(Some(&password.replace('%', "%25")));
    url.into()
}

impl Events {
    fn from_raw(written: Spanned<RawEvents>, reader: &mut Reader<'_>) -> Option<Self> {
        let (at, written) = (written.referenced, written.value);
        let group = reader.value_or(written.group, GROUP.to_owned());
        let Some(stream) = written.stream else {
            let message = "nothing says which stream the messages are on";
            let help = "write its name as `stream`".to_owned();
            reader.report_invalid(at, message, help);
            return None;
        };
        let stream = reader.value(&stream)?;
        Some(Self { stream, group })
    }
}

/// The URL of a Redis, with the secrets in it.
struct RedisUrl(Secret<String>);

impl Setting for RedisUrl {
    const EXPECTED: &'static str = "the URL of a Redis";
    const EXAMPLE: &'static str = "a whole URL, such as `redis://user:password@redis.example.com:6379/0`, or `rediss://` for TLS; other characters than letters and digits of a password are percent-encoded";

    fn parse(text: &str) -> Option<Self> {
        resolvers::cache::is_redis_address(text).then(|| Self(Secret::new(text.to_owned())))
    }

    fn to_text(&self) -> String {
        self.0.reveal().clone()
    }
}

/// What names in Redis may begin with.
struct KeyPrefix(String);

impl Setting for KeyPrefix {
    const EXPECTED: &'static str = "the beginning of a key in Redis";
    const EXAMPLE: &'static str = "at most 64 letters, digits and characters of `-_.:/`";

    fn parse(text: &str) -> Option<Self> {
        // Braces would decide where a Cluster puts a key.
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

/// What is ours in a Redis that others use too.
const PREFIX: &str = "weir";

/// All gateways of one graph.
const GROUP: &str = "weir";

/// Ten times what a Redis nearby takes; a request without it is slower, and answered.
const TIMEOUT: Timeout = Timeout(Duration::from_millis(20));

/// Nobody waits for it, and it should not fail for being large.
const WRITE_TIMEOUT: Timeout = Timeout(Duration::from_millis(250));

/// With TLS and a name to look up.
const CONNECT_TIMEOUT: Timeout = Timeout(Duration::from_millis(500));

/// Larger ones would hold up what is asked behind them for longer than a command may take.
const VALUE_SIZE: Bytes = Bytes(NonZeroUsize::new(1024 * 1024).unwrap());
