//! Paths of errors that made more than their own field null.

use schema::types::Nullability;

use super::program::{Member, MemberValue, OutputObject, OutputShape, OutputType};
use super::{PathStep, Projection};
use crate::error::{FailureId, OriginStep};
use crate::tree::Row;

/// An object that is being written.
#[derive(Clone, Copy)]
pub(super) struct EnclosingObject<'a> {
    pub(super) row: Row,
    pub(super) object: &'a OutputObject,
    /// Number of steps of the path to the object.
    pub(super) depth: usize,
}

impl<'a> Projection<'a> {
    /// The path of the field at which a failed value's error occurred. A value that the client sees
    /// as null has the error itself, unless the error occurred in it.
    pub(super) fn failure_path(
        &self,
        failure: FailureId,
        output_type: &'a OutputType,
    ) -> Vec<PathStep<'a>> {
        let path = self.path.clone();
        let Some(full) = self.origin_path(failure) else {
            return path;
        };
        // A null at a non-null type takes its siblings along.
        let is_taken_along = output_type.nullability == Nullability::NonNull
            && path
                .split_last()
                .is_some_and(|(_, parent)| full.starts_with(parent));
        if is_taken_along || full.starts_with(&path) {
            full
        } else {
            path
        }
    }

    /// The path of the error of a failure, as far as the response would have it.
    fn origin_path(&self, failure: FailureId) -> Option<Vec<PathStep<'a>>> {
        let origin = self.failures.origins.get(&failure)?;
        let (OriginStep::Slots(slots), inner) = origin.steps.split_first()? else {
            return None;
        };
        let mut objects = self.objects.iter().rev();
        let enclosing = objects.find(|it| it.object.at == origin.at)?;
        let member = self.member_in(*enclosing, slots)?;
        let mut path = self.path[..enclosing.depth].to_vec();
        self.extend_path_by_member(&mut path, member, inner);
        Some(path)
    }

    /// The member of an object whose value is in one of these slots: the one that is being written,
    /// or the first.
    fn member_in(&self, enclosing: EnclosingObject<'a>, slots: &[usize]) -> Option<&'a Member> {
        let members = enclosing.object.members.iter();
        let mut members = members.filter(|member| {
            is_in_slot(member, slots) && self.is_applicable(member, enclosing.row)
        });
        let written = self.path.get(enclosing.depth);
        let is_written = |member: &&Member| Some(&PathStep::Key(&member.key)) == written;
        members.clone().find(is_written).or_else(|| members.next())
    }

    fn extend_path_by_member(
        &self,
        path: &mut Vec<PathStep<'a>>,
        member: &'a Member,
        steps: &[OriginStep],
    ) {
        path.push(PathStep::Key(&member.key));
        if let MemberValue::Slot(_, output_type) = &member.value {
            self.extend_path(path, output_type, steps);
        }
    }

    /// Follows steps through the members that the response would have, as far as it has them.
    fn extend_path(
        &self,
        path: &mut Vec<PathStep<'a>>,
        output_type: &'a OutputType,
        steps: &[OriginStep],
    ) {
        let Some((step, rest)) = steps.split_first() else {
            return;
        };
        match (&output_type.shape, step) {
            (OutputShape::List(item_type), OriginStep::Index(index)) => {
                if let Ok(index) = u32::try_from(*index) {
                    path.push(PathStep::Index(index));
                    self.extend_path(path, item_type, rest);
                }
            }
            (OutputShape::Object(object), OriginStep::Slots(slots)) => {
                let mut members = object.members.iter();
                let member = members.find(|it| is_in_slot(it, slots) && self.is_active(it));
                if let Some(member) = member {
                    self.extend_path_by_member(path, member, rest);
                }
            }
            _ => {}
        }
    }
}

fn is_in_slot(member: &Member, slots: &[usize]) -> bool {
    matches!(&member.value, MemberValue::Slot(slot, _) if slots.contains(slot))
}
