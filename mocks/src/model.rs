//! The values of the shop: ids, money, time, and the entities, with their JSON form.
//!
//! Rules that need state are in the services.

mod clock;
mod id;
mod money;
mod order;
mod product;
mod review;
mod user;

pub use self::clock::Clock;
pub(crate) use self::clock::Timestamp;
pub(crate) use self::id::Id;
pub(crate) use self::money::{Currency, Money};
pub(crate) use self::order::{Order, OrderItem, OrderStatus};
pub(crate) use self::product::{Category, Product};
pub(crate) use self::review::Review;
pub(crate) use self::user::{Address, Kind, Merchant, User};
