//! A configuration file and the subgraphs that it names, read from the disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use schema::diagnostic::{Code, Diagnostic, Severity};
use schema::graph::Graph;
use schema::link;
use schema::source::Access;
use schema::span::Document;
use schema::subgraph::Subgraph;

use super::{Failed, print};
use crate::config::Config;
use crate::config::expand::Environment;
use crate::config::graph::SubgraphFile;
use crate::shop;

/// Everything that is needed to serve.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) config: Config,
    pub(super) graph: Arc<Graph>,
}

/// Reads everything and reports everything; no project when there is an error.
pub(super) fn read(path: &Path) -> (Option<Project>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let Some(document) = document(path, &mut diagnostics) else {
        return (None, diagnostics);
    };
    let (config, found) = Config::read(&document, &Environment::of_process());
    diagnostics.extend(found);
    let Some(config) = config else {
        return (None, diagnostics);
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = config.graph.subgraphs.iter();
    let subgraphs: Vec<_> = files
        .filter_map(|file| subgraph(folder, file, &mut diagnostics))
        .collect();
    let (graph, found) = link::link(&subgraphs, config.graph.link);
    diagnostics.extend(found);
    if let Some(graph) = &graph {
        diagnostics.extend(config.connectors.unknown_sources(&sources(graph)));
    }
    (project(config, graph, &diagnostics), diagnostics)
}

/// The graph that comes with the binary.
pub(super) fn shop() -> (Option<Project>, Vec<Diagnostic>) {
    let config = Config::without_file();
    let (graph, diagnostics) = link::link(&shop::subgraphs(), config.graph.link);
    (project(config, graph, &diagnostics), diagnostics)
}

/// The project, its diagnostics printed.
pub(super) fn demand(found: (Option<Project>, Vec<Diagnostic>)) -> Result<Project, Failed> {
    let (project, diagnostics) = found;
    if !diagnostics.is_empty() {
        print::note(&print::rendered(&diagnostics));
    }
    project.ok_or(Failed)
}

fn project(config: Config, graph: Option<Graph>, diagnostics: &[Diagnostic]) -> Option<Project> {
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    let graph = graph.filter(|_| !diagnostics.iter().any(is_error))?;
    Some(Project {
        config,
        graph: Arc::new(graph),
    })
}

/// Every `<subgraph>.<source>` that a connector uses.
fn sources(graph: &Graph) -> BTreeSet<&str> {
    let connectors = graph.sources().map(|(_, source)| match &source.access {
        Access::Connector(connector) => connector.source.as_deref(),
    });
    connectors.flatten().collect()
}

fn document(path: &Path, diagnostics: &mut Vec<Diagnostic>) -> Option<Document> {
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => Some(Document::new(name, text)),
        Err(error) => {
            let message = format!("cannot read `{name}`: {error}");
            let help =
                "name another with `--config`, or run `weir` in an empty folder to see it at work";
            diagnostics
                .push(Diagnostic::unplaced(Code::FileUnreadable, message).help(help.to_owned()));
            None
        }
    }
}

fn subgraph(
    folder: &Path,
    file: &SubgraphFile,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Subgraph> {
    let path = folder.join(&file.path);
    match fs::read_to_string(&path) {
        Ok(text) => Some(Subgraph {
            name: file.name.as_str().into(),
            document: Document::new(path.display().to_string(), text),
        }),
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", path.display());
            diagnostics.push(Diagnostic::error(
                Code::FileUnreadable,
                file.span.clone(),
                message,
            ));
            None
        }
    }
}
