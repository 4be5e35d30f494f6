//! How a source's JSON becomes fields.

pub mod ast;
