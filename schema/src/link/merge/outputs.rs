//! Merges the fields of objects and interfaces, by union.

use apollo_compiler::Name;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ExtendedType};

use super::widths::{contains, wider};
use super::{Declaration, FieldCoordinate, Merge, conflict, directives, inputs};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::link::compose::part::{Fields, fields};

/// A field in one subgraph.
type FieldDeclaration<'a> = Declaration<'a, Component<FieldDefinition>>;

impl<'a> Merge<'a, '_> {
    /// Adds the fields of every object and interface.
    pub(super) fn merge_outputs(&mut self) {
        let all: Vec<(Name, Vec<Declaration<'a, ExtendedType>>)> = self
            .declarations
            .iter()
            .map(|(name, all)| (name.clone(), all.clone()))
            .collect();
        for (owner, all) in all {
            let mut merged = Fields::default();
            for (name, declarations) in declarations_by_field(&all) {
                let coordinate = FieldCoordinate {
                    owner: &owner,
                    field: &name,
                };
                if let Some(field) = self.merge_field(coordinate, &declarations) {
                    merged.insert(name, Component::new(field));
                }
            }
            match self.schema.types.get_mut(&owner) {
                Some(ExtendedType::Object(it)) => it.make_mut().fields = merged,
                Some(ExtendedType::Interface(it)) => it.make_mut().fields = merged,
                _ => {}
            }
        }
    }

    fn merge_field(
        &mut self,
        coordinate: FieldCoordinate<'_>,
        declarations: &[FieldDeclaration<'a>],
    ) -> Option<FieldDefinition> {
        let FieldCoordinate { owner, field: name } = coordinate;
        let (mut external, mut providing): (Vec<_>, Vec<_>) = declarations
            .iter()
            .copied()
            .partition(|declaration| declaration.part.is_external(owner, name));
        if providing.is_empty() && self.retains_external_field(coordinate, &external) {
            providing = std::mem::take(&mut external);
        }
        let first = providing.first().copied()?;
        let mut ty = first.definition.ty.clone();
        for other in providing.iter().skip(1).copied() {
            match wider(&self.schema, &ty, &other.definition.ty) {
                Some(wide) => ty = wide,
                None => self.report_type_mismatch(coordinate, other, first),
            }
        }
        let field = FieldDefinition {
            description: providing
                .iter()
                .find_map(|declaration| declaration.definition.description.clone()),
            name: without_location(name),
            arguments: inputs::merged_field_arguments(self, coordinate, &providing),
            ty: type_without_locations(&ty),
            directives: directives::merged_node_directives(
                providing
                    .iter()
                    .map(|it| (it.part, &it.definition.directives)),
            ),
        };
        for other in external {
            self.check_external(coordinate, &field, other, first);
        }
        Some(field)
    }

    fn report_type_mismatch(
        &mut self,
        coordinate: FieldCoordinate<'_>,
        other: FieldDeclaration<'a>,
        first: FieldDeclaration<'a>,
    ) {
        let message = format!(
            "`{coordinate}` is `{}` here and `{}` in `{}`",
            other.definition.ty,
            first.definition.ty,
            first.part.name()
        );
        let problem = conflict(Code::FieldTypeMismatch, message, other, first);
        self.problems.push(problem);
    }

    /// Reports a field that is `@external` in every subgraph, and returns whether it stays in the
    /// graph. A field of an interface object is not reported: that subgraph provides it.
    fn retains_external_field(
        &mut self,
        coordinate: FieldCoordinate<'_>,
        external: &[FieldDeclaration<'a>],
    ) -> bool {
        let Some(first) = external.first() else {
            return false;
        };
        let FieldCoordinate { owner, field: name } = coordinate;
        let used = (owner.clone(), name.clone());
        let is_reported = |declaration: &FieldDeclaration<'a>| {
            !declaration.part.is_legacy()
                && !declaration.part.has_connectors()
                && !declaration.part.is_used(&used)
        };
        if self.is_from_interface_object(owner, name) || external.iter().all(is_reported) {
            return false;
        }
        let message = format!("`{coordinate}` is `@external` in every subgraph that defines it");
        let help = "add the subgraph that resolves it, or remove `@external` in the one that does";
        let problem = Diagnostic::error(Code::ExternalMissingOnBase, first.span(), message);
        let mut problem = problem.help(help.to_owned());
        // Subgraphs of connectors are often published alone, to be loaded without the rest of the
        // graph: the field stays.
        let is_retained = external
            .iter()
            .all(|declaration| declaration.part.has_connectors());
        if is_retained {
            problem.severity = Severity::Warning;
        }
        self.problems.push(problem);
        is_retained
    }

    /// Whether an `@interfaceObject` provides the field for an interface of `owner`.
    fn is_from_interface_object(&self, owner: &Name, name: &Name) -> bool {
        let Some(ExtendedType::Object(object)) = self.schema.types.get(owner) else {
            return false;
        };
        let mut interfaces = object.implements_interfaces.iter();
        interfaces.any(|interface| {
            let mut declarations = self.declarations.get(&interface.name).into_iter().flatten();
            declarations.any(|declaration| {
                declaration.definition.is_object()
                    && declaration.part.field(interface, name).is_some()
                    && !declaration.part.is_external(interface, name)
            })
        })
    }

    fn check_external(
        &mut self,
        coordinate: FieldCoordinate<'_>,
        field: &FieldDefinition,
        other: FieldDeclaration<'a>,
        first: FieldDeclaration<'a>,
    ) {
        if !contains(&self.schema, &other.definition.ty, &field.ty) {
            let message = format!(
                "`{coordinate}` is `@external` and `{}` here, and `{}` in the subgraph that resolves it",
                other.definition.ty, field.ty
            );
            let code = Code::ExternalTypeMismatch;
            self.problems.push(conflict(code, message, other, first));
        }
        for argument in &field.arguments {
            let mut arguments = other.definition.arguments.iter();
            let twin = arguments.find(|it| it.name == argument.name);
            let (code, difference) = match twin {
                None => (Code::ExternalArgumentMissing, "is missing here"),
                Some(twin) if !contains(&self.schema, &twin.ty, &argument.ty) => {
                    (Code::ExternalArgumentTypeMismatch, "has another type here")
                }
                Some(twin) if twin.default_value != argument.default_value => (
                    Code::ExternalArgumentDefaultMismatch,
                    "has another default here",
                ),
                Some(_) => continue,
            };
            let message = format!(
                "the argument `{}` of `{coordinate}`, which is `@external`, {difference}",
                argument.name
            );
            self.problems.push(conflict(code, message, other, first));
        }
    }
}

/// The declarations of each field of a type, in document order.
pub(super) fn declarations_by_field<'a>(
    all: &[Declaration<'a, ExtendedType>],
) -> IndexMap<Name, Vec<FieldDeclaration<'a>>> {
    let mut by_field: IndexMap<Name, Vec<_>> = IndexMap::default();
    for Declaration {
        part,
        definition: it,
    } in all
    {
        for (name, it) in fields(it).into_iter().flatten() {
            by_field.entry(name.clone()).or_default().push(Declaration {
                part,
                definition: it,
            });
        }
    }
    by_field
}

/// The name without its location, which has no meaning in the merged schema.
pub(super) fn without_location(name: &Name) -> Name {
    Name::new_unchecked(name)
}

/// The type without the locations of its names.
pub(super) fn type_without_locations(ty: &Type) -> Type {
    match ty {
        Type::Named(name) => Type::Named(without_location(name)),
        Type::NonNullNamed(name) => Type::NonNullNamed(without_location(name)),
        Type::List(inner) => Type::List(Box::new(type_without_locations(inner))),
        Type::NonNullList(inner) => Type::NonNullList(Box::new(type_without_locations(inner))),
    }
}
