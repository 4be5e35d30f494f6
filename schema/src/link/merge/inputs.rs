//! Arguments and fields of input types, by intersection: every subgraph that may receive an input
//! must accept it.

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Value};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node};

use super::outputs::{type_without_locations, without_location};
use super::widths::narrower;
use super::{Declaration, FieldCoordinate, Merge, conflict, directives};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::compose::part::SubgraphPart;

/// An argument or input field in one subgraph.
type InputDeclaration<'a> = Declaration<'a, Node<InputValueDefinition>>;

/// The codes of conflicts between arguments, or between input fields.
struct MismatchCodes {
    ty: Code,
    default: Code,
    missing: Code,
}

const ARGUMENT_CODES: MismatchCodes = MismatchCodes {
    ty: Code::FieldArgumentTypeMismatch,
    default: Code::FieldArgumentDefaultMismatch,
    missing: Code::RequiredArgumentMissingInSomeSubgraph,
};

const INPUT_FIELD_CODES: MismatchCodes = MismatchCodes {
    ty: Code::FieldTypeMismatch,
    default: Code::InputFieldDefaultMismatch,
    missing: Code::RequiredInputFieldMissingInSomeSubgraph,
};

/// An argument or input field with its declarations.
struct MergedInput<'a, 'b> {
    /// `Query.users(first:)` or `Filter.first`.
    name: String,
    declarations: &'b [InputDeclaration<'a>],
    /// A subgraph that has the owner without it, and the location of the owner.
    missing_in: Option<(&'b str, crate::span::Span)>,
    codes: &'b MismatchCodes,
}

impl<'a> MergedInput<'a, '_> {
    /// An error at `other`, which differs from `first` in `text`, its type or default.
    fn mismatch(
        &self,
        code: Code,
        other: InputDeclaration<'a>,
        first: InputDeclaration<'a>,
        text: impl Fn(&InputValueDefinition) -> String,
    ) -> Diagnostic {
        let message = format!(
            "`{}` is `{}` here and `{}` in `{}`",
            self.name,
            text(other.definition),
            text(first.definition),
            first.part.name()
        );
        conflict(code, message, other, first)
    }
}

fn type_text(value: &InputValueDefinition) -> String {
    value.ty.to_string()
}

fn default_text(value: &InputValueDefinition) -> String {
    let default = value.default_value.as_ref();
    default.map_or_else(String::new, |default| format!("= {default}"))
}

/// The arguments common to every subgraph with the field, without those that any of them takes
/// from a context.
pub(super) fn merged_field_arguments<'a>(
    merge: &mut Merge<'a, '_>,
    field: FieldCoordinate<'_>,
    all: &[Declaration<'a, Component<FieldDefinition>>],
) -> Vec<Node<InputValueDefinition>> {
    let lists = all.iter().map(|declaration| Arguments {
        part: declaration.part,
        list: &declaration.definition.arguments,
        location: declaration.definition.name.location(),
    });
    let lists: Vec<_> = lists.collect();
    let owner = field.to_string();
    let hidden = contextual_arguments(merge, &owner, &lists);
    merged_arguments(merge, &owner, &lists, &hidden)
}

/// The arguments of a field or directive in one subgraph.
pub(super) struct Arguments<'a> {
    pub(super) part: &'a SubgraphPart<'a>,
    pub(super) list: &'a [Node<InputValueDefinition>],
    /// The location of the field or directive.
    pub(super) location: Option<SourceSpan>,
}

/// The arguments that come from a context (`@fromContext`); reports those that another subgraph
/// requires from the client.
fn contextual_arguments(
    merge: &mut Merge<'_, '_>,
    owner: &str,
    all: &[Arguments<'_>],
) -> Vec<Name> {
    let arguments = all.iter().flat_map(|arguments| {
        let list = arguments.list.iter();
        list.map(move |argument| (arguments.part, argument))
    });
    let (contextual, plain): (Vec<_>, Vec<_>) =
        arguments.partition(|(part, argument)| part.context_directive(argument).is_some());
    for (part, argument) in plain.into_iter().filter(|(_, it)| it.is_required()) {
        let same = |(_, it): &&(_, &Node<InputValueDefinition>)| it.name == argument.name;
        let Some((other, _)) = contextual.iter().find(same) else {
            continue;
        };
        let message = format!(
            "`{owner}({}:)` is required here, and comes from a context in `{}`: clients cannot set it",
            argument.name,
            other.name()
        );
        let span = part.span(argument.name.location());
        let code = Code::ContextualArgumentNotContextualInAllSubgraphs;
        let help = "use `@fromContext` here too, or make the argument optional".to_owned();
        let problem = Diagnostic::error(code, span, message).help(help);
        merge.problems.push(problem);
    }
    let names = contextual.into_iter().map(|(_, it)| it.name.clone());
    names.collect()
}

/// The arguments common to all, without the `hidden` ones; reports conflicts.
pub(super) fn merged_arguments<'a>(
    merge: &mut Merge<'a, '_>,
    owner: &str,
    all: &[Arguments<'a>],
    hidden: &[Name],
) -> Vec<Node<InputValueDefinition>> {
    let mut by_name: IndexMap<Name, Vec<InputDeclaration<'a>>> = IndexMap::default();
    for Arguments { part, list, .. } in all {
        for it in list.iter().filter(|it| !hidden.contains(&it.name)) {
            by_name
                .entry(it.name.clone())
                .or_default()
                .push(Declaration {
                    part,
                    definition: it,
                });
        }
    }
    let mut merged = Vec::new();
    for (name, declarations) in by_name {
        let without = all
            .iter()
            .find(|other| other.list.iter().all(|it| it.name != name))
            .map(|it| (it.part.name(), it.part.span(it.location)));
        merged.extend(merge.merge_input(&MergedInput {
            name: format!("{owner}({name}:)"),
            declarations: &declarations,
            missing_in: without,
            codes: &ARGUMENT_CODES,
        }));
    }
    merged
}

impl<'a> Merge<'a, '_> {
    /// Adds the fields of every input type.
    pub(super) fn merge_inputs(&mut self) {
        let all: Vec<(Name, Vec<Declaration<'a, ExtendedType>>)> = self
            .declarations
            .iter()
            .filter(|(_, all)| all.iter().all(|it| it.definition.is_input_object()))
            .map(|(name, all)| (name.clone(), all.clone()))
            .collect();
        for (owner, all) in all {
            let fields = self.input_fields(&owner, &all);
            if let Some(first) = all.first()
                && fields.is_empty()
            {
                let message = format!("no field of `{owner}` is in every subgraph that defines it");
                let problem = Diagnostic::error(Code::EmptyMergedInputType, first.span(), message);
                self.problems.push(problem);
            }
            if let Some(ExtendedType::InputObject(it)) = self.schema.types.get_mut(&owner) {
                it.make_mut().fields = fields;
            }
        }
    }

    fn input_fields(
        &mut self,
        owner: &Name,
        all: &[Declaration<'a, ExtendedType>],
    ) -> IndexMap<Name, Component<InputValueDefinition>> {
        let mut by_name: IndexMap<Name, Vec<InputDeclaration<'a>>> = IndexMap::default();
        let inputs = || {
            let all = all.iter();
            all.filter_map(|declaration| {
                Some((declaration.part, declaration.definition.as_input_object()?))
            })
        };
        for (part, input) in inputs() {
            for (name, it) in &input.fields {
                by_name.entry(name.clone()).or_default().push(Declaration {
                    part,
                    definition: &it.node,
                });
            }
        }
        let mut merged = IndexMap::default();
        for (name, declarations) in by_name {
            let without = inputs()
                .find(|(_, input)| !input.fields.contains_key(&name))
                .map(|(part, input)| (part.name(), part.span(input.name.location())));
            let value = self.merge_input(&MergedInput {
                name: format!("{owner}.{name}"),
                declarations: &declarations,
                missing_in: without,
                codes: &INPUT_FIELD_CODES,
            });
            merged.extend(value.map(|value| (without_location(&name), Component::from(value))));
        }
        merged
    }

    /// The type and default that all subgraphs accept; `None` where one lacks the input.
    fn merge_input(&mut self, value: &MergedInput<'a, '_>) -> Option<Node<InputValueDefinition>> {
        let first = value.declarations.first()?;
        let mut ty = (*first.definition.ty).clone();
        let default = &first.definition.default_value;
        for other in value.declarations.iter().skip(1) {
            if let Some(narrow) = narrower(&ty, &other.definition.ty) {
                ty = narrow;
            } else {
                let problem = value.mismatch(value.codes.ty, *other, *first, type_text);
                self.problems.push(problem);
            }
            let other_default = &other.definition.default_value;
            if let (Some(left), Some(right)) = (default, other_default)
                && left != right
            {
                let problem = value.mismatch(value.codes.default, *other, *first, default_text);
                self.problems.push(problem);
            }
        }
        if let Some((name, span)) = &value.missing_in {
            self.report_missing(value, name, span);
            return None;
        }
        let mut defaults = value
            .declarations
            .iter()
            .map(|declaration| declaration.definition.default_value.clone());
        let default_value: Option<Node<Value>> = defaults
            .all(|default| default.is_some())
            .then(|| default.clone())
            .flatten();
        Some(Node::new(InputValueDefinition {
            description: value
                .declarations
                .iter()
                .find_map(|it| it.definition.description.clone()),
            name: without_location(&first.definition.name),
            ty: type_without_locations(&ty).into(),
            default_value,
            directives: directives::merged_node_directives(
                value
                    .declarations
                    .iter()
                    .map(|it| (it.part, &it.definition.directives)),
            ),
        }))
    }

    fn report_missing(
        &mut self,
        value: &MergedInput<'a, '_>,
        name: &str,
        span: &crate::span::Span,
    ) {
        let Some(required) = value
            .declarations
            .iter()
            .find(|declaration| declaration.definition.is_required())
        else {
            return;
        };
        let message = format!(
            "`{}` is required in `{}` and missing in `{name}`",
            value.name,
            required.part.name()
        );
        let problem = Diagnostic::error(value.codes.missing, required.span(), message)
            .label(span.clone(), format!("missing in `{name}`"))
            .help(format!("make it optional, or add it in `{name}`"));
        self.problems.push(problem);
    }
}
