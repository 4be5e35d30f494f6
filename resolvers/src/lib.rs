//! How an operation is answered: prepare, plan, execute, project.
//!
//! `Engine` is the way in. `prepared` reads an operation and has it planned, once; `execute` runs
//! the plan; `project` writes the answer. Knows nothing of HTTP servers, configuration files or
//! the environment.

pub mod account;
mod batch;
#[doc(hidden)]
pub mod bench;
pub mod cache;
mod decided;
mod document;
mod engine;
pub mod error;
mod execute;
mod extract;
mod fetch;
pub mod invalidation;
mod keep;
pub mod local;
mod operations;
mod plan;
mod prepared;
mod project;
mod selection;
pub mod settings;
mod tree;
pub mod trial;

pub use self::engine::{Allow, Engine, EngineError, Explain, Outcome, Request};
