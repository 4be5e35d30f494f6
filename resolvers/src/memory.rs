//! The memory of one execution: responses of sources while they arrive, and the result tree.
//!
//! Each response has a maximum of its own; the meter bounds the sum of all that one operation
//! holds. It counts what grows with the responses, not what is bounded by the document.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that one execution holds, and their maximum. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct MemoryMeter {
    used: Arc<AtomicUsize>,
    limit: usize,
}

/// The execution would hold more than its maximum, which is in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemoryExceeded(pub(crate) usize);

impl MemoryMeter {
    /// A meter of an execution that may hold `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let used = Arc::default();
        Self { used, limit }
    }

    /// Counts bytes that are held until the execution ends. They count even where they exceed the
    /// maximum, so that everything after them is refused.
    pub(crate) fn charge(&self, bytes: usize) -> Result<(), MemoryExceeded> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.limit {
            return Err(MemoryExceeded(self.limit));
        }
        Ok(())
    }

    /// How many more bytes the execution may hold.
    pub(crate) fn remaining(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    pub(crate) fn exceeded(&self) -> MemoryExceeded {
        MemoryExceeded(self.limit)
    }
}

/// A part of the memory that is released when this is dropped, such as a body that arrives.
#[derive(Debug)]
pub(crate) struct HeldMemory {
    meter: Option<MemoryMeter>,
    bytes: usize,
}

impl HeldMemory {
    /// Holds nothing yet; without a meter, it never exceeds.
    pub(crate) fn new(meter: Option<MemoryMeter>) -> Self {
        Self { meter, bytes: 0 }
    }

    /// Holds more bytes.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), MemoryExceeded> {
        let Some(meter) = &self.meter else {
            return Ok(());
        };
        self.bytes += bytes;
        meter.charge(bytes)
    }
}

impl Drop for HeldMemory {
    fn drop(&mut self) {
        if let Some(meter) = &self.meter {
            meter.used.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_over_the_maximum_are_refused() {
        let meter = MemoryMeter::new(10);

        assert_eq!(meter.charge(10), Ok(()));
        assert_eq!(meter.remaining(), 0);
        assert_eq!(meter.charge(1), Err(MemoryExceeded(10)));
        assert_eq!(meter.charge(0), Err(MemoryExceeded(10)));
    }

    #[test]
    fn dropped_bodies_are_released() {
        let meter = MemoryMeter::new(10);
        let mut held = HeldMemory::new(Some(meter.clone()));

        assert_eq!(held.grow(8), Ok(()));
        assert_eq!(held.grow(8), Err(MemoryExceeded(10)));
        drop(held);

        assert_eq!(meter.remaining(), 10);
    }
}
