//! Random schedules of reads, changes, invalidations and failures, against a model of the cache:
//! no value is served past its lifetime, after its invalidation, or to another caller than the one
//! it was fetched for.
//!
//! `WEIR_SEED` selects the schedules, `WEIR_CASES` their number.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use resolvers::Engine;
use resolvers::cache::{Cache, Clock, Moment};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::caching_schedule::{CALLERS, Invalidation, Read, Selection, Step, steps};
use crate::caching_service::{caching, in_memory, start_cache};
use crate::caching_truth::{GRAPH, NAMES, Truth};
use crate::support::{execute_with, graph, settings_at, variable};
use crate::values::sdl;

/// The `Cache-Control` of the service, and its durations in seconds.
const LIFETIME: &str = "max-age=10, stale-while-revalidate=5, stale-if-error=20";
const FRESH: u64 = 10;
const STALE_WHILE_REVALIDATE: u64 = 5;
const STALE_IF_ERROR: u64 = 20;

/// A read in flight, and what it may be answered with.
struct PendingRead {
    read: Read,
    began: Moment,
    /// The minimum version of each name: older ones were invalidated before the read began.
    floors: [usize; NAMES],
    may_fail: bool,
    answer: JoinHandle<Value>,
}

/// The expected state.
struct Model {
    engine: Arc<Engine>,
    cache: Cache,
    clock: Clock,
    truth: Arc<Truth>,
    /// Minimum versions of entities, and of the parts of `whole`.
    floors: [[usize; NAMES]; 2],
    pending_reads: Vec<PendingRead>,
    /// Number of values served, over all schedules.
    served: usize,
}

impl Model {
    async fn start() -> Self {
        let clock = Clock::manual(Moment(1_700_000_000_000));
        let (truth, url) = Truth::start(&clock, LIFETIME).await;
        let cache = start_cache(in_memory(&clock));
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
            pending_reads: Vec::new(),
            served: 0,
        }
    }

    /// Runs a schedule from the beginning: an empty cache, a service that works.
    async fn run(&mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        self.pending_reads.clear();
        self.truth.open(true);
        self.truth.set_down(false);
        self.truth.log.lock().unwrap().clear();
        self.clock.advance(Duration::from_hours(24));
        self.invalidate(Invalidation::Everything).await;
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
                let answer = execute_with(&self.engine, &query, json!({}), HeaderMap::new()).await;
                // A failed mutation may have changed something, so it invalidates too.
                prop_assert_eq!(answer.get("errors").is_some(), self.truth.is_down());
                self.invalidated(Invalidation::Thing(*id));
            }
            Step::Invalidate(invalidation) => self.invalidate(*invalidation).await,
            Step::Pass(seconds) => {
                // A refresh counts the age of its value from when the response is there, so the
                // clock stays until then.
                for _ in 0..PATIENCE {
                    tokio::task::yield_now().await;
                }
                self.clock.advance(Duration::from_secs(*seconds));
            }
            Step::Down(is_down) => {
                self.truth.set_down(*is_down);
                let pending_reads = self.pending_reads.iter_mut();
                pending_reads.for_each(|pending| pending.may_fail |= is_down);
            }
        }
        Ok(())
    }

    async fn invalidate(&mut self, invalidation: Invalidation) {
        self.cache.invalidate(&invalidation.target().tags()).await;
        self.invalidated(invalidation);
    }

    /// Raises the minimum versions: later reads see no older version.
    fn invalidated(&mut self, invalidation: Invalidation) {
        for (in_whole, floors) in self.floors.iter_mut().enumerate() {
            for (name, floor) in floors.iter_mut().enumerate() {
                if invalidation.covers(name, in_whole == 1) {
                    *floor = self.truth.version(name);
                }
            }
        }
    }

    fn begin(&mut self, read: Read) {
        let (engine, query) = (Arc::clone(&self.engine), read.selection.query());
        let token = CALLERS[read.caller].map(HeaderValue::from_static);
        let headers = token.map(|token| (header::AUTHORIZATION, token));
        let headers = HeaderMap::from_iter(headers);
        let answer = async move { execute_with(&engine, &query, json!({}), headers).await };
        #[expect(clippy::disallowed_methods, reason = "the task is awaited")]
        let answer = tokio::spawn(answer);
        self.pending_reads.push(PendingRead {
            read,
            began: self.clock.now(),
            floors: self.floors[usize::from(matches!(read.selection, Selection::Whole))],
            // A read may join a failed call that is still in flight.
            may_fail: self.truth.is_down() || self.pending_reads.iter().any(|it| it.may_fail),
            answer,
        });
    }

    /// Lets the reads in flight proceed as far as they can, mostly to the service.
    async fn settle(&self) {
        let (calls, last) = (self.truth.calls(), self.pending_reads.last());
        for _ in 0..PATIENCE {
            let has_ended = last.is_none_or(|pending| pending.answer.is_finished());
            if has_ended || self.truth.calls() > calls {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Opens the gate, and checks the answers.
    async fn finish(&mut self) -> Result<(), TestCaseError> {
        self.truth.open(true);
        for pending in std::mem::take(&mut self.pending_reads) {
            let finished = FinishedRead {
                read: pending.read,
                began: pending.began,
                floors: pending.floors,
                may_fail: pending.may_fail,
                answer: pending.answer.await.unwrap(),
            };
            self.served += finished.check()?;
        }
        Ok(())
    }
}

/// A finished read.
struct FinishedRead {
    read: Read,
    began: Moment,
    floors: [usize; NAMES],
    may_fail: bool,
    answer: Value,
}

impl FinishedRead {
    /// Checks all values, and returns their number.
    fn check(&self) -> Result<usize, TestCaseError> {
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
        let names = self.read.selection.names();
        prop_assert!(
            has_failed || objects.len() == names.len(),
            "{}",
            self.answer
        );
        let mut count = 0;
        for (name, object) in names.into_iter().zip(objects) {
            match object["name"].as_str() {
                Some(text) => self.check_value(name, text)?,
                None => prop_assert!(has_failed, "{}", self.answer),
            }
            count += 1;
        }
        Ok(count)
    }

    fn check_value(&self, name: usize, text: &str) -> Result<(), TestCaseError> {
        let parts: Vec<&str> = text.split(' ').collect();
        let [of, version, at, caller] = parts[..] else {
            panic!("{text}")
        };
        let number = |text: &str| -> u64 { text.parse().unwrap() };
        prop_assert_eq!(number(of), name as u64, "a value at another's position");
        let own = CALLERS[self.read.caller].filter(|_| self.read.selection.is_private());
        prop_assert_eq!(caller, own.unwrap_or("-"), "a value of another caller");
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
            FRESH + STALE_IF_ERROR
        } else {
            FRESH + STALE_WHILE_REVALIDATE
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
fn values_are_fresh_valid_and_of_their_caller_in_any_schedule() {
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
            TestCaseError::fail(format!("{error}\nrequests to the service:\n{log}"))
        })
    });
    if let Err(failure) = outcome {
        panic!("WEIR_SEED={number}: {failure}");
    }
    // Most values are hits: without a cache each takes a call at least.
    let (served, calls) = (model.borrow().served, model.borrow().truth.calls());
    assert!(
        served > calls,
        "{served} values of {calls} calls in {cases} schedules"
    );
}

/// Maximum times to yield to other tasks before a read counts as waiting.
const PATIENCE: usize = 100;
