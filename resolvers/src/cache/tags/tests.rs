//! Generations of tags, and when entries are valid.

use super::*;

fn guard(generations: &Generations, tag: Tag) -> TagGuard {
    let cell = generations.cell(tag);
    let generation = cell.load_or_init();
    TagGuard {
        tag,
        cell,
        generation,
    }
}

#[test]
fn an_invalidated_tag_invalidates_cached_and_in_flight_entries() {
    let generations = Generations::new(10);
    let red = guard(&generations, Tag::named("red"));
    let blue = guard(&generations, Tag::named("blue"));
    generations.replace(red.tag, new_generation());
    assert!(!red.is_valid());
    assert!(blue.is_valid());
}

#[test]
fn the_tags_of_one_fetch_last_until_it_ends() {
    let generations = Generations::new(1000);
    for name in (0..5000).chain(4000..5000) {
        guard(&generations, Tag::named(&name.to_string()));
    }
    let in_flight: Vec<TagGuard> = (5000..5100)
        .map(|name| guard(&generations, Tag::named(&name.to_string())))
        .collect();
    assert_eq!(
        in_flight.iter().filter(|guard| guard.is_valid()).count(),
        100
    );
}

#[test]
fn a_late_redis_reply_does_not_undo_an_invalidation() {
    let generations = Generations::new(10);
    let tag = Tag::named("red");
    let cell = generations.cell(tag);
    let before = cell.load();
    generations.replace(tag, 77);
    cell.adopt(before, 66);
    assert_eq!(cell.load(), 77);
}

#[test]
fn a_pending_invalidation_outlasts_generations_from_redis() {
    let generations = Generations::new(10);
    let tag = Tag::named("red");
    let old = guard(&generations, tag);
    generations.suspend(tag);
    let cell = generations.cell(tag);
    cell.adopt(cell.load(), old.generation);
    generations.replace(tag, old.generation);
    generations.reset();
    assert!(!old.is_valid());
    generations.confirm(tag, 55);
    assert_eq!(cell.load(), 55);
}

#[test]
fn an_evicted_cell_invalidates_its_entries() {
    let generations = Generations::new(8);
    let guards: Vec<TagGuard> = (0..1000)
        .map(|number| guard(&generations, Tag::named(&number.to_string())))
        .collect();
    let (good, gone): (Vec<&TagGuard>, Vec<&TagGuard>) =
        guards.iter().partition(|guard| guard.is_valid());
    assert!((1..=8).contains(&good.len()), "{}", good.len());
    for guard in gone {
        guard.cell.adopt(guard.cell.load(), guard.generation);
        assert!(!guard.is_valid());
    }
    for guard in good {
        generations.replace(guard.tag, new_generation());
        assert!(!guard.is_valid());
    }
}

#[test]
fn a_changed_generation_ends_the_validity_epoch() {
    let generations = Generations::new(8);
    let red = guard(&generations, Tag::named("red"));
    type Change<'c> = (&'c str, &'c dyn Fn());
    let changes: [Change<'_>; 7] = [
        ("replace", &|| {
            generations.replace(red.tag, new_generation());
        }),
        ("suspend", &|| generations.suspend(red.tag)),
        ("confirm", &|| {
            generations.confirm(red.tag, new_generation());
        }),
        ("adopt", &|| {
            generations.adopt(&red.cell, red.cell.load(), new_generation());
        }),
        ("reset", &|| generations.reset()),
        ("suspend everything", &|| generations.suspend_everything()),
        ("evict", &|| {
            for name in 0..100 {
                generations.cell(Tag::named(&name.to_string()));
            }
        }),
    ];
    for (name, change) in changes {
        let epoch = generations.validity_epoch();
        change();
        assert_ne!(generations.validity_epoch(), epoch, "{name}");
    }
}

#[test]
fn names_of_different_kinds_are_different() {
    let all = [
        Tag::named("a"),
        Tag::type_name("a"),
        Tag::subgraph("a"),
        Tag::entity("a", ""),
        Tag::entity("", "a"),
        Tag::contains_type("a"),
        Tag::other_key("a", &FieldSet::default()),
        Tag::everything(),
    ];
    for (index, tag) in all.iter().enumerate() {
        assert!(!all[index + 1..].contains(tag));
    }
}
