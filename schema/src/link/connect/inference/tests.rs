//! Inferred types, a line each: version, expression, type in words.

use super::*;
use crate::mapping::Mapping;

#[track_caller]
fn check(version: Version, text: &str, expected: &str) {
    let mapping = Mapping::parse(text, version).unwrap();
    let types = Types::default();
    let mut inference = TypeInference::new(&types, version);
    let inferred = inference.infer(mapping.ast(), InferredType::ANY);
    assert_eq!(inferred.description(), expected, "{text}");
}

const ANYTHING: &str = "a boolean or a number or a string or an object or a list";

#[test]
fn literals_and_variables_have_their_types() {
    for (text, expected) in [
        ("$('a')", "a string"),
        ("$(1)", "a number"),
        ("$(true)", "a boolean"),
        ("$([1])", "a list"),
        ("$({ a: 1 })", "an object"),
        ("$(null)", ""),
        ("id name", "an object"),
        ("$status", "a number"),
        ("$env.HOST", "a string"),
        ("$request.headers", "an object"),
        ("$request.headers.accept", "a list"),
        ("$request.headers.accept->first", "a string"),
        ("$config.x", ANYTHING),
        ("$.x", ANYTHING),
    ] {
        check(Version::V0_3, text, expected);
    }
}

#[test]
fn methods_have_result_types() {
    for (text, expected) in [
        ("$.x->size", "a number"),
        ("$.x->eq(1)", "a boolean"),
        ("$.x->joinNotNull(',')", "a string"),
        ("$.x->map(@.id)", "a list"),
        ("$.x->entries->first", "an object"),
        ("$('a,b')->split(',')->last", "a string"),
        ("$([1, 'a'])->first", "a number or a string"),
        ("$([1, 2])->map(@->toString)->first", "a string"),
        ("$([1, 2])->filter(@->gt(1))->first", "a number"),
        ("$.x->match(['a', 1], [@, 'none'])", "a number or a string"),
        ("$(1)->as($n)->echo([$n])", "a list"),
        ("$(1)->as($n)->echo($n)", "a number"),
        ("$.x->noSuchMethod", ANYTHING),
        ("$(null ?? 'a')", "a string"),
    ] {
        check(Version::V0_3, text, expected);
    }
}

#[test]
fn older_versions_do_not_infer_methods() {
    check(Version::V0_2, "$.x->size", ANYTHING);
    check(Version::V0_2, "$status", "a number");
}

#[test]
fn groups_preserve_lists() {
    check(Version::V0_3, "$([{ a: 1 }]) { a }", "a list");
    check(Version::V0_3, "$({ a: 1 }) { a }", "an object");
    check(Version::V0_3, "$.x { a }", "an object or a list");
}

#[test]
fn types_stay_small_where_texts_double_at_each_step() {
    let text = format!(
        "$.x{}",
        "->match(['a', { x: @ }], ['b', [@, @]])".repeat(15)
    );
    check(Version::V0_3, &text, "an object or a list");
    let text = format!("$.x{}", "->echo([@, [@]])".repeat(15));
    check(Version::V0_3, &text, "a list");
}
