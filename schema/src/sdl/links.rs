//! `@link`: which specifications a document uses, in which version, under which names.

use apollo_compiler::Node;
use apollo_compiler::ast::{self, Value};

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
}

/// One `@link`.
#[derive(Debug)]
pub(crate) struct Link {
    prefix: String,
    imports: Vec<(String, String)>,
}

impl Link {
    /// What the directive that the specification calls `name` is called in this document.
    pub(crate) fn directive(&self, name: &str) -> String {
        self.imports
            .iter()
            .find(|(original, _)| original.strip_prefix('@') == Some(name))
            .map_or_else(
                || {
                    if self.prefix == name {
                        name.to_owned()
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
    pub(crate) fn names(&self, directive: &str) -> bool {
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
        let Some((identity, version)) = split(url) else {
            continue; // A specification that is not ours to know.
        };
        match identity {
            "federation" => {
                links.federation = Some(link(directive, "federation"));
                refused.extend(unsupported(document, directive));
            }
            "connect" => {
                let span = Span::new(document, range(directive.location()));
                // An unknown version is read as the newest released one, so that one mistake
                // does not make many.
                let version = Version::named(version).unwrap_or_else(|| {
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
    links
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
fn split(url: &str) -> Option<(&str, &str)> {
    let (rest, version) = url.trim_end_matches('/').rsplit_once('/')?;
    let (_, identity) = rest.rsplit_once('/')?;
    Some((identity, version.strip_prefix('v')?))
}

fn link(directive: &Node<ast::Directive>, name: &str) -> Link {
    Link {
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
