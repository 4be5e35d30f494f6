//! Estimates of the bytes that operations hold, by counting what they consist of.
//!
//! The factors were measured: `tests/engine/operation_size.rs` compares the estimates with the memory
//! that the process takes.

use std::collections::BTreeMap;

use schema::input::Input;
use schema::operation::{Operation, OperationSelection, count_tokens};
use schema::types::Constant;

use crate::plan::{ByRequest, Plan};
use crate::selection::{Output, Selection};
use crate::subgraph_request::Document;

/// Bytes of a parsed operation: the text, its syntax tree, and the tree of its selections.
pub(super) fn parsed(query: &str, operation: &Operation) -> usize {
    PER_OPERATION
        + query.len() * PER_QUERY_BYTE
        + count_tokens(query) * PER_TOKEN
        + selection_count(&operation.selections) * PER_SELECTION
        + value_count(&operation.selections) * PER_VALUE
}

/// Bytes of a prepared operation, without those of the parsed one.
pub(super) fn prepared(
    selection: &Selection,
    plan: &Plan,
    documents: &ByRequest<Option<Document>>,
) -> usize {
    let slots: usize = selection.positions().map(|(_, it)| it.slots.len()).sum();
    let fetched = plan.fetches.iter().map(|fetch| {
        let slots: usize = fetch.slots.values().map(BTreeMap::len).sum();
        PER_FETCH + slots * PER_FETCHED_SLOT
    });
    let documents = documents.iter().flatten().map(|document| {
        let repeats: usize = document.repeats.iter().map(|it| it.text.len()).sum();
        (document.text.len() + repeats) * PER_DOCUMENT_BYTE
    });
    slots * PER_SLOT
        + output_count(&selection.outputs) * PER_OUTPUT
        + fetched.sum::<usize>()
        + documents.sum::<usize>()
}

fn selection_count(selections: &[OperationSelection]) -> usize {
    let counts = selections.iter().map(|selection| match selection {
        OperationSelection::Field(field) => 1 + selection_count(&field.selections),
        OperationSelection::Fragment { selections, .. } => 1 + selection_count(selections),
    });
    counts.sum()
}

/// Number of values in the arguments of all selections.
fn value_count(selections: &[OperationSelection]) -> usize {
    let counts = selections.iter().map(|selection| match selection {
        OperationSelection::Field(field) => {
            let arguments = field.arguments.iter();
            let values: usize = arguments.map(|(_, it)| input_count(&it.value)).sum();
            values + value_count(&field.selections)
        }
        OperationSelection::Fragment { selections, .. } => value_count(selections),
    });
    counts.sum()
}

fn input_count(input: &Input) -> usize {
    match input {
        Input::Constant(constant) => constant_count(constant),
        Input::Variable(_) => 1,
        Input::List(items) => items.iter().map(input_count).sum(),
        Input::Object(members) => members.iter().map(|(_, it)| input_count(it)).sum(),
    }
}

fn constant_count(constant: &Constant) -> usize {
    match constant {
        Constant::List(items) => items.iter().map(constant_count).sum(),
        Constant::Object(members) => members.iter().map(|(_, it)| constant_count(it)).sum(),
        _ => 1,
    }
}

fn output_count(outputs: &[Output]) -> usize {
    let counts = outputs.iter().map(|it| 1 + output_count(&it.outputs));
    counts.sum()
}

/// Bytes of an operation without its selections.
const PER_OPERATION: usize = 4_096;

/// Bytes for each byte of the document, which is a key of the cache and a part of the syntax tree.
const PER_QUERY_BYTE: usize = 3;

/// Bytes for each token of the document: a syntax tree with positions.
const PER_TOKEN: usize = 48;

/// Bytes for each expanded selection.
const PER_SELECTION: usize = 256;

/// Bytes for each value of an argument: as it was written, selected and planned.
const PER_VALUE: usize = 160;

/// Bytes for each slot.
const PER_SLOT: usize = 384;

/// Bytes for each member of the response: as it was selected, and as it is written.
const PER_OUTPUT: usize = 512;

/// Bytes for each fetch without its slots.
const PER_FETCH: usize = 1_024;

/// Bytes for each slot that a fetch fills.
const PER_FETCHED_SLOT: usize = 256;

/// Bytes for each byte of a document for a subgraph: its text, its JSON, and how it is read.
const PER_DOCUMENT_BYTE: usize = 8;
