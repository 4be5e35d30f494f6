//! One file a route.

pub(crate) mod admin;
pub(crate) mod graphql;
pub(crate) mod health;
pub(crate) mod page;
