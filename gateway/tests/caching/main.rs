//! What is kept and shared, from outside: gateways that are processes of their own, real Redis
//! servers, and services over HTTP that count what they are asked.
//!
//! Without a `redis-server` they say so and pass, unless `WEIR_REQUIRE_REDIS=1`. What they measured
//! is printed: `cargo nextest run --workspace -E 'binary(caching)' --success-output final`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may"
)]

mod batches;
mod changes;
#[path = "../end_to_end/client.rs"]
#[expect(dead_code, reason = "other tests write it wrong")]
mod client;
mod failing;
mod hot;
mod load;
#[path = "../../../resolvers/tests/cache/nodes.rs"]
mod nodes;
mod people;
mod relay;
#[path = "../../../resolvers/tests/cache/server.rs"]
#[expect(dead_code, reason = "other tests have Sentinels")]
mod server;
mod support;
mod weir;
