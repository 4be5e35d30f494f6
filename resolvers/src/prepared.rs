//! An operation, ready to run: everything that does not depend on variables, made once and kept.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use schema::connector::Gives;
use schema::graph::Graph;
use schema::operation::{Invalid, InvalidKind, Operation, OperationKind, ReadLimits, Variables};
use schema::source::Access;
use schema::types::Name;
use tokio::time::Instant;

use self::stand_in::StandIn;
use crate::decided::Decided;
use crate::document::{Document, Part, document};
use crate::error::{RequestError, RequestErrorKind};
use crate::extract::{Compile, Extract};
use crate::fetch::Sources;
use crate::keep::effects::effects;
use crate::keep::wider::Selections;
use crate::keep::{self, Kept};
use crate::plan::explain::explain;
use crate::plan::explain::outline::outline;
use crate::plan::{Fetch, KeySlot, Plan, Takes, plan};
use crate::project::Written;
use crate::selection::{PositionId, Selection};
use crate::settings::{Caching, Introspection, Settings};
use crate::tree::Widths;

mod stand_in;

/// An operation over one graph. Immutable.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) operation: Arc<Operation>,
    /// What the plan holds for.
    decided: Decided,
    pub(crate) selection: Selection,
    pub(crate) plan: Plan,
    /// One for each fetch of the plan that a connector makes.
    pub(crate) programs: Vec<Option<Program>>,
    /// One for each request of the plan to a service that speaks GraphQL.
    pub(crate) documents: Vec<Option<Document>>,
    pub(crate) widths: Widths,
    /// By position: whether objects there carry their type.
    pub(crate) is_abstract: Vec<bool>,
    pub(crate) written: Written,
    /// What of it may be kept.
    pub(crate) kept: Kept,
    introspects: bool,
    introspected: OnceLock<Vec<(Name, String)>>,
}

/// An operation that was read and may be executed.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) operation: Arc<Operation>,
    introspects: bool,
    /// Whether anything is kept of what sources give.
    is_kept: bool,
}

/// What a fetch of a connector does at run time.
#[derive(Debug)]
pub(crate) struct Program {
    /// What becomes of an answer.
    pub(crate) extract: Extract,
    /// Whether another call of the plan may be the same.
    pub(crate) sharing: Sharing,
    /// A batch that can give the same.
    pub(crate) stand_in: Option<Box<StandIn>>,
}

/// Whether another call of the plan may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    Possible,
    Impossible,
}

impl Asked {
    /// Reads and validates.
    pub(crate) fn read(
        graph: &Graph,
        settings: &Settings,
        query: &str,
        operation_name: Option<&str>,
    ) -> Result<Self, Vec<RequestError>> {
        let operation = read(graph, settings, query, operation_name)?;
        Ok(Self {
            introspects: introspects(&operation, settings).map_err(|error| vec![error])?,
            operation: Arc::new(operation),
            is_kept: settings.caching.is_some(),
        })
    }
}

impl Prepared {
    /// Plans what is asked, for requests that decided so.
    pub(crate) fn new(
        graph: &Graph,
        asked: &Asked,
        decided: &Decided,
    ) -> Result<Self, Vec<RequestError>> {
        let variant = decided.graph(graph);
        let graph = variant.as_ref().unwrap_or(graph);
        let operation = &asked.operation;
        let mut selection = Selection::of(operation, graph.types(), decided.conditions());
        let mut kept = Kept::default();
        if operation.kind == OperationKind::Mutation && asked.is_kept {
            kept.effects = effects(graph, &mut selection);
        }
        let plan = plan(graph, &mut selection, operation.kind)
            .map_err(|error| vec![unplanned(error.to_string())])?;
        let documents = documents(graph, (operation, &selection), &plan)?;
        Ok(Self {
            documents,
            programs: plan
                .fetches
                .iter()
                .map(|fetch| program(graph, &selection, &plan, fetch))
                .collect(),
            widths: Widths::of(&selection),
            is_abstract: selection
                .positions()
                .map(|(_, position)| position.is_abstract(graph.types()))
                .collect(),
            written: Written::of(&selection, graph),
            kept,
            introspects: asked.introspects,
            introspected: OnceLock::new(),
            operation: Arc::clone(operation),
            decided: decided.clone(),
            selection,
            plan,
        })
    }

    /// The same, with what may be kept of it: nothing of a mutation.
    pub(crate) fn kept_by(
        mut self,
        sources: &Sources,
        (caching, selections): (&Caching, &Selections),
    ) -> Self {
        if self.operation.kind == OperationKind::Mutation {
            return self;
        }
        let compile = keep::compile::Compile {
            sources,
            caching,
            selections,
            selection: &self.selection,
            plan: &self.plan,
            programs: &self.programs,
            documents: &self.documents,
        };
        self.kept.fetches = compile.fetches();
        self
    }

    /// How a fetch is asked for in a request to a service that speaks GraphQL.
    pub(crate) fn part(&self, fetch: usize) -> Option<&Part> {
        let documents = self.documents.iter().flatten();
        let mut parts = documents.flat_map(|document| &document.parts);
        parts.find(|part| part.fetch == fetch)
    }

    /// How long it takes to plan an operation that was read.
    pub(crate) fn time_planning(
        graph: &Graph,
        settings: &Settings,
        query: &str,
    ) -> Result<Duration, Vec<RequestError>> {
        let operation = read(graph, settings, query, None)?;
        let start = Instant::now();
        let mut selection = Selection::of(&operation, graph.types(), &[]);
        plan(graph, &mut selection, operation.kind)
            .map_err(|error| vec![unplanned(error.to_string())])?;
        Ok(start.elapsed())
    }

    /// The plan as text.
    pub(crate) fn explain(&self, graph: &Graph) -> String {
        let variant = self.decided.graph(graph);
        explain(
            variant.as_ref().unwrap_or(graph),
            &self.selection,
            &self.plan,
        )
    }

    /// The plan as JSON.
    pub(crate) fn outline(&self, graph: &Graph) -> serde_json::Value {
        let documents = self.documents.iter();
        let documents = documents.map(|it| it.as_ref().map(|document| &*document.text));
        let documents: Vec<Option<&str>> = documents.collect();
        let variant = self.decided.graph(graph);
        let graph = variant.as_ref().unwrap_or(graph);
        outline(graph, &self.selection, &self.plan, &documents)
    }

    /// The answers to `__schema` and `__type`; kept where no variable can change them.
    pub(crate) fn introspect(
        &self,
        graph: &Graph,
        variables: &Variables,
    ) -> Result<Vec<(Name, String)>, RequestError> {
        if !self.introspects {
            return Ok(Vec::new());
        }
        if let Some(known) = self.introspected.get() {
            return Ok(known.clone());
        }
        let answers = self
            .operation
            .introspect(graph, variables)
            .map_err(refused)?;
        if !self.operation.has_variables() {
            return Ok(self.introspected.get_or_init(|| answers).clone());
        }
        Ok(answers)
    }
}

fn read(
    graph: &Graph,
    settings: &Settings,
    query: &str,
    operation_name: Option<&str>,
) -> Result<Operation, Vec<RequestError>> {
    let limits = ReadLimits {
        tokens: settings.limits.tokens,
        depth: settings.limits.depth,
        fields: settings.limits.fields,
    };
    Operation::read(graph, query, operation_name, limits)
        .map_err(|problems| problems.into_iter().map(refused).collect::<Vec<_>>())
}

fn introspects(operation: &Operation, settings: &Settings) -> Result<bool, RequestError> {
    let keys = operation.introspection().map_err(refused)?;
    if !keys.is_empty() && settings.introspection == Introspection::Refuse {
        return Err(RequestError {
            message: "introspection is switched off".to_owned(),
            locations: Vec::new(),
            kind: RequestErrorKind::Introspection,
        });
    }
    Ok(!keys.is_empty())
}

fn documents(
    graph: &Graph,
    asked: (&Operation, &Selection),
    plan: &Plan,
) -> Result<Vec<Option<Document>>, Vec<RequestError>> {
    let requests = plan.requests.iter().enumerate();
    requests
        .map(|(index, fetches)| {
            let first = fetches.first().map(|first| plan.fetches[*first].source);
            match first.map(|source| &graph.source(source).access) {
                Some(Access::Graphql(_)) => document(graph, asked, plan, index).map(Some),
                _ => Ok(None),
            }
        })
        .collect::<Result<_, _>>()
        .map_err(|error| vec![unplanned(error.to_string())])
}

fn unplanned(message: String) -> RequestError {
    RequestError {
        message,
        locations: Vec::new(),
        kind: RequestErrorKind::Planning,
    }
}

fn program(graph: &Graph, selection: &Selection, plan: &Plan, fetch: &Fetch) -> Option<Program> {
    let Access::Connector(connector) = &graph.source(fetch.source).access else {
        return None;
    };
    let mut takes = fetch.takes.clone();
    if matches!(connector.gives, Gives::Batch { .. }) {
        // What tells the objects of an answer apart is read too.
        add_key(selection, &fetch.first().key, fetch.at, &mut takes);
    }
    let compile = Compile {
        types: graph.types(),
        selection,
        takes: &takes,
    };
    let items = connector.selection.ast();
    let extract = match fetch.slot {
        Some(slot) => compile.slot(items, fetch.at, slot),
        None => compile.object(items, fetch.at),
    };
    Some(Program {
        extract,
        sharing: sharing(graph, plan, fetch),
        stand_in: StandIn::of(graph, selection, fetch),
    })
}

/// Calls can only be the same where a service is asked more than once.
fn sharing(graph: &Graph, plan: &Plan, fetch: &Fetch) -> Sharing {
    let service = &graph.source(fetch.source).service;
    let same = plan
        .fetches
        .iter()
        .filter(|other| graph.source(other.source).service == *service);
    if same.count() > 1 {
        Sharing::Possible
    } else {
        Sharing::Impossible
    }
}

fn add_key(selection: &Selection, key: &[KeySlot], at: PositionId, takes: &mut Takes) {
    for part in key {
        let on = selection.position(at).slots[part.slot].on.clone();
        takes.entry(at).or_default().entry(part.slot).or_insert(on);
        if let Some(child) = selection.position(at).slots[part.slot].child {
            add_key(selection, &part.inner, child, takes);
        }
    }
}

/// A refusal of the reader as one of ours.
pub(crate) fn refused(problem: Invalid) -> RequestError {
    RequestError {
        kind: match problem.kind {
            InvalidKind::Parse => RequestErrorKind::Parse,
            InvalidKind::Validation => RequestErrorKind::Validation,
            InvalidKind::Variables => RequestErrorKind::Variables,
            InvalidKind::OperationName => RequestErrorKind::OperationName,
            InvalidKind::Limit => RequestErrorKind::Limit,
        },
        message: problem.message,
        locations: problem.locations,
    }
}
