//! `shutdown`: how running ends.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Text;
use super::reader::Reader;
use super::setting::Setting;

/// How running ends.
#[derive(Clone, Copy, Debug)]
pub struct Shutdown {
    /// From "not ready" to the end of accepting connections.
    pub notice: Duration,
    /// From then to the end of the process, whatever is still in flight.
    pub grace: Duration,
}

/// `shutdown` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawShutdown {
    /// How long connections are still accepted after `/health/ready` says no, so that a load balancer can notice.
    #[schemars(extend("default" = NOTICE.to_text()))]
    notice: Option<Text<Duration>>,
    /// How long requests in flight may then take to finish.
    #[schemars(extend("default" = GRACE.to_text()))]
    grace: Option<Text<Duration>>,
}

impl RawShutdown {
    pub(super) fn check(self, reader: &mut Reader<'_>) -> Shutdown {
        Shutdown {
            notice: reader.value_or(self.notice, NOTICE),
            grace: reader.value_or(self.grace, GRACE),
        }
    }
}

/// Nothing balances load before a Weir that someone stops by hand.
const NOTICE: Duration = Duration::ZERO;

/// Shorter than the 30 seconds after which orchestrators kill.
const GRACE: Duration = Duration::from_secs(20);
