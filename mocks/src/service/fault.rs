//! The ways in which a service breaks on command.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What goes wrong with a call. It happens at the socket, as it would with a real service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Waits this long, then does as asked.
    Delay(Duration),
    /// Reads the request, does nothing, and never answers.
    Stall,
    /// Does as asked, answers half of it, and resets the connection.
    Reset,
    /// Does as asked, and answers 32 bytes at a time with this pause before each.
    Trickle(Duration),
    /// Does nothing, and answers a problem with this status; 429 and 503 with `Retry-After`.
    ///
    /// A number that is no status is answered as 500.
    Status(u16),
    /// Does nothing, and answers 200 with a page of HTML that claims to be JSON.
    NotJson,
    /// Does as asked, announces the whole length, sends half, and closes.
    CutShort,
}

impl Fault {
    /// The fault that somebody wrote, or why it cannot be.
    pub(super) fn from_json(json: FaultJson) -> Result<Self, String> {
        let duration = |millis: u64| {
            if millis > MAX_MILLIS {
                return Err(format!("a pause is at most {MAX_MILLIS} milliseconds"));
            }
            Ok(Duration::from_millis(millis))
        };
        Ok(match json {
            FaultJson::DelayMs(millis) => Self::Delay(duration(millis)?),
            FaultJson::TrickleMs(millis) => Self::Trickle(duration(millis)?),
            FaultJson::Status(status @ 400..=599) => Self::Status(status),
            FaultJson::Status(status) => {
                return Err(format!("a status is from 400 to 599, not {status}"));
            }
            FaultJson::Stall => Self::Stall,
            FaultJson::Reset => Self::Reset,
            FaultJson::NotJson => Self::NotJson,
            FaultJson::CutShort => Self::CutShort,
        })
    }

    /// The fault as people write it.
    pub(super) fn to_json(self) -> FaultJson {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match self {
            Self::Delay(pause) => FaultJson::DelayMs(millis(pause)),
            Self::Trickle(pause) => FaultJson::TrickleMs(millis(pause)),
            Self::Status(status) => FaultJson::Status(status),
            Self::Stall => FaultJson::Stall,
            Self::Reset => FaultJson::Reset,
            Self::NotJson => FaultJson::NotJson,
            Self::CutShort => FaultJson::CutShort,
        }
    }
}

/// A fault in JSON: `"stall"`, `{"delay_ms":200}`, `{"status":503}`, …
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FaultJson {
    DelayMs(u64),
    Stall,
    Reset,
    TrickleMs(u64),
    Status(u16),
    NotJson,
    CutShort,
}

/// An hour outlasts every client.
const MAX_MILLIS: u64 = 3_600_000;
