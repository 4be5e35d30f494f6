//! `--config`, `--supergraph` and `--subgraph`: where a command finds its graph.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use schema::diagnostic::{Code, Diagnostic};
use url::Url;

use super::{DEFAULT_CONFIG, Failed, print};
use crate::config::Config;
use crate::config::graph::{self, SchemaFile, SubgraphFile};
use crate::project::{Loaded, Project};

/// Where the graph is; at most one of the three is written.
#[derive(Debug, Default, Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    subgraph_args: SubgraphArgs,
    /// A supergraph, in place of a configuration
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "subgraphs"])]
    supergraph: Option<PathBuf>,
}

/// What a graph is made of; at most one of the two is written.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub(super) struct SubgraphArgs {
    /// The configuration file [default: weir.yaml]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A subgraph's name, the file with its SDL, and, when it speaks GraphQL, the URL of its
    /// service; once for each subgraph, in place of a configuration
    #[arg(long = "subgraph", value_name = "NAME=FILE[@URL]", value_parser = subgraph)]
    pub(super) subgraphs: Vec<SubgraphFile>,
}

impl GraphArgs {
    /// Reads what is named; `weir.yaml` when nothing is.
    pub(super) fn read(&self) -> Loaded<Project> {
        if let Some(path) = self.supergraph.clone() {
            let file = SchemaFile { path, span: None };
            return with_default_config(graph::GraphFiles::Supergraph(file));
        }
        let SubgraphArgs { config, subgraphs } = &self.subgraph_args;
        if subgraphs.is_empty() {
            return Project::read(config.as_deref().unwrap_or(Path::new(DEFAULT_CONFIG)));
        }
        match duplicate_name(subgraphs.iter().map(|it| it.name.as_str())) {
            Some(diagnostic) => (None, vec![diagnostic]),
            None => with_default_config(graph::GraphFiles::Subgraphs(subgraphs.clone())),
        }
    }

    /// What is named, for people.
    pub(super) fn display_name(&self) -> String {
        let SubgraphArgs { config, subgraphs } = &self.subgraph_args;
        let file = self.supergraph.as_ref().or(config.as_ref());
        let names: Vec<_> = subgraphs.iter().map(|it| it.name.as_str()).collect();
        match file {
            Some(file) => file.display().to_string(),
            None if names.is_empty() => DEFAULT_CONFIG.to_owned(),
            None => names.join(", "),
        }
    }

    /// Reads what is named, or `weir.yaml` where there is one; else the shop that comes with Weir.
    pub(super) fn read_or_shop(&self) -> Loaded<Project> {
        let SubgraphArgs { config, subgraphs } = &self.subgraph_args;
        let is_named = self.supergraph.is_some() || config.is_some() || !subgraphs.is_empty();
        if is_named || Path::new(DEFAULT_CONFIG).exists() {
            self.read()
        } else {
            Project::shop()
        }
    }
}

/// The project, its diagnostics printed.
pub(super) fn print_diagnostics<T>((found, diagnostics): Loaded<T>) -> Result<T, Failed> {
    if !diagnostics.is_empty() {
        print::note(&print::rendered(&diagnostics));
    }
    found.ok_or(Failed)
}

/// What is wrong when one of `names` is there a second time.
pub(super) fn duplicate_name<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<Diagnostic> {
    let mut seen = BTreeSet::new();
    let name = names.find(|name| !seen.insert(*name))?;
    let message = format!("the command line names the subgraph `{name}` twice");
    Some(Diagnostic::without_span(Code::ConfigInvalidValue, message))
}

/// `NAME=` and what comes after it.
pub(super) fn split_name(text: &str) -> Result<(&str, &str), String> {
    let (name, rest) = text.split_once('=').ok_or("there is no `=`")?;
    if !graph::is_subgraph_name(name) {
        let message = format!("`{name}` cannot be the name of a subgraph");
        let help = "use letters, digits, `_` and `-`, and begin with a letter";
        return Err(format!("{message}; {help}"));
    }
    if rest.is_empty() {
        return Err("there is nothing behind the `=`".to_owned());
    }
    Ok((name, rest))
}

/// A URL that can be called.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let parsed = text.parse::<Url>().ok();
    parsed
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| format!("`{text}` is not an `http` or `https` URL"))
}

fn with_default_config(origin: graph::GraphFiles) -> Loaded<Project> {
    let mut config = Config::without_file();
    config.graph.files = origin;
    Project::from_config(config, Path::new(""))
}

/// Reads `NAME=FILE` or `NAME=FILE@URL`.
fn subgraph(text: &str) -> Result<SubgraphFile, String> {
    let (name, rest) = split_name(text)?;
    let (path, url) = match split_at_url(rest) {
        Some((path, url)) => (path, Some(parse_url(url)?)),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err("there is no file before the `@`".to_owned());
    }
    Ok(SubgraphFile {
        name: name.to_owned(),
        file: SchemaFile {
            path: path.into(),
            span: None,
        },
        url,
    })
}

/// Names of files may have an `@` too, and so may URLs; what stands before the scheme decides.
fn split_at_url(text: &str) -> Option<(&str, &str)> {
    let (before, _) = text.split_once("://")?;
    let at = before.rfind('@')?;
    let (path, url) = text.split_at_checked(at)?;
    Some((path, url.strip_prefix('@')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, &str, Option<&str>), &str>) {
        let read = subgraph(text);
        let read = read.as_ref().map(|it| {
            let path = it.file.path.to_str().unwrap();
            (it.name.as_str(), path, it.url.as_ref().map(Url::as_str))
        });
        assert_eq!(read, expected.map_err(str::to_owned).as_ref().map(|it| *it));
    }

    #[test]
    fn a_subgraph_is_a_name_a_file_and_perhaps_a_url() {
        check("a=b.graphql", Ok(("a", "b.graphql", None)));
        check(
            "a=b.graphql@http://127.0.0.1:4001/graphql",
            Ok(("a", "b.graphql", Some("http://127.0.0.1:4001/graphql"))),
        );
        check(
            "a=v@2/b=c.graphql@https://u:p@example.com/?x=@y",
            Ok((
                "a",
                "v@2/b=c.graphql",
                Some("https://u:p@example.com/?x=@y"),
            )),
        );
        check("a=v@2/b.graphql", Ok(("a", "v@2/b.graphql", None)));
    }

    #[test]
    fn an_invalid_subgraph_argument_is_an_error() {
        check("b.graphql", Err("there is no `=`"));
        check("a=", Err("there is nothing behind the `=`"));
        check(
            "a=@http://127.0.0.1:4001",
            Err("there is no file before the `@`"),
        );
        check(
            "a=b.graphql@ftp://127.0.0.1",
            Err("`ftp://127.0.0.1` is not an `http` or `https` URL"),
        );
        check(
            "a=b.graphql@http://",
            Err("`http://` is not an `http` or `https` URL"),
        );
        check(
            "2=b.graphql",
            Err(
                "`2` cannot be the name of a subgraph; use letters, digits, `_` and `-`, and begin with a letter",
            ),
        );
    }
}
