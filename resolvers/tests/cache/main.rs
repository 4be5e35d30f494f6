//! The cache with a real Redis: alone, shared by two, failing, as a Cluster and with Sentinel.
//!
//! Each test starts its own servers on free ports, and stops them. Without a `redis-server` the
//! tests print that they skip, and fail if `WEIR_REQUIRE_REDIS=1`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cluster;
mod events;
mod failing;
mod fleet;
mod levels;
mod model;
mod nodes;
mod port;
mod refusals;
mod relay;
mod server;
mod support;
mod waiting;
