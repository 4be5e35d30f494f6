//! `listen`: the socket for clients, and timeouts for a request and its response.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Text;
use super::reader::Reader;
use super::setting::{Setting, Timeout};

/// The socket for clients.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// Whether GraphiQL is served.
    pub playground: Playground,
    /// Time from the start of a connection, or the last response on it, to the end of the headers.
    pub header_timeout: Duration,
    /// Time from the end of the headers to the end of the body.
    pub body_timeout: Duration,
    /// Time without progress after which a response that the client does not read is cut off.
    pub write_timeout: Duration,
    /// Maximum concurrent connections; further ones wait.
    pub connections: NonZeroUsize,
}

/// Whether GraphiQL is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playground {
    /// `/` is GraphiQL.
    Serve,
    /// `/` is 404.
    Hide,
}

/// `listen` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawListen {
    /// Address and port to listen on. Port 0 selects a free port.
    #[schemars(extend("default" = ADDRESS.to_text()))]
    address: Option<Text<SocketAddr>>,
    /// Whether GraphiQL is served at `/`.
    #[schemars(extend("default" = PLAYGROUND.to_text()))]
    playground: Option<Text<bool>>,
    /// Timeout for the headers of a request, from the start of the connection or the last response on it.
    #[schemars(extend("default" = HEADER_TIMEOUT.to_text()))]
    header_timeout: Option<Text<Timeout>>,
    /// Timeout for the body of a request.
    #[schemars(extend("default" = BODY_TIMEOUT.to_text()))]
    body_timeout: Option<Text<Timeout>>,
    /// Timeout for a client that does not read its response, from the last byte that it took.
    #[schemars(extend("default" = WRITE_TIMEOUT.to_text()))]
    write_timeout: Option<Text<Timeout>>,
    /// Maximum concurrent connections. Further ones wait; connections without a request for a second are closed for them.
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
            write_timeout: reader.value_or(self.write_timeout, WRITE_TIMEOUT).0,
            connections: reader.value_or(self.connections, CONNECTIONS),
        }
    }
}

/// Default address: reachable from this machine only.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);

/// Default of `playground`: the first start has a page to look at.
const PLAYGROUND: bool = true;

/// Default timeout for headers: longer than the idle timeout of common clients and proxies, so
/// that they close first.
const HEADER_TIMEOUT: Timeout = Timeout(Duration::from_secs(75));

/// Default timeout for a body: enough for the largest one over a slow mobile connection.
const BODY_TIMEOUT: Timeout = Timeout(Duration::from_secs(10));

/// Default timeout for a client that does not read: it may be a phone in a tunnel.
const WRITE_TIMEOUT: Timeout = Timeout(Duration::from_secs(30));

/// Default maximum connections: below common limits on open files, including calls to sources.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
