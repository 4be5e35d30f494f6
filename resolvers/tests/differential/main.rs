//! The differential test of federation: random graphs are split into random subgraphs, and what
//! Weir answers before their services is compared with what the unsplit data answer.
//!
//! `WEIR_CASES` says how many operations are asked; `WEIR_SEED` asks those of one graph only. A
//! case that fails is cut down before it is printed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails; how much was tested, is told"
)]

use std::collections::BTreeMap;
use std::fmt::Write;

use self::ask::Ask;
use self::ask::generate::{Aliased, ask};
use self::check::{Failure, Running, Wrong};
use self::sdl::Reader;
use self::shrink::{Case, TRIES};

mod ask;
mod check;
mod data;
mod entities;
mod generate;
mod kinds;
mod model;
mod naive;
mod oracle;
mod random;
mod sdl;
mod service;
mod settings;
mod shrink;

/// Operations over each graph.
const ASKS: u64 = 4;

/// Operations, unless more are wanted.
const CASES: u64 = 2000;

/// Graphs are dealt out to as many tests, so that they run beside each other.
const TESTS: u64 = 4;

#[test]
fn split_graphs_answer_as_whole_ones() {
    check(0);
}

#[test]
fn split_graphs_answer_as_whole_ones_2() {
    check(1);
}

#[test]
fn split_graphs_answer_as_whole_ones_3() {
    check(2);
}

#[test]
fn split_graphs_answer_as_whole_ones_4() {
    check(3);
}

/// Checks the cases of one of the tests.
///
/// A graph that the linker refuses fails as every other case: each is made so that composition
/// must accept it.
#[track_caller]
fn check(test: u64) {
    let seeds = match variable("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("WEIR_CASES").unwrap_or(CASES) / ASKS,
    };
    let mut tally = Tally::default();
    for seed in seeds.filter(|seed| seed % TESTS == test) {
        tally.add(Tally::of(seed));
    }
    eprintln!("{}", tally.summary());
    assert!(tally.failed.is_empty(), "{}", tally.reports());
    assert!(
        tally.incomplete * SOUND <= tally.graphs,
        "{}",
        tally.summary()
    );
    // What is empty everywhere needs no second request, and proves nothing.
    let is_enough = tally.requests > tally.asks || tally.asks <= ASKS_OF_FEW;
    assert!(is_enough, "{}", tally.summary());
}

/// Of so many graphs the planner may have one with an operation that its budget is too small for;
/// what is answered is compared all the same.
const SOUND: u64 = 1_000;

/// So few that chance decides how many requests they make.
const ASKS_OF_FEW: usize = 100;

/// What became of some cases.
#[derive(Default)]
struct Tally {
    graphs: u64,
    asks: usize,
    requests: usize,
    /// Graphs with a plan that was not looked at whole.
    incomplete: u64,
    failed: BTreeMap<Wrong, Failed>,
}

/// What fails in one way.
struct Failed {
    count: usize,
    /// The lowest seed.
    seed: u64,
    ask: Option<Ask>,
    failure: Failure,
}

impl Tally {
    /// The cases of one graph.
    fn of(seed: u64) -> Self {
        let mut tally = Self {
            graphs: 1,
            ..Self::default()
        };
        let running = match Running::new(generate::model(seed)) {
            Ok(running) => running,
            Err(failure) => {
                tally.fail(seed, None, failure);
                return tally;
            }
        };
        for index in 0..ASKS {
            let ask = valid_ask(&running, seed.wrapping_mul(ASKS).wrapping_add(index));
            tally.asks += 1;
            match running.check(&ask) {
                Ok(requests) => tally.requests += requests,
                Err(failure) => tally.fail(seed, Some(ask), failure),
            }
        }
        tally.incomplete = u64::from(running.incomplete() > 0);
        tally
    }

    fn fail(&mut self, seed: u64, ask: Option<Ask>, failure: Failure) {
        let failed = Failed {
            count: 1,
            seed,
            ask,
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
        self.asks += other.asks;
        self.requests += other.requests;
        self.incomplete += other.incomplete;
        for failed in other.failed.into_values() {
            self.insert(failed);
        }
    }

    fn summary(&self) -> String {
        let mut text = format!(
            "{} graphs, {} operations, {} requests",
            self.graphs, self.asks, self.requests
        );
        if self.incomplete > 0 {
            let _ = write!(text, ", {} not planned whole", self.incomplete);
        }
        for (what, failed) in &self.failed {
            let (count, seed) = (failed.count, failed.seed);
            let _ = write!(text, ", {what:?} {count} (first at WEIR_SEED={seed})");
        }
        text
    }

    /// One case of each kind, cut down.
    fn reports(&self) -> String {
        let reports = self.failed.values().map(Failed::report);
        format!("{}\n{}", self.summary(), reports.collect::<String>())
    }
}

impl Failed {
    fn report(&self) -> String {
        let case = Case {
            model: generate::model(self.seed),
            ask: self.ask.clone(),
            failure: self.failure.clone(),
            left: TRIES,
        };
        let case = case.shrunk();
        let mut text = format!("\nWEIR_SEED={}: {:?}\n", self.seed, case.failure.what);
        for name in &case.model.subgraphs {
            let sdl = sdl::subgraph(&case.model, name, Reader::Linker);
            let _ = writeln!(text, "# {name}\n{}", sdl::brief(&sdl));
        }
        if let Some(ask) = &case.ask {
            let values = serde_json::to_string(&ask.values()).unwrap();
            let _ = writeln!(text, "{}\n{values}", ask.document());
        }
        text + &case.failure.text
    }
}

/// An operation that clients may ask: where fields would meet that do not go together, each has a
/// response key of its own.
fn valid_ask(running: &Running, seed: u64) -> Ask {
    let first = ask(running.model(), seed, Aliased::Some);
    if running.is_valid(&first) {
        return first;
    }
    ask(running.model(), seed, Aliased::All)
}

fn variable(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how much is tested, is said by who runs the tests"
    )]
    std::env::var(name).ok()?.parse().ok()
}
