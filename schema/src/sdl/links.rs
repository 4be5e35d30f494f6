//! `@link`: the specifications of a document with their versions and local names.

use apollo_compiler::Node;
use apollo_compiler::ast::{self, Value};

use super::federation::Directives;
use super::range;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::mapping::Version;
use crate::span::{Document, Span};

/// The specifications that one document links.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// The link to federation 2; without it the document has the names of federation 1.
    pub(crate) federation: Option<Link>,
    /// The link to the connect specification.
    pub(crate) connect: Option<ConnectLink>,
    /// The supported directives by local name.
    pub(crate) directives: Directives,
    /// All links in document order.
    pub(crate) all: Vec<LinkedSpecification>,
}

/// One `@link` with its specification.
#[derive(Debug)]
pub(crate) struct LinkedSpecification {
    /// The segment of the URL before the version: `federation`.
    pub(crate) identity: String,
    pub(crate) url: String,
    pub(crate) link: Link,
}

/// The names of one `@link`.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// The specification's own name.
    name: String,
    prefix: String,
    imports: Vec<(String, String)>,
}

impl Link {
    /// Whether `local` is the local name of a directive of the specification.
    pub(crate) fn has_directive(&self, local: &str) -> bool {
        let imported = |(_, name): &(String, String)| name.strip_prefix('@') == Some(local);
        let prefixed = local
            .strip_prefix(&self.prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("__"));
        prefixed || self.imports.iter().any(imported)
    }

    /// The prefix before `__` in names that are not imported.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The imported names: the specification's and the local one.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&str, &str)> {
        let imports = self.imports.iter();
        imports.map(|(name, local)| (name.as_str(), local.as_str()))
    }

    /// The local name of the directive that the specification calls `name`.
    pub(crate) fn directive(&self, name: &str) -> String {
        self.imports
            .iter()
            .find(|(original, _)| original.strip_prefix('@') == Some(name))
            .map_or_else(
                || {
                    if self.name == name {
                        self.prefix.clone()
                    } else {
                        format!("{}__{name}", self.prefix)
                    }
                },
                |(_, local)| local.trim_start_matches('@').to_owned(),
            )
    }

    /// The local name of the type that the specification calls `name`.
    pub(crate) fn type_name(&self, name: &str) -> String {
        self.imports
            .iter()
            .find(|(original, _)| original == name)
            .map_or_else(
                || format!("{}__{name}", self.prefix),
                |(_, local)| local.clone(),
            )
    }
}

/// The link to the connect specification.
#[derive(Debug)]
pub(crate) struct ConnectLink {
    pub(crate) link: Link,
    pub(crate) version: Version,
    pub(crate) span: Span,
    /// The local name of `@connect`.
    pub(crate) connect: String,
    /// The local name of `@source`.
    pub(crate) source: String,
}

impl ConnectLink {
    /// Whether `directive` is the local name of `@connect` or `@source`.
    pub(crate) fn has_directive(&self, directive: &str) -> bool {
        directive == self.connect || directive == self.source
    }
}

/// Reads every `@link` of the document.
pub(crate) fn read(document: &Document, ast: &ast::Document, problems: &mut Problems) -> Links {
    let mut links = Links::default();
    let mut refused = Vec::new();
    for directive in schema_directives(ast).filter(|directive| directive.name == "link") {
        let Some(url) = text(directive, "url") else {
            continue; // The validator reports a missing url.
        };
        let Some((identity, version)) = identity_and_version(url) else {
            continue; // Not a specification URL, so not a supported one.
        };
        links.all.push(LinkedSpecification {
            identity: identity.to_owned(),
            url: url.to_owned(),
            link: link(directive, identity),
        });
        problems.extend(unknown_specification(document, directive, identity));
        match identity {
            "federation" if version == "1.0" => {}
            "federation" => {
                links.federation = Some(link(directive, "federation"));
                refused.extend(unsupported(document, directive));
                if !is_federation(version) {
                    let span = Span::new(document, range(directive.location()));
                    problems.push(unknown_federation(version, span));
                }
            }
            "connect" => {
                let span = Span::new(document, range(directive.location()));
                // Parsing continues with the newest released version, so that an unknown one
                // causes no further errors.
                let version = Version::from_name(version).unwrap_or_else(|| {
                    problems.push(unknown_version(version, span.clone()));
                    Version::V0_3
                });
                links.connect = Some(connect(directive, version, span));
            }
            _ => {}
        }
    }
    if links.connect.is_some() {
        problems.extend(refused);
    }
    let is_federation_2 = links.federation.is_some();
    let all: Vec<_> = (links.all.iter())
        .filter(|linked| is_federation_2 || linked.identity != "federation")
        .map(|linked| (linked.identity.as_str(), &linked.link))
        .collect();
    links.directives = Directives::new(ast, &all);
    links
}

/// The error for an unsupported specification linked with `for:`; such a graph must not be served
/// (link v1.0).
fn unknown_specification(
    document: &Document,
    directive: &Node<ast::Directive>,
    identity: &str,
) -> Option<Diagnostic> {
    let purpose = directive.specified_argument_by_name("for")?.as_enum()?;
    if is_understood(identity) {
        return None;
    }
    let span = Span::new(document, range(directive.location()));
    Some(unknown_purpose(identity, purpose, span))
}

/// The error for an unsupported specification that is linked with a purpose.
pub(crate) fn unknown_purpose(identity: &str, purpose: &str, span: Span) -> Diagnostic {
    let message = format!("`{identity}` is linked for {purpose}, and Weir does not support it");
    Diagnostic::error(Code::UnsupportedLinkedFeature, span, message)
}

/// Whether a specification is supported or can be ignored. Access control specifications are
/// accepted with a warning that they are not enforced.
pub(crate) fn is_understood(identity: &str) -> bool {
    UNDERSTOOD.contains(&identity) || NOT_ENFORCED.contains(&identity)
}

const UNDERSTOOD: [&str; 10] = [
    "link",
    "core",
    "join",
    "federation",
    "connect",
    "inaccessible",
    "tag",
    "cost",
    "context",
    "cacheTag",
];

/// Access control specifications, which are not enforced yet.
pub(crate) const NOT_ENFORCED: [&str; 3] = ["authenticated", "requiresScopes", "policy"];

/// The warning for an access control directive.
pub(crate) fn not_enforced(name: &str, span: Span) -> Diagnostic {
    let message = format!("`@{name}` is not enforced: all clients can select the field or type");
    let help = "check access in the subgraph, or in a gateway in front of Weir";
    Diagnostic::warning(Code::AccessNotChecked, span, message).help(help.to_owned())
}

/// Whether a version of federation is supported; newer ones may have rules that Weir does not
/// check.
fn is_federation(version: &str) -> bool {
    let minor = version.strip_prefix("2.");
    minor
        .and_then(|minor| minor.parse::<u8>().ok())
        .is_some_and(|minor| minor <= NEWEST_FEDERATION)
}

const NEWEST_FEDERATION: u8 = 12;

fn unknown_federation(version: &str, span: Span) -> Diagnostic {
    let message = format!("`v{version}` is not a known version of federation");
    Diagnostic::error(Code::UnknownFederationLinkVersion, span, message).help(Some(format!(
        "the known versions are v2.0 to v2.{NEWEST_FEDERATION}"
    )))
}

/// The errors for imports that a subgraph with connectors must not have.
fn unsupported(document: &Document, directive: &Node<ast::Directive>) -> Vec<Diagnostic> {
    let imports = directive.specified_argument_by_name("import");
    let imports = imports.and_then(|value| value.as_list());
    let mut problems = Vec::new();
    for value in imports.unwrap_or_default() {
        let Some((name, _)) = import(value) else {
            continue;
        };
        if NOT_WITH_CONNECTORS.contains(&name.as_str()) {
            let span = Span::new(document, range(value.location()));
            let message = format!("`{name}` cannot be used in a subgraph with connectors");
            let code = Code::ConnectorsUnsupportedFederationDirective;
            let help = "pass the value as an argument, or read it from `$this`".to_owned();
            problems.push(Diagnostic::error(code, span, message).help(Some(help)));
        }
    }
    problems
}

/// Context directives; a connector has its arguments and its parent object, not other ancestors.
const NOT_WITH_CONNECTORS: [&str; 2] = ["@context", "@fromContext"];

fn connect(directive: &Node<ast::Directive>, version: Version, span: Span) -> ConnectLink {
    let link = link(directive, "connect");
    ConnectLink {
        connect: link.directive("connect"),
        source: link.directive("source"),
        link,
        version,
        span,
    }
}

fn unknown_version(version: &str, span: Span) -> Diagnostic {
    let known = Version::ALL
        .map(|known| format!("v{}", known.as_str()))
        .join(", ");
    Diagnostic::error(
        Code::UnknownConnectorsVersion,
        span,
        format!("`v{version}` is not a known version of the connect specification"),
    )
    .help(Some(format!("the known versions are {known}")))
}

/// Identity and version of a specification URL: `https://example.com/federation/v2.12` is
/// `federation` and `2.12`.
fn identity_and_version(url: &str) -> Option<(&str, &str)> {
    let (rest, version) = url.trim_end_matches('/').rsplit_once('/')?;
    let (_, identity) = rest.rsplit_once('/')?;
    Some((identity, version.strip_prefix('v')?))
}

fn link(directive: &Node<ast::Directive>, name: &str) -> Link {
    Link {
        name: name.to_owned(),
        prefix: text(directive, "as").unwrap_or(name).to_owned(),
        imports: directive
            .specified_argument_by_name("import")
            .and_then(|value| value.as_list())
            .unwrap_or_default()
            .iter()
            .filter_map(|value| import(value))
            .collect(),
    }
}

/// The original and the local name of `"@key"` or `{ name: "@key", as: "@primary" }`.
fn import(value: &Value) -> Option<(String, String)> {
    if let Some(name) = value.as_str() {
        return Some((name.to_owned(), name.to_owned()));
    }
    let member = |key: &str| {
        let members = value.as_object()?;
        let (_, value) = members.iter().find(|(name, _)| name == key)?;
        value.as_str()
    };
    let name = member("name")?;
    Some((name.to_owned(), member("as").unwrap_or(name).to_owned()))
}

fn text<'a>(directive: &'a ast::Directive, argument: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}

fn schema_directives(ast: &ast::Document) -> impl Iterator<Item = &Node<ast::Directive>> {
    ast.definitions
        .iter()
        .filter_map(|definition| match definition {
            ast::Definition::SchemaDefinition(it) => Some(&it.directives),
            ast::Definition::SchemaExtension(it) => Some(&it.directives),
            _ => None,
        })
        .flat_map(|directives| &directives.0)
}
