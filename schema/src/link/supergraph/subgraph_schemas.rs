//! The schema of each subgraph of a supergraph, by `@join__type` and `@join__owner`.

use std::sync::Arc;

use apollo_compiler::ast::{Directive, FieldDefinition};
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node};
use indexmap::IndexMap;

use super::arguments::flag;
use super::fields::{JoinedField, field_set_text};
use super::join::{GraphId, Join, JoinDirective};
use super::members::Members;
use super::unlisted_fields;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::link::federation::{
    FieldAvailability, SubgraphKey, SubgraphSchema, SubgraphType, SubgraphTypeKind,
};

/// The schemas of the subgraphs, in the order of `join__Graph`.
pub(super) fn subgraph_schemas(join: &Join<'_>, problems: &mut Problems) -> Vec<SubgraphSchema> {
    let graphs = join.graphs.values();
    let mut subgraphs: Vec<SubgraphSchema> = graphs
        .map(|graph| SubgraphSchema {
            name: Arc::clone(&graph.name),
            url: graph.url.clone(),
            types: IndexMap::new(),
            // A supergraph does not have the subgraphs' own names.
            renamed_types: Vec::new(),
        })
        .collect();
    let members = Members::read(join, problems);
    for (name, definition) in join.types() {
        for (graph, ty) in in_graphs(name, definition, &members, join, problems) {
            subgraphs[graph.0].types.insert(name.as_str().into(), ty);
        }
    }
    unlisted_fields::add(&mut subgraphs, join);
    for subgraph in &subgraphs {
        check_field_types(subgraph, join, problems);
    }
    subgraphs
}

/// Reports fields whose type the subgraph does not define.
fn check_field_types(subgraph: &SubgraphSchema, join: &Join<'_>, problems: &mut Problems) {
    for (owner, ty) in &subgraph.types {
        let available = ty
            .fields
            .iter()
            .filter(|(_, it)| it.availability == FieldAvailability::Always);
        for (name, field) in available {
            let named = field.ty.trim_matches(['[', ']', '!']);
            let definition = join.document.schema.types.get(named);
            if subgraph.types.contains_key(named) || definition.is_none_or(|it| kind(it).is_none())
            {
                continue;
            }
            let definition = join.document.schema.type_field(owner, name);
            let at = definition.ok().and_then(|field| field.name.location());
            let message = format!(
                "`{owner}.{name}` in `{}` has type `{named}`, which `{}` does not define",
                subgraph.name, subgraph.name
            );
            let span = join.document.span(at);
            problems.push(Diagnostic::error(Code::SupergraphInvalid, span, message));
        }
    }
}

/// The type as each subgraph defines it; empty for scalars, enums and input types.
fn in_graphs(
    name: &Name,
    definition: &ExtendedType,
    members: &Members,
    join: &Join<'_>,
    problems: &mut Problems,
) -> IndexMap<GraphId, SubgraphType> {
    let Some(kind) = kind(definition) else {
        return IndexMap::new();
    };
    let mut types = types_by_graph(definition, kind, join, problems);
    let with_type: Vec<GraphId> = types.keys().copied().collect();
    let owner = owner(definition, join, problems);
    for (field_name, field) in fields(definition) {
        let joined = JoinedField::read(name, field, &with_type, join, problems);
        for (graph, ty) in &mut types {
            // In federation 1 the owner of an entity resolves fields without `@join__field`.
            if joined.is_everywhere() && owner.is_some_and(|owner| owner != *graph) {
                continue;
            }
            if let Some(field) = joined.in_graph(*graph, join) {
                ty.fields.insert(field_name.as_str().into(), field);
            }
        }
    }
    for (graph, ty) in &mut types {
        if ty.kind != SubgraphTypeKind::InterfaceObject {
            ty.members = members.in_graph(name, *graph);
        }
    }
    types
}

fn kind(definition: &ExtendedType) -> Option<SubgraphTypeKind> {
    match definition {
        ExtendedType::Object(_) => Some(SubgraphTypeKind::Object),
        ExtendedType::Interface(_) => Some(SubgraphTypeKind::Interface),
        ExtendedType::Union(_) => Some(SubgraphTypeKind::Union),
        ExtendedType::Scalar(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_) => None,
    }
}

/// The subgraphs that define the type, with its keys in each.
fn types_by_graph(
    definition: &ExtendedType,
    kind: SubgraphTypeKind,
    join: &Join<'_>,
    problems: &mut Problems,
) -> IndexMap<GraphId, SubgraphType> {
    let empty = |kind| SubgraphType {
        kind,
        keys: Vec::new(),
        fields: IndexMap::new(),
        members: Vec::new(),
    };
    let mut types = IndexMap::new();
    let mut directives = join_directives(definition, JoinDirective::Type, join).peekable();
    if directives.peek().is_none() {
        // A value type of federation 1 is defined by every subgraph.
        let all = (0..join.graphs.len()).map(GraphId);
        return all.map(|graph| (graph, empty(kind))).collect();
    }
    for directive in directives {
        let Some(graph) = join.checked_graph_id(directive, problems) else {
            continue;
        };
        let is_object = flag(directive, "isInterfaceObject") == Some(true);
        let kind = match kind {
            SubgraphTypeKind::Interface if is_object => SubgraphTypeKind::InterfaceObject,
            kind => kind,
        };
        let ty = types.entry(graph).or_insert_with(|| empty(kind));
        ty.keys.extend(key(directive, join));
    }
    if let Some(owner) = owner(definition, join, problems) {
        types.entry(owner).or_insert_with(|| empty(kind));
    }
    types
}

fn key(directive: &Directive, join: &Join<'_>) -> Option<SubgraphKey> {
    Some(SubgraphKey {
        fields: field_set_text(directive, "key", join)?,
        resolvable: flag(directive, "resolvable").unwrap_or(true),
    })
}

fn owner(definition: &ExtendedType, join: &Join<'_>, problems: &mut Problems) -> Option<GraphId> {
    let directive = join_directives(definition, JoinDirective::Owner, join).next()?;
    join.checked_graph_id(directive, problems)
}

fn join_directives<'l>(
    definition: &'l ExtendedType,
    directive: JoinDirective,
    join: &'l Join<'_>,
) -> impl Iterator<Item = &'l Node<Directive>> {
    let list = definition.directives().iter().map(|it| &it.node);
    join.directives(list, directive)
}

fn fields(definition: &ExtendedType) -> impl Iterator<Item = (&Name, &Component<FieldDefinition>)> {
    let fields = match definition {
        ExtendedType::Object(it) => Some(&it.fields),
        ExtendedType::Interface(it) => Some(&it.fields),
        _ => None,
    };
    fields.into_iter().flatten()
}
