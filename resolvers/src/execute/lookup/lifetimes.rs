//! For how long the values of one answer are kept, and for whom.

use crate::cache::{CachedValue as Kept, Claim, ResponseMetadata, Reuse, negative_reuse, reuse};
use crate::entity_cache::CacheRule;
use crate::source_client::shared_response::SharedResponse;

/// What holds for the values of one answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::execute) struct Lifetimes {
    present: Reuse,
    absent: Reuse,
    /// What may not be kept.
    waiter_sharing: WaiterSharing,
}

/// Whether what may not be kept is for those who waited for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execute) enum WaiterSharing {
    /// They sent the same at the same moment, and operations share such calls.
    Allowed,
    /// Every operation makes its own calls.
    Forbidden,
}

impl Lifetimes {
    pub(in crate::execute) fn new(
        rule: &CacheRule,
        (client, waiter_sharing): (&http::HeaderMap, WaiterSharing),
        reply: &SharedResponse,
    ) -> Self {
        let answer = ResponseMetadata {
            headers: &reply.response.headers,
            received: reply.response.received,
            delay: reply.response.delay,
            credentials: rule.sent_credentials(client),
            caller_headers: rule.credential_headers(),
        };
        Self {
            present: reuse(&rule.policy, &answer),
            absent: negative_reuse(&rule.policy, &answer),
            waiter_sharing,
        }
    }

    /// Of a value that is there.
    pub(in crate::execute) fn present(&self) -> Reuse {
        self.present
    }

    pub(in crate::execute) fn is_cacheable(&self) -> bool {
        self.present != Reuse::Never || self.absent != Reuse::Never
    }

    /// Keeps a value, `None` being that nobody knows it; gives for how long an answer that has it in
    /// it may be used again.
    pub(in crate::execute) fn store(&self, claim: Claim, value: Option<Kept>) -> Reuse {
        let reuse = match value {
            Some(Kept::Present(_)) => self.present,
            Some(Kept::Absent) => self.absent,
            None => Reuse::Never,
        };
        match value {
            Some(value)
                if reuse != Reuse::Never || self.waiter_sharing == WaiterSharing::Allowed =>
            {
                claim.store(&value, reuse);
            }
            _ => claim.mark_uncacheable(),
        }
        reuse
    }
}
