//! Tests of syntax errors.

use super::*;

/// Checks rows: mapping ~ message ~ text of the range ~ help.
#[track_caller]
fn fails(version: Version, table: &str) {
    let mut wrong = Vec::new();
    for [text, message, about, help] in rows(table) {
        match Mapping::parse(&text, version) {
            Ok(mapping) => wrong.push(format!("{text}\n  is {:?}", mapping.ast())),
            Err(error) => {
                let actual = [
                    error.message.as_str(),
                    text.get(error.range).unwrap_or("nothing"),
                    error.help.as_deref().unwrap_or_default(),
                ];
                if actual != [&message, &about, &help.replace("QUOTE", QUOTE)] {
                    wrong.push(format!("{text}\n  fails with {actual:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const QUOTE: &str = "quote a key that is not a plain name, as in `'content-type'`";

#[test]
fn messages_name_the_expected_syntax_and_the_remedy() {
    fails(
        V0_3,
        "
        id, name ~ commas between items need connect v0.4 ~ , ~ remove the comma
        .name ~ expected a field, `alias: …` or a path, found `.` ~ .
        a. ~ expected a key after `.`, found the end
        a-> ~ expected the name of a method after `->`, found the end
        a { ~ expected a field, `alias: …` or `}`, found the end
        a } ~ expected a field, `alias: …` or the end, found `}` ~ }
        a: } ~ expected a field, a path or `{` after the alias, found `}` ~ }
        a: 3 ~ expected a field, a path or `{` after the alias, found `3` ~ 3 ~ write a literal in parentheses, as in `$(5)` or `$(['a', 'b'])`
        a: [1] ~ expected a field, a path or `{` after the alias, found `[` ~ [ ~ write a literal in parentheses, as in `$(5)` or `$(['a', 'b'])`
        content-type ~ expected the next item, found `-` ~ - ~ QUOTE
        a[b] ~ expected the next item, found `[` ~ [ ~ quote a key that is not a plain name: `'a[b]'`
        9lives ~ expected a field, `alias: …` or a path, found `9` ~ 9 ~ QUOTE
        naïve ~ expected a field, `alias: …` or a path, found `ï` ~ ï ~ QUOTE
        id address.city ~ a path without an alias among other items ~ address.city ~ add an alias, `alias: path`, or end it with braces
        x: a?? ~ expected a field, `alias: …` or a path, found `?` ~ ? ~ write operators in parentheses, as in `$(a ?? 'x')`
        x: a ? ? ~ duplicate `?` ~ ? ~ write it once
        x: a ?? b ~ expected a field, `alias: …` or a path, found `?` ~ ? ~ write operators in parentheses, as in `$(a ?? 'x')`
        x: $(a ?? b ?! c) ~ `??` and `?!` in one expression ~ ?! ~ put one of them in parentheses, `$(…)`
        x: $(a ~ expected an operator or `)`, found the end
        x: $(1e3) ~ expected an operator or `)`, found `e` ~ e ~ QUOTE
        x: $() ~ expected a value, found `)` ~ )
        x: $([1 2]) ~ expected `,` or `]`, found `2` ~ 2 ~ write a comma between two of them, as in `$([1, 2])`
        x: $({ a 1 }) ~ expected `:`, found `1` ~ 1 ~ write `a: a`
        x: $({ 1: 1 }) ~ expected a key or `}`, found `1` ~ 1 ~ QUOTE
        x: a->echo(1 ~ expected `,` or `)`, found the end
        x: $('abc) ~ unclosed string ~ 'abc) ~ close it with '
        'abc ~ unclosed string ~ 'abc ~ close it with '
        id ...address { city } ~ `...` needs connect v0.4 ~ ... ~ write the path with braces, `path { … }`, which is equivalent among other items
        ",
    );
}

#[test]
fn messages_name_the_version_of_newer_syntax() {
    for version in [V0_1, V0_2] {
        fails(
            version,
            "
        a? ~ `?` needs connect v0.3 ~ ?
        x: $(a.b ?? 1) ~ `??` and `?!` need connect v0.3 ~ ??
        x: $(a.b ?! 1) ~ `??` and `?!` need connect v0.3 ~ ?!
        x: a->echo(b) ~ a single key as a value needs connect v0.3 ~ b ~ write `$.b`
        a { $.b } ~ a path without an alias among other items ~ $.b ~ add an alias, `alias: path`, or end it with braces
        ",
        );
    }
}

#[test]
fn v0_4_requires_all_commas_or_none() {
    fails(
        V0_4,
        "
        id name, age ~ a comma after items without commas ~ , ~ write commas between all items, or none
        id, name age ~ expected `,`, as between the items before, found `a` ~ a ~ QUOTE
        a: 1b ~ expected a space before the next item, found `b` ~ b ~ QUOTE
        id ...{ a: 1 } ~ expected a path after `...`, found `{` ~ {
        id ...nope ?? a ~ expected a field, `alias: …` or a path, found `?` ~ ? ~ write operators in parentheses, as in `$(a ?? 'x')`
        ",
    );
}
