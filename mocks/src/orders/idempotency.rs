//! `Idempotency-Key`: an order that is sent twice is placed once.
//!
//! Only placed orders are remembered; after a failure the key can be used again.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::place::NewOrder;
use crate::http::{Problem, ProblemKind};
use crate::model::Id;

/// The keys in use, and at most `MAX_KEYS` keys of placed orders.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<KeyTable>);

/// The result of a claim of a key.
#[derive(Debug)]
pub(super) enum ClaimResult {
    /// The key is new: the caller places the order, or drops the claim.
    New(Claim),
    /// The order was placed: its id, and the body of the original response.
    Done(Id, Bytes),
}

/// The exclusive right to place the order of a key. Dropping it releases the key.
#[derive(Debug)]
pub(super) struct Claim {
    keys: Arc<Keys>,
    key: String,
}

#[derive(Debug, Default)]
struct KeyTable {
    by_key: HashMap<String, KeyEntry>,
    /// The keys of placed orders, oldest first.
    done: VecDeque<String>,
}

/// The order of a key, and its result once placed.
#[derive(Debug)]
struct KeyEntry {
    order: NewOrder,
    placed: Option<(Id, Bytes)>,
}

impl Keys {
    /// Claims `key` for `order`: 422 if it was used for another order, 409 while the order is in
    /// progress.
    pub(super) fn claim(
        self: &Arc<Self>,
        key: String,
        order: &NewOrder,
    ) -> Result<ClaimResult, Problem> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match table.by_key.entry(key) {
            Entry::Vacant(free) => {
                let key = free.key().clone();
                free.insert(KeyEntry {
                    order: order.clone(),
                    placed: None,
                });
                Ok(ClaimResult::New(Claim {
                    keys: Arc::clone(self),
                    key,
                }))
            }
            Entry::Occupied(entry) if entry.get().order != *order => {
                let detail = "This `Idempotency-Key` was used for another order.";
                Err(Problem::unprocessable(detail).with_kind(ProblemKind::KeyReused))
            }
            Entry::Occupied(entry) => {
                let done = entry.get().placed.clone();
                done.map(|(id, json)| ClaimResult::Done(id, json))
                    .ok_or_else(key_in_use)
            }
        }
    }
}

impl Claim {
    /// Stores the placed order, and evicts the oldest key above `MAX_KEYS`.
    pub(super) fn complete(self, id: Id, json: Bytes) {
        let mut table = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = table.by_key.get_mut(&self.key) {
            entry.placed = Some((id, json));
        }
        table.done.push_back(self.key.clone());
        if table.done.len() > MAX_KEYS
            && let Some(oldest) = table.done.pop_front()
        {
            table.by_key.remove(&oldest);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table
            .by_key
            .get(&self.key)
            .is_some_and(|entry| entry.placed.is_none())
        {
            table.by_key.remove(&self.key);
        }
    }
}

fn key_in_use() -> Problem {
    Problem::conflict("The order of this `Idempotency-Key` is being placed.")
        .with_kind(ProblemKind::KeyInUse)
}

/// Maximum number of stored keys: hours of orders in a demo.
const MAX_KEYS: usize = 10_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_oldest_keys_are_evicted_first() {
        let keys = Arc::new(Keys::default());
        let order = json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 1 }] });
        let order: NewOrder = serde_json::from_value(order).unwrap();
        for number in 0..=MAX_KEYS {
            let ClaimResult::New(claim) = keys.claim(number.to_string(), &order).unwrap() else {
                panic!("{number} is new");
            };
            claim.complete(Id::from_index(number), Bytes::new());
        }
        let claim = |key: &str| keys.claim(key.to_owned(), &order).unwrap();
        assert!(matches!(claim("1"), ClaimResult::Done(id, _) if id == Id::from_index(1)));
        assert!(matches!(claim("0"), ClaimResult::New(_)));
        assert_eq!(keys.0.lock().unwrap().by_key.len(), MAX_KEYS);
    }
}
