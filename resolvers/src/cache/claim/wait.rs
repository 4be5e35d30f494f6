//! Waiting for a fetch in flight: in this process until its flight completes, in the fleet until
//! Redis has the value or the lease is free.
//!
//! Every wait ends: with a value, with the claim, or with a claim without followers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::super::lookup::redis::RedisLookup;
use super::super::miss::MissReason;
use super::super::store::Lease;
use super::super::{Hit, Inner, Level, LookupOutcome, LookupRequest};
use super::{Claim, Flight, FlightOutcome, FlightRole};

/// A wait for a value that another lookup is fetching.
///
/// Fetch all claimed values before waiting: two operations that wait while they hold claims could
/// wait for each other.
pub struct InFlightWait {
    inner: Arc<Inner>,
    deadline: Instant,
    target: WaitTarget,
}

enum WaitTarget {
    Process(FlightFollower, LookupRequest),
    Fleet(Claim),
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
        Self::new(inner, WaitTarget::Process(follower, request))
    }

    pub(in crate::cache) fn in_fleet(claim: Claim) -> Self {
        claim.inner.stats.waits_fleet.increment();
        let inner = Arc::clone(&claim.inner);
        Self::new(&inner, WaitTarget::Fleet(claim))
    }

    fn new(inner: &Arc<Inner>, target: WaitTarget) -> Self {
        Self {
            inner: Arc::clone(inner),
            deadline: Instant::now() + inner.settings.wait_timeout,
            target,
        }
    }

    /// Waits until the deadline at most; returns `Fresh`, `Stale`, `Negative` or `Miss`.
    pub async fn wait(self) -> LookupOutcome {
        match self.target {
            WaitTarget::Process(follower, request) => {
                let (inner, deadline) = (self.inner, self.deadline);
                wait_in_process(inner, follower, request, deadline).await
            }
            WaitTarget::Fleet(claim) => wait_in_fleet(claim, self.deadline).await,
        }
    }
}

impl fmt::Debug for InFlightWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.target {
            WaitTarget::Process(..) => "InFlightWait(process)",
            WaitTarget::Fleet(_) => "InFlightWait(fleet)",
        })
    }
}

impl RefreshClaim {
    /// Returns the claim unless another replica refreshes the value; then waits for that and
    /// returns `None`. For background tasks, because no client should wait this long.
    pub async fn acquire(self) -> Option<Claim> {
        let mut claim = self.0;
        let deadline = Instant::now() + claim.inner.settings.wait_timeout;
        if matches!(
            claim.acquire_lease().await,
            Lease::Acquired(_) | Lease::Unknown
        ) {
            // Another replica may have refreshed the value since the lookup.
            if let Some(hit) = RedisLookup::fresh(&claim).await {
                claim.finish_with_hit(&hit);
                return None;
            }
            claim.inner.stats.refreshes.increment();
            return Some(claim);
        }
        match wait_in_fleet(claim, deadline).await {
            LookupOutcome::Miss(claim) if claim.lease.is_some() => {
                claim.inner.stats.refreshes.increment();
                Some(claim)
            }
            _ => None,
        }
    }
}

async fn wait_in_process(
    inner: Arc<Inner>,
    mut follower: FlightFollower,
    request: LookupRequest,
    deadline: Instant,
) -> LookupOutcome {
    loop {
        match follower.outcome(deadline).await {
            Some(FlightOutcome::Stored(key, stored))
                if stored.is_valid() && request.keys().any(|own| own == key) =>
            {
                let level = Level::Coalesced;
                let hit = Hit { key, level, stored };
                let now = inner.settings.clock.now();
                return inner.classify_hit(hit, request, now);
            }
            Some(FlightOutcome::Uncached(stored)) if stored.is_valid() => {
                let key = Claim::flight_key(&request);
                let level = Level::Coalesced;
                return LookupOutcome::Fresh(Hit { key, level, stored });
            }
            Some(FlightOutcome::Abandoned) => {
                match inner.in_flight.join(Claim::flight_key(&request)) {
                    FlightRole::Leader(flight) => {
                        let mut claim = inner.unshared_claim(request);
                        claim.flight = Some(flight);
                        return LookupOutcome::Miss(claim);
                    }
                    FlightRole::Follower(next) => follower = next,
                }
            }
            // Timed out, or the value was invalidated during the fetch.
            _ => {
                inner.stats.waits_failed.increment();
                return LookupOutcome::Miss(
                    inner
                        .unshared_claim(request)
                        .with_miss_reason(MissReason::NotShared),
                );
            }
        }
    }
}

/// Polls Redis at growing intervals.
async fn wait_in_fleet(mut claim: Claim, deadline: Instant) -> LookupOutcome {
    let mut interval = MIN_POLL_INTERVAL;
    loop {
        sleep(interval.mul_f32(0.5 + fastrand::f32())).await;
        interval = (interval * 2).min(MAX_POLL_INTERVAL);
        let may_fetch = match claim.is_leased().await {
            Some(true) => false,
            Some(false) => matches!(
                claim.acquire_lease().await,
                Lease::Acquired(_) | Lease::Unknown
            ),
            None => true,
        };
        let now = claim.inner.settings.clock.now();
        // Read after the lease: a holder stores the value before it releases the lease.
        if let Some(hit) = RedisLookup::fresh(&claim).await {
            let (inner, request) = (Arc::clone(&claim.inner), claim.request.clone());
            claim.finish_with_hit(&hit);
            return inner.classify_hit(hit, request, now);
        }
        if may_fetch || Instant::now() >= deadline {
            if claim.lease.is_none() {
                claim.inner.stats.waits_failed.increment();
            }
            // The fetch has not begun, so invalidations up to now do not concern it.
            claim.pin_generations();
            return LookupOutcome::Miss(claim);
        }
    }
}

impl FlightFollower {
    pub(super) fn new(flight: &Arc<Flight>) -> Self {
        flight.followers.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(flight))
    }

    /// The outcome of the flight; `None` if it is in flight at the deadline.
    async fn outcome(&self, deadline: Instant) -> Option<FlightOutcome> {
        let completed = self.0.completed.notified();
        tokio::pin!(completed);
        // A completion after this call wakes the future; one before it has set the outcome.
        completed.as_mut().enable();
        if self.0.outcome.get().is_none() {
            let _ = timeout_at(deadline, completed).await;
        }
        self.0.outcome.get().cloned()
    }
}

impl Drop for FlightFollower {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Claim {
    /// Acquires the lease, unless this claim holds it already.
    async fn acquire_lease(&mut self) -> Lease {
        if let Some(token) = self.lease {
            return Lease::Acquired(token);
        }
        let Some(shared) = &self.inner.shared else {
            return Lease::Unknown;
        };
        let key = Self::flight_key(&self.request);
        let leases = shared
            .store
            .acquire_leases(&[key], self.inner.settings.lease_ttl)
            .await;
        let lease = leases.first().copied().unwrap_or(Lease::Unknown);
        if let Lease::Acquired(token) = lease {
            self.lease = Some(token);
        }
        lease
    }

    async fn is_leased(&self) -> Option<bool> {
        let shared = self.inner.shared.as_ref()?;
        shared
            .store
            .is_leased(&Self::flight_key(&self.request))
            .await
    }
}

/// Minimum time between two polls of Redis.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(3);
/// Maximum time between two polls of Redis.
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(25);
