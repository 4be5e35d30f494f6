//! One case: a graph, its subgraphs and an operation, answered twice and compared.

use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use resolvers::local::LocalService;
use resolvers::settings::Settings;
use resolvers::{Allow, Engine, Outcome, Request};
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

use crate::ask::Ask;
use crate::data::Data;
use crate::model::Model;
use crate::naive;
use crate::oracle::{self, Expected};
use crate::sdl::{self, Reader};
use crate::service::Service;
use crate::settings;

/// A graph that runs: the engine before services, and the schema of the whole.
pub(crate) struct Running {
    data: Arc<Data>,
    whole: Valid<Schema>,
    services: Vec<Arc<Service>>,
    changes: Arc<Mutex<Vec<String>>>,
    engine: Engine,
    runtime: Runtime,
}

/// Why a case is no good.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) what: Wrong,
    /// The plan and both answers, as far as there are any.
    pub(crate) text: String,
}

/// What is wrong; two failures with the same are taken for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// The generator's own SDL is not valid.
    Sdl,
    /// The linker refuses the subgraphs.
    Link,
    /// The generator's operation is not valid.
    Operation,
    /// The engine refuses the operation.
    Refused,
    /// A service was asked what it may not be asked.
    Asked,
    /// There are errors where there are none.
    Errors,
    /// The same members in another order.
    Order,
    Data,
    /// The root fields of a mutation ran in another order, or not once.
    Changes,
    /// Planned twice, the plans differ.
    Plans,
    /// Two requests to one service start at one moment.
    Apart,
    /// A plan that looks at one field after the other makes fewer requests.
    Many,
    Panic,
}

impl Failure {
    fn new(what: Wrong, text: impl fmt::Display) -> Self {
        let text = text.to_string();
        Self { what, text }
    }
}

impl Running {
    pub(crate) fn new(model: Model) -> Result<Self, Failure> {
        let whole = sdl::whole(&model);
        let whole = Schema::parse_and_validate(&whole, "whole")
            .map_err(|invalid| Failure::new(Wrong::Sdl, format!("{invalid}\n{whole}")))?;
        let data = Arc::new(Data::new(model));
        let changes = Arc::default();
        let names = data.model.subgraphs.iter();
        let services: Result<Vec<_>, _> = names
            .map(|name| Service::new(name, &data, &changes).map(Arc::new))
            .collect();
        let services = services.map_err(|invalid| Failure::new(Wrong::Sdl, invalid))?;
        let graph = guarded(|| linked(&data.model))?;
        let mut settings: Settings = settings::settings();
        for service in &services {
            let local: Arc<dyn LocalService> = Arc::clone(service) as _;
            settings.local.insert(service.name.to_string(), local);
        }
        let engine = Engine::new(Arc::new(graph), settings).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Ok(Self {
            data,
            whole,
            services,
            changes,
            engine,
            runtime: runtime.unwrap(),
        })
    }

    /// The model that runs.
    pub(crate) fn model(&self) -> &Model {
        &self.data.model
    }

    /// Whether clients may ask that.
    pub(crate) fn is_valid(&self, ask: &Ask) -> bool {
        ExecutableDocument::parse_and_validate(&self.whole, ask.document(), "").is_ok()
    }

    /// How many plans were cut short by the budget of planning.
    pub(crate) fn incomplete(&self) -> u64 {
        self.engine.incomplete_plans()
    }

    /// Asks both ways, and compares. How many requests were made.
    pub(crate) fn check(&self, ask: &Ask) -> Result<usize, Failure> {
        let document = ask.document();
        let parsed = ExecutableDocument::parse_and_validate(&self.whole, &document, "");
        let parsed = parsed.map_err(|invalid| Failure::new(Wrong::Operation, invalid))?;
        let expected = oracle::answer(&self.data, &self.whole, &parsed, &ask.values());
        let expected = expected.map_err(|message| Failure::new(Wrong::Operation, message))?;
        if !expected.answer.errors.is_empty() {
            let text = serde_json::to_string(&expected.answer.errors).unwrap();
            return Err(Failure::new(Wrong::Operation, text));
        }
        let plan = guarded(|| self.plan(&document))?;
        let most = naive::requests(self.model(), ask);
        let count = plan.lines().filter(|line| is_request(line)).count();
        if most.is_some_and(|most| count > most) {
            let text = format!("{count} requests, and {most:?} would do\n{plan}");
            return Err(Failure::new(Wrong::Many, text));
        }
        let asked = || self.asked(&document, ask, &expected);
        guarded(asked).map_err(|failure| Failure {
            text: format!("{plan}\n{}", failure.text),
            ..failure
        })
    }

    fn plan(&self, document: &str) -> Result<String, Failure> {
        let explained = |document: &str| {
            self.engine.plan_text(document, None).map_err(|errors| {
                let messages = errors.into_iter().map(|error| error.message);
                Failure::new(Wrong::Refused, messages.collect::<Vec<_>>().join("\n"))
            })
        };
        let plan = explained(document)?;
        // Another text, so that it is planned again.
        let again = explained(&format!("{document}#"))?;
        if plan != again {
            return Err(Failure::new(Wrong::Plans, format!("{plan}\n{again}")));
        }
        if let Some(pair) = apart(&plan) {
            return Err(Failure::new(Wrong::Apart, format!("{pair}\n{plan}")));
        }
        Ok(plan)
    }

    fn asked(&self, document: &str, ask: &Ask, expected: &Expected) -> Result<usize, Failure> {
        let data = serde_json::to_string(&expected.answer.data).unwrap();
        let changed = expected.changes.join(" ");
        let variables = serde_json::to_string(&ask.values()).unwrap();
        let request = Request {
            query: document.to_owned(),
            operation_name: None,
            variables: Some(RawValue::from_string(variables).unwrap()),
            headers: http::HeaderMap::new(),
            allow: Allow::All,
            trace: resolvers::Trace::No,
        };
        let mut out = Vec::new();
        let outcome = self
            .runtime
            .block_on(self.engine.execute(request, &mut out));
        let answered = String::from_utf8_lossy(&out);
        let (mut asked, mut refused) = (Vec::new(), Vec::new());
        for service in &self.services {
            let journal = service.journal();
            asked.extend(journal.asked);
            refused.extend(journal.refused);
        }
        let errors: Vec<String> = match outcome {
            Outcome::Executed { errors, .. } => errors.iter().map(|it| format!("{it:?}")).collect(),
            Outcome::Refused { errors } => errors.into_iter().map(|it| it.message).collect(),
        };
        let changes = std::mem::take(&mut *self.changes.lock().unwrap()).join(" ");
        let what = if !refused.is_empty() {
            Wrong::Asked
        } else if !errors.is_empty() {
            Wrong::Errors
        } else if changes != changed {
            Wrong::Changes
        } else if answered == data {
            return Ok(asked.len());
        } else if unordered(&answered) == unordered(&data) {
            Wrong::Order
        } else {
            Wrong::Data
        };
        let mut text = String::new();
        for (title, lines) in [("asked", asked), ("refused", refused), ("errors", errors)] {
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

/// The linked graph.
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

/// Two requests of a plan that go to one service and wait for the same ones.
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
        if !source.is_empty() && known.contains(&(source, after)) {
            return Some(format!("`{source}` is asked twice after {after:?}"));
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

/// Equal for answers that differ in the order of members only.
fn unordered(answer: &str) -> Option<serde_json::Value> {
    serde_json::from_str(answer).ok()
}

/// A panic is a failure too.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()));
        Err(Failure::new(Wrong::Panic, text.unwrap_or_default()))
    })
}
