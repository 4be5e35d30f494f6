//! A graph as text, independent of the order of its definitions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schema::graph::Graph;
use schema::key::Requirement;
use schema::source::{NodeId, ObjectTypes, Source};
use schema::types::{TypeId, TypeKind, TypeRef, Types};

/// Every source: its entry points, then its nodes.
pub(crate) fn views(graph: &Graph) -> String {
    let mut sources: Vec<&Source> = graph.sources().map(|(_, source)| source).collect();
    sources.sort_by(|left, right| left.name.cmp(&right.name));
    let texts = sources.iter().map(|source| view(graph.types(), source));
    texts.collect()
}

fn view(types: &Types, source: &Source) -> String {
    let mut text = format!("{}\n", source.name);
    let mut entries: Vec<(String, NodeId)> = source
        .entry_points
        .iter()
        .map(|entry| {
            let on = name(types, entry.on);
            let key = &entry.key;
            (
                format!("{on} as {} by ({key})", entry.type_name),
                entry.node,
            )
        })
        .collect();
    entries.sort();
    let mut numbers = Numbers::default();
    for (entry, node) in &entries {
        let _ = writeln!(text, "  enter {entry} to {}", numbers.of(*node));
    }
    let mut next = 0;
    while let Some(id) = numbers.order.get(next).copied() {
        text.push_str(&node(types, source, id, &mut numbers));
        next += 1;
    }
    text
}

/// Nodes in the order of the walk.
#[derive(Default)]
struct Numbers {
    order: Vec<NodeId>,
}

impl Numbers {
    fn of(&mut self, node: NodeId) -> usize {
        let known = self.order.iter().position(|known| *known == node);
        known.unwrap_or_else(|| {
            self.order.push(node);
            self.order.len() - 1
        })
    }
}

fn node(types: &Types, source: &Source, id: NodeId, numbers: &mut Numbers) -> String {
    let node = source.node(id);
    let mut text = format!("  {} {}", numbers.of(id), name(types, node.on));
    match &node.object_types {
        ObjectTypes::OwnType => {}
        ObjectTypes::UnknownType => text.push_str(" of any kind"),
        ObjectTypes::ByTypename(members) => {
            let members: BTreeMap<_, _> = members
                .iter()
                .map(|(object, node)| (name(types, *object), *node))
                .collect();
            for (object, node) in members {
                let _ = write!(text, " | {object} {}", numbers.of(node));
            }
        }
    }
    text.push('\n');
    let fields: BTreeMap<_, _> = node.fields.iter().collect();
    for (field, provided) in fields {
        let _ = write!(text, "    {field}: {}", provided.ty);
        if let Some(child) = provided.child {
            let _ = write!(text, " to {}", numbers.of(child));
        }
        if let Some(needs) = &provided.requires {
            let _ = write!(text, " needs {}", listed(types, needs));
        }
        for argument in &*provided.context_arguments {
            let _ = write!(text, " {}: {} from", argument.argument, argument.ty);
            for (setter, need) in &argument.setters {
                let need = listed(types, std::slice::from_ref(need));
                let _ = write!(text, " {} {need}", name(types, *setter));
            }
        }
        text.push('\n');
    }
    text
}

fn listed(types: &Types, needs: &[Requirement]) -> String {
    let needs = needs.iter().map(|need| {
        let on = need.on.map_or("", |on| name(types, on));
        let inner = listed(types, &need.inner);
        format!("{on}.{}{:?}{inner}", need.field, need.arguments)
    });
    format!("{{{}}}", needs.collect::<Vec<_>>().join(" "))
}

/// The types of the graph, inaccessible ones included.
pub(crate) fn types(graph: &Graph) -> String {
    let types = graph.types();
    let mut lines: Vec<String> = Vec::new();
    for (id, ty) in types.iter() {
        let mut possible: Vec<_> = ty
            .possible_types
            .iter()
            .map(|id| name(types, *id))
            .collect();
        possible.sort_unstable();
        lines.push(format!("{} is [{}]", name(types, id), possible.join(", ")));
        match &ty.kind {
            TypeKind::Object(fields) | TypeKind::Interface(fields) => {
                for field in fields.values() {
                    let arguments = field.arguments.iter();
                    let arguments: Vec<_> = arguments
                        .map(|(name, it)| format!("{name}: {}", it.ty.display(types)))
                        .collect();
                    let shown: &TypeRef = &field.ty;
                    lines.push(format!(
                        "{}.{}({}): {}",
                        ty.name,
                        field.name,
                        arguments.join(", "),
                        shown.display(types)
                    ));
                }
            }
            TypeKind::Enum(values) => {
                lines.extend(values.iter().map(|value| format!("{}.{value}", ty.name)));
            }
            TypeKind::InputObject(fields) => {
                let fields = fields.iter();
                lines.extend(
                    fields
                        .map(|(name, it)| format!("{}.{name}: {}", ty.name, it.ty.display(types))),
                );
            }
            TypeKind::Scalar(_) | TypeKind::Union => {}
        }
    }
    lines.sort();
    lines.join("\n")
}

/// The sorted lines of the API schema.
pub(crate) fn client(graph: &Graph) -> String {
    let sdl = graph.client_sdl();
    let mut lines: Vec<&str> = sdl.lines().map(str::trim).collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn name(types: &Types, id: TypeId) -> &str {
    &types.get(id).name
}
