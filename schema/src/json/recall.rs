//! Matches the members of similar objects to known keys, with the matches of earlier objects.
//!
//! The objects of a list nearly always have their members in one order, and the parser gives
//! their equal keys one range in the text. So a key is compared once, then recognised by range.

use super::tape::Span;
use super::{Children, Json, Node, Str};

/// The matches of earlier objects, by position of the member.
#[derive(Clone, Debug, Default)]
pub struct Recall<'a> {
    /// The document of the key ranges.
    document: Option<&'a Json>,
    matches: Vec<(Span, Option<usize>)>,
}

/// Maximum number of remembered members; later ones are compared each time.
const MAX_REMEMBERED_MEMBERS: usize = 64;

impl<'a> Recall<'a> {
    /// Calls `visit` for each member of `object` whose key has an index by `find`.
    ///
    /// `find` is not called for every member, so its result must depend on the key only.
    #[inline]
    pub fn members(
        &mut self,
        object: Node<'a>,
        find: impl Fn(Str<'a>) -> Option<usize>,
        mut visit: impl FnMut(usize, Node<'a>),
    ) {
        if !self
            .document
            .is_some_and(|document| std::ptr::eq(document, object.json))
        {
            self.document = Some(object.json);
            self.matches.clear();
        }
        let json = object.json;
        let Children { mut next, end, .. } = object.members().0;
        let mut ordinal = 0;
        while next < end
            && let Some(entry) = json.nodes.get(next as usize)
        {
            let member = Node { json, index: next };
            let index = match self.matches.get(ordinal) {
                Some((key, index)) if *key == entry.key => *index,
                _ => {
                    let index = find(member.key(entry.key()));
                    self.remember(ordinal, entry.key, index);
                    index
                }
            };
            next = entry.next;
            ordinal += 1;
            if let Some(index) = index {
                visit(index, member);
            }
        }
    }

    #[cold]
    fn remember(&mut self, ordinal: usize, key: Span, index: Option<usize>) {
        if let Some(old) = self.matches.get_mut(ordinal) {
            *old = (key, index);
        } else if ordinal < MAX_REMEMBERED_MEMBERS {
            self.matches.push((key, index)); // Members come in order, so this is its position.
        }
    }
}
