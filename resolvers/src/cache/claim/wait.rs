//! Waiting for a fetch in flight: in this process until its flight is over, in the fleet until its
//! lease is.
//!
//! A wait lasts as long as the fetch. A fetch that is over without a value for the waiting lookup
//! is not followed by a wait for another one: the lookup fetches at once. The operation that waits
//! sets the only other limit, its deadline.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::super::lookup::redis::RedisLookup;
use super::super::miss::MissReason;
use super::super::store::Lease;
use super::super::{Hit, Inner, Level, LookupOutcome, LookupRequest};
use super::{Claim, Flight, FlightOutcome, FlightRole};

/// A wait for a value that another lookup is fetching.
///
/// Fetch all claimed values before waiting: two operations that wait while they hold claims could
/// wait for each other.
pub struct InFlightWait(WaitTarget);

enum WaitTarget {
    Process(ProcessWait),
    Fleet(FleetWait),
}

/// A wait for a flight of this process.
struct ProcessWait {
    inner: Arc<Inner>,
    follower: FlightFollower,
    request: LookupRequest,
    /// The claim that passed to this lookup, because its holder was cancelled.
    inherited: Option<Claim>,
}

/// A wait for the lease of another process.
struct FleetWait {
    claim: Claim,
    /// The token of the lease; `None` before it is known.
    token: Option<u64>,
}

/// A follower of a flight, counted until it is dropped.
#[derive(Debug)]
pub(in crate::cache) struct FlightFollower(Arc<Flight>);

/// The right to refresh a stale value.
#[derive(Debug)]
pub struct RefreshClaim(pub(in crate::cache) Claim);

impl InFlightWait {
    pub(in crate::cache) fn in_process(
        inner: &Arc<Inner>,
        follower: FlightFollower,
        request: LookupRequest,
    ) -> Self {
        inner.stats.waits_process.increment();
        Self(WaitTarget::Process(ProcessWait {
            inner: Arc::clone(inner),
            follower,
            request,
            inherited: None,
        }))
    }

    pub(in crate::cache) fn in_fleet(claim: Claim) -> Self {
        claim.inner.stats.waits_fleet.increment();
        Self(WaitTarget::Fleet(FleetWait { claim, token: None }))
    }

    /// Waits until the fetch is over; returns `Fresh`, `Stale`, `Negative` or `Miss`.
    pub async fn wait(mut self) -> LookupOutcome {
        self.end().await;
        self.into_outcome().await
    }

    /// Waits for several values. Once there is a claim to fetch one of them, those that are still
    /// in flight are returned as `InFlight`, because a claim must not be held during a wait.
    pub async fn wait_for_all(waits: Vec<Self>) -> Vec<LookupOutcome> {
        let is_missing = watch::Sender::new(false);
        join_all(waits.into_iter().map(|wait| wait.wait_with(&is_missing))).await
    }

    async fn wait_with(mut self, is_missing: &watch::Sender<bool>) -> LookupOutcome {
        let claimed = async {
            // The sender outlives the wait.
            let _ = is_missing
                .subscribe()
                .wait_for(|is_missing| *is_missing)
                .await;
            // Fetches that end together are noticed one after the other.
            sleep(MAX_POLL_INTERVAL * 2).await;
        };
        tokio::select! {
            biased;
            () = self.end() => {}
            () = claimed => return LookupOutcome::InFlight(self),
        }
        let outcome = self.into_outcome().await;
        if matches!(outcome, LookupOutcome::Miss(_)) {
            is_missing.send_replace(true);
        }
        outcome
    }

    /// Waits until the fetch is over. Can be cancelled and called again.
    async fn end(&mut self) {
        match &mut self.0 {
            WaitTarget::Process(wait) => wait.end().await,
            WaitTarget::Fleet(wait) => wait.end().await,
        }
    }

    /// What the lookup finds now that the fetch is over.
    async fn into_outcome(self) -> LookupOutcome {
        match self.0 {
            WaitTarget::Process(wait) => wait.into_outcome(),
            WaitTarget::Fleet(wait) => wait.into_outcome().await,
        }
    }
}

impl fmt::Debug for InFlightWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            WaitTarget::Process(_) => "InFlightWait(process)",
            WaitTarget::Fleet(_) => "InFlightWait(fleet)",
        })
    }
}

impl ProcessWait {
    async fn end(&mut self) {
        while self.inherited.is_none() && self.follower.is_abandoned().await {
            let key = Claim::flight_key(&self.request);
            match self.inner.in_flight.join(key, true) {
                FlightRole::Leader(flight) => {
                    let mut claim = self.inner.unshared_claim(self.request.clone());
                    claim.flight = Some(flight);
                    self.inherited = Some(claim);
                }
                FlightRole::Follower(next) => self.follower = next,
            }
        }
    }

    fn into_outcome(self) -> LookupOutcome {
        let Self {
            inner,
            follower,
            request,
            inherited,
        } = self;
        if let Some(claim) = inherited {
            return LookupOutcome::Miss(claim);
        }
        let level = Level::Coalesced;
        match follower.0.outcome.get().cloned() {
            Some(FlightOutcome::Stored(key, stored))
                if stored.is_valid() && request.keys().any(|own| own == key) =>
            {
                let hit = Hit { key, level, stored };
                inner.classify_hit(hit, request, inner.settings.clock.now())
            }
            Some(FlightOutcome::Uncached(stored)) if stored.is_valid() => {
                let key = Claim::flight_key(&request);
                LookupOutcome::Fresh(Hit { key, level, stored })
            }
            // No value for this lookup, or one that was invalidated during the fetch.
            _ => {
                inner.stats.waits_failed.increment();
                let claim = inner.unshared_claim(request);
                LookupOutcome::Miss(claim.with_miss_reason(MissReason::NotShared))
            }
        }
    }
}

impl FleetWait {
    /// Polls Redis until the lease is released, expired, or has passed to another process, or Redis
    /// does not respond.
    async fn end(&mut self) {
        let began = Instant::now();
        loop {
            // A poll for each eighth of the wait: frequent for short fetches, few for long ones.
            let interval = (began.elapsed() / 8).clamp(MIN_POLL_INTERVAL, MAX_POLL_INTERVAL);
            sleep(interval.mul_f32(0.5 + fastrand::f32())).await;
            match self.claim.lease_holder().await {
                Some(token) if self.token.is_none_or(|known| known == token) => {
                    self.token = Some(token);
                }
                _ => return,
            }
        }
    }

    async fn into_outcome(self) -> LookupOutcome {
        let mut claim = self.claim;
        // A holder stores the value before it releases the lease.
        if let Some(hit) = RedisLookup::fresh(&claim).await {
            let (inner, request) = (Arc::clone(&claim.inner), claim.request.clone());
            claim.finish_with_hit(&hit);
            return inner.classify_hit(hit, request, inner.settings.clock.now());
        }
        // Without a lease too: another wait would be for another fetch.
        if claim.acquire_lease().await == Lease::Held {
            claim.inner.stats.waits_failed.increment();
        }
        // The fetch has not begun, so invalidations up to now do not concern it.
        claim.pin_generations();
        LookupOutcome::Miss(claim)
    }
}

impl RefreshClaim {
    /// Returns the claim unless another replica refreshes the value; then waits for that, for a
    /// second at most, and returns `None`. For background tasks, because no client should wait this
    /// long.
    pub async fn acquire(self) -> Option<Claim> {
        let mut claim = self.0;
        let is_elsewhere = claim.acquire_lease().await == Lease::Held;
        let mut wait = FleetWait { claim, token: None };
        if is_elsewhere {
            // Limited, because refreshes acquire several leases and may wait for each other.
            let _ = timeout(MAX_REFRESH_WAIT, wait.end()).await;
        }
        // Another replica may have refreshed the value since the lookup.
        if let Some(hit) = RedisLookup::fresh(&wait.claim).await {
            wait.claim.finish_with_hit(&hit);
            return None;
        }
        if is_elsewhere {
            return None;
        }
        wait.claim.inner.stats.refreshes.increment();
        Some(wait.claim)
    }
}

impl FlightFollower {
    pub(super) fn new(flight: &Arc<Flight>) -> Self {
        flight.followers.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(flight))
    }

    /// Waits until the flight is over; returns whether its leader was cancelled.
    async fn is_abandoned(&self) -> bool {
        loop {
            let completed = self.0.completed.notified();
            tokio::pin!(completed);
            // A completion after this call wakes the future; one before it has set the outcome.
            completed.as_mut().enable();
            if let Some(outcome) = self.0.outcome.get() {
                return matches!(outcome, FlightOutcome::Abandoned);
            }
            completed.await;
        }
    }
}

impl Drop for FlightFollower {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Claim {
    /// Acquires the lease.
    async fn acquire_lease(&mut self) -> Lease {
        let inner = Arc::clone(&self.inner);
        let Some(shared) = &inner.shared else {
            return Lease::Skipped;
        };
        let request = self.begin_lease();
        let leases = shared.store.acquire_leases(&[request]).await;
        let lease = leases.first().copied().unwrap_or(Lease::Skipped);
        self.settle_lease(lease);
        lease
    }

    /// The token of the lease; `None` if there is none or Redis does not reply.
    async fn lease_holder(&self) -> Option<u64> {
        let shared = self.inner.shared.as_ref()?;
        let key = Self::flight_key(&self.request);
        shared.store.lease_holder(&key).await
    }
}

/// Minimum time between two polls of Redis.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(3);
/// Maximum time between two polls of Redis.
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Maximum time for which a refresh waits for that of another replica.
const MAX_REFRESH_WAIT: Duration = Duration::from_secs(1);
