//! A configuration and its graph, read from files.
//!
//! Accesses only the file system, and reports the problems of all files at once.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use schema::diagnostic::{Code, Diagnostic, Severity};
use schema::graph::Graph;
use schema::link;
use schema::span::Document;
use schema::subgraph::Subgraph;

use crate::config::Config;
use crate::config::expand::Environment;
use crate::config::graph::{GraphFiles, SchemaFile, SubgraphFile};
use crate::shop;

mod config_graph_check;
mod unset_settings;

/// A checked configuration and its graph.
#[derive(Debug)]
pub struct Project {
    /// The configuration.
    pub config: Config,
    /// The graph to serve.
    pub graph: Arc<Graph>,
}

/// A loaded value and its diagnostics; `None` if they contain an error.
pub type Loaded<T> = (Option<T>, Vec<Diagnostic>);

impl Project {
    /// Reads the configuration file at `path` and the SDL files of its graph.
    pub fn read(path: &Path) -> Loaded<Self> {
        Self::read_adjusted(path, |_| ())
    }

    /// Reads the configuration file at `path`, changes it with `adjust`, and reads the SDL files.
    pub(crate) fn read_adjusted(path: &Path, adjust: impl FnOnce(&mut Config)) -> Loaded<Self> {
        let (config, mut diagnostics) = read_config(path);
        let Some(mut config) = config else {
            return (None, diagnostics);
        };
        adjust(&mut config);
        let (project, graph_diagnostics) = Self::from_config(config, folder(path));
        diagnostics.extend(graph_diagnostics);
        // Without a file the values are those of another configuration.
        let project_settings = project
            .iter()
            .flat_map(|project| unset_settings::configuration(&project.config, &project.graph));
        diagnostics.extend(project_settings);
        (project, diagnostics)
    }

    /// Reads the SDL files that `config` names; their paths are relative to `folder`.
    pub fn from_config(config: Config, folder: &Path) -> Loaded<Self> {
        let (graph, mut diagnostics) = read_graph(&config, folder);
        if let Some(graph) = &graph {
            diagnostics.extend(config_graph_check::check(&config, graph));
            let environment = Environment::from_process();
            diagnostics.extend(unset_settings::environment(graph, &environment));
        }
        (
            project_without_errors(config, graph, &diagnostics),
            diagnostics,
        )
    }

    /// A warning for each GraphQL subgraph without a URL.
    ///
    /// Before the graph is served, it needs a URL or a service mounted by the program.
    pub fn missing_url_warnings(&self) -> Vec<Diagnostic> {
        config_graph_check::missing_url_warnings(&self.config, &self.graph)
    }

    /// The demo: the graph of a shop, which the binary contains.
    pub fn shop() -> Loaded<Self> {
        let config = Config::without_file();
        let (graph, diagnostics) = link::link(&shop::subgraphs(), config.graph.link);
        (
            project_without_errors(config, graph, &diagnostics),
            diagnostics,
        )
    }
}

/// Reads the configuration file at `path`.
pub fn read_config(path: &Path) -> Loaded<Config> {
    let mut diagnostics = Vec::new();
    let Some(document) = read_document(path, &mut diagnostics) else {
        return (None, diagnostics);
    };
    let (config, config_diagnostics) = Config::read(&document, &Environment::from_process());
    diagnostics.extend(config_diagnostics);
    (config, diagnostics)
}

/// The folder that paths in the configuration at `path` are relative to.
pub fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Reads the SDL of a subgraph; `None`, and a diagnostic, if the file is unreadable.
pub(crate) fn subgraph(
    subgraph: &SubgraphFile,
    folder: &Path,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Subgraph> {
    Some(Subgraph {
        name: subgraph.name.as_str().into(),
        url: subgraph.url.as_ref().map(|url| url.as_str().into()),
        document: read_schema_file(folder, &subgraph.file, diagnostics)?,
    })
}

fn read_graph(config: &Config, folder: &Path) -> Loaded<Graph> {
    let mut diagnostics = Vec::new();
    let (graph, link_diagnostics) = match &config.graph.files {
        GraphFiles::Supergraph(supergraph) => {
            let Some(document) = read_schema_file(folder, supergraph, &mut diagnostics) else {
                return (None, diagnostics);
            };
            link::link_supergraph(&document, config.graph.link)
        }
        GraphFiles::Subgraphs(files) => {
            let subgraphs = files.iter();
            let subgraphs: Vec<_> = subgraphs
                .filter_map(|file| subgraph(file, folder, &mut diagnostics))
                .collect();
            link::link(&subgraphs, config.graph.link)
        }
    };
    diagnostics.extend(link_diagnostics);
    (graph, diagnostics)
}

fn project_without_errors(
    config: Config,
    graph: Option<Graph>,
    diagnostics: &[Diagnostic],
) -> Option<Project> {
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    let graph = graph.filter(|_| !diagnostics.iter().any(is_error))?;
    Some(Project {
        config,
        graph: Arc::new(graph),
    })
}

fn read_document(path: &Path, diagnostics: &mut Vec<Diagnostic>) -> Option<Document> {
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => Some(Document::new(name, text)),
        Err(error) => {
            let message = format!("cannot read `{name}`: {error}");
            let help =
                "pass another file with `--config`, or run `weir` in an empty folder for the demo";
            diagnostics.push(
                Diagnostic::without_span(Code::FileUnreadable, message).help(help.to_owned()),
            );
            None
        }
    }
}

fn read_schema_file(
    folder: &Path,
    file: &SchemaFile,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Document> {
    let path = folder.join(&file.path);
    match fs::read_to_string(&path) {
        Ok(text) => Some(Document::new(path.display().to_string(), text)),
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", path.display());
            let code = Code::FileUnreadable;
            diagnostics.push(match &file.span {
                Some(span) => Diagnostic::error(code, span.clone(), message),
                None => Diagnostic::without_span(code, message).help(url_hint(&path)),
            });
            None
        }
    }
}

/// A help for a path that looks like `FILE@URL` without a scheme.
fn url_hint(path: &Path) -> Option<String> {
    let has_at = path.to_string_lossy().contains('@');
    has_at.then(|| "a URL after `@` must begin with `http://` or `https://`".to_owned())
}
