//! Waiting for a condition, and the tests' environment variables.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Waits until `is_so` returns true, and returns how long that took.
pub(crate) async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "the condition never holds"
        );
        sleep(Duration::from_millis(2)).await;
    }
    began.elapsed()
}

/// The value of an environment variable.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment is the only configuration of a test"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
