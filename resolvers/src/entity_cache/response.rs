//! Whole responses of queries, cached above the values that they are made of.
//!
//! A response is found under the graph, the operation, its variables, and the client headers that
//! its sources receive. It is stored only if every part of it is cached and nothing failed, for the
//! shortest remaining TTL of its parts and with the tags of all of them.

use bytes::Bytes;
use http::HeaderMap;
use schema::operation::Variables;
use tokio::time::{Instant, timeout_at};

use super::CachePlan;
use super::rules::ClientHeaders;
use crate::cache::{
    Cache, CachedValue, Claim, Dependencies, Hit, KeyFormat, KeyParts, KeyPrefix, Lifetime,
    LookupOutcome, LookupRequest, MissReason, Reuse, ScopedKeys,
};
use crate::source_client::request::variables_json;
use crate::trace::{CacheStatus, Lookup, Trace};

/// How responses of one plan are identified.
#[derive(Debug)]
pub(crate) struct ResponseRule {
    /// A digest of the graph, the operation, and what its fetches are identified by.
    operation: String,
    headers: ClientHeaders,
}

/// The response to look up.
#[derive(Clone, Copy)]
pub(crate) struct ResponseRequest<'r> {
    pub(crate) client_headers: &'r HeaderMap,
    pub(crate) variables: &'r Variables,
    pub(crate) trace: Trace,
    /// How long a request waits for an equal one.
    pub(crate) deadline: Instant,
}

/// The lookup of a response.
#[derive(Debug, Default)]
pub(crate) struct ResponseLookup {
    pub(crate) outcome: ResponseOutcome,
    /// What a trace shows of it, where the request wants one.
    pub(crate) trace: Option<Lookup>,
}

/// The outcome of the lookup of a response.
#[derive(Debug, Default)]
pub(crate) enum ResponseOutcome {
    /// The response is returned as it is.
    Hit(CachedResponse),
    /// The response is to be made, and stored.
    Miss(Claim),
    /// The response is to be made, and not stored.
    #[default]
    Bypassed,
}

/// A cached response.
#[derive(Clone, Debug)]
pub struct CachedResponse {
    /// The response without errors: `{"data":…}`.
    pub body: Bytes,
    /// How long, and for whom, it may be reused from now on.
    pub reuse: Reuse,
}

impl ResponseRule {
    /// The rule for the responses of a plan; `None` where a fetch of it is not cached, or nothing is
    /// fetched. `identity` identifies the graph, the operation and the plan's variant.
    pub(crate) fn new(identity: &[&[u8]], plan: &CachePlan) -> Option<Self> {
        let mut headers = ClientHeaders::default();
        let mut text = String::new();
        for part in identity {
            text.push_str(&crate::cache::digest_bytes(part));
        }
        for fetch in &plan.fetches {
            for rule in &fetch.as_ref()?.rules {
                for part in [&*rule.source, &*rule.type_name, &*rule.selection] {
                    text.push_str(&crate::cache::digest(part));
                }
                headers.merge(&rule.headers);
            }
        }
        let is_fetched = plan.fetches.iter().next().is_some();
        is_fetched.then(|| Self {
            operation: crate::cache::digest(&text),
            headers,
        })
    }

    /// Looks a response up; waits for an equal request that is making it.
    pub(crate) async fn lookup(
        &self,
        cache: &Cache,
        response: ResponseRequest<'_>,
    ) -> ResponseLookup {
        let ResponseRequest {
            client_headers: client,
            variables,
            trace,
            deadline,
        } = response;
        let arguments = variables_json(variables);
        let keyed = self.headers.keyed_values(client);
        let caller = self.headers.caller_identity(client);
        let parts = KeyParts {
            type_name: KIND,
            selection: &self.operation,
            arguments: arguments.as_deref(),
            headers: &keyed,
            caller: caller.as_deref(),
            ..KeyParts::default()
        };
        let Some(request) = self.lookup_request(client, &parts) else {
            return ResponseLookup::default();
        };
        let id = request.private_key.unwrap_or(request.key);
        let outcome = match cache.lookup_assembled(request).await {
            Some(LookupOutcome::InFlight(waiting)) => {
                timeout_at(deadline, waiting.wait()).await.ok()
            }
            outcome => outcome,
        };
        let is_traced = trace == Trace::Yes;
        let text = is_traced.then(|| parts.text(KeyFormat::Redacted).unwrap_or_default());
        let trace = text.map(|key| trace_entry(key, id.to_string(), outcome.as_ref(), cache));
        ResponseLookup {
            outcome: ResponseOutcome::new(outcome, cache),
            trace,
        }
    }

    fn lookup_request(&self, client: &HeaderMap, parts: &KeyParts<'_>) -> Option<LookupRequest> {
        let ScopedKeys { shared, private } = KeyPrefix::from_parts(parts)?.keys(None);
        let unidentified = match parts.caller {
            None => self.headers.credential_values(client),
            Some(_) => None,
        };
        let flight_key = unidentified.and_then(|credentials| {
            let parts = KeyParts {
                caller: Some(&credentials),
                ..*parts
            };
            KeyPrefix::from_parts(&parts)?.keys(None).private
        });
        Some(LookupRequest {
            key: shared,
            private_key: private,
            flight_key,
            superset_keys: Vec::new(),
            tags: Vec::new().into(),
        })
    }
}

impl ResponseOutcome {
    fn new(outcome: Option<LookupOutcome>, cache: &Cache) -> Self {
        match outcome {
            Some(LookupOutcome::Fresh(hit)) => match &hit.entry().value {
                CachedValue::Present(body) => Self::Hit(CachedResponse {
                    body: body.clone(),
                    reuse: hit.entry().reuse(cache.now()),
                }),
                CachedValue::Absent => Self::Bypassed,
            },
            Some(LookupOutcome::Miss(claim)) => Self::Miss(claim),
            _ => Self::Bypassed,
        }
    }
}

/// Stores a complete response with the JSON of its `data`, for as long as all its parts are fresh.
pub(crate) fn store_response(
    claim: Claim,
    data: &[u8],
    (reuse, dependencies): (Option<Reuse>, Option<Dependencies>),
) {
    let reuse = reuse.map_or(Reuse::Never, fresh_only);
    match dependencies {
        Some(dependencies) if reuse != Reuse::Never && data.len() <= MAX_SIZE => {
            let body = [DATA_START, data, DATA_END].concat();
            claim.store_assembled(&CachedValue::Present(body.into()), reuse, dependencies);
        }
        _ => claim.mark_uncacheable(),
    }
}

/// The reuse without stale windows: the values of a stale response are served one by one.
fn fresh_only(reuse: Reuse) -> Reuse {
    let fresh_lifetime = |lifetime: Lifetime| Lifetime {
        fresh: lifetime.fresh,
        ..Lifetime::default()
    };
    match reuse {
        Reuse::Shared(lifetime) if !lifetime.fresh.is_zero() => {
            Reuse::Shared(fresh_lifetime(lifetime))
        }
        Reuse::PerCaller(lifetime) if !lifetime.fresh.is_zero() => {
            Reuse::PerCaller(fresh_lifetime(lifetime))
        }
        _ => Reuse::Never,
    }
}

fn trace_entry(key: String, id: String, outcome: Option<&LookupOutcome>, cache: &Cache) -> Lookup {
    let hit = match outcome {
        Some(LookupOutcome::Fresh(hit)) => Some(hit),
        _ => None,
    };
    let entry = hit.map(Hit::entry);
    Lookup {
        key,
        id,
        tags: Vec::new(),
        status: hit.map_or(CacheStatus::Miss, |hit| CacheStatus::Fresh(hit.level)),
        miss_reason: match outcome {
            Some(LookupOutcome::Miss(claim)) => Some(claim.miss_reason()),
            Some(LookupOutcome::Fresh(_)) => None,
            _ => Some(MissReason::Unknown),
        },
        age: entry.map(|entry| entry.age(cache.now())),
        reuse: entry.map(|entry| entry.reuse(cache.now())),
    }
}

/// The type in the keys of responses, which have no source, as all other values do.
const KIND: &str = "response";

/// Maximum bytes of a cached response.
const MAX_SIZE: usize = 1 << 20;

const DATA_START: &[u8] = b"{\"data\":";
const DATA_END: &[u8] = b"}";
