//! Names to invalidate by, and how a whole group is invalidated at once.
//!
//! Every tag has a *generation*, a random number. An entry holds the generations that its tags had
//! before it was fetched, and is good only while all of them are still the same. To invalidate a
//! tag is to give it another generation: one write, however many entries have the tag, and an
//! answer that was under way meanwhile is kept under the old one, so it is never used. A generation
//! that nobody knows equals none, so losing one (an eviction, an empty Redis) costs misses, and
//! never gives out what is no longer true.
//!
//! Redis holds the generations for all. Each process holds those it met in cells that its entries
//! point to: checking an entry in memory is a few loads, and takes no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::{Lifecycle, OptionsBuilder, UnitWeighter};
use schema::key::FieldSet;

use super::key::{hash, hex};

pub(super) mod invalidator;
pub(super) mod target;

/// A name to invalidate by; the same for equal names in every process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag([u8; 16]);

impl Tag {
    /// Everything of one subgraph.
    pub fn subgraph(name: &str) -> Self {
        Self::from_names("subgraph", &[name])
    }

    /// Everything of one type.
    pub fn type_name(name: &str) -> Self {
        Self::from_names("type", &[name])
    }

    /// One entity; `key` is JSON of its key values, as [`super::key::entity_key`] writes it.
    pub fn entity(type_name: &str, key: &str) -> Self {
        Self::from_names("entity", &[type_name, key])
    }

    /// Some objects of a type of which nobody knows which: what lists and root fields have inside.
    pub fn contains_type(type_name: &str) -> Self {
        Self::from_names("members", &[type_name])
    }

    /// One entity that was found by other fields than `fields`, which are a key of its type too:
    /// nobody knows what values they have. Their order does not matter.
    pub fn other_key(type_name: &str, fields: &FieldSet) -> Self {
        Self::from_names("otherwise", &[type_name, &fields.sorted().to_string()])
    }

    /// A name that the graph gives with `@cacheTag`.
    pub fn named(name: &str) -> Self {
        Self::from_names("tag", &[name])
    }

    /// Everything there is; every entry has this tag.
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
            // Neither names of GraphQL nor canonical JSON contain a zero byte; of other names the
            // length says where they end.
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

/// Between two invalidations of a tag; random, so no two are equal.
pub(super) type Generation = u64;

/// A generation that none had before.
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

    /// Takes over what Redis says, unless the tag was invalidated since `before` was loaded.
    pub(super) fn adopt(&self, before: Generation, found: Generation) {
        if before == RETIRED || is_pending(before) {
            return;
        }
        let _ = self
            .0
            .compare_exchange(before, found, Ordering::AcqRel, Ordering::Acquire);
    }

    /// The generation, or a new one where none is known.
    pub(super) fn load_or_init(&self) -> Generation {
        self.adopt(UNKNOWN, new_generation());
        self.load()
    }

    /// Another replica's invalidation; our own that Redis does not know of yet stays.
    fn replace(&self, generation: Generation) {
        let _ = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| {
                (old != RETIRED && !is_pending(old)).then_some(generation)
            });
    }
}

/// Whether a number found in Redis can be a generation.
pub(super) fn is_generation(number: u64) -> bool {
    (RETIRED + 1..PENDING).contains(&number)
}

/// Whether Redis does not know yet that the tag was invalidated here.
pub(super) fn is_pending(generation: Generation) -> bool {
    generation & PENDING != 0
}

/// The tag of an entry with the generation that it is good for.
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

/// The cells of this process. Bounded: a cell that is dropped is retired first, so that entries
/// that still point to it are no longer good.
#[derive(Debug)]
pub(super) struct Generations {
    cells: quick_cache::sync::Cache<
        Tag,
        Arc<GenerationCell>,
        UnitWeighter,
        foldhash::fast::RandomState,
        RetireOnEviction,
    >,
    /// How often something was said to be invalid that somebody has here, or is fetching.
    invalidation_epoch: AtomicU64,
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
        Self {
            cells: quick_cache::sync::Cache::with_options(
                options,
                UnitWeighter,
                foldhash::fast::RandomState::default(),
                RetireOnEviction,
            ),
            invalidation_epoch: AtomicU64::new(0),
        }
    }

    /// Grows with each invalidation that matters here.
    pub(super) fn invalidation_epoch(&self) -> u64 {
        self.invalidation_epoch.load(Ordering::Acquire)
    }

    fn bump_invalidation_epoch(&self) {
        self.invalidation_epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// The cell of `tag`, which is made when there is none.
    pub(super) fn cell(&self, tag: Tag) -> Arc<GenerationCell> {
        let cell = self.cells.get_or_insert_with(&tag, || {
            Ok::<_, std::convert::Infallible>(Arc::new(GenerationCell(AtomicU64::new(UNKNOWN))))
        });
        match cell {
            Ok(cell) => cell,
            Err(never) => match never {},
        }
    }

    /// Says that `tag` is invalid as another replica says it is; costs nothing where no entry has it.
    pub(super) fn replace(&self, tag: Tag, generation: Generation) {
        if let Some(cell) = self.cells.peek(&tag) {
            cell.replace(generation);
            self.bump_invalidation_epoch();
        }
    }

    /// Says that `tag` is invalid until [`Self::confirm`] tells what Redis says of it.
    pub(super) fn suspend(&self, tag: Tag) {
        self.cell(tag)
            .0
            .store(new_generation() | PENDING, Ordering::Release);
        self.bump_invalidation_epoch();
    }

    /// The same for everything; what was said of single tags is then said.
    pub(super) fn suspend_everything(&self) {
        self.suspend(Tag::everything());
        for (tag, cell) in self.cells.iter() {
            if tag != Tag::everything() && is_pending(cell.load()) {
                cell.0.store(UNKNOWN, Ordering::Release);
            }
        }
    }

    /// Redis has the new generation.
    pub(super) fn confirm(&self, tag: Tag, generation: Generation) {
        if let Some(cell) = self.cells.peek(&tag) {
            cell.0.store(generation, Ordering::Release);
        }
    }

    /// Forgets what is known; our own invalidations that Redis does not know of stay.
    pub(super) fn reset(&self) {
        for (_, cell) in self.cells.iter() {
            cell.replace(UNKNOWN);
        }
        self.bump_invalidation_epoch();
    }
}

/// Makes a cell useless before it is dropped, and keeps those that Redis must still be told of.
#[derive(Clone, Debug)]
struct RetireOnEviction;

impl Lifecycle<Tag, Arc<GenerationCell>> for RetireOnEviction {
    type RequestState = ();

    fn is_pinned(&self, _: &Tag, cell: &Arc<GenerationCell>) -> bool {
        is_pending(cell.load())
    }

    fn on_evict(&self, (): &mut (), _: Tag, cell: Arc<GenerationCell>) {
        cell.0.store(RETIRED, Ordering::Release);
    }
}

/// The part of the cells that is for tags which were asked for again. The rest must hold those of
/// all fetches that are under way: what a fetch brings is not kept once one of its cells is gone.
const HOT_FRACTION: f64 = 0.5;

/// Nobody has asked yet.
pub(super) const UNKNOWN: Generation = 0;

/// The cell is no longer told of invalidations.
const RETIRED: Generation = 1;

/// Set in the generation of a tag that was invalidated here, and not yet in Redis.
const PENDING: Generation = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(generations: &Generations, tag: Tag) -> TagGuard {
        let cell = generations.cell(tag);
        let generation = cell.load_or_init();
        TagGuard {
            tag,
            cell,
            generation,
        }
    }

    #[test]
    fn an_invalidated_tag_invalidates_cached_and_in_flight_entries() {
        let generations = Generations::new(10);
        let red = guard(&generations, Tag::named("red"));
        let blue = guard(&generations, Tag::named("blue"));
        generations.replace(red.tag, new_generation());
        assert!(!red.is_valid());
        assert!(blue.is_valid());
    }

    #[test]
    fn the_tags_of_one_fetch_last_until_it_ends() {
        let generations = Generations::new(1000);
        for name in (0..5000).chain(4000..5000) {
            guard(&generations, Tag::named(&name.to_string()));
        }
        let in_flight: Vec<TagGuard> = (5000..5100)
            .map(|name| guard(&generations, Tag::named(&name.to_string())))
            .collect();
        assert_eq!(
            in_flight.iter().filter(|guard| guard.is_valid()).count(),
            100
        );
    }

    #[test]
    fn a_late_redis_reply_does_not_undo_an_invalidation() {
        let generations = Generations::new(10);
        let tag = Tag::named("red");
        let cell = generations.cell(tag);
        let before = cell.load();
        generations.replace(tag, 77);
        cell.adopt(before, 66);
        assert_eq!(cell.load(), 77);
    }

    #[test]
    fn a_pending_invalidation_outlasts_generations_from_redis() {
        let generations = Generations::new(10);
        let tag = Tag::named("red");
        let old = guard(&generations, tag);
        generations.suspend(tag);
        let cell = generations.cell(tag);
        cell.adopt(cell.load(), old.generation);
        generations.replace(tag, old.generation);
        generations.reset();
        assert!(!old.is_valid());
        generations.confirm(tag, 55);
        assert_eq!(cell.load(), 55);
    }

    #[test]
    fn an_evicted_cell_invalidates_its_entries() {
        let generations = Generations::new(8);
        let guards: Vec<TagGuard> = (0..1000)
            .map(|number| guard(&generations, Tag::named(&number.to_string())))
            .collect();
        let (good, gone): (Vec<&TagGuard>, Vec<&TagGuard>) =
            guards.iter().partition(|guard| guard.is_valid());
        assert!((1..=8).contains(&good.len()), "{}", good.len());
        for guard in gone {
            guard.cell.adopt(guard.cell.load(), guard.generation);
            assert!(!guard.is_valid());
        }
        for guard in good {
            generations.replace(guard.tag, new_generation());
            assert!(!guard.is_valid());
        }
    }

    #[test]
    fn names_of_different_kinds_are_different() {
        let all = [
            Tag::named("a"),
            Tag::type_name("a"),
            Tag::subgraph("a"),
            Tag::entity("a", ""),
            Tag::entity("", "a"),
            Tag::contains_type("a"),
            Tag::other_key("a", &FieldSet::default()),
            Tag::everything(),
        ];
        for (index, tag) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(tag));
        }
    }
}
