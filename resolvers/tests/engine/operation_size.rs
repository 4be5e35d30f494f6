//! The estimated bytes of cached operations, beside the memory that the process takes for them.
//!
//! Each test has a process of its own.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use resolvers::Engine;

use crate::support::{commerce, graph, settings};

const FEDERATION: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])"#;

/// An engine over a type of two subgraphs, with a cache that keeps every operation.
fn engine(cache_size: usize) -> Engine {
    let (mut first, mut second) = (String::new(), String::new());
    for number in 0..20 {
        let _ = write!(first, "a{number}(n: Int): Int ");
        let _ = write!(second, "b{number}(n: Int): Int ");
    }
    let first = format!(
        "{FEDERATION} type Query {{ one: T many: [T] }} \
         type T @key(fields: \"id\") {{ id: ID! next: T {first} }}"
    );
    let second =
        format!("{FEDERATION} type T @key(fields: \"id\") {{ id: ID! other: T {second} }}");
    let graph = graph(&[("first", first.as_str()), ("second", second.as_str())]);
    let mut settings = settings();
    settings.prepared_operations = NonZeroUsize::new(1_000_000).unwrap();
    settings.operation_cache_size = cache_size;
    settings.limits.tokens = 100_000;
    Engine::new(graph, settings).unwrap()
}

/// `count` aliases of a field, with different arguments.
fn fields(count: usize, field: &str) -> String {
    let fields = (0..count).map(|number| format!("x{number}: {field}(n: {number}) "));
    fields.collect()
}

/// Resident bytes of the process.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

fn estimated(engine: &Engine) -> usize {
    usize::try_from(engine.operation_cache_usage().bytes).unwrap()
}

/// Caches copies of an operation and compares the estimated with the resident bytes.
#[track_caller]
fn check(engine: &Engine, selections: &str) {
    let mut copy = 0;
    let mut prepare = || {
        copy += 1;
        let document = format!("query Q{copy} {selections}");
        drop(engine.plan_json(&document, None).unwrap());
    };
    // The first ones take what preparing itself needs.
    (0..10).for_each(|_| prepare());
    let before = (estimated(engine), resident());
    while estimated(engine) < before.0 + 12 * 1024 * 1024 {
        prepare();
    }
    let estimated = estimated(engine) - before.0;
    let held = resident() - before.1;
    let copies = copy - 10;
    let percent = estimated * 100 / held.max(1);
    let line = format!(
        "{} bytes: {} estimated, {} held, {percent} %",
        selections.len(),
        estimated / copies,
        held / copies,
    );
    assert!((50..=200).contains(&percent), "{line}");
}

#[test]
fn a_small_operation() {
    check(&engine(1 << 30), "{ one { id a1 b2 } }");
}

#[test]
fn a_usual_operation() {
    let fields = "id a1(n: $n) a2 a3 a4 a5 b1(n: $n) b2 b3 b4 b5 next { id a1 a2 b3 }";
    check(
        &engine(1 << 30),
        &format!("($n: Int) {{ many {{ {fields} }} }}"),
    );
}

#[test]
fn many_fields_of_one_source() {
    let fields = fields(400, "a1");
    check(&engine(1 << 30), &format!("{{ one {{ {fields} }} }}"));
}

#[test]
fn many_fields_of_another_source() {
    let fields = fields(400, "b1");
    check(&engine(1 << 30), &format!("{{ one {{ {fields} }} }}"));
}

#[test]
fn equal_fields() {
    let fields = "a1 a2 b1 b2 ".repeat(400);
    check(&engine(1 << 30), &format!("{{ one {{ {fields} }} }}"));
}

#[test]
fn many_root_fields() {
    let fields = (0..300).map(|number| format!("r{number}: one {{ id b1 }} "));
    check(
        &engine(1 << 30),
        &format!("{{ {} }}", fields.collect::<String>()),
    );
}

#[test]
fn nested_fields() {
    let nested = (0..16).fold("id a1 b1".to_owned(), |inner, _| {
        format!("id next {{ {inner} }}")
    });
    check(&engine(1 << 30), &format!("{{ one {{ {nested} }} }}"));
}

#[test]
fn fields_of_one_source_inside_of_another() {
    let crossing = (0..6).fold("id b1".to_owned(), |inner, _| {
        format!("id a1 other {{ {inner} }}")
    });
    check(&engine(1 << 30), &format!("{{ one {{ {crossing} }} }}"));
}

#[test]
fn fragments_that_are_spread_often() {
    let spreads = "...F ".repeat(10);
    let fragment = "fragment F on T { a1 a2 a3 b1 b2 b3 next { id a4 b4 } }";
    let selections = format!("{{ one {{ {spreads} next {{ {spreads} }} }} }} {fragment}");
    check(&engine(1 << 30), &selections);
}

#[test]
fn a_long_comment() {
    let comment = "x".repeat(20_000);
    check(&engine(1 << 30), &format!("{{ one {{ a1 }} }} # {comment}"));
}

#[test]
fn a_long_list_in_the_document() {
    let sdl = "type Query { find(ids: [Int]): Int }";
    let graph = graph(&[("one", sdl)]);
    let mut settings = settings();
    settings.prepared_operations = NonZeroUsize::new(1_000_000).unwrap();
    settings.operation_cache_size = 1 << 30;
    let engine = Engine::new(graph, settings).unwrap();
    check(
        &engine,
        &format!("{{ find(ids: [{}]) }}", "1 ".repeat(4_000)),
    );
}

#[test]
fn operations_of_the_shop() {
    let mut settings = settings();
    settings.prepared_operations = NonZeroUsize::new(1_000_000).unwrap();
    settings.operation_cache_size = 1 << 30;
    let engine = Engine::new(graph(&commerce()), settings).unwrap();
    check(
        &engine,
        "{ users(first: 10) { nodes { id name orders { items { quantity product { \
         id name merchant { id name } } } } } } }",
    );
}

#[test]
fn the_cache_keeps_its_maximum_of_bytes_and_of_operations() {
    let engine = engine(4 << 20);
    let fields = fields(100, "a1");
    for number in 0..200 {
        let document = format!("query Q{number} {{ one {{ {fields} }} }}");
        drop(engine.plan_json(&document, None).unwrap());
    }
    let usage = engine.operation_cache_usage();
    assert!(usage.bytes <= 4 << 20, "{usage:?}");
    assert!((5..100).contains(&usage.operations), "{usage:?}");

    let mut settings = settings();
    settings.prepared_operations = NonZeroUsize::new(10).unwrap();
    let engine = Engine::new(graph(&commerce()), settings).unwrap();
    for number in 0..50 {
        let document = format!("query Q{number} {{ user(id: 1) {{ name }} }}");
        drop(engine.plan_json(&document, None).unwrap());
    }
    assert_eq!(engine.operation_cache_usage().operations, 10);
}

#[test]
fn an_operation_over_a_quarter_of_the_cache_is_not_cached() {
    let engine = engine(1 << 20);
    let fields = fields(1_500, "a1");

    drop(
        engine
            .plan_json(&format!("{{ one {{ {fields} }} }}"), None)
            .unwrap(),
    );
    assert_eq!(engine.operation_cache_usage().operations, 0);

    drop(engine.plan_json("{ one { a1 } }", None).unwrap());
    assert_eq!(engine.operation_cache_usage().operations, 1);
}
