//! The outside world: arguments, configuration, sockets, logs.
//!
//! The binary is a thin shell over these parts, so that tests start a gateway in their own
//! process, and other programs serve a graph with resolvers of their own (`docs/library.md`). What
//! the graph is and how it is answered is known to `schema` and `resolvers` only.

pub mod app;
pub mod command;
pub mod config;
mod endpoint;
pub mod launch;
mod metrics;
mod observe;
pub mod project;
mod request;
mod respond;
mod routes;
mod secrets;
pub mod server;
pub mod shop;
pub mod tasks;
pub mod telemetry;

pub use resolvers::local;
