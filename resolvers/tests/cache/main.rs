//! The cache against a real Redis: alone, shared by two, failing, as a Cluster and behind Sentinels.
//!
//! Each test starts the servers that it needs on free ports, and stops them. Without a
//! `redis-server` they say so and pass, unless `WEIR_REQUIRE_REDIS=1`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod cluster;
mod events;
mod failing;
mod fleet;
mod levels;
mod model;
mod nodes;
mod server;
mod support;
