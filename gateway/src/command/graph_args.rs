//! `--config`, `--supergraph` and `--subgraph`: the graph that a command works on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use schema::diagnostic::{Code, Diagnostic};
use schema::link::AccessDirectives;
use url::Url;

use super::{DEFAULT_CONFIG, Failed, print};
use crate::config::Config;
use crate::config::graph::{self, GraphFiles, SchemaFile, SubgraphFile};
use crate::project::{Loaded, Project};

/// The graph; at most one of `--config`, `--supergraph` and `--subgraph` is set.
#[derive(Debug, Default, Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    subgraph_args: SubgraphArgs,
    /// SDL file of a supergraph, instead of a configuration
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "subgraphs"])]
    supergraph: Option<PathBuf>,
}

/// The subgraphs of a graph; at most one of `--config` and `--subgraph` is set.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub(super) struct SubgraphArgs {
    /// Configuration file [default: weir.yaml]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Name and SDL file of a subgraph, and the URL of a GraphQL subgraph; repeatable, instead of a
    /// configuration
    #[arg(long = "subgraph", value_name = "NAME=FILE[@URL]", value_parser = subgraph)]
    pub(super) subgraphs: Vec<SubgraphFile>,
}

impl GraphArgs {
    /// Reads the graph that the arguments name, or `weir.yaml` without arguments.
    pub(super) fn read(&self) -> Loaded<Project> {
        self.read_adjusted(|_| ())
    }

    fn read_adjusted(&self, adjust: impl FnOnce(&mut Config)) -> Loaded<Project> {
        if let Some(path) = self.supergraph.clone() {
            let file = SchemaFile { path, span: None };
            return with_default_config(GraphFiles::Supergraph(file), adjust);
        }
        let SubgraphArgs { config, subgraphs } = &self.subgraph_args;
        if subgraphs.is_empty() {
            let path = config.as_deref().unwrap_or(Path::new(DEFAULT_CONFIG));
            return Project::read_adjusted(path, adjust);
        }
        match duplicate_name(subgraphs.iter().map(|it| it.name.as_str())) {
            Some(diagnostic) => (None, vec![diagnostic]),
            None => with_default_config(GraphFiles::Subgraphs(subgraphs.clone()), adjust),
        }
    }

    /// The file, or the subgraphs, for a message.
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

    /// Reads a graph that is only looked at: the one that the arguments name, or that of
    /// `weir.yaml` if it exists; otherwise the demo.
    ///
    /// Nothing is served, so directives that Weir does not enforce are warnings.
    pub(super) fn read_or_shop(&self) -> Loaded<Project> {
        let SubgraphArgs { config, subgraphs } = &self.subgraph_args;
        let is_named = self.supergraph.is_some() || config.is_some() || !subgraphs.is_empty();
        if is_named || Path::new(DEFAULT_CONFIG).exists() {
            self.read_adjusted(|config| {
                config.graph.link.access_directives = AccessDirectives::Allow;
            })
        } else {
            Project::shop()
        }
    }
}

/// Prints the diagnostics, and returns the loaded value.
pub(super) fn print_diagnostics<T>((loaded, diagnostics): Loaded<T>) -> Result<T, Failed> {
    if !diagnostics.is_empty() {
        print::note(&print::rendered(&diagnostics));
    }
    loaded.ok_or(Failed)
}

/// The diagnostic of the first duplicate name.
pub(super) fn duplicate_name<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<Diagnostic> {
    let mut seen = BTreeSet::new();
    let name = names.find(|name| !seen.insert(*name))?;
    let message = format!("the command line names the subgraph `{name}` twice");
    Some(Diagnostic::without_span(Code::ConfigInvalidValue, message))
}

/// Splits `NAME=VALUE`.
pub(super) fn split_name(text: &str) -> Result<(&str, &str), String> {
    let (name, rest) = text.split_once('=').ok_or("missing `=`")?;
    if !graph::is_subgraph_name(name) {
        let message = format!("`{name}` is not a valid subgraph name");
        let help = "use letters, digits, `_` and `-`, and begin with a letter";
        return Err(format!("{message}; {help}"));
    }
    if rest.is_empty() {
        return Err("missing value after `=`".to_owned());
    }
    Ok((name, rest))
}

/// Parses an `http` or `https` URL.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let parsed = text.parse::<Url>().ok();
    let url = parsed
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| format!("`{text}` is not an `http` or `https` URL"))?;
    if url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err("a user in a URL is not sent: configure the header `authorization`".to_owned())
    }
}

fn with_default_config(files: GraphFiles, adjust: impl FnOnce(&mut Config)) -> Loaded<Project> {
    let mut config = Config::without_file();
    config.graph.files = files;
    adjust(&mut config);
    Project::from_config(config, Path::new(""))
}

/// Parses `NAME=FILE` or `NAME=FILE@URL`.
fn subgraph(text: &str) -> Result<SubgraphFile, String> {
    let (name, rest) = split_name(text)?;
    let (path, url) = match split_at_url(rest) {
        Some((path, url)) => (path, Some(parse_url(url)?)),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err("missing file before `@`".to_owned());
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

/// Splits at the last `@` before the scheme, because file names and URLs may contain `@` too.
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
        let parsed = subgraph(text);
        let parsed = parsed.as_ref().map(|it| {
            let path = it.file.path.to_str().unwrap();
            (it.name.as_str(), path, it.url.as_ref().map(Url::as_str))
        });
        let expected = expected.map_err(str::to_owned);
        assert_eq!(parsed, expected.as_ref().map(|it| *it));
    }

    #[test]
    fn a_subgraph_has_a_name_a_file_and_an_optional_url() {
        check("a=b.graphql", Ok(("a", "b.graphql", None)));
        check(
            "a=b.graphql@http://127.0.0.1:4001/graphql",
            Ok(("a", "b.graphql", Some("http://127.0.0.1:4001/graphql"))),
        );
        check(
            "a=v@2/b=c.graphql@https://example.com/?x=@y",
            Ok(("a", "v@2/b=c.graphql", Some("https://example.com/?x=@y"))),
        );
        check("a=v@2/b.graphql", Ok(("a", "v@2/b.graphql", None)));
    }

    #[test]
    fn an_invalid_subgraph_argument_is_an_error() {
        check("b.graphql", Err("missing `=`"));
        check("a=", Err("missing value after `=`"));
        check(
            "a=b.graphql@https://u:p@example.com",
            Err("a user in a URL is not sent: configure the header `authorization`"),
        );
        check("a=@http://127.0.0.1:4001", Err("missing file before `@`"));
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
                "`2` is not a valid subgraph name; use letters, digits, `_` and `-`, and begin with a letter",
            ),
        );
    }
}
