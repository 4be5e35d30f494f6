//! Caching and shared calls from outside: gateway processes, real Redis servers, and services over
//! HTTP that count their calls.
//!
//! Without a `redis-server` the tests print that they skip, and fail if `WEIR_REQUIRE_REDIS=1`.
//! They print what they measure: `cargo nextest run -p weir -E 'binary(caching)' --success-output
//! final`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it measures"
)]

mod batches;
mod changes;
#[path = "../end_to_end/client.rs"]
#[expect(dead_code, reason = "tests of broken HTTP use the rest")]
mod client;
mod failing;
mod hot;
mod load;
#[path = "../../../resolvers/tests/cache/nodes.rs"]
mod nodes;
mod people;
#[path = "../../../resolvers/tests/cache/port.rs"]
mod port;
#[path = "../../../resolvers/tests/cache/relay.rs"]
mod relay;
#[path = "../../../resolvers/tests/cache/server.rs"]
#[expect(dead_code, reason = "tests of Sentinel use the rest")]
mod server;
mod support;
mod weir;
