//! What a process has used, read from `/proc`.

use std::time::Duration;

pub(super) struct Process(u32);

/// The use of a process since its start.
#[derive(Clone, Copy)]
pub(super) struct Usage {
    /// Time on all cores.
    pub(super) cpu: Duration,
    /// Bytes in memory.
    pub(super) resident: usize,
}

impl Process {
    pub(super) fn new(id: u32) -> Self {
        Self(id)
    }

    pub(super) fn usage(&self) -> Usage {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap();
        // The name of the process is in brackets and may have spaces.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<u64> = fields
            .split_whitespace()
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        Usage {
            cpu: Duration::from_millis((fields[11] + fields[12]) * TICK_MILLIS),
            resident: usize::try_from(fields[21]).unwrap() * PAGE,
        }
    }
}

/// Milliseconds of a clock tick on Linux.
const TICK_MILLIS: u64 = 10;

/// Bytes of a page.
const PAGE: usize = 4_096;
