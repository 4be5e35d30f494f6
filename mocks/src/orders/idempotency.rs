//! `Idempotency-Key`: an order that is sent twice is placed once.
//!
//! Only orders that were placed are remembered; after a failure the same key may try again.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::place::NewOrder;
use crate::http::{Problem, ProblemKind};
use crate::model::Id;

/// The keys that are known, at most `MAX_KEYS` of those that are done with.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<Known>);

/// What a key was found to be.
#[derive(Debug)]
pub(super) enum Claimed {
    /// New: the caller does the work, or drops the claim.
    Mine(Claim),
    /// Its order was placed; the id and the answer of then.
    Done(Id, Bytes),
}

/// The right to place the order of one key. Dropping it frees the key.
#[derive(Debug)]
pub(super) struct Claim {
    keys: Arc<Keys>,
    key: String,
}

#[derive(Debug, Default)]
struct Known {
    by_key: HashMap<String, Use>,
    /// The keys that are done with, oldest first.
    done: VecDeque<String>,
}

/// What a key is used for, and what came of it.
#[derive(Debug)]
struct Use {
    order: NewOrder,
    placed: Option<(Id, Bytes)>,
}

impl Keys {
    /// Claims `key` for `order`: 422 when it belongs to another order, 409 while that one is being
    /// placed.
    pub(super) fn claim(
        self: &Arc<Self>,
        key: String,
        order: &NewOrder,
    ) -> Result<Claimed, Problem> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.by_key.entry(key) {
            Entry::Vacant(free) => {
                let key = free.key().clone();
                free.insert(Use {
                    order: order.clone(),
                    placed: None,
                });
                Ok(Claimed::Mine(Claim {
                    keys: Arc::clone(self),
                    key,
                }))
            }
            Entry::Occupied(known) if known.get().order != *order => {
                let detail = "This `Idempotency-Key` was used for another order.";
                Err(Problem::unprocessable(detail).kind(ProblemKind::KeyReused))
            }
            Entry::Occupied(known) => {
                let done = known.get().placed.clone();
                done.map(|(id, json)| Claimed::Done(id, json))
                    .ok_or_else(being_placed)
            }
        }
    }
}

impl Claim {
    /// Remembers the order that was placed.
    pub(super) fn fulfil(self, id: Id, json: Bytes) {
        let mut known = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.by_key.get_mut(&self.key) {
            known.placed = Some((id, json));
        }
        known.done.push_back(self.key.clone());
        if known.done.len() > MAX_KEYS
            && let Some(oldest) = known.done.pop_front()
        {
            known.by_key.remove(&oldest);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut known = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known
            .by_key
            .get(&self.key)
            .is_some_and(|of| of.placed.is_none())
        {
            known.by_key.remove(&self.key);
        }
    }
}

fn being_placed() -> Problem {
    Problem::conflict("The order of this `Idempotency-Key` is being placed.")
        .kind(ProblemKind::KeyInUse)
}

/// Hours of orders at the pace of a demo.
const MAX_KEYS: usize = 10_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_oldest_keys_are_forgotten_first() {
        let keys = Arc::new(Keys::default());
        let order = json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 1 }] });
        let order: NewOrder = serde_json::from_value(order).unwrap();
        for number in 0..=MAX_KEYS {
            let Claimed::Mine(claim) = keys.claim(number.to_string(), &order).unwrap() else {
                panic!("{number} is new");
            };
            claim.fulfil(Id::at(number), Bytes::new());
        }
        let claim = |key: &str| keys.claim(key.to_owned(), &order).unwrap();
        assert!(matches!(claim("1"), Claimed::Done(id, _) if id == Id::at(1)));
        assert!(matches!(claim("0"), Claimed::Mine(_)));
        assert_eq!(keys.0.lock().unwrap().by_key.len(), MAX_KEYS);
    }
}
