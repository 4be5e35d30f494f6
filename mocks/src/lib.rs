//! The shop behind Weir's demo, its tests and its benchmarks: three REST services with real state.
//!
//! *users*, *products* and *orders* listen on sockets, keep what they are told, call each other,
//! and break on command. They know nothing of GraphQL nor of the gateway, so they cannot repeat
//! its mistakes. Their contracts are the files in `mocks/openapi`. `Recorded` is another service:
//! it answers what was recorded, for the examples.
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

mod http;
mod model;
mod orders;
mod products;
mod recorded;
mod seed;
mod service;
mod settings;
mod shop;
mod store;
mod users;

pub use crate::model::Clock;
pub use crate::recorded::Recorded;
pub use crate::service::{Fault, Service};
pub use crate::settings::Settings;
pub use crate::shop::Shop;
