//! Tests of parsing and reading documents, with `serde_json` as reference.

use proptest::prelude::*;

use super::*;

fn json(text: &str) -> Json {
    Json::parse(Bytes::from(text.to_owned())).unwrap()
}

fn error(text: impl Into<Bytes>) -> String {
    Json::parse(text.into()).unwrap_err().to_string()
}

/// Converts nodes to `serde_json`, through every accessor.
fn read(node: Node<'_>) -> serde_json::Value {
    match node.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(value) => value.into(),
        Kind::Number(text) => serde_json::from_str(text).unwrap(),
        Kind::String(text) => text.decode().into_owned().into(),
        Kind::List(elements) => {
            assert_eq!(elements.len(), node.len());
            elements.map(read).collect()
        }
        Kind::Object(members) => {
            assert_eq!(members.len(), node.len());
            let members = members.map(|(key, value)| (key.decode().into_owned(), read(value)));
            serde_json::Value::Object(members.collect())
        }
    }
}

fn agree(text: &[u8]) -> Result<(), TestCaseError> {
    let ours = Json::parse(Bytes::copy_from_slice(text));
    match (&ours, serde_json::from_slice::<serde_json::Value>(text)) {
        (Ok(ours), Ok(theirs)) => prop_assert_eq!(read(ours.root()), theirs),
        // `serde_json` rejects numbers out of the range of a double; Weir keeps them as text.
        (_, Err(error)) if error.to_string().contains("out of range") => {}
        (Err(_), Err(_)) => {}
        (ours, theirs) => prop_assert!(false, "{ours:?} and {theirs:?}"),
    }
    Ok(())
}

/// Nested objects that share some keys, in different orders.
fn similar() -> impl Strategy<Value = String> {
    let space = prop::sample::select(&["", "", " ", "\n  "][..]);
    let key = prop::sample::select(
        &[
            r#""a""#,
            r#""b""#,
            r#""ab""#,
            r#""""#,
            r#""a\"b""#,
            r#""key of more than sixteen bytes""#,
            r#""key of more than sixteen bytez""#,
            r#""fourteen bytes""#,
        ][..],
    );
    let scalar = prop::sample::select(&["1", "-2.5e3", "true", "null", r#""""#, r#""x\n""#][..]);
    let scalar = scalar.prop_map(str::to_owned);
    let value = scalar.prop_recursive(3, 12, 4, move |inner| {
        let member = (key.clone(), space.clone(), inner.clone());
        let members = prop::collection::vec(member, 0..6);
        let object = members.prop_map(|members| {
            let members = members
                .iter()
                .map(|(k, s, v)| format!("{s}{k}{s}:{s}{v}{s}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        let list = prop::collection::vec(inner, 0..4);
        prop_oneof![3 => object, 1 => list.prop_map(|all| format!("[{}]", all.join(",")))]
    });
    prop::collection::vec(value, 0..6).prop_map(|all| format!("[{}]", all.join(",")))
}

fn document() -> impl Strategy<Value = String> {
    let space = prop::sample::select(&["", " ", "\n\t ", "\r"][..]);
    let text = prop::string::string_regex(
        r#""([ -!#-\[\]-~é😀]|\\[nt"/\\]|\\u00[0-7][0-9a-f]|\\ud83d\\ude0[0-9]){0,20}""#,
    );
    let text = text.unwrap().boxed();
    let number =
        prop::string::string_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?");
    let word = prop::sample::select(&["true", "false", "null"][..]).prop_map(str::to_owned);
    let leaf = prop_oneof![text.clone(), number.unwrap(), word];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let list = prop::collection::vec((space.clone(), inner.clone()), 0..8);
        let list = list.prop_map(|elements| {
            let elements: Vec<_> = elements.iter().map(|(s, e)| format!("{s}{e}{s}")).collect();
            format!("[{}]", elements.join(","))
        });
        let object = prop::collection::vec((space.clone(), text.clone(), inner), 0..8);
        let object = object.prop_map(|members| {
            let members = members.iter().map(|(s, k, v)| format!("{s}{k}{s}:{s}{v}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        prop_oneof![list, object]
    })
}

proptest! {
    #[test]
    fn documents_parse_as_in_serde_json(text in document()) {
        agree(text.as_bytes())?;
    }

    #[test]
    fn documents_with_a_changed_byte_parse_or_fail_as_in_serde_json(
        text in document(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut text = text.into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        agree(&text)?;
        agree(&text[..at])?;
    }

    #[test]
    fn random_tokens_parse_or_fail_as_in_serde_json(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..12),
    ) {
        agree(tokens.concat().as_bytes())?;
    }

    #[test]
    fn lists_of_similar_objects_parse_as_in_serde_json(text in similar()) {
        agree(text.as_bytes())?;
        for end in 0..text.len() {
            agree(&text.as_bytes()[..end])?;
        }
    }

    #[test]
    fn recalled_members_are_those_that_a_search_finds(text in similar()) {
        let json = json(&text);
        let wanted = ["b", "key of more than sixteen bytes", "a\"b", ""];
        let find = |key: Str<'_>| wanted.iter().position(|wanted| key.is(wanted));
        let mut recall = Recall::default();
        for object in json.root().elements() {
            let mut recalled = Vec::new();
            recall.members(object, find, |at, member| recalled.push((at, member.span())));
            let members = object.members();
            let found = members.filter_map(|(key, member)| Some((find(key)?, member.span())));
            prop_assert_eq!(recalled, found.collect::<Vec<_>>());
        }
    }

    #[test]
    fn special_bytes_are_found_in_texts_of_any_length(
        text in prop::collection::vec(prop::sample::select(&b" \n\t\ra\"\\\x00\x1f\x20\x7f\xff"[..]), 0..70),
        at in 0_usize..80,
    ) {
        let from = text.get(at..).unwrap_or_default();
        let first = |is: fn(&u8) -> bool| at + from.iter().position(is).unwrap_or(from.len());
        let special = first(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        prop_assert_eq!(text::special(&text, at), special);
        let other = first(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
        prop_assert_eq!(text::skip_space(&text, at), other);
    }

    #[test]
    fn compact_text_parses_to_the_same_value(text in document()) {
        let json = json(&text);
        let value = Value::Node(json.root());
        let compact = tests::json(&value.to_json());
        prop_assert_eq!(read(compact.root()), read(json.root()));
        // Computed objects have unique keys.
        let owned = tests::json(&value.to_owned_value().to_json());
        prop_assert_eq!(read(owned.root()), read(json.root()));
    }
}

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\"\"",
    "\"a\"",
    "\"a\":",
    "1",
    "-0",
    "-",
    "01",
    "1.",
    "1.5e3",
    "1e",
    ".5",
    "true",
    "tru",
    "null",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\udc00\"",
    "\"\\ud83d\\n\"",
    "\"\\x\"",
    "\"",
    "\\",
    "\u{1}",
    "\"\u{1}\"",
    "\u{feff}",
    "é",
    "\"é\"",
    "[]",
    "{}",
    "\u{7f}",
    "\"\\u12\"",
    "+1",
    "NaN",
];

#[test]
fn a_document_is_send_and_sync() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Json>();
}

#[test]
fn errors_have_a_message_and_an_offset() {
    assert_eq!(error(""), "expected a value at byte 0");
    assert_eq!(error("[1,]"), "expected a value at byte 3");
    assert_eq!(error("{\"a\" 1}"), "expected `:` at byte 5");
    assert_eq!(
        error("{\"a\":1,}"),
        "expected a key in double quotes at byte 7"
    );
    assert_eq!(error("[1 2]"), "expected `,` or `]` at byte 3");
    assert_eq!(error("{\"a\":1]"), "expected `,` or `}` at byte 6");
    assert_eq!(error("1 2"), "unexpected text after the value at byte 2");
    assert_eq!(error("\"abc"), "unclosed string at byte 4");
    assert_eq!(
        error("\"a\nb\""),
        "a control character inside a string at byte 2"
    );
    assert_eq!(error("\"\\ud800x\""), "a lone surrogate at byte 1");
    assert_eq!(error("\"\\q\""), "an invalid escape sequence at byte 1");
    assert_eq!(
        error(&b"\"\xff\""[..]),
        "bytes that are not UTF-8 at byte 1"
    );
}

#[test]
fn nesting_up_to_the_limit_is_accepted() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);

    assert!(Json::parse(nested(MAX_DEPTH).into()).is_ok());
    assert_eq!(error(nested(MAX_DEPTH + 1)), "nested too deep at byte 128");
    assert_eq!(error("[".repeat(1_000_000)), "nested too deep at byte 128");
    assert_eq!(
        error("{\"a\":".repeat(1_000_000)),
        "nested too deep at byte 640"
    );
}

#[test]
fn get_returns_the_last_of_duplicate_keys() {
    let json = json(r#" {"a":1,"b":{"a":[1,[2,3]]},"\u0061":2,"":3} "#);
    let root = json.root();
    let raw = |key: &str| root.get(key).map(Node::raw);

    assert_eq!(raw("a"), Some("2"));
    assert_eq!(raw("b"), Some(r#"{"a":[1,[2,3]]}"#));
    assert_eq!(raw(""), Some("3"));
    assert_eq!(raw("c"), None);
    assert_eq!(root.len(), 4);
    assert_eq!(root.get("a").unwrap().get("a").map(Node::raw), None);
    let inner = root.get("b").unwrap().get("a").unwrap();
    assert_eq!(
        inner.elements().map(Node::raw).collect::<Vec<_>>(),
        ["1", "[2,3]"]
    );
    let (start, len) = inner.span();
    assert_eq!(
        &json.text()[start as usize..(start + len) as usize],
        b"[1,[2,3]]"
    );
}

#[test]
fn equal_keys_of_similar_objects_share_one_range() {
    // The last 16 bytes of a text are never compared, so the document ends with a filler.
    let json = json(r#"[{"a":{"b":1},"c":2},{"a":{"b":3},"c":4},"sixteen and more"]"#);
    let objects: Vec<_> = json.root().elements().collect();
    let key_addresses = |object: Node<'_>| -> Vec<_> {
        let keys = object.members().map(|(key, _)| key.raw_bytes().as_ptr());
        keys.collect()
    };

    assert_eq!(key_addresses(objects[0]), key_addresses(objects[1]));
    let inner = |object: Node<'_>| key_addresses(object.get("a").unwrap());
    assert_eq!(inner(objects[0]), inner(objects[1]));
}

#[test]
fn numbers_are_written_as_they_were_read() {
    let json = json("[9007199254740993, 2.0, 1e999, -0, 12345678901234567890123]");

    assert_eq!(
        Value::Node(json.root()).to_json(),
        "[9007199254740993,2.0,1e999,-0,12345678901234567890123]"
    );
}

#[test]
fn integers_compare_exactly_and_floats_by_value() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let table = [
        ("9007199254740992", "9007199254740993", Less, false),
        ("-9007199254740992", "-9007199254740993", Greater, false),
        (
            "12345678901234567890123",
            "12345678901234567890123",
            Equal,
            true,
        ),
        ("0", "-0", Equal, true),
        ("-1", "1", Less, false),
        ("10", "9", Greater, false),
        ("1", "1.0", Equal, false),
        ("1.0", "1.00", Equal, true),
        ("1e2", "100.0", Equal, true),
    ];
    for (left, right, order, same) in table {
        assert_eq!(number::compare(left, right), Some(order), "{left} {right}");
        assert_eq!(number::is_same_number(left, right), same, "{left} {right}");
    }
}

#[test]
fn an_object_of_any_size_has_insertion_order() {
    let mut object = Object::default();
    for index in (0..100_i32).rev() {
        assert!(
            object
                .insert(index.to_string(), Value::int(index.into()))
                .is_none()
        );
    }
    let old = object.insert("50", Value::Null).unwrap();

    assert_eq!(old.to_json(), "50");
    assert_eq!(object.len(), 100);
    assert_eq!(object.iter().next().unwrap().0, "99");
    assert!(object.get("50").unwrap().is_null());
    assert_eq!(object.get("7").unwrap().to_json(), "7");
    assert!(object.get("100").is_none());
}

#[test]
fn written_json_parses_to_the_same_value() {
    let text = "\u{0}\u{1f}\"\\/\u{8}\u{c}\n\r\t\u{7f}é😀";
    let written = Value::string(text).to_json();

    assert_eq!(read(json(&written).root()), serde_json::Value::from(text));
    assert_eq!(Value::float(3.0).unwrap().to_json(), "3.0");
    assert_eq!(Value::float(-0.5).unwrap().to_json(), "-0.5");
    assert!(Value::float(f64::NAN).is_none());
    assert!(Value::float(f64::INFINITY).is_none());
}

#[test]
fn lone_surrogates_are_replaced_on_request() {
    let text = r#"{"a":"\\\ud800x\udc00","\ud83d\ude00":"\ud83d\u0041"}"#;
    assert!(Json::parse(text.into()).is_err());

    let json = Json::parse_with_replacements(text.into()).unwrap();

    let replaced = r#"{"a":"\\\ufffdx\ufffd","\ud83d\ude00":"\ufffd\u0041"}"#;
    assert_eq!(json.root().raw(), replaced);
    assert!(Json::parse_with_replacements("\"\\q\"".into()).is_err());
}
