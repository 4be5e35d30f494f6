//! Fields and directives, in numbers and nested.

use super::{Documents, TYPES, repeat};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn fields() -> Documents {
    let conflicts = "next { id } next: nodes { id } ".repeat(400);
    let nested_equal = {
        let inner = "next { id } ".repeat(40);
        format!("next {{ {inner} }} ").repeat(30)
    };
    let deep_equal = (0..9).fold("id".to_owned(), |inner, _| {
        format!("next {{ {inner} }} next {{ {inner} }}")
    });
    let inline = |count: usize| {
        repeat(count, |n| {
            format!("... on T{} {{ id next {{ id }} }} ", n % TYPES)
        })
    };
    let inline_deep = (0..8).fold("id".to_owned(), |inner, level| {
        format!(
            "nodes {{ ... on T{level} {{ {inner} }} ... on T{} {{ {inner} }} }}",
            level + 1
        )
    });
    let introspection = |width: usize| {
        format!(
            "{{ __schema {{ types {{ {} }} }} }} fragment B on __Field {{ {} }} fragment C on __Type {{ {} }}",
            repeat(width, |n| format!("a{n}: fields {{ ...B }} ")),
            repeat(width, |n| format!("b{n}: type {{ ...C }} ")),
            repeat(width, |n| format!("c{n}: name ")),
        )
    };
    let of_type = (0..180).fold("name".to_owned(), |inner, _| {
        format!("ofType {{ {inner} }}")
    });
    vec![
        (
            "aliases of a leaf, 100 over 5,000 rows",
            format!(
                "{{ rows {{ {} }} }}",
                repeat(100, |n| format!("a{n}:name "))
            ),
        ),
        (
            "aliases of a leaf, 1,600 over 5,000 rows",
            format!(
                "{{ rows {{ {} }} }}",
                repeat(1_600, |n| format!("a{n}:name "))
            ),
        ),
        (
            "aliases of a list, 800",
            format!("{{ {} }}", repeat(800, |n| format!("a{n}:rows{{id}} "))),
        ),
        (
            "root fields, 800 of a subgraph",
            format!("{{ {} }}", repeat(800, |n| format!("a{n}:t{{id}} "))),
        ),
        (
            "equal fields, 2,400",
            format!("{{ t {{ {} }} }}", "id name ".repeat(2_400)),
        ),
        (
            "conflicting fields, 800",
            format!("{{ t {{ {conflicts} }} }}"),
        ),
        (
            "equal fields, 30 times 40 nested",
            format!("{{ t {{ {nested_equal} }} }}"),
        ),
        (
            "equal fields, doubled 9 times",
            format!("{{ t {{ {deep_equal} }} }}"),
        ),
        (
            "inline fragments, 500 on an interface",
            format!("{{ nodes {{ {} }} }}", inline(500)),
        ),
        (
            "inline fragments, doubled 8 times",
            format!("{{ {inline_deep} }}"),
        ),
        (
            "inline fragments nested 180 deep",
            format!("{{ t {} id {} }}", "{ ... ".repeat(180), "}".repeat(180)),
        ),
        (
            "fields nested 24 deep, 3 each",
            format!(
                "{{ t {} }}",
                (0..7).fold("{ id }".to_owned(), |inner, _| format!(
                    "{{ a: next {inner} b: next {inner} c: other {{ id }} }}"
                ))
            ),
        ),
        (
            "fields nested 190 deep",
            format!(
                "{{ t {} }}",
                (0..190).fold("{ id }".to_owned(), |inner, _| format!(
                    "{{ next {inner} }}"
                ))
            ),
        ),
        ("introspection, 10 wide", introspection(10)),
        ("introspection, 20 wide", introspection(20)),
        ("introspection, 40 wide", introspection(40)),
        (
            "introspection, 180 deep",
            format!("{{ __schema {{ types {{ {of_type} }} }} }}"),
        ),
        (
            "unknown fields, 20",
            format!("{{ t {{ {} }} }}", repeat(20, |n| format!("nam{n} "))),
        ),
        (
            "unknown fields, 4,900",
            format!("{{ t {{ {} }} }}", repeat(4_900, |n| format!("nam{n} "))),
        ),
        (
            "unknown fields, 4,900 long ones",
            format!(
                "{{ t {{ {} }} }}",
                repeat(4_900, |n| format!("{}{n} ", "n".repeat(40)))
            ),
        ),
        (
            "unknown arguments, 1,600",
            format!(
                "{{ t {{ id({}) }} }}",
                repeat(1_600, |n| format!("x{n}:1 "))
            ),
        ),
        (
            "equal arguments, 1,600",
            format!("{{ t {{ a({}) }} }}", "n:1 ".repeat(1_600)),
        ),
        (
            "operations, 600",
            repeat(600, |n| format!("query Q{n} {{ t {{ id }} }} ")),
        ),
        (
            "operations, 1,600 of one name",
            "query Q{__typename}".repeat(990),
        ),
    ]
}

pub(super) fn directives() -> Documents {
    let skips = |count: usize| "@skip(if:false) ".repeat(count);
    vec![
        (
            "directives, 10 on a field",
            format!("{{ t {} {{ id }} }}", skips(10)),
        ),
        (
            "directives, 700 on a field",
            format!("{{ t {} {{ id }} }}", skips(700)),
        ),
        (
            "unknown directives, 2,400 on a field",
            format!("{{ t {} {{ id }} }}", repeat(2_400, |n| format!("@d{n} "))),
        ),
        (
            "directives on 450 fields",
            format!(
                "{{ t {{ {} }} }}",
                repeat(450, |n| format!("a{n}:id @skip(if:false)"))
            ),
        ),
        ("conditions on variables, 330", {
            let variables = repeat(330, |n| format!("$v{n}:Boolean! "));
            let fields = repeat(330, |n| format!("id @skip(if:$v{n}) "));
            format!("query({variables}) {{ t {{ {fields} }} }}")
        }),
        ("conditions nested 20 deep", {
            let nested = (0..20).fold("id".to_owned(), |inner, n| {
                format!("... @skip(if:$v{n}) {{ {inner} next @include(if:$v{n}) {{ id }} }}")
            });
            let variables = repeat(20, |n| format!("$v{n}:Boolean=true "));
            format!("query({variables}) {{ t {{ {nested} }} }}")
        }),
    ]
}
