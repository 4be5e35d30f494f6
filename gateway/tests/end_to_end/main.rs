//! The gateway from outside, through real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]

mod admin;
mod audit;
mod client;
mod commands;
mod compose;
mod computed;
mod connector_tests;
mod connectors;
mod examples;
mod graphiql;
mod http;
mod library;
mod node;
mod origins;
mod overrides;
mod running;
mod services;
mod shop;
mod stop;
