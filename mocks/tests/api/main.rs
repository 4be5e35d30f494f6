//! The services from the side of a client: through sockets, on free ports.
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
mod lost_responses;
mod orders;
#[path = "../../../resolvers/tests/cache/port.rs"]
mod port;
mod problems;
mod products;
mod reads;
mod recorded;
mod reviews;
mod reviews_entities;
#[path = "../../../resolvers/tests/cache/server.rs"]
#[expect(dead_code, reason = "tests of Sentinel use the rest")]
mod server;
mod start_and_stop;
mod subgraph;
mod users;
