//! `weir check`: reports all problems of a configuration and its graph.

use schema::diagnostic::{Diagnostic, Label, Severity};
use serde_json::{Value, json};

use super::graph_args::GraphArgs;
use super::{Failed, Format, print};
use crate::project::Project;

/// Prints every diagnostic of a configuration and its graph; fails if one is an error.
pub(super) fn run(origin: &GraphArgs, format: Format) -> Result<(), Failed> {
    let (project, mut diagnostics) = origin.read();
    diagnostics.extend(project.iter().flat_map(Project::missing_url_warnings));
    match format {
        Format::Text if diagnostics.is_empty() => print::output("no problems found"),
        Format::Text => {
            print::output(&print::rendered(&diagnostics));
            print::note(&summary(&diagnostics));
        }
        Format::Json => print::output(&format!("{:#}", diagnostics_json(&diagnostics))),
    }
    project.map(|_| ()).ok_or(Failed)
}

fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .count();
    let warnings = diagnostics.len() - errors;
    let plural = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    };
    format!(
        "\n{}, {}",
        plural(errors, "error"),
        plural(warnings, "warning")
    )
}

/// Diagnostics as JSON. Lines and columns start at 1, columns count characters, ends are exclusive.
fn diagnostics_json(diagnostics: &[Diagnostic]) -> Value {
    let diagnostics: Vec<Value> = diagnostics
        .iter()
        .map(|diagnostic| {
            json!({
                "code": diagnostic.code.as_str(),
                "severity": match diagnostic.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                "message": diagnostic.message,
                "help": diagnostic.help,
                "labels": diagnostic.labels.iter().map(label_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "diagnostics": diagnostics })
}

fn label_json(label: &Label) -> Value {
    let document = &label.span.document;
    let (line, column) = document.line_column(label.span.range.start);
    let (end_line, end_column) = document.line_column(label.span.range.end);
    json!({
        "file": &*document.name,
        "line": line,
        "column": column,
        "endLine": end_line,
        "endColumn": end_column,
        "text": label.text,
    })
}
