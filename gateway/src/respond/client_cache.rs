//! Responses in the caches of clients and proxies: `Cache-Control`, `Vary`, and validators
//! (RFC 9110 §8.8.3 and §13.1.2, RFC 9111 §5.2.2).

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use resolvers::cache::Reuse;
use sha2::{Digest as _, Sha256};

use crate::config::cache::ClientMaxAge;

/// How a client may cache the response to its request.
#[derive(Clone, Debug)]
pub(crate) struct ClientCache<'a> {
    /// Whether the response has a lifetime.
    pub(crate) max_age: ClientMaxAge,
    /// `Vary` of a cacheable response.
    pub(crate) vary: &'a HeaderValue,
    pub(crate) validators: Validators,
}

/// The responses that the client has; only a `GET` is conditional.
#[derive(Clone, Debug)]
pub(crate) enum Validators {
    /// The response has no validator.
    Unused,
    /// The values of `If-None-Match`.
    IfNoneMatch(Vec<HeaderValue>),
}

impl Validators {
    /// The validators of a request.
    pub(crate) fn from_request(method: &Method, headers: &HeaderMap) -> Self {
        if method != Method::GET {
            return Self::Unused;
        }
        let values = headers.get_all(IF_NONE_MATCH).into_iter();
        Self::IfNoneMatch(values.cloned().collect())
    }
}

impl ClientCache<'_> {
    /// Sets the headers of a response without errors, which has `body`; the response may become one
    /// without a body.
    pub(super) fn apply(&self, reuse: Option<Reuse>, body: &[u8], response: &mut Response) {
        let Some(cache_control) = self.cache_control(reuse) else {
            return; // It stays `no-store`.
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, cache_control);
        headers.insert(VARY, self.vary.clone());
        let Validators::IfNoneMatch(known) = &self.validators else {
            return;
        };
        let Ok(tag) = HeaderValue::try_from(entity_tag(body)) else {
            return; // A tag is visible ASCII.
        };
        let is_known = known.iter().any(|value| matches(value, tag.as_bytes()));
        headers.insert(ETAG, tag);
        if is_known {
            headers.remove(http::header::CONTENT_TYPE);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
        }
    }

    fn cache_control(&self, reuse: Option<Reuse>) -> Option<HeaderValue> {
        let (lifetime, to_revalidate) = match reuse? {
            Reuse::Never => return None,
            Reuse::Shared(lifetime) => (lifetime, "no-cache"),
            Reuse::PerCaller(lifetime) => (lifetime, "private, no-cache"),
        };
        match self.max_age {
            // `Cache-Control` has whole seconds.
            _ if lifetime.fresh.as_secs() == 0 => None,
            ClientMaxAge::Zero => Some(HeaderValue::from_static(to_revalidate)),
            ClientMaxAge::Inherit => HeaderValue::try_from(reuse?.cache_control()).ok(),
        }
    }
}

/// A weak validator: a proxy may encode the body, and the response remains the same.
fn entity_tag(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let (start, _) = digest.split_at(TAG_BYTES);
    let mut tag = "W/\"".to_owned();
    tag.extend(start.iter().map(|byte| format!("{byte:02x}")));
    tag.push('"');
    tag
}

/// Whether a value of `If-None-Match` names the tag, by weak comparison.
fn matches(value: &HeaderValue, tag: &[u8]) -> bool {
    let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    let named = value.as_bytes().split(|byte| *byte == b',');
    let mut named = named.map(<[u8]>::trim_ascii);
    named.any(|named| named == b"*" || opaque(named) == opaque(tag))
}

/// Bytes of a digest in a tag: no two responses have the same one by chance.
const TAG_BYTES: usize = 16;
