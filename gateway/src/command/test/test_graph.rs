//! The graph under test: that of one SDL file, alone or as a part of a configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use resolvers::connector_test::{ConnectorTest, NotFound};
use resolvers::settings::Settings;
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::graph::Graph;
use schema::link::{AccessDirectives, LinkOptions, link};
use schema::span::Document;
use schema::subgraph::Subgraph;

use super::suite::{Suite, Test};
use crate::command::{Failed, graph_args};
use crate::config::Config;
use crate::launch::settings;
use crate::project::{self, Project};

/// The graph that the tests of a file run against.
#[derive(Debug)]
pub(super) struct TestGraph {
    graph: Arc<Graph>,
    settings: Settings,
    /// The subgraph that the tests name connectors of.
    subgraph: String,
}

/// The project of `--config`.
#[derive(Debug)]
pub(super) struct ConfiguredProject<'a> {
    project: Project,
    /// The folder that paths in the configuration are relative to.
    folder: &'a Path,
}

impl<'a> ConfiguredProject<'a> {
    /// Reads the configuration at `path` and its graph, and prints the diagnostics.
    pub(super) fn read(path: &'a Path) -> Result<Self, Failed> {
        Ok(Self {
            project: graph_args::print_diagnostics(Project::read(path))?,
            folder: project::folder(path),
        })
    }

    /// The paths of the SDL files of all subgraphs.
    pub(super) fn schema_paths(&self) -> impl Iterator<Item = PathBuf> {
        let subgraphs = self.project.config.graph.subgraphs().iter();
        subgraphs.map(|subgraph| self.folder.join(&subgraph.file.path))
    }

    /// The name of the subgraph whose SDL is the file at `path`.
    fn subgraph_at(&self, path: &Path) -> Option<&str> {
        let path = canonical_path(path);
        let subgraphs = self.project.config.graph.subgraphs().iter();
        let mut names = subgraphs
            .zip(self.schema_paths())
            .filter(|(_, schema)| canonical_path(schema) == path);
        names.next().map(|(subgraph, _)| subgraph.name.as_str())
    }
}

impl TestGraph {
    /// The graph of `suite`, and the diagnostics of its SDL.
    ///
    /// If the SDL is a subgraph of the configured project, the graph is that of the project with
    /// its URLs, headers and `$config`; otherwise the SDL alone, without any of these.
    pub(super) fn load(
        suite: &Suite,
        configured: Option<&ConfiguredProject<'_>>,
    ) -> (Option<Self>, Vec<Diagnostic>) {
        let project = configured.map(|configured| &configured.project);
        let subgraph = configured.and_then(|configured| configured.subgraph_at(&suite.schema));
        if let (Some(project), Some(subgraph)) = (project, subgraph) {
            let graph = Self {
                graph: Arc::clone(&project.graph),
                settings: settings(&project.config, &project.graph),
                subgraph: subgraph.to_owned(),
            };
            return (Some(graph), Vec::new());
        }
        let options = project.map(|project| project.config.graph.link);
        let options = LinkOptions {
            // Nothing is served.
            access_directives: AccessDirectives::Allow,
            ..options.unwrap_or_default()
        };
        Self::load_standalone(suite, options)
    }

    fn load_standalone(suite: &Suite, options: LinkOptions) -> (Option<Self>, Vec<Diagnostic>) {
        let path = &suite.schema;
        let document_name = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot read `{document_name}`: {error}");
                let span = suite.schema_span.clone();
                let diagnostic = Diagnostic::error(Code::FileUnreadable, span, message);
                return (None, vec![diagnostic]);
            }
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = name.into_owned();
        let subgraph = Subgraph {
            name: name.as_str().into(),
            url: None,
            document: Document::new(document_name, text),
        };
        let (graph, diagnostics) = link(&[subgraph], options);
        let config = Config::without_file();
        let graph = graph.map(|graph| Self {
            settings: settings(&config, &graph),
            graph: Arc::new(graph),
            subgraph: name,
        });
        (graph, diagnostics)
    }

    /// Finds the connector of a test.
    pub(super) fn connector_test(&self, test: &Test) -> Result<ConnectorTest<'_>, Diagnostic> {
        let name = &test.connector;
        let coordinate = if name.contains(':') {
            name.clone()
        } else {
            format!("{}:{name}", self.subgraph)
        };
        let found = ConnectorTest::find(&self.graph, &self.settings, &coordinate);
        found.map_err(|error| not_found(test, &coordinate, &error))
    }
}

fn not_found(test: &Test, coordinate: &str, error: &NotFound) -> Diagnostic {
    let name = &test.connector;
    let (message, help) = match error {
        NotFound::Unknown(known) => {
            let near = nearest(name, known.iter().map(|it| short_coordinate(it)));
            let near = near.or_else(|| nearest(coordinate, known.iter().map(AsRef::as_ref)));
            let help = near.map(|near| format!("write `{near}`"));
            (format!("there is no connector `{name}`"), help)
        }
        NotFound::Ambiguous(names) => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let help = format!("write one of {}", names.join(", "));
            (
                format!("several connectors are called `{name}`"),
                Some(help),
            )
        }
    };
    Diagnostic::error(Code::ConfigInvalidValue, test.span.clone(), message).help(help)
}

/// `Query.user` of `users:Query.user[0]`.
fn short_coordinate(coordinate: &str) -> &str {
    let local = coordinate.split_once(':').map_or(coordinate, |(_, it)| it);
    local.split_once('[').map_or(local, |(field, _)| field)
}

/// The canonical path of a file; the path itself if the file does not exist.
fn canonical_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
