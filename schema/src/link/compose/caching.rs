//! Collects the cache directives and entity keys of a subgraph.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast;
use apollo_compiler::schema::ExtendedType;

use super::part::{SubgraphPart, fields, is_resolvable, string_argument};
use crate::key::FieldSet;
use crate::link::caching::{CacheDirective, SubgraphCacheDirectives};
use crate::sdl::federation::Directive;
use crate::types::Name;

/// The cache directives of `part`, with the resolvable keys of its types.
pub(super) fn subgraph_cache_directives(part: &SubgraphPart<'_>) -> SubgraphCacheDirectives {
    let mut all = SubgraphCacheDirectives {
        subgraph: Arc::clone(&part.sdl.name),
        document: part.sdl.document.clone(),
        keys: HashMap::new(),
        directives: Vec::new(),
    };
    for (name, definition) in part.types() {
        let name: Name = name.as_str().into();
        let keys = keys(part, definition);
        if !keys.is_empty() {
            all.keys.insert(Name::clone(&name), keys);
        }
        let mut add = |field: Option<&Name>, node: &Node<ast::Directive>| {
            all.directives.extend(
                caching_directive(part, node).map(|directive| CacheDirective {
                    directive,
                    owner: Name::clone(&name),
                    field: field.map(Name::clone),
                    node: node.clone(),
                    location: node.location(),
                }),
            );
        };
        for directive in definition.directives() {
            add(None, &directive.node);
        }
        for (field_name, field) in fields(definition).into_iter().flatten() {
            let field_name = field_name.as_str().into();
            for directive in &field.directives {
                add(Some(&field_name), directive);
            }
        }
    }
    all
}

fn caching_directive(part: &SubgraphPart<'_>, directive: &ast::Directive) -> Option<Directive> {
    let known = part.sdl.links.directives.find(&directive.name);
    known.filter(|known| known.is_caching())
}

fn keys(part: &SubgraphPart<'_>, definition: &ExtendedType) -> Vec<FieldSet> {
    let keys = part.type_directives(definition.directives(), Directive::Key);
    keys.filter(|key| is_resolvable(key))
        .filter_map(|key| FieldSet::parse(string_argument(key, "fields")?))
        .collect()
}
