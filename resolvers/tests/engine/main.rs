//! The engine over the shop's graph and over small graphs: plans, calls to sources, responses.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod audit;
mod audit_live;
mod batch_selections;
mod batches;
mod bodies;
mod caching;
mod caching_callers;
mod caching_entities;
mod caching_invalid;
mod caching_model;
mod caching_random;
mod caching_responses;
mod caching_rules;
mod caching_schedule;
mod caching_service;
mod caching_truth;
mod call_limits;
mod canned;
mod compression;
mod conditions;
mod connector_test;
mod contexts;
mod documents;
mod empty_bodies;
mod error_paths;
mod executing;
mod faults;
mod federated_plans;
mod federation;
mod key_types;
mod lists;
mod loader;
mod loader_service;
mod malformed_errors;
mod many_calls;
mod mapping_agreement;
mod mapping_generate;
mod memory;
mod merging;
mod merging_inputs;
mod operation_size;
mod plan_growth;
mod plans;
#[path = "../cache/port.rs"]
mod port;
mod progressive;
mod reach;
#[path = "../cache/server.rs"]
#[expect(dead_code, reason = "tests of the cache use the rest")]
mod redis_server;
mod refusals;
mod renamed_roots;
mod reports;
mod request_bounds;
mod requires_fallbacks;
mod requires_faults;
mod requires_inputs;
mod requires_plans;
mod services;
mod shared_objects;
mod shop;
mod support;
mod transport;
mod typename_keys;
mod values;
mod warnings;
