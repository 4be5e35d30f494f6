//! The members of the response, before they have slots: fields collected and grouped, each with the
//! non-null fields of its selection set.

use std::collections::HashSet;

use schema::graph::Graph;
use schema::operation::OperationSelection;
use schema::types::{Name, TypeId, TypeRef};

use super::Condition;
use super::collect::FieldCollector;
use super::groups::{FieldGroup, group_fields};
use super::non_null_sets::{NonNullField, NonNullSetId, NonNullSets};

/// A member of an object in the response, for objects of some types.
pub(super) struct Member<'a> {
    pub(super) group: FieldGroup<'a>,
    /// The condition under which it is written.
    pub(super) condition: Condition,
    /// Whether one field of the operation selects it on several object types.
    pub(super) across_types: bool,
    /// The members of its objects, for composite types.
    pub(super) nested: Option<Members<'a>>,
}

/// The members of the objects at one position.
pub(super) struct Members<'a> {
    pub(super) members: Vec<Member<'a>>,
    pub(super) non_null_set: NonNullSetId,
}

/// The selection sets that apply to one position, each with the conditions on the path to it.
type Occurrences<'a> = Vec<(Condition, &'a [OperationSelection])>;

/// Collects the members of a response.
pub(super) struct MemberCollector<'c> {
    pub(super) collector: FieldCollector<'c>,
    pub(super) graph: &'c Graph,
    pub(super) non_null_sets: &'c mut NonNullSets<NonNullField>,
}

impl MemberCollector<'_> {
    /// The members of the root object.
    pub(super) fn root<'a>(
        &mut self,
        ty: TypeId,
        selections: &'a [OperationSelection],
    ) -> Members<'a> {
        let always = Condition::always();
        self.members(ty, &vec![(always.clone(), selections)], &always)
    }

    /// The members of objects of type `ty`, which are selected under the condition `selected`.
    fn members<'a>(
        &mut self,
        ty: TypeId,
        occurrences: &Occurrences<'a>,
        selected: &Condition,
    ) -> Members<'a> {
        let mut collected = Vec::new();
        for (condition, selections) in occurrences {
            let possible = &self.graph.types().get(ty).possible_types;
            let collector = self.collector;
            collector.collect(selections, possible, condition, &mut collected);
        }
        let across_types = collected.iter().filter(|it| it.on.len() > 1);
        let across_types: HashSet<&str> = across_types.map(|it| it.field.name.as_ref()).collect();
        let groups = group_fields(collected).into_iter();
        let groups: Vec<_> = groups
            .flat_map(|group| self.split_by_field_type(group))
            .collect();
        let members = groups.into_iter().map(|group| {
            let across_types = across_types.contains(group.name().as_ref());
            self.member(group, across_types)
        });
        let members: Vec<Member<'a>> = members.collect();
        let non_null_set = self.non_null_set(&members, selected);
        Members {
            members,
            non_null_set,
        }
    }

    fn member<'a>(&mut self, group: FieldGroup<'a>, across_types: bool) -> Member<'a> {
        let condition = group.condition();
        let nested = self.nested_type(&group).map(|ty| {
            let occurrences = group.occurrences.iter();
            let occurrences = occurrences
                .map(|it| (it.condition.clone(), it.field.selections.as_slice()))
                .collect();
            self.members(ty, &occurrences, &condition)
        });
        Member {
            group,
            condition,
            across_types,
            nested,
        }
    }

    /// The type of the objects in a member; `None` for leaves and introspection.
    fn nested_type(&self, group: &FieldGroup<'_>) -> Option<TypeId> {
        let types = self.graph.types();
        let field = types.get(*group.on.first()?).field(group.name())?;
        let ty = field.ty.named_type();
        types.get(ty).is_composite().then_some(ty)
    }

    /// Splits `group` by the type of its field: implementations of an interface may narrow a field
    /// differently, and reading and writing a value depend on its type.
    fn split_by_field_type<'a>(&self, group: FieldGroup<'a>) -> Vec<FieldGroup<'a>> {
        let name = group.name();
        let mut by_type: Vec<(Option<&TypeRef>, FieldGroup<'a>)> = Vec::new();
        for on in group.on {
            let ty = self
                .graph
                .types()
                .get(on)
                .field(name)
                .map(|field| &field.ty);
            match by_type.iter_mut().find(|(known, _)| *known == ty) {
                Some((_, same)) => same.on.push(on),
                None => by_type.push((
                    ty,
                    FieldGroup {
                        on: vec![on],
                        occurrences: group.occurrences.clone(),
                    },
                )),
            }
        }
        by_type.into_iter().map(|(_, group)| group).collect()
    }

    /// The non-null fields among `members`.
    fn non_null_set(&mut self, members: &[Member<'_>], selected: &Condition) -> NonNullSetId {
        let mut fields = Vec::new();
        for member in members {
            let name = member.group.name();
            let on = member.group.on.iter();
            let on = on.filter(|on| self.graph.may_propagate_null(**on, name));
            // The field's own condition, without that of the objects.
            let condition = match &member.condition {
                same if same == selected => Condition::always(),
                other => other.clone(),
            };
            fields.extend(on.map(|on| {
                NonNullField {
                    on: *on,
                    field: Name::clone(name),
                    arguments: member.group.first().arguments.clone(),
                    condition: condition.clone(),
                    nested: member
                        .nested
                        .as_ref()
                        .map_or(NonNullSetId::EMPTY, |nested| nested.non_null_set),
                }
            }));
        }
        self.non_null_sets.add(fields)
    }
}
