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

use self::backoff::UncacheableBackoff;
use self::mutation::InvalidationRule;
use self::superset::IndexedSelection;
use crate::cache::{
    Credentials, KeyFormat, KeyParts, KeyPrefix, LifetimePolicy, LookupRequest, MissReason, Moment,
    Reuse, ScopedKeys, Tag, Tags, TypeStats, canonical_json, entity_key,
};
use crate::plan::ByFetch;
use crate::response::mapping::ValueMapping;
use crate::trace::{CacheStatus, Lookup};

mod backoff;
pub(crate) mod compile;
mod contents;
pub(crate) mod mutation;
pub(crate) mod superset;

/// What may be kept of each fetch of a plan.
#[derive(Debug, Default)]
pub(crate) struct CachePlan {
    /// By fetch; `None`: nothing.
    pub(crate) fetches: ByFetch<Option<FetchCachePlan>>,
    /// What a mutation makes invalid.
    pub(crate) invalidation_rules: Vec<InvalidationRule>,
}

/// What may be kept of one fetch.
#[derive(Debug)]
pub(crate) struct FetchCachePlan {
    /// By kind of object that the fetch asks for; for connectors one.
    pub(crate) rules: Vec<CacheRule>,
    /// What is read of a kept value, where a connector gave it: its members have the names of the
    /// graph's fields.
    pub(crate) extract: Option<ValueMapping>,
    /// Whether the batch that may stand in for a root field gives all that is kept of it.
    pub(crate) is_covered_by_batch: bool,
}

/// What makes a value of one kind known, and how it is kept.
#[derive(Debug)]
pub(crate) struct CacheRule {
    pub(crate) policy: LifetimePolicy,
    /// Who is asked: a subgraph, or a connector.
    source: Name,
    type_name: Name,
    /// What is asked, or how the answer is made.
    selection: Box<str>,
    headers: ClientHeaders,
    tag_rules: Arc<TagRules>,
    /// What the arguments of a root field are.
    pub(crate) argument_role: ArgumentRole,
    /// Where selections that are wider are known.
    indexed_selection: Option<IndexedSelection>,
    backoff: UncacheableBackoff,
    /// What counts for its type.
    pub(crate) stats: Arc<TypeStats>,
}

/// Headers of the client that an answer depends on.
#[derive(Debug, Default)]
struct ClientHeaders {
    /// Those in the key.
    keyed: Vec<HeaderName>,
    /// Those sent on that say who asks.
    credentials: Vec<HeaderName>,
    /// Those that the operator says the caller is known by.
    caller: Vec<HeaderName>,
}

/// What arguments are to the key of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArgumentRole {
    /// Arguments.
    Plain,
    /// The key of the entity that the field gives.
    EntityKey,
}

/// What a value is invalidated by.
#[derive(Debug, Default)]
struct TagRules {
    /// The same for all values, each with what it says.
    constant_tags: Vec<(Tag, String)>,
    /// Of which type it is one entity, and the fields of its key.
    entity: Option<(Name, FieldSet)>,
    formats: Vec<TagFormat>,
}

/// A lookup of one operation.
#[derive(Debug)]
pub(crate) struct KeyBuilder<'k> {
    pub(crate) rule: &'k CacheRule,
    base: KeyPrefix,
    /// The same for wider selections.
    supersets: Vec<KeyPrefix>,
    /// With the credentials of a client of which nobody knows who it is.
    unidentified: Option<KeyPrefix>,
    arguments: Option<Arc<str>>,
}

impl CacheRule {
    /// Looks for values on behalf of a client with these headers; `arguments` is a JSON object.
    pub(crate) fn key_builder(
        &self,
        client: &HeaderMap,
        arguments: Option<&str>,
    ) -> Option<KeyBuilder<'_>> {
        let arguments = match arguments {
            Some(arguments) => Some(canonical_json(arguments)?),
            None => None,
        };
        let keyed = self.headers.keyed_values(client);
        let caller = self.headers.caller_identity(client);
        let is_plain = self.argument_role == ArgumentRole::Plain;
        let parts = KeyParts {
            arguments: arguments.as_deref().filter(|_| is_plain),
            caller: caller.as_deref(),
            ..self.key_parts(&keyed)
        };
        let unidentified = match &caller {
            None => self.headers.credential_values(client),
            Some(_) => None,
        };
        let unidentified = unidentified.and_then(|credentials| {
            KeyPrefix::from_parts(&KeyParts {
                caller: Some(&credentials),
                ..parts
            })
        });
        Some(KeyBuilder {
            rule: self,
            base: KeyPrefix::from_parts(&parts)?,
            supersets: self.superset_bases(&parts),
            unidentified,
            arguments: arguments.map(Into::into),
        })
    }

    fn superset_bases(&self, parts: &KeyParts<'_>) -> Vec<KeyPrefix> {
        let supersets = self
            .indexed_selection
            .iter()
            .flat_map(IndexedSelection::supersets);
        let bases = supersets.filter_map(|leaves| {
            KeyPrefix::from_parts(&KeyParts {
                selection: &leaves.text,
                ..*parts
            })
        });
        bases.collect()
    }

    /// Whether it is not worth looking: what came lately could not be kept.
    pub(crate) fn is_in_backoff(&self, now: Moment) -> bool {
        self.backoff.is_active(now)
    }

    /// Notes for how long something that came may be used again.
    pub(crate) fn record_reuse(&self, reuse: Reuse, now: Moment) {
        self.backoff.record(reuse != Reuse::Never, now);
    }

    /// Whether the client sends credentials that are sent on.
    pub(crate) fn sent_credentials(&self, client: &HeaderMap) -> Credentials {
        let mut names = self.headers.credentials.iter();
        if names.any(|name| client.contains_key(name)) {
            Credentials::Sent
        } else {
            Credentials::None
        }
    }

    /// The headers that are sent on and say who asks.
    pub(crate) fn credential_headers(&self) -> &[HeaderName] {
        &self.headers.credentials
    }

    fn key_parts<'p>(&'p self, headers: &'p [(&'p str, &'p [u8])]) -> KeyParts<'p> {
        KeyParts {
            source: &self.source,
            type_name: &self.type_name,
            selection: &self.selection,
            headers,
            ..KeyParts::default()
        }
    }
}

impl ClientHeaders {
    fn keyed_values<'h>(&'h self, client: &'h HeaderMap) -> Vec<(&'h str, &'h [u8])> {
        let names = self.keyed.iter();
        let values = names.flat_map(|name| {
            let values = client.get_all(name).iter();
            values.map(|value| (name.as_str(), value.as_bytes()))
        });
        values.collect()
    }

    /// What the caller is known by; `None` when nothing says who it is.
    fn caller_identity(&self, client: &HeaderMap) -> Option<String> {
        let is_configured = !self.caller.is_empty();
        header_values(
            if is_configured {
                &self.caller
            } else {
                &self.credentials
            },
            client,
        )
    }

    /// The credentials that are sent on.
    fn credential_values(&self, client: &HeaderMap) -> Option<String> {
        header_values(&self.credentials, client)
    }
}

/// The values of some headers, told apart; `None` when there are none.
fn header_values(names: &[HeaderName], client: &HeaderMap) -> Option<String> {
    let mut text = String::new();
    for name in names {
        for value in client.get_all(name) {
            // A name has no colon in it, what is escaped no line end.
            let _ = writeln!(text, "{name}:{}", value.as_bytes().escape_ascii());
        }
    }
    (!text.is_empty()).then_some(text)
}

impl KeyBuilder<'_> {
    /// One value: of the entity with this key, which is canonical JSON, or of a root field.
    pub(crate) fn lookup_request(&self, entity: Option<String>) -> LookupRequest {
        let entity = match self.rule.argument_role {
            ArgumentRole::Plain => entity,
            ArgumentRole::EntityKey => self.arguments.as_deref().map(str::to_owned),
        };
        let keys = self.base.keys(entity.as_deref());
        let unidentified = self.unidentified.as_ref();
        let supersets = self.supersets.iter().flat_map(|base| {
            let ScopedKeys { shared, private } = base.keys(entity.as_deref());
            [Some(shared), private].into_iter().flatten()
        });
        let tag_rules = Arc::clone(&self.rule.tag_rules);
        let arguments = self.arguments.clone();
        LookupRequest {
            key: keys.shared,
            private_key: keys.private,
            flight_key: unidentified.and_then(|base| base.keys(entity.as_deref()).private),
            superset_keys: supersets.collect(),
            tags: Tags::Lazy(Arc::new(move || {
                tag_rules.tags(entity.as_deref(), arguments.as_deref())
            })),
        }
    }

    /// What is told of a lookup before anything is found.
    pub(crate) fn lookup_trace(
        &self,
        client: &HeaderMap,
        request: &LookupRequest,
        entity: Option<&str>,
    ) -> Lookup {
        let rule = self.rule;
        let keyed = rule.headers.keyed_values(client);
        let caller = rule.headers.caller_identity(client);
        let (arguments, entity) = match rule.argument_role {
            ArgumentRole::Plain => (self.arguments.as_deref(), entity),
            ArgumentRole::EntityKey => (None, self.arguments.as_deref()),
        };
        let parts = KeyParts {
            arguments,
            entity,
            caller: caller.as_deref(),
            ..rule.key_parts(&keyed)
        };
        Lookup {
            key: parts.text(KeyFormat::Redacted).unwrap_or_default(),
            id: request.private_key.unwrap_or(request.key).to_string(),
            tags: rule
                .tag_rules
                .descriptions(entity, self.arguments.as_deref()),
            status: CacheStatus::Miss,
            miss_reason: Some(MissReason::Unknown),
            age: None,
            reuse: None,
        }
    }
}

impl TagRules {
    fn tags(&self, entity: Option<&str>, arguments: Option<&str>) -> Vec<Tag> {
        let mut tags: Vec<Tag> = self.constant_tags.iter().map(|(tag, _)| *tag).collect();
        let entity = entity.and_then(parsed_json);
        if let (Some((name, fields)), Some(entity)) = (&self.entity, &entity) {
            tags.extend(entity_tag(name, fields, entity));
        }
        if !self.formats.is_empty() {
            let arguments = arguments.and_then(parsed_json);
            let formats = self.formats.iter();
            let names = formats
                .filter_map(|format| rendered_tag(format, arguments.as_ref(), entity.as_ref()));
            tags.extend(names.map(|name| Tag::named(&name)));
        }
        tags
    }

    /// The same for people.
    fn descriptions(&self, entity: Option<&str>, arguments: Option<&str>) -> Vec<String> {
        let mut descriptions: Vec<String> = self
            .constant_tags
            .iter()
            .map(|(_, description)| description.clone())
            .collect();
        let (entity, arguments) = (
            entity.and_then(parsed_json),
            arguments.and_then(parsed_json),
        );
        if let (Some((name, fields)), Some(entity)) = (&self.entity, &entity) {
            let key = entity_fields(fields, entity);
            descriptions.extend(key.map(|key| format!("entity {name} {key}")));
        }
        let formats = self.formats.iter();
        let names =
            formats.filter_map(|format| rendered_tag(format, arguments.as_ref(), entity.as_ref()));
        for name in names.map(|name| format!("tag {name}")) {
            if !descriptions.contains(&name) {
                descriptions.push(name);
            }
        }
        descriptions
    }
}

fn parsed_json(text: &str) -> Option<Json> {
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
fn rendered_tag(
    format: &TagFormat,
    arguments: Option<&Json>,
    key: Option<&Json>,
) -> Option<String> {
    format.render(
        |path| value_at(arguments?, path),
        |path| value_at(key?, path),
    )
}

fn value_at<'j>(json: &'j Json, path: &[Name]) -> Option<Cow<'j, str>> {
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
