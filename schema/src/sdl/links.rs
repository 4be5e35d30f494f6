//! `@link`: which specifications a document uses, in which version, under which names.

use apollo_compiler::Node;
use apollo_compiler::ast::{self, Value};

use super::federation::Directives;
use super::range;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::mapping::Version;
use crate::span::{Document, Span};

/// The specifications that we know, as one document links them.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Federation 2; without it the names of federation 1 hold.
    pub(crate) federation: Option<Link>,
    /// Connectors.
    pub(crate) connect: Option<ConnectLink>,
    /// The names of what federation defines.
    pub(crate) directives: Directives,
    /// All of them, in the order written.
    pub(crate) all: Vec<LinkedSpecification>,
}

/// One `@link` with what it links.
#[derive(Debug)]
pub(crate) struct LinkedSpecification {
    /// The last part of the URL but the version: `federation`.
    pub(crate) identity: String,
    pub(crate) url: String,
    pub(crate) link: Link,
}

/// One `@link`.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// What the specification calls itself.
    name: String,
    prefix: String,
    imports: Vec<(String, String)>,
}

impl Link {
    /// Whether `local` is a directive of the specification in this document.
    pub(crate) fn has_directive(&self, local: &str) -> bool {
        let imported = |(_, name): &(String, String)| name.strip_prefix('@') == Some(local);
        let prefixed = local
            .strip_prefix(&self.prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("__"));
        prefixed || self.imports.iter().any(imported)
    }

    /// What stands before `__` in names that are not imported.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The names that the specification gives, and those of this document.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&str, &str)> {
        let imports = self.imports.iter();
        imports.map(|(name, local)| (name.as_str(), local.as_str()))
    }

    /// What the directive that the specification calls `name` is called in this document.
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

    /// What a type of the specification is called in this document.
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
    /// `@connect` in this document.
    pub(crate) connect: String,
    /// `@source` in this document.
    pub(crate) source: String,
}

impl ConnectLink {
    /// Whether `directive` is one of the two of the specification.
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
            continue; // A specification that is not ours to know.
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
                // An unknown version is read as the newest released one, so that one mistake
                // does not make many.
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
    let all = links.all.iter();
    let of_federation = links.federation.is_some();
    let all: Vec<_> = all
        .filter(|linked| of_federation || linked.identity != "federation")
        .map(|linked| (linked.identity.as_str(), &linked.link))
        .collect();
    links.directives = Directives::new(ast, &all);
    links
}

/// A specification with a purpose must be understood, or the graph not be served (link v1.0).
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

/// That a specification is linked for a purpose and nobody knows what for.
pub(crate) fn unknown_purpose(identity: &str, purpose: &str, span: Span) -> Diagnostic {
    let message =
        format!("`{identity}` is linked for {purpose}, and Weir does not know this specification");
    Diagnostic::error(Code::UnsupportedLinkedFeature, span, message)
}

/// Whether a specification is heeded, or nothing goes wrong without. Of those that say who may see
/// what, a warning tells that they are not enforced.
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

/// Specifications that say who may see what, and that are not enforced yet.
pub(crate) const NOT_ENFORCED: [&str; 3] = ["authenticated", "requiresScopes", "policy"];

/// That everybody may ask for what has one of these directives.
pub(crate) fn not_enforced(name: &str, span: Span) -> Diagnostic {
    let message = format!("`@{name}` is not enforced: everybody may ask for what has it");
    let help = "let the service check who asks, or a gateway in front of this one";
    Diagnostic::warning(Code::AccessNotChecked, span, message).help(help.to_owned())
}

/// Newer versions of federation 2 may have rules that would be broken unseen.
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

/// Imports that no subgraph with connectors may have.
fn unsupported(document: &Document, directive: &Node<ast::Directive>) -> Vec<Diagnostic> {
    let imports = directive.specified_argument_by_name("import");
    let imports = imports.and_then(|value| value.as_list());
    let mut found = Vec::new();
    for value in imports.unwrap_or_default() {
        let Some((name, _)) = import(value) else {
            continue;
        };
        if NOT_WITH_CONNECTORS.contains(&name.as_str()) {
            let span = Span::new(document, range(value.location()));
            let message = format!("`{name}` cannot be used in a subgraph with connectors");
            let code = Code::ConnectorsUnsupportedFederationDirective;
            let help = "pass the value as an argument, or read it from `$this`".to_owned();
            found.push(Diagnostic::error(code, span, message).help(Some(help)));
        }
    }
    found
}

/// A connector sees its arguments and its object, not what stands further up.
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

/// `https://example.com/federation/v2.12` is `federation` and `2.12`.
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

/// `"@key"` or `{ name: "@key", as: "@primary" }`.
fn import(value: &Value) -> Option<(String, String)> {
    if let Some(name) = value.as_str() {
        return Some((name.to_owned(), name.to_owned()));
    }
    let member = |wanted: &str| {
        let members = value.as_object()?;
        let (_, found) = members.iter().find(|(name, _)| name == wanted)?;
        found.as_str()
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
