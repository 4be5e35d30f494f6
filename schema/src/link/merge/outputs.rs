//! Fields of objects and interfaces, by union.

use apollo_compiler::Name;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ExtendedType};

use super::widths::{contains, wider};
use super::{Merge, Said, conflict, directives, inputs};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::link::compose::part::{Fields, fields};

/// What subgraphs say of one field.
type SaidField<'a> = Said<'a, Component<FieldDefinition>>;

impl<'a> Merge<'a, '_> {
    /// Adds the fields of every object and interface.
    pub(super) fn outputs(&mut self) {
        let all: Vec<(Name, Vec<Said<'a, ExtendedType>>)> = self
            .said
            .iter()
            .map(|(name, all)| (name.clone(), all.clone()))
            .collect();
        for (owner, all) in all {
            let mut merged = Fields::default();
            for (name, said) in by_field(&all) {
                if let Some(field) = self.field((&owner, &name), &said) {
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

    fn field(
        &mut self,
        at @ (owner, name): (&Name, &Name),
        said: &[SaidField<'a>],
    ) -> Option<FieldDefinition> {
        let (mut external, mut given): (Vec<_>, Vec<_>) = said
            .iter()
            .copied()
            .partition(|said| said.part.is_external(owner, name));
        if given.is_empty() && self.only_external(at, &external) {
            given = std::mem::take(&mut external);
        }
        let first = given.first().copied()?;
        let mut ty = first.it.ty.clone();
        for other in given.iter().skip(1).copied() {
            match wider(&self.schema, &ty, &other.it.ty) {
                Some(wide) => ty = wide,
                None => self.different((other, first), at),
            }
        }
        let field = FieldDefinition {
            description: given.iter().find_map(|said| said.it.description.clone()),
            name: bare(name),
            arguments: inputs::arguments(self, at, &given),
            ty: bare_type(&ty),
            directives: directives::of_nodes(given.iter().map(|it| (it.part, &it.it.directives))),
        };
        for other in external {
            self.external(at, &field, (other, first));
        }
        Some(field)
    }

    fn different(&mut self, (other, first): (SaidField<'a>, SaidField<'a>), at: (&Name, &Name)) {
        let message = format!(
            "`{}.{}` is `{}` here and `{}` in `{}`",
            at.0,
            at.1,
            other.it.ty,
            first.it.ty,
            first.part.name()
        );
        let places = (other.it.name.location(), first.it.name.location());
        let problem = conflict(Code::FieldTypeMismatch, message, places, (other, first));
        self.problems.push(problem);
    }

    /// A field that every subgraph with it says to be another's; whether it is kept all the same.
    /// Where an interface object gives it, that is the other.
    fn only_external(&mut self, (owner, name): (&Name, &Name), external: &[SaidField<'a>]) -> bool {
        let Some(first) = external.first() else {
            return false;
        };
        let coordinate = (owner.clone(), name.clone());
        let is_told = |said: &SaidField<'a>| {
            !said.part.is_legacy() && !said.part.has_connectors() && !said.part.is_used(&coordinate)
        };
        if self.is_implied(owner, name) || external.iter().all(is_told) {
            return false;
        }
        let span = first.part.span(first.it.name.location());
        let message = format!("`{owner}.{name}` is `@external` in every subgraph that has it");
        let help = "add the subgraph that gives it, or leave `@external` out in the one that does";
        let problem = Diagnostic::error(Code::ExternalMissingOnBase, span, message);
        let mut problem = problem.help(help.to_owned());
        // Connectors are often published as one part of a graph, to be loaded without the others:
        // what they say of the field stands.
        let is_kept = external.iter().all(|said| said.part.has_connectors());
        if is_kept {
            problem.severity = Severity::Warning;
        }
        self.problems.push(problem);
        is_kept
    }

    /// Whether an interface object gives the field to all objects of an interface of `owner`.
    fn is_implied(&self, owner: &Name, name: &Name) -> bool {
        let Some(ExtendedType::Object(object)) = self.schema.types.get(owner) else {
            return false;
        };
        let mut interfaces = object.implements_interfaces.iter();
        interfaces.any(|interface| {
            let mut said = self.said.get(&interface.name).into_iter().flatten();
            said.any(|said| {
                said.it.is_object()
                    && said.part.field(interface, name).is_some()
                    && !said.part.is_external(interface, name)
            })
        })
    }

    fn external(
        &mut self,
        (owner, name): (&Name, &Name),
        field: &FieldDefinition,
        (other, first): (SaidField<'a>, SaidField<'a>),
    ) {
        let places = (other.it.name.location(), first.it.name.location());
        if !contains(&self.schema, &other.it.ty, &field.ty) {
            let message = format!(
                "`{owner}.{name}` is `@external` and `{}` here, and `{}` where it is given",
                other.it.ty, field.ty
            );
            let code = Code::ExternalTypeMismatch;
            self.problems
                .push(conflict(code, message, places, (other, first)));
        }
        for argument in &field.arguments {
            let mut written = other.it.arguments.iter();
            let twin = written.find(|it| it.name == argument.name);
            let (code, what) = match twin {
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
                "the argument `{}` of `{owner}.{name}`, which is `@external`, {what}",
                argument.name
            );
            self.problems
                .push(conflict(code, message, places, (other, first)));
        }
    }
}

/// The fields of a type with what each subgraph says of them, in the order first met.
pub(super) fn by_field<'a>(all: &[Said<'a, ExtendedType>]) -> IndexMap<Name, Vec<SaidField<'a>>> {
    let mut found: IndexMap<Name, Vec<_>> = IndexMap::default();
    for Said { part, it } in all {
        for (name, it) in fields(it).into_iter().flatten() {
            found
                .entry(name.clone())
                .or_default()
                .push(Said { part, it });
        }
    }
    found
}

/// The name without the place, which means nothing in the merged schema.
pub(super) fn bare(name: &Name) -> Name {
    Name::new_unchecked(name)
}

/// As `bare`, of every name in it.
pub(super) fn bare_type(ty: &Type) -> Type {
    match ty {
        Type::Named(name) => Type::Named(bare(name)),
        Type::NonNullNamed(name) => Type::NonNullNamed(bare(name)),
        Type::List(inner) => Type::List(Box::new(bare_type(inner))),
        Type::NonNullList(inner) => Type::NonNullList(Box::new(bare_type(inner))),
    }
}
