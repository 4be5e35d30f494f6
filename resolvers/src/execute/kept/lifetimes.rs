//! For how long the values of one answer are kept, and for whom.

use crate::cache::{Answer, Claim, Reuse, Value as Kept, negative, reuse};
use crate::fetch::reply::Reply;
use crate::keep::Keep;

/// What holds for the values of one answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::execute) struct Lifetimes {
    present: Reuse,
    absent: Reuse,
    /// What may not be kept.
    otherwise: Passing,
}

/// Whether what may not be kept is for those who waited for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execute) enum Passing {
    /// They sent the same at the same moment, and operations share such calls.
    ToOthers,
    /// Every operation makes its own calls.
    ToNobody,
}

impl Lifetimes {
    pub(in crate::execute) fn of(
        keep: &Keep,
        (client, otherwise): (&http::HeaderMap, Passing),
        reply: &Reply,
    ) -> Self {
        let answer = Answer {
            headers: &reply.answer.headers,
            received: reply.answer.received,
            delay: reply.answer.delay,
            credentials: keep.credentials(client),
            unkeyed: keep.says_who(),
        };
        Self {
            present: reuse(&keep.policy, &answer),
            absent: negative(&keep.policy, &answer),
            otherwise,
        }
    }

    /// Of a value that is there.
    pub(in crate::execute) fn present(&self) -> Reuse {
        self.present
    }

    pub(in crate::execute) fn is_any(&self) -> bool {
        self.present != Reuse::Never || self.absent != Reuse::Never
    }

    /// Keeps a value, `None` being that nobody knows it; gives for how long an answer that has it in
    /// it may be used again.
    pub(in crate::execute) fn keep(&self, claim: Claim, value: Option<Kept>) -> Reuse {
        let reuse = match value {
            Some(Kept::Present(_)) => self.present,
            Some(Kept::Absent) => self.absent,
            None => Reuse::Never,
        };
        match value {
            Some(value) if reuse != Reuse::Never || self.otherwise == Passing::ToOthers => {
                claim.keep(&value, reuse);
            }
            _ => claim.not_kept(),
        }
        reuse
    }
}
