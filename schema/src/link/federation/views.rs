//! What each service gives, as the source of a graph: a node for each type, and more where a
//! place gives more than the type does elsewhere.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;

use super::parsed::{Parsed, ParsedType};
use super::provided::Extra;
use super::{Service, ServiceKind};
use crate::diagnostic::Problems;
use crate::key::FieldSet;
use crate::source::{Access, Entry, Graphql, Node, NodeField, NodeId, Objects, Serves, Source};
use crate::types::{Name, TypeId, Types};

/// The sources that `services` are; what cannot be read is reported and left out.
pub(in crate::link) fn views(
    services: &[Service],
    types: &Types,
    problems: &mut Problems,
) -> Vec<Source> {
    services
        .iter()
        .map(|service| {
            let parsed = Parsed::read(service, types, problems);
            source(&parsed, types)
        })
        .collect()
}

fn source(parsed: &Parsed<'_>, types: &Types) -> Source {
    let service = parsed.service;
    let mut view = View {
        parsed,
        nodes: Vec::new(),
        known: HashMap::new(),
        waiting: VecDeque::new(),
    };
    let mut entries = view.roots(types);
    for (name, ty) in &parsed.types {
        entries.extend(view.keyed(name, ty, types));
    }
    view.fill();
    Source {
        name: Arc::clone(&service.name),
        service: Arc::clone(&service.name),
        entries,
        nodes: view.nodes,
        access: Access::Graphql(Graphql {
            url: service.url.clone(),
        }),
    }
}

struct View<'a> {
    parsed: &'a Parsed<'a>,
    nodes: Vec<Node>,
    known: HashMap<Place<'a>, NodeId>,
    /// Nodes that are not filled.
    waiting: VecDeque<(Place<'a>, NodeId)>,
}

/// A type, by its name, and what is given there beyond what it gives everywhere.
///
/// What is given follows from the longest way, among those that sets of fields write, that leads
/// to the place: so there are not many more places than there are types and fields written.
type Place<'a> = (&'a str, Extra);

impl<'a> View<'a> {
    fn roots(&mut self, types: &Types) -> Vec<Entry> {
        let mut entries = Vec::new();
        for root in [types.query(), types.mutation()].into_iter().flatten() {
            let name = &types.get(root).name;
            let Some((name, ty)) = self.parsed.types.get_key_value(name.as_ref()) else {
                continue;
            };
            // The entries of a service are the same for all requests.
            let written = self.parsed.service.types.get(*name);
            let mut written = written.into_iter().flat_map(|it| it.fields.values());
            let depends = written.any(|field| field.progress.is_some());
            if depends || ty.fields.values().any(|field| field.is_given) {
                entries.push(self.entry(root, name, FieldSet::default()));
            }
        }
        entries
    }

    /// The ways to objects of type `ty` by their keys.
    fn keyed(&mut self, name: &'a str, ty: &ParsedType<'a>, types: &Types) -> Vec<Entry> {
        let mut on = vec![ty.id];
        if ty.kind == ServiceKind::InterfaceObject {
            on.extend(&types.get(ty.id).possible);
        }
        let mut entries = Vec::new();
        for key in &ty.keys {
            for on in &on {
                entries.push(self.entry(*on, name, key.clone()));
            }
        }
        entries
    }

    fn entry(&mut self, on: TypeId, name: &'a str, key: FieldSet) -> Entry {
        Entry {
            on,
            type_name: name.into(),
            key,
            node: self.node((name, Extra::default())),
            serves: Serves::Batch(None),
        }
    }

    /// The node for `place`, which may still wait to be filled.
    fn node(&mut self, place: Place<'a>) -> NodeId {
        if let Some(known) = self.known.get(&place) {
            return *known;
        }
        let id = NodeId(self.nodes.len());
        let ty = self.parsed.types.get(place.0);
        self.nodes.push(Node {
            on: ty.map_or(TypeId(0), |ty| ty.id),
            objects: Objects::One,
            fields: IndexMap::new(),
        });
        self.known.insert(place.clone(), id);
        self.waiting.push_back((place, id));
        id
    }

    fn fill(&mut self) {
        while let Some(((name, extra), id)) = self.waiting.pop_front() {
            let Some(ty) = self.parsed.types.get(name) else {
                continue;
            };
            self.nodes[id.0].fields = self.fields((name, &extra), ty);
            self.nodes[id.0].objects = self.objects(&extra, ty);
        }
    }

    fn fields(
        &mut self,
        (name, extra): (&'a str, &Extra),
        ty: &'a ParsedType<'a>,
    ) -> IndexMap<Name, NodeField> {
        let mut given = IndexMap::new();
        for (field_name, field) in &ty.fields {
            if !self.parsed.gives(name, extra, field_name) {
                continue;
            }
            let child = field.child.as_deref().map(|child| {
                let mut below = field.below.clone();
                if let Some(more) = extra.fields.get(*field_name) {
                    below.merge(more);
                }
                self.node((child, below.at(child, self.parsed)))
            });
            let (requires, contexts) = (field.requires.clone(), Arc::clone(&field.contexts));
            let ty = Arc::clone(&field.ty);
            let only_in_keys = field.only_in_keys;
            let field = NodeField {
                child,
                requires,
                contexts,
                only_in_keys,
                ty,
            };
            given.insert((*field_name).into(), field);
        }
        given
    }

    fn objects(&mut self, extra: &Extra, ty: &'a ParsedType<'a>) -> Objects {
        match ty.kind {
            ServiceKind::Object | ServiceKind::Leaf => Objects::One,
            ServiceKind::InterfaceObject => Objects::Untold,
            ServiceKind::Interface | ServiceKind::Union => {
                let mut nodes = IndexMap::new();
                for member in &ty.members {
                    let Some(known) = self.parsed.types.get(member) else {
                        continue;
                    };
                    let more = extra
                        .on
                        .get(*member)
                        .map(|it| Extra::clone(it))
                        .unwrap_or_default();
                    nodes.insert(known.id, self.node((member, more)));
                }
                Objects::Several(nodes)
            }
        }
    }
}
