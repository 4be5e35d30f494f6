//! The differential test of federation: random graphs are split into random subgraphs, and what
//! Weir answers before their services is compared with what the unsplit data answer.
//!
//! `WEIR_CASES` says how many operations are asked; `WEIR_SEED` asks those of one graph only.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;

use self::ask::Ask;
use self::ask::generate::{Aliased, ask};
use self::check::{Failure, Running};
use self::sdl::Reader;
use self::shrink::{Case, TRIES};

mod ask;
mod check;
mod data;
mod entities;
mod generate;
mod model;
mod oracle;
mod random;
mod sdl;
mod service;
mod settings;
mod shrink;

/// Operations over each graph.
const ASKS: u64 = 4;

#[test]
fn the_split_graph_answers_as_the_whole_one() {
    let first: u64 = variable("WEIR_SEED").unwrap_or(0);
    let cases = variable("WEIR_CASES").unwrap_or(2000);
    let graphs = if variable("WEIR_SEED").is_some() {
        1
    } else {
        cases / ASKS
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut failures = 0;
    for seed in first..first + graphs {
        for (ask, failure) in failures_of(seed) {
            let known = counts.entry(format!("{:?}", failure.what)).or_default();
            *known += 1;
            failures += 1;
            if *known <= 2 {
                report(seed, ask.as_ref(), &failure);
            }
        }
    }
    eprintln!("{graphs} graphs, {counts:?}");
    assert_eq!(failures, 0);
}

fn failures_of(seed: u64) -> Vec<(Option<Ask>, Failure)> {
    let running = match Running::new(generate::model(seed)) {
        Ok(running) => running,
        Err(failure) => return vec![(None, failure)],
    };
    let mut failures = Vec::new();
    for index in 0..ASKS {
        let ask = valid_ask(&running, seed.wrapping_mul(31).wrapping_add(index));
        if let Err(failure) = running.check(&ask) {
            failures.push((Some(ask), failure));
        }
    }
    failures
}

fn valid_ask(running: &Running, seed: u64) -> Ask {
    let first = ask(running.model(), seed, Aliased::Some);
    if running.is_valid(&first) {
        return first;
    }
    ask(running.model(), seed, Aliased::All)
}

fn report(seed: u64, ask: Option<&Ask>, failure: &Failure) {
    let case = Case {
        model: generate::model(seed),
        ask: ask.cloned(),
        failure: failure.clone(),
        left: TRIES,
    };
    let case = case.shrunk();
    eprintln!("==== seed {seed}: {:?}", failure.what);
    for name in &case.model.subgraphs {
        let sdl = sdl::subgraph(&case.model, name, Reader::Linker);
        eprintln!("# {name}\n{sdl}");
    }
    if let Some(ask) = &case.ask {
        let values = serde_json::to_string(&ask.values()).unwrap();
        eprintln!("{}\n{values}", ask.document());
    }
    eprintln!("{}\n", case.failure.text);
}

fn variable(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how much is tested, is said by who runs the tests"
    )]
    std::env::var(name).ok()?.parse().ok()
}
