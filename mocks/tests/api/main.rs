//! The services as their clients meet them: through sockets, on ports of their own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests; clippy knows only the functions marked as such"
)]

mod client;
mod concurrency;
mod contract;
mod counts;
mod events;
mod faults;
mod graphql;
mod lifetimes;
mod lists;
mod lost_answers;
mod orders;
mod problems;
mod products;
mod reads;
mod recorded;
mod reviews;
#[path = "../../../resolvers/tests/cache/server.rs"]
#[expect(dead_code, reason = "other tests have Sentinels")]
mod server;
mod start_and_stop;
mod subgraph;
mod users;
