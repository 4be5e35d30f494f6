//! What the graphs of a supergraph say about keeping what they give, collected: it is kept in
//! `@join__directive`, and by Weir in directives of its own.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::ast::Directive as Found;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::arguments::value;
use super::connectors::unwrapped;
use super::join::{self, Join};
use crate::key::FieldSet;
use crate::link::caching::{Said, Statements};
use crate::link::federation::{Service, ServiceType};
use crate::sdl::federation::Directive;
use crate::types;

/// Of each graph, in their order.
pub(super) fn statements(join: &Join<'_>, services: &[Service]) -> Vec<Statements> {
    let mut all: Vec<Statements> = services
        .iter()
        .map(|service| Statements {
            service: Arc::clone(&service.name),
            document: join.text.document.clone(),
            keys: keys(service),
            said: Vec::new(),
        })
        .collect();
    for (name, definition) in join.types() {
        for directive in definition.directives() {
            let place = (name.as_str(), None);
            add(&mut all, (join, services), place, &directive.node);
        }
        for (field_name, directives) in fields(definition) {
            let place = (name.as_str(), Some(field_name.as_str()));
            for directive in directives {
                add(&mut all, (join, services), place, directive);
            }
        }
    }
    all
}

fn fields(definition: &ExtendedType) -> Vec<(&Name, &[Node<Found>])> {
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

fn keys(service: &Service) -> HashMap<types::Name, Vec<FieldSet>> {
    let keys = |ty: &ServiceType| -> Vec<FieldSet> {
        let resolvable = ty.keys.iter().filter(|key| key.resolvable);
        resolvable
            .filter_map(|key| FieldSet::parse(&key.fields.text))
            .collect()
    };
    let types = service.types.iter();
    types
        .map(|(name, ty)| (types::Name::clone(name), keys(ty)))
        .filter(|(_, keys)| !keys.is_empty())
        .collect()
}

fn add(
    all: &mut [Statements],
    (join, services): (&Join<'_>, &[Service]),
    (owner, field): (&str, Option<&str>),
    written: &Node<Found>,
) {
    let Some((directive, kept, graphs)) = read(join, written) else {
        return;
    };
    for (graph, statements) in all.iter_mut().enumerate() {
        let has = || {
            let ty = services.get(graph).and_then(|it| it.types.get(owner));
            ty.is_some_and(|ty| field.is_none_or(|field| ty.fields.contains_key(field)))
        };
        let says = match &graphs {
            Some(graphs) => graphs.contains(&graph),
            None => has(),
        };
        if says {
            statements.said.push(Said {
                directive,
                owner: owner.into(),
                field: field.map(Into::into),
                written: kept.clone(),
                at: written.location(),
            });
        }
    }
}

/// What a directive says, and of which graphs; `None` there for all that have the place.
fn read(
    join: &Join<'_>,
    written: &Node<Found>,
) -> Option<(Directive, Node<Found>, Option<Vec<usize>>)> {
    if join.on([written], join::Directive::Kept).next().is_some() {
        let kept = unwrapped(written)?;
        let name = kept.name.strip_prefix("federation__");
        let directive = known(name.unwrap_or(&kept.name))?;
        return Some((directive, kept, Some(join.listed(written))));
    }
    let own = join.features.get("weir").and_then(|feature| {
        let mut all = Directive::caching();
        all.find(|it| feature.directive(it.name()) == written.name.as_str())
    });
    if let Some(directive) = own {
        let graph = value(written, "graph").and_then(|it| join.graphs.get_index_of(it));
        return Some((directive, written.clone(), Some(vec![graph?])));
    }
    let directive = known(&written.name).filter(|it| it.is_foreign())?;
    Some((directive, written.clone(), None))
}

fn known(name: &str) -> Option<Directive> {
    Directive::caching().find(|it| it.name() == name)
}
