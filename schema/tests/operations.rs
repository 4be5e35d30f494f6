//! Operations of clients: limits, errors, variables and introspection.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "operations/errors.rs"]
mod errors;
#[path = "operations/introspection.rs"]
mod introspection;
#[path = "operations/limits.rs"]
mod limits;
#[path = "operations/support.rs"]
mod support;
#[path = "operations/variables.rs"]
mod variables;
