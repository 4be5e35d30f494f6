//! Writes to Redis: queued, in the background, in bounded numbers. What finds no place is dropped
//! and counted; an answer to a client never waits for a write.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hashbrown::HashSet;
use redis::{Cmd, cmd};
use tokio::sync::mpsc;

use super::super::key::Key;
use super::super::tags::Tag;
use super::codec::Record;
use super::{Store, positive_millis};

/// Something to be written.
#[derive(Debug)]
pub(in crate::cache) enum QueuedWrite {
    /// A value, for a while; then the lease under which it was fetched ends.
    Value {
        key: Key,
        record: Record,
        ttl: Duration,
        lease: Option<(Key, u64)>,
    },
    /// The end of a lease under which nothing was fetched.
    Release(Key, u64),
}

/// The way into the queue.
#[derive(Clone, Debug)]
pub(in crate::cache) struct WriteQueue {
    store: Arc<Store>,
    queue: mpsc::Sender<QueuedWrite>,
    bytes: Arc<AtomicUsize>,
}

/// The other end of it.
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
    /// Queues `write`, or drops it. Values that Redis shall not hold are not queued.
    pub(in crate::cache) fn push(&self, write: QueuedWrite) {
        let settings = self.store.settings();
        let size = write.size();
        if size > settings.max_value_bytes {
            // The lease would keep others waiting for a value that does not come.
            if let QueuedWrite::Value {
                lease: Some((key, token)),
                ..
            } = write
            {
                self.push(QueuedWrite::Release(key, token));
            }
            return;
        }
        let before = self.bytes.fetch_add(size, Ordering::Relaxed);
        let has_room = before.saturating_add(size) <= settings.max_queued_bytes;
        if !has_room || self.queue.try_send(write).is_err() {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            self.store.stats.writes_dropped.increment();
        }
    }
}

impl Writer {
    /// Writes what is queued until nobody can queue anything any more.
    pub(in crate::cache) async fn run(mut self) {
        let mut batch = Vec::new();
        while self.queue.recv_many(&mut batch, MAX_WRITES_PER_BATCH).await > 0 {
            let size = batch.iter().map(QueuedWrite::size).sum();
            let (values, releases) = self.store.commands(std::mem::take(&mut batch));
            self.write(values).await;
            // After the values, or whoever waits for the lease would find neither.
            self.write(releases).await;
            self.bytes.fetch_sub(size, Ordering::Relaxed);
        }
    }

    async fn write(&self, commands: Commands) {
        let limit = self.store.settings.write_timeout;
        let answers = self.store.send(commands, limit).await;
        let failed = answers.iter().filter(|answer| answer.is_none()).count();
        self.store.stats.writes.add(answers.len() - failed);
        self.store.stats.writes_dropped.add(failed);
    }
}

impl QueuedWrite {
    fn size(&self) -> usize {
        match self {
            Self::Value { record, .. } => record.entry.size(),
            Self::Release(..) => 0,
        }
    }
}

impl Store {
    /// Values with the generations of their tags, and the leases that end after them.
    fn commands(&self, writes: Vec<QueuedWrite>) -> (Commands, Commands) {
        let mut values = Commands::new();
        let mut releases = Commands::new();
        let mut tags = HashSet::<Tag, foldhash::fast::RandomState>::default();
        for write in writes {
            let lease = match write {
                QueuedWrite::Release(key, token) => Some((key, token)),
                QueuedWrite::Value {
                    key,
                    record,
                    ttl,
                    lease,
                } => {
                    let new = record.tags.iter().filter(|(tag, _)| tags.insert(*tag));
                    for (tag, generation) in new {
                        self.generation_commands(*tag, *generation, &mut values);
                    }
                    values.extend(self.value_command(&key, &record, ttl));
                    lease
                }
            };
            releases.extend(lease.map(|(key, token)| self.release_command(&key, token)));
        }
        (values, releases)
    }

    fn value_command(&self, key: &Key, record: &Record, ttl: Duration) -> Option<(String, Cmd)> {
        let bytes = record.encode(self.settings.compress_over)?;
        let name = self.names.value(key);
        let mut set = cmd("SET");
        set.arg(&name)
            .arg(bytes)
            .arg("PX")
            .arg(positive_millis(ttl));
        Some((name, set))
    }

    /// Makes the generation known where none is, and keeps it for as long as values may need it.
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

    /// Only the lease that was won: it may be over, and another's by now.
    fn release_command(&self, key: &Key, token: u64) -> (String, Cmd) {
        let name = self.names.lease(key);
        let mut release = cmd("EVAL");
        release.arg(RELEASE_SCRIPT).arg(1).arg(&name).arg(token);
        (name, release)
    }
}

/// Commands, each with the name that it is about.
type Commands = Vec<(String, Cmd)>;

const RELEASE_SCRIPT: &str =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

/// So many writes are sent at once.
const MAX_WRITES_PER_BATCH: usize = 64;
