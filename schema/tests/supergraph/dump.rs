//! The sources of a graph as text.

use std::fmt::Write as _;

use schema::graph::Graph;
use schema::key::Requirement;
use schema::source::{Access, NodeField, ObjectTypes, Source, SourceNode};
use schema::types::{TypeId, Types};

/// Every source: its entry points, then its nodes, in order.
pub(crate) fn dump(graph: &Graph) -> String {
    let mut text = String::new();
    for (_, source) in graph.sources() {
        let at = match &source.access {
            Access::Graphql(graphql) => graphql.url.as_deref().unwrap_or("nowhere"),
            Access::Connector(_) => "connector",
        };
        let _ = writeln!(text, "{} at {at}", source.name);
        for entry in &source.entry_points {
            let on = name(graph.types(), entry.on);
            let alias = match entry.type_name.as_ref() {
                same if same == on => String::new(),
                other => format!(" as {other}"),
            };
            let key = &entry.key;
            let node = entry.node.index();
            let _ = writeln!(text, "  enter {on}{alias} by ({key}) to {node}");
        }
        for (index, node) in source.nodes.iter().enumerate() {
            let objects = objects(graph.types(), node);
            let on = name(graph.types(), node.on);
            let _ = writeln!(text, "  {index} {on}{objects}");
            for (name, field) in &node.fields {
                let _ = writeln!(text, "    {name}{}", described(graph.types(), field));
            }
        }
    }
    text
}

fn objects(types: &Types, node: &SourceNode) -> String {
    match &node.object_types {
        ObjectTypes::OwnType => String::new(),
        ObjectTypes::UnknownType => " of any kind".to_owned(),
        ObjectTypes::ByTypename(members) => {
            let members = members
                .iter()
                .map(|(object, node)| format!("{} {}", name(types, *object), node.index()));
            format!(" = {}", members.collect::<Vec<_>>().join(" | "))
        }
    }
}

fn described(types: &Types, field: &NodeField) -> String {
    let mut text = match field.ty.as_ref() {
        "" => String::new(), // A connector has no document.
        ty => format!(": {ty}"),
    };
    if let Some(child) = field.child {
        let _ = write!(text, " to {}", child.index());
    }
    if let Some(needs) = &field.requires {
        let _ = write!(text, " needs {}", listed(types, needs));
    }
    text
}

fn listed(types: &Types, needs: &[Requirement]) -> String {
    let needs = needs.iter().map(|need| {
        let mut text = need.field.to_string();
        let arguments: Vec<_> = need
            .arguments
            .iter()
            .map(|(name, argument)| format!("{name}: {}", argument.value))
            .collect();
        if !arguments.is_empty() {
            let _ = write!(text, "({})", arguments.join(", "));
        }
        if !need.inner.is_empty() {
            let _ = write!(text, " {}", listed(types, &need.inner));
        }
        match need.on {
            Some(on) => format!("... on {} {{ {text} }}", name(types, on)),
            None => text,
        }
    });
    format!("{{ {} }}", needs.collect::<Vec<_>>().join(" "))
}

fn name(types: &Types, id: TypeId) -> &str {
    &types.get(id).name
}

/// The number of entry points of all sources.
pub(crate) fn entries(graph: &Graph) -> usize {
    let entries = |source: &Source| source.entry_points.len();
    graph.sources().map(|(_, source)| entries(source)).sum()
}
