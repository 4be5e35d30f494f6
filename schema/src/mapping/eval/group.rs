//! Item lists that are used object after object: the members that their paths start with are found
//! in one walk, by what the objects before had.
//!
//! Changes nothing of what an evaluation gives. Lists that hold anything but members with names of
//! their own are not for here.

use std::borrow::Cow;

use super::{Evaluation, member_value, path};
use crate::json::{Node, Object, Recall, Str, Value};
use crate::mapping::ast::{Expr, Head, Item, Key, Member, MemberValue, Path, Selection};
use crate::mapping::scope::Scope;

/// The item lists that were used in an evaluation.
#[derive(Default)]
pub(super) struct GroupCache<'a>(Vec<(&'a Selection, GroupState<'a>)>);

/// The member that a path starts with, or that there is none.
#[derive(Clone, Copy)]
pub(super) struct StartMember<'a> {
    pub(super) path: &'a Path,
    pub(super) key: &'a Key,
    pub(super) member: Option<Node<'a>>,
}

/// The members that an item list gives, where it is prepared for that.
pub(super) fn object_value<'a>(
    run: &mut Evaluation<'_, 'a>,
    selection: &'a Selection,
    scope: Scope<'_, 'a>,
) -> Option<Value<'a>> {
    let Value::Node(object) = *scope.dollar.value else {
        return None;
    };
    if !object.is_object() {
        return None;
    }
    let mut group = run.groups.take(selection)?;
    group.find_start_members(object);
    let value = group.value(run, object, scope);
    run.groups.put_back(group);
    Some(value)
}

enum GroupState<'a> {
    UsedOnce,
    /// Boxed, so that little is moved when it is taken.
    Ready(Box<Group<'a>>),
    /// Used just now, or not for here.
    Unavailable,
}

/// More lists than that of one mapping are evaluated without.
const MAX_GROUPS: usize = 8;

impl<'a> GroupCache<'a> {
    /// What is prepared for `selection`, once it was used before; to be given back.
    fn take(&mut self, selection: &'a Selection) -> Option<Box<Group<'a>>> {
        let mut known = self.0.iter_mut();
        let Some((_, state)) = known.find(|(of, _)| std::ptr::eq(*of, selection)) else {
            if self.0.len() < MAX_GROUPS {
                self.0.push((selection, GroupState::UsedOnce));
            }
            return None;
        };
        match std::mem::replace(state, GroupState::Unavailable) {
            GroupState::UsedOnce => Group::new(selection).map(Box::new),
            GroupState::Ready(group) => Some(group),
            GroupState::Unavailable => None,
        }
    }

    fn put_back(&mut self, group: Box<Group<'a>>) {
        let mut known = self.0.iter_mut();
        if let Some((_, state)) = known.find(|(of, _)| std::ptr::eq(*of, group.selection)) {
            *state = GroupState::Ready(group);
        }
    }
}

/// An item list, prepared.
struct Group<'a> {
    selection: &'a Selection,
    members: Vec<(&'a Member, Option<PathStart<'a>>)>,
    /// The keys that paths start with, each once.
    keys: Vec<&'a str>,
    /// The members of the object of each.
    start_members: Vec<Option<Node<'a>>>,
    recall: Recall<'a>,
}

/// A path and the place of the key that it starts with.
#[derive(Clone, Copy)]
struct PathStart<'a> {
    path: &'a Path,
    key: &'a Key,
    key_index: usize,
}

impl<'a> Group<'a> {
    fn new(selection: &'a Selection) -> Option<Self> {
        let mut keys = Vec::new();
        let members: Vec<_> = (plain_members(selection)?.into_iter())
            .map(|member| (member, path_start(member, &mut keys)))
            .collect();
        Some(Self {
            selection,
            members,
            start_members: vec![None; keys.len()],
            keys,
            recall: Recall::default(),
        })
    }

    /// Looks for all of the keys in `object`.
    fn find_start_members(&mut self, object: Node<'a>) {
        self.start_members.fill(None);
        let (keys, found) = (&self.keys, &mut self.start_members);
        let find = |key: Str<'a>| keys.iter().position(|known| key.is(known));
        self.recall.members(object, find, |at, member| {
            if let Some(found) = found.get_mut(at) {
                *found = Some(member); // The last one of several.
            }
        });
    }

    fn value(
        &self,
        run: &mut Evaluation<'_, 'a>,
        object: Node<'a>,
        scope: Scope<'_, 'a>,
    ) -> Value<'a> {
        let mut members = Vec::with_capacity(self.members.len());
        for (member, start) in &self.members {
            let key = Cow::Borrowed(member.key.name.as_str());
            let found = start.map(|start| self.start_member(start));
            // Most are keys and nothing else.
            if let Some(value) = found.and_then(StartMember::whole_value) {
                let work = 1 + object.len() / 4 + value.span().1 as usize / 8;
                if run.spend(work, &member.key.range).is_some() {
                    members.push((key, Value::Node(value)));
                }
                continue;
            }
            let value = match found {
                Some(found) => path::value_from_member(run, found, object, scope),
                None => member_value(run, &member.value, scope),
            };
            if let Some(value) = value {
                members.push((key, value));
            }
        }
        Value::object(Object::from_distinct(members))
    }

    fn start_member(&self, start: PathStart<'a>) -> StartMember<'a> {
        let member = self.start_members.get(start.key_index).copied();
        StartMember {
            path: start.path,
            key: start.key,
            member: member.flatten(),
        }
    }
}

impl<'a> StartMember<'a> {
    /// The member, where it is the whole value.
    fn whole_value(self) -> Option<Node<'a>> {
        let is_alone = self.path.steps.is_empty() && self.path.group.is_none();
        self.member.filter(|_| is_alone)
    }
}

/// The members of a list of two or more that has nothing else, each with a name of its own.
fn plain_members(selection: &Selection) -> Option<Vec<&Member>> {
    let mut members: Vec<&Member> = Vec::with_capacity(selection.items.len());
    for item in &selection.items {
        let Item::Member(member) = item else {
            return None;
        };
        if members
            .iter()
            .any(|known| known.key.name == member.key.name)
        {
            return None;
        }
        members.push(member);
    }
    (members.len() > 1).then_some(members)
}

fn path_start<'a>(member: &'a Member, keys: &mut Vec<&'a str>) -> Option<PathStart<'a>> {
    let MemberValue::Expr(Expr::Path(path)) = &member.value else {
        return None;
    };
    let Head::Key(key) = &path.head else {
        return None;
    };
    let name = key.name.as_str();
    let at = keys.iter().position(|known| *known == name);
    let at = at.unwrap_or_else(|| {
        keys.push(name);
        keys.len() - 1
    });
    Some(PathStart {
        path,
        key,
        key_index: at,
    })
}

#[cfg(test)]
mod tests;
