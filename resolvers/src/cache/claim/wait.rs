//! Waiting for what somebody else fetches: in this process for its flight to land, in the fleet
//! for the value to appear in Redis, or for the lease to be free.
//!
//! Every wait ends: with a value, with the claim, or with a claim that nobody waits for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::super::lookup::Lookup;
use super::super::store::Lease;
use super::super::{Found, Hit, Inner, Level, Wanted};
use super::{Claim, Flight, Joined, Landed};
use crate::account::Why;

/// Somebody else fetches what is wanted.
///
/// Fetch what is yours first, then wait: whoever holds a claim while it waits may be waited for by
/// the one it waits for.
pub struct Waiting {
    inner: Arc<Inner>,
    until: Instant,
    on: On,
}

enum On {
    Process(Landing, Wanted),
    Fleet(Claim),
}

/// Where a flight is seen to end.
#[derive(Debug)]
pub(in crate::cache) struct Landing(Arc<Flight>);

/// The right to renew what is still given out.
#[derive(Debug)]
pub struct Renewal(pub(in crate::cache) Claim);

impl Waiting {
    pub(in crate::cache) fn in_process(
        inner: &Arc<Inner>,
        landing: Landing,
        wanted: Wanted,
    ) -> Self {
        inner.stats.waits_process.one();
        Self::new(inner, On::Process(landing, wanted))
    }

    pub(in crate::cache) fn in_fleet(claim: Claim) -> Self {
        claim.inner.stats.waits_fleet.one();
        let inner = Arc::clone(&claim.inner);
        Self::new(&inner, On::Fleet(claim))
    }

    fn new(inner: &Arc<Inner>, on: On) -> Self {
        Self {
            inner: Arc::clone(inner),
            until: Instant::now() + inner.settings.wait,
            on,
        }
    }

    /// Waits, but not for long: gives `Fresh`, `Stale`, `Negative` or `Missing`.
    pub async fn wait(self) -> Found {
        match self.on {
            On::Process(landing, wanted) => {
                let (inner, until) = (self.inner, self.until);
                in_process(inner, landing, wanted, until).await
            }
            On::Fleet(claim) => in_fleet(claim, self.until).await,
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.on {
            On::Process(..) => "Waiting(process)",
            On::Fleet(_) => "Waiting(fleet)",
        })
    }
}

impl Renewal {
    /// The claim, when nobody else in the fleet renews the same; otherwise waits until that is
    /// done, and `None`. For a task that no client waits for.
    pub async fn begin(self) -> Option<Claim> {
        let mut claim = self.0;
        let until = Instant::now() + claim.inner.settings.wait;
        if matches!(claim.lease().await, Lease::Won(_) | Lease::Unknown) {
            // Another may have renewed it since it was looked for.
            if let Some(hit) = Lookup::fresh(&claim).await {
                claim.found(&hit);
                return None;
            }
            claim.inner.stats.renewals.one();
            return Some(claim);
        }
        match in_fleet(claim, until).await {
            Found::Missing(claim) if claim.lease.is_some() => {
                claim.inner.stats.renewals.one();
                Some(claim)
            }
            _ => None,
        }
    }
}

async fn in_process(
    inner: Arc<Inner>,
    mut landing: Landing,
    wanted: Wanted,
    until: Instant,
) -> Found {
    loop {
        match landing.landed(until).await {
            Some(Landed::Stored(key, stored))
                if stored.holds() && wanted.keys().any(|own| own == key) =>
            {
                let level = Level::Flight;
                let hit = Hit { key, level, stored };
                let now = inner.settings.clock.now();
                return inner.give(hit, wanted, now);
            }
            Some(Landed::Passed(stored)) if stored.holds() => {
                let key = Claim::flight_key(&wanted);
                let level = Level::Flight;
                return Found::Fresh(Hit { key, level, stored });
            }
            Some(Landed::Abandoned) => match inner.flights.join(Claim::flight_key(&wanted)) {
                Joined::Leads(flight) => {
                    let mut claim = inner.claim(wanted);
                    claim.flight = Some(flight);
                    return Found::Missing(claim);
                }
                Joined::Follows(next) => landing = next,
            },
            // Too late; or what came of it was invalidated while it was under way.
            _ => {
                inner.stats.waits_in_vain.one();
                return Found::Missing(inner.claim(wanted).because(Why::NotShared));
            }
        }
    }
}

/// Looks again and again, less often each time.
async fn in_fleet(mut claim: Claim, until: Instant) -> Found {
    let mut pause = SHORTEST_PAUSE;
    loop {
        sleep(pause.mul_f32(0.5 + fastrand::f32())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        let may_fetch = match claim.is_leased().await {
            Some(true) => false,
            Some(false) => matches!(claim.lease().await, Lease::Won(_) | Lease::Unknown),
            None => true,
        };
        let now = claim.inner.settings.clock.now();
        // After the lease: who gives it back has written before.
        if let Some(hit) = Lookup::fresh(&claim).await {
            let (inner, wanted) = (Arc::clone(&claim.inner), claim.wanted.clone());
            claim.found(&hit);
            return inner.give(hit, wanted, now);
        }
        if may_fetch || Instant::now() >= until {
            if claim.lease.is_none() {
                claim.inner.stats.waits_in_vain.one();
            }
            // Others may have invalidated meanwhile what was not fetched yet.
            claim.settle_guards();
            return Found::Missing(claim);
        }
    }
}

impl Landing {
    pub(super) fn of(flight: &Arc<Flight>) -> Self {
        flight.followers.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(flight))
    }

    /// How the flight ended; `None` when it did not in time.
    async fn landed(&self, until: Instant) -> Option<Landed> {
        let lands = self.0.lands.notified();
        tokio::pin!(lands);
        // Whoever lands it after this wakes us, whoever did before has said how.
        lands.as_mut().enable();
        if self.0.landed.get().is_none() {
            let _ = timeout_at(until, lands).await;
        }
        self.0.landed.get().cloned()
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Claim {
    /// Asks for the lease, and keeps it when it is won.
    async fn lease(&mut self) -> Lease {
        if let Some(token) = self.lease {
            return Lease::Won(token);
        }
        let Some(shared) = &self.inner.shared else {
            return Lease::Unknown;
        };
        let key = Self::flight_key(&self.wanted);
        let leases = shared.store.lease(&[key], self.inner.settings.lease).await;
        let lease = leases.first().copied().unwrap_or(Lease::Unknown);
        if let Lease::Won(token) = lease {
            self.lease = Some(token);
        }
        lease
    }

    async fn is_leased(&self) -> Option<bool> {
        let shared = self.inner.shared.as_ref()?;
        shared
            .store
            .is_leased(&Self::flight_key(&self.wanted))
            .await
    }
}

/// Between two looks into Redis.
const SHORTEST_PAUSE: Duration = Duration::from_millis(3);
const LONGEST_PAUSE: Duration = Duration::from_millis(25);
