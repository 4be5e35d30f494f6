//! The graph: SDL, connectors and mappings, and operations against it.
//!
//! Pure: no async, no network, no clock, no files. `link` turns subgraphs into a `Graph` or
//! diagnostics; `operation` parses and validates operations of clients. `apollo_compiler` is used
//! in `sdl`, `link`, `client`, `input` and `operation` only, and appears in no public signature.

pub mod caching;
mod client;
pub mod connector;
pub mod diagnostic;
pub mod graph;
pub mod input;
pub mod json;
pub mod key;
pub mod link;
pub mod mapping;
pub mod operation;
pub mod override_label;
mod sdl;
pub mod source;
pub mod span;
pub mod subgraph;
pub mod template;
pub mod types;
