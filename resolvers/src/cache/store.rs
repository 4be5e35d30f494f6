//! The Redis level of the cache: one server, a server behind Sentinels, or a Cluster.
//!
//! Every call has a timeout, and none is sent while the circuit breaker is open: a value that
//! cannot be read is a miss. Connections are made in the background by
//! [`Store::maintain_connection`] only. Which values are cached, and for how long, is not decided
//! here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, cmd};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use self::breaker::{Breaker, failures_allowed};
use self::codec::Record;
use self::connection::{RedisConnection, send_all};
use self::names::{HASH_SLOTS, RedisNames, hash_slot};
use super::key::Key;
use super::settings::{RedisSettings, RedisTopology};
use super::stats::Stats;
use super::tags::{Generation, Tag, is_generation};

mod breaker;
pub(super) mod codec;
mod connection;
pub(super) mod event_consumer;
pub(super) mod invalidation_feed;
mod names;
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
    stats: Arc<Stats>,
}

/// Records and generations read together.
pub(super) struct StoreRead {
    pub(super) records: Vec<Option<Record>>,
    pub(super) generations: Vec<Option<Generation>>,
}

/// The outcome of acquiring the lease to fetch a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    /// Acquired: no other replica fetches the value. The token releases the lease.
    Acquired(u64),
    /// Held by another replica.
    Held,
    /// Unknown: Redis did not reply.
    Unknown,
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
                .map(|bytes| self.decode_record(bytes?))
                .collect(),
            generations: generations
                .into_iter()
                .map(|bytes| parse_generation(&bytes?))
                .collect(),
        }
    }

    /// Tries to acquire the lease of each key.
    pub(super) async fn acquire_leases(&self, keys: &[Key], ttl: Duration) -> Vec<Lease> {
        let tokens: Vec<u64> = keys.iter().map(|_| fastrand::u64(..)).collect();
        let commands = keys.iter().zip(&tokens).map(|(key, token)| {
            let name = self.names.lease(key);
            let mut command = cmd("SET");
            command
                .arg(&name)
                .arg(*token)
                .arg("NX")
                .arg("PX")
                .arg(positive_millis(ttl));
            (name, command)
        });
        let answers = self
            .send(commands.collect(), self.settings.command_timeout)
            .await;
        let leases = answers
            .into_iter()
            .zip(tokens)
            .map(|(answer, token)| match answer {
                Some(Value::Okay) => Lease::Acquired(token),
                Some(Value::Nil) => Lease::Held,
                _ => Lease::Unknown,
            });
        leases.collect()
    }

    /// Whether the lease of `key` is held; `None` without a reply.
    pub(super) async fn is_leased(&self, key: &Key) -> Option<bool> {
        let name = self.names.lease(key);
        let command = cmd("EXISTS").arg(&name).to_owned();
        let answer = self
            .call(&name, &command, self.settings.command_timeout)
            .await?;
        bool::from_redis_value(answer).ok()
    }

    /// Sets the generation of `tags` and publishes it to every replica; returns whether Redis did
    /// both.
    pub(super) async fn invalidate(
        &self,
        tags: &[Tag],
        generation: Generation,
        limit: Duration,
    ) -> bool {
        let commands = tags.iter().map(|tag| {
            let name = self.names.generation(*tag);
            let mut command = cmd("SET");
            command
                .arg(&name)
                .arg(generation)
                .arg("PX")
                .arg(positive_millis(self.settings.retention));
            (name, command)
        });
        let answers = self.send(commands.collect(), limit).await;
        // A replica that receives the message must find the new generations.
        if !answers
            .iter()
            .all(|answer| matches!(answer, Some(Value::Okay)))
        {
            return false;
        }
        let name = self.names.messages();
        let bytes: Vec<u8> = tags.iter().flat_map(|tag| *tag.bytes()).collect();
        let mut message = cmd("XADD");
        message
            .arg(&name)
            .arg("MAXLEN")
            .arg("~")
            .arg(self.settings.max_invalidation_messages)
            .arg("*");
        message.arg("t").arg(bytes).arg("g").arg(generation);
        let answer = self.call(&name, &message, limit).await;
        matches!(answer, Some(Value::BulkString(_) | Value::SimpleString(_)))
    }

    /// Whether Redis is connected and not all breakers are open.
    pub(super) fn is_up(&self) -> bool {
        self.connection.borrow().is_some() && !self.breakers.iter().all(Breaker::is_open)
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

    /// Connects, and probes Redis while a breaker is open, until `stop` is dropped.
    pub(super) async fn maintain_connection(self: Arc<Self>, mut stop: watch::Receiver<()>) {
        let maintain = async {
            loop {
                if self.is_healthy() {
                    self.breaker_opened.notified().await;
                } else if !self.reconnect().await {
                    tokio::time::sleep(self.settings.probe_interval).await;
                }
            }
        };
        tokio::select! {
            () = maintain => {}
            _ = stop.changed() => {}
        }
    }

    fn is_healthy(&self) -> bool {
        self.connection.borrow().is_some() && !self.breakers.iter().any(Breaker::is_open)
    }

    /// Reconnects and probes; returns whether every breaker is closed.
    async fn reconnect(&self) -> bool {
        let known = self.connection.borrow().clone();
        let all_failed = self.breakers.iter().all(Breaker::is_open);
        let connection = match known {
            // A Cluster connection rediscovers its nodes.
            Some(connection @ RedisConnection::Cluster(_)) if !all_failed => connection,
            _ => {
                match RedisConnection::connect(&self.settings, self.settings.write_timeout).await {
                    Ok(connection) => {
                        self.stats.connects.increment();
                        connection
                    }
                    Err(_) => return false,
                }
            }
        };
        let probes = self
            .breakers
            .iter()
            .map(|breaker| self.probe(connection.clone(), breaker));
        let is_up = join_all(probes).await;
        if is_up.contains(&true) {
            self.connection.send_replace(Some(connection));
        }
        self.publish_status();
        is_up.into_iter().all(|is_up| is_up)
    }

    /// Repeats a read of the last failed key, and closes the breaker if the reply is in time for a
    /// request. A slower Redis would make requests time out again.
    async fn probe(&self, mut connection: RedisConnection, breaker: &Breaker) -> bool {
        let command = match (breaker.is_open(), &connection) {
            (false, RedisConnection::Cluster(_)) => return true,
            _ => cmd("EXISTS").arg(breaker.last_failed_key()).to_owned(),
        };
        let reply = timeout(self.settings.command_timeout, connection.send(&command)).await;
        let is_up = matches!(reply, Ok(Ok(Value::Int(_))));
        if is_up && breaker.close() {
            self.stats.breaker_closed.increment();
        }
        is_up
    }

    fn decode_record(&self, bytes: Bytes) -> Option<Record> {
        let record = Record::decode(bytes, self.settings.max_value_bytes);
        if record.is_none() {
            self.stats.undecodable.increment();
        }
        record
    }

    /// Reads values with `MGET`, one or more for each breaker.
    async fn mget(&self, names: Vec<String>) -> Vec<Option<Bytes>> {
        let mut found = vec![None; names.len()];
        let mut parts: Vec<Vec<usize>> = vec![Vec::new(); self.breakers.len()];
        for (index, name) in names.iter().enumerate() {
            parts[self.breaker_index(name)].push(index);
        }
        let chunks = parts.iter().flat_map(|part| part.chunks(MAX_KEYS_PER_READ));
        let answers = chunks.map(async |chunk| {
            let mut command = cmd("MGET");
            for index in chunk {
                command.arg(&names[*index]);
            }
            let answer = match chunk.first() {
                Some(first) => {
                    self.call(&names[*first], &command, self.settings.command_timeout)
                        .await
                }
                None => None,
            };
            (chunk, answer)
        });
        for (chunk, answer) in join_all(answers).await {
            let Some(Value::Array(values)) = answer else {
                continue;
            };
            for (index, value) in chunk.iter().zip(values) {
                if let Value::BulkString(bytes) = value {
                    found[*index] = Some(Bytes::from(bytes));
                }
            }
        }
        found
    }

    /// Sends commands, each with the name it is about; `None` for those without a successful reply
    /// in time.
    async fn send(&self, commands: Vec<(String, Cmd)>, limit: Duration) -> Vec<Option<Value>> {
        let server = match &*self.connection.borrow() {
            Some(RedisConnection::Server(connection)) => Some(connection.clone()),
            _ => None,
        };
        let (Some(mut connection), Some((name, _))) = (server, commands.first()) else {
            let calls = commands
                .iter()
                .map(|(name, command)| self.call(name, command, limit));
            return join_all(calls).await;
        };
        let packed: Vec<&Cmd> = commands.iter().map(|(_, command)| command).collect();
        let answers = self
            .with_breaker(name, limit, send_all(&mut connection, &packed))
            .await;
        let mut answers = answers.unwrap_or_default().into_iter();
        let count = commands.len();
        (0..count)
            .map(|_| {
                answers
                    .next()
                    .filter(|answer| !matches!(answer, Value::ServerError(_)))
            })
            .collect()
    }

    async fn call(&self, name: &str, command: &Cmd, limit: Duration) -> Option<Value> {
        let connection = self.connection.borrow().clone();
        let call = async {
            match connection {
                Some(mut connection) => connection.send(command).await.map(Some),
                None => Ok(None),
            }
        };
        self.with_breaker(name, limit, call).await.flatten()
    }

    /// Runs a Redis call with a timeout and records its outcome; skips it while its breaker is
    /// open.
    async fn with_breaker<T>(
        &self,
        name: &str,
        limit: Duration,
        call: impl Future<Output = Result<T, RedisError>>,
    ) -> Option<T> {
        let breaker = &self.breakers[self.breaker_index(name)];
        if breaker.is_open() || self.connection.borrow().is_none() {
            self.stats.redis_skipped.increment();
            return None;
        }
        let started = Instant::now();
        let outcome = timeout(limit, call).await;
        self.stats.redis_time.record(started.elapsed());
        let mut failing = std::slice::from_ref(breaker);
        let failures = match outcome {
            Ok(Ok(value)) => {
                breaker.record_success();
                return Some(value);
            }
            Ok(Err(error)) => {
                self.stats.redis_errors.increment();
                if error.kind() == ErrorKind::Server(ServerErrorKind::ClusterDown) {
                    // No slot is served, so all breakers count the failure.
                    failing = &self.breakers;
                }
                failures_allowed(&error, &self.settings, self.breakers.len())?
            }
            Err(_) => {
                self.stats.redis_timeouts.increment();
                self.settings.max_failures
            }
        };
        let opened = failing
            .iter()
            .map(|breaker| breaker.record_failure(name, failures));
        let opened = opened.filter(|is_opened| *is_opened).count();
        if opened > 0 {
            self.stats.breaker_opened.add(opened);
            self.publish_status();
            self.breaker_opened.notify_one();
        }
        None
    }

    fn breaker_index(&self, name: &str) -> usize {
        match self.breakers.len() {
            1 => 0,
            parts => usize::from(hash_slot(name)) * parts / usize::from(HASH_SLOTS),
        }
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

/// Maximum number of keys in one command; more would block Redis for other clients too long.
const MAX_KEYS_PER_READ: usize = 512;

/// Number of breakers for a Cluster's slots; more than most Clusters have nodes.
const CLUSTER_BREAKERS: usize = 16;
