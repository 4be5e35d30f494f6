//! What of a plan may be kept: under which keys and tags, for how long, and for whom.
//!
//! Compiled once for an operation (`compile`), used at each execution to say what is looked for.
//! Pure: the cache itself is asked by `execute`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use schema::caching::TagFormat;
use schema::json::{Json, Kind, Node};
use schema::key::FieldSet;
use schema::types::Name;

use self::effects::Effect;
use self::fruitless::Fruitless;
use self::wider::Place;
use crate::account::{Found, Lookup, Why};
use crate::cache::{
    Credentials, KeyBase, KeyParts, Keys, Moment, Policy, Reuse, Show, Tag, Tags, TypeStats,
    Wanted, canonical, entity_key,
};
use crate::extract::Extract;

pub(crate) mod compile;
pub(crate) mod effects;
mod fruitless;
mod inside;
pub(crate) mod wider;

/// What may be kept of each fetch of a plan.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// By fetch; `None`: nothing.
    pub(crate) fetches: Vec<Option<KeptFetch>>,
    /// What a mutation makes invalid.
    pub(crate) effects: Vec<Effect>,
}

/// What may be kept of one fetch.
#[derive(Debug)]
pub(crate) struct KeptFetch {
    /// By kind of object that the fetch asks for; for connectors one.
    pub(crate) kinds: Vec<Keep>,
    /// What is read of a kept value, where a connector gave it: its members have the names of the
    /// graph's fields.
    pub(crate) read: Option<Extract>,
    /// Whether the batch that may stand in for a root field gives all that is kept of it.
    pub(crate) by_batch: bool,
}

/// What makes a value of one kind known, and how it is kept.
#[derive(Debug)]
pub(crate) struct Keep {
    pub(crate) policy: Policy,
    /// Who is asked: a subgraph, or a connector.
    source: Name,
    type_name: Name,
    /// What is asked, or how the answer is made.
    selection: Box<str>,
    headers: Headers,
    tagging: Arc<Tagging>,
    /// What the arguments of a root field are.
    pub(crate) arguments: Arguments,
    /// Where selections that are wider are known.
    place: Option<Place>,
    fruitless: Fruitless,
    /// What counts for its type.
    pub(crate) stats: Arc<TypeStats>,
}

/// Headers of the client that an answer depends on.
#[derive(Debug, Default)]
struct Headers {
    /// Those in the key.
    keyed: Vec<HeaderName>,
    /// Those sent on that say who asks.
    credentials: Vec<HeaderName>,
    /// Those that the operator says the caller is known by.
    caller: Vec<HeaderName>,
}

/// What arguments are to the key of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// Arguments.
    Plain,
    /// The key of the entity that the field gives.
    Entity,
}

/// What a value is invalidated by.
#[derive(Debug, Default)]
struct Tagging {
    /// The same for all values, each with what it says.
    always: Vec<(Tag, String)>,
    /// Of which type it is one entity, and the fields of its key.
    entity: Option<(Name, FieldSet)>,
    formats: Vec<TagFormat>,
}

/// A lookup of one operation.
#[derive(Debug)]
pub(crate) struct Asker<'k> {
    pub(crate) keep: &'k Keep,
    base: KeyBase,
    /// The same for wider selections.
    wider: Vec<KeyBase>,
    /// With the credentials of a client of which nobody knows who it is.
    nameless: Option<KeyBase>,
    arguments: Option<Arc<str>>,
}

impl Keep {
    /// Looks for values on behalf of a client with these headers; `arguments` is a JSON object.
    pub(crate) fn asker(&self, client: &HeaderMap, arguments: Option<&str>) -> Option<Asker<'_>> {
        let arguments = match arguments {
            Some(arguments) => Some(canonical(arguments)?),
            None => None,
        };
        let keyed = self.headers.keyed(client);
        let caller = self.headers.caller(client);
        let plain = self.arguments == Arguments::Plain;
        let parts = KeyParts {
            arguments: arguments.as_deref().filter(|_| plain),
            caller: caller.as_deref(),
            ..self.parts(&keyed)
        };
        let nameless = match &caller {
            None => self.headers.credentials(client),
            Some(_) => None,
        };
        let nameless = nameless.and_then(|credentials| {
            KeyBase::of(&KeyParts {
                caller: Some(&credentials),
                ..parts
            })
        });
        Some(Asker {
            keep: self,
            base: KeyBase::of(&parts)?,
            wider: self.wider(&parts),
            nameless,
            arguments: arguments.map(Into::into),
        })
    }

    fn wider(&self, parts: &KeyParts<'_>) -> Vec<KeyBase> {
        let wider = self.place.iter().flat_map(Place::wider);
        let bases = wider.filter_map(|leaves| {
            KeyBase::of(&KeyParts {
                selection: &leaves.text,
                ..*parts
            })
        });
        bases.collect()
    }

    /// Whether it is not worth looking: what came lately could not be kept.
    pub(crate) fn is_fruitless(&self, now: Moment) -> bool {
        self.fruitless.is_pause(now)
    }

    /// Notes for how long something that came may be used again.
    pub(crate) fn came(&self, reuse: Reuse, now: Moment) {
        self.fruitless.came(reuse != Reuse::Never, now);
    }

    /// Whether the client sends credentials that are sent on.
    pub(crate) fn credentials(&self, client: &HeaderMap) -> Credentials {
        let mut names = self.headers.credentials.iter();
        if names.any(|name| client.contains_key(name)) {
            Credentials::Sent
        } else {
            Credentials::None
        }
    }

    /// The headers that are sent on and say who asks.
    pub(crate) fn says_who(&self) -> &[HeaderName] {
        &self.headers.credentials
    }

    fn parts<'p>(&'p self, headers: &'p [(&'p str, &'p [u8])]) -> KeyParts<'p> {
        KeyParts {
            source: &self.source,
            type_name: &self.type_name,
            selection: &self.selection,
            headers,
            ..KeyParts::default()
        }
    }
}

impl Headers {
    fn keyed<'h>(&'h self, client: &'h HeaderMap) -> Vec<(&'h str, &'h [u8])> {
        let names = self.keyed.iter();
        let values = names.flat_map(|name| {
            let values = client.get_all(name).iter();
            values.map(|value| (name.as_str(), value.as_bytes()))
        });
        values.collect()
    }

    /// What the caller is known by; `None` when nothing says who it is.
    fn caller(&self, client: &HeaderMap) -> Option<String> {
        let is_told = !self.caller.is_empty();
        values(
            if is_told {
                &self.caller
            } else {
                &self.credentials
            },
            client,
        )
    }

    /// The credentials that are sent on.
    fn credentials(&self, client: &HeaderMap) -> Option<String> {
        values(&self.credentials, client)
    }
}

/// The values of some headers, told apart; `None` when there are none.
fn values(names: &[HeaderName], client: &HeaderMap) -> Option<String> {
    let mut text = String::new();
    for name in names {
        for value in client.get_all(name) {
            // A name has no colon in it, what is escaped no line end.
            let _ = writeln!(text, "{name}:{}", value.as_bytes().escape_ascii());
        }
    }
    (!text.is_empty()).then_some(text)
}

impl Asker<'_> {
    /// One value: of the entity with this key, which is canonical JSON, or of a root field.
    pub(crate) fn wanted(&self, entity: Option<String>) -> Wanted {
        let entity = match self.keep.arguments {
            Arguments::Plain => entity,
            Arguments::Entity => self.arguments.as_deref().map(str::to_owned),
        };
        let keys = self.base.keys(entity.as_deref());
        let nameless = self.nameless.as_ref();
        let wider = self.wider.iter().flat_map(|base| {
            let Keys { shared, private } = base.keys(entity.as_deref());
            [Some(shared), private].into_iter().flatten()
        });
        let tagging = Arc::clone(&self.keep.tagging);
        let arguments = self.arguments.clone();
        Wanted {
            key: keys.shared,
            private: keys.private,
            flight: nameless.and_then(|base| base.keys(entity.as_deref()).private),
            also: wider.collect(),
            tags: Tags::Later(Arc::new(move || {
                tagging.tags(entity.as_deref(), arguments.as_deref())
            })),
        }
    }

    /// What is told of a lookup before anything is found.
    pub(crate) fn told(&self, client: &HeaderMap, wanted: &Wanted, entity: Option<&str>) -> Lookup {
        let keep = self.keep;
        let keyed = keep.headers.keyed(client);
        let caller = keep.headers.caller(client);
        let (arguments, entity) = match keep.arguments {
            Arguments::Plain => (self.arguments.as_deref(), entity),
            Arguments::Entity => (None, self.arguments.as_deref()),
        };
        let parts = KeyParts {
            arguments,
            entity,
            caller: caller.as_deref(),
            ..keep.parts(&keyed)
        };
        Lookup {
            key: parts.text(Show::NoSecrets).unwrap_or_default(),
            id: wanted.private.unwrap_or(wanted.key).to_string(),
            tags: keep.tagging.words(entity, self.arguments.as_deref()),
            found: Found::Missing,
            why: Some(Why::Unknown),
            age: None,
            reuse: None,
        }
    }
}

impl Tagging {
    fn tags(&self, entity: Option<&str>, arguments: Option<&str>) -> Vec<Tag> {
        let mut tags: Vec<Tag> = self.always.iter().map(|(tag, _)| *tag).collect();
        let entity = entity.and_then(parsed);
        if let (Some((name, fields)), Some(entity)) = (&self.entity, &entity) {
            tags.extend(entity_tag(name, fields, entity));
        }
        if !self.formats.is_empty() {
            let arguments = arguments.and_then(parsed);
            let formats = self.formats.iter();
            let names =
                formats.filter_map(|format| named(format, arguments.as_ref(), entity.as_ref()));
            tags.extend(names.map(|name| Tag::named(&name)));
        }
        tags
    }

    /// The same for people.
    fn words(&self, entity: Option<&str>, arguments: Option<&str>) -> Vec<String> {
        let mut words: Vec<String> = self.always.iter().map(|(_, word)| word.clone()).collect();
        let (entity, arguments) = (entity.and_then(parsed), arguments.and_then(parsed));
        if let (Some((name, fields)), Some(entity)) = (&self.entity, &entity) {
            let key = entity_fields(fields, entity);
            words.extend(key.map(|key| format!("entity {name} {key}")));
        }
        let formats = self.formats.iter();
        let names = formats.filter_map(|format| named(format, arguments.as_ref(), entity.as_ref()));
        for name in names.map(|name| format!("tag {name}")) {
            if !words.contains(&name) {
                words.push(name);
            }
        }
        words
    }
}

fn parsed(text: &str) -> Option<Json> {
    Json::parse(bytes::Bytes::copy_from_slice(text.as_bytes())).ok()
}

/// The tag of an entity: of the fields of its key only, whatever else its source was told.
fn entity_tag(name: &str, fields: &FieldSet, entity: &Json) -> Option<Tag> {
    Some(Tag::entity(name, &entity_fields(fields, entity)?))
}

fn entity_fields(fields: &FieldSet, entity: &Json) -> Option<String> {
    let mut key = String::new();
    write_key(entity.root(), fields, &mut key)?;
    entity_key(&key)
}

fn write_key(object: Node<'_>, FieldSet(fields): &FieldSet, key: &mut String) -> Option<()> {
    key.push('{');
    for (index, (name, inner)) in fields.iter().enumerate() {
        let value = object.get(name)?;
        let _ = write!(key, "{}\"{name}\":", if index > 0 { "," } else { "" });
        if inner.is_empty() {
            key.push_str(value.raw());
        } else {
            write_key(value, inner, key)?;
        }
    }
    key.push('}');
    Some(())
}

/// The text of a tag; `None` when a value in it is not there.
fn named(format: &TagFormat, arguments: Option<&Json>, key: Option<&Json>) -> Option<String> {
    format.render(|path| value(arguments?, path), |path| value(key?, path))
}

fn value<'j>(json: &'j Json, path: &[Name]) -> Option<Cow<'j, str>> {
    let mut node = json.root();
    for name in path {
        node = node.get(name)?;
    }
    match node.kind() {
        Kind::String(value) => Some(value.decode()),
        Kind::Number(_) | Kind::Bool(_) => Some(node.raw().into()),
        Kind::Null | Kind::List(_) | Kind::Object(_) => None,
    }
}
