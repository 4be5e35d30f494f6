//! Change events of services, read from a Redis stream by a consumer group.
//!
//! One replica handles each message, and acknowledges it once every replica has the invalidation or
//! will have it within a second. Messages of a replica that died are claimed by another, so a
//! message is handled at least once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisResult, Value, cmd};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::super::entry::clock::millis;
use super::super::events::{EventError, EventSettings, parse_message};
use super::super::tags::Tag;
use super::super::tags::invalidator::{Invalidator, Propagation};
use super::Store;
use super::connection::RedisConnection;

/// Reads the stream and invalidates the targets of its messages.
#[derive(Debug)]
pub(in crate::cache) struct EventConsumer {
    store: Arc<Store>,
    invalidator: Arc<Invalidator>,
    settings: EventSettings,
    /// The unique consumer name of this process.
    consumer: String,
}

/// A message of the stream.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    id: String,
    /// `None` if the stream was trimmed before the message was handled.
    fields: Option<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl EventConsumer {
    pub(in crate::cache) fn new(
        store: Arc<Store>,
        invalidator: Arc<Invalidator>,
        settings: EventSettings,
    ) -> Self {
        Self {
            store,
            invalidator,
            settings,
            consumer: format!("weir-{:016x}", fastrand::u64(..)),
        }
    }

    /// Handles messages until `stop` is dropped.
    pub(in crate::cache) async fn run(self, mut stop: watch::Receiver<()>) {
        let consume = async {
            let mut last = None;
            loop {
                let result = self.listen().await;
                self.report_failure(result, &mut last);
                tokio::time::sleep(self.store.settings.probe_interval).await;
            }
        };
        tokio::select! {
            () = consume => {}
            _ = stop.changed() => {}
        }
    }

    /// Reports an error of the stream that a retry will not resolve, once.
    fn report_failure(&self, result: RedisResult<()>, last: &mut Option<String>) {
        let Err(error) = result else { return };
        self.store.stats.event_errors.increment();
        // Connection loss is already reported by the connection that requests use.
        if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
            let text = error.to_string();
            if last.as_ref() != Some(&text) {
                self.settings.resolver.report(EventError::Stream(&text));
                *last = Some(text);
            }
        }
    }

    /// Reads messages until a command fails.
    async fn listen(&self) -> RedisResult<()> {
        // A separate connection: a blocking read delays all commands behind it.
        let mut connection =
            RedisConnection::connect(&self.store.settings, self.command_timeout()).await?;
        self.ensure_group(&mut connection).await?;
        // Messages that were delivered to this process before its last connection broke.
        while self.read_messages(&mut connection, "0").await? > 0 {}
        let mut next_claim = Instant::now();
        loop {
            if Instant::now() >= next_claim {
                self.claim_pending(&mut connection).await?;
                self.remove_dead_consumers(&mut connection).await?;
                next_claim = Instant::now() + CLAIM_INTERVAL;
            }
            self.read_messages(&mut connection, ">").await?;
        }
    }

    /// Creates the consumer group at the start of the stream: messages written before the group was
    /// recreated, after Redis lost it, must not be missed.
    async fn ensure_group(&self, connection: &mut RedisConnection) -> RedisResult<()> {
        let mut create = cmd("XGROUP");
        create
            .arg("CREATE")
            .arg(&self.settings.stream)
            .arg(&self.settings.group)
            .arg("0")
            .arg("MKSTREAM");
        match self.send(connection, &create).await {
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Handles the messages after `after_id`; returns their number.
    async fn read_messages(
        &self,
        connection: &mut RedisConnection,
        after_id: &str,
    ) -> RedisResult<usize> {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP")
            .arg(&self.settings.group)
            .arg(&self.consumer)
            .arg("COUNT")
            .arg(MAX_MESSAGES_PER_READ)
            .arg("BLOCK")
            .arg(millis(BLOCK_TIMEOUT))
            .arg("STREAMS")
            .arg(&self.settings.stream)
            .arg(after_id);
        let messages = messages_from_reply(self.send(connection, &read).await?);
        self.apply(connection, &messages).await?;
        Ok(messages.len())
    }

    /// Claims and handles messages that other consumers left pending for too long.
    async fn claim_pending(&self, connection: &mut RedisConnection) -> RedisResult<()> {
        let mut next = "0-0".to_owned();
        loop {
            let mut claim = cmd("XAUTOCLAIM");
            claim
                .arg(&self.settings.stream)
                .arg(&self.settings.group)
                .arg(&self.consumer)
                .arg(millis(MIN_CLAIM_IDLE))
                .arg(&next)
                .arg("COUNT")
                .arg(MAX_MESSAGES_PER_READ);
            let Value::Array(answer) = self.send(connection, &claim).await? else {
                return Ok(());
            };
            let mut parts = answer.into_iter();
            next = parts.next().and_then(text).unwrap_or_default();
            let messages = parts.next().map(messages_from_entries).unwrap_or_default();
            self.store.stats.events_claimed.add(messages.len());
            self.apply(connection, &messages).await?;
            if next.is_empty() || next == "0-0" {
                return Ok(());
            }
        }
    }

    /// Removes consumers of processes that ended: without pending messages and idle for long.
    async fn remove_dead_consumers(&self, connection: &mut RedisConnection) -> RedisResult<()> {
        let mut consumers = cmd("XINFO");
        consumers
            .arg("CONSUMERS")
            .arg(&self.settings.stream)
            .arg(&self.settings.group);
        let Value::Array(consumers) = self.send(connection, &consumers).await? else {
            return Ok(());
        };
        for name in consumers.into_iter().filter_map(dead_consumer) {
            let mut delete = cmd("XGROUP");
            delete
                .arg("DELCONSUMER")
                .arg(&self.settings.stream)
                .arg(&self.settings.group)
                .arg(name);
            self.send(connection, &delete).await?;
        }
        Ok(())
    }

    /// Invalidates the targets of `messages`, then acknowledges them.
    async fn apply(
        &self,
        connection: &mut RedisConnection,
        messages: &[Message],
    ) -> RedisResult<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let tags: BTreeSet<Tag> = messages
            .iter()
            .flat_map(|message| self.message_tags(message))
            .collect();
        let tags: Vec<Tag> = tags.into_iter().collect();
        while !tags.is_empty()
            && self.invalidator.invalidate(&tags).await != Propagation::AllReplicas
        {
            tokio::time::sleep(self.store.settings.probe_interval).await;
        }
        let mut acknowledge = cmd("XACK");
        acknowledge
            .arg(&self.settings.stream)
            .arg(&self.settings.group);
        for message in messages {
            acknowledge.arg(&message.id);
        }
        self.send(connection, &acknowledge).await?;
        self.store.stats.events.add(messages.len());
        Ok(())
    }

    fn message_tags(&self, message: &Message) -> Vec<Tag> {
        let Some(fields) = &message.fields else {
            return Vec::new();
        };
        let (changes, problem) = parse_message(fields);
        let resolver = &self.settings.resolver;
        if let Some(problem) = problem {
            self.store.stats.events_malformed.increment();
            resolver.report(EventError::Message {
                id: &message.id,
                problem: &problem,
            });
        }
        let targets = changes
            .into_iter()
            .flat_map(|change| resolver.resolve(change));
        targets.flat_map(|target| target.tags()).collect()
    }

    async fn send(&self, connection: &mut RedisConnection, command: &Cmd) -> RedisResult<Value> {
        match timeout(self.command_timeout(), connection.send(command)).await {
            Ok(answer) => answer?.extract_error(),
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    fn command_timeout(&self) -> Duration {
        BLOCK_TIMEOUT + self.store.settings.connect_timeout
    }
}

/// The messages in a reply of `XREADGROUP` for one stream.
fn messages_from_reply(answer: Value) -> Vec<Message> {
    match answer {
        Value::Array(streams) => streams.into_iter().flat_map(messages_from_stream).collect(),
        Value::Map(streams) => {
            let streams = streams.into_iter();
            streams
                .flat_map(|(_, entries)| messages_from_entries(entries))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn messages_from_stream(stream: Value) -> Vec<Message> {
    match stream {
        Value::Array(name_and_entries) => name_and_entries
            .into_iter()
            .nth(1)
            .map(messages_from_entries)
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn messages_from_entries(entries: Value) -> Vec<Message> {
    match entries {
        Value::Array(entries) => entries.into_iter().filter_map(parse_entry).collect(),
        _ => Vec::new(),
    }
}

/// Parses a message. Fields can repeat and their order is significant, so they are a list.
fn parse_entry(entry: Value) -> Option<Message> {
    let Value::Array(parts) = entry else {
        return None;
    };
    let mut parts = parts.into_iter();
    let id = text(parts.next()?)?;
    let fields = match parts.next() {
        Some(Value::Array(flat)) => {
            let mut flat = flat.into_iter().map(bytes);
            let pairs = std::iter::from_fn(|| Some((flat.next()?, flat.next()?)));
            Some(pairs.collect())
        }
        _ => None,
    };
    Some(Message { id, fields })
}

/// The name of the consumer, if its process has ended.
fn dead_consumer(consumer: Value) -> Option<String> {
    let members: Vec<(Value, Value)> = match consumer {
        Value::Map(members) => members,
        Value::Array(flat) => {
            let mut flat = flat.into_iter();
            std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
        }
        _ => return None,
    };
    let (mut name, mut pending, mut idle) = (None, None, None);
    for (member, value) in members {
        match (text(member)?.as_str(), value) {
            ("name", value) => name = text(value),
            ("pending", Value::Int(number)) => pending = Some(number),
            ("idle", Value::Int(number)) => idle = u64::try_from(number).ok(),
            _ => {}
        }
    }
    let is_dead = pending? == 0 && idle? > millis(CONSUMER_EXPIRY);
    name.filter(|name| is_dead && name.starts_with("weir-"))
}

fn text(value: Value) -> Option<String> {
    String::from_utf8(bytes(value)).ok()
}

fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes,
        Value::SimpleString(text) => text.into_bytes(),
        _ => Vec::new(),
    }
}

/// Maximum time that Redis blocks a read without new messages.
const BLOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// Maximum number of messages in one read.
const MAX_MESSAGES_PER_READ: usize = 500;

/// Minimum idle time of a pending message before it is claimed; a live replica needs far less,
/// unless Redis is down for all.
const MIN_CLAIM_IDLE: Duration = Duration::from_secs(10);

/// Time between two searches for messages of dead replicas.
const CLAIM_INTERVAL: Duration = Duration::from_secs(5);

/// Idle time after which a consumer is dead; a live one reads twice a second.
const CONSUMER_EXPIRY: Duration = Duration::from_hours(1);
