//! Random schedules against a model: nothing is given out for longer than it may be, nor after it
//! was invalidated, nor to another than its caller.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use resolvers::cache::{
    Cache, CachedValue, Claim, Clock, Hit, LookupOutcome, LookupRequest, Moment, Reuse, Tag,
};

use crate::server::Server;
use crate::support::*;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody asks, and has it fetched and kept if it is missing.
    Read(Asked),
    /// Somebody asks, and the fetch takes its time.
    Begin(Asked),
    /// One of the fetches under way ends: with a value, without, or it is cancelled.
    Finish(usize, End),
    /// The data changes, and nobody says so.
    Change(usize),
    /// Somebody says so.
    Invalidate {
        cache: usize,
        name: usize,
        whole_type: bool,
    },
    /// Time passes.
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    cache: usize,
    name: usize,
    caller: usize,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Kept,
    Failed,
    Cancelled,
}

/// What is true, and what was given to the caches.
struct Model {
    caches: Vec<Cache>,
    clock: Clock,
    prefix: String,
    /// By name.
    versions: [u64; NAMES],
    /// By cache and name: nothing older may be seen there.
    floors: Vec<[u64; NAMES]>,
    /// When each fetch was kept.
    kept: BTreeMap<u64, Moment>,
    fetches: u64,
    under_way: Vec<(Claim, Asked, u64, u64)>,
    said: u64,
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
            kept: BTreeMap::new(),
            fetches: 0,
            under_way: Vec::new(),
            said: 0,
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
            Step::Read(asked) => {
                if let Some(claim) = self.ask(asked).await? {
                    let (version, fetch) = self.fetch(asked);
                    self.keep(claim, asked, (version, fetch));
                }
            }
            Step::Begin(asked) => {
                if let Some(claim) = self.ask(asked).await? {
                    let (version, fetch) = self.fetch(asked);
                    self.under_way.push((claim, asked, version, fetch));
                }
            }
            Step::Finish(which, end) if !self.under_way.is_empty() => {
                let (claim, asked, version, fetch) =
                    self.under_way.swap_remove(which % self.under_way.len());
                match end {
                    End::Kept => self.keep(claim, asked, (version, fetch)),
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

    async fn ask(&self, asked: Asked) -> Result<Option<Claim>, TestCaseError> {
        let cache = asked.cache % self.caches.len();
        match lookup_one(&self.caches[cache], self.wanted(asked)).await {
            LookupOutcome::Fresh(hit) => self.judge(&hit, asked, FRESH)?,
            LookupOutcome::Stale(hit, _) => self.judge(&hit, asked, FRESH + STALE)?,
            LookupOutcome::Miss(claim) => {
                if let Some(hit) = claim.stale_fallback() {
                    self.judge(hit, asked, FRESH + ON_ERROR)?;
                }
                return Ok(Some(claim));
            }
            LookupOutcome::Negative(_) => prop_assert!(false, "nothing is said not to exist"),
            // Its fetch is under way in this very schedule.
            LookupOutcome::InFlight(_) => {}
        }
        Ok(None)
    }

    fn judge(&self, hit: &Hit, asked: Asked, allowed: u64) -> Result<(), TestCaseError> {
        let CachedValue::Present(body) = &hit.entry().value else {
            return Err(TestCaseError::fail("no body"));
        };
        let text = String::from_utf8_lossy(body);
        let parts: Vec<u64> = text.split(' ').map(|part| part.parse().unwrap()).collect();
        let [name, caller, version, fetch] = parts[..] else {
            panic!("{text}")
        };
        prop_assert_eq!(name, asked.name as u64);
        if is_private(asked.name) {
            prop_assert_eq!(caller, asked.caller as u64, "another's data");
        }
        let floor = self.floors[asked.cache % self.caches.len()][asked.name];
        prop_assert!(version >= floor, "{} was invalidated: {}", text, floor);
        let age = self.clock.now().since(self.kept[&fetch]);
        prop_assert!(
            age < Duration::from_secs(allowed),
            "{} is {:?} old",
            text,
            age
        );
        Ok(())
    }

    fn fetch(&mut self, asked: Asked) -> (u64, u64) {
        self.fetches += 1;
        (self.versions[asked.name], self.fetches)
    }

    fn keep(&mut self, claim: Claim, asked: Asked, (version, fetch): (u64, u64)) {
        let text = format!("{} {} {version} {fetch}", asked.name, asked.caller);
        let lifetime = lifetime(FRESH, STALE, ON_ERROR);
        let reuse = if is_private(asked.name) {
            Reuse::PerCaller(lifetime)
        } else {
            Reuse::Shared(lifetime)
        };
        self.kept.insert(fetch, self.clock.now());
        claim.store(&body(&text), reuse);
    }

    /// Everybody has heard of it before anything else happens.
    async fn invalidate(&mut self, cache: usize, name: usize, whole_type: bool) {
        let tag = if whole_type {
            self.type_tag()
        } else {
            self.tag(name)
        };
        self.caches[cache].invalidate(&[tag]).await;
        self.said += 1;
        if self.caches.len() > 1 {
            for cache in &self.caches {
                until(|| async { cache.counts().invalidations_received >= self.said }).await;
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

    fn wanted(&self, asked: Asked) -> LookupRequest {
        let name = format!("{} {}", self.prefix, asked.name);
        let wanted = if is_private(asked.name) {
            product_for(&name, &asked.caller.to_string())
        } else {
            product(&name)
        };
        LookupRequest {
            tags: vec![self.type_tag(), self.tag(asked.name)].into(),
            ..wanted
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
fn one_cache_keeps_its_promises() {
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
fn two_caches_on_one_redis_keep_their_promises() {
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

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let asked = || {
        (0..2_usize, 0..NAMES, 0..2_usize).prop_map(|(cache, name, caller)| Asked {
            cache,
            name,
            caller,
        })
    };
    let end = prop_oneof![Just(End::Kept), Just(End::Failed), Just(End::Cancelled)];
    let step = prop_oneof![
        6 => asked().prop_map(Step::Read),
        3 => asked().prop_map(Step::Begin),
        3 => (any::<usize>(), end).prop_map(|(which, end)| Step::Finish(which, end)),
        3 => (0..NAMES).prop_map(Step::Change),
        2 => (0..2_usize, 0..NAMES, any::<bool>()).prop_map(|(cache, name, whole_type)| {
            Step::Invalidate { cache, name, whole_type }
        }),
        2 => (1..15_u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..most)
}

fn is_private(name: usize) -> bool {
    name == 0
}

const NAMES: usize = 3;
const FRESH: u64 = 10;
const STALE: u64 = 5;
const ON_ERROR: u64 = 20;
