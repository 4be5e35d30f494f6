//! What a mapping costs beside parsing alone: 100 KB of objects of twelve fields, five wanted.
//!
//! `cargo bench -p schema`. Prints the least of many rounds, the ways taking turns so that a busy
//! machine slows all of them. `-- NAME 100` runs one way a hundred times and prints nothing: under
//! `valgrind --tool=callgrind` the difference of two counts is what a run takes.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on stops, and its figures are its purpose"
)]
#![expect(
    clippy::disallowed_types,
    reason = "this measures real time, not a clock that tests may stop"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use schema::json::{Json, Value};
use schema::mapping::{Mapping, Vars, Version};
use serde::Deserialize;

const ROUNDS: usize = 3_000;

fn main() {
    let bench = Bench::new();
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match (args.next(), args.next()) {
        (Some(name), Some(times)) => {
            let times = times.parse().expect("how many times, behind the name");
            bench.repeat(&name, times);
        }
        _ => bench.compare(),
    }
}

type Way = fn(&Bench) -> usize;

const WAYS: [(&str, Way); 6] = [
    ("sonic-rs-value", sonic_value),
    ("sonic-rs-typed", sonic_typed),
    ("serde-json-value", serde_value),
    ("serde-json-typed", serde_typed),
    ("weir-parse", weir_parse),
    ("weir-mapped", weir_mapped),
];

struct Bench {
    text: Bytes,
    mapping: Mapping,
    out: std::cell::RefCell<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        let text = Bytes::from(text());
        let mapping = "$.items { id name price stock updatedAt }";
        Self {
            out: Vec::with_capacity(text.len()).into(),
            text,
            mapping: Mapping::parse(mapping, Version::V0_3).expect("a mapping"),
        }
    }

    fn repeat(&self, name: &str, times: usize) {
        let (_, way) = WAYS
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a name that the table shows");
        for _ in 0..times {
            black_box(way(self));
        }
    }

    fn compare(&self) {
        let mut least = [Duration::MAX; WAYS.len()];
        for _ in 0..ROUNDS {
            for ((_, way), least) in WAYS.iter().zip(&mut least) {
                let start = Instant::now();
                black_box(way(black_box(self)));
                *least = start.elapsed().min(*least);
            }
        }
        let fastest = least.first().copied().unwrap_or_default();
        println!("{} bytes, {} to come out", self.text.len(), self.answer());
        for ((name, _), least) in WAYS.iter().zip(least) {
            let times = least.as_secs_f64() / fastest.as_secs_f64();
            println!("{name:18} {least:>10.1?} {times:>5.2} times the first");
        }
    }

    fn answer(&self) -> usize {
        weir_mapped(self);
        self.out.borrow().len()
    }
}

/// Parse, map five of twelve fields, write them down.
fn weir_mapped(bench: &Bench) -> usize {
    let json = Json::parse(bench.text.clone()).expect("JSON");
    let outcome = bench.mapping.eval(Value::from(&json), &Vars::new());
    let mut out = bench.out.borrow_mut();
    out.clear();
    outcome.value.expect("a list").write_json(&mut out);
    out.len()
}

fn weir_parse(bench: &Bench) -> usize {
    let json = Json::parse(bench.text.clone()).expect("JSON");
    black_box(&json).root().len()
}

fn sonic_value(bench: &Bench) -> usize {
    let value: sonic_rs::Value = sonic_rs::from_slice(&bench.text).expect("JSON");
    black_box(&value);
    1
}

fn sonic_typed(bench: &Bench) -> usize {
    let page: Page<'_> = sonic_rs::from_slice(&bench.text).expect("JSON");
    black_box(&page).items.len()
}

fn serde_value(bench: &Bench) -> usize {
    let value: serde_json::Value = serde_json::from_slice(&bench.text).expect("JSON");
    black_box(&value);
    1
}

fn serde_typed(bench: &Bench) -> usize {
    let page: Page<'_> = serde_json::from_slice(&bench.text).expect("JSON");
    black_box(&page).items.len()
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Product<'a>>,
}

/// The five fields that are wanted, the seven others skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is read is not looked at")]
struct Product<'a> {
    id: &'a str,
    name: &'a str,
    price: f64,
    stock: u32,
    updated_at: &'a str,
}

fn text() -> String {
    let mut text = String::from("{\"items\":[");
    for id in 0.. {
        if text.len() >= 100_000 {
            break;
        }
        let comma = if id == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"id":"p-{id}","sku":"WEIR-{:05}","name":"Kettle number {id}","description":"Boils {id} litres of water, quietly and without a whistle.","price":{}.{:02},"currency":"EUR","stock":{},"rating":4.{},"merchantId":"u-{}","active":{},"createdAt":"2026-01-31T09:30:00Z","updatedAt":"2026-02-{:02}T10:00:00Z"}}"#,
            id * 7,
            id % 90 + 10,
            id % 100,
            id % 40,
            id % 10,
            id % 25,
            id % 3 != 0,
            id % 28 + 1,
        );
    }
    text + "]}"
}
