//! Fragments, in numbers and nested.

use super::{Documents, repeat};

/// Fragments `F0` to `F<count>`, each of which spreads the next one twice.
fn doubling(count: usize, leaf: &str) -> String {
    let doubled = |n| {
        let next = n + 1;
        format!("fragment F{n} on Query {{ ...F{next} ...F{next} }} ")
    };
    repeat(count, doubled) + &format!("fragment F{count} on Query {{ {leaf} }}")
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn fragments() -> Documents {
    let chain = |count: usize| {
        let link = |n| format!("fragment F{n} on T0 {{ next {{ ...F{} }} }} ", n + 1);
        repeat(count, link) + &format!("fragment F{count} on T0 {{ id }}")
    };
    let flat = |count: usize| {
        let link = |n| format!("fragment F{n} on T0 {{ ...F{} id }} ", n + 1);
        repeat(count, link) + &format!("fragment F{count} on T0 {{ id }}")
    };
    let cycle = |count: usize| {
        repeat(count, |n| {
            let (one, two) = ((n + 1) % count, (n + 2) % count);
            format!("fragment F{n} on T0 {{ ...F{one} ...F{two} }} ")
        })
    };
    let skipped = "__typename @skip(if: true)";
    let many = repeat(400, |n| format!("fragment F{n} on T0 {{ id }} "));
    let spreads = repeat(400, |n| format!("...F{n} "));
    vec![
        (
            "fragments, doubled 12 times",
            format!("{{ ...F0 }} {}", doubling(12, "__typename")),
        ),
        (
            "fragments, doubled 22 times, leaf skipped",
            format!("{{ ...F0 }} {}", doubling(22, skipped)),
        ),
        (
            "fragments, doubled 200 times",
            format!("{{ ...F0 }} {}", doubling(200, "__typename")),
        ),
        (
            "unused fragments, doubled 12 times",
            format!("{{ __typename }} {}", doubling(12, "__typename")),
        ),
        (
            "unused fragments, doubled 22 times",
            format!("{{ __typename }} {}", doubling(22, "__typename")),
        ),
        (
            "unused fragments, doubled 200 times",
            format!("{{ __typename }} {}", doubling(200, "__typename")),
        ),
        (
            "fragments, nested chain of 24",
            format!("{{ t {{ ...F0 }} }} {}", chain(22)),
        ),
        (
            "fragments, nested chain of 400",
            format!("{{ t {{ ...F0 }} }} {}", chain(400)),
        ),
        (
            "fragments, flat chain of 190",
            format!("{{ t {{ ...F0 }} }} {}", flat(190)),
        ),
        (
            "fragments, flat chain of 450",
            format!("{{ t {{ ...F0 }} }} {}", flat(450)),
        ),
        (
            "unused fragments, flat chain of 190",
            format!("{{ t {{ id }} }} {}", flat(190)),
        ),
        (
            "fragment cycles of 20",
            format!("{{ t {{ ...F0 }} }} {}", cycle(20)),
        ),
        (
            "fragment cycles of 450",
            format!("{{ t {{ ...F0 }} }} {}", cycle(450)),
        ),
        (
            "unused fragment cycles of 450",
            format!("{{ t {{ id }} }} {}", cycle(450)),
        ),
        (
            "fragments, 400 side by side",
            format!("{{ t {{ {spreads} }} }} {many}"),
        ),
        (
            "fragments, one spread 1,600 times",
            format!(
                "{{ t {{ {} }} }} fragment F on T0 {{ id name }}",
                "...F ".repeat(1_600)
            ),
        ),
        (
            "unknown fragments, 1,600",
            format!("{{ t {{ {} }} }}", repeat(1_600, |n| format!("...F{n} "))),
        ),
    ]
}
