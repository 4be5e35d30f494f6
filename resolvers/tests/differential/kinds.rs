//! The generated graphs have all features that the test is for; without them it would prove
//! nothing.

use std::collections::BTreeMap;

use crate::generate;
use crate::sdl::{self, Reader};

/// Features, and the text in the SDL of graphs that have them.
const KINDS: [(&str, &str); 18] = [
    ("keys in keys", "@key(fields: \"twin { id }\""),
    ("keys in values", "@key(fields: \"spot { id }\""),
    ("keys of two fields", "@key(fields: \"high low\""),
    ("keys that are not resolvable", "resolvable: false"),
    ("requirements", "@requires"),
    ("requirements of requirements", "@requires(fields: \"r0"),
    ("provided fields", "@provides"),
    ("overridden fields", "@override"),
    ("fields overridden under a label", "label: \"off\""),
    ("hidden fields", "@inaccessible"),
    ("interfaces", "interface I0"),
    ("unions", "union U0"),
    ("interface objects", "@interfaceObject {"),
    ("values divided among subgraphs", "type W "),
    ("arguments from contexts", "@fromContext(field"),
    ("connectors", "@connect("),
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
