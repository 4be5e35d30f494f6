//! An engine over a graph and over running services.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::HeaderMap;
use mocks::{Service, Shop};
use resolvers::error::{FieldError, FieldErrorKind, PathElement};
use resolvers::settings::{
    Batching, CallLimits, Introspection, Limits, Reports, Settings, SourceSettings,
};
use resolvers::{Allow, Engine, Outcome, Request, Trace};
use schema::diagnostic::{Diagnostic, Severity};
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The demo's graph.
pub(crate) fn commerce() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "users",
            include_str!("../../../schema/commerce/users.graphql"),
        ),
        (
            "products",
            include_str!("../../../schema/commerce/products.graphql"),
        ),
        (
            "orders",
            include_str!("../../../schema/commerce/orders.graphql"),
        ),
    ]
}

pub(crate) fn graph(subgraphs: &[(&str, &str)]) -> Arc<Graph> {
    let linked = linked(subgraphs);
    linked.unwrap_or_else(|errors| panic!("{errors}"))
}

/// The graph of some subgraphs, or all errors.
pub(crate) fn linked(subgraphs: &[(&str, &str)]) -> Result<Arc<Graph>, String> {
    let subgraphs: Vec<_> = subgraphs
        .iter()
        .map(|(name, text)| Subgraph {
            name: (*name).into(),
            url: None,
            document: Document::new(format!("{name}.graphql"), *text),
        })
        .collect();
    // Version 0.4 is the first that has connectors for interfaces and unions.
    let options = LinkOptions {
        experimental_connect: true,
        ..LinkOptions::default()
    };
    let (graph, diagnostics) = link::link(&subgraphs, options);
    let errors = diagnostics.iter();
    let errors = errors.filter(|it| it.severity == Severity::Error);
    let rendered: Vec<_> = errors.map(Diagnostic::render).collect();
    if !rendered.is_empty() {
        return Err(rendered.join("\n"));
    }
    Ok(Arc::new(graph.unwrap()))
}

/// A variable of the environment, which selects the cases of a property test.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment is the only configuration of a test"
)]
pub(crate) fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

pub(crate) fn settings() -> Settings {
    Settings {
        sources: BTreeMap::new(),
        subgraphs: BTreeMap::new(),
        local: BTreeMap::new(),
        limits: Limits {
            depth: 20,
            tokens: 10_000,
            fields: 5_000,
            selections: 5_000,
            aliases: 5_000,
            root_fields: 5_000,
            introspection_size: 1 << 20,
            response_size: 16 << 20,
            operation_memory: 128 << 20,
            source_body: 16 << 20,
            source_url: 8_000,
            source_headers: 32 << 10,
            errors: 100,
        },
        operation_timeout: Duration::from_secs(10),
        prepare_timeout: Duration::from_secs(30),
        source_timeout: Duration::from_secs(5),
        call_limits: CallLimits::default(),
        source_call_limit: None,
        batching: Batching::AcrossOperations,
        caching: None,
        environment: BTreeMap::new(),
        reports: Reports::Hide,
        operation_cache_size: 64 << 20,
        prepared_operations: NonZeroUsize::MIN,
        overrides: BTreeMap::new(),
        introspection: Introspection::Allow,
    }
}

/// Serves an application on a port of its own until the test ends; returns its address.
#[expect(
    clippy::disallowed_methods,
    reason = "the server ends with the test's runtime"
)]
pub(crate) async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

pub(crate) fn at(service: &Service) -> SourceSettings {
    at_url(service.url())
}

pub(crate) fn at_url(url: &str) -> SourceSettings {
    SourceSettings {
        url: Some(url.parse().unwrap()),
        ..SourceSettings::default()
    }
}

/// Settings for a graph `g` whose source `api` is at `url`.
pub(crate) fn settings_at(url: &str) -> Settings {
    let mut settings = settings();
    settings.sources.insert("g.api".to_owned(), at_url(url));
    settings
}

/// A request with a query alone: no variables, no headers.
pub(crate) fn request(query: &str) -> Request {
    Request {
        query: query.to_owned(),
        operation_name: None,
        variables: None,
        headers: HeaderMap::new(),
        allow: Allow::All,
        trace: Trace::No,
    }
}

/// An engine over the shop's graph and running services.
pub(crate) struct Running {
    pub(crate) shop: Shop,
    pub(crate) engine: Engine,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let shop = Shop::start().await.unwrap();
        let mut settings = settings();
        for service in [&shop.users, &shop.products, &shop.orders] {
            let name = format!("{0}.{0}", service.name());
            settings.sources.insert(name, at(service));
        }
        change(&mut settings);
        let engine = Engine::new(graph(&commerce()), settings).unwrap();
        Self { shop, engine }
    }

    pub(crate) async fn execute(&self, query: &str) -> Value {
        execute(&self.engine, query, json!({})).await
    }

    /// Calls to users, products and orders since the start.
    pub(crate) fn calls(&self) -> [u64; 3] {
        let shop = &self.shop;
        [&shop.users, &shop.products, &shop.orders].map(Service::calls)
    }
}

/// Executes an operation and returns the data, or data and errors in a short form.
pub(crate) async fn execute(engine: &Engine, query: &str, variables: Value) -> Value {
    execute_with(engine, query, variables, HeaderMap::new()).await
}

pub(crate) async fn execute_with(
    engine: &Engine,
    query: &str,
    variables: Value,
    headers: HeaderMap,
) -> Value {
    let request = Request {
        variables: Some(RawValue::from_string(variables.to_string()).unwrap()),
        headers,
        ..request(query)
    };
    let mut out = Vec::new();
    match engine.execute(request, &mut out).await {
        Outcome::Executed { errors, .. } => {
            let data: Value = serde_json::from_slice(&out).unwrap();
            let errors: Vec<String> = errors.iter().map(line).collect();
            if errors.is_empty() {
                data
            } else {
                json!({ "data": data, "errors": errors })
            }
        }
        Outcome::Cached { response, .. } => {
            assert!(out.is_empty());
            serde_json::from_slice::<Value>(&response.body).unwrap()["data"].take()
        }
        Outcome::Refused { errors } => {
            assert!(out.is_empty());
            let errors: Vec<_> = errors
                .iter()
                .map(|error| format!("{:?} {:?}: {}", error.kind, error.locations, error.message))
                .collect();
            json!({ "refused": errors })
        }
    }
}

/// An error as `path.0.name: message`.
fn line(error: &FieldError) -> String {
    let path: Vec<String> = error
        .path
        .iter()
        .map(|step| match step {
            PathElement::Key(key) => key.to_string(),
            PathElement::Index(index) => index.to_string(),
        })
        .collect();
    let what = match &error.kind {
        FieldErrorKind::NonNull { coordinate } => format!("{coordinate} is null"),
        FieldErrorKind::WrongType {
            coordinate,
            type_name,
        } => format!("{coordinate} is not {type_name}"),
        FieldErrorKind::Fetch(failure) => format!("{}: {}", failure.coordinate, failure.error),
        FieldErrorKind::More(count) => format!("{count} more"),
        FieldErrorKind::ResponseTooLarge(limit) => format!("more than {limit} bytes"),
    };
    format!("{}: {what}", path.join("."))
}
