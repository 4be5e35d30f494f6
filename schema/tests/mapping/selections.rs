//! Item lists: fields, aliases, groups, spreads, how their values come together.

use super::*;

const USER: &str = r#"{"id":7,"name":"Ada","email":null,"tags":["x","y"],
    "address":{"city":"London","geo":{"lat":51.5,"lng":-0.12}},
    "posts":[{"id":1,"title":"A","votes":3},{"id":2,"title":"B"}]}"#;

#[test]
fn items_give_members_in_the_order_written() {
    check(
        V0_3,
        USER,
        &[
            ("", "{}", &[]),
            ("name id", r#"{"name":"Ada","id":7}"#, &[]),
            ("email", r#"{"email":null}"#, &[]),
            ("id nope", r#"{"id":7}"#, &["property_missing nope"]),
            ("nope?", "{}", &[]),
            ("n: name i: id", r#"{"n":"Ada","i":7}"#, &[]),
            ("'a b': name", r#"{"a b":"Ada"}"#, &[]),
            ("c: address.city", r#"{"c":"London"}"#, &[]),
            ("who: { id n: name }", r#"{"who":{"id":7,"n":"Ada"}}"#, &[]),
            ("a: { b: { id } }", r#"{"a":{"b":{"id":7}}}"#, &[]),
            ("address { city }", r#"{"address":{"city":"London"}}"#, &[]),
            ("address {}", r#"{"address":{}}"#, &[]),
            (
                "a: address { g: geo { lat } }",
                r#"{"a":{"g":{"lat":51.5}}}"#,
                &[],
            ),
            ("id # what it is\n name", r#"{"id":7,"name":"Ada"}"#, &[]),
        ],
    );
}

#[test]
fn lists_are_mapped_element_by_element() {
    check(
        V0_3,
        USER,
        &[
            ("posts { id }", r#"{"posts":[{"id":1},{"id":2}]}"#, &[]),
            (
                "posts { votes }",
                r#"{"posts":[{"votes":3},{}]}"#,
                &["property_missing posts.1.votes"],
            ),
            ("posts { votes? }", r#"{"posts":[{"votes":3},{}]}"#, &[]),
            ("t: tags { t: $ }", r#"{"t":[{"t":"x"},{"t":"y"}]}"#, &[]),
            ("$.posts { id }", r#"[{"id":1},{"id":2}]"#, &[]),
            (
                "posts { again: { t: $.title } }",
                r#"{"posts":[{"again":{"t":"A"}},{"again":{"t":"B"}}]}"#,
                &[],
            ),
        ],
    );
    check(
        V0_3,
        r#"[{"a":1},"s",null,[{"a":2}]]"#,
        &[
            (
                "a",
                r#"[{"a":1},"s",null,[{"a":2}]]"#,
                &["property_missing 1.a", "property_missing 2.a"],
            ),
            ("$->size", "4", &[]),
            ("$->first { a }", r#"{"a":1}"#, &[]),
        ],
    );
    check(V0_3, "[]", &[("a", "[]", &[])]);
}

#[test]
fn braces_on_what_has_no_members_give_it_back() {
    check(
        V0_3,
        r#"{"s":"x","n":null}"#,
        &[
            ("s { a }", r#"{"s":"x"}"#, &["property_missing s.a"]),
            (
                "n { a? b? }",
                r#"{"n":null}"#,
                &["property_missing n.a", "property_missing n.b"],
            ),
            ("s { l: $('y') }", r#"{"s":{"l":"y"}}"#, &[]),
        ],
    );
    check(V0_3, "5", &[("", "5", &[])]);
}

#[test]
fn a_lone_path_is_the_value_of_its_list() {
    check(
        V0_3,
        USER,
        &[
            ("$.posts.id", "[1,2]", &[]),
            ("$", &compact(USER), &[]),
            ("@.name", r#""Ada""#, &[]),
            ("$.nope", "-", &["property_missing nope"]),
            ("$.email", "null", &[]),
            ("$('x')", r#""x""#, &[]),
            // Inside braces the value takes the place of the object that the list would make.
            (
                "address { $.geo }",
                r#"{"address":{"lat":51.5,"lng":-0.12}}"#,
                &[],
            ),
            (
                "address { $.city }",
                r#"{"address":"London"}"#,
                &["lossy_merge address"],
            ),
            (
                "address { $.nope }",
                r#"{"address":{}}"#,
                &["property_missing address.nope"],
            ),
        ],
    );
}

#[test]
fn a_path_with_braces_joins_its_members_to_the_others() {
    check(
        V0_3,
        USER,
        &[
            ("id address.geo { lat }", r#"{"id":7,"lat":51.5}"#, &[]),
            ("$.address { city } id", r#"{"city":"London","id":7}"#, &[]),
            ("$args { id } name", r#"{"id":"7","name":"Ada"}"#, &[]),
            (
                "id $.nope { a }",
                r#"{"id":7}"#,
                &["property_missing nope", "spread_empty "],
            ),
            ("id $.nope? { a }", r#"{"id":7}"#, &["spread_empty "]),
            ("id $.email { a? }", "null", &["property_missing email.a"]),
            ("$.email { a? } id", "null", &["property_missing email.a"]),
            ("id $.posts { id }", r#"{"id":7}"#, &["spread_type "]),
            (
                "address { city $.geo { lat } }",
                r#"{"address":{"city":"London","lat":51.5}}"#,
                &[],
            ),
        ],
    );
}

#[test]
fn values_under_one_key_merge() {
    check(
        V0_3,
        r#"{"a":{"x":1,"y":{"p":1}},"b":{"y":{"q":2},"z":3},"s":"t","n":null,"l":[1,{"a":1}],"m":[{"b":2},{"b":2},3]}"#,
        &[
            ("id: s id: s", r#"{"id":"t"}"#, &[]),
            ("o: a o: b", r#"{"o":{"x":1,"y":{"p":1,"q":2},"z":3}}"#, &[]),
            ("a { x } a { y { p } }", r#"{"a":{"x":1,"y":{"p":1}}}"#, &[]),
            ("o: a o: s", r#"{"o":"t"}"#, &["lossy_merge "]),
            ("o: a o: n", r#"{"o":null}"#, &[]),
            ("o: n o: a", r#"{"o":null}"#, &[]),
            (
                "o: l o: m",
                r#"{"o":[{"b":2},{"a":1,"b":2},3]}"#,
                &["lossy_merge "],
            ),
            (
                "g: { o: a } g: { o: s }",
                r#"{"g":{"o":"t"}}"#,
                &["lossy_merge "],
            ),
        ],
    );
}

#[test]
fn quoted_keys_and_words_are_fields_outside_of_expressions() {
    check(
        V0_3,
        r#"{"content-type":"json","true":1,"null":2,"nullable":3,"it's":4,"":5}"#,
        &[
            ("'content-type'", r#"{"content-type":"json"}"#, &[]),
            ("c: 'content-type'", r#"{"c":"json"}"#, &[]),
            ("true null", r#"{"true":1,"null":2}"#, &[]),
            ("a: true b: nullable", r#"{"a":1,"b":3}"#, &[]),
            (r#"a: "it's" b: 'it\'s'"#, r#"{"a":4,"b":4}"#, &[]),
            ("$.''", "5", &[]),
            (
                "a: $(nullable) b: $($.'null') c: $(null)",
                r#"{"a":3,"b":2,"c":null}"#,
                &[],
            ),
        ],
    );
}

#[test]
fn v0_4_has_literals_commas_and_spreads() {
    check(
        V0_4,
        USER,
        &[
            ("id, name,", r#"{"id":7,"name":"Ada"}"#, &[]),
            ("{ id name }", r#"{"id":7,"name":"Ada"}"#, &[]),
            ("name", r#"{"name":"Ada"}"#, &[]),
            ("address { city }", r#"{"address":{"city":"London"}}"#, &[]),
            ("'a'", r#""a""#, &[]),
            ("[1, name]", r#"[1,"Ada"]"#, &[]),
            ("nope ?? 'd'", r#""d""#, &[]),
            (
                "a: 'b' c: null d: -1.50 e: nope ?? id",
                r#"{"a":"b","c":null,"d":-1.50,"e":7}"#,
                &[],
            ),
            (
                "o: { id, n: name, deep: { x: [id] } }",
                r#"{"o":{"id":7,"n":"Ada","deep":{"x":[7]}}}"#,
                &[],
            ),
            (
                "id ...address.geo",
                r#"{"id":7,"lat":51.5,"lng":-0.12}"#,
                &[],
            ),
            ("id ...email", "null", &[]),
            ("id ...name", r#"{"id":7}"#, &["spread_type "]),
            ("...nope", "{}", &["property_missing nope", "spread_empty "]),
            (
                "p: posts->map({ id, own: @.id })",
                r#"{"p":[{"id":7,"own":1},{"id":7,"own":2}]}"#,
                &[],
            ),
            ("o: $({ a: 1 b: 2 })", r#"{"o":{"a":1,"b":2}}"#, &[]),
            ("x: {}", r#"{"x":{}}"#, &[]),
        ],
    );
}

fn compact(text: &str) -> String {
    Value::from(&json(text)).to_json()
}
