//! Background tasks with a name and an owner.
//!
//! The only caller of the runtime's `spawn`. A panic is logged and ends only its own task; tasks
//! that outlive the grace period of their owner are reported by name.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_util::task::TaskTracker;

/// The tasks of one owner. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    running: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

/// Tasks that were still running at the end of the grace period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unfinished {
    /// Number of tasks by name.
    pub tasks: BTreeMap<&'static str, usize>,
}

impl Tasks {
    /// Spawns `task`, which runs until it returns.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let entry = RunningTask::new(name, Arc::clone(&self.running));
        self.tracker.spawn(async move {
            let _entry = entry;
            // A panic cannot leave shared state inconsistent: locks are never held across a call.
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a task panicked");
            }
        });
    }

    /// Waits at most `grace` until every task has ended.
    pub async fn finish_within(&self, grace: Duration) -> Result<(), Unfinished> {
        self.tracker.close();
        let finished = tokio::time::timeout(grace, self.tracker.wait()).await;
        finished.map_err(|_| Unfinished {
            tasks: lock(&self.running).clone(),
        })
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unfinished:")?;
        for (name, count) in &self.tasks {
            write!(f, " {count} × {name}")?;
        }
        Ok(())
    }
}

/// Counts one running task until it is dropped.
struct RunningTask {
    name: &'static str,
    running: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl RunningTask {
    fn new(name: &'static str, running: Arc<Mutex<BTreeMap<&'static str, usize>>>) -> Self {
        *lock(&running).entry(name).or_default() += 1;
        Self { name, running }
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        if let Some(count) = running.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                running.remove(self.name);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // No panic can leave the map inconsistent, so a poisoned lock is usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_outlives_the_grace_is_named() {
        let tasks = Tasks::default();
        tasks.spawn("short", async {});
        tasks.spawn("long", std::future::pending());
        tasks.spawn("long", std::future::pending());

        let unfinished = tasks
            .finish_within(Duration::from_secs(1))
            .await
            .unwrap_err();

        assert_eq!(unfinished.to_string(), "unfinished: 2 × long");
    }

    #[tokio::test]
    async fn a_panic_ends_only_its_own_task() {
        let tasks = Tasks::default();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        tasks.spawn("broken", async { panic!("on purpose") });
        tasks.spawn("whole", async { sender.send(()).unwrap() });

        receiver.await.unwrap();

        assert_eq!(tasks.finish_within(Duration::from_secs(5)).await, Ok(()));
    }
}
