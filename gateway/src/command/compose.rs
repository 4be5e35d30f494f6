//! `weir compose`: composes subgraphs into a supergraph for other tools.

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

/// Arguments of `weir compose`.
#[derive(Debug, Args)]
pub(super) struct Compose {
    #[command(flatten)]
    subgraph_args: SubgraphArgs,
    /// Fetch the SDL of a subgraph from its URL with `_service { sdl }`; replaces the subgraph's
    /// file, or adds a subgraph
    #[arg(long, value_name = "NAME=URL", value_parser = parse_introspected)]
    introspect: Vec<IntrospectedSubgraph>,
    /// File to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A subgraph whose SDL is fetched from its URL.
#[derive(Clone, Debug)]
struct IntrospectedSubgraph {
    name: String,
    url: Url,
}

/// The subgraphs to compose.
struct Input {
    subgraphs: Vec<Subgraph>,
    options: LinkOptions,
}

/// Prints the supergraph, or the diagnostics of its subgraphs.
pub(super) fn run(compose: &Compose) -> Result<(), Failed> {
    let mut input = compose.input()?;
    for subgraph in compose.introspect_all()? {
        let mut known = input.subgraphs.iter_mut();
        match known.find(|known| known.name == subgraph.name) {
            Some(known) => known.document = subgraph.document,
            None => input.subgraphs.push(subgraph),
        }
    }
    let supergraph = link::compose(&input.subgraphs, input.options);
    let supergraph = graph_args::print_diagnostics(supergraph)?;
    if let Some(path) = &compose.output {
        return write(path, &supergraph);
    }
    print::output(&supergraph);
    Ok(())
}

impl Compose {
    /// All subgraphs but those that only `--introspect` names; introspected ones without their SDL.
    fn input(&self) -> Result<Input, Failed> {
        let introspected = self.introspect.iter().map(|it| it.name.as_str());
        reject_duplicates(introspected)?;
        let SubgraphArgs { config, subgraphs } = &self.subgraph_args;
        let options = LinkOptions::default();
        if !subgraphs.is_empty() {
            reject_duplicates(subgraphs.iter().map(|it| it.name.as_str()))?;
            return self.read_subgraphs(subgraphs, Path::new(""), options);
        }
        if let Some(path) = config {
            return self.config_input(path);
        }
        if !self.introspect.is_empty() {
            let subgraphs = Vec::new();
            return Ok(Input { subgraphs, options });
        }
        let default = Path::new(DEFAULT_CONFIG);
        if default.exists() {
            return self.config_input(default);
        }
        let subgraphs = shop::subgraphs();
        Ok(Input { subgraphs, options })
    }

    fn config_input(&self, path: &Path) -> Result<Input, Failed> {
        let config: Config = graph_args::print_diagnostics(project::read_config(path))?;
        match &config.graph.files {
            GraphFiles::Subgraphs(files) => {
                self.read_subgraphs(files, project::folder(path), config.graph.link)
            }
            GraphFiles::Supergraph(file) => {
                let path = file.path.display();
                print::note(&format!("error: `{path}` is already a supergraph"));
                Err(Failed)
            }
        }
    }

    /// Reads the SDL files, except those of introspected subgraphs.
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
        let input = Input { subgraphs, options };
        let input = diagnostics.is_empty().then_some(input);
        graph_args::print_diagnostics((input, diagnostics))
    }

    /// Fetches the SDL of all introspected subgraphs at once, and prints every failure.
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

fn reject_duplicates<'n>(names: impl Iterator<Item = &'n str>) -> Result<(), Failed> {
    match graph_args::duplicate_name(names) {
        Some(diagnostic) => graph_args::print_diagnostics((None, vec![diagnostic])),
        None => Ok(()),
    }
}

async fn introspect_subgraph(subgraph: &IntrospectedSubgraph) -> Result<Subgraph, Failed> {
    let IntrospectedSubgraph { name, url } = subgraph;
    match introspect::fetch_sdl(url, introspect::DEFAULT_LIMITS).await {
        Ok(sdl) => Ok(Subgraph {
            name: name.as_str().into(),
            url: Some(url.as_str().into()),
            document: Document::new(format!("{name} ({url})"), sdl),
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

/// Parses `NAME=URL`.
fn parse_introspected(text: &str) -> Result<IntrospectedSubgraph, String> {
    let (name, url) = graph_args::split_name(text)?;
    Ok(IntrospectedSubgraph {
        name: name.to_owned(),
        url: graph_args::parse_url(url)?,
    })
}
