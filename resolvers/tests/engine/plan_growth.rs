//! How the time of planning grows with the graph and the operation: a client chooses the operation,
//! so the time must not grow with the square of anything.

use std::fmt::Write as _;
use std::time::Duration;

use resolvers::Engine;

use crate::support::{graph, settings};

/// An engine over an interface of `count` types, entities of two subgraphs.
fn engine(count: usize) -> Engine {
    let head =
        r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])"#;
    let mut first = format!(
        "{head} type Query {{ node(id: ID): Node }} \
         interface Node {{ id: ID! name: String next: Node }} "
    );
    let mut second = head.to_owned();
    for number in 0..count {
        let _ = write!(
            first,
            "type T{number} implements Node @key(fields: \"id\") {{ id: ID! name: String next: Node }} "
        );
        let _ = write!(
            second,
            " type T{number} @key(fields: \"id\") {{ id: ID! price: Int }}"
        );
    }
    let graph = graph(&[("first", first.as_str()), ("second", second.as_str())]);
    let mut settings = settings();
    settings.limits.tokens = 1_000_000;
    settings.limits.root_fields = 10_000;
    settings.limits.aliases = 10_000;
    settings.limits.fields = 100_000;
    settings.limits.selections = 100_000;
    Engine::new(graph, settings).unwrap()
}

/// The least time of several runs on a core: other processes slow some of them down.
fn time(engine: &Engine, query: &str) -> Duration {
    let times = (0..3).map(|_| {
        let before = time_on_core();
        engine.time_planning(query).unwrap();
        time_on_core().saturating_sub(before)
    });
    times.min().unwrap()
}

/// The time that this thread has had a core, as accurate as the ticks of the scheduler.
fn time_on_core() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos = statistics.split(' ').next().unwrap();
    Duration::from_nanos(nanos.parse().unwrap())
}

/// Checks that eight times the work takes about eight times as long.
#[track_caller]
fn assert_linear(small: Duration, large: Duration) {
    let growth = large.as_secs_f64() / small.as_secs_f64();
    assert!(growth < 20.0, "{growth:.1} times: {small:?}, {large:?}");
}

fn roots(count: usize) -> String {
    let fields = (0..count).map(|n| format!("r{n}: node(id: {n}) {{ id name }} "));
    format!("{{ {} }}", fields.collect::<String>())
}

#[test]
fn planning_is_linear_in_the_types_of_an_interface() {
    let (few, many) = (engine(40), engine(320));

    assert_linear(time(&few, &roots(40)), time(&many, &roots(40)));
}

#[test]
fn planning_is_linear_in_the_root_fields() {
    let engine = engine(10);

    assert_linear(time(&engine, &roots(200)), time(&engine, &roots(1_600)));
}

#[test]
fn planning_is_linear_in_the_fields_of_one_object() {
    let engine = engine(10);
    let fields = |count: usize| {
        let fields = (0..count).map(|n| format!("a{n}: name b{n}: next {{ id name }} "));
        format!("{{ node(id: 1) {{ {} }} }}", fields.collect::<String>())
    };

    assert_linear(time(&engine, &fields(100)), time(&engine, &fields(800)));
}
