//! Reduces a connector's mapping to the fields that an operation needs of it.
//!
//! The evaluation of a reduced mapping reports problems of these fields only, with their ranges in
//! the whole mapping. Its value is not used: what a later part of the mapping reads is retained,
//! but not all that a client may select.

use schema::mapping::ast::{
    Expr, Head, Item, Key, Member, MemberValue, Path, Selection as Items, Step,
};

use crate::plan::FetchSlots;
use crate::selection::{PositionId, Selection, Slot};

/// The fields that a fetch needs.
pub(crate) struct MappingNarrower<'a> {
    pub(crate) selection: &'a Selection,
    /// The slots that are needed, those of the key included.
    pub(crate) slots: &'a FetchSlots,
}

impl MappingNarrower<'_> {
    /// The items without members that fill no slot of the positions `at`; without positions the
    /// value is a leaf, and everything is retained.
    pub(crate) fn items(&self, items: &Items, at: &[PositionId]) -> Items {
        let narrowed = items.items.iter().filter_map(|item| match item {
            Item::Member(member) => self.member(member, at).map(Item::Member),
            Item::Whole(expr) => Some(Item::Whole(self.expr(expr, at))),
            Item::Spread(path) => Some(Item::Spread(self.path(path, at))),
        });
        Items {
            items: narrowed.collect(),
            range: items.range.clone(),
        }
    }

    fn member(&self, member: &Member, at: &[PositionId]) -> Option<Member> {
        let inside = self.positions_inside(&member.key, at)?;
        let value = match &member.value {
            MemberValue::Group(group) => MemberValue::Group(self.items(group, &inside)),
            MemberValue::Expr(expr) => MemberValue::Expr(self.expr(expr, &inside)),
        };
        let key = member.key.clone();
        Some(Member { key, value })
    }

    /// The positions of the objects of a member; `None` if it fills no slot.
    fn positions_inside(&self, key: &Key, at: &[PositionId]) -> Option<Vec<PositionId>> {
        let slots = at.iter().flat_map(|at| self.slots_at(*at));
        let slots: Vec<&Slot> = slots.filter(|slot| *slot.field == *key.name).collect();
        let is_needed = at.is_empty() || !slots.is_empty() || key.name == "__typename";
        is_needed.then(|| slots.iter().filter_map(|slot| slot.child).collect())
    }

    fn slots_at(&self, at: PositionId) -> impl Iterator<Item = &Slot> {
        let slots = self.slots.get(&at).into_iter();
        let position = self.selection.position(at);
        let slots = slots.flat_map(|slots| slots.keys());
        slots.map(|slot| &position.slots[*slot])
    }

    fn expr(&self, expr: &Expr, at: &[PositionId]) -> Expr {
        match expr {
            Expr::Path(path) => Expr::Path(self.path(path, at)),
            Expr::Group(group) => Expr::Group(self.items(group, at)),
            Expr::Object(members, range) => {
                let members = members.iter().filter_map(|(key, value)| {
                    let inside = self.positions_inside(key, at)?;
                    Some((key.clone(), self.expr(value, &inside)))
                });
                Expr::Object(members.collect(), range.clone())
            }
            Expr::List(elements, range) => {
                let elements = elements.iter().map(|element| self.expr(element, at));
                Expr::List(elements.collect(), range.clone())
            }
            Expr::Choice(choice, operands) => {
                let operands = operands.iter().map(|operand| self.expr(operand, at));
                Expr::Choice(*choice, operands.collect())
            }
            Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Null(_) => expr.clone(),
        }
    }

    fn path(&self, path: &Path, at: &[PositionId]) -> Path {
        let mut narrowed = path.clone();
        if let Some(group) = &path.group {
            narrowed.group = Some(self.items(group, at));
            return narrowed;
        }
        // The step that makes the value.
        let last = path.steps.iter().rposition(|step| !is_selecting(step));
        match (last, &path.head) {
            (None, Head::Expr(expr)) => narrowed.head = Head::Expr(Box::new(self.expr(expr, at))),
            (None, _) => {}
            (Some(last), _) => {
                if let Some(Step::Method(name, Some(arguments))) = narrowed.steps.get_mut(last) {
                    for argument in arguments {
                        self.narrow_argument(&name.name, argument, at);
                    }
                }
            }
        }
        narrowed
    }

    /// Narrows the parts of an argument that are the value of the method.
    fn narrow_argument(&self, method: &str, argument: &mut Expr, at: &[PositionId]) {
        match (method, argument) {
            ("map" | "echo", argument) => *argument = self.expr(argument, at),
            ("match", Expr::List(pair, _)) => {
                if let [_, value] = pair.as_mut_slice() {
                    *value = self.expr(value, at);
                }
            }
            _ => {}
        }
    }
}

/// Whether the value of a step is its input, or elements of it, whatever their members are.
fn is_selecting(step: &Step) -> bool {
    match step {
        Step::Question(_) => true,
        Step::Method(name, _) => matches!(name.name.as_str(), "first" | "last" | "slice"),
        Step::Key(_) => false,
    }
}
