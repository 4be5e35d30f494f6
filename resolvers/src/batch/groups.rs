//! Batches of connectors with `$batch`: keys of concurrent operations in common calls.
//!
//! A group is a connector with all that its requests depend on except the keys. While no other
//! operation has a call of the group in flight, keys are sent at once; else they gather until such
//! a call ends, the batch is full, or the maximum gather time has passed. A key that is in flight
//! already is joined.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashTable;
use http::HeaderMap;
use schema::source::SourceId;
use tokio::sync::Notify;

use self::run::{BatchRun, panicked};
pub(crate) use self::slot::BatchSlot;
pub(crate) use super::keys::RequestedKeys;
use super::keys::{BatchKeys, KeyPositions};
use super::shared_call::{CallWaiter, SharedCall};
use super::{Loader, MAX_KEYS, MAX_PER_SHARD, identity, shard};
use crate::entity_key::EntityKey;
use crate::source_client::call_gate::SendClock;
use crate::source_client::connector::ConnectorClient;
use crate::source_client::shared_response::CallResult;

mod run;
mod slot;

/// Everything that the request of a batch depends on, except its keys.
#[derive(Debug)]
pub(crate) struct BatchSpec {
    source: SourceId,
    /// The client headers that the request depends on.
    headers: HeaderMap,
    /// Maximum number of keys in one call.
    max_keys: Option<usize>,
}

impl BatchSpec {
    /// The batch spec of the connector of `source` for a client with these headers.
    pub(crate) fn new(
        source: SourceId,
        connector_client: &ConnectorClient,
        client_headers: &HeaderMap,
        max_keys: Option<usize>,
    ) -> Self {
        Self {
            source,
            headers: identity::select_headers(
                client_headers,
                connector_client.vary_headers.as_deref(),
            ),
            max_keys,
        }
    }

    fn identity(&self) -> Vec<u8> {
        let mut text = self.source.index().to_le_bytes().to_vec();
        identity::write_headers(&self.headers, &mut text);
        text
    }
}

/// One call of a batch and its result.
#[derive(Clone, Debug)]
pub(crate) struct BatchCall {
    /// The positions of its keys in the batch.
    pub(crate) keys: Range<usize>,
    batch: Arc<BatchKeys>,
    pub(crate) outcome: CallResult,
}

impl BatchCall {
    /// The keys of the call, those of all operations.
    pub(crate) fn requested_keys(&self) -> impl ExactSizeIterator<Item = EntityKey<'_>> {
        let positions = self.keys.start..self.keys.end.min(self.batch.len());
        positions.map(|position| EntityKey(self.batch.key(position)))
    }
}

/// All calls of a batch, in the order of their keys.
pub(crate) type BatchCalls = Arc<[BatchCall]>;

/// A batch that an operation waits for.
pub(crate) struct PendingBatch {
    pub(crate) waiter: CallWaiter<BatchCalls>,
    /// Indices of the operation's keys with their positions in the batch.
    pub(crate) keys: Vec<(usize, usize)>,
    batch_id: u64,
}

/// The batches of one group that are gathering or in flight.
#[derive(Debug)]
pub(super) struct Group {
    identity: Box<[u8]>,
    hash: u64,
    id: u64,
    spec: Arc<BatchSpec>,
    batches: Vec<Batch>,
}

#[derive(Debug)]
struct Batch {
    id: u64,
    /// The operation that opened the batch.
    operation_id: u64,
    keys: Arc<BatchKeys>,
    positions: KeyPositions,
    /// `None` for a call that cannot be joined.
    shared_call: Option<Arc<SharedCall<BatchCalls>>>,
    start_signal: Arc<Notify>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Gathering,
    /// Accepts no further keys; about to be sent.
    Full,
    /// Sent at this write epoch.
    InFlight(u64),
}

impl Loader {
    /// Adds each of `keys` to a batch; `None` if the limit of keys or groups is reached and the
    /// operation must send its own call.
    pub(crate) fn load(
        self: &Arc<Self>,
        spec: BatchSpec,
        operation_id: u64,
        keys: &RequestedKeys<'_>,
    ) -> Option<Vec<PendingBatch>> {
        let identity = spec.identity();
        let hash = self.hash(&identity);
        let mut groups = shard(&self.groups, hash);
        let total_keys = self
            .key_count
            .load(Ordering::Relaxed)
            .saturating_add(keys.identities.len());
        if total_keys > MAX_KEYS {
            return None;
        }
        let group = self.group(&mut groups, hash, &identity, spec)?;
        let mut enqueuer = Enqueuer {
            loader: self,
            write_epoch: self.write_epoch(),
            operation_id,
            group,
            pending: Vec::with_capacity(1),
            new_keys: 0,
        };
        // The only operation of a group has no batch to join, and its own keys are distinct.
        let is_alone = enqueuer.group.batches.is_empty();
        if is_alone
            && enqueuer
                .group
                .spec
                .max_keys
                .is_none_or(|max| keys.identities.len() < max)
        {
            enqueuer.enqueue_all(keys);
        } else {
            for (index, identity) in keys.identities.iter().enumerate() {
                if is_alone || !enqueuer.join_in_flight(index, identity) {
                    enqueuer.enqueue(index, keys);
                }
            }
        }
        self.key_count
            .fetch_add(enqueuer.new_keys, Ordering::Relaxed);
        enqueuer.group.start_gathered(operation_id);
        Some(enqueuer.pending)
    }

    /// Reserves the place of a batch for a call of the operation's own, until the slot is dropped;
    /// `None` if other operations have batches that it could share.
    pub(crate) fn reserve_slot(
        self: &Arc<Self>,
        spec: BatchSpec,
        operation_id: u64,
    ) -> Option<BatchSlot> {
        let identity = spec.identity();
        let hash = self.hash(&identity);
        let mut groups = shard(&self.groups, hash);
        let group = self.group(&mut groups, hash, &identity, spec)?;
        if !group.batches.is_empty() {
            return None;
        }
        let batch_id = self.next_id();
        group.batches.push(Batch {
            id: batch_id,
            operation_id,
            keys: Arc::default(),
            positions: KeyPositions::default(),
            shared_call: None,
            start_signal: Arc::default(),
            stage: Stage::Full,
        });
        Some(BatchSlot {
            loader: Arc::clone(self),
            hash,
            group_id: group.id,
            batch_id,
        })
    }

    /// The group with that identity, created if necessary; `None` if there are too many.
    fn group<'g>(
        &self,
        groups: &'g mut HashTable<Group>,
        hash: u64,
        identity: &[u8],
        spec: BatchSpec,
    ) -> Option<&'g mut Group> {
        let is_new = groups
            .find(hash, |group| *group.identity == *identity)
            .is_none();
        if is_new && groups.len() >= MAX_PER_SHARD {
            return None;
        }
        if is_new {
            let group = Group {
                identity: identity.into(),
                hash,
                id: self.next_id(),
                spec: Arc::new(spec),
                batches: Vec::with_capacity(1),
            };
            groups.insert_unique(hash, group, |group| group.hash);
        }
        groups.find_mut(hash, |group| *group.identity == *identity)
    }
}

/// Adds an operation's keys to the batches of a group.
struct Enqueuer<'g> {
    loader: &'g Arc<Loader>,
    write_epoch: u64,
    operation_id: u64,
    group: &'g mut Group,
    pending: Vec<PendingBatch>,
    /// Number of keys that no other batch had.
    new_keys: usize,
}

impl Enqueuer<'_> {
    /// Joins a batch that has the key already; returns whether there is one.
    fn join_in_flight(&mut self, index: usize, identity: &[u8]) -> bool {
        for batch in &mut self.group.batches {
            let is_outdated =
                matches!(batch.stage, Stage::InFlight(epoch) if epoch != self.write_epoch);
            if !is_outdated
                && let Some(position) = batch.positions.find(&batch.keys, identity)
                && join_batch(&mut self.pending, batch, index, position)
            {
                return true;
            }
        }
        false
    }

    /// Adds all keys to a new batch, which they do not fill.
    fn enqueue_all(&mut self, keys: &RequestedKeys<'_>) {
        let waiter = self.open_batch();
        let Some(batch) = self.group.batches.last_mut() else {
            return; // It was just added.
        };
        let count = keys.identities.len();
        self.new_keys = count;
        self.pending.push(PendingBatch {
            waiter,
            keys: (0..count).map(|index| (index, index)).collect(),
            batch_id: batch.id,
        });
        let all = Arc::make_mut(&mut batch.keys);
        all.reserve(count);
        (0..count).for_each(|index| all.push(keys, index));
    }

    /// Adds the key to a batch that has room, or to a new one.
    fn enqueue(&mut self, index: usize, keys: &RequestedKeys<'_>) {
        let operation_id = self.operation_id;
        let max_keys = self.group.spec.max_keys;
        let gathering = self.group.batches.iter_mut();
        let mut gathering = gathering.filter(|batch| {
            // Without a maximum in the graph, an operation's own keys stay together.
            let has_room = max_keys.is_some()
                || batch.operation_id == operation_id
                || batch.keys.len() < MAX_UNBOUNDED_BATCH_KEYS;
            batch.stage == Stage::Gathering && has_room
        });
        let batch = match gathering.next() {
            Some(batch) if join_batch(&mut self.pending, batch, index, batch.keys.len()) => batch,
            _ => {
                let waiter = self.open_batch();
                let Some(batch) = self.group.batches.last_mut() else {
                    return; // It was just added.
                };
                self.pending.push(PendingBatch {
                    waiter,
                    keys: vec![(index, 0)],
                    batch_id: batch.id,
                });
                batch
            }
        };
        Arc::make_mut(&mut batch.keys).push(keys, index);
        self.new_keys += 1;
        if max_keys.is_some_and(|max| batch.keys.len() >= max.max(1)) {
            batch.stage = Stage::Full;
            batch.start_signal.notify_one();
        }
    }

    fn open_batch(&mut self) -> CallWaiter<BatchCalls> {
        let batch_id = self.loader.next_id();
        let slot = BatchSlot {
            loader: Arc::clone(self.loader),
            hash: self.group.hash,
            group_id: self.group.id,
            batch_id,
        };
        let start_signal = Arc::new(Notify::new());
        let spec = Arc::clone(&self.group.spec);
        // The call to the source is the one that is still to be sent.
        let clock = Arc::new(SendClock::new(1));
        let run = BatchRun {
            slot,
            start_signal: Arc::clone(&start_signal),
            spec,
            clock: Arc::clone(&clock),
        };
        let waiter = SharedCall::start(run.finish(), panicked, clock);
        self.group.batches.push(Batch {
            id: batch_id,
            operation_id: self.operation_id,
            keys: Arc::default(),
            positions: KeyPositions::default(),
            shared_call: Some(Arc::clone(waiter.shared_call())),
            start_signal,
            stage: Stage::Gathering,
        });
        waiter
    }
}

/// Makes an operation wait for a key of a batch; returns whether the batch can be joined.
fn join_batch(
    pending: &mut Vec<PendingBatch>,
    batch: &Batch,
    index: usize,
    position: usize,
) -> bool {
    let existing = pending.iter_mut().find(|known| known.batch_id == batch.id);
    if let Some(known) = existing {
        known.keys.push((index, position));
        return true;
    }
    let Some(waiter) = batch.shared_call.as_ref().and_then(SharedCall::join) else {
        return false;
    };
    pending.push(PendingBatch {
        waiter,
        keys: vec![(index, position)],
        batch_id: batch.id,
    });
    true
}

impl Group {
    /// Starts gathering batches, unless calls of other operations are in flight.
    fn start_gathered(&self, operation_id: u64) {
        let others = self.batches.iter();
        let others = others
            .filter(|batch| batch.operation_id != operation_id && batch.stage != Stage::Gathering);
        if others.count() >= MIN_CALLS_TO_GATHER {
            return;
        }
        let gathering = self.batches.iter();
        for batch in gathering.filter(|batch| batch.stage == Stage::Gathering) {
            batch.start_signal.notify_one();
        }
    }
}

/// Minimum number of calls of other operations in flight for which keys gather.
const MIN_CALLS_TO_GATHER: usize = 1;

/// Maximum number of keys of several operations in a batch whose connector sets no maximum.
const MAX_UNBOUNDED_BATCH_KEYS: usize = 1_000;
