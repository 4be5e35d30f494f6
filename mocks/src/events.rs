//! Tells others what has changed: entries of a Redis stream with `type` and `key`.
//!
//! No call waits for Redis or fails with it. What Redis cannot take at once waits in a queue; what
//! the queue cannot take is dropped and counted. An entry may come twice, when Redis did not say
//! whether it has it.

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

/// Where a service says what it has changed; quiet when nobody wants to know.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    queue: Option<Sender<Event>>,
    counts: Arc<Counts>,
}

/// One thing that has changed.
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

/// The other end of the queue.
#[derive(Debug)]
struct Writer {
    client: Client,
    stream: String,
    queue: Receiver<Event>,
    counts: Arc<Counts>,
}

impl Feed {
    /// A feed into the stream of `events`, if there is one, written in one of `tasks`. The server
    /// need not run yet.
    pub(crate) fn start(events: Option<&Events>, tasks: &Tasks) -> io::Result<Self> {
        let Some(events) = events else {
            return Ok(Self::default());
        };
        let client = Client::open(events.url.as_str())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let (sender, queue) = mpsc::channel(QUEUE);
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

    /// Says that the `kind` with this `key` has changed.
    pub(crate) fn tell(&self, kind: &'static str, key: Id) {
        if let Some(queue) = &self.queue
            && queue.try_send(Event { kind, key }).is_err()
        {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What became of the events of `service`, in the text format of Prometheus.
    pub(crate) fn figures(&self, service: &str) -> String {
        let mut text = String::new();
        if self.queue.is_none() {
            return text;
        }
        text.push_str("# HELP shop_events_total Changes told, by what became of them.\n");
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
    /// Writes until the service is gone and the queue empty.
    async fn run(mut self) {
        let mut link = None;
        let mut events = Vec::with_capacity(BATCH);
        while self.queue.recv_many(&mut events, BATCH).await > 0 {
            let count = events.len() as u64;
            let outcome = if self.deliver(&events, &mut link).await {
                &self.counts.written
            } else {
                &self.counts.dropped
            };
            outcome.fetch_add(count, Ordering::Relaxed);
            events.clear();
        }
    }

    /// Tries until Redis has all of `events`; once only when the service is gone.
    async fn deliver(&self, events: &[Event], link: &mut Option<MultiplexedConnection>) -> bool {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.write(events, link.take()).await {
                Ok(used) => {
                    *link = Some(used);
                    return true;
                }
                Err(_) if self.queue.is_closed() => return false,
                // Whatever is wrong with the server, it is as wrong for the next event.
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// Writes over `link`, or a new one; gives it back when it is good.
    async fn write(
        &self,
        events: &[Event],
        link: Option<MultiplexedConnection>,
    ) -> RedisResult<MultiplexedConnection> {
        let mut link = match link {
            Some(link) => link,
            None => self.connect().await?,
        };
        let mut entries = Pipeline::with_capacity(events.len());
        for event in events {
            let fields = [
                ("type", event.kind.to_owned()),
                ("key", event.key.to_string()),
            ];
            let bound = StreamMaxlen::Approx(STREAM_LENGTH);
            entries
                .xadd_maxlen(&self.stream, bound, "*", &fields)
                .ignore();
        }
        entries.query_async::<()>(&mut link).await?;
        Ok(link)
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }
}

/// Some seconds of a busy shop.
const QUEUE: usize = 1_024;

/// How many go to Redis together.
const BATCH: usize = 100;

/// Whoever reads is behind by less, or has to forget everything anyway.
const STREAM_LENGTH: usize = 100_000;

/// For connecting, and for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between tries, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_millis(500);
