//! Writes to Redis: queued, bounded, sent in the background. A write that finds the queue full is
//! dropped and counted; no response waits for a write.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hashbrown::HashSet;
use redis::{Cmd, cmd};
use tokio::sync::mpsc;

use super::super::key::Key;
use super::super::tags::Tag;
use super::calls::Commands;
use super::codec::Record;
use super::{Store, positive_millis, scripts};

/// The releases of leases, with the token of each.
type Releases = (Vec<u64>, Commands);

/// A write in the queue.
#[derive(Debug)]
pub(in crate::cache) enum QueuedWrite {
    /// A value with its time to live, then the release of the lease under which it was fetched.
    Value {
        key: Key,
        record: Record,
        ttl: Duration,
        lease: Option<(Key, u64)>,
    },
    /// The release of a lease without a value.
    Release(Key, u64),
}

/// The sending end of the queue.
#[derive(Clone, Debug)]
pub(in crate::cache) struct WriteQueue {
    store: Arc<Store>,
    queue: mpsc::Sender<QueuedWrite>,
    bytes: Arc<AtomicUsize>,
}

/// The receiving end of the queue, which sends the writes to Redis.
#[derive(Debug)]
pub(in crate::cache) struct Writer {
    store: Arc<Store>,
    queue: mpsc::Receiver<QueuedWrite>,
    bytes: Arc<AtomicUsize>,
}

pub(in crate::cache) fn write_queue(store: &Arc<Store>) -> (WriteQueue, Writer) {
    let (sender, receiver) = mpsc::channel(store.settings().max_queued_writes.max(1));
    let bytes = Arc::new(AtomicUsize::new(0));
    let writes = WriteQueue {
        store: Arc::clone(store),
        queue: sender,
        bytes: Arc::clone(&bytes),
    };
    let writer = Writer {
        store: Arc::clone(store),
        queue: receiver,
        bytes,
    };
    (writes, writer)
}

impl WriteQueue {
    /// Queues `write`, or drops it if the queue is full. Values over the size limit of Redis are
    /// not queued.
    pub(in crate::cache) fn push(&self, write: QueuedWrite) {
        let settings = self.store.settings();
        let (size, lease) = (write.size(), write.lease());
        if let Some((_, token)) = lease {
            self.store.begin_release(token);
        }
        if size > settings.max_value_bytes {
            // An unreleased lease would make other replicas wait for a value that is never written.
            if let Some((key, token)) = lease {
                self.push(QueuedWrite::Release(key, token));
            }
            return;
        }
        let before = self.bytes.fetch_add(size, Ordering::Relaxed);
        let has_room = before.saturating_add(size) <= settings.max_queued_bytes;
        if !has_room || self.queue.try_send(write).is_err() {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            self.store.stats.writes_dropped.increment();
            if let Some((_, token)) = lease {
                self.store.end_release(token, false);
            }
        }
    }
}

impl Writer {
    /// Sends queued writes until all senders are dropped.
    pub(in crate::cache) async fn run(mut self) {
        let mut batch = Vec::new();
        while self.queue.recv_many(&mut batch, MAX_WRITES_PER_BATCH).await > 0 {
            let size = batch.iter().map(QueuedWrite::size).sum();
            let (values, releases) = self.store.commands(std::mem::take(&mut batch));
            self.write(values).await;
            // Released after the values are written: a waiting replica must find one or the other.
            let (tokens, releases) = releases;
            let are_released = self.write(releases).await;
            for (token, is_released) in tokens.into_iter().zip(are_released) {
                self.store.end_release(token, is_released);
            }
            self.bytes.fetch_sub(size, Ordering::Relaxed);
        }
    }

    /// Returns which of the commands succeeded.
    async fn write(&self, commands: Commands) -> Vec<bool> {
        let limit = self.store.settings.write_timeout;
        let answers = self.store.send(commands, limit).await;
        let succeeded: Vec<bool> = answers.iter().map(Option::is_some).collect();
        let failed = succeeded.iter().filter(|succeeded| !**succeeded).count();
        self.store.stats.writes.add(answers.len() - failed);
        self.store.stats.writes_dropped.add(failed);
        succeeded
    }
}

impl QueuedWrite {
    fn size(&self) -> usize {
        match self {
            Self::Value { record, .. } => record.entry.size(),
            Self::Release(..) => 0,
        }
    }

    /// The lease to release.
    fn lease(&self) -> Option<(Key, u64)> {
        match self {
            Self::Value { lease, .. } => *lease,
            Self::Release(key, token) => Some((*key, *token)),
        }
    }
}

impl Store {
    /// The commands for values with the generations of their tags, and for the releases after them.
    fn commands(&self, writes: Vec<QueuedWrite>) -> (Commands, Releases) {
        let mut values = Commands::new();
        let mut releases = Releases::default();
        let mut tags = HashSet::<Tag, foldhash::fast::RandomState>::default();
        for write in writes {
            if let Some((key, token)) = write.lease() {
                releases.0.push(token);
                let name = self.names.lease(&key);
                releases.1.push(scripts::release(name, token));
            }
            let QueuedWrite::Value {
                key, record, ttl, ..
            } = write
            else {
                continue;
            };
            let new = record.tags.iter().filter(|(tag, _)| tags.insert(*tag));
            for (tag, generation) in new {
                self.generation_commands(*tag, *generation, &mut values);
            }
            values.extend(self.value_command(&key, &record, ttl));
        }
        (values, releases)
    }

    fn value_command(&self, key: &Key, record: &Record, ttl: Duration) -> Option<(String, Cmd)> {
        let bytes = record.encode(key, self.settings.compress_over)?;
        let name = self.names.value(key);
        let mut set = cmd("SET");
        set.arg(&name)
            .arg(bytes)
            .arg("PX")
            .arg(positive_millis(ttl));
        Some((name, set))
    }

    /// Sets the generation unless Redis has one, and extends its retention.
    fn generation_commands(&self, tag: Tag, generation: u64, out: &mut Commands) {
        let name = self.names.generation(tag);
        let retention = positive_millis(self.settings.retention);
        let mut set = cmd("SET");
        set.arg(&name)
            .arg(generation)
            .arg("NX")
            .arg("PX")
            .arg(retention);
        let mut expire = cmd("PEXPIRE");
        expire.arg(&name).arg(retention);
        out.push((name.clone(), set));
        out.push((name, expire));
    }
}

/// Maximum number of writes in one batch.
const MAX_WRITES_PER_BATCH: usize = 64;
