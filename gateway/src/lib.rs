//! The gateway: command line, configuration, HTTP server and logs.
//!
//! The binary is a thin wrapper around this library, so that tests can start a gateway in their
//! own process, and other programs can serve a graph with their own resolvers (`docs/library.md`).
//! The crate `schema` knows the graph, and the crate `resolvers` executes operations.

pub mod app;
mod clip;
pub mod command;
pub mod config;
mod endpoint;
pub mod launch;
mod metrics;
mod observe;
pub mod open_files;
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
