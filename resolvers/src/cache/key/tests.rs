//! Keys: equal and different ones, and their text.

use proptest::prelude::*;

use super::*;

#[test]
fn a_key_can_be_read() {
    let parts = KeyParts {
        source: "products",
        type_name: "Product",
        entity: Some(r#"{ "id": "42" }"#),
        selection: "name price",
        arguments: Some(r#"{"b":1,"a":"x|y"}"#),
        headers: &[("x-tenant", b"blue")],
        caller: Some("user-7"),
    };
    assert_eq!(
        parts.text(KeyFormat::Full).unwrap(),
        r#"2|products|Product|name price|={"a":"x%7Cy","b":1}|x-tenant=blue&|=user-7|={"id":"42"}"#
    );
    let shown = parts.text(KeyFormat::Redacted).unwrap();
    assert!(
        !shown.contains("blue") && !shown.contains("user-7"),
        "{shown}"
    );
    assert_eq!(Key::from_parts(&parts).unwrap().to_string().len(), 40);
}

#[test]
fn keys_of_one_lookup_are_those_of_their_parts() {
    let parts = KeyParts {
        source: "products",
        type_name: "Product",
        entity: Some(r#"{"id":"42"}"#),
        caller: Some("user-7"),
        ..KeyParts::default()
    };
    let for_all = KeyParts {
        caller: None,
        ..parts
    };

    let ScopedKeys { shared, private } = KeyPrefix::from_parts(&parts).unwrap().keys(parts.entity);

    assert_eq!(Some(shared), Key::from_parts(&for_all));
    assert_eq!(private, Key::from_parts(&parts));
    assert_ne!(private, Some(shared));
    assert_eq!(
        KeyPrefix::from_parts(&for_all).unwrap().keys(None).private,
        None
    );
}

#[test]
fn numbers_strings_and_absent_entities_have_different_keys() {
    let key = |entity| {
        Key::from_parts(&KeyParts {
            entity,
            ..KeyParts::default()
        })
    };
    let all = [
        key(Some(r#"{"id":1}"#)),
        key(Some(r#"{"id":"1"}"#)),
        key(Some(r#"{"id":null}"#)),
        key(Some(r#"{"id":9007199254740993}"#)),
        key(Some(r#"{"id":9007199254740992}"#)),
        key(Some(r#"{"id":123456789012345678901234567890}"#)),
        key(Some(r#"{"id":123456789012345678901234567891}"#)),
        key(Some(r#"{"id":""}"#)),
        key(Some("\"\"")),
        key(None),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(one.is_some());
        assert!(!all[index + 1..].contains(one), "{index}");
    }
}

#[test]
fn invalid_json_has_no_key() {
    let parts = KeyParts {
        entity: Some("{"),
        ..KeyParts::default()
    };
    assert_eq!(Key::from_parts(&parts), None);
}

#[test]
fn equal_strings_have_one_canonical_form() {
    assert_eq!(
        canonical_json(r#""\u0041\/\n""#),
        canonical_json("\"A/\\u000a\"")
    );
    assert_eq!(canonical_json(r#"{"a":1,"a":2}"#).unwrap(), r#"{"a":2}"#);
}

/// A key in owned parts, as a test makes them up.
#[derive(Clone, Debug, PartialEq)]
struct OwnedParts {
    source: String,
    type_name: String,
    entity: Option<serde_json::Value>,
    selection: String,
    arguments: Option<serde_json::Value>,
    headers: Vec<(String, Vec<u8>)>,
    caller: Option<String>,
}

impl OwnedParts {
    fn text(&self) -> String {
        self.text_with(serde_json::Value::to_string)
    }

    fn text_with(&self, json: impl Fn(&serde_json::Value) -> String) -> String {
        let entity = self.entity.as_ref().map(&json);
        let arguments = self.arguments.as_ref().map(&json);
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        let parts = KeyParts {
            source: &self.source,
            type_name: &self.type_name,
            entity: entity.as_deref(),
            selection: &self.selection,
            arguments: arguments.as_deref(),
            headers: &headers,
            caller: self.caller.as_deref(),
        };
        parts.text(KeyFormat::Full).unwrap()
    }
}

proptest! {
    #[test]
    fn the_order_of_members_does_not_matter(value in json()) {
        let text = value.to_string();
        prop_assert_eq!(canonical_json(&text), canonical_json(&backwards(&value)));
    }

    #[test]
    fn canonical_text_means_the_same(value in json()) {
        let text = canonical_json(&value.to_string()).unwrap();
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    // A text that can be parsed back into its parts is unique.
    #[test]
    fn a_text_can_be_read_back(made in owned_parts()) {
        prop_assert_eq!(made.text_with(backwards), made.text());
        prop_assert_eq!(parse_parts(&made.text()), made);
    }
}

/// The inverse of [`KeyParts::text`].
fn parse_parts(text: &str) -> OwnedParts {
    let parts: Vec<&str> = text.split('|').collect();
    assert_eq!(parts.len(), 8, "{text}");
    let plain = |index: usize| String::from_utf8(unescape(parts[index])).unwrap();
    let optional = |index: usize| {
        let value = parts[index].strip_prefix('=');
        value.map(|value| String::from_utf8(unescape(value)).unwrap())
    };
    let json = |index: usize| optional(index).map(|text| serde_json::from_str(&text).unwrap());
    let headers = parts[5].split_terminator('&').map(|header| {
        let (name, value) = header.split_once('=').unwrap();
        (String::from_utf8(unescape(name)).unwrap(), unescape(value))
    });
    OwnedParts {
        source: plain(1),
        type_name: plain(2),
        entity: json(7),
        selection: plain(3),
        arguments: json(4),
        headers: headers.collect(),
        caller: optional(6),
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let code = [bytes.next().unwrap(), bytes.next().unwrap()];
            let code = str::from_utf8(&code).unwrap().to_owned();
            out.push(u8::from_str_radix(&code, 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    out
}

/// The same value with the members of every object in the other order.
fn backwards(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .rev()
                .map(|(name, value)| format!("{} : {}", serde_json::json!(name), backwards(value)))
                .collect();
            format!("{{ {} }}", members.join(" , "))
        }
        serde_json::Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(backwards).collect();
            format!("[{}]", elements.join(","))
        }
        other => other.to_string(),
    }
}

fn owned_parts() -> impl Strategy<Value = OwnedParts> {
    let text = "[a|=&%~\\-\\\\\"\u{e9}\n ]{0,6}";
    let headers = prop::collection::btree_map(text, prop::collection::vec(any::<u8>(), 0..4), 0..3);
    (
        (text, text, text),
        prop::option::of(json()),
        prop::option::of(json()),
        headers,
        prop::option::of(text),
    )
        .prop_map(
            |((source, type_name, selection), entity, arguments, headers, caller)| OwnedParts {
                source,
                type_name,
                entity,
                selection,
                arguments,
                headers: headers.into_iter().collect(),
                caller,
            },
        )
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(".{0,3}", inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}
