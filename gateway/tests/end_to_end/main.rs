//! The gateway from outside, through real sockets and as a process.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod access;
mod admin;
mod audit;
mod bombs;
mod client;
mod client_cache;
mod commands;
mod compose;
mod computed;
mod connector_tests;
mod connectors;
mod examples;
mod graphiql;
mod http;
mod idioms;
mod library;
mod library_example;
mod log_lines;
mod node;
mod open_files;
mod origins;
mod overrides;
#[path = "../../../resolvers/tests/cache/port.rs"]
mod port;
mod protocol;
mod quickstart;
mod redaction;
mod running;
mod services;
mod shop;
mod slow_clients;
mod stop;
mod unexpected_responses;
mod unset_settings;
