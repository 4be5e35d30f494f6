//! `weir plan`, `weir schema` and `weir config-schema`: print a description, and call no source.

use std::fs;
use std::path::Path;

use clap::Args;
use resolvers::Engine;
use resolvers::error::RequestError;
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::graph::Graph;
use schema::span::{Document, Span};

use super::graph_args::{self, GraphArgs};
use super::{Failed, print};
use crate::config::docs;
use crate::launch::settings;
use crate::project::Project;

/// Arguments of `weir plan`.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The operation, or @FILE to read it from a file
    operation: String,
    /// Name of the operation, if the document has several
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Activate an override label; repeatable. Labels that the configuration sets to 100% are
    /// active too
    #[arg(long = "override", value_name = "LABEL")]
    overrides: Vec<String>,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    graph_args: GraphArgs,
}

impl Plan {
    /// Prints the plan of an operation.
    pub(super) fn run(&self) -> Result<(), Failed> {
        let text = operation_text(&self.operation)?;
        let Project { config, graph } =
            graph_args::print_diagnostics(self.graph_args.read_or_shop())?;
        let mut settings = settings(&config, &graph);
        for label in &self.overrides {
            if graph.override_labels().iter().all(|it| **it != **label) {
                print::note(&unknown_label_diagnostic(label, &graph).render());
                return Err(Failed);
            }
            settings.overrides.insert(label.clone(), 100.0);
        }
        let engine = Engine::new(graph, settings).map_err(|error| print::error(&error, None))?;
        let name = self.name.as_deref();
        let plan = if self.json {
            let plan = engine.plan_json(&text, name);
            plan.map(|plan| format!("{plan:#}"))
        } else {
            engine.plan_text(&text, name)
        };
        let plan = plan.map_err(|errors| self.print_errors(&errors, text))?;
        print::output(&plan);
        Ok(())
    }

    fn print_errors(&self, errors: &[RequestError], text: String) -> Failed {
        let document = Document::new(document_name(&self.operation), text);
        let diagnostics: Vec<_> = errors
            .iter()
            .map(|error| invalid_operation(&document, error))
            .collect();
        print::note(&print::rendered(&diagnostics));
        Failed
    }
}

/// Prints the API schema.
pub(super) fn schema(graph_args: &GraphArgs) -> Result<(), Failed> {
    let project = graph_args::print_diagnostics(graph_args.read_or_shop())?;
    print::output(&project.graph.client_sdl());
    Ok(())
}

/// Prints the JSON Schema of the configuration.
pub(super) fn config_schema() {
    print::output(&format!("{:#}", docs::json_schema()));
}

fn operation_text(operation: &str) -> Result<String, Failed> {
    let Some(path) = operation.strip_prefix('@') else {
        if Path::new(operation).is_file() {
            let message = format!("`{operation}` is a file, not an operation");
            let problem = Diagnostic::without_span(Code::InvalidOperation, message);
            let help = format!("write `@{operation}` to read the operation from the file");
            print::note(&problem.help(help).render());
            return Err(Failed);
        }
        return Ok(operation.to_owned());
    };
    fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read `{path}`: {error}");
        print::note(&Diagnostic::without_span(Code::FileUnreadable, message).render());
        Failed
    })
}

fn unknown_label_diagnostic(label: &str, graph: &Graph) -> Diagnostic {
    let known = graph.override_labels().iter().map(|known| &**known);
    let message = format!("the graph has no override with the label `{label}`");
    let near = nearest(label, known);
    let help = near.map(|near| format!("write `--override {near}`"));
    Diagnostic::without_span(Code::InvalidOperation, message).help(help)
}

/// The name of the operation's document in diagnostics.
fn document_name(operation: &str) -> &str {
    operation.strip_prefix('@').unwrap_or("operation")
}

fn invalid_operation(document: &Document, error: &RequestError) -> Diagnostic {
    let code = Code::InvalidOperation;
    match error.locations.first() {
        Some(&(line, column)) => {
            let offset = byte_offset(&document.text, line, column);
            Diagnostic::error(code, Span::new(document, offset..offset), &*error.message)
        }
        None => Diagnostic::without_span(code, &*error.message),
    }
}

/// The byte offset of a line and a column, which start at 1.
fn byte_offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text.get(before..).unwrap_or_default();
    let within: usize = rest
        .chars()
        .take(column.saturating_sub(1))
        .map(char::len_utf8)
        .sum();
    before + within
}
