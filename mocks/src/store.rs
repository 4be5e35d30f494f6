//! Entities beside their JSON, so that a read copies bytes and serializes nothing.
//!
//! Has no lock and is independent of the entity types; the owner of the rows guards them.

use bytes::Bytes;
use serde::Serialize;

/// One entity with its JSON and hash, which always match its value.
#[derive(Debug)]
pub(crate) struct Row<T> {
    value: T,
    json: Bytes,
    hash: u64,
}

impl<T: Serialize> Row<T> {
    /// Serializes `value` once.
    pub(crate) fn new(value: T) -> Self {
        let json = render(&value);
        let hash = fingerprint(&json);
        Self { value, json, hash }
    }

    /// Changes the entity and serializes it again.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut T)) {
        change(&mut self.value);
        self.json = render(&self.value);
        self.hash = fingerprint(&self.json);
    }
}

impl<T> Row<T> {
    pub(crate) fn value(&self) -> &T {
        &self.value
    }

    /// The entity as JSON.
    pub(crate) fn json(&self) -> &Bytes {
        &self.json
    }

    /// The hash of the JSON, for its `ETag`.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

/// Serializes a model to JSON.
#[expect(
    clippy::expect_used,
    reason = "serde_json fails on map keys that are not text and on `Serialize` impls that fail; \
              the models have neither, and the writer is memory"
)]
pub(crate) fn render<T: Serialize + ?Sized>(value: &T) -> Bytes {
    Bytes::from(serde_json::to_vec(value).expect("models always serialize"))
}

/// A 64-bit digest that distinguishes versions; not resistant to attackers.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    // FNV-1a, then mixed, because the low bits of FNV are weak.
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(fnv)
}

/// Spreads every bit of `bits` over the whole word (the finisher of splitmix64).
pub(crate) const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
