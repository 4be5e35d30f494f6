//! `errors`: what clients see of errors that sources return.
//!
//! The log has every error whole. By default clients see the code of a subgraph's error, but not
//! its message or its other extensions, which may contain addresses, queries and stack traces.

use std::collections::{BTreeMap, BTreeSet};

use schema::diagnostic::Diagnostic;
use schema::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::graph::{Graph, unknown_subgraph};
use super::raw::{Named, Text};
use super::reader::Reader;
use super::setting::Setting;

/// What clients see of errors that sources return.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// For subgraphs without settings of their own.
    pub default: Exposure,
    /// Settings by subgraph name.
    pub subgraphs: BTreeMap<String, SubgraphErrors>,
}

/// Settings of one subgraph.
#[derive(Clone, Debug)]
pub struct SubgraphErrors {
    /// What clients see of its errors.
    pub exposure: Exposure,
    /// The subgraph's name in the file, for diagnostics; `None` if set by the program.
    pub span: Option<Span>,
}

/// What clients see of the errors of one subgraph.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    /// The messages that are returned.
    pub messages: Messages,
    /// The members of `extensions` that are returned.
    pub extensions: ExtensionKeys,
}

/// Which messages of sources clients see. Others are replaced by a general one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Messages {
    /// None.
    Redacted,
    /// Those that the mappings of connectors write for clients.
    #[default]
    Mapped,
    /// Those of mappings, and those that GraphQL subgraphs return.
    All,
}

/// Which members of a source's `extensions` clients see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionKeys {
    /// Every member.
    All,
    /// The members with these names.
    Listed(BTreeSet<String>),
}

impl Errors {
    /// What clients see of the errors of `subgraph`.
    pub fn exposure(&self, subgraph: &str) -> &Exposure {
        let own = self.subgraphs.get(subgraph);
        own.map_or(&self.default, |own| &own.exposure)
    }

    /// Reports configured subgraphs that are not in `known`, the subgraphs of the graph.
    pub fn unknown_subgraphs(&self, known: &BTreeSet<&str>) -> Vec<Diagnostic> {
        let named = self.subgraphs.iter();
        let unknown = named.filter(|(name, _)| !known.contains(name.as_str()));
        unknown
            .filter_map(|(name, subgraph)| {
                let span = subgraph.span.clone()?;
                Some(unknown_subgraph(name, span, known))
            })
            .collect()
    }
}

impl ExtensionKeys {
    /// Whether clients see the member `name`.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(names) => names.contains(name),
        }
    }
}

impl Default for ExtensionKeys {
    fn default() -> Self {
        Self::Listed(BTreeSet::from([CODE.to_owned()]))
    }
}

/// `errors` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawErrors {
    /// Which messages of sources clients see: `mapped` those that connectors write with `errors.message` and `->withError`, `all` also those that GraphQL subgraphs return, `none` no message. Others are replaced by a general one; the log has them all.
    #[schemars(extend("default" = MESSAGES.to_text()))]
    messages: Option<Text<Messages>>,
    /// Members of `extensions` of GraphQL subgraphs' errors that clients see, `"*"` for all. With `messages: none` also those that connectors map. `serviceName` adds the name of the subgraph. Default: `code`.
    extensions: Option<Vec<Text<String>>>,
    /// Overrides by subgraph name.
    subgraphs: Option<Named<RawSubgraphErrors>>,
}

/// `errors.subgraphs.<name>` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSubgraphErrors {
    /// Default: `errors.messages`.
    messages: Option<Text<Messages>>,
    /// Replaces `errors.extensions` for this subgraph.
    extensions: Option<Vec<Text<String>>>,
}

impl RawErrors {
    pub(super) fn check(self, graph: &Graph, reader: &mut Reader<'_>) -> Errors {
        let default = Exposure {
            messages: reader.value_or(self.messages, MESSAGES),
            extensions: extension_keys(self.extensions, reader).unwrap_or_default(),
        };
        let mut subgraphs = BTreeMap::new();
        for (name, raw) in self.subgraphs.unwrap_or_default().0 {
            graph.require_subgraph(&name.value, name.referenced, reader);
            let extensions = extension_keys(raw.extensions, reader);
            let exposure = Exposure {
                messages: reader.value_or(raw.messages, default.messages),
                extensions: extensions.unwrap_or_else(|| default.extensions.clone()),
            };
            let span = Some(reader.span(name.referenced));
            subgraphs.insert(name.value, SubgraphErrors { exposure, span });
        }
        Errors { default, subgraphs }
    }
}

fn extension_keys(
    texts: Option<Vec<Text<String>>>,
    reader: &mut Reader<'_>,
) -> Option<ExtensionKeys> {
    let mut names = BTreeMap::new();
    for text in texts? {
        let name = reader.value(&text);
        names.extend(name.map(|name| (name, text.location())));
    }
    if names.remove(ALL).is_none() {
        return Some(ExtensionKeys::Listed(names.into_keys().collect()));
    }
    for location in names.into_values() {
        let message = "this name has no effect beside `\"*\"`, which stands for all members";
        let help = "remove it, or remove `\"*\"`".to_owned();
        reader.report_invalid(location, message, help);
    }
    Some(ExtensionKeys::All)
}

impl Setting for Messages {
    const EXPECTED: &'static str = "a kind of messages";
    const EXAMPLE: &'static str = "`none`, `mapped` or `all`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::Redacted),
            "mapped" => Some(Self::Mapped),
            "all" => Some(Self::All),
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Redacted => "none".to_owned(),
            Self::Mapped => "mapped".to_owned(),
            Self::All => "all".to_owned(),
        }
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "enum": ["none", "mapped", "all"] })
    }
}

/// Default of `messages`: the author of a graph wrote a mapping for clients, but messages of
/// subgraphs may come from a database driver.
const MESSAGES: Messages = Messages::Mapped;

/// The only member that clients see by default: they branch on it, and it is a fixed word.
const CODE: &str = "code";

/// Stands for every member.
const ALL: &str = "*";
