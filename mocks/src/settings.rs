//! What is told to a shop before it opens. There is no file and no environment behind it.

use std::io;
use std::time::Duration;

use crate::http::Lifetime;
use crate::model::Clock;

/// What a shop may be told; the default is right for all but special tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where changes get their time from.
    pub clock: Clock,
    /// How many orders there can be; the shop opens with 5,000.
    pub max_orders: usize,
    /// How many reviews there can be; the shop opens with some 4,000.
    pub max_reviews: usize,
    /// How long *orders* waits for one answer of *products*.
    pub products_timeout: Duration,
    /// What reads say about keeping them.
    pub lifetimes: Lifetimes,
    /// Where *products* tells what has changed; nowhere by default.
    pub events: Option<Events>,
}

/// The `Cache-Control` of what is read; empty text is no header. `Service::set_cache_control`
/// changes it while a service runs.
///
/// Changes and errors are `no-store`, whatever is said here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// One merchant, or merchants and nobody else by their ids.
    pub merchants: String,
    /// Everything else that *users* answers.
    pub users: String,
    /// One product, or products by their ids.
    pub products: String,
    /// Pages, searches, and what a merchant sells.
    pub product_lists: String,
    /// Everything that *orders* answers.
    pub orders: String,
    /// Queries of entities without errors; *reviews*.
    pub reviews: String,
    /// A 404 for one user, product or order.
    pub missing: String,
}

/// A Redis stream that is told about changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// The server, such as `redis://127.0.0.1:6379`.
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
            // What changes is told as an event, so what is known by its id holds for long.
            merchants: text("public, max-age=3600"),
            products: text("public, max-age=3600"),
            // What belongs into a list may change without an event of anything in it.
            product_lists: text("public, max-age=30"),
            // People change seldom, and are not everybody's business.
            users: text("private, max-age=60"),
            // An order may change at any moment: keep it, but ask each time.
            orders: text("private, no-cache"),
            reviews: text("public, max-age=60"),
            missing: text("max-age=2"),
        }
    }
}

impl Events {
    /// The stream that services write to unless told otherwise.
    pub const STREAM: &str = "weir:events";

    /// The usual stream of the server at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            stream: Self::STREAM.to_owned(),
        }
    }
}

/// What `text`, the setting called `name`, says about keeping answers.
pub(crate) fn parse_lifetime(name: &str, text: &str) -> io::Result<Lifetime> {
    Lifetime::parse(text).map_err(|_| {
        let message = format!("the lifetime of {name} cannot be a header: {text:?}");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}
