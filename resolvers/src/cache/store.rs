//! The Redis level of the cache: one server, a server behind Sentinels, or a Cluster.
//!
//! Every call has a timeout, and none is sent while the circuit breaker is open: a value that
//! cannot be read is a miss. An error reply is a failure like a broken connection. Connections are
//! made in the background by [`Store::maintain_connection`] only. Which values are cached, and for
//! how long, is not decided here.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use redis::Value;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::breaker::Breaker;
use self::codec::Record;
use self::connection::RedisConnection;
use self::failure_log::FailureLog;
use self::leases::HeldLeases;
pub(super) use self::leases::Lease;
use self::names::RedisNames;
use super::key::Key;
use super::settings::{RedisSettings, RedisTopology};
use super::stats::Stats;
use super::tags::{Generation, Tag, is_generation};

mod breaker;
mod calls;
pub(super) mod codec;
mod connection;
pub(super) mod event_consumer;
mod failure_log;
pub(super) mod invalidation_feed;
mod leases;
mod maintenance;
mod names;
mod scripts;
pub(super) mod write;

/// The Redis level of the cache.
pub(super) struct Store {
    settings: RedisSettings,
    names: RedisNames,
    connection: watch::Sender<Option<RedisConnection>>,
    /// One breaker, or one for each part of a Cluster's slots, because nodes fail independently.
    breakers: Box<[Breaker]>,
    breaker_opened: Notify,
    is_up: watch::Sender<bool>,
    /// Whether a server was read that is not the primary: its generations may be outdated.
    was_demoted: AtomicBool,
    leases: HeldLeases,
    failures: FailureLog,
    stats: Arc<Stats>,
}

/// Records and generations read together.
pub(super) struct StoreRead {
    pub(super) records: Vec<Option<Record>>,
    pub(super) generations: Vec<Option<Generation>>,
}

impl Store {
    pub(super) fn new(settings: RedisSettings, stats: Arc<Stats>) -> Self {
        let parts = match &settings.topology {
            RedisTopology::Single(_) | RedisTopology::Sentinel { .. } => 1,
            RedisTopology::Cluster(_) => CLUSTER_BREAKERS,
        };
        Self {
            names: RedisNames::new(&settings.prefix),
            connection: watch::Sender::new(None),
            breakers: (0..parts).map(|_| Breaker::default()).collect(),
            breaker_opened: Notify::new(),
            is_up: watch::Sender::new(false),
            was_demoted: AtomicBool::new(false),
            leases: HeldLeases::default(),
            failures: FailureLog::new(settings.failure_reporter.clone()),
            settings,
            stats,
        }
    }

    /// Reads records and generations in one round trip per node.
    pub(super) async fn read(&self, keys: &[Key], tags: &[Tag]) -> StoreRead {
        let mut names: Vec<String> = keys.iter().map(|key| self.names.value(key)).collect();
        names.extend(tags.iter().map(|tag| self.names.generation(*tag)));
        let mut found = self.mget(names).await;
        let generations = found.split_off(keys.len().min(found.len()));
        StoreRead {
            records: found
                .into_iter()
                .zip(keys)
                .map(|(bytes, key)| self.decode_record(key, bytes?))
                .collect(),
            generations: generations
                .into_iter()
                .map(|bytes| parse_generation(&bytes?))
                .collect(),
        }
    }

    /// Sets the generation of `tags` and publishes it to every replica; returns whether Redis did
    /// both.
    pub(super) async fn invalidate(
        &self,
        tags: &[Tag],
        generation: Generation,
        limit: Duration,
    ) -> bool {
        let retention = positive_millis(self.settings.retention);
        let commands = tags
            .iter()
            .map(|tag| scripts::set_generation(self.names.generation(*tag), generation, retention));
        let answers = self.send(commands.collect(), limit).await;
        // A replica that receives the message must find the new generations.
        if !answers
            .iter()
            .all(|answer| matches!(answer, Some(Value::Okay)))
        {
            return false;
        }
        let bytes: Vec<u8> = tags.iter().flat_map(|tag| *tag.bytes()).collect();
        let message = scripts::publish(
            self.names.messages(),
            self.settings.max_invalidation_messages,
            &bytes,
            generation,
        );
        let answer = self.send(vec![message], limit).await.pop().flatten();
        matches!(answer, Some(Value::BulkString(_) | Value::SimpleString(_)))
    }

    /// Whether Redis is connected and not all breakers are open.
    pub(super) fn is_up(&self) -> bool {
        self.connection.borrow().is_some() && !self.breakers.iter().all(Breaker::is_open)
    }

    /// Whether a command about `name` would be sent.
    fn is_available(&self, name: &str) -> bool {
        self.connection.borrow().is_some() && !self.breaker(name).is_open()
    }

    /// A receiver of [`Self::is_up`].
    pub(super) fn status_changes(&self) -> watch::Receiver<bool> {
        self.is_up.subscribe()
    }

    fn publish_status(&self) {
        self.is_up.send_if_modified(|was_up| {
            let is_up = self.is_up();
            std::mem::replace(was_up, is_up) != is_up
        });
    }

    /// Waits until there is a connection.
    pub(super) async fn wait_until_connected(&self) {
        // The sender is a field of `self`, so it is not dropped.
        let _ = self.connection.subscribe().wait_for(Option::is_some).await;
    }

    /// Whether another round trip may begin in a lookup that began at `started`, so that no lookup
    /// waits for more than two timeouts in all.
    pub(super) fn has_time(&self, started: Instant) -> bool {
        started.elapsed() < self.settings.command_timeout
    }

    pub(super) fn settings(&self) -> &RedisSettings {
        &self.settings
    }

    fn decode_record(&self, key: &Key, bytes: Bytes) -> Option<Record> {
        let record = Record::decode(key, bytes, self.settings.max_value_bytes);
        if record.is_none() {
            self.stats.undecodable.increment();
        }
        record
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("topology", &self.settings.topology)
            .field("is_up", &self.is_up())
            .finish_non_exhaustive()
    }
}

fn parse_generation(bytes: &[u8]) -> Option<Generation> {
    let generation = str::from_utf8(bytes).ok()?.parse().ok()?;
    is_generation(generation).then_some(generation)
}

/// `time` in milliseconds, at least one, because Redis rejects zero.
fn positive_millis(time: Duration) -> u64 {
    super::entry::clock::millis(time).max(1)
}

/// Number of breakers for a Cluster's slots; more than most Clusters have nodes.
const CLUSTER_BREAKERS: usize = 16;
