//! `cache`: what the entity cache stores, where, and for how long.
//!
//! The cache is enabled by default, in memory. Its default TTL is zero, so it stores only values
//! for which the graph or a response sets a lifetime.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use http::HeaderName;
use schema::diagnostic::Diagnostic;
use schema::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use self::redis::Redis;
use super::graph::{Graph, unknown_subgraph};
use super::headers;
use super::raw::{Named, Text};
use super::reader::Reader;
use super::setting::{Bytes, Setting};

pub mod redis;

/// The entity cache: what it stores, where, and for how long.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Whether values are cached.
    pub mode: CacheMode,
    /// Maximum bytes of entries in the memory of this process.
    pub memory_bytes: NonZeroUsize,
    /// The level that replicas share.
    pub redis: Option<Redis>,
    /// Default lifetimes of all subgraphs.
    pub lifetime: Lifetime,
    /// Overrides by subgraph.
    pub subgraphs: BTreeMap<String, Subgraph>,
    /// Client headers that identify the caller.
    pub caller_headers: Vec<HeaderName>,
    /// The lifetime of responses in the caches of clients and proxies.
    pub client_max_age: ClientMaxAge,
    /// Whether whole responses are cached above the values in them.
    pub responses: CacheMode,
}

/// The lifetime of responses in the caches of clients and proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientMaxAge {
    /// Each use is validated, so that no client sees old data after a mutation.
    Zero,
    /// That of the values in the response, which invalidations do not end.
    Inherit,
}

/// Whether values are cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMode {
    /// Values are cached as the graph and the responses allow.
    Enabled,
    /// No value is cached.
    Disabled,
}

/// Lifetimes of cached values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// TTL if neither the graph nor the response sets one.
    pub default: Duration,
    /// Maximum of every other lifetime.
    pub max: Duration,
    /// Time after the TTL in which a stale value is returned while it is refreshed.
    pub stale_while_revalidate: Duration,
    /// Time after the TTL in which a stale value is returned if the source fails.
    pub stale_if_error: Duration,
    /// TTL of a negative entry: the source said that the entity does not exist.
    pub negative: Duration,
}

/// Cache settings of one subgraph.
#[derive(Clone, Debug)]
pub struct Subgraph {
    /// Whether values of this subgraph are cached.
    pub mode: CacheMode,
    /// Lifetimes of its values.
    pub lifetime: Lifetime,
    /// The subgraph's name in the file, for diagnostics.
    pub span: Span,
}

impl Cache {
    /// Reports configured subgraphs that are not in `known`, the subgraphs of the graph.
    pub fn unknown_subgraphs(&self, known: &BTreeSet<&str>) -> Vec<Diagnostic> {
        let named = self.subgraphs.iter();
        let unknown = named.filter(|(name, _)| !known.contains(name.as_str()));
        unknown
            .map(|(name, subgraph)| unknown_subgraph(name, subgraph.span.clone(), known))
            .collect()
    }
}

/// `cache` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawCache {
    /// Whether values are cached.
    #[schemars(extend("default" = ENABLED.to_text()))]
    enabled: Option<Text<bool>>,
    /// Maximum size of cached values in the memory of this process.
    #[schemars(extend("default" = MEMORY.to_text()))]
    memory: Option<Text<Bytes>>,
    /// The cache level that replicas share. Default: memory only.
    #[schemars(with = "redis::RawRedis")]
    redis: Option<Spanned<redis::RawRedis>>,
    /// Lifetimes of cached values.
    lifetime: Option<RawLifetime>,
    /// Overrides by subgraph name.
    subgraphs: Option<Named<RawSubgraph>>,
    /// Names of client headers that identify the caller, for values that are private to one caller. Default: the credentials that the call carries.
    caller_headers: Option<Vec<Text<String>>>,
    /// TTL of cacheable responses for clients and proxies: with `0s` they validate each use, with `inherit` it is that of the values, which no mutation ends.
    #[schemars(extend("default" = CLIENT_MAX_AGE.to_text()))]
    client_max_age: Option<Text<ClientMaxAge>>,
    /// Whether whole responses are cached above the values in them.
    #[schemars(extend("default" = RESPONSES.to_text()))]
    responses: Option<Text<bool>>,
}

/// `cache.lifetime` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawLifetime {
    /// Default TTL, for values that get none from `@cacheControl` or the response. With `0s` they are not cached.
    #[schemars(extend("default" = DEFAULT.to_text()))]
    default: Option<Text<Duration>>,
    /// Maximum TTL, and maximum of each stale window.
    #[schemars(extend("default" = MAX.to_text()))]
    max: Option<Text<Duration>>,
    /// Default stale-while-revalidate window, for responses that set none.
    #[schemars(extend("default" = STALE.to_text()))]
    stale: Option<Text<Duration>>,
    /// Default stale-if-error window, for responses that set none.
    #[schemars(extend("default" = STALE_IF_ERROR.to_text()))]
    stale_if_error: Option<Text<Duration>>,
    /// TTL of negative entries: entities that the source reported as missing.
    #[schemars(extend("default" = NEGATIVE.to_text()))]
    negative: Option<Text<Duration>>,
}

/// `cache.subgraphs.<name>` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSubgraph {
    /// Whether values of this subgraph are cached. Default: `cache.enabled`.
    enabled: Option<Text<bool>>,
    /// Lifetimes of values of this subgraph.
    lifetime: Option<RawSubgraphLifetime>,
}

/// `cache.subgraphs.<name>.lifetime` as written; defaults are those of `cache.lifetime`.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSubgraphLifetime {
    /// Default: `cache.lifetime.default`.
    default: Option<Text<Duration>>,
    /// Default: `cache.lifetime.max`.
    max: Option<Text<Duration>>,
    /// Default: `cache.lifetime.stale`.
    stale: Option<Text<Duration>>,
    /// Default: `cache.lifetime.stale_if_error`.
    stale_if_error: Option<Text<Duration>>,
    /// Default: `cache.lifetime.negative`.
    negative: Option<Text<Duration>>,
}

impl RawCache {
    pub(super) fn check(self, graph: &Graph, reader: &mut Reader<'_>) -> Cache {
        let mode = CacheMode::from_enabled(reader.value_or(self.enabled, ENABLED));
        let lifetime = self.lifetime.unwrap_or_default().into_subgraph_lifetime();
        let lifetime = lifetime.check(&LIFETIME, reader);
        let mut subgraphs = BTreeMap::new();
        for (name, raw) in self.subgraphs.unwrap_or_default().0 {
            graph.require_subgraph(&name.value, name.referenced, reader);
            let enabled = raw.enabled.and_then(|enabled| reader.value(&enabled));
            let subgraph = Subgraph {
                mode: enabled.map_or(mode, CacheMode::from_enabled),
                lifetime: raw.lifetime.unwrap_or_default().check(&lifetime, reader),
                span: reader.span(name.referenced),
            };
            subgraphs.insert(name.value, subgraph);
        }
        Cache {
            mode,
            memory_bytes: reader.value_or(self.memory, MEMORY).0,
            redis: self.redis.and_then(|redis| redis::check(redis, reader)),
            lifetime,
            subgraphs,
            caller_headers: caller_headers(self.caller_headers.unwrap_or_default(), reader),
            client_max_age: reader.value_or(self.client_max_age, CLIENT_MAX_AGE),
            responses: CacheMode::from_enabled(reader.value_or(self.responses, RESPONSES)),
        }
    }
}

impl RawLifetime {
    fn into_subgraph_lifetime(self) -> RawSubgraphLifetime {
        RawSubgraphLifetime {
            default: self.default,
            max: self.max,
            stale: self.stale,
            stale_if_error: self.stale_if_error,
            negative: self.negative,
        }
    }
}

impl RawSubgraphLifetime {
    /// Uses `defaults` for keys that are not set.
    fn check(self, defaults: &Lifetime, reader: &mut Reader<'_>) -> Lifetime {
        let max = reader.value_or(self.max, defaults.max);
        Lifetime {
            default: capped(self.default, defaults.default, max, reader),
            stale_while_revalidate: capped(
                self.stale,
                defaults.stale_while_revalidate,
                max,
                reader,
            ),
            stale_if_error: capped(self.stale_if_error, defaults.stale_if_error, max, reader),
            negative: capped(self.negative, defaults.negative, max, reader),
            max,
        }
    }
}

impl Setting for ClientMaxAge {
    const EXPECTED: &'static str = "a TTL for clients";
    const EXAMPLE: &'static str = "`0s` or `inherit`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "0s" => Some(Self::Zero),
            "inherit" => Some(Self::Inherit),
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Zero => "0s".to_owned(),
            Self::Inherit => "inherit".to_owned(),
        }
    }

    fn json_schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "enum": ["0s", "inherit"] })
    }
}

impl CacheMode {
    fn from_enabled(is_enabled: bool) -> Self {
        if is_enabled {
            Self::Enabled
        } else {
            Self::Disabled
        }
    }
}

/// Caps a default at `max` silently, but reports a written value that is longer.
fn capped(
    text: Option<Text<Duration>>,
    default: Duration,
    max: Duration,
    reader: &mut Reader<'_>,
) -> Duration {
    let Some(text) = text else {
        return default.min(max);
    };
    let time = reader.value(&text).unwrap_or(default);
    if time > max {
        let message = format!("the duration exceeds `max`, which is {}", max.to_text());
        let help = "write a shorter duration, or increase `max`".to_owned();
        reader.report_invalid(text.location(), message, help);
    }
    time
}

fn caller_headers(texts: Vec<Text<String>>, reader: &mut Reader<'_>) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = Vec::new();
    for text in texts {
        let location = text.location();
        let name = reader.value(&text);
        let name = name.and_then(|name| headers::header_name(&name, location, reader));
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names
}

/// Default of `enabled`: sources decide by their response headers what may be cached.
const ENABLED: bool = true;

/// Default of `cache.responses`: a response ends with any of its values, so none is older.
const RESPONSES: bool = true;

/// Default of `cache.client_max_age`: a client that has just changed something must see it.
const CLIENT_MAX_AGE: ClientMaxAge = ClientMaxAge::Zero;

/// Default bytes of the memory level: tens of thousands of typical entities.
const MEMORY: Bytes = Bytes(NonZeroUsize::new(64 * 1024 * 1024).unwrap());

const LIFETIME: Lifetime = Lifetime {
    default: DEFAULT,
    max: MAX,
    stale_while_revalidate: STALE,
    stale_if_error: STALE_IF_ERROR,
    negative: NEGATIVE,
};

/// Default TTL: only the owner of the data knows how old it may become.
const DEFAULT: Duration = Duration::ZERO;

/// Default maximum TTL: a wrong response header has an effect for at most a day.
const MAX: Duration = Duration::from_hours(24);

/// Default stale-while-revalidate window: stale values must be opted into.
const STALE: Duration = Duration::ZERO;

/// Default stale-if-error window: long enough to restart a source, short enough that the data of
/// an outage is not mistaken for current data.
const STALE_IF_ERROR: Duration = Duration::from_mins(10);

/// Default TTL of negative entries: absorbs bursts of invalid keys, and new entities appear soon.
const NEGATIVE: Duration = Duration::from_secs(5);
