//! Planning times, for generated graphs of many subgraphs, and for a folder of supergraphs with
//! operations.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use resolvers::Engine;
use resolvers::settings::{Batching, CallLimits, Introspection, Limits, Reports, Settings};
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde::Deserialize;

use crate::failure::Failure;
use crate::print;

/// Options of `bench plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// A folder of suites, each with `supergraph.graphql` and `tests.json`, instead of the
    /// generated graphs
    #[arg(long, value_name = "FOLDER")]
    suites: Option<PathBuf>,
}

/// Sizes of generated graphs, in subgraphs.
const SERVICES: [usize; 4] = [10, 30, 100, 300];

/// Sizes of generated operations, in fields.
const FIELDS: [usize; 5] = [10, 30, 100, 300, 1_000];

/// Number of times that each operation is planned; the shortest time counts.
const ROUNDS: usize = 5;

/// Number of subgraphs that define a type.
const SUBGRAPHS_PER_TYPE: usize = 10;

/// Number of fields of a type, each provided by three subgraphs.
const FIELDS_PER_TYPE: usize = 12;

pub(crate) fn run(plan: &Plan) -> Result<(), Failure> {
    match &plan.suites {
        Some(folder) => time_suites(folder),
        None => time_generated_graphs(),
    }
}

fn time_generated_graphs() -> Result<(), Failure> {
    let mut table =
        String::from("| services | fields | requests | planning |\n|---|---|---|---|\n");
    for services in SERVICES {
        let engine = engine(graph(services)?)?;
        for fields in FIELDS {
            let query = operation(fields, services);
            let time = shortest_planning(&engine, &query)?;
            let (requests, is_complete) = request_count(&engine, &query)?;
            let whole = if is_complete { "" } else { " (budget spent)" };
            let _ = writeln!(
                table,
                "| {services} | {fields} | {requests} | {time:.1?}{whole} |"
            );
        }
    }
    print::output(&table);
    Ok(())
}

#[derive(Deserialize)]
struct Case {
    query: String,
}

fn time_suites(folder: &Path) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).map_err(|error| io(folder, error))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("supergraph.graphql").is_file())
        .collect();
    paths.sort();
    let (mut times, mut total, mut refused) = (Vec::new(), 0, 0);
    for path in &paths {
        let engine = engine(supergraph(&path.join("supergraph.graphql"))?)?;
        let text = read_file(&path.join("tests.json"))?;
        let cases: Vec<Case> = serde_json::from_str(&text)
            .map_err(|error| Failure::Planning(format!("{}: {error}", path.display())))?;
        for case in &cases {
            match shortest_planning(&engine, &case.query) {
                Ok(time) => {
                    times.push(time);
                    total += request_count(&engine, &case.query)?.0;
                }
                Err(_) => refused += 1, // Some suites have operations that cannot be planned.
            }
        }
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let worst = times.last().copied().unwrap_or_default();
    print::output(&format!(
        "{} operations planned, {refused} refused, {total} requests; median {median:.1?}, worst {worst:.1?}",
        times.len()
    ));
    Ok(())
}

fn shortest_planning(engine: &Engine, query: &str) -> Result<Duration, Failure> {
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let time = engine.time_planning(query).map_err(planning_failure)?;
        shortest = shortest.min(time);
    }
    Ok(shortest)
}

/// Number of requests of the plan, and whether the search considered all alternatives.
fn request_count(engine: &Engine, query: &str) -> Result<(usize, bool), Failure> {
    let plan = engine.plan_json(query, None).map_err(planning_failure)?;
    let requests = plan["requests"].as_array().map_or(0, Vec::len);
    Ok((requests, plan["complete"] == true))
}

/// An operation `{ t0 { f0 … r0 { id f0 … } } }` of `fields` fields; each object has its leaf fields
/// first.
fn operation(fields: usize, services: usize) -> String {
    let mut remaining = fields;
    let mut text = String::from("{ t0 {");
    write_object(&mut text, &mut remaining, services, 0);
    text.push_str(" } }");
    text
}

fn write_object(text: &mut String, remaining: &mut usize, services: usize, depth: usize) {
    text.push_str(" id");
    for field in 0..FIELDS_PER_TYPE {
        if *remaining == 0 {
            return;
        }
        *remaining -= 1;
        let _ = write!(text, " f{field}");
    }
    for link in 0..SUBGRAPHS_PER_TYPE.min(services) {
        if *remaining == 0 || depth == 6 {
            return;
        }
        *remaining -= 1;
        let _ = write!(text, " r{link} {{");
        write_object(text, remaining, services, depth + 1);
        text.push_str(" }");
    }
}

/// A ring of subgraphs: each has a root field and its own type, extends nine further types by key,
/// and links each of them to its own type. Three subgraphs provide each field of a type.
fn graph(services: usize) -> Result<Arc<Graph>, Failure> {
    let subgraphs: Vec<Subgraph> = (0..services)
        .map(|index| subgraph(index, services))
        .collect();
    checked_graph(link::link(&subgraphs, LinkOptions::default()))
}

fn subgraph(index: usize, services: usize) -> Subgraph {
    let mut text = format!(
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\", \"@shareable\"])\n\
         type Query {{ t{index}: [T{index}] }}\n"
    );
    let known = SUBGRAPHS_PER_TYPE.min(services);
    for offset in 0..known {
        // This subgraph is the `offset`th of the subgraphs that define this type.
        let ty = (index + services - offset) % services;
        let _ = writeln!(text, "type T{ty} @key(fields: \"id\") {{ id: ID!");
        for field in 0..FIELDS_PER_TYPE {
            let is_provided = (0..3).any(|copy| (field * 7 + copy * 3) % known == offset);
            if is_provided {
                let _ = writeln!(text, "  f{field}: String @shareable");
            }
        }
        let _ = writeln!(text, "  r{offset}: [T{index}] }}");
    }
    Subgraph {
        name: format!("s{index}").into(),
        url: None,
        document: Document::new(format!("s{index}.graphql"), text),
    }
}

fn supergraph(path: &Path) -> Result<Arc<Graph>, Failure> {
    let document = Document::new(path.display().to_string(), read_file(path)?);
    checked_graph(link::link_supergraph(&document, LinkOptions::default()))
}

type LinkResult = (Option<Graph>, Vec<schema::diagnostic::Diagnostic>);

fn checked_graph((graph, diagnostics): LinkResult) -> Result<Arc<Graph>, Failure> {
    let first = || {
        diagnostics
            .first()
            .map_or_else(String::new, schema::diagnostic::Diagnostic::render)
    };
    graph
        .map(Arc::new)
        .ok_or_else(|| Failure::Planning(first()))
}

fn engine(graph: Arc<Graph>) -> Result<Engine, Failure> {
    let settings = Settings {
        sources: BTreeMap::new(),
        subgraphs: BTreeMap::new(),
        local: BTreeMap::new(),
        limits: Limits {
            depth: 100,
            tokens: 100_000,
            fields: 100_000,
            selections: 100_000,
            aliases: 100_000,
            root_fields: 100_000,
            introspection_size: 1 << 20,
            response_size: 16 << 20,
            operation_memory: 128 << 20,
            source_body: 1 << 20,
            source_url: 8_000,
            source_headers: 32 << 10,
            errors: 1,
        },
        operation_timeout: Duration::from_secs(1),
        prepare_timeout: Duration::from_secs(30),
        source_timeout: Duration::from_secs(1),
        call_limits: CallLimits::default(),
        source_call_limit: None,
        batching: Batching::WithinOperation,
        caching: None,
        environment: BTreeMap::new(),
        reports: Reports::Hide,
        operation_cache_size: 64 << 20,
        prepared_operations: NonZeroUsize::MIN,
        overrides: BTreeMap::new(),
        introspection: Introspection::Allow,
    };
    Engine::new(graph, settings).map_err(|error| Failure::Planning(error.to_string()))
}

fn planning_failure(errors: Vec<resolvers::error::RequestError>) -> Failure {
    let first = errors.into_iter().next();
    Failure::Planning(first.map_or_else(String::new, |error| error.message))
}

fn read_file(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| io(path, error))
}

fn io(path: &Path, error: std::io::Error) -> Failure {
    Failure::Io {
        action: format!("reading {}", path.display()),
        error,
    }
}
