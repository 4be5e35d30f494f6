//! Subgraphs → `Graph`, or the SDL of a supergraph. Reports every problem, not only the first.

use std::sync::Arc;

use apollo_compiler::schema::{
    Component, ComponentName, ExtendedType, FieldDefinition, ObjectType,
};
use apollo_compiler::{Node, Schema, name, ty};

use self::compose::Composition;
use self::satisfiability::SatisfiabilityCheck;
use crate::client::ClientSchema;
use crate::diagnostic::{Code, Diagnostic, Problems, Severity};
use crate::graph::{Graph, GraphDigest};
use crate::sdl::{self, Sdl};
use crate::source::Source;
use crate::subgraph::Subgraph;
use crate::types::Types;

mod api;
mod caching;
mod compose;
mod connect;
mod federation;
mod merge;
mod overrides;
mod satisfiability;
mod selection_nodes;
mod supergraph;
mod types;

pub use self::supergraph::link_supergraph;

/// A diagnostic has been pushed, and there is no value to continue with.
#[derive(Clone, Copy, Debug)]
struct Reported;

/// A value, or proof that a problem was reported instead.
type ReportedResult<T> = Result<T, Reported>;

/// Decisions of an operator about what a graph may contain.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkOptions {
    /// Accepts version 0.4 of the connect specification, whose grammar may still change.
    pub experimental_connect: bool,
    /// Whether a graph with `@authenticated`, `@requiresScopes` or `@policy` is linked.
    pub access_directives: AccessDirectives,
}

/// Whether a graph with directives that restrict access is linked, although Weir does not enforce
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessDirectives {
    /// The directives are errors: a client must not see what its author meant to protect.
    #[default]
    Refuse,
    /// The directives are warnings: something else checks access.
    Allow,
}

/// Links subgraphs into a graph, and reports every problem found.
///
/// Returns `None` exactly when one of the diagnostics is an error.
pub fn link(subgraphs: &[Subgraph], options: LinkOptions) -> (Option<Graph>, Vec<Diagnostic>) {
    let mut problems = Problems::default();
    let sdls = read(subgraphs, &mut problems);
    let composed = compose::compose(&sdls, &mut problems);
    let graph = build(&sdls, &composed, options, &mut problems);
    options.access_directives.apply(&mut problems);
    let graph = graph.filter(|_| !problems.has_errors());
    let documents = subgraphs.iter();
    let documents = documents.map(|it| (&*it.name, &*it.document.text));
    let digest = GraphDigest::from_documents(documents);
    let graph = graph.map(|graph| graph.with_digest(digest));
    (graph, sorted(problems.into_vec()))
}

/// Composes subgraphs into the SDL of a supergraph, which this and other gateways read.
///
/// Directives that restrict access are warnings: the gateway that serves the supergraph decides.
///
/// Reports the problems that `link` reports, and a graph without queries, which other gateways
/// refuse. Returns `None` exactly when one of the diagnostics is an error.
pub fn compose(subgraphs: &[Subgraph], options: LinkOptions) -> (Option<String>, Vec<Diagnostic>) {
    let mut problems = Problems::default();
    let sdls = read(subgraphs, &mut problems);
    let composed = compose::compose(&sdls, &mut problems);
    build(&sdls, &composed, options, &mut problems);
    if composed.schema.schema_definition.query.is_none() && !problems.has_errors() {
        let message = "a supergraph needs a query type, and no subgraph has a field of `Query`";
        problems.push(Diagnostic::without_span(Code::NoQueries, message));
    }
    let text = (!problems.has_errors()).then(|| composed.print());
    (text, sorted(problems.into_vec()))
}

impl AccessDirectives {
    /// Makes errors of the warnings about directives that restrict access, if they are refused.
    ///
    /// Comes last, so that they hide no other problem.
    fn apply(self, problems: &mut Problems) {
        if self == Self::Refuse {
            problems.deny(Code::AccessNotChecked, ALLOW_ACCESS_DIRECTIVES);
        }
    }
}

const ALLOW_ACCESS_DIRECTIVES: &str = "to serve the graph, check access in the subgraphs or in a gateway in front of Weir, and set `graph.unenforced_access_directives: allow`";

fn read(subgraphs: &[Subgraph], problems: &mut Problems) -> Vec<Sdl> {
    let subgraphs = subgraphs.iter();
    subgraphs
        .filter_map(|subgraph| sdl::read(subgraph, problems))
        .collect()
}

fn build(
    sdls: &[Sdl],
    composed: &Composition<'_>,
    options: LinkOptions,
    problems: &mut Problems,
) -> Option<Graph> {
    if problems.has_errors() {
        // Connectors are checked against the merged types, which errors leave incomplete.
        return None;
    }
    let merged = with_queries(composed.schema.clone(), problems);
    let client = ClientSchema::new(problems.ok_or_push(valid(api::visible(&merged)))?);
    let types = types::read(&problems.ok_or_push(valid(merged))?);
    let connectors = connector_sources(sdls, &types, options, problems);
    let (sources, labels) =
        federation::sources(composed.subgraph_schemas(), connectors, &types, problems);
    let graph = Graph::new(types, sources, client);
    let graph = match labels {
        Some(labels) => graph.with_override_labels(labels),
        None => graph,
    };
    if !problems.has_errors() {
        check_satisfiability(&graph, composed, problems);
    }
    let directives = composed.cache_directives();
    let caching = caching::read(&directives, &graph.types, &graph.sources, problems);
    Some(graph.with_cache_directives(caching))
}

/// Reports fields that no plan reaches, for every combination of active override labels.
fn check_satisfiability(graph: &Graph, composed: &Composition<'_>, problems: &mut Problems) {
    let check = |graph: &Graph| {
        let mut problems = Problems::default();
        let satisfiability = SatisfiabilityCheck {
            types: &graph.types,
            sources: &graph.sources,
            client: &graph.client.schema,
            parts: &composed.parts,
        };
        satisfiability::check(&satisfiability, &mut problems);
        problems.into_vec()
    };
    let diagnostics = check(graph);
    let mut is_sound = diagnostics.iter().all(|it| it.severity != Severity::Error);
    problems.extend(diagnostics);
    let labels = graph.override_labels();
    for active in combinations(labels.len()) {
        if !is_sound {
            return; // One failing combination is enough to show the problem.
        }
        let variant = graph.with_active_labels(&|label| active.contains(&label));
        for mut problem in variant.iter().flat_map(check) {
            if problem.severity == Severity::Error {
                let names: Vec<_> = active
                    .iter()
                    .map(|it| format!("`{}`", labels[*it]))
                    .collect();
                let message = problem.message;
                problem.message = format!(
                    "{message} while the override label {} is active",
                    names.join(", ")
                );
                problems.push(problem);
                is_sound = false;
            }
        }
    }
}

/// The combinations of labels to check: every one where the labels are few, else each label
/// alone, all but each, and all.
fn combinations(labels: usize) -> Vec<Vec<usize>> {
    if labels <= MAX_EXHAUSTIVE_LABELS {
        let sets = 1..1_usize << labels;
        let members = |set: usize| (0..labels).filter(move |label| set & (1 << label) != 0);
        return sets.map(|set| members(set).collect()).collect();
    }
    let all: Vec<usize> = (0..labels).collect();
    let mut sets = vec![all.clone()];
    sets.extend(all.iter().map(|label| vec![*label]));
    let all_but = |label: &usize| all.iter().copied().filter(|it| it != label).collect();
    sets.extend(all.iter().map(all_but));
    sets
}

/// Maximum number of labels for which every combination is checked.
const MAX_EXHAUSTIVE_LABELS: usize = 4;

/// Adds a placeholder query type to a graph that has mutations only: a schema without a query type
/// is not valid (GraphQL §3.3).
fn with_queries(mut schema: Schema, problems: &mut Problems) -> Schema {
    let definition = schema.schema_definition.make_mut();
    if definition.query.is_some() || definition.mutation.is_none() {
        return schema;
    }
    let (query, placeholder) = (name!("Query"), name!("_"));
    definition.query = Some(ComponentName::from(query.clone()));
    let field = FieldDefinition {
        description: Some("A placeholder: the graph has mutations only.".into()),
        name: placeholder.clone(),
        arguments: Vec::new(),
        ty: ty!(Boolean),
        directives: apollo_compiler::ast::DirectiveList::new(),
    };
    let object = ObjectType {
        description: None,
        name: query.clone(),
        implements_interfaces: apollo_compiler::collections::IndexSet::default(),
        directives: apollo_compiler::schema::DirectiveList::new(),
        fields: std::iter::once((placeholder, Component::new(field))).collect(),
    };
    let object = ExtendedType::Object(Node::new(object));
    schema.types.insert(query, object);
    let message = "no subgraph has a field of `Query`: clients can only send mutations";
    let mut warning = Diagnostic::without_span(Code::NoQueries, message);
    warning.severity = Severity::Warning;
    problems.push(warning);
    schema
}

fn valid(schema: Schema) -> Result<apollo_compiler::validation::Valid<Schema>, Diagnostic> {
    schema.validate().map_err(|error| {
        let first = error.errors.iter().next();
        let message = first
            .as_ref()
            .map_or_else(String::new, |error| error.error.to_string());
        let code = match first.and_then(|error| error.error.unstable_error_name()) {
            Some("QueryRootOperationType") => Code::NoQueries,
            _ => Code::SubgraphConflict,
        };
        let message = match code {
            Code::NoQueries => "no subgraph has a field of `Query`".to_owned(),
            _ => format!("the merged schema of the subgraphs is not valid: {message}"),
        };
        Diagnostic::without_span(code, message)
    })
}

fn connector_sources(
    sdls: &[Sdl],
    types: &Types,
    options: LinkOptions,
    problems: &mut Problems,
) -> Vec<Source> {
    let mut sources = Vec::new();
    for sdl in sdls {
        sources.extend(connect::sources(sdl, types, options, problems));
    }
    sources
}

/// Sorts diagnostics by document and position, errors before warnings at one position.
fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let position = |diagnostic: &Diagnostic| {
        diagnostic.labels.first().map(|label| {
            (
                Arc::clone(&label.span.document.name),
                label.span.range.start,
            )
        })
    };
    diagnostics.sort_by_cached_key(|diagnostic| {
        let rank = match diagnostic.severity {
            Severity::Error => 0,
            Severity::Warning => 1,
        };
        (position(diagnostic), rank)
    });
    diagnostics
}
