//! Leases: among replicas, the one that holds the lease of a value fetches it.
//!
//! A lease is short, so that a replica that stops delays no other for long, and is renewed as long
//! as its fetch lasts. A lease whose release fails, because Redis stalls, is released again until
//! Redis replies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;
use redis::{FromRedisValue as _, Value, cmd};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::super::key::Key;
use super::breaker::Access;
use super::{Store, positive_millis, scripts};

/// The outcome of acquiring the lease to fetch a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cache) enum Lease {
    /// Acquired: no other replica fetches the value.
    Acquired,
    /// Held by another replica.
    Held,
    /// Redis did not reply: the lease may be acquired, and is to be released.
    Unknown,
    /// Redis was not asked.
    Skipped,
}

/// The leases that this process holds, by token.
#[derive(Debug, Default)]
pub(super) struct HeldLeases(Mutex<HashMap<u64, HeldLease, foldhash::fast::RandomState>>);

#[derive(Debug)]
struct HeldLease {
    key: Key,
    state: LeaseState,
    /// The end of the lease in Redis, unless it is renewed.
    expires: Instant,
}

/// What is to be done about a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeaseState {
    /// To renew: the fetch is under way.
    Fetching,
    /// Nothing: a queued write releases it.
    Releasing,
    /// To release: the queued write failed.
    Unreleased,
}

impl HeldLeases {
    fn insert(&self, token: u64, key: Key, expires: Instant) {
        let state = LeaseState::Fetching;
        let lease = HeldLease {
            key,
            state,
            expires,
        };
        self.lock().insert(token, lease);
    }

    fn set_state(&self, token: u64, state: LeaseState) {
        if let Some(lease) = self.lock().get_mut(&token) {
            lease.state = state;
        }
    }

    /// Leases to renew and to release at `now`. Forgets those that have expired after their fetch.
    fn due(&self, now: Instant, ttl: Duration) -> [Vec<(u64, Key)>; 2] {
        let [mut renewals, mut releases] = [Vec::new(), Vec::new()];
        self.lock().retain(|token, lease| {
            match lease.state {
                LeaseState::Fetching if lease.expires <= now + ttl * 2 / 3 => {
                    renewals.push((*token, lease.key));
                }
                LeaseState::Unreleased => releases.push((*token, lease.key)),
                LeaseState::Fetching | LeaseState::Releasing => {}
            }
            lease.state == LeaseState::Fetching || lease.expires > now
        });
        [renewals, releases]
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, HeldLease, foldhash::fast::RandomState>> {
        // Every change is one operation on the map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Tries to acquire the lease of each key for a token.
    pub(in crate::cache) async fn acquire_leases(&self, requests: &[(Key, u64)]) -> Vec<Lease> {
        let ttl = self.settings.lease_ttl;
        let expires = Instant::now() + ttl;
        let commands = requests.iter().map(|(key, token)| {
            let name = self.names.lease(key);
            let mut command = cmd("SET");
            command
                .arg(&name)
                .arg(*token)
                .arg("NX")
                .arg("PX")
                .arg(positive_millis(ttl));
            (name, command)
        });
        let commands: Vec<_> = commands.collect();
        let is_sent: Vec<bool> = commands
            .iter()
            .map(|(name, _)| self.is_available(name))
            .collect();
        // Before they are sent: the caller may be cancelled before Redis replies.
        for ((key, token), is_sent) in requests.iter().zip(&is_sent) {
            if *is_sent {
                self.leases.insert(*token, *key, expires);
            }
        }
        let answers = self.send(commands, self.settings.command_timeout).await;
        let answers = answers.into_iter().zip(is_sent).zip(requests);
        let leases = answers.map(|((answer, is_sent), (_, token))| match answer {
            Some(Value::Okay) => Lease::Acquired,
            Some(Value::Nil) => {
                self.leases.lock().remove(token);
                Lease::Held
            }
            _ if is_sent => Lease::Unknown,
            _ => Lease::Skipped,
        });
        leases.collect()
    }

    /// The token of the lease of `key`; `None` if it is not held, or without a reply.
    pub(in crate::cache) async fn lease_holder(&self, key: &Key) -> Option<u64> {
        let name = self.names.lease(key);
        let command = cmd("GET").arg(&name).to_owned();
        let limit = self.settings.command_timeout;
        let answer = self.call((&name, &command), Access::Read, limit).await?;
        u64::from_redis_value(answer).ok()
    }

    /// Notes that a queued write releases the lease.
    pub(super) fn begin_release(&self, token: u64) {
        self.leases.set_state(token, LeaseState::Releasing);
    }

    /// Notes whether Redis has released the lease.
    pub(super) fn end_release(&self, token: u64, is_released: bool) {
        if is_released {
            self.leases.lock().remove(&token);
        } else {
            self.leases.set_state(token, LeaseState::Unreleased);
        }
    }

    /// Renews leases whose fetches last, and repeats failed releases, until `stop` is dropped.
    pub(in crate::cache) async fn maintain_leases(self: Arc<Self>, mut stop: watch::Receiver<()>) {
        let maintain = async {
            loop {
                sleep(LEASE_CHECK_INTERVAL).await;
                let ttl = self.settings.lease_ttl;
                let [renewals, releases] = self.leases.due(Instant::now(), ttl);
                self.renew(renewals, ttl).await;
                self.release(releases).await;
            }
        };
        tokio::select! {
            () = maintain => {}
            _ = stop.changed() => {}
        }
    }

    async fn renew(&self, leases: Vec<(u64, Key)>, ttl: Duration) {
        let expires = Instant::now() + ttl;
        let commands = leases.iter().map(|(token, key)| {
            let name = self.names.lease(key);
            scripts::renew(name, *token, positive_millis(ttl))
        });
        let limit = self.settings.write_timeout;
        let answers = self.send(commands.collect(), limit).await;
        let mut held = self.leases.lock();
        for ((token, _), answer) in leases.iter().zip(answers) {
            match answer {
                Some(Value::Int(1)) => {
                    if let Some(lease) = held.get_mut(token) {
                        lease.expires = expires;
                    }
                }
                // It expired, and may have passed to another replica.
                Some(_) => {
                    held.remove(token);
                }
                None => {}
            }
        }
    }

    async fn release(&self, leases: Vec<(u64, Key)>) {
        let commands = leases
            .iter()
            .map(|(token, key)| scripts::release(self.names.lease(key), *token));
        let limit = self.settings.write_timeout;
        let answers = self.send(commands.collect(), limit).await;
        for ((token, _), answer) in leases.iter().zip(answers) {
            self.end_release(*token, answer.is_some());
        }
    }
}

/// Time between two checks of the leases.
const LEASE_CHECK_INTERVAL: Duration = Duration::from_millis(50);
