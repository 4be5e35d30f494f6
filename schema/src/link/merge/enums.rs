//! Values of enums, by how the enum is used: all that any subgraph gives where clients only read
//! it, those that all understand where they only write it, the same everywhere where they do both.

use std::collections::HashSet;

use apollo_compiler::Name;
use apollo_compiler::ast::EnumValueDefinition;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ExtendedType};

use super::outputs::bare;
use super::{Merge, Said, directives, location};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::compose::part::fields;

/// Who uses a name.
#[derive(Default)]
struct Uses {
    read: HashSet<Name>,
    written: HashSet<Name>,
}

impl<'a> Merge<'a, '_> {
    /// Adds the values of every enum.
    pub(super) fn enums(&mut self) {
        let uses = self.uses();
        let all: Vec<(Name, Vec<Said<'a, ExtendedType>>)> = self
            .said
            .iter()
            .filter(|(_, all)| all.iter().all(|it| it.it.is_enum()))
            .map(|(name, all)| (name.clone(), all.clone()))
            .collect();
        for (name, all) in all {
            let values = self.values(&name, &all, &uses);
            if let Some(first) = all.first()
                && values.is_empty()
            {
                let message = format!("no value of `{name}` is in every subgraph that has it");
                let span = first.part.span(location(first.it));
                let problem = Diagnostic::error(Code::EmptyMergedEnumType, span, message);
                self.problems.push(problem);
            }
            if let Some(ExtendedType::Enum(it)) = self.schema.types.get_mut(&name) {
                it.make_mut().values = values;
            }
        }
    }

    fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        for definition in self.schema.types.values() {
            for field in fields(definition).into_iter().flat_map(IndexMap::values) {
                uses.read.insert(field.ty.inner_named_type().clone());
                let arguments = field.arguments.iter();
                uses.written
                    .extend(arguments.map(|it| it.ty.inner_named_type().clone()));
            }
            if let ExtendedType::InputObject(input) = definition {
                let fields = input.fields.values();
                uses.written
                    .extend(fields.map(|it| it.ty.inner_named_type().clone()));
            }
        }
        uses
    }

    fn values(
        &mut self,
        name: &Name,
        all: &[Said<'a, ExtendedType>],
        uses: &Uses,
    ) -> IndexMap<Name, Component<EnumValueDefinition>> {
        let mut by_name: IndexMap<Name, Vec<Said<'a, Component<EnumValueDefinition>>>> =
            IndexMap::default();
        let enums = || {
            let all = all.iter();
            all.filter_map(|said| Some((said.part, said.it.as_enum()?)))
        };
        for (part, it) in enums() {
            for (name, it) in &it.values {
                by_name
                    .entry(name.clone())
                    .or_default()
                    .push(Said { part, it });
            }
        }
        let mut merged = IndexMap::default();
        for (value, said) in by_name {
            let made = EnumValueDefinition {
                description: said.iter().find_map(|it| it.it.description.clone()),
                value: bare(&value),
                directives: directives::of_nodes(
                    said.iter().map(|it| (it.part, &it.it.directives)),
                ),
            };
            let hidden = made.directives.has("inaccessible");
            let without = enums().find(|(_, it)| !it.values.contains_key(&value));
            if let Some((part, it)) = without
                && uses.written.contains(name)
                && !hidden
            {
                if let Some(first) = said.first()
                    && uses.read.contains(name)
                {
                    let place = (part.name(), part.span(it.name.location()));
                    self.problems.push(unequal(name, *first, place));
                }
                continue;
            }
            merged.insert(bare(&value), Component::new(made));
        }
        merged
    }
}

fn unequal(
    name: &Name,
    said: Said<'_, Component<EnumValueDefinition>>,
    (without, span): (&str, crate::span::Span),
) -> Diagnostic {
    let value = &said.it.value;
    let message = format!(
        "`{name}` has `{value}` in `{}` and not in `{without}`, and clients both read and write it",
        said.part.name()
    );
    let at = said.part.span(value.location());
    Diagnostic::error(Code::EnumValueMismatch, at, message)
        .label(span, format!("without it in `{without}`"))
        .help(format!(
            "add `{value}` in `{without}`, or make it `@inaccessible`"
        ))
}
