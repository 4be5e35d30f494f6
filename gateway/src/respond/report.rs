//! `extensions`: errors from mappings (`->withError`), mapping reports and warnings of responses
//! (with `connectors.reports`), and the trace, if the client requested it.

use resolvers::error::ConnectorReport;
use resolvers::warning::SourceWarning;
use schema::mapping::{PathElement, ReportKind};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{append_json, redaction, trace};
use crate::config::errors::Errors;

/// Reports of mappings, and what of them clients see.
#[derive(Clone, Copy)]
pub(super) struct VisibleReports<'r> {
    pub(super) reports: &'r [ConnectorReport],
    /// Warnings of responses, if clients see them.
    pub(super) warnings: &'r [SourceWarning],
    pub(super) exposed: &'r Errors,
}

/// Appends `,"extensions":{…}`, or nothing if all extensions are empty.
pub(super) fn append_extensions(
    visible: VisibleReports<'_>,
    trace: Option<trace::TraceExtension<'_>>,
    body: &mut Vec<u8>,
) {
    if visible.reports.is_empty() && visible.warnings.is_empty() && trace.is_none() {
        return;
    }
    body.extend_from_slice(b",\"extensions\":");
    let extensions = Extensions {
        connector_errors: authored_errors(visible),
        connectors: connector_extensions(visible),
        weir: trace,
    };
    append_json(&extensions, body);
}

#[derive(Serialize)]
struct Extensions<'r> {
    #[serde(rename = "connectorErrors", skip_serializing_if = "Vec::is_empty")]
    connector_errors: Vec<AuthoredError<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<ConnectorExtensions<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weir: Option<trace::TraceExtension<'r>>,
}

/// An error that a mapping raised for clients.
#[derive(Serialize)]
struct AuthoredError<'r> {
    message: &'r str,
    #[serde(skip_serializing_if = "Path::is_empty")]
    path: Path<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<VisibleExtensions<'r>>,
}

/// `extensions` of an authored error, with numbers as they were written unless redacted.
#[derive(Serialize)]
#[serde(untagged)]
enum VisibleExtensions<'r> {
    Whole(&'r RawValue),
    Redacted(Map<String, Value>),
}

#[derive(Serialize)]
struct ConnectorExtensions<'r> {
    reports: Vec<AuthorReport<'r>>,
    #[serde(skip_serializing_if = "is_zero")]
    omitted: usize,
}

/// A report for the author of a connector.
#[derive(Serialize)]
#[serde(untagged)]
enum AuthorReport<'r> {
    Warning(ResponseWarning<'r>),
    Mapping(MappingReport<'r>),
}

/// A warning of responses, which concerns no part of a mapping.
#[derive(Serialize)]
struct ResponseWarning<'r> {
    connector: &'r str,
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "is_one")]
    responses: usize,
}

/// A mapping report.
#[derive(Serialize)]
struct MappingReport<'r> {
    connector: &'r str,
    /// The mapping or template as arguments of the directive.
    mapping: &'r str,
    kind: &'static str,
    message: &'r str,
    path: Path<'r>,
    /// Byte range in the mapping, end exclusive.
    range: [usize; 2],
}

struct Path<'r>(&'r [PathElement]);

impl Path<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Path<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|element| match element {
            PathElement::Key(key) => Value::from(key.as_str()),
            PathElement::Index(index) => Value::from(*index),
        }))
    }
}

fn authored_errors(visible: VisibleReports<'_>) -> Vec<AuthoredError<'_>> {
    let reports = visible.reports.iter();
    let authored = reports.filter(|report| report.report.kind == ReportKind::AuthoredError);
    authored
        .take(MAX_REPORTS)
        .map(|report| authored_error(report, visible.exposed))
        .collect()
}

fn authored_error<'r>(report: &'r ConnectorReport, exposed: &Errors) -> AuthoredError<'r> {
    // The coordinate begins with the name of the subgraph.
    let subgraph = report.coordinate.split(':').next().unwrap_or_default();
    let exposure = exposed.exposure(subgraph);
    let path = Path(&report.report.path);
    let extensions = report.report.extensions.as_deref();
    if redaction::is_mapping_visible(exposure) {
        let extensions = extensions.and_then(|object| serde_json::from_str(object).ok());
        return AuthoredError {
            message: &report.report.message,
            path,
            extensions: extensions.map(VisibleExtensions::Whole),
        };
    }
    let extensions = redaction::mapped_extensions(extensions, exposure);
    let extensions = (!extensions.is_empty()).then_some(extensions);
    AuthoredError {
        message: redaction::MESSAGE,
        path,
        extensions: extensions.map(VisibleExtensions::Redacted),
    }
}

fn connector_extensions(visible: VisibleReports<'_>) -> Option<ConnectorExtensions<'_>> {
    let reports = visible.reports.iter();
    let reports = reports.filter(|report| report.report.kind != ReportKind::AuthoredError);
    // Warnings are few, and explain reports.
    let warnings = visible.warnings.iter().map(response_warning);
    let mut reports = warnings.chain(reports.map(mapping_report));
    let listed: Vec<_> = reports.by_ref().take(MAX_REPORTS).collect();
    (!listed.is_empty()).then(|| ConnectorExtensions {
        reports: listed,
        omitted: reports.count(),
    })
}

fn response_warning(warning: &SourceWarning) -> AuthorReport<'_> {
    AuthorReport::Warning(ResponseWarning {
        connector: &warning.coordinate,
        kind: warning.kind.as_str(),
        message: warning.kind.to_string(),
        responses: warning.responses,
    })
}

fn mapping_report(report: &ConnectorReport) -> AuthorReport<'_> {
    let ConnectorReport {
        coordinate,
        mapping,
        report,
    } = report;
    AuthorReport::Mapping(MappingReport {
        connector: coordinate,
        mapping,
        kind: report.kind.as_str(),
        message: &report.message,
        path: Path(&report.path),
        range: [report.range.start, report.range.end],
    })
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature required by serde"
)]
fn is_one(number: &usize) -> bool {
    *number == 1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature required by serde"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Maximum reports of one response: a faulty mapping has one for each item of a list.
const MAX_REPORTS: usize = 200;

#[cfg(test)]
mod tests {
    use resolvers::warning::SourceWarningKind;
    use schema::mapping::Report;

    use super::*;
    use crate::config::errors::{Exposure, Messages, SubgraphErrors};

    fn report(kind: ReportKind) -> ConnectorReport {
        ConnectorReport {
            coordinate: "users:Query.user[0]".into(),
            mapping: "selection".into(),
            report: Report {
                kind,
                message: "no \"name\"".to_owned(),
                path: vec![PathElement::Key("items".to_owned()), PathElement::Index(3)],
                range: 4..8,
                extensions: None,
            },
        }
    }

    fn appended(reports: &[ConnectorReport]) -> String {
        let exposed = &Errors::default();
        let mut body = Vec::new();
        let visible = VisibleReports {
            reports,
            warnings: &[],
            exposed,
        };
        append_extensions(visible, None, &mut body);
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn authored_errors_are_separate_from_mapping_reports() {
        let mut authored = report(ReportKind::AuthoredError);
        authored.report.extensions = Some(r#"{"code":"OLD","at":1.50}"#.to_owned());

        assert_eq!(
            appended(&[authored, report(ReportKind::PropertyMissing)]),
            r#","extensions":{"connectorErrors":[{"message":"no \"name\"","path":["items",3],"extensions":{"code":"OLD","at":1.50}}],"connectors":{"reports":[{"connector":"users:Query.user[0]","mapping":"selection","kind":"property_missing","message":"no \"name\"","path":["items",3],"range":[4,8]}]}}"#
        );
    }

    #[test]
    fn authored_errors_are_redacted_with_all_messages_of_their_subgraph() {
        let mut authored = report(ReportKind::AuthoredError);
        authored.report.extensions = Some(r#"{"code":"OLD","host":"db"}"#.to_owned());
        let exposure = Exposure {
            messages: Messages::Redacted,
            ..Exposure::default()
        };
        let redacted = SubgraphErrors {
            exposure,
            span: None,
        };
        let exposed = Errors {
            subgraphs: [("users".to_owned(), redacted)].into(),
            ..Errors::default()
        };
        let visible = VisibleReports {
            reports: &[authored],
            warnings: &[],
            exposed: &exposed,
        };
        let mut body = Vec::new();

        append_extensions(visible, None, &mut body);

        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#","extensions":{"connectorErrors":[{"message":"the source returned an error","path":["items",3],"extensions":{"code":"OLD"}}]}"#
        );
    }

    #[test]
    fn warnings_precede_reports() {
        let warning = |responses| SourceWarning {
            subgraph: "users".into(),
            coordinate: "users:User[0]".into(),
            kind: SourceWarningKind::KeysNotFound {
                keys: 2,
                objects: 1,
            },
            responses,
        };
        let mut body = Vec::new();
        let visible = VisibleReports {
            reports: &[report(ReportKind::PropertyMissing)],
            warnings: &[warning(1), warning(3)],
            exposed: &Errors::default(),
        };

        append_extensions(visible, None, &mut body);

        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#","extensions":{"connectors":{"reports":[{"connector":"users:User[0]","kind":"keys_not_found","message":"no object of the response has a requested key (1 in the response, 2 requested)"},{"connector":"users:User[0]","kind":"keys_not_found","message":"no object of the response has a requested key (1 in the response, 2 requested)","responses":3},{"connector":"users:Query.user[0]","mapping":"selection","kind":"property_missing","message":"no \"name\"","path":["items",3],"range":[4,8]}]}}"#
        );
    }

    #[test]
    fn no_reports_append_nothing() {
        assert_eq!(appended(&[]), "");
    }

    #[test]
    fn an_empty_trace_has_no_fetches() {
        let visible = VisibleReports {
            reports: &[],
            warnings: &[],
            exposed: &Errors::default(),
        };
        let mut body = Vec::new();
        let trace = resolvers::trace::OperationTrace::default();
        let trace = trace::TraceExtension::new(&trace);
        append_extensions(visible, Some(trace), &mut body);
        assert_eq!(body, br#","extensions":{"weir":{"fetches":[]}}"#);
    }

    #[test]
    fn the_number_of_reports_is_limited() {
        let mut reports = vec![report(ReportKind::PropertyMissing); 1_000];
        reports.extend(vec![report(ReportKind::AuthoredError); 1_000]);

        let body = appended(&reports);

        let body = body.strip_prefix(",\"extensions\":").unwrap();
        let extensions: Value = serde_json::from_str(body).unwrap();
        let listed = &extensions["connectors"];
        assert_eq!(listed["reports"].as_array().unwrap().len(), MAX_REPORTS);
        assert_eq!(listed["omitted"], 800);
        let authored = extensions["connectorErrors"].as_array().unwrap();
        assert_eq!(authored.len(), MAX_REPORTS);
    }
}
