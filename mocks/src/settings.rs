//! Settings of the shop; they come from code or flags, not from files or the environment.

use std::io;
use std::time::Duration;

use crate::http::Lifetime;
use crate::model::Clock;

/// Settings of the shop; the defaults suit all but special tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The source of the times of changes.
    pub clock: Clock,
    /// Maximum number of orders; the seed has 5,000.
    pub max_orders: usize,
    /// Maximum number of reviews; the seed has some 4,000.
    pub max_reviews: usize,
    /// Maximum time that *orders* waits for one response of *products*.
    pub products_timeout: Duration,
    /// The `Cache-Control` of reads.
    pub lifetimes: Lifetimes,
    /// The stream to which *products* publishes changes; none by default.
    pub events: Option<Events>,
}

/// The `Cache-Control` of reads; empty text omits the header. `Service::set_cache_control`
/// overrides it while a service runs.
///
/// Writes and errors are always `no-store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// One merchant, or several by id if all are merchants.
    pub merchants: String,
    /// Other reads of *users*.
    pub users: String,
    /// One product, or several by id.
    pub products: String,
    /// Pages, searches, and the products of merchants.
    pub product_lists: String,
    /// Reads of *orders*.
    pub orders: String,
    /// Entity queries of *reviews* without errors.
    pub reviews: String,
    /// A 404 for one user, product or order.
    pub missing: String,
}

/// The Redis stream to which changes are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// The URL of the server, such as `redis://127.0.0.1:6379`.
    pub url: String,
    /// The name of the stream.
    pub stream: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::System,
            max_orders: 100_000,
            max_reviews: 100_000,
            products_timeout: Duration::from_secs(2),
            lifetimes: Lifetimes::default(),
            events: None,
        }
    }
}

impl Default for Lifetimes {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            // Changes are published as events, which invalidate cached values by id.
            merchants: text("public, max-age=3600"),
            products: text("public, max-age=3600"),
            // The members of a list change without an event for the list.
            product_lists: text("public, max-age=30"),
            // Accounts change rarely, and are private.
            users: text("private, max-age=60"),
            // An order may change at any moment: cacheable, but to be revalidated.
            orders: text("private, no-cache"),
            reviews: text("public, max-age=60"),
            missing: text("max-age=2"),
        }
    }
}

impl Events {
    /// Default name of the stream.
    pub const STREAM: &str = "weir:events";

    /// The stream with the default name on the server at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            stream: Self::STREAM.to_owned(),
        }
    }
}

/// Parses `text`, the `Cache-Control` of the setting `name`.
pub(crate) fn parse_lifetime(name: &str, text: &str) -> io::Result<Lifetime> {
    Lifetime::parse(text).map_err(|_| {
        let message = format!("the lifetime of {name} cannot be a header: {text:?}");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}
