//! What was fetched before, kept for whoever asks again: in this process, then in Redis.
//!
//! [`Cache::get_many`] looks for many values at once and says of each what is known; who is told
//! that a value is missing gets the right to fetch it, and keeps what it fetched. Nothing here
//! fetches, and nothing here knows of operations or plans.
//!
//! Redis is never a reason to fail: what cannot be had in time is missing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use schema::json::Json;
use tokio::sync::{mpsc, watch};

pub use self::claim::Claim;
use self::claim::InFlightMap;
pub use self::claim::wait::{InFlightWait, RefreshClaim};
pub use self::entry::clock::{Clock, Moment};
pub use self::entry::{CachedValue, Entry, Freshness};
pub use self::events::{Change, EventError, EventResolver, EventSettings};
pub use self::key::{
    Key, KeyFormat, KeyParts, KeyPrefix, ScopedKeys, canonical_json, digest, entity_key,
};
pub use self::lifetime::{
    Credentials, Lifetime, LifetimePolicy, ResponseMetadata, Reuse, Scope, negative_reuse, reuse,
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

mod claim;
mod entry;
mod events;
mod key;
mod lifetime;
mod lookup;
mod memory;
mod miss;
mod settings;
mod stats;
mod store;
mod tags;

/// Both levels. Clones share them.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

/// Work that the cache does beside answering; each to be run as a task, by its name. All of it ends
/// when the last clone of the cache is gone.
pub type BackgroundTasks = Vec<(&'static str, BoxFuture<'static, ()>)>;

/// One value that somebody asks for.
#[derive(Clone, Debug)]
pub struct LookupRequest {
    /// Where it is kept when everybody may have it.
    pub key: Key,
    /// Where it is kept when only this caller may: the same with the caller in it. `None` when the
    /// caller is not known, or the value cannot be private.
    pub private_key: Option<Key>,
    /// What it is known by while it is fetched: with everything that is sent, so that whatever
    /// comes is for all who ask by it. `None`: by the key of private values, or the other.
    pub flight_key: Option<Key>,
    /// Whose values answer as well: wider selections of the same.
    pub superset_keys: Vec<Key>,
    /// What it is invalidated by.
    pub tags: Tags,
}

/// What a value is invalidated by.
#[derive(Clone)]
pub enum Tags {
    /// By these.
    Known(Arc<[Tag]>),
    /// By what this says, once it has to be known.
    Lazy(Arc<dyn Fn() -> Vec<Tag> + Send + Sync>),
}

/// What is known of a value.
#[derive(Debug)]
pub enum LookupOutcome {
    /// This.
    Fresh(Hit),
    /// That there is no such thing.
    Negative(Hit),
    /// This, for now. Who gets the renewal is to renew it, in the background.
    Stale(Hit, Option<RefreshClaim>),
    /// Nothing: it is to be fetched by the one who asked.
    Miss(Claim),
    /// Nothing yet: somebody else is fetching it.
    InFlight(InFlightWait),
}

/// A value that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Under which of the keys.
    pub key: Key,
    /// Where.
    pub level: Level,
    stored: Arc<StoredEntry>,
}

/// Where a value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// In this process.
    Memory,
    /// In Redis.
    Redis,
    /// Another's fetch in this process brought it.
    Coalesced,
}

/// What all clones share.
struct Inner {
    settings: CacheSettings,
    memory: Memory,
    generations: Arc<Generations>,
    in_flight: InFlightMap,
    shared: Option<SharedLevel>,
    invalidator: Arc<Invalidator>,
    background: mpsc::Sender<BoxFuture<'static, ()>>,
    stats: Arc<Stats>,
    /// Dropped with the rest: that ends the background work.
    _stop: watch::Sender<()>,
}

/// What there is when there is a Redis.
struct SharedLevel {
    store: Arc<Store>,
    writes: WriteQueue,
    feed_status: Arc<FeedStatus>,
}

impl Cache {
    /// A cache that is empty, and not connected yet; works from now on, with memory only until
    /// Redis is reached.
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

    /// What is known of each value, in their order. Waits for Redis at most, and for less than
    /// twice its limit.
    pub async fn lookup(&self, requests: Vec<LookupRequest>) -> Vec<LookupOutcome> {
        self.inner.lookup(requests).await
    }

    /// Makes everything invalid that has one of `tags`: here at once, elsewhere within a second.
    pub async fn invalidate(&self, tags: &[Tag]) -> Propagation {
        self.inner.invalidator.invalidate(tags).await
    }

    /// The same for who cannot wait: elsewhere as soon as the background work comes to it.
    pub fn invalidate_later(&self, tags: &[Tag]) {
        self.inner.invalidator.invalidate_later(tags);
    }

    /// Something was written: who asks from now on does not wait for what was asked before.
    pub fn bump_write_epoch(&self) {
        self.inner.in_flight.bump_write_epoch();
    }

    /// Grows whenever something becomes invalid: what was asked for before may be too old for who
    /// asks after.
    pub(crate) fn invalidation_epoch(&self) -> u64 {
        self.inner.generations.invalidation_epoch()
    }

    /// Runs `work` (a renewal) beside everything else; drops it when too much is under way.
    pub fn spawn_background(&self, work: BoxFuture<'static, ()>) {
        if self.inner.background.try_send(work).is_err() {
            self.inner.stats.background_dropped.increment();
        }
    }

    /// Whether Redis is reached and its messages are heard, or there is none to be, within `limit`.
    /// What is kept before that may be forgotten when it comes to it.
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

    /// Whether Redis answers, from now on; `None` without one. Ends when the cache is gone.
    pub fn connection_status(&self) -> Option<watch::Receiver<bool>> {
        let shared = self.inner.shared.as_ref()?;
        Some(shared.store.status_changes())
    }

    /// What happened up to now.
    pub fn counts(&self) -> Counts {
        self.inner.stats.counts()
    }

    /// The same by type, in the order of the subgraphs' names.
    pub fn counts_by_type(&self) -> Vec<TypeCounts> {
        self.inner.stats.types.counts()
    }

    /// What counts for the values of one type of a subgraph.
    pub(crate) fn type_stats(&self, subgraph: &str, type_name: &str) -> Arc<TypeStats> {
        self.inner.stats.types.type_stats(subgraph, type_name)
    }

    /// Counts what was found of one type.
    pub(crate) fn record_lookups(&self, stats: &TypeStats, tally: &Tally) {
        self.inner.stats.add(stats, tally);
    }

    /// Bytes and entries in memory.
    pub fn memory_usage(&self) -> (u64, usize) {
        (self.inner.memory.weight(), self.inner.memory.len())
    }

    /// The moment that it is.
    pub fn now(&self) -> Moment {
        self.inner.settings.clock.now()
    }
}

impl LookupRequest {
    /// What is looked for, best first.
    fn keys(&self) -> impl Iterator<Item = Key> {
        let own = [Some(self.key), self.private_key].into_iter().flatten();
        own.chain(self.superset_keys.iter().copied())
    }
}

impl Tags {
    /// Each of them.
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
    /// The value as JSON, read once however often it is given out; `None` when there is none.
    pub fn json(&self) -> Option<Arc<Json>> {
        self.stored.json()
    }

    /// The value, and for how long it is good.
    pub fn entry(&self) -> &Entry {
        &self.stored.entry
    }
}

impl Inner {
    /// Whether an invalidation elsewhere would be known here.
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
        tasks.push(("cache messages", feed.run(stopped.clone()).boxed()));
        tasks.push(("cache writes", writer.run().boxed()));
        Self {
            store,
            writes,
            feed_status,
        }
    }
}

/// Polls what is under way, at most `limit` at a time, until nobody can add to it.
async fn run_background(mut work: mpsc::Receiver<BoxFuture<'static, ()>>, limit: usize) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            next = work.recv(), if running.len() < limit => match next {
                Some(next) => running.push(std::panic::AssertUnwindSafe(next).catch_unwind()),
                None => break,
            },
            // What a renewal that panics held was given back when it unwound.
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
