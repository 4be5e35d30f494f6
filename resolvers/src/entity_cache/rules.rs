//! What a plan lets the cache do: one rule for each kind of value that a fetch returns, and what a
//! mutation invalidates. Compiled once for an operation (`compile`), immutable afterwards but for
//! the back-off of rules whose responses are not cacheable.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use schema::types::Name;

use super::backoff::UncacheableBackoff;
use super::mutation::InvalidationRule;
use super::superset::IndexedSelection;
use super::tags::TagRules;
use crate::cache::{Credentials, LifetimePolicy, Moment, Reuse, TypeStats};
use crate::entity_key::KeyField;
use crate::plan::{ByFetch, FetchId};
use crate::response::mapping::ValueMapping;

/// The cache rules of one plan.
#[derive(Debug, Default)]
pub(crate) struct CachePlan {
    /// By fetch; `None` where nothing of a fetch may be cached.
    pub(crate) fetches: ByFetch<Option<FetchCachePlan>>,
    /// What a mutation invalidates.
    pub(crate) invalidation_rules: Vec<InvalidationRule>,
}

/// The cache rules of one fetch.
#[derive(Debug)]
pub(crate) struct FetchCachePlan {
    /// By kind of object that the fetch requests; one for connectors.
    pub(crate) rules: Vec<CacheRule>,
    /// Reads a cached value of a connector: its members have the names of the graph's fields.
    pub(crate) extract: Option<ValueMapping>,
    /// Whether the batch that may substitute a root field's own connector returns all that is
    /// cached of the field.
    pub(crate) is_covered_by_batch: bool,
}

/// How values of one kind are identified, and how long and for whom they may be cached.
#[derive(Debug)]
pub(crate) struct CacheRule {
    pub(crate) policy: LifetimePolicy,
    /// The subgraph or connector that returns the value.
    pub(super) source: Name,
    pub(super) type_name: Name,
    /// The canonical selection of a subgraph, or the identity of a connector.
    pub(super) selection: Box<str>,
    pub(super) headers: ClientHeaders,
    pub(super) tag_rules: Arc<TagRules>,
    pub(crate) argument_role: ArgumentRole,
    /// The key by which a connector's entities are found; empty for other values.
    pub(crate) key_fields: Vec<KeyField>,
    /// Finds cached values with a larger selection; `None` where the selection depends on
    /// variables, and for connectors.
    pub(super) indexed_selection: Option<IndexedSelection>,
    pub(super) backoff: UncacheableBackoff,
    /// Lookup counters of the type.
    pub(crate) stats: Arc<TypeStats>,
}

/// Client headers that a response may depend on.
#[derive(Debug, Default)]
pub(super) struct ClientHeaders {
    /// Headers whose values are part of the cache key.
    pub(super) keyed: Vec<HeaderName>,
    /// Forwarded headers that identify the caller.
    pub(super) credentials: Vec<HeaderName>,
    /// Headers that identify the caller by configuration (`cache.caller`).
    pub(super) caller: Vec<HeaderName>,
}

/// What the arguments of a root field are to the cache key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArgumentRole {
    /// Arguments of the field.
    Plain,
    /// The key of the entity that the field returns, so that it shares the entity's cache key.
    EntityKey,
}

impl ClientHeaders {
    /// Adds the headers that another response depends on.
    pub(super) fn merge(&mut self, other: &Self) {
        let lists = [
            (&mut self.keyed, &other.keyed),
            (&mut self.credentials, &other.credentials),
            (&mut self.caller, &other.caller),
        ];
        for (own, others) in lists {
            for name in others {
                if !own.contains(name) {
                    own.push(name.clone());
                }
            }
        }
    }
}

impl CachePlan {
    /// The rules of a fetch.
    pub(crate) fn fetch(&self, fetch: FetchId) -> Option<&FetchCachePlan> {
        self.fetches.get(fetch)?.as_ref()
    }
}

impl CacheRule {
    /// Whether lookups are bypassed because the last responses were not cacheable.
    pub(crate) fn is_in_backoff(&self, now: Moment) -> bool {
        self.backoff.is_active(now)
    }

    /// Records for the back-off whether a response was cacheable.
    pub(crate) fn record_reuse(&self, reuse: Reuse, now: Moment) {
        self.backoff.record(reuse != Reuse::Never, now);
    }

    /// Whether the client's credentials are forwarded to the source.
    pub(crate) fn credentials(&self, client: &HeaderMap) -> Credentials {
        let names = &self.headers.credentials;
        if names.is_empty() {
            Credentials::NotForwarded
        } else if names.iter().any(|name| client.contains_key(name)) {
            Credentials::Sent
        } else {
            Credentials::Absent
        }
    }

    /// Whether a client sent nothing that identifies it.
    pub(super) fn is_anonymous(&self, client: &HeaderMap) -> bool {
        let names = self.headers.credentials.iter().chain(&self.headers.caller);
        names.into_iter().all(|name| !client.contains_key(name))
    }

    /// The forwarded headers that identify the caller.
    pub(crate) fn credential_headers(&self) -> &[HeaderName] {
        &self.headers.credentials
    }
}
