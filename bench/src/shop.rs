//! The services behind the gateways, in a separate process.

use std::fmt::Write as _;
use std::future::pending;
use std::net::SocketAddr;

use http::Uri;
use mocks::{Lifetimes, Settings};
use serde::Deserialize;
use tokio::process::Command;

use crate::client::{ClientError, Connection};
use crate::failure::Failure;
use crate::print;
use crate::process::{Process, this_program};
use crate::server::Services;

/// The services, whose counters of calls can be read.
#[derive(Debug)]
pub(crate) struct Shop {
    /// Their URLs.
    pub(crate) services: Services,
    addresses: [SocketAddr; 3],
    process: Process,
}

impl Shop {
    /// Starts the services; they are killed when the value is dropped.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let mut command = Command::new(this_program()?);
        command.arg("shop");
        let (process, addresses) = Process::start(NAME, command, parse_announcement).await?;
        let [users, products, orders] = addresses.map(|address| format!("http://{address}"));
        Ok(Self {
            services: Services {
                users,
                products,
                orders,
            },
            addresses,
            process,
        })
    }

    /// Pauses the services until `resume`.
    pub(crate) async fn pause(&self) -> Result<(), Failure> {
        self.process.pause().await
    }

    /// Resumes the services, which then also handle the calls that arrived meanwhile.
    pub(crate) async fn resume(&self) -> Result<(), Failure> {
        self.process.resume().await
    }

    /// Total number of calls of all services since their start.
    pub(crate) async fn calls(&self) -> Result<u64, Failure> {
        let mut sum = 0;
        for address in self.addresses {
            sum += call_count(address).await.map_err(request_failed)?;
        }
        Ok(sum)
    }
}

/// The number of calls of one service. The connection is a new one: the services close connections
/// that are idle between two counts.
async fn call_count(address: SocketAddr) -> Result<u64, ClientError> {
    let mut connection = Connection::open(address).await?;
    let body = connection.get(Uri::from_static("/_calls")).await?;
    let count: CallCount = serde_json::from_slice(&body)?;
    Ok(count.calls)
}

/// Runs the services until the process is killed.
pub(crate) async fn serve() -> Result<(), Failure> {
    let public = || "public, max-age=3600".to_owned();
    let settings = Settings {
        // All responses are cacheable for longer than a run takes.
        lifetimes: Lifetimes {
            users: public(),
            products: public(),
            orders: public(),
            ..Lifetimes::default()
        },
        ..Settings::default()
    };
    let shop = mocks::Shop::start_with(settings)
        .await
        .map_err(Failure::io("cannot start the shop"))?;
    let mut line = ANNOUNCEMENT_PREFIX.to_owned();
    for service in [&shop.users, &shop.products, &shop.orders] {
        let _ = write!(line, " {}", service.url());
    }
    print::output(&line);
    pending().await
}

#[derive(Deserialize)]
struct CallCount {
    calls: u64,
}

/// The addresses of users, products and orders in the line that `serve` prints.
fn parse_announcement(line: &str) -> Option<[SocketAddr; 3]> {
    let urls = line
        .strip_prefix(ANNOUNCEMENT_PREFIX)?
        .split_ascii_whitespace();
    let addresses = urls.map(|url| url.strip_prefix("http://")?.parse().ok());
    let addresses: Option<Vec<SocketAddr>> = addresses.collect();
    addresses?.try_into().ok()
}

fn request_failed(error: ClientError) -> Failure {
    Failure::Request {
        name: NAME,
        error: Box::new(error),
    }
}

const NAME: &str = "shop";
const ANNOUNCEMENT_PREFIX: &str = "The shop's services:";
