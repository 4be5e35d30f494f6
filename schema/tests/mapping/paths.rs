//! Tests of paths: keys, `?`, `$` and `@`, variables, literals, operators.

use super::*;

const INPUT: &str = r#"{"name":"Ada","n":null,"f":false,"z":0,"e":"","o":{"a":{"b":1},"l":[{"c":1},{"c":2},{}]},
    "m":[[{"a":1}],[{"a":2},{"a":3}]],"b c":{"d.e":2}}"#;

#[test]
fn keys_read_members_and_map_over_lists() {
    check(
        V0_3,
        INPUT,
        r#"
        o.a.b ~ 1
        $ . o↵ .a # here↵ .b ~ 1
        $.'b c'.'d.e' ~ 2
        x: o.l.c ~ {"x":[1,2,null]} ~ property_missing o.l.2.c
        x: o.l.c->size ~ {"x":3} ~ property_missing o.l.2.c
        x: m.a ~ {"x":[[1],[2,3]]}
        x: m.a.q ~ {"x":[[null],[null,null]]} ~ property_missing m.a.0.0.q, property_missing m.a.1.0.q, property_missing m.a.1.1.q
        x: name.q ~ {} ~ property_missing name.q
        x: n.q ~ {} ~ property_missing n.q
        "#,
    );
}

#[test]
fn a_question_mark_suppresses_reports_before_it() {
    check(
        V0_3,
        INPUT,
        r#"
        x: nope?.a ~ {}
        x: o?.nope ~ {} ~ property_missing o.nope
        x: o.nope? ~ {}
        x: n?->size ~ {}
        n? { a } ~ {}
        x: name.q? ~ {} ~ property_missing name.q
        x: o.l.c? ~ {"x":[1,2,null]} ~ property_missing o.l.2.c
        x: $context?.a ~ {} ~ variable_missing
        x: $([nope?]) ~ {"x":[null]}
        "#,
    );
}

#[test]
fn dollar_is_the_value_before_the_braces_and_at_the_current_value() {
    check(
        V0_3,
        INPUT,
        r#"
        o { x: $.a.b } ~ {"o":{"x":1}}
        x: o->echo($.name) ~ {"x":"Ada"}
        x: o->echo(@.a) ~ {"x":{"b":1}}
        x: o.l->map(name) ~ {"x":["Ada","Ada","Ada"]}
        x: o.l->map(@.c) ~ {"x":[1,2,null]} ~ property_missing o.l.->map.2.c
        x: o.a->map(@ { y: $.b }) ~ {"x":[{"y":1}]}
        o { a { x: $ y: @ } } ~ {"o":{"a":{"x":{"b":1},"y":{"b":1}}}}
        "#,
    );
    check(
        V0_3,
        r#"{"args":1}"#,
        r#"
        x: $ args ~ {"x":{"args":1},"args":1}
        "#,
    );
}

#[test]
fn external_variables_are_read() {
    check(
        V0_3,
        INPUT,
        r#"
        $args.id ~ "7"
        x: $args.list.v ~ {"x":[1,2]}
        x: $args { id n } ~ {"x":{"id":"7","n":null}}
        x: $args.list { w: v } ~ {"x":[{"w":1},{"w":2}]}
        x: $args.nope ~ {} ~ property_missing $args.nope
        x: $args { nope } ~ {"x":{}} ~ property_missing $args.nope
        o { x: $config.a } ~ {"o":{}} ~ variable_missing o
        "#,
    );
}

#[test]
fn as_binds_a_variable_for_the_rest_of_its_path() {
    check(
        V0_3,
        r#"{"name":"Ada","l":[1,2]}"#,
        r#"
        x: name->as($v)->echo([$v, @]) ~ {"x":["Ada","Ada"]}
        x: $->as($v, @.name)->echo($v) ~ {"x":"Ada"}
        x: name->as($v)->echo($.l)->map([@, $v]) ~ {"x":[[1,"Ada"],[2,"Ada"]]}
        x: name->as($v)->echo(1)->as($v)->echo($v) ~ {"x":1}
        x: name->as($args)->echo($args) ~ {"x":"Ada"}
        x: $->as($v, @.name) { y: $v } ~ {"x":{"y":"Ada"}}
        x: name->as($v) y: $v ~ {"x":"Ada"} ~ variable_missing
        x: name->as($v, nope)->echo($v) ~ {} ~ property_missing nope
        x: name->as($v)->echo($v.q) ~ {} ~ property_missing $v.q
        x: name->as($) ~ {"x":"Ada"} ~ bad_argument name.->as
        x: name->as('v') ~ {"x":"Ada"} ~ bad_argument name.->as
        x: name->as ~ {"x":"Ada"} ~ bad_argument name.->as
        "#,
    );
}

#[test]
fn literals_are_values() {
    check(
        V0_3,
        INPUT,
        r##"
        a: $(007) b: $(-0) c: $(.5) d: $(5.) e: $(- 1) f: $(00.50) ~ {"a":7,"b":0,"c":0.5,"d":5.0,"e":-1,"f":0.50}
        a: $(true) b: $(false) c: $(null) ~ {"a":true,"b":false,"c":null}
        a: $('a\nb\q"') b: $("it's") c: $('#') ~ {"a":"a\nbq\"","b":"it's","c":"#"}
        a: $({ x: 1, 'y z': [name, nope?,], q: nope?, }) ~ {"a":{"x":1,"y z":["Ada",null]}}
        a: $({ x: 1, x: 2 }) ~ {"a":{"x":2}}
        a: $([nope]) ~ {"a":[null]} ~ property_missing nope
        a: $({ b: 3 }).b c: $([{ d: 1 }]) { d } ~ {"a":3,"c":[{"d":1}]}
        a: $('abc'->size) b: $('abc')->size ~ {"a":3,"b":3}
        o { x: $({ y: a.b }) } ~ {"o":{"x":{"y":1}}}
        $(12345678901234567890123) ~ 12345678901234567890123
        "##,
    );
}

#[test]
fn operators_take_the_first_usable_value() {
    check(
        V0_3,
        INPUT,
        r#"
        $(nope ?? n ?? name) ~ "Ada"
        a: $(f ?? 1) b: $(z ?? 1) c: $(e ?? 1) ~ {"a":false,"b":0,"c":""}
        $(nope ?! n ?! name) ~ null
        $(nope ?? n) ~ null
        $(n ?? nope) ~ - ~ property_missing nope
        $(a ?? b) ~ - ~ property_missing a, property_missing b
        $(nope? ?? 'd') ~ "d"
        $(nope ?? 'ab'->size) ~ 2
        $($(nope ?! n) ?? 1) ~ 1
        name->echo(nope ?? @) ~ "Ada"
        "#,
    );
}

#[test]
fn equal_reports_are_merged() {
    check(
        V0_3,
        INPUT,
        r#"
        x: o.l->map($.nope) ~ {"x":[null,null,null]} ~ property_missing nope
        "#,
    );
}

#[test]
fn older_versions_have_less_syntax_and_all_methods() {
    for version in [V0_1, V0_2] {
        check(
            version,
            INPUT,
            r#"
        name a: o.a.b ~ {"name":"Ada","a":1}
        x: name->echo($.z) ~ {"x":0}
        x: name->echo(o.a) ~ {"x":{"b":1}}
        x: z->add(1) ~ {"x":1}
        x: name->match(['Ada', 1], [@, 2]) ~ {"x":1}
        z o.a { b } ~ {"z":0,"b":1}
        "#,
        );
    }
}
