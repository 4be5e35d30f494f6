//! Contexts in a supergraph: their names are prefixed with the subgraph's.

use apollo_compiler::ast::{self, FieldDefinition, Value};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, name};

use super::super::part::SubgraphPart;
use super::{directive, list, string};

/// The name of the `@context` directive when a subgraph uses it.
pub(super) fn used_directive(parts: &[SubgraphPart<'_>]) -> Option<Name> {
    let mut parts = parts.iter();
    let sets = |part: &SubgraphPart<'_>| {
        let mut types = part.types();
        types.any(|(_, definition)| part.contexts(definition).next().is_some())
    };
    parts.any(sets).then_some(name!("context"))
}

/// The `@context` directives of a type.
pub(super) fn type_directives(
    part: &SubgraphPart<'_>,
    definition: &ExtendedType,
) -> Vec<Node<ast::Directive>> {
    let contexts = part.contexts(definition);
    contexts
        .map(|it| directive("context", [("name", context_name(part, it))]))
        .collect()
}

/// The `contextArguments` of the `@join__field` of a field; `None` without context arguments.
pub(super) fn context_arguments(
    part: &SubgraphPart<'_>,
    field: &FieldDefinition,
) -> Option<(&'static str, Value)> {
    let arguments = part.context_references(field).map(|(argument, reference)| {
        let members = [
            (name!("context"), context_name(part, reference.context)),
            (name!("name"), string(&argument.name)),
            (name!("type"), string(&argument.ty.to_string())),
            (name!("selection"), string(reference.selection)),
        ];
        let members = members.into_iter();
        Value::Object(members.map(|(name, it)| (name, Node::new(it))).collect())
    });
    let arguments: Vec<Value> = arguments.collect();
    (!arguments.is_empty()).then(|| ("contextArguments", list(arguments)))
}

fn context_name(part: &SubgraphPart<'_>, context: &str) -> Value {
    string(&format!("{}__{context}", part.name()))
}
