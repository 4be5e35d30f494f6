//! Collects the cache directives of each subgraph of a supergraph, from `@join__directive` and from
//! the directives of Weir's own specification.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::ast::Directive as AstDirective;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::connectors::unwrapped_directive;
use super::join::{GraphId, Join, JoinDirective};
use crate::key::FieldSet;
use crate::link::caching::{CacheDirective, SubgraphCacheDirectives};
use crate::link::federation::{SubgraphSchema, SubgraphType};
use crate::sdl::federation::Directive;
use crate::types;

/// The cache directives of each subgraph, in the order of `subgraphs`.
pub(super) fn cache_directives(
    join: &Join<'_>,
    subgraphs: &[SubgraphSchema],
) -> Vec<SubgraphCacheDirectives> {
    let mut all: Vec<SubgraphCacheDirectives> = subgraphs
        .iter()
        .map(|subgraph| SubgraphCacheDirectives {
            subgraph: Arc::clone(&subgraph.name),
            document: join.document.file.clone(),
            keys: keys(subgraph),
            directives: Vec::new(),
        })
        .collect();
    let names = DirectiveNames::new(join);
    for (name, definition) in join.types() {
        for directive in definition.directives() {
            if let Some(joined) = names.read(join, &directive.node) {
                add_directive(&mut all, subgraphs, name, None, &joined);
            }
        }
        for (field_name, directives) in fields(definition) {
            for directive in directives {
                if let Some(joined) = names.read(join, directive) {
                    let field = Some(field_name.as_str());
                    add_directive(&mut all, subgraphs, name, field, &joined);
                }
            }
        }
    }
    all
}

fn fields(definition: &ExtendedType) -> Vec<(&Name, &[Node<AstDirective>])> {
    let fields = match definition {
        ExtendedType::Object(it) => &it.fields,
        ExtendedType::Interface(it) => &it.fields,
        _ => return Vec::new(),
    };
    let fields = fields.iter();
    fields
        .map(|(name, field)| (name, field.directives.0.as_slice()))
        .collect()
}

fn keys(subgraph: &SubgraphSchema) -> HashMap<types::Name, Vec<FieldSet>> {
    let keys = |ty: &SubgraphType| -> Vec<FieldSet> {
        let resolvable = ty.keys.iter().filter(|key| key.resolvable);
        resolvable
            .filter_map(|key| FieldSet::parse(&key.fields.text))
            .collect()
    };
    let types = subgraph.types.iter();
    types
        .map(|(name, ty)| (types::Name::clone(name), keys(ty)))
        .filter(|(_, keys)| !keys.is_empty())
        .collect()
}

/// A cache directive as a subgraph has it.
struct JoinedDirective {
    directive: Directive,
    node: Node<AstDirective>,
    location: Option<SourceSpan>,
    /// The subgraphs that have it; `None` for all that define the type or field.
    graphs: Option<Vec<GraphId>>,
}

fn add_directive(
    all: &mut [SubgraphCacheDirectives],
    subgraphs: &[SubgraphSchema],
    owner: &str,
    field: Option<&str>,
    joined: &JoinedDirective,
) {
    for (index, cache_directives) in all.iter_mut().enumerate() {
        let has_coordinate = || {
            let ty = subgraphs.get(index).and_then(|it| it.types.get(owner));
            ty.is_some_and(|ty| field.is_none_or(|field| ty.fields.contains_key(field)))
        };
        let applies = match &joined.graphs {
            Some(graphs) => graphs.contains(&GraphId(index)),
            None => has_coordinate(),
        };
        if applies {
            cache_directives.directives.push(CacheDirective {
                directive: joined.directive,
                owner: owner.into(),
                field: field.map(Into::into),
                node: joined.node.clone(),
                location: joined.location,
            });
        }
    }
}

/// The names of cache directives in this supergraph.
struct DirectiveNames {
    /// Directives of Weir's own specification.
    own: Vec<(String, Directive)>,
}

impl DirectiveNames {
    fn new(join: &Join<'_>) -> Self {
        let own = join.features.get("weir").into_iter();
        let own = own
            .flat_map(|feature| Directive::caching().map(|it| (feature.directive(it.name()), it)));
        Self { own: own.collect() }
    }

    fn read(&self, join: &Join<'_>, directive: &Node<AstDirective>) -> Option<JoinedDirective> {
        let location = directive.location();
        if join
            .directives([directive], JoinDirective::Preserved)
            .next()
            .is_some()
        {
            let wrapped = unwrapped_directive(directive)?;
            let name = wrapped.name.strip_prefix("federation__");
            return Some(JoinedDirective {
                directive: caching_directive(name.unwrap_or(&wrapped.name))?,
                node: wrapped,
                location,
                graphs: Some(join.graph_ids(directive)),
            });
        }
        let mut own = self.own.iter();
        if let Some((_, kind)) = own.find(|(name, _)| *name == directive.name.as_str()) {
            return Some(JoinedDirective {
                directive: *kind,
                node: directive.clone(),
                location,
                graphs: Some(join.graph_id(directive).into_iter().collect()),
            });
        }
        Some(JoinedDirective {
            directive: caching_directive(&directive.name).filter(|it| it.is_unlinkable())?,
            node: directive.clone(),
            location,
            graphs: None,
        })
    }
}

fn caching_directive(name: &str) -> Option<Directive> {
    Directive::caching().find(|it| it.name() == name)
}
