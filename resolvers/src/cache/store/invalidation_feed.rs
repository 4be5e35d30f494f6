//! The invalidation feed: invalidations of other replicas, received through a Redis stream.
//!
//! A stream, because a replica that was disconnected briefly can read the messages it missed. If it
//! may have missed more than the stream holds, it discards all generations instead.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::streams::{StreamId as StreamEntry, StreamRangeReply, StreamReadReply};
use redis::{FromRedisValue, cmd};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::super::entry::clock::millis;
use super::super::tags::{Generations, Tag, is_generation};
use super::Store;
use super::connection::RedisConnection;

/// The last time at which this replica had received all invalidations.
#[derive(Debug)]
pub(in crate::cache) struct FeedStatus {
    started: Instant,
    current_at: AtomicU64,
    is_ready: watch::Sender<bool>,
}

impl FeedStatus {
    pub(in crate::cache) fn new() -> Self {
        Self {
            started: Instant::now(),
            current_at: AtomicU64::new(NEVER),
            is_ready: watch::Sender::new(false),
        }
    }

    /// Whether every invalidation that was not received is younger than a second.
    pub(in crate::cache) fn is_current(&self) -> bool {
        let current_at = self.current_at.load(Ordering::Acquire);
        let now = millis(self.started.elapsed());
        current_at != NEVER && now.saturating_sub(current_at) <= millis(MAX_SILENCE)
    }

    /// Waits until the feed is up to date for the first time.
    pub(in crate::cache) async fn wait_until_ready(&self) {
        // The sender is a field of `self`, so it is not dropped.
        let _ = self
            .is_ready
            .subscribe()
            .wait_for(|is_ready| *is_ready)
            .await;
    }

    fn mark_current(&self) {
        self.is_ready
            .send_if_modified(|is_ready| !std::mem::replace(is_ready, true));
        self.current_at
            .store(millis(self.started.elapsed()), Ordering::Release);
    }
}

/// Reads the stream and applies its messages to `generations`.
#[derive(Debug)]
pub(in crate::cache) struct InvalidationFeed {
    pub(in crate::cache) store: Arc<Store>,
    pub(in crate::cache) generations: Arc<Generations>,
    pub(in crate::cache) feed_status: Arc<FeedStatus>,
}

/// The position of a message in a Redis stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct StreamId {
    millis: u64,
    sequence: u64,
}

/// The end of the stream at which a message is read.
#[derive(Clone, Copy, Debug)]
enum StreamEnd {
    Oldest,
    Newest,
}

impl InvalidationFeed {
    /// Reads messages until `stop` is dropped.
    pub(in crate::cache) async fn run(self, mut stop: watch::Receiver<()>) {
        let follow = async {
            let mut last = None;
            loop {
                // Every failure is handled alike: connect again.
                let _ = self.listen(&mut last).await;
                tokio::time::sleep(self.store.settings.probe_interval).await;
            }
        };
        tokio::select! {
            () = follow => {}
            _ = stop.changed() => {}
        }
    }

    /// Reads messages until a read fails, or requests use another connection: this one may be to a
    /// server that no longer receives invalidations.
    async fn listen(&self, last: &mut Option<StreamId>) -> Option<()> {
        self.store.wait_until_connected().await;
        let mut replaced = self.store.connection.subscribe();
        self.forget_demoted(last);
        tokio::select! {
            ended = self.read_messages(last) => ended,
            _ = replaced.changed() => {
                self.forget_demoted(last);
                None
            }
        }
    }

    /// Forgets the position in the stream if requests read generations of a server that was not the
    /// primary. They no longer do if Redis is up again.
    fn forget_demoted(&self, last: &mut Option<StreamId>) {
        if self.store.is_up() && self.store.was_demoted.swap(false, Ordering::AcqRel) {
            *last = None;
        }
    }

    async fn read_messages(&self, last: &mut Option<StreamId>) -> Option<()> {
        let limit = BLOCK_TIMEOUT + self.store.settings.connect_timeout;
        // A separate connection: a blocking read delays all commands behind it.
        let mut connection = RedisConnection::connect(&self.store.settings, limit)
            .await
            .ok()?;
        let mut id = self.catch_up(&mut connection, *last, limit).await?;
        let name = self.store.names.messages();
        self.store.stats.feed_connects.increment();
        loop {
            *last = Some(id);
            self.feed_status.mark_current();
            let mut read = cmd("XREAD");
            read.arg("COUNT")
                .arg(MAX_MESSAGES_PER_READ)
                .arg("BLOCK")
                .arg(millis(BLOCK_TIMEOUT));
            read.arg("STREAMS").arg(&name).arg(id.to_string());
            let answer = timeout(limit, connection.send(&read)).await.ok()?.ok()?;
            let reply: Option<StreamReadReply> = FromRedisValue::from_redis_value(answer).ok()?;
            for message in reply
                .into_iter()
                .flat_map(|reply| reply.keys)
                .flat_map(|key| key.ids)
            {
                self.apply(&message);
                id = StreamId::parse(&message.id)?;
            }
        }
    }

    /// The id from which to continue; discards all generations if messages may have been missed.
    async fn catch_up(
        &self,
        connection: &mut RedisConnection,
        last: Option<StreamId>,
        limit: Duration,
    ) -> Option<StreamId> {
        let first = self
            .end_of_stream(connection, StreamEnd::Oldest, limit)
            .await?;
        let newest = self
            .end_of_stream(connection, StreamEnd::Newest, limit)
            .await?;
        let missed = match last {
            None => true,
            Some(last) => newest < last || first > last,
        };
        if missed {
            self.generations.reset();
            return Some(newest);
        }
        last
    }

    /// The id of the message at one end of the stream; zero for an empty stream.
    async fn end_of_stream(
        &self,
        connection: &mut RedisConnection,
        end: StreamEnd,
        limit: Duration,
    ) -> Option<StreamId> {
        let (command, from, to) = match end {
            StreamEnd::Oldest => ("XRANGE", "-", "+"),
            StreamEnd::Newest => ("XREVRANGE", "+", "-"),
        };
        let mut range = cmd(command);
        range
            .arg(self.store.names.messages())
            .arg(from)
            .arg(to)
            .arg("COUNT")
            .arg(1);
        let answer = timeout(limit, connection.send(&range)).await.ok()?.ok()?;
        let reply: StreamRangeReply = FromRedisValue::from_redis_value(answer).ok()?;
        match reply.ids.first() {
            Some(message) => StreamId::parse(&message.id),
            None => Some(StreamId::default()),
        }
    }

    /// Applies a message. A malformed one may be about any tag, so it discards all generations.
    fn apply(&self, message: &StreamEntry) {
        let tags: Vec<u8> = message.get("t").unwrap_or_default();
        let generation = message
            .get("g")
            .filter(|generation| is_generation(*generation));
        let (tags, rest) = tags.as_chunks::<16>();
        match generation {
            Some(generation) if rest.is_empty() && !tags.is_empty() => {
                self.store.stats.invalidations_received.add(tags.len());
                for tag in tags {
                    self.generations.replace(Tag::from_bytes(*tag), generation);
                }
            }
            _ => {
                self.store.stats.undecodable.increment();
                self.generations.reset();
            }
        }
    }
}

impl StreamId {
    fn parse(text: &str) -> Option<Self> {
        let (millis, sequence) = text.split_once('-')?;
        Some(Self {
            millis: millis.parse().ok()?,
            sequence: sequence.parse().ok()?,
        })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

/// Maximum time that Redis blocks a read without new messages.
const BLOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// Maximum time since the last read for which the feed is current: an invalidation that was not
/// received is then younger than a second.
const MAX_SILENCE: Duration = Duration::from_millis(600);

/// Maximum number of messages in one read.
const MAX_MESSAGES_PER_READ: usize = 1000;

/// `current_at` before the first read.
const NEVER: u64 = u64::MAX;
