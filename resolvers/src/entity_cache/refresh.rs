//! Refreshes stale values in the background (stale-while-revalidate): a call that no client waits
//! for, made only if no other operation or process refreshes the same values. After a failure this
//! process refreshes them no more for a moment, so that the source gets a pause.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use http::HeaderMap;

use super::EntityCache;
use super::lifetimes::{Lifetimes, WaiterSharing};
use super::rules::CachePlan;
use crate::cache::{CachedValue, Claim, RefreshClaim};
use crate::plan::FetchId;
use crate::source_client::shared_response::SharedResponse;

/// A stale value that was served.
#[derive(Debug)]
pub(crate) struct StaleEntity {
    /// Which of the fetch's rules it falls under.
    pub(crate) rule: usize,
    pub(crate) refresh: RefreshClaim,
}

/// The values that a call in the background returned.
pub(crate) struct RefreshedValues {
    pub(crate) response: Arc<SharedResponse>,
    /// In the order of the stale entities; `None` for one that is unknown.
    pub(crate) values: Vec<Option<CachedValue>>,
}

impl EntityCache<'_> {
    /// Makes `call` in the background and stores what it returns, unless all of these entities are
    /// being refreshed elsewhere. `call` returns `None` when it failed.
    pub(crate) fn refresh(
        &self,
        fetch: FetchId,
        stale: Vec<StaleEntity>,
        call: impl Future<Output = Option<RefreshedValues>> + Send + 'static,
    ) {
        let Some(cache) = self.cache else { return };
        let job = RefreshJob {
            plan: Arc::clone(self.plan),
            fetch,
            client_headers: self.client_headers.clone(),
        };
        cache.spawn_background(job.run(stale, call).boxed());
    }
}

/// What storing needs after the execution has ended.
struct RefreshJob {
    plan: Arc<CachePlan>,
    fetch: FetchId,
    client_headers: HeaderMap,
}

impl RefreshJob {
    async fn run(
        self,
        stale: Vec<StaleEntity>,
        call: impl Future<Output = Option<RefreshedValues>>,
    ) {
        let rules: Vec<usize> = stale.iter().map(|entity| entity.rule).collect();
        let claims = stale.into_iter().map(|entity| entity.refresh.acquire());
        let mut claims: Vec<Option<Claim>> = join_all(claims).await;
        if claims.iter().all(Option::is_none) {
            return;
        }
        let Some(refreshed) = call.await else {
            claims.iter_mut().flatten().for_each(Claim::pause);
            tokio::time::sleep(RETRY_DELAY).await;
            return;
        };
        let values = refreshed.values.into_iter();
        for ((claim, rule), value) in claims.into_iter().zip(rules).zip(values) {
            if let Some(claim) = claim {
                self.store(claim, rule, value, &refreshed.response);
            }
        }
    }

    fn store(
        &self,
        claim: Claim,
        rule: usize,
        value: Option<CachedValue>,
        response: &SharedResponse,
    ) {
        let plan = self.plan.fetch(self.fetch);
        if let Some(rule) = plan.and_then(|plan| plan.rules.get(rule)) {
            let sharing = WaiterSharing::Allowed;
            Lifetimes::new(rule, &self.client_headers, sharing, response).store(claim, value);
        }
    }
}

/// Delay in seconds between two attempts to refresh the same values after a failure.
const RETRY_DELAY: Duration = Duration::from_secs(1);
