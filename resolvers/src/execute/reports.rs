//! Reports of mappings, for the authors of connectors.
//!
//! Only reports about what an operation needs are recorded, and, except for errors that a mapping
//! raises for clients, only where the settings show them.

use std::borrow::Cow;
use std::sync::Arc;

use schema::connector::ConnectorOutput;
use schema::json::Value as Json;
use schema::mapping::{Mapping, Report, ReportKind, Vars, eval_mapping};

use super::ConnectorFetch;
use super::execution::Execution;
use crate::error::{ConnectorReport, FetchError};
use crate::plan::FetchSlots;
use crate::program::add_key;
use crate::response::narrow::MappingNarrower;
use crate::settings::Reports;
use crate::source_client::request::MappingReport;

impl Execution<'_, '_> {
    /// Records the reports of building a request.
    pub(super) fn record_request_reports(
        &mut self,
        fetch: ConnectorFetch<'_>,
        reports: Vec<MappingReport>,
    ) {
        if self.context.reports == Reports::Show {
            self.record_reports(fetch, reports);
        }
    }

    /// Records the errors that a selection raises for clients.
    pub(super) fn record_authored_errors(
        &mut self,
        fetch: ConnectorFetch<'_>,
        errors: Vec<Report>,
    ) {
        self.record_reports(fetch, named(SELECTION, errors));
    }

    /// Records the reports of the mappings of a response, whose check for success has the result
    /// `success`. They are evaluated once more.
    pub(super) fn record_response_reports(
        &mut self,
        fetch: ConnectorFetch<'_>,
        body: &Json<'_>,
        vars: &Vars<'_>,
        success: &Result<(), FetchError>,
    ) {
        if self.context.reports == Reports::Hide {
            return;
        }
        let connector = fetch.connector;
        let mut record = |name, mapping: &Mapping| {
            let reports = mapping.eval(body.clone(), vars).reports;
            self.record_reports(fetch, named(name, own_reports(reports)));
        };
        if let Some(is_success) = &connector.is_success {
            record("isSuccess", is_success);
        }
        if success.is_err() {
            if let Some(message) = &connector.error_message {
                record("errors.message", message);
            }
            for extensions in &connector.error_extensions {
                record("errors.extensions", extensions);
            }
            return;
        }
        let slots = self.needed_slots(fetch);
        let narrower = MappingNarrower {
            selection: &self.context.prepared.selection,
            slots: &slots,
        };
        let at = match fetch.fetch.field_slot {
            Some(slot) => {
                let position = narrower.selection.position(fetch.fetch.at);
                position.slots[slot].child
            }
            None => Some(fetch.fetch.at),
        };
        let narrowed = narrower.items(connector.selection.ast(), at.as_slice());
        let reports = eval_mapping(&narrowed, body, vars).reports;
        self.record_reports(fetch, named(SELECTION, own_reports(reports)));
    }

    /// The slots of a fetch that the operation needs with its variables, and those of its key.
    fn needed_slots(
        &self,
        ConnectorFetch {
            fetch, connector, ..
        }: ConnectorFetch<'_>,
    ) -> FetchSlots {
        let selection = &self.context.prepared.selection;
        let mut needed = fetch.slots.clone();
        for (at, slots) in &mut needed {
            let known = &selection.position(*at).slots;
            slots.retain(|slot, _| known[*slot].condition.is_true(self.context.variables));
        }
        if matches!(connector.output, ConnectorOutput::Batch { .. }) {
            add_key(selection, &fetch.first_entry().key, fetch.at, &mut needed);
        }
        needed
    }

    fn record_reports(
        &mut self,
        fetch: ConnectorFetch<'_>,
        reports: impl IntoIterator<Item = MappingReport>,
    ) {
        let reports = reports.into_iter().map(|it| ConnectorReport {
            coordinate: Arc::clone(&fetch.client.coordinate),
            mapping: it.mapping,
            report: it.report,
        });
        self.reports.extend(reports);
    }
}

/// Reports of the mapping `name`.
fn named(name: &'static str, reports: Vec<Report>) -> impl Iterator<Item = MappingReport> {
    let mapping = Cow::Borrowed(name);
    reports.into_iter().map(move |report| MappingReport {
        mapping: mapping.clone(),
        report,
    })
}

/// The reports for the author; errors for clients are recorded where the response is read.
fn own_reports(mut reports: Vec<Report>) -> Vec<Report> {
    reports.retain(|report| report.kind != ReportKind::AuthoredError);
    reports
}

const SELECTION: &str = "selection";
