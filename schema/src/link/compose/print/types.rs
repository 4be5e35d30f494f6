//! `@join__type`, `@join__field` and related directives: which subgraphs define a type or field,
//! and how.

use apollo_compiler::ast::{self, FieldDefinition, InputValueDefinition, Value};
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node};

use super::super::part::{Overridden, SubgraphPart, is_resolvable, string_argument};
use super::graphs::JoinGraphs;
use super::{QUERY, caching, connectors, contexts, directive, string, with_arguments};
use crate::sdl::federation::Directive;

/// Adds the join directives of every subgraph to a merged type and its members.
pub(super) fn join(graphs: &JoinGraphs<'_>, definition: &mut ExtendedType) {
    let name = definition.name().clone();
    let on_type = type_directives(graphs, &name);
    match definition {
        ExtendedType::Object(it) => {
            let it = it.make_mut();
            it.directives.extend(on_type.map(Component::from));
            for field in it.fields.values_mut() {
                join_output_field(graphs, &name, field);
            }
        }
        ExtendedType::Interface(it) => {
            let it = it.make_mut();
            it.directives.extend(on_type.map(Component::from));
            for field in it.fields.values_mut() {
                join_output_field(graphs, &name, field);
            }
        }
        ExtendedType::InputObject(it) => {
            let it = it.make_mut();
            it.directives.extend(on_type.map(Component::from));
            for field in it.fields.values_mut() {
                join_input_field(graphs, &name, field);
            }
        }
        ExtendedType::Union(it) => it
            .make_mut()
            .directives
            .extend(on_type.map(Component::from)),
        ExtendedType::Scalar(it) => it
            .make_mut()
            .directives
            .extend(on_type.map(Component::from)),
        ExtendedType::Enum(it) => {
            let it = it.make_mut();
            it.directives.extend(on_type.map(Component::from));
            for value in it.values.values_mut() {
                let with_value = graphs.iter().filter(|(_, part)| {
                    let definition = part.get(&name).and_then(ExtendedType::as_enum);
                    definition.is_some_and(|it| it.values.contains_key(&value.value))
                });
                let joined: Vec<_> = with_value
                    .map(|(graph, _)| directive("join__enumValue", [("graph", enum_value(graph))]))
                    .collect();
                value.make_mut().directives.0.extend(joined);
            }
        }
    }
}

fn enum_value(graph: &Name) -> Value {
    Value::Enum(graph.clone())
}

fn type_directives(
    graphs: &JoinGraphs<'_>,
    name: &Name,
) -> impl Iterator<Item = Node<ast::Directive>> + use<> {
    let mut directives = Vec::new();
    for (graph, part) in graphs.iter() {
        let Some(definition) = part.get(name) else {
            if *name == QUERY {
                // Every subgraph has a query root, if only for `_entities`.
                directives.push(directive("join__type", [("graph", enum_value(graph))]));
            }
            continue;
        };
        directives.extend(join_type_directives(graph, part, definition));
        directives.extend(contexts::type_directives(part, definition));
        directives.extend(connectors::type_directives(graph, part, definition));
        directives.extend(caching::type_directives(graph, part, definition));
    }
    for (graph, part) in graphs.iter() {
        directives.extend(
            part.get(name)
                .into_iter()
                .flat_map(|it| member_directives(graph, it)),
        );
    }
    directives.into_iter()
}

fn join_type_directives(
    graph: &Name,
    part: &SubgraphPart<'_>,
    definition: &ExtendedType,
) -> Vec<Node<ast::Directive>> {
    let interface_object = part.is_interface_object(definition.name());
    let legacy_interface = part.is_legacy() && definition.is_interface();
    let mut directives = Vec::new();
    for key in part.type_directives(definition.directives(), Directive::Key) {
        let Some(fields) = string_argument(key, "fields").filter(|_| !legacy_interface) else {
            continue;
        };
        let mut arguments = vec![("graph", enum_value(graph)), ("key", string(fields))];
        if !part.is_legacy() && part.is_extension(definition, &key.origin) {
            arguments.push(("extension", Value::Boolean(true)));
        }
        if !is_resolvable(key) {
            arguments.push(("resolvable", Value::Boolean(false)));
        }
        if interface_object {
            arguments.push(("isInterfaceObject", Value::Boolean(true)));
        }
        directives.push(with_arguments("join__type", arguments));
    }
    if directives.is_empty() {
        let mut arguments = vec![("graph", enum_value(graph))];
        if interface_object {
            arguments.push(("isInterfaceObject", Value::Boolean(true)));
        }
        directives.push(with_arguments("join__type", arguments));
    }
    directives
}

fn member_directives(graph: &Name, definition: &ExtendedType) -> Vec<Node<ast::Directive>> {
    let joined = |name: &str, argument: &str, member: &Name| {
        directive(
            name,
            [("graph", enum_value(graph)), (argument, string(member))],
        )
    };
    let interfaces = match definition {
        ExtendedType::Object(it) => &it.implements_interfaces,
        ExtendedType::Interface(it) => &it.implements_interfaces,
        ExtendedType::Union(it) => {
            let members = it.members.iter();
            return members
                .map(|member| joined("join__unionMember", "member", &member.name))
                .collect();
        }
        _ => return Vec::new(),
    };
    let interfaces = interfaces.iter();
    interfaces
        .map(|interface| joined("join__implements", "interface", &interface.name))
        .collect()
}

/// Adds `@join__field`, unless every subgraph with the type defines the field as it is merged.
fn join_output_field(
    graphs: &JoinGraphs<'_>,
    owner: &Name,
    merged: &mut Component<FieldDefinition>,
) {
    let mut joined = Vec::new();
    let mut is_uniform = true;
    let mut preserved = Vec::new();
    for (graph, part) in graphs.iter() {
        let Some(field) = part.field(owner, &merged.name) else {
            is_uniform &= part.get(owner).is_none() && *owner != QUERY;
            continue;
        };
        preserved.extend(connectors::field_directives(graph, part, field));
        preserved.extend(caching::field_directives(graph, part, field));
        let coordinate = (owner.clone(), merged.name.clone());
        let overridden = part.overridden(owner, &merged.name);
        let is_used = overridden.is_some() && part.is_used(&coordinate);
        if overridden == Some(&Overridden::Always) && !is_used {
            is_uniform = false;
            continue;
        }
        let mut arguments = vec![("graph", enum_value(graph))];
        let field_arguments = join_field_arguments(part, owner, field);
        is_uniform &= field_arguments.is_empty() && overridden.is_none();
        arguments.extend(field_arguments);
        if is_used {
            arguments.push(("usedOverridden", Value::Boolean(true)));
        }
        if let Some(Overridden::UnderLabel(label)) = overridden {
            arguments.push(("overrideLabel", string(label)));
        }
        if field.ty != merged.ty {
            is_uniform = false;
            arguments.push(("type", string(&field.ty.to_string())));
        }
        joined.push(with_arguments("join__field", arguments));
    }
    if joined.is_empty() {
        // The field comes from an `@interfaceObject` of an interface of the type.
        joined.push(with_arguments("join__field", Vec::new()));
    } else if is_uniform {
        joined.clear();
    }
    let directives = &mut merged.make_mut().directives.0;
    directives.extend(joined);
    directives.extend(preserved);
}

fn join_field_arguments(
    part: &SubgraphPart<'_>,
    owner: &Name,
    field: &Component<FieldDefinition>,
) -> Vec<(&'static str, Value)> {
    let mut arguments = Vec::new();
    let legacy_interface =
        part.is_legacy() && part.get(owner).is_some_and(ExtendedType::is_interface);
    for (directive, argument) in [
        (Directive::Requires, "requires"),
        (Directive::Provides, "provides"),
    ] {
        let mut uses = part.directives(&field.directives, directive);
        let set = uses.next().and_then(|it| string_argument(it, "fields"));
        let set = set.filter(|_| !legacy_interface);
        arguments.extend(set.map(|set| (argument, string(set))));
    }
    arguments.extend(contexts::context_arguments(part, field));
    if part.is_external(owner, &field.name) {
        arguments.push(("external", Value::Boolean(true)));
    }
    if let Some(directive) = part
        .directives(&field.directives, Directive::Override)
        .next()
    {
        let from = string_argument(directive, "from");
        arguments.extend(from.map(|from| ("override", string(from))));
        let label = string_argument(directive, "label");
        arguments.extend(label.map(|label| ("overrideLabel", string(label))));
    }
    arguments
}

fn join_input_field(
    graphs: &JoinGraphs<'_>,
    owner: &Name,
    merged: &mut Component<InputValueDefinition>,
) {
    let mut joined = Vec::new();
    let mut is_uniform = true;
    for (graph, part) in graphs.iter() {
        let input = part.get(owner).and_then(ExtendedType::as_input_object);
        let Some(field) = input.and_then(|input| input.fields.get(&merged.name)) else {
            continue; // Every subgraph with the type defines the merged fields.
        };
        let mut arguments = vec![("graph", enum_value(graph))];
        if field.ty != merged.ty {
            is_uniform = false;
            arguments.push(("type", string(&field.ty.to_string())));
        }
        joined.push(with_arguments("join__field", arguments));
    }
    if !is_uniform {
        merged.make_mut().directives.0.extend(joined);
    }
}
