//! A fast path for item lists applied to many objects: one pass over an object finds the members
//! that all paths start with, using the member order of earlier objects.
//!
//! Results are those of the general evaluation. Only lists of members with distinct keys qualify.

use std::borrow::Cow;

use super::{Evaluation, member_value, path};
use crate::json::{Node, Object, Recall, Str, Value};
use crate::mapping::ast::{Expr, Head, Item, Key, Member, MemberValue, Path, Selection};
use crate::mapping::scope::Scope;

/// The item lists of an evaluation by their state.
#[derive(Default)]
pub(super) struct GroupCache<'a>(Vec<(&'a Selection, GroupState<'a>)>);

/// The member that a path starts with; `None` if the object lacks it.
#[derive(Clone, Copy)]
pub(super) struct StartMember<'a> {
    pub(super) path: &'a Path,
    pub(super) key: &'a Key,
    pub(super) member: Option<Node<'a>>,
}

/// The value of an item list, if a group is prepared for it.
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
    /// Boxed, so that taking it moves a pointer only.
    Ready(Box<Group<'a>>),
    /// In use, or the list does not qualify.
    Unavailable,
}

/// Maximum number of prepared lists per evaluation.
const MAX_GROUPS: usize = 8;

impl<'a> GroupCache<'a> {
    /// Takes the group of `selection` out of the cache, from its second use on.
    fn take(&mut self, selection: &'a Selection) -> Option<Box<Group<'a>>> {
        let mut groups = self.0.iter_mut();
        let Some((_, state)) = groups.find(|(known, _)| std::ptr::eq(*known, selection)) else {
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
        let mut groups = self.0.iter_mut();
        let same = |known: &'a Selection| std::ptr::eq(known, group.selection);
        if let Some((_, state)) = groups.find(|(known, _)| same(known)) {
            *state = GroupState::Ready(group);
        }
    }
}

/// A prepared item list.
struct Group<'a> {
    selection: &'a Selection,
    members: Vec<(&'a Member, Option<PathStart<'a>>)>,
    /// The distinct keys that paths start with.
    keys: Vec<&'a str>,
    /// The current object's member for each key.
    start_members: Vec<Option<Node<'a>>>,
    recall: Recall<'a>,
}

/// A path with the key that it starts with.
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

    /// Finds the members of `object` for all keys.
    fn find_start_members(&mut self, object: Node<'a>) {
        self.start_members.fill(None);
        let (keys, start_members) = (&self.keys, &mut self.start_members);
        let find = |key: Str<'a>| keys.iter().position(|known| key.is(known));
        self.recall.members(object, find, |key_index, member| {
            if let Some(start_member) = start_members.get_mut(key_index) {
                *start_member = Some(member); // Of duplicates, the last one is used.
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
            let start = start.map(|start| self.start_member(start));
            // Most paths are a single key.
            if let Some(value) = start.and_then(StartMember::whole_value) {
                let work = 1 + object.len() / 4 + value.span().1 as usize / 8;
                if run.spend(work, &member.key.range).is_some() {
                    members.push((key, Value::Node(value)));
                }
                continue;
            }
            let value = match start {
                Some(start) => path::value_from_member(run, start, object, scope),
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
    /// The member, if the path consists of its key only.
    fn whole_value(self) -> Option<Node<'a>> {
        let is_key = self.path.steps.is_empty() && self.path.group.is_none();
        self.member.filter(|_| is_key)
    }
}

/// The items of a list of two or more members with distinct keys.
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
    let key_index = keys.iter().position(|known| *known == name);
    let key_index = key_index.unwrap_or_else(|| {
        keys.push(name);
        keys.len() - 1
    });
    Some(PathStart {
        path,
        key,
        key_index,
    })
}

#[cfg(test)]
mod tests;
