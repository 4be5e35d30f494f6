//! Finds selections that contain all leaves of another: a value cached for the larger one answers
//! the smaller one too.
//!
//! The index is local to the process: it has the selections of the operations that were prepared.

use std::sync::{Arc, Mutex};

use hashbrown::HashMap;
use schema::types::Name;

use crate::lock::lock;
use crate::subgraph_request::CanonicalSelection;

/// The selections of all operations, by subgraph and type.
#[derive(Debug, Default)]
pub(crate) struct SelectionIndex {
    groups: Mutex<HashMap<(Name, Name), Arc<SelectionGroup>, foldhash::fast::RandomState>>,
}

/// Selections on one type of one subgraph.
#[derive(Debug, Default)]
pub(crate) struct SelectionGroup {
    sets: Mutex<Vec<Arc<LeafSet>>>,
}

/// A selection without inputs, as its leaves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeafSet {
    /// The selection as part of a cache key.
    pub(crate) text: Box<str>,
    /// Paths of its leaves, sorted.
    leaves: Box<[Box<str>]>,
}

/// A selection within its group.
#[derive(Debug)]
pub(crate) struct IndexedSelection {
    own: Arc<LeafSet>,
    group: Arc<SelectionGroup>,
}

impl SelectionIndex {
    /// Adds a selection; `None` when the index has too many groups.
    pub(crate) fn add(
        &self,
        subgraph: &Name,
        type_name: &Name,
        selection: &CanonicalSelection,
    ) -> Option<IndexedSelection> {
        let group = {
            let mut groups = lock(&self.groups);
            let key = (Name::clone(subgraph), Name::clone(type_name));
            if groups.len() >= MAX_GROUPS && !groups.contains_key(&key) {
                return None;
            }
            Arc::clone(groups.entry(key).or_default())
        };
        let own = Arc::new(LeafSet {
            text: selection.text.clone(),
            leaves: selection.leaves.clone(),
        });
        group.add(&own);
        Some(IndexedSelection { own, group })
    }
}

impl SelectionGroup {
    /// Adds a selection as the newest; the oldest is removed when the group is full.
    fn add(&self, own: &Arc<LeafSet>) {
        let mut sets = lock(&self.sets);
        sets.retain(|known| known != own);
        sets.insert(0, Arc::clone(own));
        sets.truncate(MAX_SETS_PER_GROUP);
    }
}

impl IndexedSelection {
    /// The smallest selections that contain this one, smallest first.
    pub(crate) fn supersets(&self) -> Vec<Arc<LeafSet>> {
        let sets = lock(&self.group.sets);
        let supersets = sets.iter().filter(|other| other.is_superset_of(&self.own));
        let mut supersets: Vec<Arc<LeafSet>> = supersets.cloned().collect();
        drop(sets);
        supersets.sort_by_key(|other| other.leaves.len());
        supersets.truncate(MAX_SUPERSETS);
        supersets
    }
}

impl LeafSet {
    fn is_superset_of(&self, other: &Self) -> bool {
        let mut all = self.leaves.iter();
        let has = |wanted: &str| all.by_ref().any(|leaf| **leaf == *wanted);
        let is_more = self.leaves.len() > other.leaves.len();
        is_more && other.leaves.iter().map(AsRef::as_ref).all(has)
    }
}

/// Maximum groups: types of subgraphs.
const MAX_GROUPS: usize = 4_096;

/// Maximum selections of one group.
const MAX_SETS_PER_GROUP: usize = 64;

/// Maximum supersets that a lookup includes.
const MAX_SUPERSETS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn indexed_selection(index: &SelectionIndex, leaves: &[&str]) -> IndexedSelection {
        let selection = CanonicalSelection {
            text: leaves.join(" ").into(),
            inputs: Vec::new(),
            leaves: leaves.iter().map(|leaf| (*leaf).into()).collect(),
        };
        let (subgraph, type_name) = ("things".into(), "Thing".into());
        index.add(&subgraph, &type_name, &selection).unwrap()
    }

    fn superset_texts(selection: &IndexedSelection) -> Vec<String> {
        let supersets = selection.supersets().into_iter();
        supersets.map(|leaves| leaves.text.to_string()).collect()
    }

    #[test]
    fn supersets_have_all_leaves_and_more() {
        let index = SelectionIndex::default();
        let narrow = indexed_selection(&index, &["/a", "/c"]);
        assert_eq!(superset_texts(&narrow), Vec::<String>::new());
        let widest = indexed_selection(&index, &["/a", "/b", "/c", "/d"]);
        indexed_selection(&index, &["/a", "/b", "/c"]);
        indexed_selection(&index, &["/a", "/b"]);
        indexed_selection(&index, &["/b", "/c", "/d"]);

        assert_eq!(superset_texts(&narrow), ["/a /b /c", "/a /b /c /d"]);
        assert_eq!(superset_texts(&widest), Vec::<String>::new());
    }

    #[test]
    fn supersets_and_groups_are_bounded() {
        let index = SelectionIndex::default();
        let narrow = indexed_selection(&index, &["/a"]);
        for number in 0..1_000 {
            indexed_selection(&index, &["/a", &format!("/b{number}")]);
        }
        assert_eq!(superset_texts(&narrow).len(), MAX_SUPERSETS);
        assert_eq!(narrow.group.sets.lock().unwrap().len(), MAX_SETS_PER_GROUP);
    }
}
