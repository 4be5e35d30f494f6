//! That the graphs are of all kinds: a test of what is never generated proves nothing.

use std::collections::BTreeMap;

use crate::generate;
use crate::sdl::{self, Reader};

/// What is in the SDL of graphs that have each kind of thing.
const KINDS: [(&str, &str); 16] = [
    ("keys in keys", "@key(fields: \"twin { id }\""),
    ("keys in values", "@key(fields: \"spot { id }\""),
    ("keys of two fields", "@key(fields: \"high low\""),
    ("keys that nobody is asked by", "resolvable: false"),
    ("requirements", "@requires"),
    ("requirements of requirements", "@requires(fields: \"r0"),
    ("provided fields", "@provides"),
    ("fields that are taken over", "@override"),
    ("fields that are taken over for some", "label: \"off\""),
    ("hidden fields", "@inaccessible"),
    ("interfaces", "interface I0"),
    ("unions", "union U0"),
    ("interface objects", "@interfaceObject {"),
    ("values in pieces", "type W "),
    ("mutations", "type Mutation"),
    ("documents of federation 1", "extend type"),
];

#[test]
fn graphs_are_of_all_kinds() {
    const GRAPHS: u64 = 400;
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..GRAPHS {
        let model = generate::model(seed);
        let subgraphs = model.subgraphs.iter();
        let text: String = subgraphs
            .map(|name| sdl::subgraph(&model, name, Reader::Linker))
            .collect();
        for (kind, mark) in KINDS {
            *found.entry(kind).or_default() += usize::from(text.contains(mark));
        }
    }
    let rare: Vec<_> = found.iter().filter(|(_, count)| **count < 4).collect();
    assert!(rare.is_empty(), "of {GRAPHS} graphs: {rare:?}");
}
