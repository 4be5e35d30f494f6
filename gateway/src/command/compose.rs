//! `weir compose`: subgraphs in, a supergraph for other tools out.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::future::join_all;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;
use url::Url;

use super::graph_args::{self, SubgraphArgs};
use super::{DEFAULT_CONFIG, Failed, introspect, print, serve};
use crate::config::Config;
use crate::config::graph::{GraphFiles, SubgraphFile};
use crate::{project, shop};

/// What is composed, and where it goes.
#[derive(Debug, Args)]
pub(super) struct Compose {
    #[command(flatten)]
    subgraph_args: SubgraphArgs,
    /// A subgraph's name and the URL of its service, which tells its SDL itself
    /// (`_service { sdl }`); in place of a file, or beside the other subgraphs
    #[arg(long, value_name = "NAME=URL", value_parser = parse_introspected)]
    introspect: Vec<IntrospectedSubgraph>,
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A service that tells its SDL itself.
#[derive(Clone, Debug)]
struct IntrospectedSubgraph {
    name: String,
    url: Url,
}

/// What is composed.
struct Input {
    subgraphs: Vec<Subgraph>,
    options: LinkOptions,
}

/// Prints the supergraph, or everything that is wrong with its parts.
pub(super) fn run(compose: &Compose) -> Result<(), Failed> {
    let mut composition = compose.composition()?;
    for subgraph in compose.introspect_all()? {
        let known = composition.subgraphs.iter_mut();
        match known.into_iter().find(|it| it.name == subgraph.name) {
            Some(known) => known.document = subgraph.document,
            None => composition.subgraphs.push(subgraph),
        }
    }
    let supergraph =
        graph_args::print_diagnostics(link::compose(&composition.subgraphs, composition.options))?;
    if let Some(path) = &compose.output {
        return write(path, &supergraph);
    }
    print::output(&supergraph);
    Ok(())
}

impl Compose {
    /// The subgraphs that are not introspected, or that say more than their service does.
    fn composition(&self) -> Result<Input, Failed> {
        let introspected = self.introspect.iter().map(|it| it.name.as_str());
        if let Some(twice) = graph_args::duplicate_name(introspected) {
            return graph_args::print_diagnostics((None, vec![twice]));
        }
        if !self.subgraph_args.subgraphs.is_empty() {
            let names = self
                .subgraph_args
                .subgraphs
                .iter()
                .map(|it| it.name.as_str());
            return match graph_args::duplicate_name(names) {
                Some(twice) => graph_args::print_diagnostics((None, vec![twice])),
                None => self.read_subgraphs(
                    &self.subgraph_args.subgraphs,
                    Path::new(""),
                    LinkOptions::default(),
                ),
            };
        }
        let default = Path::new(DEFAULT_CONFIG);
        let config = self.subgraph_args.config.as_deref();
        let is_alone = self.introspect.is_empty();
        match config.or_else(|| (is_alone && default.exists()).then_some(default)) {
            Some(path) => self.from_config_file(path),
            None => Ok(Input {
                subgraphs: if is_alone {
                    shop::subgraphs()
                } else {
                    Vec::new()
                },
                options: LinkOptions::default(),
            }),
        }
    }

    fn from_config_file(&self, path: &Path) -> Result<Input, Failed> {
        let config: Config = graph_args::print_diagnostics(project::read_config(path))?;
        match &config.graph.files {
            GraphFiles::Subgraphs(files) => {
                self.read_subgraphs(files, project::folder(path), config.graph.link)
            }
            GraphFiles::Supergraph(file) => {
                let path = file.path.display();
                print::note(&format!("error: `{path}` is a supergraph already"));
                Err(Failed)
            }
        }
    }

    /// Reads the files; of a service that tells its SDL itself only the URL counts.
    fn read_subgraphs(
        &self,
        files: &[SubgraphFile],
        folder: &Path,
        options: LinkOptions,
    ) -> Result<Input, Failed> {
        let mut diagnostics = Vec::new();
        let mut subgraphs = Vec::new();
        for file in files {
            let is_introspected = self.introspect.iter().any(|it| it.name == file.name);
            if is_introspected {
                subgraphs.push(Subgraph {
                    name: file.name.as_str().into(),
                    url: file.url.as_ref().map(|url| url.as_str().into()),
                    document: Document::new("", ""),
                });
            } else {
                subgraphs.extend(project::subgraph(file, folder, &mut diagnostics));
            }
        }
        let composition = diagnostics
            .is_empty()
            .then_some(Input { subgraphs, options });
        graph_args::print_diagnostics((composition, diagnostics))
    }

    /// What the services tell; every one that doesn't is told of.
    fn introspect_all(&self) -> Result<Vec<Subgraph>, Failed> {
        if self.introspect.is_empty() {
            return Ok(Vec::new());
        }
        let results = serve::block_on(join_all(self.introspect.iter().map(introspect_subgraph)))?;
        let count = results.len();
        let subgraphs: Vec<Subgraph> = results.into_iter().filter_map(Result::ok).collect();
        if subgraphs.len() < count {
            return Err(Failed);
        }
        Ok(subgraphs)
    }
}

async fn introspect_subgraph(service: &IntrospectedSubgraph) -> Result<Subgraph, Failed> {
    let IntrospectedSubgraph { name, url } = service;
    match introspect::fetch_sdl(url, introspect::DEFAULT_LIMITS).await {
        Ok(sdl) => Ok(Subgraph {
            name: name.as_str().into(),
            url: Some(url.as_str().into()),
            document: Document::new(format!("{name} as told by {url}"), sdl),
        }),
        Err(error) => Err(print::error(&NotIntrospected { name, error }, None)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("`{name}` cannot be introspected")]
struct NotIntrospected<'a> {
    name: &'a str,
    #[source]
    error: introspect::IntrospectionError,
}

fn write(path: &Path, supergraph: &str) -> Result<(), Failed> {
    let text = format!("{}\n", supergraph.trim_end());
    fs::write(path, text).map_err(|error| {
        let message = format!("error: cannot write `{}`: {error}", path.display());
        print::note(&message);
        Failed
    })?;
    print::note(&format!("wrote {}", path.display()));
    Ok(())
}

/// Reads `NAME=URL`.
fn parse_introspected(text: &str) -> Result<IntrospectedSubgraph, String> {
    let (name, url) = graph_args::split_name(text)?;
    Ok(IntrospectedSubgraph {
        name: name.to_owned(),
        url: graph_args::parse_url(url)?,
    })
}
