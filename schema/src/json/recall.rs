//! Remembering what became of the members of one object for the next of its kind.
//!
//! Objects of a list have their members in one order nearly always, and a parsed document keeps
//! equal keys of such at one place. So what a key is for is found out once, and then recognised.

use super::tape::Span;
use super::{Children, Json, Node, Str};

/// What the keys of earlier objects were for, member by member.
#[derive(Clone, Debug, Default)]
pub struct Recall<'a> {
    /// Keys are places in this document.
    document: Option<&'a Json>,
    seen: Vec<(Span, Option<usize>)>,
}

/// More members than that are not remembered.
const MAX_REMEMBERED_MEMBERS: usize = 64;

impl<'a> Recall<'a> {
    /// Gives each member of `object` to `take` that `find` has a number for, with that number.
    ///
    /// `find` may be asked or not, so it must always say the same of the same key.
    #[inline]
    pub fn members(
        &mut self,
        object: Node<'a>,
        find: impl Fn(Str<'a>) -> Option<usize>,
        mut take: impl FnMut(usize, Node<'a>),
    ) {
        if !self
            .document
            .is_some_and(|of| std::ptr::eq(of, object.json))
        {
            self.document = Some(object.json);
            self.seen.clear();
        }
        let json = object.json;
        let Children { mut next, end, .. } = object.members().0;
        let mut ordinal = 0;
        while next < end
            && let Some(entry) = json.nodes.get(next as usize)
        {
            let member = Node { json, index: next };
            let found = match self.seen.get(ordinal) {
                Some((known, found)) if *known == entry.key => *found,
                _ => {
                    let found = find(member.key(entry.key()));
                    self.remember(ordinal, entry.key, found);
                    found
                }
            };
            next = entry.next;
            ordinal += 1;
            if let Some(found) = found {
                take(found, member);
            }
        }
    }

    #[cold]
    fn remember(&mut self, ordinal: usize, key: Span, number: Option<usize>) {
        if let Some(old) = self.seen.get_mut(ordinal) {
            *old = (key, number);
        } else if ordinal < MAX_REMEMBERED_MEMBERS {
            self.seen.push((key, number)); // Members come in order, so this is its place.
        }
    }
}
