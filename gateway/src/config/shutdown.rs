//! `shutdown`: graceful shutdown.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Text;
use super::reader::Reader;
use super::setting::Setting;

/// Timing of a graceful shutdown.
#[derive(Clone, Copy, Debug)]
pub struct Shutdown {
    /// Delay between failing readiness and closing the listener.
    pub notice: Duration,
    /// Time from closing the listener to the end of the process; later requests are cut off.
    pub grace: Duration,
}

/// `shutdown` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawShutdown {
    /// Delay between failing readiness (`/health/ready`) and closing the listener, for load balancers.
    #[schemars(extend("default" = NOTICE.to_text()))]
    notice: Option<Text<Duration>>,
    /// Time for requests in flight to finish after the listener is closed.
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

/// Default delay: a Weir in a terminal has no load balancer.
const NOTICE: Duration = Duration::ZERO;

/// Default grace period: shorter than the 30 seconds after which orchestrators kill a process.
const GRACE: Duration = Duration::from_secs(20);
