//! What is tested: the graph of one SDL, by itself or as a part of a configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use resolvers::connector_test::{ConnectorTest, NotFound};
use resolvers::settings::Settings;
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::graph::Graph;
use schema::link::{LinkOptions, link};
use schema::span::Document;
use schema::subgraph::Subgraph;

use super::suite::{Suite, Test};
use crate::config::Config;
use crate::launch::settings;
use crate::project::Project;

/// The graph that the tests of a file run against.
#[derive(Debug)]
pub(super) struct TestGraph {
    graph: Arc<Graph>,
    settings: Settings,
    /// The subgraph that the tests name connectors of.
    subgraph: String,
}

impl TestGraph {
    /// The graph of `suite`, and what is to be said of its SDL.
    ///
    /// With a `project` that has the SDL among its subgraphs, the graph is all of it, with its
    /// addresses, headers and `$config`; else the SDL is a graph by itself, without any.
    pub(super) fn load(
        suite: &Suite,
        project: Option<(&Project, &Path)>,
    ) -> (Option<Self>, Vec<Diagnostic>) {
        if let Some((project, folder)) = project {
            let files = project.config.graph.subgraphs().iter();
            let wanted = canonical_path(&suite.schema);
            let mut own = files.filter(|it| canonical_path(&folder.join(&it.file.path)) == wanted);
            if let Some(file) = own.next() {
                let subject = Self {
                    graph: Arc::clone(&project.graph),
                    settings: settings(&project.config, &project.graph),
                    subgraph: file.name.clone(),
                };
                return (Some(subject), Vec::new());
            }
        }
        let options = project.map(|(project, _)| project.config.graph.link);
        Self::load_standalone(suite, options.unwrap_or_default())
    }

    fn load_standalone(suite: &Suite, options: LinkOptions) -> (Option<Self>, Vec<Diagnostic>) {
        let path = &suite.schema;
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", path.display());
                let span = suite.schema_span.clone();
                return (
                    None,
                    vec![Diagnostic::error(Code::FileUnreadable, span, message)],
                );
            }
        };
        let stem = path.file_stem().unwrap_or_default();
        let service = stem.to_string_lossy().into_owned();
        let subgraph = Subgraph {
            name: service.as_str().into(),
            url: None,
            document: Document::new(path.display().to_string(), text),
        };
        let (graph, diagnostics) = link(&[subgraph], options);
        let subject = graph.map(|graph| Self {
            settings: settings(&Config::without_file(), &graph),
            graph: Arc::new(graph),
            subgraph: service,
        });
        (subject, diagnostics)
    }

    /// The connector that a test names.
    pub(super) fn connector_test(&self, test: &Test) -> Result<ConnectorTest<'_>, Diagnostic> {
        let name = &test.connector;
        let coordinate = if name.contains(':') {
            name.clone()
        } else {
            format!("{}:{name}", self.subgraph)
        };
        ConnectorTest::find(&self.graph, &self.settings, &coordinate).map_err(|error| {
            let (message, help) = match error {
                NotFound::Unknown(known) => {
                    let near = nearest(name, known.iter().map(|it| short_coordinate(it)));
                    let near =
                        near.or_else(|| nearest(&coordinate, known.iter().map(AsRef::as_ref)));
                    (
                        format!("there is no connector `{name}`"),
                        near.map(|near| format!("write `{near}`")),
                    )
                }
                NotFound::Ambiguous(names) => {
                    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                    (
                        format!("several connectors are called `{name}`"),
                        Some(format!("write one of {}", names.join(", "))),
                    )
                }
            };
            Diagnostic::error(Code::ConfigInvalidValue, test.span.clone(), message).help(help)
        })
    }
}

/// `Query.user` of `users:Query.user[0]`.
fn short_coordinate(coordinate: &str) -> &str {
    let local = coordinate.split_once(':').map_or(coordinate, |(_, it)| it);
    local.split_once('[').map_or(local, |(place, _)| place)
}

/// The same for one file under two names; the name itself, where there is no such file.
fn canonical_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
