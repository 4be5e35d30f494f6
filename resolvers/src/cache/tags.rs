//! Tags: names by which cached values are invalidated, a whole group at once.
//!
//! Every tag has a *generation*, a random number. An entry holds the generations that its tags had
//! before its fetch, and is valid only while all of them are unchanged. Invalidating a tag gives it
//! another generation: one write for any number of entries, and a response in flight meanwhile is
//! stored under the old generation, so it is never used. An unknown generation equals none, so a
//! lost one (an eviction, an empty Redis) costs misses, but never returns outdated values.
//!
//! Redis holds the generations for all replicas. Each process holds those that it uses in cells to
//! which its entries point: checking an entry in memory takes a few loads and no lock, and a single
//! one while nothing is invalidated ([`ValidityEpoch`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::{Lifecycle, OptionsBuilder, UnitWeighter};
use schema::key::FieldSet;

use super::key::{hash, hex};

pub(super) mod invalidator;
pub(super) mod target;

/// The hash of a name by which values are invalidated; equal in every process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag([u8; 16]);

impl Tag {
    /// The tag of all values of a subgraph.
    pub fn subgraph(name: &str) -> Self {
        Self::from_names("subgraph", &[name])
    }

    /// The tag of all values with objects of a type.
    pub fn type_name(name: &str) -> Self {
        Self::from_names("type", &[name])
    }

    /// The tag of one entity; `key` is its key as [`super::key::entity_key`] writes it.
    pub fn entity(type_name: &str, key: &str) -> Self {
        Self::from_names("entity", &[type_name, key])
    }

    /// The tag of values that contain unidentified objects of a type, such as lists and root
    /// fields.
    pub fn contains_type(type_name: &str) -> Self {
        Self::from_names("members", &[type_name])
    }

    /// The tag of an entity that was fetched by another key than `fields`, which are a key of its
    /// type too: their values are unknown. Their order does not matter.
    pub fn other_key(type_name: &str, fields: &FieldSet) -> Self {
        Self::from_names("otherwise", &[type_name, &fields.sorted().to_string()])
    }

    /// The tag for a name in `@cacheTag`.
    pub fn named(name: &str) -> Self {
        Self::from_names("tag", &[name])
    }

    /// The tag that every entry has.
    pub fn everything() -> Self {
        Self::from_names("everything", &[])
    }

    pub(super) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn from_names(kind: &str, names: &[&str]) -> Self {
        let mut text = kind.to_owned();
        for name in names {
            // GraphQL names and canonical JSON contain no zero byte; the length delimits other
            // names.
            text.push('\0');
            text.push_str(&name.len().to_string());
            text.push('\0');
            text.push_str(name);
        }
        let mut short = [0; 16];
        short.copy_from_slice(hash(text.as_bytes()).first_chunk().unwrap_or(&[0; 16]));
        Self(short)
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = [0; 32];
        f.write_str(hex(&self.0, &mut text))
    }
}

/// The state of a tag between two invalidations; random, so no two are equal.
pub(super) type Generation = u64;

/// A new generation.
pub(super) fn new_generation() -> Generation {
    fastrand::u64(RETIRED + 1..PENDING)
}

/// The generation of one tag, as this process knows it.
#[derive(Debug)]
pub(super) struct GenerationCell(AtomicU64);

impl GenerationCell {
    pub(super) fn load(&self) -> Generation {
        self.0.load(Ordering::Acquire)
    }

    /// Sets a generation, unless the tag was invalidated since `before` was loaded.
    fn adopt(&self, before: Generation, found: Generation) {
        if before == RETIRED || is_pending(before) {
            return;
        }
        let _ = self
            .0
            .compare_exchange(before, found, Ordering::AcqRel, Ordering::Acquire);
    }

    /// The generation; a new one if none is known.
    pub(super) fn load_or_init(&self) -> Generation {
        self.adopt(UNKNOWN, new_generation());
        self.load()
    }

    /// Applies an invalidation of another replica; a pending one of this process stays.
    fn replace(&self, generation: Generation) {
        let _ = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| {
                (old != RETIRED && !is_pending(old)).then_some(generation)
            });
    }
}

/// Whether a number from Redis can be a generation.
pub(super) fn is_generation(number: u64) -> bool {
    (RETIRED + 1..PENDING).contains(&number)
}

/// Whether the invalidation that set this generation is not in Redis yet.
pub(super) fn is_pending(generation: Generation) -> bool {
    generation & PENDING != 0
}

/// A number that changes whenever a generation changes that an entry may have. An entry that was
/// valid at an epoch is valid for as long as the epoch lasts.
#[derive(Clone, Debug)]
pub(super) struct ValidityEpoch(Arc<AtomicU64>);

impl ValidityEpoch {
    fn new() -> Self {
        // No entry was checked at epoch 0.
        Self(Arc::new(AtomicU64::new(1)))
    }

    /// The current epoch. Load it before the generations: they are at least as new then.
    pub(super) fn load(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Ends the epoch, after a generation was changed.
    fn bump(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// A tag of an entry, with the generation for which the entry is valid.
#[derive(Clone, Debug)]
pub(super) struct TagGuard {
    pub(super) tag: Tag,
    pub(super) cell: Arc<GenerationCell>,
    pub(super) generation: Generation,
}

impl TagGuard {
    pub(super) fn is_valid(&self) -> bool {
        self.cell.load() == self.generation
    }
}

/// The generation cells of this process. Bounded: an evicted cell is retired first, which
/// invalidates the entries that still point to it.
#[derive(Debug)]
pub(super) struct Generations {
    cells: quick_cache::sync::Cache<
        Tag,
        Arc<GenerationCell>,
        UnitWeighter,
        foldhash::fast::RandomState,
        RetireOnEviction,
    >,
    /// Number of invalidations of tags that have a cell here.
    invalidation_epoch: AtomicU64,
    validity_epoch: ValidityEpoch,
}

impl Generations {
    #[expect(clippy::expect_used, reason = "both sizes are set")]
    pub(super) fn new(capacity: usize) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(capacity)
            .weight_capacity(capacity as u64)
            .hot_allocation(HOT_FRACTION)
            .build()
            .expect("both sizes are set");
        let validity_epoch = ValidityEpoch::new();
        Self {
            cells: quick_cache::sync::Cache::with_options(
                options,
                UnitWeighter,
                foldhash::fast::RandomState::default(),
                RetireOnEviction(validity_epoch.clone()),
            ),
            invalidation_epoch: AtomicU64::new(0),
            validity_epoch,
        }
    }

    /// A number that grows with every invalidation of a tag that has a cell here.
    pub(super) fn invalidation_epoch(&self) -> u64 {
        self.invalidation_epoch.load(Ordering::Acquire)
    }

    /// The number that changes whenever an entry may have become invalid.
    pub(super) fn validity_epoch(&self) -> u64 {
        self.validity_epoch.load()
    }

    fn bump_invalidation_epoch(&self) {
        self.validity_epoch.bump();
        self.invalidation_epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Adopts a generation from Redis, unless the tag was invalidated since `before` was loaded.
    pub(super) fn adopt(&self, cell: &GenerationCell, before: Generation, found: Generation) {
        cell.adopt(before, found);
        // No entry has an unknown generation.
        if before != UNKNOWN && before != found {
            self.validity_epoch.bump();
        }
    }

    /// The cell of `tag`, created if there is none.
    pub(super) fn cell(&self, tag: Tag) -> Arc<GenerationCell> {
        let cell = self.cells.get_or_insert_with(&tag, || {
            Ok::<_, std::convert::Infallible>(Arc::new(GenerationCell(AtomicU64::new(UNKNOWN))))
        });
        match cell {
            Ok(cell) => cell,
            Err(never) => match never {},
        }
    }

    /// Applies an invalidation of another replica; costs nothing if no entry has the tag.
    pub(super) fn replace(&self, tag: Tag, generation: Generation) {
        if let Some(cell) = self.cells.peek(&tag) {
            cell.replace(generation);
            self.bump_invalidation_epoch();
        }
    }

    /// Invalidates `tag` and marks it as pending until [`Self::confirm`].
    pub(super) fn suspend(&self, tag: Tag) {
        self.cell(tag)
            .0
            .store(new_generation() | PENDING, Ordering::Release);
        self.bump_invalidation_epoch();
    }

    /// Invalidates every entry until it is confirmed, which covers all pending single tags.
    pub(super) fn suspend_everything(&self) {
        self.suspend(Tag::everything());
        for (tag, cell) in self.cells.iter() {
            if tag != Tag::everything() && is_pending(cell.load()) {
                cell.0.store(UNKNOWN, Ordering::Release);
            }
        }
    }

    /// Sets the generation that Redis has now; the tag is no longer pending.
    pub(super) fn confirm(&self, tag: Tag, generation: Generation) {
        if let Some(cell) = self.cells.peek(&tag) {
            cell.0.store(generation, Ordering::Release);
            self.validity_epoch.bump();
        }
    }

    /// Discards all known generations except pending ones.
    pub(super) fn reset(&self) {
        for (_, cell) in self.cells.iter() {
            cell.replace(UNKNOWN);
        }
        self.bump_invalidation_epoch();
    }
}

/// Retires a cell on eviction, and pins pending cells.
#[derive(Clone, Debug)]
struct RetireOnEviction(ValidityEpoch);

impl Lifecycle<Tag, Arc<GenerationCell>> for RetireOnEviction {
    type RequestState = ();

    fn is_pinned(&self, _: &Tag, cell: &Arc<GenerationCell>) -> bool {
        is_pending(cell.load())
    }

    fn on_evict(&self, (): &mut (), _: Tag, cell: Arc<GenerationCell>) {
        cell.0.store(RETIRED, Ordering::Release);
        self.0.bump();
    }
}

/// Fraction of the cells reserved for tags that are used repeatedly. The rest must hold the tags of
/// all fetches in flight: a value whose cell is evicted before it is stored is lost.
const HOT_FRACTION: f64 = 0.5;

/// Generation of a tag that has not been read yet.
pub(super) const UNKNOWN: Generation = 0;

/// Generation of an evicted cell, which no longer receives invalidations.
const RETIRED: Generation = 1;

/// Bit in the generation of a tag that was invalidated here but not yet in Redis.
const PENDING: Generation = 1 << 63;

#[cfg(test)]
mod tests;
