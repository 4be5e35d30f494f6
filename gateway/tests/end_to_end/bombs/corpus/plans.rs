//! Valid operations with large plans.

use super::{Documents, TYPES, repeat};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn plans() -> Documents {
    let crossing = (0..20).fold("id".to_owned(), |inner, _| {
        format!("price other {{ id name next {{ {inner} }} }}")
    });
    let wide_crossing = (0..5).fold("price".to_owned(), |inner, _| {
        format!("name a: other {{ {inner} }} b: next {{ {inner} }}")
    });
    let abstract_deep = (0..11).fold("id".to_owned(), |inner, _| {
        format!("id name next {{ other {{ price }} }} nodes {{ {inner} }}")
    });
    let all_types = repeat(TYPES, |n| {
        format!("... on T{n} {{ price other {{ price name }} }} ")
    });
    vec![
        (
            "plan, two sources nested 10 deep",
            format!(
                "{{ t {{ {} }} }}",
                (0..5).fold("id".to_owned(), |inner, _| format!(
                    "price other {{ id name next {{ {inner} }} }}"
                ))
            ),
        ),
        (
            "plan, two sources nested 40 deep",
            format!("{{ t {{ {crossing} }} }}"),
        ),
        (
            "plan, two sources doubled 5 times",
            format!("{{ t {{ {wide_crossing} }} }}"),
        ),
        (
            "plan, two sources, 1,200 aliases",
            format!(
                "{{ t {{ {} }} }}",
                repeat(600, |n| format!("a{n}:a b{n}:price "))
            ),
        ),
        (
            "plan, two sources, 600 arguments",
            format!(
                "{{ t {{ {} }} }}",
                repeat(300, |n| format!("a{n}:a(n:{n}) b{n}:price(n:{n}) "))
            ),
        ),
        (
            "plan, 350 roots of two sources",
            format!(
                "{{ {} }}",
                repeat(350, |n| format!("r{n}:t{{name price other{{id}}}} "))
            ),
        ),
        (
            "plan, 380 roots with arguments",
            format!(
                "{{ {} }}",
                repeat(380, |n| format!("r{n}:node(id:{n}){{id name}} "))
            ),
        ),
        (
            "plan, interface nested 11 deep",
            format!("{{ nodes {{ {abstract_deep} }} }}"),
        ),
        (
            "plan, 30 types of an interface",
            format!("{{ nodes {{ {all_types} }} }}"),
        ),
        (
            "plan, 30 types, 8 times",
            format!(
                "{{ {} }}",
                repeat(8, |n| format!("n{n}: nodes {{ {all_types} }} "))
            ),
        ),
    ]
}
