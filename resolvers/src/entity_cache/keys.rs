//! Cache keys of one execution: everything of a key that is equal for the entities of a fetch is
//! hashed once, the entity's own key for each.

use std::fmt::Write as _;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use schema::operation::Variables;

use super::rules::{ArgumentRole, CacheRule, ClientHeaders};
use super::superset::IndexedSelection;
use crate::cache::{
    KeyFormat, KeyParts, KeyPrefix, LookupRequest, MissReason, ScopedKeys, Tags, canonical_json,
};
use crate::entity_key::canonical_arguments;
use crate::trace::{CacheStatus, Lookup};

/// Builds the lookup requests of one rule for one client.
#[derive(Debug)]
pub(crate) struct KeyBuilder<'k> {
    rule: &'k CacheRule,
    prefix: KeyPrefix,
    /// Prefixes for selections that contain the rule's own.
    supersets: Vec<KeyPrefix>,
    /// The prefix with the credentials of a caller that no configured header identifies: its
    /// private values are not cached, but equal requests in flight may share them.
    unidentified: Option<KeyPrefix>,
    arguments: Option<Arc<str>>,
    /// The arguments of root fields, on which tags depend.
    field_arguments: Arc<[Option<String>]>,
}

impl CacheRule {
    /// A builder for a client with these headers; `arguments` is a JSON object. `None` when it is
    /// not JSON.
    pub(super) fn key_builder(
        &self,
        client: &HeaderMap,
        variables: &Variables,
        arguments: Option<&str>,
    ) -> Option<KeyBuilder<'_>> {
        let arguments = match arguments {
            Some(arguments) => Some(self.canonical_arguments(arguments)?),
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
        let credentials = match &caller {
            None => self.headers.credential_values(client),
            Some(_) => None,
        };
        let unidentified = credentials.and_then(|credentials| {
            KeyPrefix::from_parts(&KeyParts {
                caller: Some(&credentials),
                ..parts
            })
        });
        Some(KeyBuilder {
            rule: self,
            prefix: KeyPrefix::from_parts(&parts)?,
            supersets: self.superset_prefixes(&parts),
            unidentified,
            arguments: arguments.map(Into::into),
            field_arguments: self.tag_rules.field_arguments(variables),
        })
    }

    fn canonical_arguments(&self, arguments: &str) -> Option<String> {
        let key = match self.argument_role {
            ArgumentRole::EntityKey => canonical_arguments(arguments, &self.key_fields),
            ArgumentRole::Plain => None,
        };
        key.or_else(|| canonical_json(arguments))
    }

    fn superset_prefixes(&self, parts: &KeyParts<'_>) -> Vec<KeyPrefix> {
        let selection = self.indexed_selection.iter();
        let supersets = selection.flat_map(IndexedSelection::supersets);
        let prefixes = supersets.filter_map(|leaves| {
            KeyPrefix::from_parts(&KeyParts {
                selection: &leaves.text,
                ..*parts
            })
        });
        prefixes.collect()
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
    pub(super) fn keyed_values<'h>(&'h self, client: &'h HeaderMap) -> Vec<(&'h str, &'h [u8])> {
        let names = self.keyed.iter();
        let values = names.flat_map(|name| {
            let values = client.get_all(name).iter();
            values.map(|value| (name.as_str(), value.as_bytes()))
        });
        values.collect()
    }

    /// What identifies the caller: the configured headers, else the credentials. Clients without
    /// any of these are one caller, the anonymous one. `None` when nothing identifies callers, or
    /// the client sent credentials without the configured headers.
    pub(super) fn caller_identity(&self, client: &HeaderMap) -> Option<String> {
        let credentials = self.credential_values(client);
        let (identity, is_anonymous) = if self.caller.is_empty() {
            (credentials, true)
        } else {
            (header_values(&self.caller, client), credentials.is_none())
        };
        let is_forwarded = !self.credentials.is_empty();
        identity.or_else(|| (is_forwarded && is_anonymous).then(String::new))
    }

    pub(super) fn credential_values(&self, client: &HeaderMap) -> Option<String> {
        header_values(&self.credentials, client)
    }
}

/// The values of these headers, in a form in which no two lists of values are equal; `None` when
/// the client sent none.
fn header_values(names: &[HeaderName], client: &HeaderMap) -> Option<String> {
    let mut text = String::new();
    for name in names {
        for value in client.get_all(name) {
            // A header name has no colon, an escaped value no line end.
            let _ = writeln!(text, "{name}:{}", value.as_bytes().escape_ascii());
        }
    }
    (!text.is_empty()).then_some(text)
}

impl KeyBuilder<'_> {
    /// The request for one value: of the entity with this key, which is canonical JSON, or of a
    /// root field.
    pub(super) fn lookup_request(&self, entity: Option<String>) -> LookupRequest {
        let entity = match self.rule.argument_role {
            ArgumentRole::Plain => entity,
            ArgumentRole::EntityKey => self.arguments.as_deref().map(str::to_owned),
        };
        let keys = self.prefix.keys(entity.as_deref());
        let unidentified = self.unidentified.as_ref();
        let superset_keys = self.supersets.iter().flat_map(|prefix| {
            let ScopedKeys { shared, private } = prefix.keys(entity.as_deref());
            [Some(shared), private].into_iter().flatten()
        });
        let tag_rules = Arc::clone(&self.rule.tag_rules);
        let fields = Arc::clone(&self.field_arguments);
        LookupRequest {
            key: keys.shared,
            private_key: keys.private,
            flight_key: unidentified.and_then(|prefix| prefix.keys(entity.as_deref()).private),
            superset_keys: superset_keys.collect(),
            tags: Tags::Lazy(Arc::new(move || tag_rules.tags(entity.as_deref(), &fields))),
        }
    }

    /// The trace of a lookup before its outcome is known.
    pub(super) fn lookup_trace(
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
            tags: rule.tag_rules.descriptions(entity, &self.field_arguments),
            status: CacheStatus::Miss,
            miss_reason: Some(MissReason::Unknown),
            age: None,
            reuse: None,
        }
    }
}
