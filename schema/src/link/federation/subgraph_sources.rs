//! Subgraph schemas → sources: one node for each type, and one for each place with additional
//! fields.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;

use super::parsed_subgraph::{ParsedSubgraph, ParsedType};
use super::provided::ProvidedFields;
use super::{SubgraphSchema, SubgraphTypeKind};
use crate::diagnostic::Problems;
use crate::key::FieldSet;
use crate::source::{
    Access, EntryCardinality, EntryPoint, NodeField, NodeId, ObjectTypes, Source, SourceNode,
    SubgraphEndpoint,
};
use crate::types::{Name, TypeId, Types};

/// The sources of `subgraphs`; invalid field sets are reported and left out.
pub(in crate::link) fn subgraph_sources(
    subgraphs: &[SubgraphSchema],
    types: &Types,
    problems: &mut Problems,
) -> Vec<Source> {
    subgraphs
        .iter()
        .map(|subgraph| {
            let parsed = ParsedSubgraph::read(subgraph, types, problems);
            source(&parsed, types)
        })
        .collect()
}

fn source(parsed: &ParsedSubgraph<'_>, types: &Types) -> Source {
    let subgraph = parsed.subgraph;
    let mut builder = SourceBuilder {
        parsed,
        nodes: Vec::new(),
        node_ids: HashMap::new(),
        pending: VecDeque::new(),
    };
    let mut entry_points = builder.root_entry_points(types);
    for (name, ty) in &parsed.types {
        entry_points.extend(builder.key_entry_points(name, ty, types));
    }
    builder.fill_nodes();
    Source {
        name: Arc::clone(&subgraph.name),
        subgraph: Arc::clone(&subgraph.name),
        entry_points,
        nodes: builder.nodes,
        access: Access::Graphql(SubgraphEndpoint {
            url: subgraph.url.clone(),
            renamed_types: subgraph.renamed_types.clone(),
        }),
    }
}

struct SourceBuilder<'a> {
    parsed: &'a ParsedSubgraph<'a>,
    nodes: Vec<SourceNode>,
    node_ids: HashMap<NodeKey<'a>, NodeId>,
    /// Nodes whose fields are not filled in yet.
    pending: VecDeque<(NodeKey<'a>, NodeId)>,
}

/// The name of a type, and the fields available at a place in addition to those available
/// everywhere.
///
/// Additional fields come from field sets only, so there are few more keys than types and fields in
/// field sets.
#[derive(Clone, PartialEq, Eq, Hash)]
struct NodeKey<'a> {
    ty: &'a str,
    provided: ProvidedFields,
}

impl<'a> SourceBuilder<'a> {
    fn root_entry_points(&mut self, types: &Types) -> Vec<EntryPoint> {
        let mut entry_points = Vec::new();
        for root in [types.query(), types.mutation()].into_iter().flatten() {
            let name = &types.get(root).name;
            let Some((name, ty)) = self.parsed.types.get_key_value(name.as_ref()) else {
                continue;
            };
            // Entry points must be the same for all sets of active labels.
            let definition = self.parsed.subgraph.types.get(*name);
            let mut definitions = definition.into_iter().flat_map(|it| it.fields.values());
            let has_labels = definitions.any(|field| field.progressive_override.is_some());
            if has_labels || ty.fields.values().any(|field| field.is_always_available) {
                entry_points.push(self.entry_point(root, name, FieldSet::default()));
            }
        }
        entry_points
    }

    /// The entity lookups of type `ty`, one for each resolvable key.
    fn key_entry_points(
        &mut self,
        name: &'a str,
        ty: &ParsedType<'a>,
        types: &Types,
    ) -> Vec<EntryPoint> {
        let mut on = vec![ty.id];
        if ty.kind == SubgraphTypeKind::InterfaceObject {
            on.extend(&types.get(ty.id).possible_types);
        }
        let mut entry_points = Vec::new();
        for key in &ty.keys {
            for on in &on {
                entry_points.push(self.entry_point(*on, name, key.clone()));
            }
        }
        entry_points
    }

    fn entry_point(&mut self, on: TypeId, name: &'a str, key: FieldSet) -> EntryPoint {
        EntryPoint {
            on,
            type_name: self.own_type_name(name),
            key,
            node: self.node(NodeKey {
                ty: name,
                provided: ProvidedFields::default(),
            }),
            cardinality: EntryCardinality::Batch(None),
        }
    }

    fn own_type_name(&self, name: &str) -> Name {
        let mut renamed = self.parsed.subgraph.renamed_types.iter();
        let own = renamed.find(|(known, _)| **known == *name);
        own.map_or_else(|| name.into(), |(_, own)| Name::clone(own))
    }

    /// The node for `key`; a new node is filled by `fill_nodes`.
    fn node(&mut self, key: NodeKey<'a>) -> NodeId {
        if let Some(known) = self.node_ids.get(&key) {
            return *known;
        }
        let id = NodeId(self.nodes.len());
        let ty = self.parsed.types.get(key.ty);
        self.nodes.push(SourceNode {
            on: ty.map_or(TypeId(0), |ty| ty.id),
            object_types: ObjectTypes::OwnType,
            fields: IndexMap::new(),
        });
        self.node_ids.insert(key.clone(), id);
        self.pending.push_back((key, id));
        id
    }

    fn fill_nodes(&mut self) {
        while let Some((key, id)) = self.pending.pop_front() {
            let Some(ty) = self.parsed.types.get(key.ty) else {
                continue;
            };
            self.nodes[id.0].fields = self.fields(&key, ty);
            self.nodes[id.0].object_types = self.object_types(&key.provided, ty);
        }
    }

    fn fields(&mut self, key: &NodeKey<'a>, ty: &'a ParsedType<'a>) -> IndexMap<Name, NodeField> {
        let mut node_fields = IndexMap::new();
        for (field_name, field) in &ty.fields {
            if !self.parsed.is_available(key.ty, &key.provided, field_name) {
                continue;
            }
            let child = field.child.as_deref().map(|child| {
                let mut provided = field.provides.clone();
                if let Some(more) = key.provided.fields.get(*field_name) {
                    provided.merge(more);
                }
                self.node(NodeKey {
                    ty: child,
                    provided: provided.beyond_type(child, self.parsed),
                })
            });
            let (requires, contexts) = (field.requires.clone(), Arc::clone(&field.contexts));
            let ty = Arc::clone(&field.ty);
            let only_in_keys = field.only_in_keys;
            let field = NodeField {
                child,
                requires,
                context_arguments: contexts,
                only_in_keys,
                ty,
            };
            node_fields.insert((*field_name).into(), field);
        }
        node_fields
    }

    fn object_types(&mut self, provided: &ProvidedFields, ty: &'a ParsedType<'a>) -> ObjectTypes {
        match ty.kind {
            SubgraphTypeKind::Object | SubgraphTypeKind::Leaf => ObjectTypes::OwnType,
            SubgraphTypeKind::InterfaceObject => ObjectTypes::UnknownType,
            SubgraphTypeKind::Interface | SubgraphTypeKind::Union => {
                let mut nodes = IndexMap::new();
                for member in &ty.members {
                    let Some(known) = self.parsed.types.get(member) else {
                        continue;
                    };
                    let provided = provided
                        .on
                        .get(*member)
                        .map(|it| ProvidedFields::clone(it))
                        .unwrap_or_default();
                    let key = NodeKey {
                        ty: member,
                        provided,
                    };
                    nodes.insert(known.id, self.node(key));
                }
                ObjectTypes::ByTypename(nodes)
            }
        }
    }
}
