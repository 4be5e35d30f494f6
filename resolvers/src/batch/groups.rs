//! Connectors that are asked for many objects at a time: the keys of concurrent operations in
//! common calls.
//!
//! A group is a connector with everything that its request depends on beside the keys. While no
//! other operation has a call of the group under way, keys go out at once; else they gather, and
//! go when such a call ends, when the batch is full, or when waiting has lasted long enough. A key
//! that is under way already is joined.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use hashbrown::HashTable;
use http::HeaderMap;
use schema::source::SourceId;
use tokio::sync::Notify;

use super::flight::{Flight, Waiter};
use super::keys::{Keys, Positions};
use super::{Loader, MAX_IN_SHARD, MAX_KEYS, identity, shard};
use crate::error::FetchError;
use crate::fetch::Sources;
use crate::fetch::ready::Ready;
use crate::fetch::reply::Outcome;

/// What a request of a batch depends on beside its keys.
#[derive(Debug)]
pub(crate) struct Asking {
    source: SourceId,
    /// Those of the client's headers that the request depends on.
    headers: HeaderMap,
    /// How many keys one call may have.
    max: Option<usize>,
}

impl Asking {
    /// For the connector of `source`, by a client with these headers.
    pub(crate) fn new(
        source: SourceId,
        ready: &Ready,
        client: &HeaderMap,
        max: Option<usize>,
    ) -> Self {
        Self {
            source,
            headers: identity::relevant(client, ready.varies.as_deref()),
            max,
        }
    }

    fn identity(&self) -> Vec<u8> {
        let mut text = self.source.index().to_le_bytes().to_vec();
        identity::write_headers(&self.headers, &mut text);
        text
    }
}

/// A part of a batch that was one call, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The positions of its keys.
    pub(crate) keys: Range<usize>,
    pub(crate) outcome: Outcome,
}

/// All calls of a batch, in the order of their keys.
pub(crate) type Parts = Arc<[Part]>;

/// A batch that an operation waits for.
pub(crate) struct Loading {
    pub(crate) waiter: Waiter<Parts>,
    /// Which of the operation's keys have which positions in the batch.
    pub(crate) keys: Vec<(usize, usize)>,
    batch: u64,
}

/// The batches of one group that have not ended.
#[derive(Debug)]
pub(super) struct Group {
    identity: Box<[u8]>,
    hash: u64,
    number: u64,
    asking: Arc<Asking>,
    batches: Vec<Batch>,
}

#[derive(Debug)]
struct Batch {
    number: u64,
    /// The operation that began it.
    asker: u64,
    keys: Arc<Keys>,
    positions: Positions,
    /// None for a call that nobody can join.
    flight: Option<Arc<Flight<Parts>>>,
    go: Arc<Notify>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Gathering,
    /// About to go, and has no room.
    Full,
    /// Since so much had been written.
    Flying(u64),
}

impl Loader {
    /// Has each of `keys`, which are different, asked for in a batch; `None` when there is no
    /// room, and the operation must ask alone.
    pub(crate) fn load<'k>(
        self: &Arc<Self>,
        asking: Asking,
        asker: u64,
        keys: impl ExactSizeIterator<Item = &'k [u8]>,
    ) -> Option<Vec<Loading>> {
        let identity = asking.identity();
        let hash = self.hash(&identity);
        let mut groups = shard(&self.groups, hash);
        let held = self.keys.load(Ordering::Relaxed).saturating_add(keys.len());
        if held > MAX_KEYS {
            return None;
        }
        let group = self.group(&mut groups, (hash, &identity), asking)?;
        let mut adding = Adding {
            loader: self,
            writes: self.writes(),
            asker,
            group,
            loading: Vec::with_capacity(1),
            added: 0,
        };
        // Who is alone has nobody to join, and their own keys are different.
        let is_alone = adding.group.batches.is_empty();
        if is_alone && adding.group.asking.max.is_none_or(|max| keys.len() < max) {
            adding.gather_all(keys);
        } else {
            for (index, key) in keys.enumerate() {
                if is_alone || !adding.join(index, key) {
                    adding.gather(index, key);
                }
            }
        }
        self.keys.fetch_add(adding.added, Ordering::Relaxed);
        adding.group.start(asker);
        Some(adding.loading)
    }

    /// Notes that `asker` makes a call of its own in the place of a batch, as long as it keeps
    /// what is given; `None` when others have calls under way that it could share.
    pub(crate) fn lead(self: &Arc<Self>, asking: Asking, asker: u64) -> Option<Landing> {
        let identity = asking.identity();
        let hash = self.hash(&identity);
        let mut groups = shard(&self.groups, hash);
        let group = self.group(&mut groups, (hash, &identity), asking)?;
        if !group.batches.is_empty() {
            return None;
        }
        let batch = self.number();
        group.batches.push(Batch {
            number: batch,
            asker,
            keys: Arc::default(),
            positions: Positions::default(),
            flight: None,
            go: Arc::default(),
            stage: Stage::Full,
        });
        Some(Landing {
            loader: Arc::clone(self),
            hash,
            group: group.number,
            batch,
        })
    }

    /// The group with that identity, new where there is none; `None` when there are too many.
    fn group<'g>(
        &self,
        groups: &'g mut HashTable<Group>,
        (hash, identity): (u64, &[u8]),
        asking: Asking,
    ) -> Option<&'g mut Group> {
        let is_new = groups.find(hash, |it| *it.identity == *identity).is_none();
        if is_new && groups.len() >= MAX_IN_SHARD {
            return None;
        }
        if is_new {
            let group = Group {
                identity: identity.into(),
                hash,
                number: self.number(),
                asking: Arc::new(asking),
                batches: Vec::with_capacity(1),
            };
            groups.insert_unique(hash, group, |group| group.hash);
        }
        groups.find_mut(hash, |it| *it.identity == *identity)
    }
}

/// An operation's keys on their way into a group.
struct Adding<'g> {
    loader: &'g Arc<Loader>,
    writes: u64,
    asker: u64,
    group: &'g mut Group,
    loading: Vec<Loading>,
    /// Keys that nobody else had asked for.
    added: usize,
}

impl Adding<'_> {
    /// Whether the key is under way already.
    fn join(&mut self, index: usize, key: &[u8]) -> bool {
        for batch in &mut self.group.batches {
            let is_too_early = matches!(batch.stage, Stage::Flying(since) if since != self.writes);
            if !is_too_early
                && let Some(position) = batch.positions.find(&batch.keys, key)
                && wait_for(&mut self.loading, batch, (index, position))
            {
                return true;
            }
        }
        false
    }

    /// Puts all keys into a new batch, which they do not fill.
    fn gather_all<'k>(&mut self, keys: impl ExactSizeIterator<Item = &'k [u8]>) {
        let waiter = self.begin();
        let Some(batch) = self.group.batches.last_mut() else {
            return; // It was just added.
        };
        self.added = keys.len();
        self.loading.push(Loading {
            waiter,
            keys: (0..keys.len()).map(|index| (index, index)).collect(),
            batch: batch.number,
        });
        let all = Arc::make_mut(&mut batch.keys);
        all.reserve(keys.len());
        keys.for_each(|key| all.push(key));
    }

    /// Adds the key to a batch that has room, or to a new one.
    fn gather(&mut self, index: usize, key: &[u8]) {
        let asker = self.asker;
        let max = self.group.asking.max;
        let gathering = self.group.batches.iter_mut();
        let mut gathering = gathering.filter(|batch| {
            // Without a bound in the graph, an operation's own keys stay together.
            let has_room = max.is_some() || batch.asker == asker || batch.keys.len() < ROOM;
            batch.stage == Stage::Gathering && has_room
        });
        let batch = match gathering.next() {
            Some(batch) if wait_for(&mut self.loading, batch, (index, batch.keys.len())) => batch,
            _ => {
                let waiter = self.begin();
                let Some(batch) = self.group.batches.last_mut() else {
                    return; // It was just added.
                };
                self.loading.push(Loading {
                    waiter,
                    keys: vec![(index, 0)],
                    batch: batch.number,
                });
                batch
            }
        };
        Arc::make_mut(&mut batch.keys).push(key);
        self.added += 1;
        if max.is_some_and(|max| batch.keys.len() >= max.max(1)) {
            batch.stage = Stage::Full;
            batch.go.notify_one();
        }
    }

    fn begin(&mut self) -> Waiter<Parts> {
        let number = self.loader.number();
        let landing = Landing {
            loader: Arc::clone(self.loader),
            hash: self.group.hash,
            group: self.group.number,
            batch: number,
        };
        let go = Arc::new(Notify::new());
        let asking = Arc::clone(&self.group.asking);
        let waiter = Flight::launch(fly(landing, Arc::clone(&go), asking), panicked);
        self.group.batches.push(Batch {
            number,
            asker: self.asker,
            keys: Arc::default(),
            positions: Positions::default(),
            flight: Some(Arc::clone(waiter.flight())),
            go,
            stage: Stage::Gathering,
        });
        waiter
    }
}

/// Notes that an operation waits for a key of a batch; gives whether the batch lets it.
fn wait_for(loading: &mut Vec<Loading>, batch: &Batch, key: (usize, usize)) -> bool {
    let known = loading.iter_mut().find(|it| it.batch == batch.number);
    if let Some(known) = known {
        known.keys.push(key);
        return true;
    }
    let Some(waiter) = batch.flight.as_ref().and_then(Flight::join) else {
        return false;
    };
    loading.push(Loading {
        waiter,
        keys: vec![key],
        batch: batch.number,
    });
    true
}

impl Group {
    /// Lets what was gathered go, unless it is worth waiting for a call of somebody else.
    fn start(&self, asker: u64) {
        let others = self.batches.iter();
        let others = others.filter(|it| it.asker != asker && it.stage != Stage::Gathering);
        if others.count() >= TOGETHER {
            return;
        }
        let gathering = self.batches.iter();
        for batch in gathering.filter(|batch| batch.stage == Stage::Gathering) {
            batch.go.notify_one();
        }
    }
}

/// The place of a batch in its group; it goes with the batch, however that ends.
pub(crate) struct Landing {
    loader: Arc<Loader>,
    hash: u64,
    group: u64,
    batch: u64,
}

impl Landing {
    /// From now on its keys are what they are.
    fn depart(&self) -> Arc<Keys> {
        let writes = self.loader.writes();
        let mut groups = shard(&self.loader.groups, self.hash);
        let group = groups.find_mut(self.hash, |group| group.number == self.group);
        let mut batches = group.into_iter().flat_map(|group| &mut group.batches);
        let Some(batch) = batches.find(|batch| batch.number == self.batch) else {
            return Arc::default(); // It is there for as long as this.
        };
        batch.stage = Stage::Flying(writes);
        Arc::clone(&batch.keys)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut groups = shard(&self.loader.groups, self.hash);
        let found = groups.find_entry(self.hash, |group| group.number == self.group);
        let Ok(mut found) = found else {
            return;
        };
        let batches = &mut found.get_mut().batches;
        let Some(own) = batches.iter().position(|it| it.number == self.batch) else {
            return;
        };
        let own = batches.swap_remove(own);
        self.loader
            .keys
            .fetch_sub(own.keys.len(), Ordering::Relaxed);
        let gathering = batches.iter().find(|it| it.stage == Stage::Gathering);
        let waiting = gathering.map(|batch| batch.asker);
        match waiting {
            Some(asker) => found.get().start(asker),
            None if found.get().batches.is_empty() => drop(found.remove()),
            None => {}
        }
    }
}

/// A batch from its first key to its answers.
async fn fly(landing: Landing, go: Arc<Notify>, asking: Arc<Asking>) -> Parts {
    let sources = &landing.loader.sources;
    let Some((_, ready)) = sources.connector(asking.source) else {
        return panicked(); // Only connectors take batches.
    };
    let patience = GATHERING.min(ready.timeout / SHARE);
    tokio::select! {
        biased;
        () = go.notified() => {}
        () = tokio::time::sleep(patience) => {}
    }
    let keys = landing.depart();
    // A part that stalls must not take the others with it, so it fails before they give up.
    let timeout = ready.timeout / SHARE * (SHARE - 2);
    ask(sources, &asking, &keys, timeout).await.into()
}

/// Asks for all keys, in as few calls as URLs allow.
async fn ask(sources: &Sources, asking: &Asking, keys: &Keys, timeout: Duration) -> Vec<Part> {
    let mut calls = Vec::with_capacity(1);
    let mut waiting: Vec<_> = std::iter::once(0..keys.len()).collect();
    while let Some(range) = waiting.pop() {
        let batch = |fields: &_| keys.write_batch(range.clone(), fields);
        let request = sources.batch_request(asking.source, &asking.headers, batch);
        let is_too_long = match &request {
            Ok(request) => request.url.as_str().len() > sources.url_limit,
            Err(_) => false,
        };
        if is_too_long && range.len() > 1 {
            let middle = range.start + range.len() / 2;
            waiting.extend([middle..range.end, range.start..middle]);
        } else {
            calls.push((range, request));
        }
    }
    let is_alone = calls.len() == 1;
    let parts = calls.into_iter().map(async |(keys, request)| Part {
        keys,
        outcome: match request {
            Err(error) => Err(error),
            // Who waits for the batch has a limit of their own.
            Ok(request) if is_alone => sources.client.exchange(request).await,
            Ok(request) => sources.client.call(request, timeout).await,
        },
    });
    join_all(parts).await
}

fn panicked() -> Parts {
    let outcome = Err(FetchError::Panicked);
    let keys = 0..usize::MAX;
    Arc::new([Part { keys, outcome }])
}

/// So many calls of other operations make keys gather.
const TOGETHER: usize = 1;

/// Keys of several operations that a batch without a bound takes.
const ROOM: usize = 1_000;

/// Waiting longer would cost more than a call of one's own saves.
const GATHERING: Duration = Duration::from_millis(100);

/// Of what a call may take, one part in so many may be spent on gathering.
const SHARE: u32 = 10;
