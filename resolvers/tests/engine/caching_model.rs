//! Random schedules of everything that can happen to what is kept, against a model: nothing is
//! given out for longer than it may be, nor after somebody was told that it is invalid, nor to
//! another caller than the one it was fetched for.
//!
//! A schedule is chosen by a seed. `WEIR_SEED` chooses another, `WEIR_CASES` says how many.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use resolvers::Engine;
use resolvers::cache::{Cache, CacheSettings, Clock, EntityKey, Moment, Target};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::caching_service::{caching, in_memory, running};
use crate::caching_truth::{GRAPH, MINE, NAMES, NOTE, THINGS, Truth};
use crate::support::{ask_with, graph, settings_at};
use crate::values::sdl;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// Clients ask at one moment.
    Read(Vec<Read>),
    /// Clients ask, and what the service is asked for them takes until all such reads are let go.
    Begin(Read),
    Finish,
    /// The data changes, and nobody says so.
    Change(usize),
    /// A client changes a thing.
    Mutate(usize),
    /// Somebody says what is invalid.
    Invalidate(Named),
    /// So many seconds pass.
    Pass(u64),
    /// The service fails from now on, or no longer does.
    Down(bool),
}

#[derive(Clone, Copy, Debug)]
struct Read {
    caller: usize,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    List(usize),
    Whole,
    Thing(usize),
    Mine(usize),
    Note,
}

/// What is said to be invalid.
#[derive(Clone, Copy, Debug)]
enum Named {
    Thing(usize),
    Things,
    Mine,
    Roots,
    TagOfThing(usize),
    TagOfWhole,
    Subgraph,
    Everything,
}

/// The second and third have credentials.
const CALLERS: [Option<&str>; 3] = [None, Some("ada"), Some("bob")];

/// In seconds, as the service says.
const LIFETIME: &str = "max-age=10, stale-while-revalidate=5, stale-if-error=20";
const FRESH: u64 = 10;
const STALE: u64 = 5;
const ON_ERROR: u64 = 20;

impl What {
    fn query(self) -> String {
        match self {
            Self::List(first) => format!("{{ it: list(first: {first}) {{ name }} }}"),
            Self::Whole => "{ it: whole { name } }".to_owned(),
            Self::Thing(id) => format!("{{ it: thing(id: {id}) {{ name }} }}"),
            Self::Mine(first) => format!("{{ it: mine(first: {first}) {{ name }} }}"),
            Self::Note => "{ it: note { name } }".to_owned(),
        }
    }

    /// The names of what comes back, in order.
    fn names(self) -> Vec<usize> {
        match self {
            Self::List(first) => (0..first).collect(),
            Self::Whole => (0..THINGS).collect(),
            Self::Thing(id) => vec![id - 1],
            Self::Mine(first) => (THINGS..THINGS + first).collect(),
            Self::Note => vec![NOTE],
        }
    }

    fn is_private(self) -> bool {
        matches!(self, Self::Mine(_) | Self::Note)
    }
}

impl Named {
    fn target(self) -> Target {
        match self {
            Self::Thing(id) => Target::Entity {
                type_name: "Thing".to_owned(),
                key: EntityKey::from_json(&json!({ "id": id }).to_string()).unwrap(),
            },
            Self::Things => Target::Type("Thing".to_owned()),
            Self::Mine => Target::Type("Mine".to_owned()),
            Self::Roots => Target::Type("Query".to_owned()),
            Self::TagOfThing(id) => Target::Named(format!("thing-{id}")),
            Self::TagOfWhole => Target::Named("whole".to_owned()),
            Self::Subgraph => Target::Subgraph("g".to_owned()),
            Self::Everything => Target::Everything,
        }
    }

    /// Whether it names that, as it is given by itself or `in_whole`.
    fn is_of(self, name: usize, in_whole: bool) -> bool {
        match self {
            Self::Thing(id) => name == id - 1,
            Self::TagOfThing(id) => name == id - 1 && !in_whole,
            Self::TagOfWhole => name < THINGS && in_whole,
            Self::Things => name < THINGS,
            Self::Mine => (THINGS..THINGS + MINE).contains(&name),
            Self::Roots => name == NOTE || in_whole,
            Self::Subgraph | Self::Everything => true,
        }
    }
}

/// A read that has begun, and what it may be answered.
struct Reading {
    read: Read,
    began: Moment,
    /// Older versions were invalidated before it began.
    floors: [usize; NAMES],
    may_fail: bool,
    answer: JoinHandle<Value>,
}

/// What is true.
struct Model {
    engine: Arc<Engine>,
    cache: Cache,
    clock: Clock,
    truth: Arc<Truth>,
    /// Of what is given by itself, and of what `whole` gives.
    floors: [[usize; NAMES]; 2],
    under_way: Vec<Reading>,
    /// Values that were given out, of all schedules.
    given: usize,
}

impl Model {
    async fn start() -> Self {
        let clock = Clock::manual(Moment(1_700_000_000_000));
        let (truth, url) = Truth::start(&clock, LIFETIME).await;
        let cache_settings = CacheSettings {
            // A renewal that failed holds its claim for a second of real time.
            wait_timeout: Duration::from_millis(10),
            ..in_memory(&clock)
        };
        let cache = running(cache_settings);
        let mut settings = settings_at(&url);
        settings.caching = Some(caching(&cache));
        settings.prepared_operations = std::num::NonZeroUsize::new(100).unwrap();
        let graph = graph(&[("g", &sdl("v0.3", GRAPH))]);
        Self {
            engine: Arc::new(Engine::new(graph, settings).unwrap()),
            cache,
            clock,
            truth,
            floors: [[0; NAMES]; 2],
            under_way: Vec::new(),
            given: 0,
        }
    }

    /// Runs a schedule from its beginning: nothing is kept yet, nothing fails.
    async fn run(&mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        self.under_way.clear();
        self.truth.open(true);
        self.truth.set_down(false);
        self.truth.log.lock().unwrap().clear();
        self.clock.advance(Duration::from_hours(24));
        self.invalidate(Named::Everything).await;
        for step in steps {
            self.step(step).await?;
        }
        self.finish().await
    }

    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Read(reads) => {
                for read in reads {
                    self.begin(*read);
                }
                if self.truth.is_open() {
                    self.finish().await?;
                } else {
                    self.settle().await;
                }
            }
            Step::Begin(read) => {
                self.truth.open(false);
                self.begin(*read);
                self.settle().await;
            }
            Step::Finish => self.finish().await?,
            Step::Change(name) => self.truth.change(*name),
            Step::Mutate(id) => {
                let query = format!("mutation {{ change(id: {id}) {{ name }} }}");
                let answer = ask_with(&self.engine, &query, json!({}), HeaderMap::new()).await;
                // One that failed may have changed something: it makes invalid all the same.
                prop_assert_eq!(answer.get("errors").is_some(), self.truth.is_down());
                self.invalidated(Named::Thing(*id));
            }
            Step::Invalidate(named) => self.invalidate(*named).await,
            Step::Pass(seconds) => {
                // A renewal counts the age of what it brings from when it is there: no seconds pass
                // before that.
                for _ in 0..PATIENCE {
                    tokio::task::yield_now().await;
                }
                self.clock.advance(Duration::from_secs(*seconds));
            }
            Step::Down(is_down) => {
                self.truth.set_down(*is_down);
                let under_way = self.under_way.iter_mut();
                under_way.for_each(|reading| reading.may_fail |= is_down);
            }
        }
        Ok(())
    }

    async fn invalidate(&mut self, named: Named) {
        self.cache.invalidate(&named.target().tags()).await;
        self.invalidated(named);
    }

    /// Whoever asks from now on sees nothing older.
    fn invalidated(&mut self, named: Named) {
        for (in_whole, floors) in self.floors.iter_mut().enumerate() {
            for (name, floor) in floors.iter_mut().enumerate() {
                if named.is_of(name, in_whole == 1) {
                    *floor = self.truth.version(name);
                }
            }
        }
    }

    fn begin(&mut self, read: Read) {
        let (engine, query) = (Arc::clone(&self.engine), read.what.query());
        let token = CALLERS[read.caller].map(HeaderValue::from_static);
        let headers = token.map(|token| (header::AUTHORIZATION, token));
        let headers = HeaderMap::from_iter(headers);
        let answer = async move { ask_with(&engine, &query, json!({}), headers).await };
        #[expect(clippy::disallowed_methods, reason = "is awaited")]
        let answer = tokio::spawn(answer);
        self.under_way.push(Reading {
            read,
            began: self.clock.now(),
            floors: self.floors[usize::from(matches!(read.what, What::Whole))],
            // What failed may be joined while its answer is under way.
            may_fail: self.truth.is_down() || self.under_way.iter().any(|it| it.may_fail),
            answer,
        });
    }

    /// Lets what has begun come as far as it can, mostly to the service.
    async fn settle(&self) {
        let (calls, last) = (self.truth.calls(), self.under_way.last());
        for _ in 0..PATIENCE {
            let has_ended = last.is_none_or(|reading| reading.answer.is_finished());
            if has_ended || self.truth.calls() > calls {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Lets everything go, and looks at what came.
    async fn finish(&mut self) -> Result<(), TestCaseError> {
        self.truth.open(true);
        for reading in std::mem::take(&mut self.under_way) {
            let seen = Seen {
                read: reading.read,
                began: reading.began,
                floors: reading.floors,
                may_fail: reading.may_fail,
                answer: reading.answer.await.unwrap(),
            };
            self.given += seen.judge()?;
        }
        Ok(())
    }
}

/// A read that has ended.
struct Seen {
    read: Read,
    began: Moment,
    floors: [usize; NAMES],
    may_fail: bool,
    answer: Value,
}

impl Seen {
    /// How many values there are, if each may be.
    fn judge(&self) -> Result<usize, TestCaseError> {
        let has_failed = self.answer.get("errors").is_some();
        prop_assert!(self.may_fail || !has_failed, "{}", self.answer);
        let data = if has_failed {
            &self.answer["data"]
        } else {
            &self.answer
        };
        let it = &data["it"];
        let objects = it
            .as_array()
            .map_or(std::slice::from_ref(it), Vec::as_slice);
        let names = self.read.what.names();
        prop_assert!(
            has_failed || objects.len() == names.len(),
            "{}",
            self.answer
        );
        let mut count = 0;
        for (name, object) in names.into_iter().zip(objects) {
            match object["name"].as_str() {
                Some(text) => self.judge_one(name, text)?,
                None => prop_assert!(has_failed, "{}", self.answer),
            }
            count += 1;
        }
        Ok(count)
    }

    fn judge_one(&self, name: usize, text: &str) -> Result<(), TestCaseError> {
        let parts: Vec<&str> = text.split(' ').collect();
        let [of, version, at, caller] = parts[..] else {
            panic!("{text}")
        };
        let number = |text: &str| -> u64 { text.parse().unwrap() };
        prop_assert_eq!(number(of), name as u64, "another's place");
        let own = CALLERS[self.read.caller].filter(|_| self.read.what.is_private());
        prop_assert_eq!(caller, own.unwrap_or("-"), "another's data");
        let floor = self.floors[name] as u64;
        prop_assert!(
            number(version) >= floor,
            "{} of {:?} was invalidated: {}",
            text,
            self.read,
            floor
        );
        let age = self.began.since(Moment(number(at)));
        let allowed = if self.may_fail {
            FRESH + ON_ERROR
        } else {
            FRESH + STALE
        };
        prop_assert!(
            age < Duration::from_secs(allowed),
            "{} of {:?} is {:?} old",
            text,
            self.read,
            age
        );
        Ok(())
    }
}

#[test]
fn an_engine_keeps_the_promises_of_its_cache() {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let mut seed = [0; 32];
    let number: u64 = variable("WEIR_SEED").unwrap_or(1);
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::with_cases(variable("WEIR_CASES").unwrap_or(250))
    };
    let cases = config.cases;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let model = std::cell::RefCell::new(runtime.block_on(Model::start()));
    let outcome = TestRunner::new_with_rng(config, rng).run(&steps(), |steps| {
        let mut model = model.borrow_mut();
        let outcome = runtime.block_on(model.run(&steps));
        outcome.map_err(|error| {
            let log = model.truth.log.lock().unwrap().join("\n");
            TestCaseError::fail(format!("{error}\nthe service was asked:\n{log}"))
        })
    });
    if let Err(failure) = outcome {
        panic!("WEIR_SEED={number}: {failure}");
    }
    // Most of it came of what is kept: each value takes more than a call otherwise.
    let (given, calls) = (model.borrow().given, model.borrow().truth.calls());
    let told = format!("{given} values of {calls} calls in {cases} schedules");
    assert!(given > calls, "{told}");
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let what = prop_oneof![
        3 => (1..=THINGS).prop_map(What::List),
        2 => Just(What::Whole),
        2 => (1..=THINGS).prop_map(What::Thing),
        3 => (1..=MINE).prop_map(What::Mine),
        2 => Just(What::Note),
    ];
    let read = (0..CALLERS.len(), what).prop_map(|(caller, what)| Read { caller, what });
    let named = prop_oneof![
        3 => (1..=THINGS).prop_map(Named::Thing),
        1 => Just(Named::Things),
        1 => Just(Named::Mine),
        1 => Just(Named::Roots),
        1 => (1..=THINGS).prop_map(Named::TagOfThing),
        1 => Just(Named::TagOfWhole),
        1 => Just(Named::Subgraph),
        1 => Just(Named::Everything),
    ];
    let step = prop_oneof![
        8 => prop::collection::vec(read.clone(), 1..5).prop_map(Step::Read),
        3 => read.prop_map(Step::Begin),
        2 => Just(Step::Finish),
        4 => (0..NAMES).prop_map(Step::Change),
        1 => (1..=THINGS).prop_map(Step::Mutate),
        3 => named.prop_map(Step::Invalidate),
        3 => (1..12_u64).prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Down),
    ];
    prop::collection::vec(step, 1..30)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is configured by nothing else"
)]
fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// How often others may do something before a read is taken to wait.
const PATIENCE: usize = 100;
