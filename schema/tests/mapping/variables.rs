//! Tests of the variables that a mapping uses.

use super::*;
use schema::mapping::{UsedField, used_fields};

#[track_caller]
fn uses(text: &str, expected: &[&str]) {
    let mapping = parse(text, V0_3);
    let found: Vec<_> = mapping
        .variables()
        .iter()
        .map(|used| {
            assert_eq!(
                text.get(used.range.clone()).unwrap_or_default(),
                format!("${}", used.name)
            );
            format!("${}{}", used.name, fields(text, &used.fields))
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

fn fields(text: &str, used: &[UsedField]) -> String {
    let inside: Vec<_> = used
        .iter()
        .map(|field| {
            let key = text.get(field.range.clone()).unwrap_or_default();
            assert!(key.contains(&field.name));
            format!("{}{}", field.name, fields(text, &field.fields))
        })
        .collect();
    if inside.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", inside.join(" "))
    }
}

#[test]
fn every_use_is_listed_with_the_fields_read() {
    uses("id name { a }", &[]);
    uses("$args", &["$args"]);
    uses("a: $args.a.b c: $this.c", &["$args{a{b}}", "$this{c}"]);
    uses("a: $args.a.b { c d: e.f? }", &["$args{a{b{c e{f}}}}"]);
    uses("a: $this { a { b } x: { y } }", &["$this{a{b} y}"]);
    uses("$batch.id->joinNotNull(',')", &["$batch{id}"]);
    uses("ids: $batch->map(@.id)", &["$batch{id}"]);
    uses(
        "x: $batch { id n: $config.n }",
        &["$batch{id}", "$config{n}"],
    );
    uses(
        "x: $args.list->filter(@.on)->first.id",
        &["$args{list{on id}}"],
    );
    uses(
        "x: $({ a: $args.a, b: [$this.b ?? $args.'c d'] })",
        &["$args{a}", "$this{b}", "$args{c d}"],
    );
    uses("x: $args.s->jsonParse.y", &["$args{s}"]);
    uses("x: y->match([$args.k, $this.v])", &["$args{k}", "$this{v}"]);
}

#[test]
fn local_variables_are_not_uses() {
    uses("x: $args.a->as($v)->echo($v.b)", &["$args{a{b}}"]);
    uses("x: id->as($args)->echo($args.b)", &[]);
    uses("x: id->as($v, $this.o) { y: $v.z }", &["$this{o{z}}"]);
    uses("x: id->as($v) y: $v.z", &["$v{z}"]);
}

#[test]
fn uses_of_one_variable_are_merged() {
    let mapping = parse(
        "a: $this.a.b b: $this { c a { d } } c: $args.q d: $this.c",
        V0_3,
    );
    let used = mapping.variables();
    let this = used_fields(&used, "this");

    assert_eq!(fields(mapping.text(), &this), "{a{b d} c}");
    assert!(used_fields(&used, "batch").is_empty());
}
