//! Values of enums, by how the enum is used: the union for an enum in outputs only, the
//! intersection for an enum in inputs, and equal values in all subgraphs for an enum in both.

use std::collections::HashSet;

use apollo_compiler::Name;
use apollo_compiler::ast::EnumValueDefinition;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ExtendedType};

use super::outputs::without_location;
use super::{Declaration, Merge, directives};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::compose::part::fields;
use crate::span::Span;

/// The types that outputs and inputs use.
#[derive(Default)]
struct TypeUses {
    outputs: HashSet<Name>,
    inputs: HashSet<Name>,
}

impl<'a> Merge<'a, '_> {
    /// Adds the values of every enum.
    pub(super) fn merge_enums(&mut self) {
        let uses = self.type_uses();
        let all: Vec<(Name, Vec<Declaration<'a, ExtendedType>>)> = self
            .declarations
            .iter()
            .filter(|(_, all)| all.iter().all(|it| it.definition.is_enum()))
            .map(|(name, all)| (name.clone(), all.clone()))
            .collect();
        for (name, all) in all {
            let values = self.merged_values(&name, &all, &uses);
            if let Some(first) = all.first()
                && values.is_empty()
            {
                let message = format!("no value of `{name}` is in every subgraph that defines it");
                let problem = Diagnostic::error(Code::EmptyMergedEnumType, first.span(), message);
                self.problems.push(problem);
            }
            if let Some(ExtendedType::Enum(it)) = self.schema.types.get_mut(&name) {
                it.make_mut().values = values;
            }
        }
    }

    fn type_uses(&self) -> TypeUses {
        let mut uses = TypeUses::default();
        for definition in self.schema.types.values() {
            for field in fields(definition).into_iter().flat_map(IndexMap::values) {
                uses.outputs.insert(field.ty.inner_named_type().clone());
                let arguments = field.arguments.iter();
                uses.inputs
                    .extend(arguments.map(|it| it.ty.inner_named_type().clone()));
            }
            if let ExtendedType::InputObject(input) = definition {
                let fields = input.fields.values();
                uses.inputs
                    .extend(fields.map(|it| it.ty.inner_named_type().clone()));
            }
        }
        uses
    }

    fn merged_values(
        &mut self,
        name: &Name,
        all: &[Declaration<'a, ExtendedType>],
        uses: &TypeUses,
    ) -> IndexMap<Name, Component<EnumValueDefinition>> {
        let mut by_name: IndexMap<Name, Vec<Declaration<'a, Component<EnumValueDefinition>>>> =
            IndexMap::default();
        let enums = || {
            let all = all.iter();
            all.filter_map(|declaration| {
                Some((declaration.part, declaration.definition.as_enum()?))
            })
        };
        for (part, it) in enums() {
            for (name, it) in &it.values {
                by_name.entry(name.clone()).or_default().push(Declaration {
                    part,
                    definition: it,
                });
            }
        }
        let mut merged = IndexMap::default();
        for (value, declarations) in by_name {
            let merged_value = EnumValueDefinition {
                description: declarations
                    .iter()
                    .find_map(|it| it.definition.description.clone()),
                value: without_location(&value),
                directives: directives::merged_node_directives(
                    declarations
                        .iter()
                        .map(|it| (it.part, &it.definition.directives)),
                ),
            };
            let is_hidden = merged_value.directives.has("inaccessible");
            let without = enums().find(|(_, it)| !it.values.contains_key(&value));
            if let Some((part, it)) = without
                && uses.inputs.contains(name)
                && !is_hidden
            {
                if let Some(first) = declarations.first()
                    && uses.outputs.contains(name)
                {
                    let span = part.span(it.name.location());
                    let problem = enum_value_mismatch(name, *first, part.name(), span);
                    self.problems.push(problem);
                }
                continue;
            }
            merged.insert(without_location(&value), Component::new(merged_value));
        }
        merged
    }
}

fn enum_value_mismatch(
    name: &Name,
    declaration: Declaration<'_, Component<EnumValueDefinition>>,
    without: &str,
    without_span: Span,
) -> Diagnostic {
    let value = &declaration.definition.value;
    let message = format!(
        "`{name}` has `{value}` in `{}` and not in `{without}`, and the enum is used in inputs and outputs",
        declaration.part.name()
    );
    let span = declaration.part.span(value.location());
    Diagnostic::error(Code::EnumValueMismatch, span, message)
        .label(without_span, format!("missing in `{without}`"))
        .help(format!(
            "add `{value}` in `{without}`, or make it `@inaccessible`"
        ))
}
