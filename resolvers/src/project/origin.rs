//! Paths of errors that made more than their own field null.

use schema::types::Nullability;

use super::program::{Member, MemberValue, OutputObject, OutputShape, OutputType};
use super::{PathStep, Projection};
use crate::error::{FailureId, OriginBase, OriginStep};
use crate::tree::Row;

/// An object that is being written.
#[derive(Clone, Copy)]
pub(super) struct EnclosingObject<'a> {
    pub(super) row: Row,
    pub(super) object: &'a OutputObject,
}

impl<'a> Projection<'a> {
    /// The path of the field at which a failed value's error occurred. A value that the client sees
    /// as null has the error itself, unless the error occurred in it.
    pub(super) fn failure_path(
        &self,
        failure: FailureId,
        output_type: &'a OutputType,
        member: &Member,
    ) -> Vec<PathStep<'a>> {
        let mut path = self.path.clone();
        let Some(origin) = self.failures.origins.get(&failure) else {
            return path;
        };
        let is_member_value = matches!(path.last(), Some(PathStep::Key(_)));
        match (origin.base, origin.steps.split_first()) {
            (OriginBase::Value, _) => self.extend_path(&mut path, output_type, &origin.steps),
            (OriginBase::Object(at), Some((OriginStep::Slots(slots), inner)))
                if is_member_value =>
            {
                let Some(enclosing) = self.objects.last().filter(|it| it.object.at == at) else {
                    return path;
                };
                if is_in_slot(member, slots) {
                    self.extend_path(&mut path, output_type, inner);
                } else if output_type.nullability == Nullability::NonNull
                    && let Some(cause) = self.member_in(*enclosing, slots)
                {
                    path.pop();
                    self.extend_path_by_member(&mut path, cause, inner);
                }
            }
            _ => {}
        }
        path
    }

    /// The member of an object whose value is in one of these slots.
    fn member_in(&self, enclosing: EnclosingObject<'a>, slots: &[usize]) -> Option<&'a Member> {
        let mut members = enclosing.object.members.iter();
        members
            .find(|member| is_in_slot(member, slots) && self.is_applicable(member, enclosing.row))
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
