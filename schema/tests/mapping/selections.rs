//! Tests of item lists: fields, aliases, groups, spreads and merging.

use super::*;

const USER: &str = r#"{"id":7,"name":"Ada","email":null,"tags":["x","y"],
    "address":{"city":"London","geo":{"lat":51.5,"lng":-0.12}},
    "posts":[{"id":1,"title":"A","votes":3},{"id":2,"title":"B"}]}"#;

#[test]
fn items_produce_members_in_source_order() {
    check(
        V0_3,
        USER,
        r#"
         ~ {}
        name id ~ {"name":"Ada","id":7}
        email ~ {"email":null}
        id nope ~ {"id":7} ~ property_missing nope
        nope? ~ {}
        n: name i: id ~ {"n":"Ada","i":7}
        'a b': name ~ {"a b":"Ada"}
        c: address.city ~ {"c":"London"}
        who: { id n: name } ~ {"who":{"id":7,"n":"Ada"}}
        a: { b: { id } } ~ {"a":{"b":{"id":7}}}
        address { city } ~ {"address":{"city":"London"}}
        address {} ~ {"address":{}}
        a: address { g: geo { lat } } ~ {"a":{"g":{"lat":51.5}}}
        id # what it is↵ name ~ {"id":7,"name":"Ada"}
        "#,
    );
}

#[test]
fn lists_are_mapped_element_by_element() {
    check(
        V0_3,
        USER,
        r#"
        posts { id } ~ {"posts":[{"id":1},{"id":2}]}
        posts { votes } ~ {"posts":[{"votes":3},{}]} ~ property_missing posts.1.votes
        posts { votes? } ~ {"posts":[{"votes":3},{}]}
        t: tags { t: $ } ~ {"t":[{"t":"x"},{"t":"y"}]}
        $.posts { id } ~ [{"id":1},{"id":2}]
        posts { again: { t: $.title } } ~ {"posts":[{"again":{"t":"A"}},{"again":{"t":"B"}}]}
        "#,
    );
    check(
        V0_3,
        r#"[{"a":1},"s",null,[{"a":2}]]"#,
        r#"
        a ~ [{"a":1},"s",null,[{"a":2}]] ~ property_missing 1.a, property_missing 2.a
        $->size ~ 4
        $->first { a } ~ {"a":1}
        "#,
    );
    check(
        V0_3,
        "[]",
        "
        a ~ []
        ",
    );
}

#[test]
fn braces_on_a_value_without_members_return_it() {
    check(
        V0_3,
        r#"{"s":"x","n":null}"#,
        r#"
        s { a } ~ {"s":"x"} ~ property_missing s.a
        n { a? b? } ~ {"n":null} ~ property_missing n.a, property_missing n.b
        s { l: $('y') } ~ {"s":{"l":"y"}}
        "#,
    );
    check(
        V0_3,
        "5",
        "
         ~ 5
        ",
    );
}

#[test]
fn a_single_path_is_the_value_of_its_list() {
    check(
        V0_3,
        USER,
        r#"
        $.posts.id ~ [1,2]
        @ { tags } ~ {"tags":["x","y"]}
        @.name ~ "Ada"
        $.nope ~ - ~ property_missing nope
        $.email ~ null
        $('x') ~ "x"
        // In braces the value replaces the object of the list.
        address { $.geo } ~ {"address":{"lat":51.5,"lng":-0.12}}
        address { $.city } ~ {"address":"London"} ~ lossy_merge address
        address { $.nope } ~ {"address":{}} ~ property_missing address.nope
        "#,
    );
}

#[test]
fn a_path_with_braces_merges_its_members() {
    check(
        V0_3,
        USER,
        r#"
        id address.geo { lat } ~ {"id":7,"lat":51.5}
        $.address { city } id ~ {"city":"London","id":7}
        $args { id } name ~ {"id":"7","name":"Ada"}
        id $.nope { a } ~ {"id":7} ~ property_missing nope, spread_empty
        id $.nope? { a } ~ {"id":7} ~ spread_empty
        id $.email { a? } ~ null ~ property_missing email.a
        $.email { a? } id ~ null ~ property_missing email.a
        id $.posts { id } ~ {"id":7} ~ spread_type
        address { city $.geo { lat } } ~ {"address":{"city":"London","lat":51.5}}
        "#,
    );
}

#[test]
fn values_with_one_key_are_merged() {
    check(
        V0_3,
        r#"{"a":{"x":1,"y":{"p":1}},"b":{"y":{"q":2},"z":3},"s":"t","n":null,"l":[1,{"a":1}],"m":[{"b":2},{"b":2},3]}"#,
        r#"
        id: s id: s ~ {"id":"t"}
        o: a o: b ~ {"o":{"x":1,"y":{"p":1,"q":2},"z":3}}
        a { x } a { y { p } } ~ {"a":{"x":1,"y":{"p":1}}}
        o: a o: s ~ {"o":"t"} ~ lossy_merge
        o: a o: n ~ {"o":null}
        o: n o: a ~ {"o":null}
        o: l o: m ~ {"o":[{"b":2},{"a":1,"b":2},3]} ~ lossy_merge
        g: { o: a } g: { o: s } ~ {"g":{"o":"t"}} ~ lossy_merge
        "#,
    );
}

#[test]
fn quoted_keys_and_words_are_fields_outside_of_expressions() {
    check(
        V0_3,
        r#"{"content-type":"json","true":1,"null":2,"nullable":3,"it's":4,"":5}"#,
        r#"
        'content-type' ~ {"content-type":"json"}
        c: 'content-type' ~ {"c":"json"}
        true null ~ {"true":1,"null":2}
        a: true b: nullable ~ {"a":1,"b":3}
        a: "it's" b: 'it\'s' ~ {"a":4,"b":4}
        $.'' ~ 5
        a: $(nullable) b: $($.'null') c: $(null) ~ {"a":3,"b":2,"c":null}
        "#,
    );
}

#[test]
fn v0_4_has_literals_commas_and_spreads() {
    check(
        V0_4,
        USER,
        r#"
        id, name, ~ {"id":7,"name":"Ada"}
        { id name } ~ {"id":7,"name":"Ada"}
        name ~ {"name":"Ada"}
        address { city } ~ {"address":{"city":"London"}}
        'a' ~ "a"
        [1, name] ~ [1,"Ada"]
        nope ?? 'd' ~ "d"
        a: 'b' c: null d: -1.50 e: nope ?? id ~ {"a":"b","c":null,"d":-1.50,"e":7}
        o: { id, n: name, deep: { x: [id] } } ~ {"o":{"id":7,"n":"Ada","deep":{"x":[7]}}}
        id ...address.geo ~ {"id":7,"lat":51.5,"lng":-0.12}
        id ...email ~ null
        id ...name ~ {"id":7} ~ spread_type
        ...nope ~ {} ~ property_missing nope, spread_empty
        p: posts->map({ id, own: @.id }) ~ {"p":[{"id":7,"own":1},{"id":7,"own":2}]}
        o: $({ a: 1 b: 2 }) ~ {"o":{"a":1,"b":2}}
        x: {} ~ {"x":{}}
        t: tags->map({ o: {} }) ~ {"t":[{"o":{}},{"o":{}}]}
        "#,
    );
}
