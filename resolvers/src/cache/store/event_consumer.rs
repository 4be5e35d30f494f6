//! What services say has changed, read from a stream in Redis by a consumer group.
//!
//! Each message is handled by one replica: it is acknowledged when every replica knows what is
//! invalid, or will within a second. One that was given to a replica which then died is claimed by
//! another, so a message may be handled twice, and never not at all.

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

/// Reads the stream, and has invalidated what it says.
#[derive(Debug)]
pub(in crate::cache) struct EventConsumer {
    store: Arc<Store>,
    invalidator: Arc<Invalidator>,
    settings: EventSettings,
    /// Unlike that of any other process.
    consumer: String,
}

/// A message, as far as it is still there.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    id: String,
    /// None of one that was cut off the stream before it was handled.
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

    /// Tells of what time will not mend, once.
    fn report_failure(&self, result: RedisResult<()>, last: &mut Option<String>) {
        let Err(error) = result else { return };
        self.store.stats.event_errors.increment();
        // Of a connection that breaks the one that requests use tells.
        if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
            let text = error.to_string();
            if last.as_ref() != Some(&text) {
                self.settings.resolver.report(EventError::Stream(&text));
                *last = Some(text);
            }
        }
    }

    /// Listens for as long as there is an answer.
    async fn listen(&self) -> RedisResult<()> {
        // A connection of its own: one that waits for messages holds up everything behind it.
        let mut connection =
            RedisConnection::connect(&self.store.settings, self.command_timeout()).await?;
        self.ensure_group(&mut connection).await?;
        // What this process was given before its last connection broke.
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

    /// The group is given all that is in the stream when it is made: what was written before the
    /// group was made again, after Redis lost it, must not be missed.
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

    /// Handles the messages after `place`; says how many there were.
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

    /// Handles what others were given and have not handled for too long.
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

    /// Consumers that have nothing and have not asked for long are those of processes that ended.
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

    /// Invalidates what `messages` say, then acknowledges them.
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

/// The messages in an answer of `XREADGROUP` about one stream.
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

/// Fields may be there several times, and their order has a meaning, so no map will do.
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

/// The name of a consumer, of whom nobody will ever hear again.
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

/// How long Redis holds a read back when there is nothing new.
const BLOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// Read at once.
const MAX_MESSAGES_PER_READ: usize = 500;

/// A replica that lives handles a message in far less, unless Redis is down, and then nobody can.
const MIN_CLAIM_IDLE: Duration = Duration::from_secs(10);

/// How often messages of dead replicas are looked for.
const CLAIM_INTERVAL: Duration = Duration::from_secs(5);

/// A replica that lives asks twice a second.
const CONSUMER_EXPIRY: Duration = Duration::from_hours(1);
