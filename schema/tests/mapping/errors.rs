//! What does not parse, and what is said about it.

use super::*;

/// A text, the message, the bytes that it is about, the help.
type Row<'t> = (&'t str, &'t str, &'t str, Option<&'t str>);

#[track_caller]
fn refused(version: Version, rows: &[Row<'_>]) {
    let mut wrong = Vec::new();
    for (text, message, about, help) in rows {
        match Mapping::parse(text, version) {
            Ok(mapping) => wrong.push(format!("{text}\n  is {:?}", mapping.ast())),
            Err(error) => {
                let found = (
                    error.message.as_str(),
                    &text[error.range.clone()],
                    error.help.as_deref(),
                );
                if found != (*message, *about, *help) {
                    wrong.push(format!("{text}\n  says {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const QUOTE: Option<&str> = Some("quote a key that is not a plain name, as in `'content-type'`");

#[test]
fn messages_say_what_was_expected_and_what_to_do() {
    refused(
        V0_3,
        &[
            (
                "id, name",
                "items are not separated by commas",
                ",",
                Some("remove the comma"),
            ),
            (
                ".name",
                "expected a field, `alias: …` or a path, found `.`",
                ".",
                None,
            ),
            ("a.", "expected a key behind `.`, found the end", "", None),
            (
                "a->",
                "expected the name of a method behind `->`, found the end",
                "",
                None,
            ),
            (
                "a {",
                "expected a field, `alias: …` or `}`, found the end",
                "",
                None,
            ),
            (
                "a }",
                "expected a field, `alias: …` or the end, found `}`",
                "}",
                None,
            ),
            (
                "a: }",
                "expected a field, a path or `{` behind the alias, found `}`",
                "}",
                None,
            ),
            (
                "a: 3",
                "expected a field, a path or `{` behind the alias, found `3`",
                "3",
                Some("write a literal as `$(…)`"),
            ),
            (
                "a: [1]",
                "expected a field, a path or `{` behind the alias, found `[`",
                "[",
                Some("write a literal as `$(…)`"),
            ),
            (
                "content-type",
                "expected the next item, found `-`",
                "-",
                QUOTE,
            ),
            ("a[b]", "expected the next item, found `[`", "[", QUOTE),
            (
                "9lives",
                "expected a field, `alias: …` or a path, found `9`",
                "9",
                QUOTE,
            ),
            ("naïve", "expected a field, `alias: …` or a path, found `ï`", "ï", QUOTE),
            (
                "id address.city",
                "a path without a name among other items",
                "address.city",
                Some("give it a name, `name: path`, or end it with braces"),
            ),
            (
                "x: a??",
                "expected a field, `alias: …` or a path, found `?`",
                "?",
                Some("write operators inside `$(…)`"),
            ),
            ("x: a ? ?", "`?` stands twice", "?", Some("write it once")),
            (
                "x: a ?? b",
                "expected a field, `alias: …` or a path, found `?`",
                "?",
                Some("write operators inside `$(…)`"),
            ),
            (
                "x: $(a ?? b ?! c)",
                "`??` and `?!` in one expression",
                "?!",
                Some("put one of them in parentheses, `$(…)`"),
            ),
            (
                "x: $(a",
                "expected an operator or `)`, found the end",
                "",
                None,
            ),
            (
                "x: $(1e3)",
                "expected an operator or `)`, found `e`",
                "e",
                QUOTE,
            ),
            ("x: $()", "expected a value, found `)`", ")", None),
            ("x: $([1 2])", "expected `,` or `]`, found `2`", "2", QUOTE),
            (
                "x: $({ a 1 })",
                "expected `:`, found `1`",
                "1",
                Some("write `a: a`"),
            ),
            (
                "x: $({ 1: 1 })",
                "expected a key or `}`, found `1`",
                "1",
                QUOTE,
            ),
            (
                "x: a->echo(1",
                "expected `,` or `)`, found the end",
                "",
                None,
            ),
            (
                "x: $('abc)",
                "this string has no end",
                "'abc)",
                Some("close it with '"),
            ),
            (
                "'abc",
                "this string has no end",
                "'abc",
                Some("close it with '"),
            ),
            (
                "id ...address { city }",
                "`...` needs connect v0.4",
                "...",
                Some(
                    "write the path with braces, `path { … }`, which does the same among other items",
                ),
            ),
        ],
    );
}

#[test]
fn what_a_newer_version_has_is_named() {
    for version in [V0_1, V0_2] {
        refused(
            version,
            &[
                ("a?", "`?` needs connect v0.3", "?", None),
                (
                    "x: $(a.b ?? 1)",
                    "`??` and `?!` need connect v0.3",
                    "??",
                    None,
                ),
                (
                    "x: $(a.b ?! 1)",
                    "`??` and `?!` need connect v0.3",
                    "?!",
                    None,
                ),
                (
                    "x: a->echo(b)",
                    "a lone key as a value needs connect v0.3",
                    "b",
                    Some("write `$.b`"),
                ),
                (
                    "a { $.b }",
                    "a path without a name among other items",
                    "$.b",
                    Some("give it a name, `name: path`, or end it with braces"),
                ),
            ],
        );
    }
}

#[test]
fn v0_4_wants_all_commas_or_none() {
    refused(
        V0_4,
        &[
            (
                "id name, age",
                "a comma here, and none between the items before",
                ",",
                Some("write commas between all items, or none"),
            ),
            (
                "id, name age",
                "expected `,`, as between the items before, found `a`",
                "a",
                QUOTE,
            ),
            (
                "a: 1b",
                "expected a space before the next item, found `b`",
                "b",
                QUOTE,
            ),
            (
                "id ...{ a: 1 }",
                "expected a path behind `...`, found `{`",
                "{",
                None,
            ),
            (
                "id ...nope ?? a",
                "expected a field, `alias: …` or a path, found `?`",
                "?",
                Some("write operators inside `$(…)`"),
            ),
        ],
    );
}
