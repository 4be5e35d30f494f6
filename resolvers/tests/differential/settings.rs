//! Settings of the engine, with limits far above the generated operations.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use resolvers::cache::{Cache, CacheSettings};
use resolvers::settings::{
    Batching, CachePolicy, Caching, CallLimits, Introspection, Limits, Reports, ResponseCaching,
    Settings,
};

use crate::model::Name;

pub(crate) fn settings() -> Settings {
    Settings {
        sources: BTreeMap::new(),
        subgraphs: BTreeMap::new(),
        local: BTreeMap::new(),
        limits: Limits {
            depth: 20,
            tokens: 10_000,
            fields: 5_000,
            selections: 5_000,
            aliases: 5_000,
            root_fields: 5_000,
            introspection_size: 1 << 20,
            response_size: 16 << 20,
            operation_memory: 128 << 20,
            source_body: 16 << 20,
            source_url: 8_000,
            source_headers: 32 << 10,
            errors: 10_000,
        },
        operation_timeout: Duration::from_secs(20),
        prepare_timeout: Duration::from_secs(30),
        source_timeout: Duration::from_secs(20),
        call_limits: CallLimits::default(),
        source_call_limit: None,
        batching: Batching::AcrossOperations,
        caching: None,
        environment: BTreeMap::new(),
        reports: Reports::Hide,
        operation_cache_size: 64 << 20,
        prepared_operations: NonZeroUsize::MIN,
        overrides: [("on".to_owned(), 100.0)].into(),
        introspection: Introspection::Allow,
    }
}

/// An empty cache that caches everything that may be cached.
pub(crate) fn caching(subgraphs: &[Name]) -> Caching {
    let (cache, _) = Cache::start(CacheSettings {
        jitter_percent: 0,
        ..CacheSettings::with_memory(8 << 20)
    });
    let policy = |default_ttl| CachePolicy {
        is_enabled: true,
        default_ttl,
        max_ttl: Duration::from_hours(1),
        stale_while_revalidate: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        negative_ttl: Duration::ZERO,
    };
    let names = subgraphs.iter();
    Caching {
        cache,
        default: policy(Duration::ZERO),
        subgraphs: names
            .map(|name| (name.to_string(), policy(ttl(subgraphs, name))))
            .collect(),
        caller_headers: Vec::new(),
        responses: ResponseCaching::Disabled,
    }
}

/// The lifetime of the values of a subgraph; each has another.
pub(crate) fn ttl(subgraphs: &[Name], name: &str) -> Duration {
    let index = subgraphs.iter().position(|it| **it == *name);
    let index = index.and_then(|index| u64::try_from(index).ok());
    Duration::from_secs(600 + 100 * index.unwrap_or(0))
}
