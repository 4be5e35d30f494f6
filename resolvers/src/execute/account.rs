//! What was done, noted down while it is done, for who asks for it.

use schema::types::Name;
use tokio::time::Instant;

use crate::account::{Call, FetchAccount, Found as Told, Lookup};
use crate::cache::{Found, Moment, Reuse};

/// What was done for each fetch of a plan.
pub(super) struct Accounts {
    fetches: Vec<Account>,
    now: Moment,
}

/// What was done for one fetch.
struct Account {
    told: FetchAccount,
    /// Which lookups the objects are that the fetch is still about.
    numbers: Vec<usize>,
    /// When each call began, and what it is known by.
    calls: Vec<(usize, Instant)>,
}

impl Accounts {
    /// Nothing yet, for fetches with the numbers of their requests and the names of their sources.
    pub(super) fn of(fetches: impl Iterator<Item = (usize, Name)>, now: Moment) -> Self {
        let fetches = fetches.map(|(fetch, source)| Account {
            told: FetchAccount {
                fetch,
                source,
                lookups: Vec::new(),
                untold: 0,
                calls: Vec::new(),
            },
            numbers: Vec::new(),
            calls: Vec::new(),
        });
        Self {
            fetches: fetches.collect(),
            now,
        }
    }

    /// A fetch looks for so many values, of which these are told.
    pub(super) fn looks(&mut self, fetch: usize, count: usize, told: Vec<Lookup>) {
        let account = &mut self.fetches[fetch];
        account.told.untold = count - told.len().min(count);
        account.told.lookups = told;
        account.numbers = (0..count).collect();
    }

    /// What was found for an object.
    pub(super) fn found(&mut self, fetch: usize, object: usize, found: &Found) {
        let now = self.now;
        if let Some(lookup) = self.lookup(fetch, object) {
            match found {
                Found::Fresh(hit) | Found::Negative(hit) | Found::Stale(hit, _) => {
                    lookup.found = match found {
                        Found::Negative(_) => Told::Negative(hit.level),
                        Found::Stale(..) => Told::Stale(hit.level),
                        _ => Told::Fresh(hit.level),
                    };
                    lookup.why = None;
                    lookup.id = hit.key.to_string();
                    lookup.age = Some(hit.entry().age(now));
                }
                Found::Missing(claim) => lookup.why = Some(claim.why()),
                Found::Elsewhere(_) => {}
            }
        }
    }

    /// An object is given out although it is old: its source fails.
    pub(super) fn rescued(&mut self, fetch: usize, object: usize, hit: &crate::cache::Hit) {
        let age = hit.entry().age(self.now);
        if let Some(lookup) = self.lookup(fetch, object) {
            lookup.found = Told::OnError(hit.level);
            lookup.age = Some(age);
        }
    }

    /// From now on the fetch is about these of its objects, in this order.
    pub(super) fn retain(&mut self, fetch: usize, order: &[usize]) {
        let numbers = &mut self.fetches[fetch].numbers;
        let kept = order
            .iter()
            .filter_map(|object| numbers.get(*object).copied());
        *numbers = kept.collect();
    }

    /// What is kept of an object from now on.
    pub(super) fn kept(&mut self, fetch: usize, object: usize, reuse: Reuse) {
        if let Some(lookup) = self.lookup(fetch, object) {
            lookup.reuse = Some(reuse);
        }
    }

    /// A call begins, known by `name` until it ends.
    pub(super) fn begins(&mut self, fetch: usize, name: usize, (address, batch): (String, usize)) {
        let account = &mut self.fetches[fetch];
        account.calls.push((name, Instant::now()));
        account.told.calls.push(Call {
            address,
            batch,
            time: std::time::Duration::ZERO,
            is_shared: false,
        });
    }

    /// The call that began last by that name has ended.
    pub(super) fn ends(&mut self, fetch: usize, name: usize, is_shared: bool) {
        let account = &mut self.fetches[fetch];
        let calls = account.calls.iter().zip(&mut account.told.calls);
        if let Some(((_, began), call)) = calls.rev().find(|((known, _), _)| *known == name) {
            call.time = began.elapsed();
            call.is_shared |= is_shared;
        }
    }

    /// All of it, but for fetches that were not made.
    pub(super) fn finish(self) -> Vec<FetchAccount> {
        let told = self.fetches.into_iter().map(|account| account.told);
        told.filter(|told| !told.lookups.is_empty() || !told.calls.is_empty())
            .collect()
    }

    fn lookup(&mut self, fetch: usize, object: usize) -> Option<&mut Lookup> {
        let account = self.fetches.get_mut(fetch)?;
        let number = account.numbers.get(object)?;
        account.told.lookups.get_mut(*number)
    }
}

/// Lookups of one fetch that are told; further ones are counted.
pub(super) const MOST_LOOKUPS: usize = 100;
