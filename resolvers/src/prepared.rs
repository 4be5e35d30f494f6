//! A prepared operation: everything that does not depend on variables, made once and cached.

use std::sync::Arc;
use std::time::Duration;

use schema::graph::Graph;
use schema::operation::{
    Operation, OperationError, OperationErrorKind, OperationKind, OperationLimits, Variables,
};
use schema::source::Access;
use schema::types::Name;
use tokio::time::Instant;

use crate::cache::digest;
use crate::entity_cache::CachePlan;
use crate::entity_cache::compile::CachePlanCompiler;
use crate::entity_cache::mutation::invalidation_rules;
use crate::entity_cache::response::ResponseRule;
use crate::entity_cache::superset::SelectionIndex;
use crate::error::{RequestError, RequestErrorKind};
use crate::plan::print::json::plan_json;
use crate::plan::print::plan_text;
use crate::plan::{ByFetch, ByRequest, FetchId, Plan, PlanRequestId, Unplannable, plan};
use crate::plan_variant::PlanVariant;
use crate::program::Program;
use crate::project::ResponseProgram;
use crate::selection::Selection;
use crate::settings::{Caching, Introspection, ResponseCaching, Settings};
use crate::source_client::Sources;
use crate::subgraph_request::{Document, Part, PlannedOperation, TooLarge, document};
use crate::tree::Widths;

mod size;

/// An operation with its plan over one graph. Immutable.
#[derive(Debug)]
pub(crate) struct PreparedOperation {
    pub(crate) operation: Arc<Operation>,
    /// The variant that the plan is for.
    variant: PlanVariant,
    pub(crate) selection: Selection,
    pub(crate) plan: Plan,
    /// By fetch; `None` for fetches of subgraphs.
    pub(crate) programs: ByFetch<Option<Program>>,
    /// By request; `None` for requests of connectors.
    pub(crate) documents: ByRequest<Option<Document>>,
    /// By fetch: its request, and the index of its part of that; `None` for fetches of connectors.
    parts: ByFetch<Option<(PlanRequestId, usize)>>,
    pub(crate) widths: Widths,
    /// By position: whether its objects may have several types.
    pub(crate) is_abstract: Vec<bool>,
    pub(crate) response_program: ResponseProgram,
    /// The cache rules of its fetches.
    pub(crate) cache_plan: Arc<CachePlan>,
    /// How its responses are cached; `None` where they are not.
    pub(crate) response_rule: Option<ResponseRule>,
    /// Whether it has `__schema` or `__type`.
    pub(crate) has_introspection: bool,
    /// Estimated bytes, without those of `operation`.
    pub(crate) size: usize,
}

/// A valid operation.
#[derive(Debug)]
pub(crate) struct ParsedOperation {
    pub(crate) operation: Arc<Operation>,
    has_introspection: bool,
    /// Whether there is a cache.
    is_cached: bool,
    /// The document and the name of the operation, as digests.
    digests: [String; 2],
    /// Estimated bytes.
    pub(crate) size: usize,
}

impl ParsedOperation {
    /// Parses and validates a document.
    pub(crate) fn parse(
        graph: &Graph,
        settings: &Settings,
        query: &str,
        operation_name: Option<&str>,
    ) -> Result<Self, Vec<RequestError>> {
        let operation = read_operation(graph, settings, query, operation_name)?;
        Ok(Self {
            has_introspection: check_introspection(&operation, settings)
                .map_err(|error| vec![error])?,
            size: size::parsed(query, &operation),
            operation: Arc::new(operation),
            is_cached: settings.caching.is_some(),
            digests: [query, operation_name.unwrap_or_default()].map(digest),
        })
    }
}

impl ParsedOperation {
    /// What identifies the operation and its graph in every process.
    fn identity<'i>(&'i self, graph: &'i Graph) -> [&'i [u8]; 4] {
        let [document, name] = &self.digests;
        // Another version may write another response.
        let version = env!("CARGO_PKG_VERSION").as_bytes();
        [
            version,
            graph.digest().bytes(),
            document.as_bytes(),
            name.as_bytes(),
        ]
    }
}

impl PreparedOperation {
    /// Plans the operation for one variant.
    pub(crate) fn new(
        graph: &Graph,
        parsed: &ParsedOperation,
        plan_variant: &PlanVariant,
    ) -> Result<Self, Vec<RequestError>> {
        let variant = plan_variant.graph(graph);
        let graph = variant.as_ref().unwrap_or(graph);
        let operation = &parsed.operation;
        let mut selection = Selection::new(operation, graph, plan_variant.conditions());
        let mut cache_plan = CachePlan::default();
        if operation.kind == OperationKind::Mutation && parsed.is_cached {
            cache_plan.invalidation_rules = invalidation_rules(graph, &mut selection);
        }
        let plan = plan(graph, &mut selection, operation.kind)
            .map_err(|error| vec![unreachable_field(&error)])?;
        let documents = documents(graph, (operation, &selection), &plan)?;
        let response_program = ResponseProgram::new(&selection, graph);
        Ok(Self {
            size: size::prepared(&selection, &plan, &documents),
            parts: part_indexes(&plan, &documents),
            documents,
            programs: plan
                .fetches
                .iter()
                .map(|fetch| Program::new(graph, &selection, &plan, fetch))
                .collect(),
            widths: Widths::new(&selection),
            is_abstract: selection
                .positions()
                .map(|(_, position)| position.is_abstract(graph.types()))
                .collect(),
            response_program,
            cache_plan: Arc::new(cache_plan),
            response_rule: None,
            has_introspection: parsed.has_introspection,
            operation: Arc::clone(operation),
            variant: plan_variant.clone(),
            selection,
            plan,
        })
    }

    /// Adds the cache rules of a query; results of mutations are not cached.
    pub(crate) fn with_cache_plan(
        mut self,
        parsed: &ParsedOperation,
        (sources, caching): (&Sources, &Caching),
        selection_index: &SelectionIndex,
    ) -> Self {
        if self.operation.kind == OperationKind::Mutation {
            return self;
        }
        let compiler = CachePlanCompiler {
            sources,
            caching,
            selection_index,
            selection: &self.selection,
            plan: &self.plan,
            programs: &self.programs,
            documents: &self.documents,
        };
        let cache_plan = CachePlan {
            fetches: compiler.fetch_plans(),
            invalidation_rules: Vec::new(),
        };
        if caching.responses == ResponseCaching::Enabled && !self.has_introspection {
            let identity = parsed.identity(&sources.graph);
            self.response_rule = ResponseRule::new(&identity, &cache_plan);
        }
        self.cache_plan = Arc::new(cache_plan);
        self
    }

    /// The part that a fetch has of a request to its subgraph.
    pub(crate) fn part(&self, fetch: FetchId) -> Option<&Part> {
        let (request, part) = (*self.parts.get(fetch)?)?;
        self.documents[request].as_ref()?.parts.get(part)
    }

    /// How long it takes to plan a parsed operation.
    pub(crate) fn time_planning(
        graph: &Graph,
        settings: &Settings,
        query: &str,
    ) -> Result<Duration, Vec<RequestError>> {
        let operation = read_operation(graph, settings, query, None)?;
        let start = Instant::now();
        let mut selection = Selection::new(&operation, graph, &[]);
        plan(graph, &mut selection, operation.kind)
            .map_err(|error| vec![unreachable_field(&error)])?;
        Ok(start.elapsed())
    }

    /// The plan as text.
    pub(crate) fn plan_text(&self, graph: &Graph) -> String {
        let variant = self.variant.graph(graph);
        plan_text(
            variant.as_ref().unwrap_or(graph),
            &self.selection,
            &self.plan,
        )
    }

    /// The plan as JSON.
    pub(crate) fn plan_json(&self, graph: &Graph) -> serde_json::Value {
        let documents = self.documents.iter();
        let documents = documents.map(|it| it.as_ref().map(|document| &*document.text));
        let documents: ByRequest<Option<&str>> = documents.collect();
        let variant = self.variant.graph(graph);
        let graph = variant.as_ref().unwrap_or(graph);
        plan_json(graph, &self.selection, &self.plan, &documents)
    }

    /// The results of `__schema` and `__type`, of at most `max_bytes`.
    pub(crate) fn introspect(
        &self,
        graph: &Graph,
        variables: &Variables,
        max_bytes: usize,
    ) -> Result<Vec<(Name, String)>, RequestError> {
        self.operation
            .introspect(graph, variables, max_bytes)
            .map_err(request_error)
    }
}

fn read_operation(
    graph: &Graph,
    settings: &Settings,
    query: &str,
    operation_name: Option<&str>,
) -> Result<Operation, Vec<RequestError>> {
    let limits = OperationLimits {
        tokens: settings.limits.tokens,
        depth: settings.limits.depth,
        fields: settings.limits.fields,
        selections: settings.limits.selections,
        aliases: settings.limits.aliases,
        root_fields: settings.limits.root_fields,
    };
    Operation::parse(graph, query, operation_name, limits).map_err(request_errors)
}

fn check_introspection(operation: &Operation, settings: &Settings) -> Result<bool, RequestError> {
    let has_introspection = !operation.introspection_keys().is_empty();
    if has_introspection && settings.introspection == Introspection::Refuse {
        return Err(RequestError {
            message: "introspection is switched off".to_owned(),
            locations: Vec::new(),
            kind: RequestErrorKind::Introspection,
        });
    }
    Ok(has_introspection)
}

fn documents(
    graph: &Graph,
    operation: (&Operation, &Selection),
    plan: &Plan,
) -> Result<ByRequest<Option<Document>>, Vec<RequestError>> {
    let (operation, selection) = operation;
    let planned = PlannedOperation {
        graph,
        operation,
        selection,
        plan,
    };
    let requests = plan.requests.pairs();
    requests
        .map(|(request, fetches)| {
            let first = fetches.first().map(|first| plan.fetches[*first].source);
            match first.map(|source| &graph.source(source).access) {
                Some(Access::Graphql(_)) => document(planned, request).map(Some),
                _ => Ok(None),
            }
        })
        .collect::<Result<_, _>>()
        .map_err(|error| vec![limit_error(error)])
}

fn part_indexes(
    plan: &Plan,
    documents: &ByRequest<Option<Document>>,
) -> ByFetch<Option<(PlanRequestId, usize)>> {
    let mut indexes: ByFetch<_> = plan.fetches.ids().map(|_| None).collect();
    for (request, document) in documents.pairs() {
        let parts = document.iter().flat_map(|document| &document.parts);
        for (index, part) in parts.enumerate() {
            indexes[part.fetch] = Some((request, index));
        }
    }
    indexes
}

fn unreachable_field(error: &Unplannable) -> RequestError {
    RequestError {
        message: error.to_string(),
        locations: Vec::new(),
        kind: RequestErrorKind::UnreachableField,
    }
}

fn limit_error(error: TooLarge) -> RequestError {
    RequestError {
        message: error.to_string(),
        locations: Vec::new(),
        kind: RequestErrorKind::Limit,
    }
}

/// The errors of a document or of variables as request errors.
pub(crate) fn request_errors(problems: Vec<OperationError>) -> Vec<RequestError> {
    problems.into_iter().map(request_error).collect()
}

fn request_error(problem: OperationError) -> RequestError {
    RequestError {
        kind: match problem.kind {
            OperationErrorKind::Parse => RequestErrorKind::Parse,
            OperationErrorKind::Validation => RequestErrorKind::Validation,
            OperationErrorKind::Variables => RequestErrorKind::Variables,
            OperationErrorKind::OperationName => RequestErrorKind::OperationName,
            OperationErrorKind::Limit => RequestErrorKind::Limit,
            OperationErrorKind::More => RequestErrorKind::More,
        },
        message: problem.message,
        locations: problem.locations,
    }
}
