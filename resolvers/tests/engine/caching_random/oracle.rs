//! What the rules of a graph say about each value of a response.

use std::time::Duration;

use resolvers::cache::{EntityKey, Moment, Target};
use serde_json::{Value, json};

use super::graph::{RandomGraph, Rules};
use super::query::{Field, RandomQuery};
use super::service::Stamp;
use super::{DEFAULT_TTL, Invalidated, Tally};

/// A response that is checked.
pub(crate) struct Reading<'r> {
    pub(crate) graph: &'r RandomGraph,
    pub(crate) query: &'r RandomQuery,
    pub(crate) caller: &'static str,
    pub(crate) now: Moment,
    pub(crate) invalidated: &'r [Invalidated],
    /// The keys of things that the response has.
    pub(crate) ids: Vec<String>,
    pub(crate) tally: &'r mut Tally,
    pub(crate) errors: Vec<String>,
}

/// Where a value comes from: the fetch, and the rules of the fields on the way.
#[derive(Clone)]
struct Part<'r> {
    subgraph: &'static str,
    rules: Rules,
    /// The types of the objects on the way.
    types: Vec<&'static str>,
    root: Option<&'r Field>,
    /// The key of the entity that the value belongs to, and its type.
    entity: Option<(&'static str, String)>,
    path: String,
}

impl<'r> Reading<'r> {
    pub(crate) fn check(&mut self, data: &Value) {
        let query = self.query;
        for field in &query.fields {
            let (ty, subgraph) = match field.name {
                "posts" => ("Post", "rest"),
                "user" | "someone" => ("User", "people"),
                _ => ("Thing", "people"),
            };
            let returned = self.graph.at(subgraph, ty);
            let rules = self.graph.at(subgraph, &format!("Query.{}", field.name));
            let part = Part {
                subgraph,
                rules: rules.or(&returned),
                types: vec!["Query", ty],
                root: Some(field),
                entity: None,
                path: field.key.clone(),
            };
            self.objects(field, ty, &data[&field.key], &part);
        }
    }

    fn objects(&mut self, field: &'r Field, ty: &'static str, value: &Value, part: &Part<'r>) {
        let one = std::slice::from_ref(value);
        let objects = value.as_array().map_or(one, Vec::as_slice);
        let is_single = field.name == "best";
        for object in objects {
            let mut part = part.clone();
            if let (Some(id), false) = (thing_id(object), is_single) {
                part.entity = Some((ty, id));
            }
            for inner in &field.fields {
                self.member(inner, ty, &object[&inner.key], &part);
            }
        }
    }

    fn member(&mut self, field: &'r Field, ty: &'static str, value: &Value, part: &Part<'r>) {
        let path = format!("{}.{}", part.path, field.name);
        let rules = self
            .graph
            .at(part.subgraph, &format!("{ty}.{}", field.name));
        match field.name {
            "__typename" => {}
            "favourites" | "best" => {
                let thing = self.graph.at(part.subgraph, "Thing");
                let mut part = part.clone();
                part.rules = part.rules.and(&rules.or(&thing));
                part.types.push("Thing");
                part.path = path;
                self.objects(field, "Thing", value, &part);
            }
            "stock" | "price" => {
                let text = value.as_str().unwrap_or_default();
                let (id, stamp) = text.split_once(';').unwrap_or_default();
                let subgraph = if field.name == "stock" {
                    "stock"
                } else {
                    "rest"
                };
                let own = self.graph.at(subgraph, &format!("Thing.{}", field.name));
                let entity = Part {
                    subgraph,
                    rules: own.and(&self.graph.at(subgraph, "Thing")),
                    types: vec!["Thing"],
                    root: None,
                    entity: Some(("Thing", id.to_owned())),
                    path: path.clone(),
                };
                self.value(stamp, &entity);
                // The key says where the list comes from.
                self.value(
                    id,
                    &Part {
                        path: format!("{path} of"),
                        ..part.clone()
                    },
                );
            }
            "id" if ty == "User" => {}
            _ => {
                let text = value.as_str().unwrap_or_default();
                if field.name == "id" && ty == "Thing" {
                    self.ids.push(text.to_owned());
                }
                let mut part = part.clone();
                part.rules = part.rules.and(&rules);
                part.path = path;
                self.value(text, &part);
            }
        }
    }

    fn value(&mut self, text: &str, part: &Part<'_>) {
        if text.is_empty() {
            self.errors.push(format!("{} is missing", part.path));
            return;
        }
        let stamp = Stamp::parse(text);
        self.tally.values += 1;
        let is_private = part.rules.is_private == Some(true);
        if stamp.at < self.now {
            self.tally.hits += 1;
            self.tally.private_hits += usize::from(is_private);
        }
        if is_private && stamp.caller != self.caller {
            self.errors
                .push(format!("{} is private: {text}", part.path));
        }
        let ttl = Duration::from_secs(part.rules.max_age.unwrap_or(DEFAULT_TTL));
        let age = self.now.since(stamp.at);
        if age > ttl || age == ttl && stamp.at < self.now {
            self.errors
                .push(format!("{} is {age:?} old: {text}", part.path));
        }
        for invalidated in self.invalidated {
            if stamp.at <= invalidated.at && self.is_covered(part, &invalidated.target) {
                let target = &invalidated.target;
                self.errors.push(format!(
                    "{} was invalidated by {target:?}: {text}",
                    part.path
                ));
            }
        }
    }

    fn is_covered(&self, part: &Part<'_>, target: &Target) -> bool {
        let key = |id: &str| EntityKey::from_json(&json!({ "id": id }).to_string()).unwrap();
        match target {
            Target::Everything => true,
            Target::Subgraph(name) => name == part.subgraph,
            Target::Type(name) => part.types.contains(&&**name),
            Target::Entity { type_name, key: of } => part
                .entity
                .as_ref()
                .is_some_and(|(ty, id)| ty == type_name && key(id) == *of),
            Target::Named(name) => match (part.root, &part.entity) {
                (Some(root), _) => {
                    let place = format!("Query.{}", root.name);
                    let kind = self.query.kind(root);
                    self.graph.has_tag((part.subgraph, &place), kind, name)
                }
                (None, Some((ty, id))) => self.graph.has_tag((part.subgraph, ty), id, name),
                (None, None) => false,
            },
        }
    }
}

/// The key of a thing, wherever the selection has it.
fn thing_id(object: &Value) -> Option<String> {
    let of = |name: &str| {
        object[name]
            .as_str()?
            .split_once(';')
            .map(|it| it.0.to_owned())
    };
    let id = object["id"].as_str().map(str::to_owned);
    id.or_else(|| of("stock")).or_else(|| of("price"))
}
