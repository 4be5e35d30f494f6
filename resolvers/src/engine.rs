//! The front of the crate: one engine a graph.

use std::sync::Arc;
use std::time::Duration;

use schema::graph::Graph;
use schema::operation::{Operation, OperationKind, Variables};
use serde_json::value::RawValue;
use tokio::time::Instant;

use self::mutation::MutationInvalidation;
use crate::batch::Loader;
use crate::cache::{Claim, Reuse};
use crate::entity_cache::response::{
    CachedResponse, ResponseLookup, ResponseOutcome, ResponseRequest, store_response,
};
use crate::error::{ConnectorReport, FetchFailure, FieldError, RequestError, RequestErrorKind};
use crate::execute::{Context, execute};
use crate::memory::MemoryMeter;
use crate::operations::{OperationCacheUsage, Operations};
use crate::prepared::PreparedOperation;
use crate::project::{ProjectionInput, project};
use crate::selection::{ROOT, SlotOrigin};
use crate::settings::{Batching, Settings};
use crate::source_client::Sources;
use crate::source_client::call_gate::SourceLoad;
use crate::trace::{Lookup, OperationTrace, Trace};
use crate::tree::Tree;
use crate::warning::SourceWarning;

mod mutation;

/// Executes operations over one graph. Immutable; share it behind an `Arc`.
#[derive(Debug)]
pub struct Engine {
    graph: Arc<Graph>,
    settings: Arc<Settings>,
    sources: Arc<Sources>,
    /// Shares calls between operations.
    loader: Option<Arc<Loader>>,
    operations: Arc<Operations>,
}

/// Why an engine could not be created.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The HTTP client could not be set up.
    #[error("the HTTP client for calls to sources cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// One operation to execute.
#[derive(Debug)]
pub struct Request {
    /// The document.
    pub query: String,
    /// The name of the operation in the document; required if it has several.
    pub operation_name: Option<String>,
    /// A JSON object with the values of variables.
    pub variables: Option<Box<RawValue>>,
    /// The client's headers, for sources that some are forwarded to.
    pub headers: http::HeaderMap,
    /// Which operations may be executed.
    pub allow: Allow,
    /// Whether to record a trace.
    pub trace: Trace,
}

/// Which operations a request may execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Queries and mutations.
    All,
    /// Queries only, as for `GET` (GraphQL over HTTP, section 5.2).
    Queries,
}

/// How a request ended.
#[derive(Debug)]
pub enum Outcome {
    /// The operation was executed; the JSON of `data` was appended to the output.
    Executed {
        /// Errors of fields, in the order of the response.
        errors: Vec<FieldError>,
        /// Every call that failed, once.
        failures: Vec<Arc<FetchFailure>>,
        /// Errors that mappings raise for clients, and, where the settings show them, reports of
        /// their evaluation.
        reports: Vec<ConnectorReport>,
        /// Responses that were mapped, but are probably not what their connectors expect.
        warnings: Vec<SourceWarning>,
        /// How long, and for whom, the response may be reused; `None` without a cache and for
        /// mutations.
        reuse: Option<Reuse>,
        /// The trace, if the request asked for one.
        trace: OperationTrace,
    },
    /// The whole response came from the cache; nothing was executed, nothing was appended.
    Cached {
        /// The response.
        response: CachedResponse,
        /// The trace, if the request asked for one.
        trace: OperationTrace,
    },
    /// Nothing was executed, nothing was appended.
    Refused {
        /// At least one error.
        errors: Vec<RequestError>,
    },
}

/// A request with the plan of its operation.
#[derive(Clone, Copy)]
struct PlannedRequest<'a> {
    request: &'a Request,
    prepared: &'a Arc<PreparedOperation>,
    variables: &'a Variables,
    deadline: Instant,
}

impl Engine {
    /// An engine for `graph`.
    pub fn new(graph: Arc<Graph>, settings: Settings) -> Result<Self, EngineError> {
        let sources = Sources::new(Arc::clone(&graph), &settings).map_err(EngineError::Client)?;
        let sources = Arc::new(sources);
        let loader = match settings.batching {
            Batching::AcrossOperations => {
                let cache = settings.caching.as_ref().map(|it| it.cache.clone());
                Some(Arc::new(
                    Loader::new(Arc::clone(&sources)).with_cache(cache),
                ))
            }
            Batching::WithinOperation => None,
        };
        let settings = Arc::new(settings);
        let operations = Operations::new(
            Arc::clone(&graph),
            Arc::clone(&settings),
            Arc::clone(&sources),
        );
        Ok(Self {
            operations: Arc::new(operations),
            graph,
            settings,
            sources,
            loader,
        })
    }

    /// Executes one operation and appends the JSON of `data` to `out`.
    ///
    /// Returns within the operation timeout; fetches that are not done by then have failed.
    pub async fn execute(&self, request: Request, out: &mut Vec<u8>) -> Outcome {
        match self.run(&request, out).await {
            Ok(executed) => executed,
            Err(errors) => Outcome::Refused { errors },
        }
    }

    async fn run(
        &self,
        request: &Request,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Vec<RequestError>> {
        let deadline = Instant::now() + self.settings.operation_timeout;
        let name = request.operation_name.as_deref();
        let cached = self.operations.read(&request.query, name).await?;
        let operation = cached.operation();
        check_allowed(operation, request.allow).map_err(|error| vec![error])?;
        let json = request.variables.as_deref().map(RawValue::get);
        let variables = self.operations.coerce_variables(&cached, json).await?;
        let prepared = self.operations.prepare(&cached, &variables).await?;
        let operation = PlannedRequest {
            request,
            prepared: &prepared,
            variables: &variables,
            deadline,
        };
        let lookup = self.cached_response(operation).await;
        let claim = match lookup.outcome {
            ResponseOutcome::Hit(response) => {
                let trace = OperationTrace {
                    response: lookup.trace,
                    fetches: Vec::new(),
                };
                return Ok(Outcome::Cached { response, trace });
            }
            ResponseOutcome::Miss(claim) => Some(claim),
            ResponseOutcome::Bypassed => None,
        };
        self.execute_planned(operation, (claim, lookup.trace), out)
            .await
    }

    /// Makes a response from its parts; one with a claim is cached where that is possible.
    async fn execute_planned(
        &self,
        operation: PlannedRequest<'_>,
        (claim, lookup): (Option<Claim>, Option<Lookup>),
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Vec<RequestError>> {
        let PlannedRequest {
            prepared,
            variables,
            ..
        } = operation;
        let memory = MemoryMeter::new(self.settings.limits.operation_memory);
        let tree = self
            .introspection_tree(prepared, variables, memory.clone())
            .await?;
        let is_query = prepared.operation.kind == OperationKind::Query;
        let caching = self.settings.caching.as_ref();
        let context = self.context(operation, claim.is_some(), memory);
        let invalidation = MutationInvalidation::new(context.loader, caching, prepared, variables);
        let executed = execute(&context, tree).await;
        invalidation.finish(&executed.tree).await;
        let start = out.len();
        let errors = project(
            &prepared.response_program,
            ProjectionInput {
                tree: &executed.tree,
                failures: &executed.failures,
                variables,
                error_limit: self.settings.limits.errors,
                max_bytes: self.settings.limits.response_size,
            },
            out,
        );
        // A response without a part of its data must not be reused.
        let is_partial = !errors.is_empty() || !executed.failures.is_empty();
        if let Some(claim) = claim {
            let has_reports = !executed.reports.is_empty() || !executed.warnings.is_empty();
            let is_complete = !is_partial && !has_reports;
            let dependencies = executed.dependencies.filter(|_| is_complete);
            store_response(claim, &out[start..], (executed.reuse, dependencies));
        }
        let reuse = executed.reuse.filter(|_| caching.is_some() && is_query);
        Ok(Outcome::Executed {
            errors,
            failures: executed.failures.calls,
            reports: executed.reports,
            warnings: executed.warnings,
            reuse: reuse.map(|reuse| if is_partial { Reuse::Never } else { reuse }),
            trace: OperationTrace {
                response: lookup,
                fetches: executed.trace,
            },
        })
    }

    fn context<'a>(
        &'a self,
        operation: PlannedRequest<'a>,
        is_response_cached: bool,
        memory: MemoryMeter,
    ) -> Context<'a> {
        let PlannedRequest {
            request,
            prepared,
            variables,
            deadline,
        } = operation;
        let is_query = prepared.operation.kind == OperationKind::Query;
        let caching = self.settings.caching.as_ref();
        Context {
            sources: &self.sources,
            loader: self.loader.as_ref(),
            cache: caching.filter(|_| is_query).map(|caching| &caching.cache),
            is_response_cached,
            prepared,
            variables,
            headers: &request.headers,
            timeout: self.settings.operation_timeout,
            deadline,
            reports: self.settings.reports,
            trace: request.trace,
            error_limit: self.settings.limits.errors,
            memory,
        }
    }

    /// The plan of an operation as text, for a request without excluded fields and with the
    /// overrides that are active for all requests.
    pub fn plan_text(
        &self,
        query: &str,
        operation: Option<&str>,
    ) -> Result<String, Vec<RequestError>> {
        let cached = self.operations.read_blocking(query, operation)?;
        let (prepared, holds_for) = self.operations.default_variant(&cached)?;
        Ok(prepared.plan_text(&self.graph) + &holds_for)
    }

    /// The plan of an operation as JSON: its requests with their fetches and documents.
    pub fn plan_json(
        &self,
        query: &str,
        operation: Option<&str>,
    ) -> Result<serde_json::Value, Vec<RequestError>> {
        let cached = self.operations.read_blocking(query, operation)?;
        let (prepared, _) = self.operations.default_variant(&cached)?;
        Ok(prepared.plan_json(&self.graph))
    }

    /// How many plans are incomplete because the planning budget was spent.
    pub fn incomplete_plans(&self) -> u64 {
        self.operations.incomplete_plans()
    }

    /// How much the cache of prepared operations holds.
    pub fn operation_cache_usage(&self) -> OperationCacheUsage {
        self.operations.usage()
    }

    /// The calls to each source at this moment, by the name of the source.
    pub fn source_load(&self) -> Vec<SourceLoad> {
        self.sources.load()
    }

    /// How long planning alone takes, for benchmarks; the plan is not cached.
    pub fn time_planning(&self, query: &str) -> Result<Duration, Vec<RequestError>> {
        PreparedOperation::time_planning(&self.graph, &self.settings, query)
    }

    /// The lookup of the whole response; bypassed where it cannot be cached.
    async fn cached_response(&self, operation: PlannedRequest<'_>) -> ResponseLookup {
        match (&operation.prepared.response_rule, &self.settings.caching) {
            (Some(rule), Some(caching)) => {
                let request = ResponseRequest {
                    client_headers: &operation.request.headers,
                    variables: operation.variables,
                    trace: operation.request.trace,
                    deadline: operation.deadline,
                };
                rule.lookup(&caching.cache, request).await
            }
            _ => ResponseLookup::default(),
        }
    }

    /// A tree with the results of introspection fields.
    async fn introspection_tree(
        &self,
        prepared: &Arc<PreparedOperation>,
        variables: &Variables,
        memory: MemoryMeter,
    ) -> Result<Tree, Vec<RequestError>> {
        let mut tree = Tree::new(&prepared.widths, memory);
        if !prepared.has_introspection {
            return Ok(tree);
        }
        // The results may have as many bytes as the limit allows.
        let max_bytes = self.settings.limits.introspection_size;
        let (graph, own, variables) = (
            Arc::clone(&self.graph),
            Arc::clone(prepared),
            variables.clone(),
        );
        let work = move || own.introspect(&graph, &variables, max_bytes);
        let results = self.operations.off_runtime(work).await?;
        let results = results.map_err(|error| vec![error])?;
        let slots = &prepared.selection.position(ROOT).slots;
        for (index, slot) in slots.iter().enumerate() {
            if let SlotOrigin::Introspection(key) = &slot.origin
                && let Some((_, text)) = results.iter().find(|(known, _)| known == key)
            {
                let value = tree.computed_leaf(|own| own.extend_from_slice(text.as_bytes()));
                tree.set_slot(tree.root(), index, value);
            }
        }
        Ok(tree)
    }
}

fn check_allowed(operation: &Operation, allow: Allow) -> Result<(), RequestError> {
    match (allow, operation.kind) {
        (Allow::All, _) | (Allow::Queries, OperationKind::Query) => Ok(()),
        (Allow::Queries, OperationKind::Mutation) => Err(RequestError {
            message: "a mutation must be sent by POST".to_owned(),
            locations: Vec::new(),
            kind: RequestErrorKind::NotAllowed,
        }),
    }
}
