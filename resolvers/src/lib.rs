//! How an operation is answered: prepare, plan, execute, project.
//!
//! `Engine` is the entry point. `prepared` parses and plans an operation once; `execute` executes
//! the plan; `project` writes the response. The crate knows no HTTP server, no configuration file
//! and no environment.

mod batch;
#[doc(hidden)]
pub mod bench;
pub mod cache;
pub mod connector_test;
mod engine;
mod entity_cache;
mod entity_key;
pub mod error;
mod execute;
pub mod invalidation;
mod leaf;
pub mod local;
mod lock;
mod memory;
mod operations;
mod plan;
mod plan_variant;
mod prepared;
mod program;
mod project;
mod redacted;
mod response;
mod selection;
pub mod settings;
mod source_client;
mod subgraph_request;
pub mod trace;
mod tree;
pub mod warning;

pub use self::engine::{Allow, Engine, EngineError, Outcome, Request};
pub use self::entity_cache::response::CachedResponse;
pub use self::operations::OperationCacheUsage;
pub use self::source_client::call_gate::SourceLoad;
pub use self::trace::Trace;
