//! The outside world: arguments, configuration, sockets, logs.
//!
//! The binary is a thin shell over these parts, so that tests start a gateway in their own
//! process. What the graph is and how it is answered is known to `schema` and `resolvers` only.

pub mod app;
pub mod command;
pub mod config;
mod endpoint;
pub mod launch;
mod observe;
mod request;
mod respond;
mod routes;
pub mod server;
pub mod shop;
pub mod tasks;
mod telemetry;
