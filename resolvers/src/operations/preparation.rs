//! Preparing operations beside the runtime: large documents on a bounded number of threads, each
//! once for all requests that wait for it, and for a bounded time.
//!
//! The work itself is bounded by the limits of a document and by the budget of the planner; what
//! ends at the timeout is the wait for it. A preparation that has begun is finished and cached.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use hashbrown::HashMap;
use tokio::sync::Semaphore;

use crate::error::{RequestError, RequestErrorKind};
use crate::lock::lock;

/// The result of a preparation, for all requests that wait for it.
pub(super) type Prepared<T> = Result<Arc<T>, Vec<RequestError>>;

/// Threads that prepare operations, and the preparations under way.
#[derive(Debug)]
pub(super) struct Preparations<K, T> {
    permits: Arc<Semaphore>,
    timeout: Duration,
    flights: Mutex<HashMap<K, Flight<T>, foldhash::fast::RandomState>>,
    next_id: AtomicU64,
}

#[derive(Debug)]
struct Flight<T> {
    id: u64,
    /// Gone with the last request that waits.
    outcome: WeakShared<BoxFuture<'static, Prepared<T>>>,
}

impl<K, T> Preparations<K, T>
where
    K: Clone + Hash + Eq + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    pub(super) fn new(threads: usize, timeout: Duration) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(threads.max(1))),
            timeout,
            flights: Mutex::default(),
            next_id: AtomicU64::new(0),
        }
    }

    /// Does `work` on a thread of its own, once at a time for each key.
    pub(super) async fn once(
        self: &Arc<Self>,
        key: K,
        work: impl FnOnce() -> Prepared<T> + Send + 'static,
    ) -> Prepared<T> {
        let flight = self.join_or_start(key, work);
        self.in_time(flight).await?
    }

    /// Does `work` on a thread of its own.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Vec<RequestError>> {
        let permits = Arc::clone(&self.permits);
        self.in_time(on_thread(permits, work)).await?
    }

    async fn in_time<R>(&self, work: impl Future<Output = R>) -> Result<R, Vec<RequestError>> {
        let outcome = tokio::time::timeout(self.timeout, work).await;
        outcome.map_err(|_| {
            vec![RequestError {
                message: format!(
                    "the operation was not prepared within {:?} (`limits.prepare_timeout`): the \
                     gateway prepares others; try again later",
                    self.timeout
                ),
                locations: Vec::new(),
                kind: RequestErrorKind::PrepareTimeout,
            }]
        })
    }

    fn join_or_start(
        self: &Arc<Self>,
        key: K,
        work: impl FnOnce() -> Prepared<T> + Send + 'static,
    ) -> Shared<BoxFuture<'static, Prepared<T>>> {
        let mut flights = self.flights();
        if let Some(outcome) = flights.get(&key).and_then(|it| it.outcome.upgrade()) {
            return outcome;
        }
        let entry = FlightEntry {
            preparations: Arc::clone(self),
            key: key.clone(),
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
        };
        let id = entry.id;
        let permits = Arc::clone(&self.permits);
        let outcome = async move {
            let outcome = on_thread(permits, work).await;
            drop(entry);
            outcome.and_then(|outcome| outcome)
        };
        let outcome = outcome.boxed().shared();
        // A future that was not polled to its end can be referred to.
        if let Some(outcome) = outcome.downgrade() {
            flights.insert(key, Flight { id, outcome });
        }
        outcome
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<K, Flight<T>, foldhash::fast::RandomState>> {
        lock(&self.flights)
    }
}

/// Does `work` on a thread of its own, when a permit is free.
async fn on_thread<R: Send + 'static>(
    permits: Arc<Semaphore>,
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Vec<RequestError>> {
    let permit = permits.acquire_owned().await;
    let work = tokio::task::spawn_blocking(move || {
        let result = work();
        drop(permit);
        result
    });
    // The panic itself is in the log.
    work.await.map_err(|_| {
        vec![RequestError {
            message: "internal error while the operation was prepared".to_owned(),
            locations: Vec::new(),
            kind: RequestErrorKind::Planning,
        }]
    })
}

/// The entry of a preparation; dropped when it ends for any reason, which removes it.
struct FlightEntry<K: Hash + Eq, T> {
    preparations: Arc<Preparations<K, T>>,
    key: K,
    id: u64,
}

impl<K: Hash + Eq, T> Drop for FlightEntry<K, T> {
    fn drop(&mut self) {
        let mut flights = lock(&self.preparations.flights);
        // A later preparation of the same operation may have replaced it.
        if flights.get(&self.key).is_some_and(|it| it.id == self.id) {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn preparations(timeout: Duration) -> Arc<Preparations<u8, usize>> {
        Arc::new(Preparations::new(1, timeout))
    }

    #[tokio::test]
    async fn equal_operations_are_prepared_once_at_a_time() {
        let preparations = preparations(Duration::from_secs(10));
        let runs = Arc::new(AtomicUsize::new(0));
        let prepare = || {
            let runs = Arc::clone(&runs);
            preparations.once(7, move || {
                std::thread::sleep(Duration::from_millis(50));
                Ok(Arc::new(runs.fetch_add(1, Ordering::SeqCst)))
            })
        };

        let (first, second) = tokio::join!(prepare(), prepare());

        assert_eq!((first, second), (Ok(Arc::new(0)), Ok(Arc::new(0))));
        assert_eq!(prepare().await, Ok(Arc::new(1)));
        assert!(preparations.flights().is_empty());
    }

    #[tokio::test]
    async fn the_wait_for_a_thread_is_bounded() {
        let preparations = preparations(Duration::from_millis(20));
        let slow = || {
            std::thread::sleep(Duration::from_millis(100));
            Ok(Arc::new(1))
        };

        let (first, second) = tokio::join!(preparations.once(1, slow), preparations.once(2, slow));

        for outcome in [first, second] {
            let errors = outcome.unwrap_err();
            assert_eq!(errors[0].kind, RequestErrorKind::PrepareTimeout);
        }
        assert!(preparations.flights().is_empty());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_its_operation() {
        let preparations = preparations(Duration::from_secs(10));

        let outcome = preparations.once(1, || panic!("on purpose")).await;

        assert_eq!(outcome.unwrap_err()[0].kind, RequestErrorKind::Planning);
        assert_eq!(
            preparations.once(1, || Ok(Arc::new(2))).await,
            Ok(Arc::new(2))
        );
    }
}
