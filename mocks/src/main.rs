//! Command that runs one service of the shop, or all of them.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mocks::{Events, Recorded, Service, Settings};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The shop's services: users, products, orders and reviews over HTTP, with fault injection.
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Customers and merchants.
    Users {
        #[command(flatten)]
        host: Host,
        /// The port to listen on; 0 takes a free one.
        #[arg(long, default_value_t = USERS_PORT)]
        port: u16,
        #[command(flatten)]
        lifetimes: LifetimeArgs,
    },
    /// Products for sale, and reservations of them.
    Products {
        #[command(flatten)]
        host: Host,
        /// The port to listen on; 0 takes a free one.
        #[arg(long, default_value_t = PRODUCTS_PORT)]
        port: u16,
        #[command(flatten)]
        lifetimes: LifetimeArgs,
        #[command(flatten)]
        events: EventArgs,
    },
    /// Orders; reserves pieces at the products service.
    Orders {
        #[command(flatten)]
        host: Host,
        /// The port to listen on; 0 takes a free one.
        #[arg(long, default_value_t = ORDERS_PORT)]
        port: u16,
        /// The URL of the products service.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:5002")]
        products: String,
        #[command(flatten)]
        lifetimes: LifetimeArgs,
    },
    /// Reviews of products; a GraphQL subgraph at `/graphql`.
    Reviews {
        #[command(flatten)]
        host: Host,
        /// The port to listen on; 0 takes a free one.
        #[arg(long, default_value_t = REVIEWS_PORT)]
        port: u16,
        #[command(flatten)]
        lifetimes: LifetimeArgs,
    },
    /// All services in one process.
    All {
        #[command(flatten)]
        host: Host,
        #[command(flatten)]
        ports: Ports,
        #[command(flatten)]
        lifetimes: LifetimeArgs,
        #[command(flatten)]
        events: EventArgs,
    },
    /// Recorded responses from a folder, for the examples.
    Recorded {
        /// The folder with the recordings, `*.json`.
        folder: PathBuf,
        #[command(flatten)]
        host: Host,
        /// The port to listen on; 0 takes a free one.
        #[arg(long, default_value_t = RECORDED_PORT)]
        port: u16,
    },
}

#[derive(Args)]
struct Host {
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value_t = LOCAL)]
    host: IpAddr,
}

#[derive(Args)]
struct Ports {
    /// The port of users; 0 takes a free one, also for the other ports.
    #[arg(long = "users-port", value_name = "PORT", default_value_t = USERS_PORT)]
    users: u16,
    /// The port of products.
    #[arg(long = "products-port", value_name = "PORT", default_value_t = PRODUCTS_PORT)]
    products: u16,
    /// The port of orders.
    #[arg(long = "orders-port", value_name = "PORT", default_value_t = ORDERS_PORT)]
    orders: u16,
    /// The port of reviews.
    #[arg(long = "reviews-port", value_name = "PORT", default_value_t = REVIEWS_PORT)]
    reviews: u16,
}

#[derive(Args)]
struct LifetimeArgs {
    /// The `Cache-Control` of reads, such as `products=public, max-age=5`; an empty TEXT omits the
    /// header. KIND is one of merchants, users, products, product-lists, orders, reviews,
    /// missing (a 404).
    #[arg(long, value_name = "KIND=TEXT", value_parser = cache_control)]
    cache_control: Vec<(ReadKind, String)>,
}

#[derive(Args, Default)]
struct EventArgs {
    /// Publish changes of price and stock to a Redis stream, such as `redis://127.0.0.1:6379`.
    #[arg(long, value_name = "URL")]
    events: Option<String>,
    /// The name of the stream.
    #[arg(long, value_name = "NAME", default_value = Events::STREAM, requires = "events")]
    events_stream: String,
}

/// The kinds of reads that have a `Cache-Control` of their own.
#[derive(Clone, Copy, ValueEnum)]
enum ReadKind {
    Merchants,
    Users,
    Products,
    ProductLists,
    Orders,
    Reviews,
    Missing,
}

/// Reasons why the services do not run.
#[derive(Debug)]
enum Failure {
    Bind(SocketAddr, io::Error),
    Start(io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse().command).await {
        Ok(code) => code,
        Err(failure) => {
            print_error(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    let mut stop = StopSignals::new().map_err(Failure::Start)?;
    if let Command::Recorded { folder, host, port } = command {
        let listener = host.bind(port).await?;
        let recorded = Recorded::start_on(listener, &folder).map_err(Failure::Start)?;
        print_line(&format!("recorded {}", recorded.url()));
        print_line("Ctrl-C stops.");
        stop.wait().await;
        recorded.stop().await;
        return Ok(ExitCode::SUCCESS);
    }
    let services = start(command).await?;
    for service in &services {
        print_line(&format!("{:<8} {}", service.name(), service.url()));
    }
    print_line("Ctrl-C stops.");
    stop.wait().await;
    let mut code = ExitCode::SUCCESS;
    for mut service in services {
        let name = service.name();
        tokio::select! {
            ended = service.drain(GRACE) => if !ended {
                print_error(&format!("{name}: some calls did not finish within {GRACE:?}"));
                code = ExitCode::FAILURE;
            },
            () = stop.wait() => code = ExitCode::FAILURE,
        }
    }
    Ok(code)
}

/// Starts the services of `command`, in the order of stopping: callers before the services they
/// call.
async fn start(command: Command) -> Result<Vec<Service>, Failure> {
    let services = match command {
        Command::Users {
            host,
            port,
            lifetimes,
        } => {
            let settings = settings(lifetimes, EventArgs::default());
            vec![Service::users(host.bind(port).await?, &settings)]
        }
        Command::Products {
            host,
            port,
            lifetimes,
            events,
        } => {
            let settings = settings(lifetimes, events);
            vec![Service::products(host.bind(port).await?, &settings)]
        }
        Command::Orders {
            host,
            port,
            products,
            lifetimes,
        } => {
            let listener = host.bind(port).await?;
            let settings = settings(lifetimes, EventArgs::default());
            vec![Service::orders(listener, &products, &settings)]
        }
        Command::Reviews {
            host,
            port,
            lifetimes,
        } => {
            let settings = settings(lifetimes, EventArgs::default());
            vec![Service::reviews(host.bind(port).await?, &settings)]
        }
        Command::All {
            host,
            ports,
            lifetimes,
            events,
        } => return all(&host, &ports, &settings(lifetimes, events)).await,
        // Not a service of the shop; `run` starts it.
        Command::Recorded { .. } => Vec::new(),
    };
    let services: io::Result<_> = services.into_iter().collect();
    services.map_err(Failure::Start)
}

async fn all(host: &Host, ports: &Ports, settings: &Settings) -> Result<Vec<Service>, Failure> {
    let users = host.bind(ports.users).await?;
    let products = host.bind(ports.products).await?;
    let orders = host.bind(ports.orders).await?;
    let reviews = host.bind(ports.reviews).await?;
    let products = Service::products(products, settings).map_err(Failure::Start)?;
    let orders = Service::orders(orders, products.url(), settings);
    let services = [
        orders,
        Ok(products),
        Service::users(users, settings),
        Service::reviews(reviews, settings),
    ];
    let services: io::Result<_> = services.into_iter().collect();
    services.map_err(Failure::Start)
}

fn settings(lifetime_args: LifetimeArgs, event_args: EventArgs) -> Settings {
    let mut settings = Settings::default();
    for (kind, text) in lifetime_args.cache_control {
        let lifetimes = &mut settings.lifetimes;
        let lifetime = match kind {
            ReadKind::Merchants => &mut lifetimes.merchants,
            ReadKind::Users => &mut lifetimes.users,
            ReadKind::Products => &mut lifetimes.products,
            ReadKind::ProductLists => &mut lifetimes.product_lists,
            ReadKind::Orders => &mut lifetimes.orders,
            ReadKind::Reviews => &mut lifetimes.reviews,
            ReadKind::Missing => &mut lifetimes.missing,
        };
        *lifetime = text;
    }
    settings.events = event_args.events.map(|url| Events {
        url,
        stream: event_args.events_stream,
    });
    settings
}

/// Parses `KIND=TEXT`.
fn cache_control(argument: &str) -> Result<(ReadKind, String), String> {
    let (kind, text) = argument.split_once('=').ok_or("`=` is missing")?;
    let kind = ReadKind::from_str(kind, false)?;
    Ok((kind, text.to_owned()))
}

impl Host {
    async fn bind(&self, port: u16) -> Result<TcpListener, Failure> {
        let address = SocketAddr::new(self.host, port);
        TcpListener::bind(address)
            .await
            .map_err(|error| Failure::Bind(address, error))
    }
}

/// SIGINT and SIGTERM.
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(address, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "{address} is in use; stop the process that listens there, or choose another port"
            ),
            Self::Bind(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::Start(error) => write!(f, "cannot start: {error}"),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
fn print_line(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "the errors of the command")]
fn print_error(line: &str) {
    eprintln!("mocks: {line}");
}

const AFTER_HELP: &str = "\
State is in memory and starts fresh with each process. Each service has /openapi.yaml (the
contract), /health, /metrics, /_calls (counts by route), /_faults and /_cache_control.
To inject a fault:

  curl -X PUT -H 'content-type: application/json' http://127.0.0.1:5001/_faults \\
    -d '{\"route\": \"GET /users\", \"fault\": {\"delay_ms\": 200}}'

A fault is one of {\"delay_ms\": N}, {\"trickle_ms\": N}, {\"status\": N}, \"stall\", \"reset\",
\"not_json\", \"cut_short\", or null to remove it; without a route it applies to all routes.
DELETE /_faults removes all faults. To override the Cache-Control of reads:

  curl -X PUT -H 'content-type: application/json' http://127.0.0.1:5002/_cache_control \\
    -d '{\"route\": \"GET /products/{id}\", \"cache_control\": \"max-age=1\"}'

null restores the default, \"\" omits the header; DELETE, without a route and without a body,
removes all overrides.";

const USERS_PORT: u16 = 5001;
const PRODUCTS_PORT: u16 = 5002;
const ORDERS_PORT: u16 = 5003;
const REVIEWS_PORT: u16 = 5004;
const RECORDED_PORT: u16 = 5010;
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Maximum time for calls in progress after a signal; a second signal ends them at once.
const GRACE: Duration = Duration::from_secs(5);
