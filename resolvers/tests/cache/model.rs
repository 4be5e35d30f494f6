//! Random schedules against a model of the cache: no value is returned past its lifetime, after its
//! invalidation, or to another caller.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use resolvers::cache::{
    Cache, CachedValue, Claim, Clock, Hit, LookupOutcome, LookupRequest, Moment, Reuse, Tag,
};

use crate::server::Server;
use crate::support::*;

/// One event of a schedule.
#[derive(Clone, Debug)]
enum Step {
    /// A lookup; a miss is fetched and stored at once.
    Read(Read),
    /// A lookup; a miss begins a fetch that ends later.
    Begin(Read),
    /// A fetch in flight ends: with a value, with an error, or cancelled.
    Finish(usize, End),
    /// The data changes without an invalidation.
    Change(usize),
    /// An invalidation.
    Invalidate {
        cache: usize,
        name: usize,
        whole_type: bool,
    },
    /// The clock advances by seconds.
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
struct Read {
    cache: usize,
    name: usize,
    caller: usize,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Stored,
    Failed,
    Cancelled,
}

/// The expected state.
struct Model {
    caches: Vec<Cache>,
    clock: Clock,
    prefix: String,
    /// The current version of each name.
    versions: [u64; NAMES],
    /// The minimum version that each cache may return, by name.
    floors: Vec<[u64; NAMES]>,
    /// When the value of each fetch was stored.
    stored_at: BTreeMap<u64, Moment>,
    fetches: u64,
    in_flight: Vec<(Claim, Read, u64, u64)>,
    invalidations: u64,
}

impl Model {
    fn new(caches: Vec<Cache>, clock: Clock) -> Self {
        let floors = vec![[0; NAMES]; caches.len()];
        Self {
            caches,
            clock,
            prefix: fastrand::u64(..).to_string(),
            versions: [0; NAMES],
            floors,
            stored_at: BTreeMap::new(),
            fetches: 0,
            in_flight: Vec::new(),
            invalidations: 0,
        }
    }

    async fn run(&mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        for step in steps {
            self.step(step.clone()).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Read(read) => {
                if let Some(claim) = self.lookup(read).await? {
                    let (version, fetch) = self.fetch(read);
                    self.store(claim, read, (version, fetch));
                }
            }
            Step::Begin(read) => {
                if let Some(claim) = self.lookup(read).await? {
                    let (version, fetch) = self.fetch(read);
                    self.in_flight.push((claim, read, version, fetch));
                }
            }
            Step::Finish(which, end) if !self.in_flight.is_empty() => {
                let (claim, read, version, fetch) =
                    self.in_flight.swap_remove(which % self.in_flight.len());
                match end {
                    End::Stored => self.store(claim, read, (version, fetch)),
                    End::Failed => claim.fail(),
                    End::Cancelled => drop(claim),
                }
            }
            Step::Finish(..) => {}
            Step::Change(name) => self.versions[name] += 1,
            Step::Invalidate {
                cache,
                name,
                whole_type,
            } => {
                self.invalidate(cache % self.caches.len(), name, whole_type)
                    .await;
            }
            Step::Pass(seconds) => self.clock.advance(Duration::from_secs(seconds)),
        }
        Ok(())
    }

    async fn lookup(&self, read: Read) -> Result<Option<Claim>, TestCaseError> {
        let cache = read.cache % self.caches.len();
        match lookup_one(&self.caches[cache], self.request(read)).await {
            LookupOutcome::Fresh(hit) => self.check(&hit, read, FRESH)?,
            LookupOutcome::Stale(hit, _) => {
                self.check(&hit, read, FRESH + STALE_WHILE_REVALIDATE)?;
            }
            LookupOutcome::Miss(claim) => {
                if let Some(hit) = claim.stale_fallback() {
                    self.check(hit, read, FRESH + STALE_IF_ERROR)?;
                }
                return Ok(Some(claim));
            }
            LookupOutcome::Negative(_) => prop_assert!(false, "no value is stored as absent"),
            // The fetch is in flight in this schedule.
            LookupOutcome::InFlight(_) => {}
        }
        Ok(None)
    }

    fn check(&self, hit: &Hit, read: Read, allowed: u64) -> Result<(), TestCaseError> {
        let CachedValue::Present(body) = &hit.entry().value else {
            return Err(TestCaseError::fail("no body"));
        };
        let text = String::from_utf8_lossy(body);
        let parts: Vec<u64> = text.split(' ').map(|part| part.parse().unwrap()).collect();
        let [name, caller, version, fetch] = parts[..] else {
            panic!("{text}")
        };
        prop_assert_eq!(name, read.name as u64);
        if is_private(read.name) {
            prop_assert_eq!(caller, read.caller as u64, "a value of another caller");
        }
        let floor = self.floors[read.cache % self.caches.len()][read.name];
        prop_assert!(version >= floor, "{} was invalidated: {}", text, floor);
        let age = self.clock.now().since(self.stored_at[&fetch]);
        prop_assert!(
            age < Duration::from_secs(allowed),
            "{} is {:?} old",
            text,
            age
        );
        Ok(())
    }

    fn fetch(&mut self, read: Read) -> (u64, u64) {
        self.fetches += 1;
        (self.versions[read.name], self.fetches)
    }

    fn store(&mut self, claim: Claim, read: Read, (version, fetch): (u64, u64)) {
        let text = format!("{} {} {version} {fetch}", read.name, read.caller);
        let lifetime = lifetime(FRESH, STALE_WHILE_REVALIDATE, STALE_IF_ERROR);
        let reuse = if is_private(read.name) {
            Reuse::PerCaller(lifetime)
        } else {
            Reuse::Shared(lifetime)
        };
        self.stored_at.insert(fetch, self.clock.now());
        claim.store(&body(&text), reuse);
    }

    /// Invalidates in one cache, and waits until all have received it.
    async fn invalidate(&mut self, cache: usize, name: usize, whole_type: bool) {
        let tag = if whole_type {
            self.type_tag()
        } else {
            self.tag(name)
        };
        self.caches[cache].invalidate(&[tag]).await;
        self.invalidations += 1;
        if self.caches.len() > 1 {
            for cache in &self.caches {
                until(|| async { cache.counts().invalidations_received >= self.invalidations })
                    .await;
            }
        }
        for floors in &mut self.floors {
            for (other, floor) in floors.iter_mut().enumerate() {
                if whole_type || other == name {
                    *floor = self.versions[other];
                }
            }
        }
    }

    fn request(&self, read: Read) -> LookupRequest {
        let name = format!("{} {}", self.prefix, read.name);
        let request = if is_private(read.name) {
            product_for(&name, &read.caller.to_string())
        } else {
            product(&name)
        };
        LookupRequest {
            tags: vec![self.type_tag(), self.tag(read.name)].into(),
            ..request
        }
    }

    fn type_tag(&self) -> Tag {
        Tag::type_name(&self.prefix)
    }

    fn tag(&self, name: usize) -> Tag {
        Tag::entity(&self.prefix, &name.to_string())
    }
}

#[test]
fn one_cache_returns_fresh_valid_values_in_any_schedule() {
    let runtime = runtime();
    let outcome = TestRunner::new(ProptestConfig::with_cases(400)).run(&steps(60), |steps| {
        runtime.block_on(async {
            let clock = clock();
            Model::new(vec![start(settings(&clock))], clock)
                .run(&steps)
                .await
        })
    });
    outcome.unwrap();
}

#[test]
fn two_caches_on_one_redis_return_fresh_valid_values_in_any_schedule() {
    let runtime = runtime();
    let Some(server) = runtime.block_on(Server::start()) else {
        return;
    };
    let config = ProptestConfig {
        max_shrink_iters: 50,
        ..ProptestConfig::with_cases(40)
    };
    let outcome = TestRunner::new(config).run(&steps(40), |steps| {
        runtime.block_on(async {
            let clock = clock();
            let mut caches = Vec::new();
            for _ in 0..2 {
                let cache = on(&server, &clock).await;
                until(|| async { cache.counts().feed_connects > 0 }).await;
                caches.push(cache);
            }
            Model::new(caches, clock).run(&steps).await
        })
    });
    outcome.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn steps(max_steps: usize) -> impl Strategy<Value = Vec<Step>> {
    let read = || {
        (0..2_usize, 0..NAMES, 0..2_usize).prop_map(|(cache, name, caller)| Read {
            cache,
            name,
            caller,
        })
    };
    let end = prop_oneof![Just(End::Stored), Just(End::Failed), Just(End::Cancelled)];
    let step = prop_oneof![
        6 => read().prop_map(Step::Read),
        3 => read().prop_map(Step::Begin),
        3 => (any::<usize>(), end).prop_map(|(which, end)| Step::Finish(which, end)),
        3 => (0..NAMES).prop_map(Step::Change),
        2 => (0..2_usize, 0..NAMES, any::<bool>()).prop_map(|(cache, name, whole_type)| {
            Step::Invalidate { cache, name, whole_type }
        }),
        2 => (1..15_u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..max_steps)
}

fn is_private(name: usize) -> bool {
    name == 0
}

const NAMES: usize = 3;
const FRESH: u64 = 10;
const STALE_WHILE_REVALIDATE: u64 = 5;
const STALE_IF_ERROR: u64 = 20;
