//! Tests that a list evaluates like its elements one by one.

use bytes::Bytes;
use proptest::prelude::*;

use crate::json::{Json, Value};
use crate::mapping::{Mapping, PathElement, Report, Vars, Version};

const MAPPINGS: &[&str] = &[
    "a b",
    "x: a y: b z: a",
    "a b: c.d e: c.d->first",
    "a? b { a c }",
    "c { d a } x: $.a y: @.b",
    "a: { b c { d } } b",
    "a c->as($it) { d x: $it }",
    "c { a } a b: c->map(@.d)",
];

/// The value and the reports of a mapping.
fn evaluated(mapping: &Mapping, text: &str) -> (Option<String>, Vec<Report>) {
    let json = Json::parse(Bytes::from(text.to_owned())).unwrap();
    let outcome = mapping.eval(Value::from(&json), &Vars::new());
    (outcome.value.map(|value| value.to_json()), outcome.reports)
}

fn object() -> impl Strategy<Value = String> {
    let key = prop::sample::select(&["a", "b", "c", "d"][..]);
    let scalar = prop::sample::select(&["1", "\"t\"", "null", "[]"][..]);
    let value = scalar.prop_map(str::to_owned);
    let value = value.prop_recursive(3, 12, 4, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3);
        let list = list.prop_map(|all| format!("[{}]", all.join(",")));
        prop_oneof![object_of(key.clone(), inner), list]
    });
    object_of(prop::sample::select(&["a", "b", "c", "d"][..]), value)
}

fn object_of(
    key: impl Strategy<Value = &'static str>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    prop::collection::vec((key, value), 0..5).prop_map(|members| {
        let members = members
            .iter()
            .map(|(key, value)| format!("\"{key}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    })
}

proptest! {
    #[test]
    fn a_list_evaluates_like_its_elements_one_by_one(
        elements in prop::collection::vec(object(), 1..5),
        mapping in prop::sample::select(MAPPINGS),
    ) {
        let mapping = Mapping::parse(mapping, Version::V0_3).unwrap();
        let (value, reports) = evaluated(&mapping, &format!("[{}]", elements.join(",")));
        let mut values = Vec::new();
        let mut expected = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            let (value, reports) = evaluated(&mapping, element);
            values.extend(value);
            expected.extend(reports.into_iter().map(|mut report| {
                report.path.insert(0, PathElement::Index(index));
                report
            }));
        }
        prop_assert_eq!(value, Some(format!("[{}]", values.join(","))));
        prop_assert_eq!(reports, expected);
    }
}
