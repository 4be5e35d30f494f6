//! Handlers of routes, one module for each.

pub(crate) mod admin;
pub(crate) mod graphql;
pub(crate) mod health;
pub(crate) mod page;
