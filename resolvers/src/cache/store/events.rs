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
use super::super::events::{Complaint, EventSettings, read};
use super::super::tags::Tag;
use super::super::tags::revoke::{Reached, Revoker};
use super::Store;
use super::link::Link;

/// Reads the stream, and has invalidated what it says.
#[derive(Debug)]
pub(in crate::cache) struct Events {
    store: Arc<Store>,
    revoker: Arc<Revoker>,
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

impl Events {
    pub(in crate::cache) fn new(
        store: Arc<Store>,
        revoker: Arc<Revoker>,
        settings: EventSettings,
    ) -> Self {
        Self {
            store,
            revoker,
            settings,
            consumer: format!("weir-{:016x}", fastrand::u64(..)),
        }
    }

    /// Handles messages until `stop` is dropped.
    pub(in crate::cache) async fn run(self, mut stop: watch::Receiver<()>) {
        let handle = async {
            let mut last = None;
            loop {
                let ended = self.listen().await;
                self.explain(ended, &mut last);
                tokio::time::sleep(self.store.settings.probe).await;
            }
        };
        tokio::select! {
            () = handle => {}
            _ = stop.changed() => {}
        }
    }

    /// Tells of what time will not mend, once.
    fn explain(&self, ended: RedisResult<()>, last: &mut Option<String>) {
        let Err(error) = ended else { return };
        self.store.stats.event_errors.one();
        // Of a connection that breaks the one that requests use tells.
        if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
            let text = error.to_string();
            if last.as_ref() != Some(&text) {
                self.settings.meanings.complain(Complaint::Stream(&text));
                *last = Some(text);
            }
        }
    }

    /// Listens for as long as there is an answer.
    async fn listen(&self) -> RedisResult<()> {
        // A connection of its own: one that waits for messages holds up everything behind it.
        let mut link = Link::connect(&self.store.settings, self.patience()).await?;
        self.ensure_group(&mut link).await?;
        // What this process was given before its last connection broke.
        while self.take(&mut link, "0").await? > 0 {}
        let mut claim_at = Instant::now();
        loop {
            if Instant::now() >= claim_at {
                self.claim(&mut link).await?;
                self.forget_the_dead(&mut link).await?;
                claim_at = Instant::now() + CLAIM_EVERY;
            }
            self.take(&mut link, ">").await?;
        }
    }

    /// The group is given all that is in the stream when it is made: what was written before the
    /// group was made again, after Redis lost it, must not be missed.
    async fn ensure_group(&self, link: &mut Link) -> RedisResult<()> {
        let mut create = cmd("XGROUP");
        create
            .arg("CREATE")
            .arg(&self.settings.stream)
            .arg(&self.settings.group)
            .arg("0")
            .arg("MKSTREAM");
        match self.send(link, &create).await {
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Handles the messages after `place`; says how many there were.
    async fn take(&self, link: &mut Link, place: &str) -> RedisResult<usize> {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP")
            .arg(&self.settings.group)
            .arg(&self.consumer)
            .arg("COUNT")
            .arg(MESSAGES)
            .arg("BLOCK")
            .arg(millis(BLOCK))
            .arg("STREAMS")
            .arg(&self.settings.stream)
            .arg(place);
        let messages = of_streams(self.send(link, &read).await?);
        self.handle(link, &messages).await?;
        Ok(messages.len())
    }

    /// Handles what others were given and have not handled for too long.
    async fn claim(&self, link: &mut Link) -> RedisResult<()> {
        let mut next = "0-0".to_owned();
        loop {
            let mut claim = cmd("XAUTOCLAIM");
            claim
                .arg(&self.settings.stream)
                .arg(&self.settings.group)
                .arg(&self.consumer)
                .arg(millis(DEAD_AFTER))
                .arg(&next)
                .arg("COUNT")
                .arg(MESSAGES);
            let Value::Array(answer) = self.send(link, &claim).await? else {
                return Ok(());
            };
            let mut parts = answer.into_iter();
            next = parts.next().and_then(text).unwrap_or_default();
            let messages = parts.next().map(messages).unwrap_or_default();
            self.store.stats.events_claimed.add(messages.len());
            self.handle(link, &messages).await?;
            if next.is_empty() || next == "0-0" {
                return Ok(());
            }
        }
    }

    /// Consumers that have nothing and have not asked for long are those of processes that ended.
    async fn forget_the_dead(&self, link: &mut Link) -> RedisResult<()> {
        let mut consumers = cmd("XINFO");
        consumers
            .arg("CONSUMERS")
            .arg(&self.settings.stream)
            .arg(&self.settings.group);
        let Value::Array(consumers) = self.send(link, &consumers).await? else {
            return Ok(());
        };
        for name in consumers.into_iter().filter_map(dead) {
            let mut forget = cmd("XGROUP");
            forget
                .arg("DELCONSUMER")
                .arg(&self.settings.stream)
                .arg(&self.settings.group)
                .arg(name);
            self.send(link, &forget).await?;
        }
        Ok(())
    }

    /// Invalidates what `messages` say, then acknowledges them.
    async fn handle(&self, link: &mut Link, messages: &[Message]) -> RedisResult<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let tags: BTreeSet<Tag> = messages.iter().flat_map(|it| self.tags(it)).collect();
        let tags: Vec<Tag> = tags.into_iter().collect();
        while !tags.is_empty() && self.revoker.invalidate(&tags).await != Reached::Everyone {
            tokio::time::sleep(self.store.settings.probe).await;
        }
        let mut acknowledge = cmd("XACK");
        acknowledge
            .arg(&self.settings.stream)
            .arg(&self.settings.group);
        for message in messages {
            acknowledge.arg(&message.id);
        }
        self.send(link, &acknowledge).await?;
        self.store.stats.events.add(messages.len());
        Ok(())
    }

    fn tags(&self, message: &Message) -> Vec<Tag> {
        let Some(fields) = &message.fields else {
            return Vec::new();
        };
        let (changes, problem) = read(fields);
        let meanings = &self.settings.meanings;
        if let Some(problem) = problem {
            self.store.stats.events_malformed.one();
            meanings.complain(Complaint::Message {
                id: &message.id,
                problem: &problem,
            });
        }
        let targets = changes.into_iter().flat_map(|it| meanings.targets(it));
        targets.flat_map(|target| target.tags()).collect()
    }

    async fn send(&self, link: &mut Link, command: &Cmd) -> RedisResult<Value> {
        match timeout(self.patience(), link.send(command)).await {
            Ok(answer) => answer?.extract_error(),
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    fn patience(&self) -> Duration {
        BLOCK + self.store.settings.connect_limit
    }
}

/// The messages in an answer of `XREADGROUP` about one stream.
fn of_streams(answer: Value) -> Vec<Message> {
    match answer {
        Value::Array(streams) => streams.into_iter().flat_map(of_stream).collect(),
        Value::Map(streams) => {
            let streams = streams.into_iter();
            streams.flat_map(|(_, entries)| messages(entries)).collect()
        }
        _ => Vec::new(),
    }
}

fn of_stream(stream: Value) -> Vec<Message> {
    match stream {
        Value::Array(name_and_entries) => name_and_entries
            .into_iter()
            .nth(1)
            .map(messages)
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn messages(entries: Value) -> Vec<Message> {
    match entries {
        Value::Array(entries) => entries.into_iter().filter_map(message).collect(),
        _ => Vec::new(),
    }
}

/// Fields may be there several times, and their order has a meaning, so no map will do.
fn message(entry: Value) -> Option<Message> {
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
fn dead(consumer: Value) -> Option<String> {
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
    let is_dead = pending? == 0 && idle? > millis(FORGOTTEN_AFTER);
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
const BLOCK: Duration = Duration::from_millis(500);

/// Read at once.
const MESSAGES: usize = 500;

/// A replica that lives handles a message in far less, unless Redis is down, and then nobody can.
const DEAD_AFTER: Duration = Duration::from_secs(10);

/// How often messages of dead replicas are looked for.
const CLAIM_EVERY: Duration = Duration::from_secs(5);

/// A replica that lives asks twice a second.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);
