//! What each graph of a supergraph has: its types, by `@join__type` and `@join__owner`.

use std::sync::Arc;

use apollo_compiler::ast::{Directive as Found, FieldDefinition};
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node};
use indexmap::IndexMap;

use super::arguments::flag;
use super::fields::{Joined, set};
use super::implied;
use super::join::{Directive, Join};
use super::members::Members;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::link::federation::{Given, Service, ServiceKey, ServiceKind, ServiceType};

/// The services, one a graph, in the order of `join__Graph`.
pub(super) fn services(join: &Join<'_>, problems: &mut Problems) -> Vec<Service> {
    let graphs = join.graphs.values();
    let mut services: Vec<Service> = graphs
        .map(|graph| Service {
            name: Arc::clone(&graph.name),
            url: graph.url.clone(),
            types: IndexMap::new(),
        })
        .collect();
    let members = Members::read(join, problems);
    for (name, definition) in join.types() {
        for (graph, ty) in in_graphs((name, definition), &members, join, problems) {
            services[graph].types.insert(name.as_str().into(), ty);
        }
    }
    implied::add(&mut services, join);
    for service in &services {
        strangers(service, join, problems);
    }
    services
}

/// Reports fields whose type their graph does not have.
fn strangers(service: &Service, join: &Join<'_>, problems: &mut Problems) {
    for (owner, ty) in &service.types {
        let given = ty.fields.iter().filter(|(_, it)| it.given == Given::Always);
        for (name, field) in given {
            let of = field.ty.trim_matches(['[', ']', '!']);
            let definition = join.text.schema.types.get(of);
            if service.types.contains_key(of) || definition.is_none_or(|it| kind(it).is_none()) {
                continue;
            }
            let written = join.text.schema.type_field(owner, name);
            let at = written.ok().and_then(|field| field.name.location());
            let message = format!(
                "`{owner}.{name}` in `{}` is a `{of}`, which `{}` does not have",
                service.name, service.name
            );
            let span = join.text.span(at);
            problems.push(Diagnostic::error(Code::SupergraphInvalid, span, message));
        }
    }
}

/// The type as each graph has it; none for types that planning does not look at.
fn in_graphs(
    (name, definition): (&Name, &ExtendedType),
    members: &Members,
    join: &Join<'_>,
    problems: &mut Problems,
) -> IndexMap<usize, ServiceType> {
    let Some(kind) = kind(definition) else {
        return IndexMap::new();
    };
    let mut types = placed(definition, kind, join, problems);
    let everywhere: Vec<usize> = types.keys().copied().collect();
    let owner = owner(definition, join, problems);
    for (field_name, field) in fields(definition) {
        let joined = Joined::read((name, field), &everywhere, join, problems);
        for (graph, ty) in &mut types {
            // In federation 1 an entity's fields are its owner's where nothing else is said.
            if joined.is_everywhere() && owner.is_some_and(|owner| owner != *graph) {
                continue;
            }
            if let Some(field) = joined.in_graph(*graph, join) {
                ty.fields.insert(field_name.as_str().into(), field);
            }
        }
    }
    for (graph, ty) in &mut types {
        if ty.kind != ServiceKind::InterfaceObject {
            ty.members = members.of(name, *graph);
        }
    }
    types
}

fn kind(definition: &ExtendedType) -> Option<ServiceKind> {
    match definition {
        ExtendedType::Object(_) => Some(ServiceKind::Object),
        ExtendedType::Interface(_) => Some(ServiceKind::Interface),
        ExtendedType::Union(_) => Some(ServiceKind::Union),
        ExtendedType::Scalar(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_) => None,
    }
}

/// The graphs that have the type, with its keys there.
fn placed(
    definition: &ExtendedType,
    kind: ServiceKind,
    join: &Join<'_>,
    problems: &mut Problems,
) -> IndexMap<usize, ServiceType> {
    let empty = |kind| ServiceType {
        kind,
        keys: Vec::new(),
        fields: IndexMap::new(),
        members: Vec::new(),
    };
    let mut types = IndexMap::new();
    let mut written = on(definition, Directive::Type, join).peekable();
    if written.peek().is_none() {
        // A value type of federation 1 is in every graph.
        let all = 0..join.graphs.len();
        return all.map(|graph| (graph, empty(kind))).collect();
    }
    for directive in written {
        let Some(graph) = join.graph(directive, problems) else {
            continue;
        };
        let is_object = flag(directive, "isInterfaceObject") == Some(true);
        let kind = match kind {
            ServiceKind::Interface if is_object => ServiceKind::InterfaceObject,
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

fn key(directive: &Found, join: &Join<'_>) -> Option<ServiceKey> {
    Some(ServiceKey {
        fields: set(directive, "key", join)?,
        resolvable: flag(directive, "resolvable").unwrap_or(true),
    })
}

fn owner(definition: &ExtendedType, join: &Join<'_>, problems: &mut Problems) -> Option<usize> {
    let directive = on(definition, Directive::Owner, join).next()?;
    join.graph(directive, problems)
}

fn on<'l>(
    definition: &'l ExtendedType,
    directive: Directive,
    join: &'l Join<'_>,
) -> impl Iterator<Item = &'l Node<Found>> {
    let list = definition.directives().iter().map(|it| &it.node);
    join.on(list, directive)
}

fn fields(definition: &ExtendedType) -> impl Iterator<Item = (&Name, &Component<FieldDefinition>)> {
    let fields = match definition {
        ExtendedType::Object(it) => Some(&it.fields),
        ExtendedType::Interface(it) => Some(&it.fields),
        _ => None,
    };
    fields.into_iter().flatten()
}
