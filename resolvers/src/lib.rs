//! How an operation is answered: prepare, plan, execute, project.
//!
//! Knows nothing of HTTP servers, configuration files or the environment.

mod engine;
pub mod error;

pub use self::engine::{Allow, Engine, EngineError, Outcome, Request};
pub mod settings;
