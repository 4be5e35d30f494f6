//! Tests of formats: what is read, what is refused and where, what is filled in.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

fn format(text: &str) -> TagFormat {
    let parts = parse(text).unwrap().into_iter().map(|piece| match piece {
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
    let known = |names: &[Name]| match names.join(".").as_str() {
        "id" => Some(Cow::Borrowed("7")),
        "of.country" => Some(Cow::Owned("{DE}".to_owned())),
        _ => None,
    };
    format(text).render(known, known)
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
    for (text, place) in [
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
        assert_eq!(text.get(problem.range.clone()), Some(place), "{text}");
    }
}

#[test]
fn a_path_has_an_end() {
    let path = |names: usize| format!("{{$key{}}}", ".a".repeat(names));

    assert_eq!(format(&path(32)).to_string(), path(32));
    assert!(parse(&path(33)).is_err());
    assert!(parse(&path(1_000_000)).is_err());
}

#[test]
fn every_name_of_a_path_has_its_place() {
    let text = "é{ $args.of.country }";
    let Some(FormatPart::Path(path)) = parse(text).unwrap().pop() else {
        panic!("a path");
    };
    let places = path.names.iter().map(|(_, range)| text.get(range.clone()));
    let places: Vec<_> = places.map(Option::unwrap).collect();
    assert_eq!(places, ["of", "country"]);
    assert_eq!(text.get(path.range), Some("$args.of.country"));
}

proptest! {
    #[test]
    fn a_text_without_braces_is_its_own_tag(text in "[^{}]+") {
        prop_assert_eq!(rendered(&text), Some(text));
    }

    #[test]
    fn a_format_prints_as_it_was_read(text in "([a-z :-]|\\{\\$(args|key)\\.[a-z]{1,3}(\\.[a-z]{1,3})?\\})+") {
        prop_assert_eq!(format(&text).to_string(), text);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[{}$.a-c é]{0,12}|.*") {
        if let Err(problem) = parse(&text) {
            prop_assert!(text.get(problem.range).is_some());
        }
    }
}
