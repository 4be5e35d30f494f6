//! `@override` with a label: it is decided for each request which of two services gives a field.
//!
//! With each set of labels the services give something else, so their views are made anew for it.
//! While its label is off, a field is where it was; while it is on, where it is taken to.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Given, Service, Side, views};
use crate::diagnostic::Problems;
use crate::label::{Labels, Views};
use crate::source::Source;
use crate::types::{Name, Types};

/// Services some of whose fields depend on labels.
#[derive(Debug)]
struct Progressive {
    services: Vec<Service>,
    /// The sources before those of services; they depend on nothing.
    connected: Vec<Source>,
    labels: Vec<Name>,
}

/// The sources of a graph while no label is on, and its labels where there are any. What cannot be
/// read is reported and left out.
pub(in crate::link) fn sources(
    services: Vec<Service>,
    connected: Vec<Source>,
    types: &Types,
    problems: &mut Problems,
) -> (Vec<Source>, Option<Labels>) {
    let (names, fields) = labels(&services);
    let named = named(&services);
    let everywhere = fields.iter().enumerate();
    let everywhere =
        everywhere.filter(|(_, fields)| fields.iter().any(|field| named.contains(&**field)));
    let everywhere = everywhere.map(|(label, _)| label).collect();
    let progressive = Progressive {
        services,
        connected,
        labels: names.clone(),
    };
    let sources = progressive.views(types, &|_| false, problems);
    let labels = Labels {
        names,
        fields,
        everywhere,
        views: Box::new(progressive),
    };
    (sources, Some(labels).filter(|it| !it.names.is_empty()))
}

impl Views for Progressive {
    fn sources(&self, types: &Types, is_on: &dyn Fn(usize) -> bool) -> Vec<Source> {
        // What is wrong was reported when the graph was made.
        self.views(types, is_on, &mut Problems::default())
    }
}

impl Progressive {
    fn views(
        &self,
        types: &Types,
        is_on: &dyn Fn(usize) -> bool,
        problems: &mut Problems,
    ) -> Vec<Source> {
        let is_on = |label: &Name| self.labels.binary_search(label).is_ok_and(is_on);
        let services = self.services.iter();
        let services: Vec<Service> = services.map(|service| decided(service, &is_on)).collect();
        let mut sources = self.connected.clone();
        sources.extend(views(&services, types, problems));
        sources
    }
}

/// All labels, in order, with the names of the fields that depend on them.
fn labels(services: &[Service]) -> (Vec<Name>, Vec<BTreeSet<Name>>) {
    let mut found: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    let types = services.iter().flat_map(|service| service.types.values());
    for (name, field) in types.flat_map(|ty| &ty.fields) {
        if let Some((label, _)) = &field.progress {
            let fields = found.entry(Name::clone(label)).or_default();
            fields.insert(Name::clone(name));
        }
    }
    found.into_iter().unzip()
}

/// What a service gives where some labels are on.
fn decided(service: &Service, is_on: &dyn Fn(&Name) -> bool) -> Service {
    let mut service = service.clone();
    let types = service.types.values_mut();
    for field in types.flat_map(|ty| ty.fields.values_mut()) {
        let Some((label, side)) = &field.progress else {
            continue;
        };
        let gives = match side {
            Side::Takes => is_on(label),
            Side::Loses => !is_on(label),
        };
        if !gives {
            field.given = Given::Overridden;
        }
    }
    service
}

/// Every name in a set of fields of any service.
fn named(services: &[Service]) -> HashSet<String> {
    let mut texts: Vec<&str> = Vec::new();
    for ty in services.iter().flat_map(|service| service.types.values()) {
        texts.extend(ty.keys.iter().map(|key| key.fields.text.as_str()));
        for field in ty.fields.values() {
            let sets = [&field.requires, &field.provides];
            texts.extend(sets.into_iter().flatten().map(|set| set.text.as_str()));
            let contexts = field.contexts.iter();
            texts.extend(contexts.map(|context| context.selection.text.as_str()));
        }
    }
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = texts
        .into_iter()
        .flat_map(|text| text.split(move |char| !is_name(char)));
    words.map(str::to_owned).collect()
}
