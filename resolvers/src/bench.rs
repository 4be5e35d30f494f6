//! The path of one response through the engine, without a call; for the benchmarks, which are a
//! crate of their own.
//!
//! Body → tree → the client's JSON, by the functions that execute operations. Supports operations
//! with one call; no requests, keys or failures. Not part of the public interface.

use std::sync::Arc;

use bytes::Bytes;
use schema::graph::Graph;
use schema::json::{Json, Value as JsonValue};
use schema::mapping::Vars;
use schema::operation::Variables;

use crate::error::{Failures, RequestError};
use crate::memory::MemoryMeter;
use crate::plan_variant::PlanVariant;
use crate::prepared::{ParsedOperation, PreparedOperation, request_errors};
use crate::project::{ProjectionInput, project};
use crate::response::rows::RowFiller;
use crate::settings::Settings;
use crate::tree::Tree;

/// A prepared operation with one call.
#[derive(Debug)]
pub struct BenchOperation {
    prepared: PreparedOperation,
    variables: Variables,
}

impl BenchOperation {
    /// Plans `query`, which must have one root field, one call and no variables.
    pub fn new(graph: &Graph, settings: &Settings, query: &str) -> Result<Self, Vec<RequestError>> {
        let parsed = ParsedOperation::parse(graph, settings, query, None)?;
        let prepared = PreparedOperation::new(graph, &parsed, &PlanVariant::default())?;
        let variables = prepared.operation.coerce_variables(graph, None);
        let variables = variables.map_err(request_errors)?;
        Ok(Self {
            prepared,
            variables,
        })
    }

    /// Writes `data` for a response body; false if the body is not JSON or has a wrong type.
    pub fn write_data(&self, body: Bytes, out: &mut Vec<u8>) -> bool {
        let Ok(json) = Json::parse(body) else {
            return false;
        };
        let mut tree = Tree::new(&self.prepared.widths, MemoryMeter::new(usize::MAX));
        let fetches = &self.prepared.plan.fetches;
        for (fetch, program) in fetches.iter().zip(&self.prepared.programs) {
            let (Some(slot), Some(program)) = (fetch.field_slot, program) else {
                return false;
            };
            let mut filler = RowFiller {
                body: tree.next_body(),
                tree: &mut tree,
                widths: &self.prepared.widths,
                vars: &Vars::new(),
                authored_errors: Vec::new(),
            };
            let input = JsonValue::Node(json.root());
            let value = filler.extract(&program.extract, &input);
            tree.set_slot(tree.root(), slot, value);
        }
        tree.add_body(Arc::new(json));
        let errors = project(
            &self.prepared.response_program,
            ProjectionInput {
                tree: &tree,
                failures: &Failures::default(),
                variables: &self.variables,
                error_limit: 1,
                max_bytes: usize::MAX,
            },
            out,
        );
        errors.is_empty()
    }
}
