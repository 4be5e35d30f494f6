//! Subgraphs of a supergraph with connectors: `@join__directive` preserves their `@connect` and
//! `@source`, from which the SDL of each subgraph is rebuilt.

use std::sync::Arc;

use apollo_compiler::ast::{Argument, Directive, Type, Value};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ComponentName, ExtendedType, FieldDefinition, Schema};
use apollo_compiler::{Name, Node, name};

use super::arguments::text;
use super::features::{Feature, feature};
use super::join::{GraphId, Join, JoinDirective};
use crate::link::federation::{FieldAvailability, SubgraphSchema, SubgraphType};
use crate::span::Document;
use crate::subgraph::Subgraph;

/// The document of the subgraph `graph`; `None` when it does not have connectors.
pub(super) fn subgraph(
    join: &Join<'_>,
    stripped: &Schema,
    graph: GraphId,
    subgraph: &SubgraphSchema,
) -> Option<Subgraph> {
    let on_schema = || preserved_directives(join, graph, schema_directives(join));
    let connect = on_schema().find_map(|it| connect_feature(&it, join))?;
    let writer = SdlWriter {
        join,
        graph,
        subgraph,
        names: ["connect", "source"].map(|name| connect.directive(name)),
    };
    let mut schema = Schema::new();
    writer.roots(&mut schema);
    let definition = schema.schema_definition.make_mut();
    definition
        .directives
        .push(Component::new(federation_link()));
    for directive in on_schema().filter(|it| it.name == "link" || writer.is_connector_directive(it))
    {
        definition.directives.push(Component::from(directive));
    }
    let own = stripped.types.iter().filter(|(_, it)| !it.is_built_in());
    for (name, definition) in own {
        if let Some(definition) = writer.ty(name, definition) {
            schema.types.insert(name.clone(), definition);
        }
    }
    let document = format!("{} ({})", join.document.file.name, subgraph.name);
    Some(Subgraph {
        name: Arc::clone(&subgraph.name),
        url: None,
        document: Document::new(document, schema.to_string()),
    })
}

fn schema_directives<'a>(join: &'a Join<'_>) -> impl Iterator<Item = &'a Node<Directive>> {
    let directives = &join.document.schema.schema_definition.directives;
    directives.iter().map(|it| &it.node)
}

/// The directives of `graph` that a list of `@join__directive`s preserves.
fn preserved_directives<'a>(
    join: &'a Join<'_>,
    graph: GraphId,
    list: impl IntoIterator<Item = &'a Node<Directive>>,
) -> impl Iterator<Item = Node<Directive>> {
    let wrappers = join.directives(list, JoinDirective::Preserved);
    wrappers.filter_map(move |wrapper| {
        let is_own = join.graph_ids(wrapper).contains(&graph);
        is_own.then(|| unwrapped_directive(wrapper))?
    })
}

/// The directive that a `@join__directive` preserves.
pub(super) fn unwrapped_directive(wrapper: &Directive) -> Option<Node<Directive>> {
    let args = wrapper.specified_argument_by_name("args");
    let args = args.and_then(|args| args.as_object()).unwrap_or_default();
    let arguments = args.iter().map(|(name, value)| {
        Node::new(Argument {
            name: name.clone(),
            value: value.clone(),
        })
    });
    Some(Node::new(Directive {
        name: Name::new(text(wrapper, "name")?).ok()?,
        arguments: arguments.collect(),
    }))
}

/// The connect specification, if `link` is a link to it.
fn connect_feature(link: &Node<Directive>, join: &Join<'_>) -> Option<Feature> {
    let feature = feature(link, join.document)?;
    (link.name == "link" && feature.identity == "connect").then_some(feature)
}

/// The link that imports the federation directives of the rebuilt document.
fn federation_link() -> Directive {
    let imports = ["@key", "@external", "@inaccessible"];
    let imports = imports.map(|name| Node::new(Value::String(name.to_owned())));
    let url = Value::String("https://specs.apollo.dev/federation/v2.10".to_owned());
    Directive {
        name: name!("link"),
        arguments: vec![
            argument(name!("url"), url),
            argument(name!("import"), Value::List(imports.into())),
        ],
    }
}

struct SdlWriter<'a> {
    join: &'a Join<'a>,
    graph: GraphId,
    subgraph: &'a SubgraphSchema,
    /// The names of `@connect` and `@source` in the subgraph.
    names: [String; 2],
}

impl SdlWriter<'_> {
    fn is_connector_directive(&self, directive: &Directive) -> bool {
        let mut names = self.names.iter();
        names.any(|name| *name == directive.name.as_str())
    }

    fn roots(&self, schema: &mut Schema) {
        let roots = &self.join.document.schema.schema_definition;
        let own = |root: &Option<ComponentName>| {
            let root = root.as_ref()?;
            let ty = self.subgraph.types.get(root.name.as_str())?;
            (!ty.fields.is_empty()).then(|| root.name.clone().into())
        };
        let definition = schema.schema_definition.make_mut();
        definition.query = own(&roots.query);
        definition.mutation = own(&roots.mutation);
        definition.subscription = own(&roots.subscription);
    }

    /// The type as the subgraph defines it, made of `stripped`: the merged type without join
    /// directives. `None` when the subgraph does not define it.
    fn ty(&self, name: &Name, stripped: &ExtendedType) -> Option<ExtendedType> {
        let joined = self.join.document.schema.types.get(name)?;
        let known = self.subgraph.types.get(name.as_str());
        let mut definition = stripped.clone();
        match (&mut definition, known) {
            (ExtendedType::Object(it), Some(known)) => {
                let it = it.make_mut();
                let preserved =
                    preserved_directives(self.join, self.graph, type_directives(joined));
                let added =
                    keys(known).chain(preserved.filter(|it| self.is_connector_directive(it)));
                it.directives.extend(added.map(Component::from));
                it.implements_interfaces
                    .retain(|interface| self.is_member(&interface.name, name));
                self.fields(&mut it.fields, joined, known);
                return (!it.fields.is_empty()).then_some(definition);
            }
            (ExtendedType::Interface(it), Some(known)) => {
                let it = it.make_mut();
                it.directives.extend(keys(known).map(Component::from));
                it.implements_interfaces
                    .retain(|other| self.subgraph.types.contains_key(other.name.as_str()));
                self.fields(&mut it.fields, joined, known);
            }
            (ExtendedType::Union(it), Some(_)) => {
                let it = it.make_mut();
                it.members
                    .retain(|member| self.is_member(name, &member.name));
            }
            (
                ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_),
                None,
            ) => {
                return None;
            }
            _ if !self.has_leaf_type(joined) => return None,
            _ => {}
        }
        Some(definition)
    }

    /// Whether the subgraph defines a scalar, enum or input type, which `SubgraphSchema` omits.
    fn has_leaf_type(&self, joined: &ExtendedType) -> bool {
        let mut uses = self
            .join
            .directives(type_directives(joined), JoinDirective::Type)
            .peekable();
        uses.peek().is_none()
            || uses.any(|directive| self.join.graph_id(directive) == Some(self.graph))
    }

    fn is_member(&self, of: &str, member: &str) -> bool {
        let ty = self.subgraph.types.get(of);
        ty.is_some_and(|ty| ty.members.iter().any(|it| **it == *member))
    }

    fn fields(
        &self,
        fields: &mut IndexMap<Name, Component<FieldDefinition>>,
        joined: &ExtendedType,
        known: &SubgraphType,
    ) {
        fields.retain(|name, _| known.fields.contains_key(name.as_str()));
        for (name, field) in fields.iter_mut() {
            let field = field.make_mut();
            let Some(known) = known.fields.get(name.as_str()) else {
                continue;
            };
            if let Ok(ty) = Type::parse(known.ty.to_string(), "type") {
                field.ty = ty;
            }
            if known.availability != FieldAvailability::Always {
                let external = Directive {
                    name: name!("external"),
                    arguments: Vec::new(),
                };
                field.directives.push(external);
            }
            let joined = fields_of(joined).and_then(|fields| fields.get(name));
            let directives = joined.into_iter().flat_map(|field| &field.directives.0);
            let preserved = preserved_directives(self.join, self.graph, directives);
            for directive in preserved.filter(|it| self.is_connector_directive(it)) {
                field.directives.push(directive);
            }
        }
    }
}

fn type_directives(definition: &ExtendedType) -> impl Iterator<Item = &Node<Directive>> {
    definition.directives().iter().map(|it| &it.node)
}

fn fields_of(definition: &ExtendedType) -> Option<&IndexMap<Name, Component<FieldDefinition>>> {
    match definition {
        ExtendedType::Object(it) => Some(&it.fields),
        ExtendedType::Interface(it) => Some(&it.fields),
        _ => None,
    }
}

fn keys(ty: &SubgraphType) -> impl Iterator<Item = Node<Directive>> {
    ty.keys.iter().map(|key| {
        Node::new(Directive {
            name: name!("key"),
            arguments: vec![
                argument(name!("fields"), Value::String(key.fields.text.clone())),
                argument(name!("resolvable"), Value::Boolean(key.resolvable)),
            ],
        })
    })
}

fn argument(name: Name, value: Value) -> Node<Argument> {
    let value = Node::new(value);
    Node::new(Argument { name, value })
}
