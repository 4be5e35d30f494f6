//! Hostile mappings and hostile input: everything ends, soon, and says so.

use super::*;
use schema::json::MAX_DEPTH;
use schema::mapping::{MAX_NESTING, MAX_REPORTS, ReportKind};

/// Ways of nesting: before, what is repeated, in the middle, what is repeated, behind.
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

#[test]
fn nesting_in_a_mapping_is_bounded_and_what_is_allowed_runs() {
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
                    let shown = shown(&outcome);
                    // Whatever comes out is not deeper than its parts together.
                    assert!(shown.len() <= 10 * (MAX_DEPTH + MAX_NESTING) * 10);
                    mapping.variables();
                }
                assert!(!mapping.to_string().contains("...."));
            }
            let error = Mapping::parse(&nested(shape, 100_000), version).unwrap_err();
            assert_eq!(
                error.message, "nested more than 64 levels deep",
                "{shape:?}"
            );
        }
    }
}

/// The reports of a mapping that is expected to be stopped.
#[track_caller]
fn is_stopped(text: &str, input: &str) {
    let input = json(input);
    let mapping = parse(text, V0_3);
    let outcome = mapping.eval(Value::from(&input), &Vars::new());
    let last = outcome.reports.last().map(|report| report.kind);
    assert_eq!(last, Some(ReportKind::Limit), "{text}");
}

#[test]
fn work_grows_with_the_input_and_not_with_its_square() {
    let list = |len: usize| format!("[{}]", vec!["1"; len].join(","));
    let text = "x".repeat(20_000);
    let wide = |len: usize| {
        let members: Vec<_> = (0..len).map(|index| format!("\"k{index}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    let both = format!(
        "{{\"l\":{},\"s\":\"{text}\",\"o\":{}}}",
        list(10_000),
        wide(10_000)
    );

    is_stopped("x: l->map($.l->map($.l->map(@)))", &both);
    is_stopped("x: l->map($.l)", &both);
    is_stopped("x: l->map($.s)", &both);
    is_stopped("x: l->map({ own: @, all: $.o })", &both);
    is_stopped("x: l->filter($.l->contains(2))", &both);
    is_stopped("x: l->map($.o.k9999)", &both);
    is_stopped("x: l->map($.o->eq($.o))", &both);
    is_stopped("x: l->map($.l->get(9999))", &both);
    is_stopped("x: l->map($.l->last)", &both);
    is_stopped(
        "x: s->jsonStringify->as($s)->echo($.l)->map($s->size)",
        &both,
    );
    is_stopped("x: l->map($.s->slice(1))", &both);
    is_stopped("x: l->map($.s->trim->size)", &both);
    is_stopped("x: l->map($.l->joinNotNull(','))", &both);
    is_stopped("x: l->map($.o->jsonStringify->size)", &both);
    is_stopped("x: l->map($.o->entries->size)", &both);
    is_stopped("x: l->map($.o->size)", &both);
    let doubling = format!("x: $(1){}", "->echo([@, @])".repeat(20));
    is_stopped(&doubling, "null");
}

#[test]
fn what_is_linear_is_not_stopped_however_large_the_input() {
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
fn reports_are_bounded_for_each_audience() {
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
fn an_object_with_very_many_members_is_read_in_time() {
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
