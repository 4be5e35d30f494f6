//! What the graph is.
//!
//! Pure: no async, no network, no clock, no files.

pub mod diagnostic;
pub mod graph;
pub mod json;
pub mod mapping;
pub mod span;
pub mod template;
