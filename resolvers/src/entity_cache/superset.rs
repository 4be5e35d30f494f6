//! What else a kept value may have been asked for as: selections that have all of another's leaves.
//!
//! Known to one process only: those of the operations that it has prepared.

use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use schema::types::Name;

/// The selections of all operations, by who is asked for objects of which type.
#[derive(Debug, Default)]
pub(crate) struct SelectionIndex {
    groups: Mutex<HashMap<(Name, Name), Arc<SelectionGroup>, foldhash::fast::RandomState>>,
}

/// Selections of objects of one type of one service.
#[derive(Debug, Default)]
pub(crate) struct SelectionGroup {
    sets: Mutex<Vec<Arc<LeafSet>>>,
}

/// A selection that depends on no value of an operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeafSet {
    /// As it is in the key.
    pub(crate) text: Box<str>,
    /// In order.
    leaves: Box<[Box<str>]>,
}

/// A selection among others.
#[derive(Debug)]
pub(crate) struct IndexedSelection {
    own: Arc<LeafSet>,
    group: Arc<SelectionGroup>,
}

impl SelectionIndex {
    /// Notes a selection.
    pub(crate) fn add(
        &self,
        (source, type_name): (&Name, &Name),
        text: &str,
        leaves: &[Box<str>],
    ) -> Option<IndexedSelection> {
        let group = {
            // Whole between any two statements, so a panic elsewhere cannot have broken it.
            let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (Name::clone(source), Name::clone(type_name));
            if groups.len() >= MAX_GROUPS && !groups.contains_key(&key) {
                return None;
            }
            Arc::clone(groups.entry(key).or_default())
        };
        let own = Arc::new(LeafSet {
            text: text.into(),
            leaves: leaves.into(),
        });
        group.add(&own);
        Some(IndexedSelection { own, group })
    }
}

impl SelectionGroup {
    /// The newest come first, the oldest go.
    fn add(&self, own: &Arc<LeafSet>) {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.retain(|known| known != own);
        sets.insert(0, Arc::clone(own));
        sets.truncate(MAX_SETS_PER_GROUP);
    }
}

impl IndexedSelection {
    /// Those that have all that this one has and more, the narrowest first; a few.
    pub(crate) fn supersets(&self) -> Vec<Arc<LeafSet>> {
        let sets = self.group.sets.lock();
        let sets = sets.unwrap_or_else(PoisonError::into_inner);
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

/// Types of services, far more than graphs have.
const MAX_GROUPS: usize = 4_096;

/// Selections of one type.
const MAX_SETS_PER_GROUP: usize = 64;

/// Looked for beside a value itself.
const MAX_SUPERSETS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn indexed_selection(index: &SelectionIndex, leaves: &[&str]) -> IndexedSelection {
        let leaves: Vec<Box<str>> = leaves.iter().map(|leaf| (*leaf).into()).collect();
        let names = (&"things".into(), &"Thing".into());
        index.add(names, &leaves.join(" "), &leaves).unwrap()
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
