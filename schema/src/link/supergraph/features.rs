//! The specifications that a supergraph links by `@link` or `@core`, and their names in it.

use apollo_compiler::ast::{Directive, Value};
use apollo_compiler::{Name, Node};

use super::arguments::{enum_value, text};
use super::document::SupergraphDocument;
use crate::span::Span;

/// The linked specifications.
pub(super) struct Features(Vec<Feature>);

/// A linked specification.
pub(super) struct Feature {
    /// The name: `join` in `https://specs.apollo.dev/join/v0.5`.
    pub(super) identity: String,
    /// The version, such as `0.5`.
    pub(super) version: String,
    /// The `for` argument: a gateway must support a specification that has one.
    pub(super) purpose: Option<String>,
    pub(super) span: Span,
    prefix: String,
    imports: Vec<(String, String)>,
}

impl Features {
    /// Reads the link directives of the schema.
    pub(super) fn read(document: &SupergraphDocument) -> Self {
        let directives = &document.schema.schema_definition.directives;
        // `@link` links its own specification, under its name in this document.
        let links = directives.iter().filter_map(|it| {
            let feature = feature(&it.node, document)?;
            let is_link = matches!(feature.identity.as_str(), "link" | "core");
            (is_link && feature.prefix == it.name.as_str()).then(|| it.name.clone())
        });
        let links: Vec<Name> = links.collect();
        let linked = directives.iter().filter(|it| links.contains(&it.name));
        Self(
            linked
                .filter_map(|it| feature(&it.node, document))
                .collect(),
        )
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Feature> {
        self.0.iter()
    }

    /// The specification with this name.
    pub(super) fn get(&self, identity: &str) -> Option<&Feature> {
        self.0.iter().find(|feature| feature.identity == identity)
    }

    /// The name in this document of the directive with the name of its specification, linked or not.
    pub(super) fn directive(&self, identity: &str) -> String {
        let feature = self.get(identity);
        feature.map_or_else(
            || identity.to_owned(),
            |feature| feature.directive(identity),
        )
    }

    /// Whether a type of this name belongs to a specification.
    pub(super) fn has_type(&self, name: &str) -> bool {
        self.0.iter().any(|feature| feature.owns_name(name))
    }

    /// Whether a directive of this name belongs to a specification.
    pub(super) fn has_directive(&self, name: &str) -> bool {
        let mut features = self.0.iter();
        features.any(|feature| feature.prefix == name || feature.owns_name(&format!("@{name}")))
    }
}

impl Feature {
    /// The name of its directive `name` in this document.
    pub(super) fn directive(&self, name: &str) -> String {
        let mut imports = self.imports.iter();
        let imported = imports.find(|(original, _)| original.strip_prefix('@') == Some(name));
        match imported {
            Some((_, local)) => local.trim_start_matches('@').to_owned(),
            None if self.identity == name => self.prefix.clone(),
            None => format!("{}__{name}", self.prefix),
        }
    }

    /// Whether it defines this name of the document; names of directives begin with `@`.
    fn owns_name(&self, name: &str) -> bool {
        let prefixed = name
            .trim_start_matches('@')
            .strip_prefix(self.prefix.as_str());
        prefixed.is_some_and(|rest| rest.starts_with("__"))
            || self.imports.iter().any(|(_, local)| local == name)
    }

    /// The name of its type `name` in this document.
    pub(super) fn type_name(&self, name: &str) -> String {
        let mut imports = self.imports.iter();
        let imported = imports.find(|(original, _)| original == name);
        imported.map_or_else(
            || format!("{}__{name}", self.prefix),
            |(_, local)| local.clone(),
        )
    }
}

/// The specification that `directive` links.
pub(super) fn feature(
    directive: &Node<Directive>,
    document: &SupergraphDocument,
) -> Option<Feature> {
    let url = text(directive, "url").or_else(|| text(directive, "feature"))?;
    let (rest, version) = url.trim_end_matches('/').rsplit_once('/')?;
    let (_, identity) = rest.rsplit_once('/')?;
    let imports = directive.specified_argument_by_name("import");
    let imports = imports
        .and_then(|value| value.as_list())
        .unwrap_or_default();
    Some(Feature {
        identity: identity.to_owned(),
        version: version.strip_prefix('v')?.to_owned(),
        purpose: enum_value(directive, "for").map(str::to_owned),
        span: document.span(directive.location()),
        prefix: text(directive, "as").unwrap_or(identity).to_owned(),
        imports: imports.iter().filter_map(|value| import(value)).collect(),
    })
}

/// The original and local name of an import: `"@key"` or `{ name: "@key", as: "@primary" }`.
fn import(value: &Value) -> Option<(String, String)> {
    if let Some(name) = value.as_str() {
        return Some((name.to_owned(), name.to_owned()));
    }
    let member = |member: &str| {
        let members = value.as_object()?;
        let (_, value) = members.iter().find(|(name, _)| name == member)?;
        value.as_str()
    };
    let name = member("name")?;
    Some((name.to_owned(), member("as").unwrap_or(name).to_owned()))
}
