//! Tests of parsing, printing and rendering tag formats.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

fn format(text: &str) -> TagFormat {
    let parts = parse(text).unwrap().into_iter().map(|part| match part {
        FormatPart::Text(text) => TagPart::Text(text),
        FormatPart::Path(path) => {
            let names = path.names.into_iter().map(|(name, _)| name).collect();
            match path.root.as_str() {
                "args" => TagPart::Argument(names),
                _ => TagPart::Key(names),
            }
        }
    });
    TagFormat(parts.collect())
}

fn rendered(text: &str) -> Option<String> {
    let value = |names: &[Name]| match names.join(".").as_str() {
        "id" => Some(Cow::Borrowed("7")),
        "of.country" => Some(Cow::Owned("{DE}".to_owned())),
        _ => None,
    };
    format(text).render(value, value)
}

#[test]
fn paths_are_rendered_and_text_is_copied() {
    for (text, expected) in [
        ("product", "product"),
        ("product-{$key.id}", "product-7"),
        ("{$args.id}{ $args.of.country }é", "7{DE}é"),
        ("a\\b\"c", "a\\b\"c"),
    ] {
        assert_eq!(rendered(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_missing_value_renders_no_tag() {
    assert_eq!(rendered("a-{$key.id}-{$key.name}"), None);
    assert_eq!(rendered("a-{$args.name}"), None);
}

#[test]
fn a_parse_error_has_its_range() {
    for (text, at) in [
        ("", ""),
        ("a-{", "{"),
        ("a-{$args.id", "{"),
        ("a-{$args.{id}}", "{"),
        ("a-}", "}"),
        ("{$args.id}}", "}"),
        ("é-{id}", "id"),
        ("{ $args..id }", "$args..id"),
        ("{$args.1}", "$args.1"),
        ("{$}", "$"),
        ("{}", ""),
        ("{$args { id }}", "{"),
    ] {
        let problem = parse(text).unwrap_err();
        assert_eq!(text.get(problem.range.clone()), Some(at), "{text}");
    }
}

#[test]
fn a_path_has_a_maximum_depth() {
    let path = |names: usize| format!("{{$key{}}}", ".a".repeat(names));

    assert_eq!(format(&path(32)).to_string(), path(32));
    assert!(parse(&path(33)).is_err());
    assert!(parse(&path(1_000_000)).is_err());
}

#[test]
fn every_name_of_a_path_has_its_range() {
    let text = "é{ $args.of.country }";
    let Some(FormatPart::Path(path)) = parse(text).unwrap().pop() else {
        panic!("a path");
    };
    let names = path.names.iter().map(|(_, range)| text.get(range.clone()));
    let names: Vec<_> = names.map(Option::unwrap).collect();
    assert_eq!(names, ["of", "country"]);
    assert_eq!(text.get(path.range), Some("$args.of.country"));
}

proptest! {
    #[test]
    fn a_text_without_braces_renders_to_itself(text in "[^{}]+") {
        prop_assert_eq!(rendered(&text), Some(text));
    }

    #[test]
    fn a_parsed_format_prints_to_its_text(text in "([a-z :-]|\\{\\$(args|key)\\.[a-z]{1,3}(\\.[a-z]{1,3})?\\})+") {
        prop_assert_eq!(format(&text).to_string(), text);
    }

    #[test]
    fn parsing_any_text_ends_without_a_panic(text in "[{}$.a-c é]{0,12}|.*") {
        if let Err(problem) = parse(&text) {
            prop_assert!(text.get(problem.range).is_some());
        }
    }
}
