//! Values of `$config` and `$env` that connectors read and that are not set.

use schema::connector::{RequiredSetting, SettingOrigin};
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::graph::Graph;
use schema::source::{Access, Source};
use serde_json::Value;

use crate::config::Config;
use crate::config::expand::Environment;
use crate::config::secret::Secret;

/// Warns of variables that connectors of `graph` read and that are not in `environment`.
pub(super) fn environment(graph: &Graph, environment: &Environment) -> Vec<Diagnostic> {
    let unset = required_settings(graph, SettingOrigin::Environment)
        .filter_map(|(_, setting)| unset_variable(setting, environment));
    without_duplicates(unset)
}

/// Warns of values that connectors of `graph` read and that are not in `config`.
pub(super) fn configuration(config: &Config, graph: &Graph) -> Vec<Diagnostic> {
    let missing = required_settings(graph, SettingOrigin::Configuration)
        .filter_map(|(source, setting)| Configured::new(config, source).missing(setting));
    without_duplicates(missing)
}

/// The settings that connectors need, each with its source.
fn required_settings(
    graph: &Graph,
    origin: SettingOrigin,
) -> impl Iterator<Item = (&Source, &RequiredSetting)> {
    let settings = graph.sources().flat_map(|(_, source)| {
        let settings = match &source.access {
            Access::Connector(connector) => connector.required_settings.as_slice(),
            Access::Graphql(_) => &[],
        };
        settings.iter().map(move |setting| (source, setting))
    });
    settings.filter(move |(_, setting)| setting.origin == origin)
}

/// One diagnostic for each position: connectors with the same source share its texts.
fn without_duplicates(diagnostics: impl Iterator<Item = Diagnostic>) -> Vec<Diagnostic> {
    let mut unique: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics {
        if !unique.contains(&diagnostic) {
            unique.push(diagnostic);
        }
    }
    unique
}

fn unset_variable(setting: &RequiredSetting, environment: &Environment) -> Option<Diagnostic> {
    let name = setting.path.first()?;
    if environment.names().any(|known| known == name) {
        return None;
    }
    let help = match nearest(name, environment.names()) {
        Some(near) => format!("write `$env.{near}`, or set `{name}`"),
        None => format!("set `{name}`, or add a default: `$($env.{name} ?? 'x')`"),
    };
    let message = format!("the environment variable `{name}` is not set");
    let span = setting.span.clone();
    Some(Diagnostic::warning(Code::ConfigUnsetVariable, span, message).help(help))
}

/// The `$config` of one connector.
struct Configured<'c> {
    value: Option<&'c Value>,
    /// The name of its source.
    source: Option<&'c str>,
    has_url: bool,
}

impl<'c> Configured<'c> {
    fn new(config: &'c Config, source: &'c Source) -> Self {
        let name = match &source.access {
            Access::Connector(connector) => connector.source.as_deref(),
            Access::Graphql(_) => None,
        };
        let configured = name.and_then(|name| config.connectors.sources.get(name));
        let of_subgraph = config.connectors.subgraphs.get(&*source.subgraph);
        let own = configured.map(|source| source.config.reveal());
        Self {
            value: of_subgraph.map(Secret::reveal).or(own),
            source: name,
            has_url: configured.is_some_and(|source| source.url.is_some()),
        }
    }

    /// The diagnostic of a value that is not set; null is a value.
    fn missing(&self, setting: &RequiredSetting) -> Option<Diagnostic> {
        if setting.is_in_base_url && self.has_url {
            return None;
        }
        let mut value = self.value;
        let mut before = "$config".to_owned();
        for key in &setting.path {
            let members = match value {
                None => None,
                Some(Value::Object(members)) => Some(members),
                // A path through a list applies to each element.
                Some(_) => return None,
            };
            value = members.and_then(|members| members.get(key));
            if value.is_none() {
                let known = members.into_iter().flat_map(|it| it.keys());
                let near = nearest(key, known.map(String::as_str));
                return Some(self.diagnostic(setting, &before, near));
            }
            before = format!("{before}.{key}");
        }
        None
    }

    fn diagnostic(
        &self,
        setting: &RequiredSetting,
        before: &str,
        near: Option<&str>,
    ) -> Diagnostic {
        let path = format!("$config.{}", setting.path.join("."));
        let help = match (near, self.source) {
            (Some(near), _) => format!("write `{before}.{near}`"),
            (None, Some(source)) => format!("set `{path}` in `connectors.sources.{source}`"),
            (None, None) => "a connector has a `$config` only with a `source`".to_owned(),
        };
        let message = format!("`{path}` is not configured");
        let span = setting.span.clone();
        Diagnostic::warning(Code::ConfigValueMissing, span, message).help(help)
    }
}
