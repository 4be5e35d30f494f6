//! Publishes changes as entries of a Redis stream with `type` and `key`.
//!
//! Calls neither wait for Redis nor fail with it: events wait in a bounded queue, and events that
//! do not fit are dropped and counted. An entry may be written twice, if the response of Redis to
//! the first write is lost.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::StreamMaxlen;
use redis::{AsyncConnectionConfig, Client, Pipeline, RedisResult};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::model::Id;
use crate::service::Tasks;
use crate::settings::Events;

/// Publishes the changes of a service; does nothing without a configured stream.
#[derive(Debug, Default)]
pub(crate) struct EventPublisher {
    queue: Option<Sender<Event>>,
    counts: Arc<Counts>,
}

/// The change of one entity.
#[derive(Clone, Copy, Debug)]
struct Event {
    kind: &'static str,
    key: Id,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    dropped: AtomicU64,
}

/// Writes the queued events to the stream.
#[derive(Debug)]
struct Writer {
    client: Client,
    stream: String,
    queue: Receiver<Event>,
    counts: Arc<Counts>,
}

impl EventPublisher {
    /// Starts a writer for the stream of `events`, if configured, in one of `tasks`. The server
    /// need not run yet.
    pub(crate) fn start(events: Option<&Events>, tasks: &Tasks) -> io::Result<Self> {
        let Some(events) = events else {
            return Ok(Self::default());
        };
        let client = Client::open(events.url.as_str())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let (sender, queue) = mpsc::channel(QUEUE_CAPACITY);
        let counts = Arc::default();
        let writer = Writer {
            client,
            stream: events.stream.clone(),
            queue,
            counts: Arc::clone(&counts),
        };
        tasks.start(writer.run());
        Ok(Self {
            queue: Some(sender),
            counts,
        })
    }

    /// Publishes that the entity `kind` with this `key` has changed.
    pub(crate) fn publish(&self, kind: &'static str, key: Id) {
        if let Some(queue) = &self.queue
            && queue.try_send(Event { kind, key }).is_err()
        {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counters of the events of `service` by outcome, in the text format of Prometheus.
    pub(crate) fn metrics(&self, service: &str) -> String {
        let mut text = String::new();
        if self.queue.is_none() {
            return text;
        }
        text.push_str("# HELP shop_events_total Change events, by outcome.\n");
        text.push_str("# TYPE shop_events_total counter\n");
        for (outcome, count) in [
            ("written", &self.counts.written),
            ("dropped", &self.counts.dropped),
        ] {
            let count = count.load(Ordering::Relaxed);
            // Writing into a `String` does not fail.
            let _ = writeln!(
                text,
                "shop_events_total{{service=\"{service}\",outcome=\"{outcome}\"}} {count}"
            );
        }
        text
    }
}

impl Writer {
    /// Writes events until the publisher is dropped and the queue is empty.
    async fn run(mut self) {
        let mut connection = None;
        let mut events = Vec::with_capacity(MAX_BATCH);
        while self.queue.recv_many(&mut events, MAX_BATCH).await > 0 {
            let count = events.len() as u64;
            let outcome = if self.deliver(&events, &mut connection).await {
                &self.counts.written
            } else {
                &self.counts.dropped
            };
            outcome.fetch_add(count, Ordering::Relaxed);
            events.clear();
        }
    }

    /// Retries until Redis has all of `events`; after the publisher is dropped, tries once.
    async fn deliver(
        &self,
        events: &[Event],
        connection: &mut Option<MultiplexedConnection>,
    ) -> bool {
        let mut delay = MIN_RETRY_DELAY;
        loop {
            match self.write_events(events, connection.take()).await {
                Ok(open) => {
                    *connection = Some(open);
                    return true;
                }
                Err(_) if self.queue.is_closed() => return false,
                // An unavailable server would reject the next events too, so wait.
                Err(_) => tokio::time::sleep(delay).await,
            }
            delay = (delay * 2).min(MAX_RETRY_DELAY);
        }
    }

    /// Writes over `connection`, or over a new one; returns it for the next write.
    async fn write_events(
        &self,
        events: &[Event],
        connection: Option<MultiplexedConnection>,
    ) -> RedisResult<MultiplexedConnection> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut entries = Pipeline::with_capacity(events.len());
        for event in events {
            let fields = [
                ("type", event.kind.to_owned()),
                ("key", event.key.to_string()),
            ];
            let max_length = StreamMaxlen::Approx(STREAM_LENGTH);
            entries
                .xadd_maxlen(&self.stream, max_length, "*", &fields)
                .ignore();
        }
        entries.query_async::<()>(&mut connection).await?;
        Ok(connection)
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }
}

/// Maximum number of queued events: some seconds of a busy shop.
const QUEUE_CAPACITY: usize = 1_024;

/// Maximum number of events in one write.
const MAX_BATCH: usize = 100;

/// Approximate maximum length of the stream, in entries; a reader further behind must discard its
/// cache anyway.
const STREAM_LENGTH: usize = 100_000;

/// Maximum time to connect, and to wait for a response.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Minimum delay between tries; doubles with each.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(20);
/// Maximum delay between tries.
const MAX_RETRY_DELAY: Duration = Duration::from_millis(500);
