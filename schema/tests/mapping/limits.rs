//! Tests of limits: hostile mappings and input end quickly, with a report.

use super::*;
use schema::json::MAX_DEPTH;
use schema::mapping::{MAX_NESTING, MAX_REPORTS, ReportKind};

/// Nested syntax: prefix, repeated opening, middle, repeated closing, suffix.
const SHAPES: [[&str; 5]; 10] = [
    ["", "a {", "", "}", ""],
    ["", "a: {", "", "}", ""],
    ["x: ", "$(", "1", ")", ""],
    ["x: $(", "[", "", "]", ")"],
    ["x: $(", "{ a: ", "1", "}", ")"],
    ["x: ", "$.a->echo(", "1", ")", ""],
    ["x: $", "->echo([@])", "", "", ""],
    ["x: $", "->first", "", "", ""],
    ["x: $", "->as($v)", "->echo($v)", "", ""],
    ["x: $", "->echo([[[[@]]]])", "", "", ""],
];

fn nested([before, open, middle, close, behind]: [&str; 5], depth: usize) -> String {
    let (open, close) = (open.repeat(depth), close.repeat(depth));
    format!("{before}{open}{middle}{close}{behind}")
}

fn depth(json: &str) -> usize {
    let change = |byte| match byte {
        b'[' | b'{' => 1,
        b']' | b'}' => -1,
        _ => 0,
    };
    let depths = json.bytes().scan(0_isize, |depth, byte| {
        *depth += change(byte);
        Some(*depth)
    });
    depths.max().map_or(0, isize::unsigned_abs)
}

#[test]
fn nesting_is_bounded_and_the_maximum_evaluates() {
    let lists = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    let objects = "{\"a\":".repeat(MAX_DEPTH - 1) + "{}" + &"}".repeat(MAX_DEPTH - 1);
    for shape in SHAPES {
        for version in [V0_3, V0_4] {
            let depths: Vec<_> = (0..=MAX_NESTING + 1)
                .filter_map(|depth| Mapping::parse(&nested(shape, depth), version).ok())
                .collect();
            assert!(
                (10..=MAX_NESTING + 1).contains(&depths.len()),
                "{shape:?} {}",
                depths.len()
            );
            for mapping in &depths {
                for input in [&lists, &objects] {
                    let input = json(input);
                    let outcome = mapping.eval(Value::from(&input), &Vars::new());
                    assert!(depth(&shown(&outcome)) <= MAX_DEPTH + MAX_NESTING);
                    mapping.variables();
                }
                assert_eq!(
                    parse(&mapping.to_string(), version).to_string(),
                    mapping.to_string()
                );
            }
            let error = Mapping::parse(&nested(shape, 100_000), version).unwrap_err();
            assert_eq!(
                error.message, "nested more than 64 levels deep",
                "{shape:?}"
            );
        }
    }
}

/// Checks that the evaluation exceeds its work limit.
#[track_caller]
fn is_stopped(text: &str, input: &str) {
    let input = json(input);
    let mapping = parse(text, V0_3);
    let outcome = mapping.eval(Value::from(&input), &Vars::new());
    let last = outcome.reports.last().map(|report| report.kind);
    assert_eq!(last, Some(ReportKind::Limit), "{text}");
}

/// Input with large members, so that combining each element of one with another is quadratic.
fn large() -> String {
    let list = vec!["1"; 10_000].join(",");
    let members: Vec<_> = (0..10_000).map(|index| format!("\"k{index}\":1")).collect();
    let text = "x".repeat(20_000);
    format!(
        "{{\"l\":[{list}],\"s\":\"{text}\",\"o\":{{{}}}}}",
        members.join(",")
    )
}

#[test]
fn results_are_linear_in_the_input() {
    is_stopped("x: l->map($.l)", &large());
    is_stopped("x: l->map($.s)", &large());
    is_stopped("x: l->map({ own: @, all: $.o })", &large());
    let doubling = format!("x: $(1){}", "->echo([@, @])".repeat(20));
    is_stopped(&doubling, "null");
}

#[test]
fn work_on_lists_is_linear_in_the_input() {
    is_stopped("x: l->map($.l->map($.l->map(@)))", &large());
    is_stopped("x: l->filter($.l->contains(2))", &large());
}

#[test]
fn reading_lists_counts_as_work() {
    is_stopped("x: l->map($.l->get(9999))", &large());
    is_stopped("x: l->map($.l->last)", &large());
    is_stopped("x: l->map($.l->joinNotNull(','))", &large());
}

#[test]
fn work_on_objects_is_linear_in_the_input() {
    is_stopped("x: l->map($.o.k9999)", &large());
    is_stopped("x: l->map($.o->eq($.o))", &large());
}

#[test]
fn splitting_objects_counts_as_work() {
    is_stopped("x: l->map($.o->jsonStringify->size)", &large());
    is_stopped("x: l->map($.o->entries->size)", &large());
    is_stopped("x: l->map($.o->size)", &large());
}

#[test]
fn work_on_text_is_linear_in_the_input() {
    is_stopped(
        "x: s->jsonStringify->as($s)->echo($.l)->map($s->size)",
        &large(),
    );
    is_stopped("x: l->map($.s->size)", &large());
    is_stopped("x: l->map($.s->slice(1))", &large());
    is_stopped("x: l->map($.s->trim->size)", &large());
    is_stopped("x: l->map($.s->match(['a', 1]))", &large());
}

#[test]
fn linear_work_is_not_limited_for_large_input() {
    let list: Vec<_> = (0..20_000)
        .map(|id| format!("{{\"id\":{id},\"v\":\"{id}\"}}"))
        .collect();
    let input = json(&format!("{{\"l\":[{}]}}", list.join(",")));
    let mapping = parse(
        "a: l { id w: v x: id->eq(3) y: $(nope ?? 1) } b: l->map({ i: @.id, v: @.v->size }) c: l.v->joinNotNull(',') d: l->filter(@.id->gt(5)) e: l->last",
        V0_3,
    );
    let outcome = mapping.eval(Value::from(&input), &Vars::new());

    assert_eq!(described(&outcome.reports), [""; 0]);
    assert!(shown(&outcome).len() > 1_000_000);
}

#[test]
fn reports_are_limited_for_author_and_client() {
    let list: Vec<_> = (0..1000).map(|id| format!("{{\"id\":{id}}}")).collect();
    let input = json(&format!("[{}]", list.join(",")));
    let mapping = parse("nope e: id->withError(@->toString)", V0_3);
    let outcome = mapping.eval(Value::from(&input), &Vars::new());
    let count = |kind| {
        outcome
            .reports
            .iter()
            .filter(|report| report.kind == kind)
            .count()
    };

    assert_eq!(count(ReportKind::PropertyMissing), MAX_REPORTS);
    assert_eq!(count(ReportKind::AuthoredError), MAX_REPORTS);
    assert_eq!(outcome.reports.len(), 2 * MAX_REPORTS);
}

#[test]
fn a_very_large_object_is_read_in_linear_time() {
    let members: Vec<_> = (0..50_000)
        .map(|id| format!("\"user_name_{id}\":{id}"))
        .collect();
    let input = json(&format!("{{{}}}", members.join(",")));
    let mapping = parse(
        "a: $->keysToCamelCase->size b: $->entries->size c: $->eq($) d: user_name_7 e: $->jsonStringify->jsonParse->size",
        V0_3,
    );
    let outcome = mapping.eval(Value::from(&input), &Vars::new());

    assert_eq!(
        shown(&outcome),
        r#"{"a":50000,"b":50000,"c":true,"d":7,"e":50000}"#
    );
}
