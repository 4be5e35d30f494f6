//! One case: a graph, its subgraphs and an operation, executed by Weir and by the oracle.

use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use resolvers::settings::{Caching, Settings, SourceSettings, SubgraphSettings};
use resolvers::{Allow, Engine, Outcome, Request};
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

use crate::arrivals::{Arrivals, Order};
use crate::data::Data;
use crate::model::Model;
use crate::naive;
use crate::operation::Operation;
use crate::oracle::{self, Expected};
use crate::rest;
use crate::sdl::{self, Reader};
use crate::service::{Service, Shared};
use crate::settings;

/// A graph that runs: the engine over its subgraphs, and the schema of the whole.
pub(crate) struct Running {
    pub(crate) data: Arc<Data>,
    pub(crate) whole: Valid<Schema>,
    pub(crate) arrivals: Arc<Arrivals>,
    changes: Arc<Mutex<Vec<String>>>,
    place: Place,
    pub(crate) engine: Engine,
    /// Whether operations with faults run with a cache, too.
    pub(crate) uses_cache: bool,
    runtime: Runtime,
}

/// A response and what the services saw.
pub(crate) struct Response {
    /// The JSON of `data`.
    pub(crate) data: String,
    pub(crate) outcome: Outcome,
    pub(crate) requests: Vec<String>,
    /// Requests that a gateway must not send.
    pub(crate) rejected: Vec<String>,
    /// The root fields of a mutation that ran.
    pub(crate) changes: Vec<String>,
}

/// The failure of a case.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) what: Wrong,
    /// The plan and both answers, if any.
    pub(crate) text: String,
}

/// The kind of a failure; shrinking preserves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// The generated SDL is not valid.
    Sdl,
    /// The linker rejects the subgraphs.
    Link,
    /// The generated operation is not valid.
    Operation,
    /// The engine rejects the operation.
    Rejected,
    /// A service received a request that it must not receive.
    Request,
    /// The answer has errors, and none are expected.
    Errors,
    /// The members are in another order.
    Order,
    Data,
    /// The root fields of a mutation ran in another order, or not once.
    Changes,
    /// Planning twice produces different plans.
    Plans,
    /// Two requests of one step go to one service.
    Apart,
    /// A naive plan has fewer requests.
    Many,
    Panic,
    /// The error paths are not those of the faults.
    ErrorPaths,
    /// A response with errors may be cached, or one without may not.
    Reuse,
    /// After the faults are gone the response is not the one of the data.
    Afterwards,
}

impl Failure {
    pub(crate) fn new(what: Wrong, text: impl fmt::Display) -> Self {
        let text = text.to_string();
        Self { what, text }
    }
}

impl Running {
    pub(crate) fn new(model: Model) -> Result<Self, Failure> {
        let whole = sdl::whole(&model);
        let whole = Schema::parse_and_validate(&whole, "whole")
            .map_err(|invalid| Failure::new(Wrong::Sdl, format!("{invalid}\n{whole}")))?;
        let shared = Shared {
            data: Arc::new(Data::new(model)),
            changes: Arc::default(),
            arrivals: Arc::default(),
        };
        let names = shared.data.model.subgraphs.iter();
        let services: Result<Vec<_>, _> = names
            .map(|name| Service::new(name, shared.clone()).map(Arc::new))
            .collect();
        let services = services.map_err(|invalid| Failure::new(Wrong::Sdl, invalid))?;
        let graph = Arc::new(guarded(|| linked(&shared.data.model))?);
        let runtime = runtime();
        let served: Vec<_> = services
            .iter()
            .filter(|it| it.is_over_http())
            .cloned()
            .collect();
        let url = (!served.is_empty()).then(|| runtime.block_on(rest::serve(served)));
        let place = Place {
            graph,
            services,
            url,
        };
        let engine = place.engine(None);
        let Shared {
            data,
            changes,
            arrivals,
        } = shared;
        Ok(Self {
            data,
            whole,
            arrivals,
            changes,
            place,
            engine,
            uses_cache: true,
            runtime,
        })
    }

    /// Another engine over the same services, with an empty cache.
    pub(crate) fn cached_engine(&self) -> Engine {
        let caching = settings::caching(&self.model().subgraphs);
        self.place.engine(Some(caching))
    }

    /// The model of the graph.
    pub(crate) fn model(&self) -> &Model {
        &self.data.model
    }

    /// Whether the operation is valid for clients.
    pub(crate) fn is_valid(&self, operation: &Operation) -> bool {
        ExecutableDocument::parse_and_validate(&self.whole, operation.document(), "").is_ok()
    }

    /// Number of plans whose search exceeded the budget.
    pub(crate) fn incomplete(&self) -> u64 {
        self.engine.incomplete_plans()
    }

    /// Executes the operation both ways, compares, and returns the number of requests.
    pub(crate) fn check(&self, operation: &Operation) -> Result<usize, Failure> {
        let document = operation.document();
        let parsed = ExecutableDocument::parse_and_validate(&self.whole, &document, "");
        let parsed = parsed.map_err(|invalid| Failure::new(Wrong::Operation, invalid))?;
        let expected = oracle::answer(&self.data, &self.whole, &parsed, &operation.values());
        let expected = expected.map_err(|message| Failure::new(Wrong::Operation, message))?;
        if !expected.answer.errors.is_empty() {
            let text = serde_json::to_string(&expected.answer.errors).unwrap();
            return Err(Failure::new(Wrong::Operation, text));
        }
        let plan = guarded(|| self.plan(&document))?;
        let naive_count = naive::requests(self.model(), operation);
        let count = plan.lines().filter(|line| is_request(line)).count();
        if naive_count.is_some_and(|naive_count| count > naive_count) {
            let text = format!("{count} requests, and a naive plan has {naive_count:?}\n{plan}");
            return Err(Failure::new(Wrong::Many, text));
        }
        let execute = || self.execute(operation, &expected);
        guarded(execute).map_err(|failure| Failure {
            text: format!("{plan}\n{}", failure.text),
            ..failure
        })
    }

    fn plan(&self, document: &str) -> Result<String, Failure> {
        let explained = |document: &str| {
            self.engine.plan_text(document, None).map_err(|errors| {
                let messages = errors.into_iter().map(|error| error.message);
                Failure::new(Wrong::Rejected, messages.collect::<Vec<_>>().join("\n"))
            })
        };
        let plan = explained(document)?;
        // The text differs, so that it is planned again.
        let again = explained(&format!("{document}#"))?;
        if plan != again {
            return Err(Failure::new(Wrong::Plans, format!("{plan}\n{again}")));
        }
        if let Some(pair) = apart(&plan).filter(|_| !self.model().has_contexts()) {
            return Err(Failure::new(Wrong::Apart, format!("{pair}\n{plan}")));
        }
        Ok(plan)
    }

    /// Sends the operation to an engine, and waits for the response.
    pub(crate) fn respond(&self, engine: &Engine, operation: &Operation, order: Order) -> Response {
        let variables = serde_json::to_string(&operation.values()).unwrap();
        let request = Request {
            query: operation.document(),
            operation_name: None,
            variables: Some(RawValue::from_string(variables).unwrap()),
            headers: http::HeaderMap::new(),
            allow: Allow::All,
            trace: resolvers::Trace::No,
        };
        let mut out = Vec::new();
        let execution = self
            .arrivals
            .during(order, engine.execute(request, &mut out));
        let outcome = self.runtime.block_on(execution);
        let (mut requests, mut rejected) = (Vec::new(), Vec::new());
        for service in &self.place.services {
            let journal = service.journal();
            requests.extend(journal.requests);
            rejected.extend(journal.rejected);
        }
        Response {
            data: String::from_utf8_lossy(&out).into_owned(),
            outcome,
            requests,
            rejected,
            changes: std::mem::take(&mut *self.changes.lock().unwrap()),
        }
    }

    fn execute(&self, operation: &Operation, expected: &Expected) -> Result<usize, Failure> {
        let data = serde_json::to_string(&expected.answer.data).unwrap();
        let changed = expected.changes.join(" ");
        let Response {
            data: answered,
            outcome,
            requests,
            rejected,
            changes,
        } = self.respond(&self.engine, operation, Order::AtOnce);
        let errors: Vec<String> = match outcome {
            Outcome::Executed { errors, .. } => errors.iter().map(|it| format!("{it:?}")).collect(),
            Outcome::Cached { .. } => Vec::new(),
            Outcome::Refused { errors } => errors.into_iter().map(|it| it.message).collect(),
        };
        let changes = changes.join(" ");
        let what = if !rejected.is_empty() {
            Wrong::Request
        } else if !errors.is_empty() {
            Wrong::Errors
        } else if changes != changed {
            Wrong::Changes
        } else if answered == data {
            return Ok(requests.len());
        } else if unordered(&answered) == unordered(&data) {
            Wrong::Order
        } else {
            Wrong::Data
        };
        let mut text = String::new();
        for (title, lines) in [
            ("requests", requests),
            ("rejected", rejected),
            ("errors", errors),
        ] {
            if !lines.is_empty() {
                let _ = writeln!(text, "{title}:\n  {}", lines.join("\n  "));
            }
        }
        let _ = write!(
            text,
            "expected {data} {changed}\nanswered {answered} {changes}"
        );
        Err(Failure::new(what, text))
    }
}

/// What engines over one graph have in common.
struct Place {
    graph: Arc<Graph>,
    services: Vec<Arc<Service>>,
    /// The address of services over HTTP.
    url: Option<String>,
}

impl Place {
    fn engine(&self, caching: Option<Caching>) -> Engine {
        let mut settings: Settings = settings::settings();
        settings.caching = caching;
        for service in &self.services {
            let name = service.name.to_string();
            let url = self
                .url
                .as_ref()
                .map(|url| format!("{url}/{name}").parse().unwrap());
            if service.is_rest() {
                let source = SourceSettings {
                    url,
                    ..SourceSettings::default()
                };
                settings.sources.insert(format!("{name}.api"), source);
            } else if service.is_over_http() {
                let subgraph = SubgraphSettings {
                    url,
                    ..SubgraphSettings::default()
                };
                settings.subgraphs.insert(name, subgraph);
            } else {
                settings.local.insert(name, Arc::clone(service) as _);
            }
        }
        Engine::new(Arc::clone(&self.graph), settings).unwrap()
    }
}

/// A runtime on this thread, which looks for network events after each task.
fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().event_interval(1).build().unwrap()
}

/// Links the subgraphs.
fn linked(model: &Model) -> Result<Graph, Failure> {
    let subgraphs = model.subgraphs.iter().map(|name| Subgraph {
        name: Arc::clone(name),
        url: None,
        document: Document::new(
            format!("{name}.graphql"),
            sdl::subgraph(model, name, Reader::Linker),
        ),
    });
    let subgraphs: Vec<Subgraph> = subgraphs.collect();
    let (graph, diagnostics) = link::link(&subgraphs, LinkOptions::default());
    graph.ok_or_else(|| {
        let rendered = diagnostics
            .iter()
            .map(schema::diagnostic::Diagnostic::render);
        Failure::new(Wrong::Link, rendered.collect::<Vec<_>>().join("\n"))
    })
}

/// Two requests of a plan to one subgraph that wait for the same ones. Calls of connectors are not
/// joined.
fn apart(plan: &str) -> Option<String> {
    let mut known: Vec<(&str, &str)> = Vec::new();
    let (mut source, mut after) = ("", "");
    for line in plan.lines().chain(["0. "]) {
        if let Some(waits) = line.strip_prefix("   after ") {
            after = waits;
        }
        if !is_request(line) {
            continue;
        }
        let is_connector = source.contains(':');
        if !source.is_empty() && !is_connector && known.contains(&(source, after)) {
            return Some(format!("`{source}` has two requests after {after:?}"));
        }
        known.push((source, after));
        source = line.split(' ').nth(1).unwrap_or_default();
        after = "";
    }
    None
}

/// Whether a line of a plan begins a request.
fn is_request(line: &str) -> bool {
    line.starts_with(|char: char| char.is_ascii_digit())
}

/// The answer as JSON, which compares without the order of members.
pub(crate) fn unordered(answer: &str) -> Option<serde_json::Value> {
    serde_json::from_str(answer).ok()
}

/// Runs `work`, and returns a panic as a failure.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()));
        Err(Failure::new(Wrong::Panic, text.unwrap_or_default()))
    })
}
