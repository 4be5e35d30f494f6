//! Tests of the methods: values and reports.

use super::*;
use schema::mapping::methods;

const INPUT: &str = r#"{"name":"Ada","age":36,"n":null,"t":true,"f":1.5,"u":"éa",
    "l":[1,2,3],"s":["x","y"],"o":{"a":1,"b":null},"p":[{"id":1,"v":2},{"id":2}]}"#;

/// Evaluates each path of a table with the alias `x:`, so that `-` means no member.
#[track_caller]
fn each(table: &str) {
    let members = rows(table).map(|[path, value, reports, _]| {
        let value = match value.as_str() {
            "-" => "{}".to_owned(),
            value => format!(r#"{{"x":{value}}}"#),
        };
        format!("x: {path} ~ {value} ~ {reports}")
    });
    check(V0_3, INPUT, &members.collect::<Vec<_>>().join("\n"));
}

#[test]
fn lists_are_mapped_filtered_and_searched() {
    each(
        r#"
        l->map(@->mul(2)) ~ [2,4,6]
        p->map(@.v) ~ [2,null] ~ property_missing p.->map.1.v
        n->map(@) ~ [null]
        age->map(nope) ~ - ~ property_missing nope
        l->map ~ - ~ bad_argument l.->map
        l->filter(@->gt(1)) ~ [2,3]
        p->filter(@.id->eq(2)) { id } ~ [{"id":2}]
        age->filter(@->gt(1)) ~ [36]
        age->filter(false) ~ []
        age->filter(1) ~ - ~ not_boolean age.->filter
        l->filter(@) ~ - ~ not_boolean l.->filter.0, not_boolean l.->filter.1, not_boolean l.->filter.2
        l->find(@->gt(1)) ~ 2
        l->find(@->gt(9)) ~ -
        l->find('x') ~ - ~ not_boolean l.->find.0
        age->find(true) ~ 36
        age->find(false) ~ -
        s->contains('y') ~ true
        l->contains(1.0) ~ true
        l->contains(9) ~ false
        name->contains('A') ~ - ~ bad_input name.->contains
        s->contains('y', 1) ~ - ~ bad_argument s.->contains
        "#,
    );
}

#[test]
fn parts_of_lists_and_strings() {
    each(
        r#"
        l->first ~ 1
        l->last ~ 3
        u->first ~ "é"
        u->last ~ "a"
        $([])->first ~ -
        $('')->last ~ -
        age->first ~ 36 ~ bad_input age.->first
        l->first() ~ - ~ bad_argument l.->first
        l->slice(1) ~ [2,3]
        l->slice(0, 2) ~ [1,2]
        l->slice(-5, 99) ~ [1,2,3]
        l->slice(2, 1) ~ []
        l->slice('a', 1.5) ~ [1,2,3]
        l->slice ~ [1,2,3]
        l->slice(99999999999999999999) ~ []
        name->slice(1, 3) ~ "da"
        u->slice(0, 1) ~ ""
        u->slice(1) ~ "éa"
        u->slice(2) ~ "a"
        o->slice(1) ~ - ~ bad_input o.->slice
        l->size ~ 3
        u->size ~ 3
        o->size ~ 2
        n->size ~ - ~ bad_input n.->size
        l->get(0) ~ 1
        l->get(-1) ~ 3
        l->get(3) ~ - ~ out_of_range l.->get
        l->get(-4) ~ - ~ out_of_range l.->get
        l->get(99999999999999999999) ~ - ~ out_of_range l.->get
        l->get('0') ~ - ~ bad_argument l.->get
        l->get(0.5) ~ - ~ bad_argument l.->get
        l->get ~ - ~ bad_argument l.->get
        u->get(2) ~ "a"
        u->get(0) ~ - ~ out_of_range u.->get
        o->get('a') ~ 1
        o->get('q') ~ - ~ property_missing o.->get
        o->get(0) ~ - ~ bad_argument o.->get
        age->get(0) ~ - ~ bad_input age.->get
        "#,
    );
}

#[test]
fn values_are_compared() {
    each(
        "
        age->eq(36.0) ~ true
        age->eq('36') ~ false
        n->eq(null) ~ true
        $([1])->eq([1.0]) ~ false
        $({ a: 1, b: [2] })->eq({ b: [2], a: 1 }) ~ true
        o->eq({ b: null, a: 1 }) ~ true
        o->eq({ a: 1 }) ~ false
        l->eq([1, 2]) ~ false
        $(9007199254740992)->eq(9007199254740993) ~ false
        $(9007199254740992)->lt(9007199254740993) ~ true
        age->ne(1) ~ true
        age->eq ~ - ~ bad_argument age.->eq
        age->ne(1, 2) ~ - ~ bad_argument age.->ne
        age->eq(nope) ~ - ~ property_missing nope
        age->gt(35.5) ~ true
        age->gte(36) ~ true
        age->lt(36) ~ false
        age->lte(36, 1) ~ true
        name->lt('Adb') ~ true
        name->gt('ad') ~ false
        age->gt('1') ~ - ~ bad_input age.->gt
        t->gte(true) ~ - ~ bad_input t.->gte
        age->lt ~ - ~ bad_argument age.->lt
        name->in(['Ada']) ~ true
        age->in([1, 36.0]) ~ true
        age->in([]) ~ false
        age->in(36) ~ - ~ bad_argument age.->in
        age->in([1], [2]) ~ - ~ bad_argument age.->in
        ",
    );
}

#[test]
fn booleans_are_combined_and_values_matched() {
    each(
        r#"
        name->match(['Bob', 1], ['Ada', 2]) ~ 2
        name->match([@, 'other']) ~ "other"
        age->match([36.0, 'float'], [36, 'int']) ~ "int"
        name->match('Ada', ['Ada'], ['Ada', 1, 2], [@, 'e']) ~ "e"
        name->match([nope, 1], [@, 2]) ~ 2 ~ property_missing nope
        name->match(['Bob', 1]) ~ - ~ no_match name.->match
        name->match ~ - ~ no_match name.->match
        t->and(true, true) ~ true
        t->and(true, false, nope) ~ false
        t->and() ~ true
        t->and ~ - ~ bad_argument t.->and
        t->and(nope) ~ - ~ property_missing nope
        t->and(1) ~ true ~ bad_argument t.->and
        age->and(true) ~ - ~ bad_input age.->and
        t->or(nope) ~ true
        $(false)->or(false, true) ~ true
        $(false)->or('y') ~ false ~ bad_argument ->or
        t->not ~ false
        n->not ~ - ~ bad_input n.->not
        t->not() ~ - ~ bad_argument t.->not
        "#,
    );
}

#[test]
fn arithmetic_has_integers_and_floats() {
    each(
        "
        $(1)->add(2, 3) ~ 6
        $(1)->add(0.5) ~ 1.5
        age->add() ~ 36
        age->add ~ - ~ bad_argument age.->add
        age->add('1') ~ - ~ bad_argument age.->add
        age->add(nope) ~ - ~ property_missing nope
        name->add(1) ~ - ~ bad_input name.->add
        $(1)->sub(2)->mul(-3) ~ 3
        $(2.0)->mul(3) ~ 6.0
        $(6)->div(2) ~ 3.0
        $(7)->div(2) ~ 3.5
        $(1)->div(0) ~ - ~ arithmetic ->div
        $(-7)->mod(3) ~ -1
        $(7.5)->mod(2) ~ 1.5
        $(1)->mod(0) ~ - ~ arithmetic ->mod
        $(1.0)->mod(0) ~ - ~ arithmetic ->mod
        $(9223372036854775807)->add(1) ~ - ~ arithmetic ->add
        $(9223372036854775808)->sub(1) ~ - ~ arithmetic ->sub
        $(-9223372036854775808)->div(-1) ~ 9.223372036854776e+18
        $(-9223372036854775808)->mod(-1) ~ - ~ arithmetic ->mod
        $('42')->parseInt ~ 42
        $('-7')->parseInt ~ -7
        $('ff')->parseInt(16) ~ 255
        $(20)->parseInt(16) ~ 32
        $(-1.9)->parseInt ~ -1
        $('1.5')->parseInt ~ - ~ parse_failure ->parseInt
        $('')->parseInt ~ - ~ parse_failure ->parseInt
        $('9223372036854775808')->parseInt ~ - ~ parse_failure ->parseInt
        $(9223372036854775808.0)->parseInt ~ - ~ parse_failure ->parseInt
        $('1')->parseInt(1) ~ - ~ bad_argument ->parseInt
        $('1')->parseInt(37) ~ - ~ bad_argument ->parseInt
        $('1')->parseInt('10') ~ - ~ bad_argument ->parseInt
        $('1')->parseInt(10, 2) ~ - ~ bad_argument ->parseInt
        n->parseInt ~ - ~ bad_input n.->parseInt
        ",
    );
}

#[test]
fn strings_are_joined_split_and_converted() {
    each(
        r#"
        $([1, null, 2.5, true, 'a'])->joinNotNull('-') ~ "1-2.5-true-a"
        $([null, '', null])->joinNotNull('-') ~ ""
        age->joinNotNull(',') ~ "36"
        n->joinNotNull(',') ~ ""
        p->joinNotNull(',') ~ - ~ bad_input p.->joinNotNull
        o->joinNotNull(',') ~ - ~ bad_input o.->joinNotNull
        s->joinNotNull ~ - ~ bad_argument s.->joinNotNull
        s->joinNotNull(1) ~ - ~ bad_argument s.->joinNotNull
        o->jsonStringify ~ "{\"a\":1,\"b\":null}"
        o->jsonStringify() ~ - ~ bad_argument o.->jsonStringify
        $('{"a":[1,2.0]}')->jsonParse ~ {"a":[1,2.0]}
        p->jsonStringify->jsonParse->eq($.p) ~ true
        $('{')->jsonParse ~ - ~ parse_failure ->jsonParse
        age->jsonParse ~ - ~ bad_input age.->jsonParse
        age->toString ~ "36"
        f->toString() ~ "1.5"
        n->toString ~ ""
        $(2.0)->toString ~ "2.0"
        l->toString ~ - ~ bad_input l.->toString
        age->toString(1) ~ - ~ bad_argument age.->toString
        $(' a b ')->trim ~ "a b"
        $(' a b ')->trimStart ~ "a b "
        $(' a b ')->trimEnd ~ " a b"
        age->trim ~ - ~ bad_input age.->trim
        $('a,b,,c')->split(',') ~ ["a","b","","c"]
        $('né')->split('') ~ ["n","é"]
        $('a,b,c')->split(',', 2) ~ ["a","b"]
        $('a,b')->split(',', 0) ~ []
        $('a,b')->split(',', -1) ~ - ~ bad_argument ->split
        $('a,b')->split ~ - ~ bad_argument ->split
        $('a,b')->split(1) ~ - ~ bad_argument ->split
        l->split(',') ~ - ~ bad_input l.->split
        "#,
    );
}

#[test]
fn objects_are_listed_and_renamed() {
    each(
        r#"
        o->entries ~ [{"key":"a","value":1},{"key":"b","value":null}]
        $({})->entries ~ []
        l->entries ~ - ~ bad_input l.->entries
        $({ UserName: 1, first_name: 2, LAST_NAME: 3, HTTPServer: 4, _id: 5, userID: 6, ID: 7 })->keysToCamelCase ~ {"userName":1,"firstName":2,"lastName":3,"httpServer":4,"_id":5,"userID":6,"id":7}
        $({ a_b: { c_d: 1 } })->keysToCamelCase ~ {"aB":{"c_d":1}}
        $({ a_b: [{ c_d: 1 }, 'e_f'] })->keysToCamelCaseDeep ~ {"aB":[{"cD":1},"e_f"]}
        $([{ a_b: 1 }])->keysToCamelCaseDeep ~ [{"aB":1}]
        $({ a_b: 1, aB: 2 })->keysToCamelCase ~ {"aB":2} ~ key_collision ->keysToCamelCase
        l->keysToCamelCase ~ - ~ bad_input l.->keysToCamelCase
        age->keysToCamelCaseDeep ~ - ~ bad_input age.->keysToCamelCaseDeep
        age->echo([@]) ~ [36]
        age->echo(1, 2) ~ 1
        age->echo() ~ - ~ bad_argument age.->echo
        "#,
    );
}

#[test]
fn authored_reports_go_to_the_author_or_the_client() {
    each(
        "
        age->withWarning('odd') ~ 36 ~ authored age.->withWarning
        age->withWarning(nope) ~ 36 ~ property_missing nope, bad_argument age.->withWarning
        age->withWarning ~ 36 ~ bad_argument age.->withWarning
        age->withError('odd') ~ 36 ~ authored age.->withError
        age->withError({ message: 1 }) ~ 36 ~ bad_argument age.->withError
        age->withError({ message: 'm', extensions: 1 }) ~ 36 ~ bad_argument age.->withError
        $(n->withWarning('w') ?? 1) ~ 1
        $(n->withError('e') ?? 1) ~ 1 ~ authored n.->withError
        ",
    );

    let input = json(INPUT);
    let mapping = parse(
        "x: o->withError({ message: 'no', extensions: { code: 'E', o: @ } })",
        V0_3,
    );
    let outcome = mapping.eval(Value::from(&input), &Vars::new());
    let report = &outcome.reports[0];
    assert_eq!(report.message, "no");
    assert_eq!(
        report.extensions.as_deref(),
        Some(r#"{"code":"E","o":{"a":1,"b":null}}"#)
    );
    let mapping = parse("x: o->withWarning(@)", V0_3);
    let outcome = mapping.eval(Value::from(&input), &Vars::new());
    assert_eq!(outcome.reports[0].message, r#"{"a":1,"b":null}"#);
}

#[test]
fn an_unknown_method_is_reported_with_the_nearest_name() {
    each(
        "
        name->frobnicate ~ - ~ method_unknown name.->frobnicate
        nope?->frobnicate ~ -
        o->typeof ~ - ~ method_unknown o.->typeof
        ",
    );

    let mapping = parse("s->joinNotNul(',')", V0_3);
    let input = json(INPUT);
    let outcome = mapping.eval(Value::from(&input), &Vars::new());
    assert_eq!(
        outcome.reports[0].message,
        "there is no method `->joinNotNul`; did you mean `->joinNotNull`?"
    );
    assert_eq!(outcome.reports[0].range, 3..13);
}

#[test]
fn the_table_of_methods_is_sorted() {
    let names: Vec<_> = methods().iter().map(|method| method.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();

    assert_eq!(names, sorted);
    assert_eq!(names.len(), 41);
    for method in methods() {
        assert!(method.usage.starts_with(method.name), "{method:?}");
    }
}
