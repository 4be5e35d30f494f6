//! Invalidations by other replicas, as they are told on a stream in Redis.
//!
//! A stream, because a replica that was away for a moment can read what it missed. If it may have
//! missed more than the stream holds, it forgets everything instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{FromRedisValue, cmd};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::super::entry::clock::millis;
use super::super::tags::{Generations, Tag, is_generation};
use super::Store;
use super::link::Link;

/// When this replica last knew that it had heard everything.
#[derive(Debug)]
pub(in crate::cache) struct Heard {
    began: Instant,
    at: AtomicU64,
    has_begun: watch::Sender<bool>,
}

impl Heard {
    pub(in crate::cache) fn nothing() -> Self {
        Self {
            began: Instant::now(),
            at: AtomicU64::new(NEVER),
            has_begun: watch::Sender::new(false),
        }
    }

    /// Whether an invalidation that is not heard of is younger than a second.
    pub(in crate::cache) fn is_current(&self) -> bool {
        let at = self.at.load(Ordering::Acquire);
        let now = millis(self.began.elapsed());
        at != NEVER && now.saturating_sub(at) <= millis(CURRENT)
    }

    /// Waits until it has heard everything for the first time.
    pub(in crate::cache) async fn begun(&self) {
        // The sender is our own field: it cannot be gone.
        let _ = self
            .has_begun
            .subscribe()
            .wait_for(|has_begun| *has_begun)
            .await;
    }

    fn now(&self) {
        self.has_begun
            .send_if_modified(|has_begun| !std::mem::replace(has_begun, true));
        self.at
            .store(millis(self.began.elapsed()), Ordering::Release);
    }
}

/// Reads the stream, and tells `generations`.
#[derive(Debug)]
pub(in crate::cache) struct Follower {
    pub(in crate::cache) store: Arc<Store>,
    pub(in crate::cache) generations: Arc<Generations>,
    pub(in crate::cache) heard: Arc<Heard>,
}

/// A message's place in the stream.
type Place = (u64, u64);

impl Follower {
    /// Listens until `stop` is dropped.
    pub(in crate::cache) async fn run(self, mut stop: watch::Receiver<()>) {
        let follow = async {
            let mut last = None;
            loop {
                // However it ended, what is there to do is to begin again.
                let _ = self.listen(&mut last).await;
                tokio::time::sleep(self.store.settings.probe).await;
            }
        };
        tokio::select! {
            () = follow => {}
            _ = stop.changed() => {}
        }
    }

    /// Listens for as long as there is an answer.
    async fn listen(&self, last: &mut Option<Place>) -> Option<()> {
        let limit = BLOCK + self.store.settings.connect_limit;
        // A connection of its own: one that waits for messages holds up everything behind it.
        let mut link = Link::connect(&self.store.settings, limit).await.ok()?;
        let mut place = self.catch_up(&mut link, *last, limit).await?;
        let name = self.store.names.messages();
        self.store.stats.listens.one();
        loop {
            *last = Some(place);
            self.heard.now();
            let mut read = cmd("XREAD");
            read.arg("COUNT")
                .arg(MESSAGES)
                .arg("BLOCK")
                .arg(millis(BLOCK));
            read.arg("STREAMS").arg(&name).arg(written(place));
            let answer = timeout(limit, link.send(&read)).await.ok()?.ok()?;
            let reply: Option<StreamReadReply> = FromRedisValue::from_redis_value(answer).ok()?;
            for message in reply
                .into_iter()
                .flat_map(|reply| reply.keys)
                .flat_map(|key| key.ids)
            {
                self.hear(&message);
                place = parsed(&message.id)?;
            }
        }
    }

    /// Where to go on; forgets everything if something may have been missed.
    async fn catch_up(
        &self,
        link: &mut Link,
        last: Option<Place>,
        limit: Duration,
    ) -> Option<Place> {
        let first = self
            .end_of_stream(link, ["XRANGE", "-", "+"], limit)
            .await?;
        let newest = self
            .end_of_stream(link, ["XREVRANGE", "+", "-"], limit)
            .await?;
        let missed = match last {
            None => true,
            Some(last) => newest < last || first > last,
        };
        if missed {
            self.generations.forget();
            return Some(newest);
        }
        last
    }

    /// The place of the message at one end; the beginning of time when there is none.
    async fn end_of_stream(
        &self,
        link: &mut Link,
        [command, from, to]: [&str; 3],
        limit: Duration,
    ) -> Option<Place> {
        let mut range = cmd(command);
        range
            .arg(self.store.names.messages())
            .arg(from)
            .arg(to)
            .arg("COUNT")
            .arg(1);
        let answer = timeout(limit, link.send(&range)).await.ok()?.ok()?;
        let reply: StreamRangeReply = FromRedisValue::from_redis_value(answer).ok()?;
        match reply.ids.first() {
            Some(message) => parsed(&message.id),
            None => Some((0, 0)),
        }
    }

    /// A message that cannot be read may be about anything.
    fn hear(&self, message: &StreamId) {
        let tags: Vec<u8> = message.get("t").unwrap_or_default();
        let generation = message
            .get("g")
            .filter(|generation| is_generation(*generation));
        let (tags, rest) = tags.as_chunks::<16>();
        match generation {
            Some(generation) if rest.is_empty() && !tags.is_empty() => {
                self.store.stats.invalidations_heard.add(tags.len());
                for tag in tags {
                    self.generations.replace(Tag::from_bytes(*tag), generation);
                }
            }
            _ => {
                self.store.stats.undecodable.one();
                self.generations.forget();
            }
        }
    }
}

fn parsed(id: &str) -> Option<Place> {
    let (time, number) = id.split_once('-')?;
    Some((time.parse().ok()?, number.parse().ok()?))
}

fn written((time, number): Place) -> String {
    format!("{time}-{number}")
}

/// How long Redis holds a read back when there is nothing new.
const BLOCK: Duration = Duration::from_millis(200);

/// For so long silence means nothing: what was not heard is then younger than a second.
const CURRENT: Duration = Duration::from_millis(600);

/// Read at once.
const MESSAGES: usize = 1000;

const NEVER: u64 = u64::MAX;
