//! `cache`: what is kept of what services give, where, and for how long.
//!
//! Without a file there is a cache too, in memory. It keeps what the graph or an answer allows and
//! nothing else, because the lifetime of what nobody speaks of is zero.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use http::HeaderName;
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use self::redis::Redis;
use super::graph::Graph;
use super::headers;
use super::raw::{Named, Text};
use super::reader::Reader;
use super::setting::{Bytes, Setting};

pub mod redis;

/// What is kept of what services give, where, and for how long.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Whether anything is.
    pub mode: CacheMode,
    /// Bytes in the memory of this process.
    pub memory_bytes: NonZeroUsize,
    /// The level that replicas share.
    pub redis: Option<Redis>,
    /// For subgraphs that set nothing of their own.
    pub lifetime: Lifetime,
    /// By subgraph.
    pub subgraphs: BTreeMap<String, Subgraph>,
    /// The client's headers that say who it is.
    pub caller_headers: Vec<HeaderName>,
}

/// Whether anything is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMode {
    /// What the graph and the answers allow.
    Enabled,
    /// Nothing.
    Disabled,
}

/// For how long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Fresh for so long when neither the graph nor the answer says.
    pub default: Duration,
    /// Nothing is fresh for longer, whoever says so.
    pub max: Duration,
    /// Then given out for so long while it is renewed.
    pub stale_while_revalidate: Duration,
    /// Then given out for so long when the service fails.
    pub stale_if_error: Duration,
    /// For so long "does not exist" is believed.
    pub negative: Duration,
}

/// What is decided about one subgraph.
#[derive(Clone, Debug)]
pub struct Subgraph {
    /// Whether anything of it is kept.
    pub keeping: CacheMode,
    /// For how long.
    pub lifetime: Lifetime,
    /// Where the configuration names it, for diagnostics.
    pub span: Span,
}

impl Cache {
    /// Reports the subgraphs that a graph does not have, `known` being all that it has.
    pub fn unknown_subgraphs(&self, known: &BTreeSet<&str>) -> Vec<Diagnostic> {
        let named = self.subgraphs.iter();
        let unknown = named.filter(|(name, _)| !known.contains(name.as_str()));
        unknown
            .map(|(name, subgraph)| {
                let message = format!("the graph has no subgraph `{name}`");
                let near = nearest(name, known.iter().copied());
                let help = near.map(|near| format!("write `{near}`"));
                let span = subgraph.span.clone();
                Diagnostic::error(Code::ConfigInvalidValue, span, message).help(help)
            })
            .collect()
    }
}

/// `cache` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawCache {
    /// Whether anything is kept.
    #[schemars(extend("default" = ENABLED.to_text()))]
    enabled: Option<Text<bool>>,
    /// How much of it this process holds in memory.
    #[schemars(extend("default" = MEMORY.to_text()))]
    memory: Option<Text<Bytes>>,
    /// The level that replicas share. Default: each has its own memory only.
    #[schemars(with = "redis::RawRedis")]
    redis: Option<Spanned<redis::RawRedis>>,
    /// For how long something is kept.
    lifetime: Option<RawLifetime>,
    /// What differs for single subgraphs, by their names.
    subgraphs: Option<Named<RawSubgraph>>,
    /// The names of the client's headers that say who it is, for what only one caller may be given. Default: the credentials that a call carries say it.
    caller_headers: Option<Vec<Text<String>>>,
}

/// A lifetime as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawLifetime {
    /// How long something is fresh of which neither `@cacheControl` nor the answer says it. With `0s` it is not kept.
    #[schemars(extend("default" = DEFAULT.to_text()))]
    default: Option<Text<Duration>>,
    /// The longest time that anything is fresh, and the longest that it is then given out stale.
    #[schemars(extend("default" = MAX.to_text()))]
    max: Option<Text<Duration>>,
    /// How long it is then still given out while it is renewed, where the answer does not say (`stale-while-revalidate`).
    #[schemars(extend("default" = STALE.to_text()))]
    stale: Option<Text<Duration>>,
    /// How long it is then still given out when the service fails, where the answer does not say (`stale-if-error`).
    #[schemars(extend("default" = STALE_IF_ERROR.to_text()))]
    stale_if_error: Option<Text<Duration>>,
    /// How long it is believed that something does not exist.
    #[schemars(extend("default" = NEGATIVE.to_text()))]
    negative: Option<Text<Duration>>,
}

/// What differs for one subgraph, as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSubgraph {
    /// Whether anything of it is kept. Default: `cache.enabled`.
    enabled: Option<Text<bool>>,
    /// For how long.
    lifetime: Option<RawSubgraphLifetime>,
}

/// A subgraph's own lifetime as written; its defaults are those of all.
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
        let written = self.lifetime.unwrap_or_default().into_subgraph_lifetime();
        let lifetime = written.check(&LIFETIME, reader);
        let mut subgraphs = BTreeMap::new();
        for (name, written) in self.subgraphs.unwrap_or_default().0 {
            graph.require_subgraph(&name.value, name.referenced, reader);
            let span = reader.span(name.referenced);
            let own = written.lifetime.unwrap_or_default();
            let subgraph = Subgraph {
                keeping: written
                    .enabled
                    .and_then(|enabled| reader.value(&enabled))
                    .map_or(mode, CacheMode::from_enabled),
                lifetime: own.check(&lifetime, reader),
                span,
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
    /// `others` counts for what is not written.
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

impl CacheMode {
    fn from_enabled(is_on: bool) -> Self {
        if is_on { Self::Enabled } else { Self::Disabled }
    }
}

/// What is not written is cut to `max` silently; what is written should count.
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
        let message = format!("this is longer than `max`, which is {}", max.to_text());
        let help = "write a shorter time, or set `max` beside it".to_owned();
        reader.report_invalid(text.location(), message, help);
    }
    time
}

fn caller_headers(written: Vec<Text<String>>, reader: &mut Reader<'_>) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = Vec::new();
    for text in written {
        let location = text.location();
        let name = reader.value(&text);
        let name = name.and_then(|name| headers::header_name(&name, location, reader));
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names
}

/// What services allow to be kept saves calls, and costs nobody anything.
const ENABLED: bool = true;

/// Tens of thousands of usual entities, in a process that is small beside it.
const MEMORY: Bytes = Bytes(NonZeroUsize::new(64 * 1024 * 1024).unwrap());

const LIFETIME: Lifetime = Lifetime {
    default: DEFAULT,
    max: MAX,
    stale_while_revalidate: STALE,
    stale_if_error: STALE_IF_ERROR,
    negative: NEGATIVE,
};

/// Only who knows the data can say how old it may be.
const DEFAULT: Duration = Duration::ZERO;

/// A mistake in an answer's headers is over after a day.
const MAX: Duration = Duration::from_hours(24);

/// While a service is well nobody is given old data, unless somebody says that they may be.
const STALE: Duration = Duration::ZERO;

/// While a service is down the alternative is an error. Long enough to restart it, and short enough
/// that nobody takes the data of an outage for that of today.
const STALE_IF_ERROR: Duration = Duration::from_mins(10);

/// Guessed keys and broken links come in bursts; what is new is seen soon.
const NEGATIVE: Duration = Duration::from_secs(5);
