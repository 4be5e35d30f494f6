//! What the graph is: SDL, connectors and mappings, and the graph that they make.
//!
//! Pure: no async, no network, no clock, no files. `link` is the way in: subgraphs become a
//! `Graph`, or diagnostics that say what is wrong with them. `operation` reads what clients send.
//! The library that parses GraphQL is named in `sdl`, `link`, `client`, `input` and `operation`
//! only, and in nothing that leaves this crate.

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
