//! `weir compose`: subgraphs in, a supergraph for other tools out.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::future::join_all;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;
use url::Url;

use super::origin::{self, Parts};
use super::{DEFAULT_CONFIG, Failed, introspect, print, serve};
use crate::config::Config;
use crate::config::graph::{Origin, SubgraphFile};
use crate::{project, shop};

/// What is composed, and where it goes.
#[derive(Debug, Args)]
pub(super) struct Compose {
    #[command(flatten)]
    parts: Parts,
    /// A subgraph's name and the URL of its service, which tells its SDL itself
    /// (`_service { sdl }`); in place of a file, or beside the other subgraphs
    #[arg(long, value_name = "NAME=URL", value_parser = introspected)]
    introspect: Vec<Introspected>,
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A service that tells its SDL itself.
#[derive(Clone, Debug)]
struct Introspected {
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
    let mut input = compose.input()?;
    for subgraph in compose.introspected()? {
        let known = input.subgraphs.iter_mut();
        match known.into_iter().find(|it| it.name == subgraph.name) {
            Some(known) => known.document = subgraph.document,
            None => input.subgraphs.push(subgraph),
        }
    }
    let supergraph = origin::demand(link::compose(&input.subgraphs, input.options))?;
    if let Some(path) = &compose.output {
        return write(path, &supergraph);
    }
    print::answer(&supergraph);
    Ok(())
}

impl Compose {
    /// The subgraphs that are not introspected, or that say more than their service does.
    fn input(&self) -> Result<Input, Failed> {
        let introspected = self.introspect.iter().map(|it| it.name.as_str());
        if let Some(twice) = origin::twice(introspected) {
            return origin::demand((None, vec![twice]));
        }
        if !self.parts.subgraphs.is_empty() {
            let names = self.parts.subgraphs.iter().map(|it| it.name.as_str());
            return match origin::twice(names) {
                Some(twice) => origin::demand((None, vec![twice])),
                None => self.read(&self.parts.subgraphs, Path::new(""), LinkOptions::default()),
            };
        }
        let default = Path::new(DEFAULT_CONFIG);
        let config = self.parts.config.as_deref();
        let is_alone = self.introspect.is_empty();
        match config.or_else(|| (is_alone && default.exists()).then_some(default)) {
            Some(path) => self.configured(path),
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

    fn configured(&self, path: &Path) -> Result<Input, Failed> {
        let config: Config = origin::demand(project::config(path))?;
        match &config.graph.origin {
            Origin::Subgraphs(files) => self.read(files, project::folder(path), config.graph.link),
            Origin::Supergraph(file) => {
                let path = file.path.display();
                print::note(&format!("error: `{path}` is a supergraph already"));
                Err(Failed)
            }
        }
    }

    /// Reads the files; of a service that tells its SDL itself only the URL counts.
    fn read(
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
        let read = diagnostics
            .is_empty()
            .then_some(Input { subgraphs, options });
        origin::demand((read, diagnostics))
    }

    /// What the services tell; every one that doesn't is told of.
    fn introspected(&self) -> Result<Vec<Subgraph>, Failed> {
        if self.introspect.is_empty() {
            return Ok(Vec::new());
        }
        let told = serve::block_on(join_all(self.introspect.iter().map(told)))?;
        let count = told.len();
        let told: Vec<Subgraph> = told.into_iter().filter_map(Result::ok).collect();
        if told.len() < count {
            return Err(Failed);
        }
        Ok(told)
    }
}

async fn told(service: &Introspected) -> Result<Subgraph, Failed> {
    let Introspected { name, url } = service;
    match introspect::sdl(url, introspect::PATIENCE).await {
        Ok(sdl) => Ok(Subgraph {
            name: name.as_str().into(),
            url: Some(url.as_str().into()),
            document: Document::new(format!("{name} as told by {url}"), sdl),
        }),
        Err(error) => Err(print::error(&Untold { name, error }, None)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("`{name}` cannot be introspected")]
struct Untold<'a> {
    name: &'a str,
    #[source]
    error: introspect::Silent,
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
fn introspected(text: &str) -> Result<Introspected, String> {
    let (name, url) = origin::named(text)?;
    Ok(Introspected {
        name: name.to_owned(),
        url: origin::url(url)?,
    })
}
