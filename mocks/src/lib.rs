//! The shop behind Weir's demo, its tests and its benchmarks: services with real state.
//!
//! *users*, *products* and *orders* are REST services, *reviews* is a GraphQL subgraph. They listen
//! on sockets, store changes, call each other, and inject faults on command. They do not depend on
//! the gateway's crates, so they cannot repeat its mistakes. Their contracts are the files in
//! `mocks/openapi`. Two more services are for tests and examples: `graphql` serves any
//! async-graphql schema, and `Recorded` replays recorded responses.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! let shop = mocks::Shop::start().await?;
//! shop.products.fault(Some(mocks::Fault::Status(503)));
//! assert_eq!(shop.users.calls_to("GET /users"), 0);
//! shop.stop().await;
//! # Ok(())
//! # }
//! ```

mod events;
mod graphql;
mod http;
mod model;
mod orders;
mod products;
mod recorded;
mod reviews;
mod seed;
mod service;
mod settings;
mod shop;
mod store;
mod users;

pub use crate::graphql::graphql;
pub use crate::model::Clock;
pub use crate::recorded::Recorded;
pub use crate::service::{Fault, Service};
pub use crate::settings::{Events, Lifetimes, Settings};
pub use crate::shop::Shop;
