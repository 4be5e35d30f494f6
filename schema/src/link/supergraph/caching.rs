//! What the graphs of a supergraph say about keeping what they give, collected: it is kept in
//! `@join__directive`, and by Weir in directives of its own.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::ast::Directive as Found;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

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
    let names = Names::new(join);
    for (name, definition) in join.types() {
        for directive in definition.directives() {
            if let Some(read) = names.read(join, &directive.node) {
                let place = (name.as_str(), None);
                add(&mut all, services, place, &read);
            }
        }
        for (field_name, directives) in fields(definition) {
            for directive in directives {
                if let Some(read) = names.read(join, directive) {
                    let place = (name.as_str(), Some(field_name.as_str()));
                    add(&mut all, services, place, &read);
                }
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

/// A directive as a subgraph had it.
struct Read {
    directive: Directive,
    written: Node<Found>,
    at: Option<SourceSpan>,
    /// The graphs that say it; `None` for all that have the place.
    graphs: Option<Vec<usize>>,
}

fn add(
    all: &mut [Statements],
    services: &[Service],
    (owner, field): (&str, Option<&str>),
    read: &Read,
) {
    for (graph, statements) in all.iter_mut().enumerate() {
        let has = || {
            let ty = services.get(graph).and_then(|it| it.types.get(owner));
            ty.is_some_and(|ty| field.is_none_or(|field| ty.fields.contains_key(field)))
        };
        let says = match &read.graphs {
            Some(graphs) => graphs.contains(&graph),
            None => has(),
        };
        if says {
            statements.said.push(Said {
                directive: read.directive,
                owner: owner.into(),
                field: field.map(Into::into),
                written: read.written.clone(),
                at: read.at,
            });
        }
    }
}

/// What the directives are called in this supergraph.
struct Names {
    /// Of Weir's own specification.
    own: Vec<(String, Directive)>,
}

impl Names {
    fn new(join: &Join<'_>) -> Self {
        let own = join.features.get("weir").into_iter();
        let own = own
            .flat_map(|feature| Directive::caching().map(|it| (feature.directive(it.name()), it)));
        Self { own: own.collect() }
    }

    fn read(&self, join: &Join<'_>, written: &Node<Found>) -> Option<Read> {
        let at = written.location();
        if join.on([written], join::Directive::Kept).next().is_some() {
            let kept = unwrapped(written)?;
            let name = kept.name.strip_prefix("federation__");
            return Some(Read {
                directive: known(name.unwrap_or(&kept.name))?,
                written: kept,
                at,
                graphs: Some(join.listed(written)),
            });
        }
        let mut own = self.own.iter();
        if let Some((_, directive)) = own.find(|(name, _)| *name == written.name.as_str()) {
            return Some(Read {
                directive: *directive,
                written: written.clone(),
                at,
                graphs: Some(join.find(written).into_iter().collect()),
            });
        }
        Some(Read {
            directive: known(&written.name).filter(|it| it.is_foreign())?,
            written: written.clone(),
            at,
            graphs: None,
        })
    }
}

fn known(name: &str) -> Option<Directive> {
    Directive::caching().find(|it| it.name() == name)
}
