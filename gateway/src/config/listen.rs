//! `listen`: where requests arrive, and how long a client may take to send one.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Text;
use super::reader::Reader;
use super::setting::{Setting, Timeout};

/// Where requests arrive.
#[derive(Clone, Debug)]
pub struct Listen {
    /// The address of the only socket.
    pub address: SocketAddr,
    /// Whether `/` is GraphiQL.
    pub playground: Playground,
    /// From the first byte of a connection, or the last answer on it, to the end of a head.
    pub header_timeout: Duration,
    /// From the end of a request's head to the end of its body.
    pub body_timeout: Duration,
    /// Connections at a time; further ones wait to be accepted.
    pub connections: NonZeroUsize,
}

/// Whether the page for trying operations out is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playground {
    /// GraphiQL at `/`.
    Serve,
    /// `/` is not found.
    Hide,
}

/// `listen` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawListen {
    /// The address and port to listen at. Port 0 takes any free one.
    #[schemars(extend("default" = ADDRESS.to_text()))]
    address: Option<Text<SocketAddr>>,
    /// Whether GraphiQL is served at `/`.
    #[schemars(extend("default" = PLAYGROUND.to_text()))]
    playground: Option<Text<bool>>,
    /// How long a connection may wait for the head of a request, be it the first or the next one.
    #[schemars(extend("default" = HEADER_TIMEOUT.to_text()))]
    header_timeout: Option<Text<Timeout>>,
    /// How long a client may take to send the body of a request.
    #[schemars(extend("default" = BODY_TIMEOUT.to_text()))]
    body_timeout: Option<Text<Timeout>>,
    /// How many connections are open at a time. Further ones wait to be accepted.
    #[schemars(extend("default" = CONNECTIONS.to_text()))]
    connections: Option<Text<NonZeroUsize>>,
}

impl RawListen {
    pub(super) fn check(self, reader: &mut Reader<'_>) -> Listen {
        Listen {
            address: reader.value_or(self.address, ADDRESS),
            playground: if reader.value_or(self.playground, PLAYGROUND) {
                Playground::Serve
            } else {
                Playground::Hide
            },
            header_timeout: reader.value_or(self.header_timeout, HEADER_TIMEOUT).0,
            body_timeout: reader.value_or(self.body_timeout, BODY_TIMEOUT).0,
            connections: reader.value_or(self.connections, CONNECTIONS),
        }
    }
}

/// Only this machine, until someone decides otherwise.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);

/// Who starts Weir for the first time should see something.
const PLAYGROUND: bool = true;

/// Longer than the idle time of usual clients and proxies, so that they close first.
const HEADER_TIMEOUT: Timeout = Timeout(Duration::from_secs(75));

/// Enough for the largest allowed body over a bad mobile connection.
const BODY_TIMEOUT: Timeout = Timeout(Duration::from_secs(10));

/// Below the usual limit of open files with its share for calls to sources.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
