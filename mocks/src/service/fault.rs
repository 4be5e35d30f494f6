//! Faults that a service can be made to have.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A failure of a call. It occurs at the socket, as with a real service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Waits for this duration, then handles the call.
    Delay(Duration),
    /// Reads the head of the request and never responds.
    Stall,
    /// Handles the call, sends half of the response, and resets the connection.
    Reset,
    /// Handles the call, and sends the body 32 bytes at a time with this pause before each.
    Trickle(Duration),
    /// Responds with a problem of this status without handling the call; 429 and 503 with
    /// `Retry-After`.
    ///
    /// A number that is not an error status becomes 500.
    Status(u16),
    /// Responds with 200 and an HTML page as `application/json` without handling the call.
    NotJson,
    /// Handles the call, announces the whole length, sends half of the body, and closes.
    CutShort,
}

impl Fault {
    /// Checks a fault in JSON; the error is a message for the client.
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

    /// The fault in its JSON form.
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

/// Maximum pause, in milliseconds: an hour, longer than the timeout of any client.
const MAX_MILLIS: u64 = 3_600_000;
