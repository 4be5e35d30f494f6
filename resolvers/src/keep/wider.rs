//! What else a kept value may have been asked for as: selections that have all of another's leaves.
//!
//! Known to one process only: those of the operations that it has prepared.

use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use schema::types::Name;

/// The selections of all operations, by who is asked for objects of which type.
#[derive(Debug, Default)]
pub(crate) struct Selections {
    groups: Mutex<HashMap<(Name, Name), Arc<Group>, foldhash::fast::RandomState>>,
}

/// Selections of objects of one type of one service.
#[derive(Debug, Default)]
pub(crate) struct Group {
    each: Mutex<Vec<Arc<Leaves>>>,
}

/// A selection that depends on no value of an operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leaves {
    /// As it is in the key.
    pub(crate) text: Box<str>,
    /// In order.
    leaves: Box<[Box<str>]>,
}

/// A selection among others.
#[derive(Debug)]
pub(crate) struct Place {
    own: Arc<Leaves>,
    group: Arc<Group>,
}

impl Selections {
    /// Notes a selection.
    pub(crate) fn add(
        &self,
        (source, type_name): (&Name, &Name),
        text: &str,
        leaves: &[Box<str>],
    ) -> Option<Place> {
        let group = {
            // Whole between any two statements, so a panic elsewhere cannot have broken it.
            let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (Name::clone(source), Name::clone(type_name));
            if groups.len() >= MOST_GROUPS && !groups.contains_key(&key) {
                return None;
            }
            Arc::clone(groups.entry(key).or_default())
        };
        let own = Arc::new(Leaves {
            text: text.into(),
            leaves: leaves.into(),
        });
        group.add(&own);
        Some(Place { own, group })
    }
}

impl Group {
    /// The newest come first, the oldest go.
    fn add(&self, own: &Arc<Leaves>) {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        each.retain(|known| known != own);
        each.insert(0, Arc::clone(own));
        each.truncate(MOST_IN_GROUP);
    }
}

impl Place {
    /// Those that have all that this one has and more, the narrowest first; a few.
    pub(crate) fn wider(&self) -> Vec<Arc<Leaves>> {
        let each = self.group.each.lock();
        let each = each.unwrap_or_else(PoisonError::into_inner);
        let wider = each.iter().filter(|other| other.is_wider(&self.own));
        let mut wider: Vec<Arc<Leaves>> = wider.cloned().collect();
        drop(each);
        wider.sort_by_key(|other| other.leaves.len());
        wider.truncate(MOST_WIDER);
        wider
    }
}

impl Leaves {
    fn is_wider(&self, other: &Self) -> bool {
        let mut all = self.leaves.iter();
        let has = |wanted: &str| all.by_ref().any(|leaf| **leaf == *wanted);
        let is_more = self.leaves.len() > other.leaves.len();
        is_more && other.leaves.iter().map(AsRef::as_ref).all(has)
    }
}

/// Types of services, far more than graphs have.
const MOST_GROUPS: usize = 4_096;

/// Selections of one type.
const MOST_IN_GROUP: usize = 64;

/// Looked for beside a value itself.
const MOST_WIDER: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn place(selections: &Selections, leaves: &[&str]) -> Place {
        let leaves: Vec<Box<str>> = leaves.iter().map(|leaf| (*leaf).into()).collect();
        let names = (&"things".into(), &"Thing".into());
        selections.add(names, &leaves.join(" "), &leaves).unwrap()
    }

    fn wider(place: &Place) -> Vec<String> {
        let wider = place.wider().into_iter();
        wider.map(|leaves| leaves.text.to_string()).collect()
    }

    #[test]
    fn wider_is_what_has_all_leaves_and_more() {
        let selections = Selections::default();
        let narrow = place(&selections, &["/a", "/c"]);
        assert_eq!(wider(&narrow), Vec::<String>::new());
        let widest = place(&selections, &["/a", "/b", "/c", "/d"]);
        place(&selections, &["/a", "/b", "/c"]);
        place(&selections, &["/a", "/b"]);
        place(&selections, &["/b", "/c", "/d"]);

        assert_eq!(wider(&narrow), ["/a /b /c", "/a /b /c /d"]);
        assert_eq!(wider(&widest), Vec::<String>::new());
    }

    #[test]
    fn there_are_never_too_many() {
        let selections = Selections::default();
        let narrow = place(&selections, &["/a"]);
        for number in 0..1_000 {
            place(&selections, &["/a", &format!("/b{number}")]);
        }
        assert_eq!(wider(&narrow).len(), MOST_WIDER);
        assert_eq!(narrow.group.each.lock().unwrap().len(), MOST_IN_GROUP);
    }
}
