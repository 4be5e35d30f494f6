//! The way of one answer through the engine, without a call: for benchmarks, which are outside.
//!
//! Body → tree → the client's JSON, by the very functions that answer operations. Knows operations
//! that one call answers, and nothing of requests, keys and failures. Not for use in earnest.

use std::sync::Arc;

use bytes::Bytes;
use schema::graph::Graph;
use schema::json::{Json, Value as JsonValue};
use schema::mapping::Vars;
use schema::operation::Variables;

use crate::error::{Failures, RequestError};
use crate::plan_variant::PlanVariant;
use crate::prepared::{ParsedOperation, PreparedOperation, request_error};
use crate::project::project;
use crate::response::rows::RowFiller;
use crate::settings::Settings;
use crate::tree::{Tree, Value};

/// An operation that is ready for the answer to its only call.
#[derive(Debug)]
pub struct BenchOperation {
    prepared: PreparedOperation,
    variables: Variables,
}

impl BenchOperation {
    /// Plans `query`, which takes one call for one root field and has no variables.
    pub fn new(graph: &Graph, settings: &Settings, query: &str) -> Result<Self, Vec<RequestError>> {
        let parsed = ParsedOperation::parse(graph, settings, query, None)?;
        let prepared = PreparedOperation::new(graph, &parsed, &PlanVariant::default())?;
        let variables = prepared.operation.coerce_variables(graph, None);
        let variables = variables.map_err(|problem| vec![request_error(problem)])?;
        Ok(Self {
            prepared,
            variables,
        })
    }

    /// Writes `data` for this answer; false when it is not JSON, or not of the graph's types.
    pub fn write_data(&self, body: Bytes, out: &mut Vec<u8>) -> bool {
        let Ok(json) = Json::parse(body) else {
            return false;
        };
        let mut tree = Tree::new(&self.prepared.widths);
        let fetches = &self.prepared.plan.fetches;
        for (fetch, program) in fetches.iter().zip(&self.prepared.programs) {
            let (Some(slot), Some(program)) = (fetch.field_slot, program) else {
                return false;
            };
            let mut fill = RowFiller {
                body: tree.next_body(),
                tree: &mut tree,
                widths: &self.prepared.widths,
                vars: &Vars::new(),
                authored_errors: Vec::new(),
            };
            let input = JsonValue::Node(json.root());
            let value = fill.extract(&program.extract, &input, Value::Absent);
            tree.set_slot(tree.root(), slot, value);
        }
        tree.add_body(Arc::new(json));
        let errors = project(
            &self.prepared.response_program,
            &tree,
            &Failures::default(),
            (&self.variables, 1),
            out,
        );
        errors.is_empty()
    }
}
