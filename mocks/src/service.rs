//! A service that runs: its socket, its counters, its switches, and its end.
//!
//! What it is asked and what it answers is the business of an `Api`.

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

/// One service of the shop, listening.
///
/// Lives until it is stopped or dropped; either way its socket and all its connections close.
#[derive(Debug)]
pub struct Service {
    url: String,
    state: Arc<ServiceState>,
    tasks: Tasks,
    /// Cancelled when no further call is taken.
    closing: CancellationToken,
}

/// What a service knows to do.
pub(crate) trait Api: Send + Sync + 'static {
    /// One thing that it does.
    type Endpoint: Copy + Send + Sync + 'static;

    /// Where everything is; an earlier route wins over a later one.
    const ROUTES: &'static [Route<Self::Endpoint>];
    /// The contract, in YAML.
    const OPENAPI: &'static str;

    /// What the service is called: `users`.
    fn name(&self) -> &'static str;

    /// What it has to add to `/metrics`.
    fn metrics(&self) -> String {
        String::new()
    }

    /// Does what `endpoint` stands for.
    fn respond(
        &self,
        endpoint: Self::Endpoint,
        call: Call<'_>,
    ) -> impl Future<Output = Result<HttpResponse, Problem>> + Send;
}

impl Service {
    /// Serves `api` on `listener`; `tasks` are those that the api starts work in.
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

    /// Where it listens, such as `http://127.0.0.1:41231`; no slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it is called: `users`, `products`, `orders` or `reviews`, or as its starter named it.
    pub fn name(&self) -> &'static str {
        self.state.service()
    }

    /// The routes, such as `GET /users/{id}`, in the spelling that `calls_to` and `fault_on` take.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.state.routes()
    }

    /// Calls since the start or the last `reset_calls`, whatever they were answered.
    ///
    /// Counted when the head of the request is there. Health, metrics and switches do not count.
    pub fn calls(&self) -> u64 {
        self.state.calls()
    }

    /// Those of the calls that went to `route`, such as `GET /users/{id}`; a `HEAD` counts as the
    /// `GET` it stands for.
    ///
    /// # Panics
    ///
    /// When there is no such route: a test that counts a misspelt one must not pass.
    #[track_caller]
    pub fn calls_to(&self, route: &str) -> u64 {
        self.state.calls_at(self.route_index(route))
    }

    /// Counts from zero again. The figures under `/metrics` go on.
    pub fn reset_calls(&self) {
        self.state.reset_calls();
    }

    /// Breaks every route in this way from the next call on, or with `None` mends them, except
    /// those that `fault_on` broke.
    pub fn fault(&self, fault: Option<Fault>) {
        self.state.faults.set(None, fault);
    }

    /// Breaks one route, such as `GET /users`, whatever `fault` says about all of them.
    ///
    /// # Panics
    ///
    /// When there is no such route.
    #[track_caller]
    pub fn fault_on(&self, route: &str, fault: Option<Fault>) {
        self.state.faults.set(Some(self.route_index(route)), fault);
    }

    /// Sends this `Cache-Control` with every read from the next call on, or with `None` what the
    /// service says by itself; empty text is no header. Routes of `set_cache_control_on` keep
    /// theirs.
    ///
    /// A read is a `GET` that is answered with 200, 304, or 404 for the one thing it asks for, and
    /// a GraphQL query without errors. All else stays `no-store`.
    ///
    /// # Panics
    ///
    /// When the text cannot be a header.
    #[track_caller]
    pub fn set_cache_control(&self, text: Option<&str>) {
        self.state.lifetimes.set(None, text.map(parse_lifetime));
    }

    /// The same for one route, such as `GET /users/{id}`, whatever `set_cache_control` says about
    /// all of them.
    ///
    /// # Panics
    ///
    /// When there is no such route, or the text cannot be a header.
    #[track_caller]
    pub fn set_cache_control_on(&self, route: &str, text: Option<&str>) {
        let index = Some(self.route_index(route));
        self.state.lifetimes.set(index, text.map(parse_lifetime));
    }

    /// Closes the listener and every connection at once; further connects are refused.
    ///
    /// A second call does nothing.
    pub async fn stop(&mut self) {
        self.closing.cancel();
        self.tasks.stop().await;
    }

    /// Takes no further call, lets those in progress end within `grace`, then stops.
    ///
    /// Tells whether all of them ended by themselves.
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
