//! The two-level cache: memory of this process, then Redis, which all replicas share.
//!
//! [`Cache::lookup`] looks up many values at once. A miss returns a [`Claim`]: the right to fetch
//! the value and to store it. The cache sends no requests to sources and knows no operations or
//! plans.
//!
//! Redis is never a reason to fail: a value that Redis does not return in time is a miss.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use schema::json::Json;
use tokio::sync::{mpsc, watch};

use self::assembled::Admission;
pub use self::assembled::{Dependencies, StoredPart};
pub use self::claim::Claim;
use self::claim::InFlightMap;
pub use self::claim::wait::{InFlightWait, RefreshClaim};
pub use self::entry::clock::{Clock, Moment};
pub use self::entry::{CachedValue, Entry, Freshness};
pub use self::events::{Change, EventError, EventResolver, EventSettings};
pub use self::failure::{FailureReporter, RedisFailure};
pub use self::key::{
    Key, KeyFormat, KeyParts, KeyPrefix, ScopedKeys, canonical_json, digest, digest_bytes,
    entity_key,
};
pub use self::lifetime::{
    Credentials, Lifetime, LifetimePolicy, ResponseMetadata, Reuse, Scope, is_private,
    negative_reuse, reuse,
};
use self::memory::{Memory, StoredEntry};
pub use self::miss::MissReason;
pub use self::settings::{CacheSettings, RedisSettings, RedisTopology, is_redis_address};
use self::stats::Stats;
pub use self::stats::{AGE_BOUNDS, Counts, LATENCY_BOUNDS, TypeCounts};
pub(crate) use self::stats::{Tally, TypeStats};
use self::store::Store;
use self::store::event_consumer::EventConsumer;
use self::store::invalidation_feed::{FeedStatus, InvalidationFeed};
use self::store::write::{WriteQueue, write_queue};
use self::tags::Generations;
pub use self::tags::Tag;
use self::tags::invalidator::Invalidator;
pub use self::tags::invalidator::Propagation;
pub use self::tags::target::{EntityKey, Target};

mod assembled;
mod claim;
mod entry;
mod events;
mod failure;
mod key;
mod lifetime;
mod lookup;
mod memory;
mod miss;
mod settings;
mod stats;
mod store;
mod tags;

/// The cache with both levels. Clones share them.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

/// Background work of the cache: futures to be spawned as tasks, each with a name. All of them end
/// when the last clone of the cache is dropped.
pub type BackgroundTasks = Vec<(&'static str, BoxFuture<'static, ()>)>;

/// A value to look up.
#[derive(Clone, Debug)]
pub struct LookupRequest {
    /// Key of the value if all callers may share it.
    pub key: Key,
    /// Key of the value if it is private: the shared key with the caller added. `None` if the
    /// caller is unidentified or the value cannot be private.
    pub private_key: Option<Key>,
    /// Key of the fetch in flight. It covers all that is sent to the source, so that every response
    /// fits all requests with this key. `None`: the private key, else the shared one.
    pub flight_key: Option<Key>,
    /// Keys of wider selections of the same data, whose values also answer this request.
    pub superset_keys: Vec<Key>,
    /// Tags that invalidate the value.
    pub tags: Tags,
}

/// The tags of a value.
#[derive(Clone)]
pub enum Tags {
    /// These tags.
    Known(Arc<[Tag]>),
    /// Tags that are computed when they are first needed.
    Lazy(Arc<dyn Fn() -> Vec<Tag> + Send + Sync>),
}

/// The result of a lookup.
#[derive(Debug)]
pub enum LookupOutcome {
    /// A fresh value.
    Fresh(Hit),
    /// The source reported recently that the value does not exist.
    Negative(Hit),
    /// A stale value. The holder of the [`RefreshClaim`] refreshes it in the background.
    Stale(Hit, Option<RefreshClaim>),
    /// No value: the caller fetches it.
    Miss(Claim),
    /// No value yet: an identical fetch is in flight.
    InFlight(InFlightWait),
}

/// A cached value that a lookup found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The key under which the value was found.
    pub key: Key,
    /// The level that had the value.
    pub level: Level,
    stored: Arc<StoredEntry>,
}

/// The level that had a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Memory of this process.
    Memory,
    /// Redis.
    Redis,
    /// Another fetch of this process, which was in flight.
    Coalesced,
}

/// State that all clones share.
struct Inner {
    settings: CacheSettings,
    memory: Memory,
    admission: Admission,
    generations: Arc<Generations>,
    in_flight: InFlightMap,
    shared: Option<SharedLevel>,
    invalidator: Arc<Invalidator>,
    background: mpsc::Sender<BoxFuture<'static, ()>>,
    stats: Arc<Stats>,
    /// Ends the background work when it is dropped.
    _stop: watch::Sender<()>,
}

/// The Redis level.
struct SharedLevel {
    store: Arc<Store>,
    writes: WriteQueue,
    feed_status: Arc<FeedStatus>,
}

impl Cache {
    /// Starts an empty cache with memory only; Redis is used as soon as it is connected.
    pub fn start(settings: CacheSettings) -> (Self, BackgroundTasks) {
        let stats = Arc::new(Stats::default());
        let generations = Arc::new(Generations::new(settings.max_tags.max(1)));
        let (stop, stopped) = watch::channel(());
        let mut tasks = BackgroundTasks::new();
        let redis = settings.redis.clone();
        let store = redis.map(|settings| Arc::new(Store::new(settings, Arc::clone(&stats))));
        let invalidator =
            Invalidator::new(Arc::clone(&generations), store.clone(), Arc::clone(&stats));
        let invalidator = Arc::new(invalidator);
        let shared = store.map(|store| {
            let invalidation = Arc::clone(&invalidator).run(stopped.clone());
            tasks.push(("cache invalidation", invalidation.boxed()));
            if let Some(events) = store.settings().events.clone() {
                let events =
                    EventConsumer::new(Arc::clone(&store), Arc::clone(&invalidator), events);
                tasks.push(("cache events", events.run(stopped.clone()).boxed()));
            }
            SharedLevel::start(store, &generations, &stopped, &mut tasks)
        });
        let (background, work) = mpsc::channel(settings.max_refreshes.max(1));
        tasks.push((
            "cache renewal",
            run_background(work, settings.max_refreshes.max(1)).boxed(),
        ));
        let inner = Inner {
            memory: Memory::new(settings.memory_bytes, Arc::clone(&stats)),
            admission: Admission::new(),
            generations,
            in_flight: InFlightMap::default(),
            shared,
            invalidator,
            background,
            stats,
            _stop: stop,
            settings,
        };
        (
            Self {
                inner: Arc::new(inner),
            },
            tasks,
        )
    }

    /// Looks up values; results are in the order of `requests`. Waits for Redis only, and for less
    /// than twice its command timeout.
    pub async fn lookup(&self, requests: Vec<LookupRequest>) -> Vec<LookupOutcome> {
        self.inner.lookup(requests).await
    }

    /// Looks up a value that is assembled of others, without a lease: its parts have theirs. `None`
    /// if it is requested for the first time, or known not to be cacheable.
    pub async fn lookup_assembled(&self, request: LookupRequest) -> Option<LookupOutcome> {
        self.inner.lookup_assembled(request).await
    }

    /// Invalidates every value with one of `tags`: in this process at once, in other replicas
    /// within a second.
    pub async fn invalidate(&self, tags: &[Tag]) -> Propagation {
        self.inner.invalidator.invalidate(tags).await
    }

    /// Invalidates every value with one of `tags` in this process at once; the background work
    /// publishes it to other replicas. For callers that cannot wait.
    pub fn invalidate_later(&self, tags: &[Tag]) {
        self.inner.invalidator.invalidate_later(tags);
    }

    /// Notes that data was written: lookups from now on do not join fetches that started before.
    pub fn bump_write_epoch(&self) {
        self.inner.in_flight.bump_write_epoch();
    }

    /// A number that grows with every invalidation. A fetch that started at a smaller one may be
    /// outdated.
    pub(crate) fn invalidation_epoch(&self) -> u64 {
        self.inner.generations.invalidation_epoch()
    }

    /// Runs `work` (a refresh) in the background; drops it if too much work is queued.
    pub fn spawn_background(&self, work: BoxFuture<'static, ()>) {
        if self.inner.background.try_send(work).is_err() {
            self.inner.stats.background_dropped.increment();
        }
    }

    /// Waits until Redis is connected and its invalidations are received, for `limit` at most, and
    /// returns whether they are; true without Redis. Values stored before that may be discarded at
    /// that moment.
    pub async fn wait_until_connected(&self, limit: Duration) -> bool {
        let Some(shared) = &self.inner.shared else {
            return true;
        };
        let connected = futures_util::future::join(
            shared.store.wait_until_connected(),
            shared.feed_status.wait_until_ready(),
        );
        tokio::time::timeout(limit, connected).await.is_ok()
    }

    /// A receiver of whether Redis responds; `None` without Redis. Ends when the cache is dropped.
    pub fn connection_status(&self) -> Option<watch::Receiver<bool>> {
        let shared = self.inner.shared.as_ref()?;
        Some(shared.store.status_changes())
    }

    /// Counters of the cache since its start.
    pub fn counts(&self) -> Counts {
        self.inner.stats.counts()
    }

    /// Lookup counters by subgraph and type, ordered by these names.
    pub fn counts_by_type(&self) -> Vec<TypeCounts> {
        self.inner.stats.types.counts()
    }

    /// The counters of one type of a subgraph.
    pub(crate) fn type_stats(&self, subgraph: &str, type_name: &str) -> Arc<TypeStats> {
        self.inner.stats.types.type_stats(subgraph, type_name)
    }

    /// Adds the results of one lookup to the counters of a type.
    pub(crate) fn record_lookups(&self, stats: &TypeStats, tally: &Tally) {
        self.inner.stats.add(stats, tally);
    }

    /// Bytes and number of entries in memory.
    pub fn memory_usage(&self) -> (u64, usize) {
        (self.inner.memory.weight(), self.inner.memory.len())
    }

    /// The current time of the cache's clock.
    pub fn now(&self) -> Moment {
        self.inner.settings.clock.now()
    }
}

impl LookupRequest {
    /// All keys that answer this request, the preferred ones first.
    fn keys(&self) -> impl Iterator<Item = Key> {
        let own = [Some(self.key), self.private_key].into_iter().flatten();
        own.chain(self.superset_keys.iter().copied())
    }
}

impl Tags {
    /// All tags.
    pub fn to_vec(&self) -> Vec<Tag> {
        match self {
            Self::Known(tags) => tags.to_vec(),
            Self::Lazy(tags) => tags(),
        }
    }
}

impl From<Vec<Tag>> for Tags {
    fn from(tags: Vec<Tag>) -> Self {
        Self::Known(tags.into())
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.to_vec()).finish()
    }
}

impl Hit {
    /// The value as JSON, parsed once for all hits; `None` for an absent value.
    pub fn json(&self) -> Option<Arc<Json>> {
        self.stored.json()
    }

    /// The value with its lifetime.
    pub fn entry(&self) -> &Entry {
        &self.stored.entry
    }
}

impl Inner {
    /// Whether invalidations of other replicas are being received.
    fn is_feed_current(&self) -> bool {
        let shared = self.shared.as_ref();
        shared.is_none_or(|shared| shared.feed_status.is_current())
    }
}

impl SharedLevel {
    fn start(
        store: Arc<Store>,
        generations: &Arc<Generations>,
        stopped: &watch::Receiver<()>,
        tasks: &mut BackgroundTasks,
    ) -> Self {
        let (writes, writer) = write_queue(&store);
        let feed_status = Arc::new(FeedStatus::new());
        let feed = InvalidationFeed {
            store: Arc::clone(&store),
            generations: Arc::clone(generations),
            feed_status: Arc::clone(&feed_status),
        };
        tasks.push((
            "cache connection",
            Arc::clone(&store)
                .maintain_connection(stopped.clone())
                .boxed(),
        ));
        tasks.push((
            "cache leases",
            Arc::clone(&store).maintain_leases(stopped.clone()).boxed(),
        ));
        tasks.push(("cache messages", feed.run(stopped.clone()).boxed()));
        tasks.push(("cache writes", writer.run().boxed()));
        Self {
            store,
            writes,
            feed_status,
        }
    }
}

/// Polls background work, at most `limit` futures at a time, until all senders are dropped.
async fn run_background(mut work: mpsc::Receiver<BoxFuture<'static, ()>>, limit: usize) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            next = work.recv(), if running.len() < limit => match next {
                Some(next) => running.push(std::panic::AssertUnwindSafe(next).catch_unwind()),
                None => break,
            },
            // A refresh that panics released its claim while unwinding.
            Some(_) = running.next() => {}
        }
    }
    while running.next().await.is_some() {}
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}
