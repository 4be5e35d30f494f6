//! How long, and for whom, the values of one response may be cached.

use http::HeaderMap;

use super::rules::CacheRule;
use crate::cache::{
    CachedValue, Claim, ResponseMetadata, Reuse, StoredPart, is_private, negative_reuse, reuse,
};
use crate::source_client::shared_response::SharedResponse;

/// What one rule allows for the values of one response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes<'r> {
    pub(super) rule: &'r CacheRule,
    present: Reuse,
    absent: Reuse,
    /// Whether the values are private to one of the anonymous callers, who cannot be told apart.
    is_unidentified: bool,
    waiter_sharing: WaiterSharing,
}

/// Whether a value that must not be cached may be passed on to operations that wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaiterSharing {
    /// The waiters sent equal requests at the same moment, and operations share such calls.
    Allowed,
    /// Every operation makes its own calls.
    Forbidden,
}

impl<'r> Lifetimes<'r> {
    pub(super) fn new(
        rule: &'r CacheRule,
        client: &HeaderMap,
        waiter_sharing: WaiterSharing,
        response: &SharedResponse,
    ) -> Self {
        let metadata = ResponseMetadata {
            status: response.response.status,
            headers: &response.response.headers,
            received: response.response.received,
            delay: response.response.delay,
            credentials: rule.credentials(client),
            caller_headers: rule.credential_headers(),
        };
        Self {
            rule,
            present: reuse(&rule.policy, &metadata),
            absent: negative_reuse(&rule.policy, &metadata),
            is_unidentified: rule.is_anonymous(client) && is_private(&rule.policy, &metadata),
            waiter_sharing,
        }
    }

    /// The reuse of a value that exists.
    pub(crate) fn present(&self) -> Reuse {
        self.present
    }

    /// Whether a value may be cached at all.
    pub(super) fn is_cacheable(&self) -> bool {
        self.present != Reuse::Never || self.absent != Reuse::Never
    }

    /// Stores a value, `None` being one that is unknown; returns the reuse of a response that
    /// contains it, and the stored value if it is cached.
    pub(super) fn store(
        &self,
        claim: Claim,
        value: Option<CachedValue>,
    ) -> (Reuse, Option<StoredPart>) {
        let reuse = match value {
            Some(CachedValue::Present(_)) => self.present,
            Some(CachedValue::Absent) => self.absent,
            None => Reuse::Never,
        };
        let is_passed_on = self.waiter_sharing == WaiterSharing::Allowed;
        let stored = if self.is_unidentified {
            Reuse::Never
        } else {
            reuse
        };
        let part = match value {
            Some(value) if stored != Reuse::Never || is_passed_on => {
                claim.store_part(&value, stored)
            }
            _ => {
                claim.mark_uncacheable();
                None
            }
        };
        (reuse, part)
    }
}
