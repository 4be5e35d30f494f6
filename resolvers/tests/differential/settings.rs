//! Settings of the engine, with limits far above the generated operations.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use resolvers::settings::{Batching, CallLimits, Introspection, Limits, Reports, Settings};

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
            errors: 100,
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
