//! Rules of the graph hold on every path: random graphs with hints and tags at random places,
//! random queries of several callers, and invalidations between them, in one process and in two
//! with one Redis. No caller sees a private value of another, no value outlives its hint, and
//! every tag that the graph names ends it.
//!
//! `WEIR_CASES` is the number of schedules; with `WEIR_SEED` only one of them runs.

#![expect(clippy::print_stdout, reason = "how much was tested")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use http::{HeaderMap, HeaderName, HeaderValue};
use resolvers::Engine;
use resolvers::cache::{Cache, Clock, Moment, RedisSettings, RedisTopology, Target};
use resolvers::settings::ResponseCaching;
use serde_json::{Value, json};

use self::graph::RandomGraph;
use self::oracle::Reading;
use self::query::RandomQuery;
use self::service::World;
use crate::caching_service::{caching, in_memory, start_cache};
use crate::federation::Scripted;
use crate::redis_server::Server;
use crate::support::{at_url, execute_with, graph as linked, serve, settings};

mod graph;
mod oracle;
mod query;
mod service;

/// Default number of schedules of all tests.
const CASES: u64 = 1_000;

/// Number of schedules in one process for each with Redis.
const LOCAL: u64 = 9;

/// Number of schedules over one graph.
const SCHEDULES: u64 = 5;

/// Number of steps of a schedule.
const STEPS: usize = 25;

const CALLERS: [&str; 3] = ["ada", "bob", "cy"];

/// The TTL of values without a hint, in seconds.
const DEFAULT_TTL: u64 = 600;

/// What all schedules use: caches, and the services.
struct Fixture {
    clock: Clock,
    world: World,
    caches: Vec<Cache>,
    services: [(&'static str, Scripted); 2],
    rest: String,
}

/// What an invalidation covers, and when it was.
pub(crate) struct Invalidated {
    pub(crate) target: Target,
    pub(crate) at: Moment,
}

/// What the schedules have served.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) values: usize,
    /// Values that were computed before their query.
    pub(crate) hits: usize,
    pub(crate) private_hits: usize,
}

impl Fixture {
    async fn new(server: Option<&Server>) -> Self {
        let clock = Clock::manual(Moment(1_700_000_000_000));
        let world = World::new(&clock);
        let mut caches = Vec::new();
        for _ in 0..if server.is_some() { 2 } else { 1 } {
            let mut cache_settings = in_memory(&clock);
            if let Some(server) = server {
                let topology = RedisTopology::Single(server.address());
                cache_settings.redis = Some(RedisSettings::new(topology));
            }
            let cache = start_cache(cache_settings);
            if server.is_some() {
                assert!(cache.wait_until_connected(Duration::from_secs(10)).await);
                until(|| cache.counts().feed_connects > 0).await;
            }
            caches.push(cache);
        }
        let rest = serve(world.rest()).await;
        let services = ["people", "stock"].map(|name| (name, world.subgraph(name)));
        Self {
            clock,
            world,
            caches,
            services,
            rest,
        }
    }

    /// One engine for each cache.
    fn engines(&self, graph: &RandomGraph, responses: ResponseCaching) -> Vec<Engine> {
        let documents = graph.documents();
        let documents: Vec<(&str, &str)> = documents
            .iter()
            .map(|(name, sdl)| (*name, &**sdl))
            .collect();
        let linked = linked(&documents);
        let engine = |cache: &Cache| {
            let mut settings = settings();
            settings.prepared_operations = NonZeroUsize::new(20).unwrap();
            for (name, service) in &self.services {
                let service = Arc::new(service.clone());
                settings.local.insert((*name).to_owned(), service);
            }
            settings
                .sources
                .insert("rest.api".to_owned(), at_url(&self.rest));
            let mut caching = caching(cache);
            caching.default.default_ttl = Duration::from_secs(DEFAULT_TTL);
            caching.caller_headers = vec![HeaderName::from_static("x-user")];
            caching.responses = responses;
            settings.caching = Some(caching);
            Engine::new(Arc::clone(&linked), settings).unwrap()
        };
        self.caches.iter().map(engine).collect()
    }

    /// Runs one schedule, over empty caches.
    async fn run(&self, seed: u64, graph: &RandomGraph, engines: &[Engine]) -> Tally {
        let mut rng = Rng::with_seed(seed);
        self.clock.advance(Duration::from_hours(24));
        self.invalidate(0, &Target::Everything).await;
        let mut schedule = Schedule {
            fixture: self,
            engines,
            graph,
            queries: (0..3).map(|_| RandomQuery::new(&mut rng)).collect(),
            invalidated: Vec::new(),
            ids: vec!["none".to_owned()],
            tally: Tally::default(),
            seed,
        };
        for _ in 0..STEPS {
            self.clock.advance(Duration::from_millis(1));
            schedule.step(&mut rng).await;
        }
        schedule.tally
    }

    /// Invalidates in one process, and waits until all have received it.
    async fn invalidate(&self, cache: usize, target: &Target) {
        let received = self.received();
        self.caches[cache].invalidate(&target.tags()).await;
        self.until_received(&received).await;
    }

    fn received(&self) -> Vec<u64> {
        let counts = self.caches.iter();
        counts
            .map(|it| it.counts().invalidations_received)
            .collect()
    }

    async fn until_received(&self, before: &[u64]) {
        if self.caches.len() > 1 {
            for (cache, before) in self.caches.iter().zip(before) {
                until(|| cache.counts().invalidations_received > *before).await;
            }
        }
    }
}

struct Schedule<'f> {
    fixture: &'f Fixture,
    engines: &'f [Engine],
    graph: &'f RandomGraph,
    queries: Vec<RandomQuery>,
    invalidated: Vec<Invalidated>,
    /// Keys of things that were served.
    ids: Vec<String>,
    tally: Tally,
    seed: u64,
}

impl Schedule<'_> {
    async fn step(&mut self, rng: &mut Rng) {
        let engine = rng.usize(..self.engines.len());
        match rng.u8(..20) {
            0..=12 => {
                let query = rng.choice(&self.queries).unwrap().clone();
                self.read(engine, &query, rng.choice(CALLERS).unwrap())
                    .await;
            }
            13 | 14 => {
                let target = self.graph.invalidation(&self.ids, rng);
                self.fixture.invalidate(engine, &target).await;
                self.invalidated(target);
            }
            15 => {
                let query = "mutation { wipe }";
                self.mutate(engine, query, Target::Type("Thing".to_owned()))
                    .await;
            }
            16 => {
                let id = rng.choice(&self.ids).cloned().unwrap();
                let key = json!({ "id": id }).to_string();
                let query = format!("mutation {{ add(id: \"{id}\") {{ id }} }}");
                let target = Target::Entity {
                    type_name: "Thing".to_owned(),
                    key: resolvers::cache::EntityKey::from_json(&key).unwrap(),
                };
                self.mutate(engine, &query, target).await;
            }
            _ => {
                let seconds = *rng.choice(&[3, 8, 15]).unwrap();
                self.fixture.clock.advance(Duration::from_secs(seconds));
            }
        }
    }

    async fn read(&mut self, engine: usize, query: &RandomQuery, caller: &'static str) {
        let variables = json!({ "kind": query.variable });
        let data = self.execute(engine, &query.text(), variables, caller).await;
        let mut reading = Reading {
            graph: self.graph,
            query,
            caller,
            now: self.fixture.clock.now(),
            invalidated: &self.invalidated,
            ids: Vec::new(),
            tally: &mut self.tally,
            errors: Vec::new(),
        };
        reading.check(&data);
        let (ids, errors) = (reading.ids, reading.errors);
        assert!(
            errors.is_empty(),
            "WEIR_SEED={}\n{}\nas {caller}: {}\n{data:#}\n{}",
            self.seed,
            self.graph
                .documents()
                .into_iter()
                .map(|it| it.1)
                .collect::<String>(),
            query.text(),
            errors.join("\n"),
        );
        self.ids.extend(ids);
    }

    async fn mutate(&mut self, engine: usize, query: &str, target: Target) {
        let received = self.fixture.received();
        self.execute(engine, query, json!({}), "ada").await;
        self.fixture.until_received(&received).await;
        self.invalidated(target);
    }

    fn invalidated(&mut self, target: Target) {
        let at = self.fixture.clock.now();
        self.invalidated.push(Invalidated { target, at });
    }

    async fn execute(
        &self,
        engine: usize,
        query: &str,
        variables: Value,
        caller: &'static str,
    ) -> Value {
        self.fixture.world.set_caller(caller);
        let header = (
            HeaderName::from_static("x-user"),
            HeaderValue::from_static(caller),
        );
        let headers = HeaderMap::from_iter([header]);
        let answer = execute_with(&self.engines[engine], query, variables, headers).await;
        let has_failed = ["errors", "refused"]
            .iter()
            .any(|it| answer.get(it).is_some());
        assert!(!has_failed, "WEIR_SEED={}: {query}: {answer}", self.seed);
        answer
    }
}

async fn until(holds: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it never holds");
}

async fn check(server: Option<&Server>, cases: u64) {
    let fixture = Fixture::new(server).await;
    let mut tally = Tally::default();
    let seeds = variable("WEIR_SEED").map_or(0..cases, |seed| seed..seed + 1);
    let mut graph: Option<(u64, RandomGraph, Vec<Engine>)> = None;
    for seed in seeds {
        // Linking a graph takes longer than a schedule.
        let number = seed / SCHEDULES;
        if graph.as_ref().is_none_or(|(known, ..)| *known != number) {
            let random = RandomGraph::new(&mut Rng::with_seed(number));
            let responses = match number % 3 {
                0 => ResponseCaching::Disabled,
                _ => ResponseCaching::Enabled,
            };
            let engines = fixture.engines(&random, responses);
            graph = Some((number, random, engines));
        }
        let (_, random, engines) = graph.as_ref().unwrap();
        let one = fixture.run(seed, random, engines).await;
        tally.values += one.values;
        tally.hits += one.hits;
        tally.private_hits += one.private_hits;
    }
    let counts = fixture.caches.iter().map(Cache::counts);
    let responses: u64 = counts
        .map(|it| it.assembled_memory_hits + it.assembled_redis_hits)
        .sum();
    println!("{cases} schedules: {tally:?}, {responses} responses from the cache");
    assert!(cases < 50 || responses * 2 > cases, "{responses}");
    // Without hits, and hits of private values, nothing would be checked.
    assert!(cases < 50 || tally.hits * 5 > tally.values, "{tally:?}");
    assert!(
        cases < 50 || tally.private_hits * 50 > tally.values,
        "{tally:?}"
    );
}

#[tokio::test]
async fn rules_hold_for_every_selection_in_one_process() {
    let cases = variable("WEIR_CASES").unwrap_or(CASES);
    check(None, cases - cases / (LOCAL + 1)).await;
}

#[tokio::test]
async fn rules_hold_for_every_selection_in_two_processes_with_redis() {
    if let Some(server) = Server::start().await {
        let cases = variable("WEIR_CASES").unwrap_or(CASES);
        check(Some(&server), cases / (LOCAL + 1)).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment is the only configuration of a test"
)]
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
