//! The differential test of federation: random graphs are split into random subgraphs, and the
//! answers of Weir over these subgraphs are compared with answers over the unsplit data.
//!
//! `WEIR_CASES` is the number of operations; with `WEIR_SEED` only the operations of one graph run.
//! A failing case is shrunk before it is printed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints how much it tested"
)]

use std::collections::BTreeMap;
use std::fmt::Write;

use self::check::{Failure, Running, Wrong};
use self::failing::Compared;
use self::fault::Faults;
use self::fault::generate::faults;
use self::operation::Operation;
use self::operation::generate::{Aliased, operation};
use self::sdl::Reader;
use self::shrink::{Case, TRIES};

mod arrivals;
mod check;
mod data;
mod entities;
mod executor;
mod failing;
mod fault;
mod generate;
mod kinds;
mod model;
mod naive;
mod operation;
mod oracle;
mod random;
mod reference;
mod rest;
mod sdl;
mod service;
mod settings;
mod shrink;

/// Number of operations over each graph.
const OPERATIONS: u64 = 4;

/// Default number of operations.
const CASES: u64 = 2000;

/// Number of tests that divide the graphs among them, to run concurrently.
const TESTS: u64 = 4;

/// Whether parts of the graphs have faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parts {
    Healthy,
    Failing,
}

#[test]
fn split_graphs_answer_as_whole_ones_first_shard() {
    check(Parts::Healthy, 0);
}

#[test]
fn split_graphs_answer_as_whole_ones_second_shard() {
    check(Parts::Healthy, 1);
}

#[test]
fn split_graphs_answer_as_whole_ones_third_shard() {
    check(Parts::Healthy, 2);
}

#[test]
fn split_graphs_answer_as_whole_ones_fourth_shard() {
    check(Parts::Healthy, 3);
}

#[test]
fn faults_cost_the_same_in_split_graphs_first_shard() {
    check(Parts::Failing, 0);
}

#[test]
fn faults_cost_the_same_in_split_graphs_second_shard() {
    check(Parts::Failing, 1);
}

#[test]
fn faults_cost_the_same_in_split_graphs_third_shard() {
    check(Parts::Failing, 2);
}

#[test]
fn faults_cost_the_same_in_split_graphs_fourth_shard() {
    check(Parts::Failing, 3);
}

/// Graphs that had a failing case, with faults.
///
/// Keys that wait for a subgraph without need, errors of entities of unknown type, errors of which
/// only some have a place, and an entity that is not found where its type comes from.
const ONCE_WRONG: [u64; 6] = [5_741, 10_966, 11_154, 18_945, 19_400, 20_612];

#[test]
fn faults_that_were_once_wrong_cost_the_same_in_split_graphs() {
    let mut tally = Tally::default();
    for seed in ONCE_WRONG {
        tally.add(Tally::of(Parts::Failing, seed));
    }
    assert!(tally.failed.is_empty(), "{}", tally.reports());
}

/// Checks the cases of one of the tests.
///
/// Graphs that the linker rejects fail too: each is generated so that composition must accept it.
#[track_caller]
fn check(parts: Parts, test: u64) {
    let seeds = match variable("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("WEIR_CASES").unwrap_or(CASES) / OPERATIONS,
    };
    let mut tally = Tally::default();
    for seed in seeds.filter(|seed| seed % TESTS == test) {
        tally.add(Tally::of(parts, seed));
    }
    eprintln!("{}", tally.summary());
    assert!(tally.failed.is_empty(), "{}", tally.reports());
    assert!(
        tally.incomplete * SOUND <= tally.graphs,
        "{}",
        tally.summary()
    );
    // A graph without data takes no second request, and proves nothing.
    let is_enough = tally.requests > tally.operations || tally.operations <= FEW_OPERATIONS;
    assert!(is_enough, "{}", tally.summary());
    let meets_faults = parts == Parts::Healthy || tally.errors * 2 > tally.operations;
    let is_followed = (tally.unclear + tally.misplaced) * 10 <= tally.operations;
    let is_sound = meets_faults && is_followed || tally.operations <= FEW_OPERATIONS;
    assert!(is_sound, "{}", tally.summary());
}

/// Number of graphs of which one may have an operation that exceeds the budget of the planner; its
/// answer is compared all the same.
const SOUND: u64 = 1_000;

/// Number of operations below which the number of their requests is left to chance.
const FEW_OPERATIONS: usize = 100;

/// The results of some cases.
#[derive(Default)]
struct Tally {
    graphs: u64,
    operations: usize,
    requests: usize,
    /// Errors of responses, and responses that the reference could not follow.
    errors: usize,
    unclear: usize,
    /// Errors below a null that are not at the field that failed.
    misplaced: usize,
    /// Graphs with a plan whose search was cut short.
    incomplete: u64,
    failed: BTreeMap<Wrong, Failed>,
}

/// The failures of one kind.
struct Failed {
    count: usize,
    /// The lowest seed.
    seed: u64,
    operation: Option<Operation>,
    faults: Option<Faults>,
    failure: Failure,
}

impl Tally {
    /// Runs the cases of one graph.
    fn of(parts: Parts, seed: u64) -> Self {
        let mut tally = Self {
            graphs: 1,
            ..Self::default()
        };
        let mut running = match Running::new(generate::model(seed)) {
            Ok(running) => running,
            Err(failure) => {
                tally.fail(seed, (None, None), failure);
                return tally;
            }
        };
        for index in 0..OPERATIONS {
            let number = seed.wrapping_mul(OPERATIONS).wrapping_add(index);
            let operation = valid_operation(&running, number);
            tally.operations += 1;
            // Creating an engine with a cache takes longer than an operation.
            running.uses_cache = index == 0;
            let faults = match parts {
                Parts::Healthy => None,
                Parts::Failing => Some(faults(running.model(), &operation, number)),
            };
            match running.compared(&operation, faults.as_ref()) {
                Ok(compared) => tally.compared(compared),
                Err(failure) => tally.fail(seed, (Some(operation), faults), failure),
            }
        }
        tally.incomplete = u64::from(running.incomplete() > 0);
        tally
    }

    fn compared(&mut self, compared: Compared) {
        self.requests += compared.requests;
        self.errors += compared.errors;
        self.unclear += compared.unclear;
        self.misplaced += compared.misplaced;
    }

    fn fail(
        &mut self,
        seed: u64,
        (operation, faults): (Option<Operation>, Option<Faults>),
        failure: Failure,
    ) {
        let failed = Failed {
            count: 1,
            seed,
            operation,
            faults,
            failure,
        };
        self.insert(failed);
    }

    fn insert(&mut self, mut failed: Failed) {
        let what = failed.failure.what;
        if let Some(known) = self.failed.remove(&what) {
            let count = known.count + failed.count;
            if known.seed < failed.seed {
                failed = known;
            }
            failed.count = count;
        }
        self.failed.insert(what, failed);
    }

    fn add(&mut self, other: Self) {
        self.graphs += other.graphs;
        self.operations += other.operations;
        self.requests += other.requests;
        self.errors += other.errors;
        self.unclear += other.unclear;
        self.misplaced += other.misplaced;
        self.incomplete += other.incomplete;
        for failed in other.failed.into_values() {
            self.insert(failed);
        }
    }

    fn summary(&self) -> String {
        let mut text = format!(
            "{} graphs, {} operations, {} requests, {} errors",
            self.graphs, self.operations, self.requests, self.errors
        );
        if self.unclear > 0 {
            let _ = write!(text, ", {} responses not compared", self.unclear);
        }
        if self.misplaced > 0 {
            let _ = write!(text, ", {} errors at another field", self.misplaced);
        }
        if self.incomplete > 0 {
            let _ = write!(text, ", {} not planned completely", self.incomplete);
        }
        for (what, failed) in &self.failed {
            let (count, seed) = (failed.count, failed.seed);
            let _ = write!(text, ", {what:?} {count} (first at WEIR_SEED={seed})");
        }
        text
    }

    /// One shrunk case of each kind.
    fn reports(&self) -> String {
        let reports = self.failed.values().map(Failed::report);
        format!("{}\n{}", self.summary(), reports.collect::<String>())
    }
}

impl Failed {
    fn report(&self) -> String {
        let case = Case {
            model: generate::model(self.seed),
            operation: self.operation.clone(),
            faults: self.faults.clone(),
            failure: self.failure.clone(),
            left: TRIES,
        };
        let case = case.shrunk();
        let mut text = format!("\nWEIR_SEED={}: {:?}\n", self.seed, case.failure.what);
        for name in &case.model.subgraphs {
            let sdl = sdl::subgraph(&case.model, name, Reader::Linker);
            let _ = writeln!(text, "# {name}\n{}", sdl::brief(&sdl));
        }
        if let Some(operation) = &case.operation {
            let values = serde_json::to_string(&operation.values()).unwrap();
            let _ = writeln!(text, "{}\n{values}", operation.document());
        }
        if let Some(faults) = &case.faults {
            let _ = write!(text, "{faults}");
        }
        text + &case.failure.text
    }
}

/// A valid operation: if fields with one response key cannot merge, each field gets its own.
fn valid_operation(running: &Running, seed: u64) -> Operation {
    let first = operation(running.model(), seed, Aliased::Some);
    if running.is_valid(&first) {
        return first;
    }
    operation(running.model(), seed, Aliased::All)
}

fn variable(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is the only configuration of a test"
    )]
    std::env::var(name).ok()?.parse().ok()
}
