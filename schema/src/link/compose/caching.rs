//! What subgraphs say about keeping what they give, collected.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast;
use apollo_compiler::schema::ExtendedType;

use super::part::{Part, fields, is_resolvable, text};
use crate::key::FieldSet;
use crate::link::caching::{Said, Statements};
use crate::sdl::federation::Directive;
use crate::types::Name;

/// Of one subgraph.
pub(super) fn statements(part: &Part<'_>) -> Statements {
    let mut all = Statements {
        service: Arc::clone(&part.sdl.name),
        document: part.sdl.document.clone(),
        keys: HashMap::new(),
        said: Vec::new(),
    };
    for (name, definition) in part.types() {
        let name: Name = name.as_str().into();
        let keys = keys(part, definition);
        if !keys.is_empty() {
            all.keys.insert(Name::clone(&name), keys);
        }
        let mut add = |field: Option<&Name>, written: &Node<ast::Directive>| {
            all.said.extend(said(part, written).map(|directive| Said {
                directive,
                owner: Name::clone(&name),
                field: field.map(Name::clone),
                written: written.clone(),
                at: written.location(),
            }));
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

fn said(part: &Part<'_>, directive: &ast::Directive) -> Option<Directive> {
    let known = part.sdl.links.directives.named(&directive.name);
    known.filter(|known| known.is_caching())
}

fn keys(part: &Part<'_>, definition: &ExtendedType) -> Vec<FieldSet> {
    let keys = part.on_type(definition.directives(), Directive::Key);
    keys.filter(|key| is_resolvable(key))
        .filter_map(|key| FieldSet::parse(text(key, "fields")?))
        .collect()
}
