//! A running service: its socket, counters, overrides and shutdown.
//!
//! The endpoints of the service are in an `Api`.

mod control;
mod fault;
mod route_overrides;
mod serve;
mod state;
mod tasks;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::fault::Fault;
use self::serve::Host;
use self::state::ServiceState;
pub(crate) use self::tasks::Tasks;
use crate::http::{Call, HttpResponse, Lifetime, Problem, Route};

/// One running service of the shop.
///
/// Runs until it is stopped or dropped; both close its socket and all its connections.
#[derive(Debug)]
pub struct Service {
    url: String,
    state: Arc<ServiceState>,
    tasks: Tasks,
    /// Cancelled to accept no further call.
    closing: CancellationToken,
}

/// The endpoints of a service.
pub(crate) trait Api: Send + Sync + 'static {
    /// One endpoint.
    type Endpoint: Copy + Send + Sync + 'static;

    /// The routes; the first match wins.
    const ROUTES: &'static [Route<Self::Endpoint>];
    /// The OpenAPI document, in YAML.
    const OPENAPI: &'static str;

    /// The name of the service, such as `users`.
    fn name(&self) -> &'static str;

    /// Additional metrics of the service.
    fn metrics(&self) -> String {
        String::new()
    }

    /// Handles a call of `endpoint`.
    fn respond(
        &self,
        endpoint: Self::Endpoint,
        call: Call<'_>,
    ) -> impl Future<Output = Result<HttpResponse, Problem>> + Send;
}

impl Service {
    /// Serves `api` on `listener`; the api runs its background work in `tasks`.
    pub(crate) fn start<A: Api>(listener: TcpListener, api: A, tasks: Tasks) -> io::Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(ServiceState::new(api.name(), A::ROUTES));
        let closing = CancellationToken::new();
        let host = Arc::new(Host {
            api,
            state: Arc::clone(&state),
        });
        tasks.start(serve::accept(listener, host, closing.clone()));
        Ok(Self {
            url,
            state,
            tasks,
            closing,
        })
    }

    /// The URL of the service, such as `http://127.0.0.1:41231`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of the service: `users`, `products`, `orders`, `reviews`, or the name passed to
    /// `graphql`.
    pub fn name(&self) -> &'static str {
        self.state.service()
    }

    /// The routes, such as `GET /users/{id}`, as `calls_to` and `fault_on` expect them.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.state.routes()
    }

    /// Number of calls since the start or the last `reset_calls`, with any response.
    ///
    /// A call is counted when the head of its request arrives. Control routes do not count.
    pub fn calls(&self) -> u64 {
        self.state.calls()
    }

    /// Number of calls of `route`, such as `GET /users/{id}`; a `HEAD` counts as a `GET`.
    ///
    /// # Panics
    ///
    /// If the route does not exist: a test that counts a misspelt one must not pass.
    #[track_caller]
    pub fn calls_to(&self, route: &str) -> u64 {
        self.state.calls_at(self.route_index(route))
    }

    /// Resets the number of calls to zero. The counters under `/metrics` are not reset.
    pub fn reset_calls(&self) {
        self.state.reset_calls();
    }

    /// Sets the fault of all routes from the next call on; `None` removes it. Faults set by
    /// `fault_on` take precedence and remain.
    pub fn fault(&self, fault: Option<Fault>) {
        self.state.faults.set(None, fault);
    }

    /// Sets the fault of one route, such as `GET /users`; takes precedence over `fault`.
    ///
    /// # Panics
    ///
    /// If the route does not exist.
    #[track_caller]
    pub fn fault_on(&self, route: &str, fault: Option<Fault>) {
        self.state.faults.set(Some(self.route_index(route)), fault);
    }

    /// Overrides the `Cache-Control` of all reads from the next call on; `None` restores the
    /// default, empty text omits the header. Overrides set by `set_cache_control_on` take
    /// precedence and remain.
    ///
    /// A read is a `GET` with status 200 or 304, or 404 for a missing entity, and a GraphQL query
    /// without errors. Other responses stay `no-store`.
    ///
    /// # Panics
    ///
    /// If the text is not a valid header value.
    #[track_caller]
    pub fn set_cache_control(&self, text: Option<&str>) {
        self.state.lifetimes.set(None, text.map(parse_lifetime));
    }

    /// Overrides the `Cache-Control` of the reads of one route, such as `GET /users/{id}`; takes
    /// precedence over `set_cache_control`.
    ///
    /// # Panics
    ///
    /// If the route does not exist, or the text is not a valid header value.
    #[track_caller]
    pub fn set_cache_control_on(&self, route: &str, text: Option<&str>) {
        let index = Some(self.route_index(route));
        self.state.lifetimes.set(index, text.map(parse_lifetime));
    }

    /// Closes the listener and all connections at once; further connects are refused.
    ///
    /// A second call has no effect.
    pub async fn stop(&mut self) {
        self.closing.cancel();
        self.tasks.stop().await;
    }

    /// Accepts no further call, waits at most `grace` for the calls in progress, then stops.
    ///
    /// Returns whether all calls finished in time.
    pub async fn drain(&mut self, grace: Duration) -> bool {
        self.closing.cancel();
        let ended = self.tasks.finish_within(grace).await;
        self.tasks.stop().await;
        ended
    }

    #[track_caller]
    fn route_index(&self, route: &str) -> usize {
        let index = self.state.index_of(route);
        assert!(index.is_some(), "{} has no route `{route}`", self.name());
        index.unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.closing.cancel();
        self.tasks.abandon();
    }
}

#[track_caller]
fn parse_lifetime(text: &str) -> Lifetime {
    let parsed = Lifetime::parse(text);
    assert!(parsed.is_ok(), "{text:?} cannot be a header");
    parsed.unwrap_or_else(|_| Lifetime::none())
}
