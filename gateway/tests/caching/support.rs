//! Waiting for what must come to be.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Waits until `is_so` is, and says how long that took.
pub(crate) async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(15), "it never is");
        sleep(Duration::from_millis(2)).await;
    }
    began.elapsed()
}

/// What the environment says of `name`.
#[expect(
    clippy::disallowed_methods,
    reason = "a test is configured by nothing else"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
