//! The directives of federation that are heeded, and what a document calls each of them.
//!
//! Knows names and definitions; what a directive means is for `link`.

use apollo_compiler::ast;

use super::links::Link;

/// A directive of federation, or of a specification that came out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Directive {
    Key,
    Requires,
    Provides,
    External,
    Shareable,
    Extends,
    Override,
    InterfaceObject,
    Inaccessible,
    Tag,
    Compose,
    Context,
    FromContext,
    Authenticated,
    RequiresScopes,
    Policy,
    Cost,
    ListSize,
    CacheTag,
    CacheControl,
    /// Ours: tags and types that a mutation makes invalid.
    CacheInvalidate,
    /// `@openfed__cacheInvalidate`: what a mutation returns is invalid.
    ReturnedInvalid,
    /// `@openfed__entityCache`.
    EntityCache,
    /// `@openfed__queryCache`.
    QueryCache,
    /// `@openfed__cachePopulate`.
    CachePopulate,
}

/// What one specification says of one directive.
#[derive(Clone, Copy)]
pub(crate) struct Definition {
    pub(crate) directive: Directive,
    /// Its name there.
    pub(crate) name: &'static str,
    /// A specification of its own that it can also be linked from.
    pub(crate) home: Option<&'static str>,
    /// Arguments and places, as a definition writes them after the name.
    pub(crate) rest: &'static str,
}

/// The directives of one document under the names it gives them.
#[derive(Debug, Default)]
pub(crate) struct Directives(Vec<(String, Directive)>);

impl Directives {
    /// Resolves every name; `links` are those of the document, with the specification's identity.
    pub(super) fn new(ast: &ast::Document, links: &[(&str, &Link)]) -> Self {
        let federation = links.iter().find(|(identity, _)| *identity == "federation");
        let mut found: Vec<(String, Directive)> = Vec::new();
        for definition in DEFINITIONS {
            let home = |(identity, _): &&(&str, &Link)| Some(*identity) == definition.home;
            let own = links.iter().find(home);
            let federation = federation.filter(|_| !definition.directive.is_foreign());
            for (_, link) in federation.into_iter().chain(own) {
                let name = link.directive(definition.name);
                if found.iter().all(|(known, _)| *known != name) {
                    found.push((name, definition.directive));
                }
            }
            let plain =
                definition.is_meant(ast) || (federation.is_none() && definition.is_legacy(ast));
            if plain && found.iter().all(|(name, _)| name != definition.name) {
                found.push((definition.name.to_owned(), definition.directive));
            }
        }
        Self(found)
    }

    /// The directive that the document calls `local`.
    pub(crate) fn named(&self, local: &str) -> Option<Directive> {
        let mut known = self.0.iter();
        known.find(|(name, _)| name == local).map(|(_, it)| *it)
    }

    /// Every name with its definition.
    pub(super) fn definitions(&self) -> impl Iterator<Item = (&str, &'static Definition)> {
        self.0.iter().filter_map(|(name, directive)| {
            let mut all = DEFINITIONS.iter();
            let definition = all.find(|definition| definition.directive == *directive)?;
            Some((name.as_str(), definition))
        })
    }
}

impl Definition {
    /// Whether a document means it by the name although no specification that can be linked has
    /// it. A directive of our own gives way to another that the document defines.
    fn is_meant(&self, ast: &ast::Document) -> bool {
        let other = || {
            let mut arguments = defined(ast, self.name).flat_map(|it| &it.arguments);
            self.directive == Directive::CacheInvalidate && arguments.any(|it| !self.has(&it.name))
        };
        self.directive.is_foreign() && !other()
    }

    /// Whether it has this argument.
    pub(crate) fn has(&self, argument: &str) -> bool {
        let mut written = self.arguments().split([' ', ',', ':']);
        written.any(|word| word == argument)
    }

    /// Its arguments, as a definition writes them between parentheses.
    pub(crate) fn arguments(&self) -> &'static str {
        let inside = self.rest.strip_prefix('(');
        let inside = inside.and_then(|it| it.split_once(')'));
        inside.map_or("", |(arguments, _)| arguments)
    }

    /// Whether a document of federation 1 means it by the name. What federation 1 does not have
    /// is a help, as long as nothing else has the name.
    fn is_legacy(&self, ast: &ast::Document) -> bool {
        FEDERATION_1.contains(&self.directive) || !defines(ast, self.name)
    }
}

impl Directive {
    /// Whether it is of no specification that can be linked.
    pub(crate) fn is_foreign(self) -> bool {
        self.is_caching() && self != Self::CacheTag
    }

    /// Whether it is about keeping what sources give.
    pub(crate) fn is_caching(self) -> bool {
        matches!(
            self,
            Self::CacheTag
                | Self::CacheControl
                | Self::CacheInvalidate
                | Self::ReturnedInvalid
                | Self::EntityCache
                | Self::QueryCache
                | Self::CachePopulate
        )
    }

    /// Those that are about keeping what sources give.
    pub(crate) fn caching() -> impl Iterator<Item = Self> {
        let all = DEFINITIONS.iter().map(|definition| definition.directive);
        all.filter(|it| it.is_caching())
    }

    /// The name that specifications give it.
    pub(crate) fn name(self) -> &'static str {
        let mut all = DEFINITIONS.iter();
        let found = all.find(|definition| definition.directive == self);
        found.map_or("", |definition| definition.name)
    }
}

fn defines(ast: &ast::Document, name: &str) -> bool {
    defined(ast, name).next().is_some()
}

fn defined<'a>(
    ast: &'a ast::Document,
    name: &'a str,
) -> impl Iterator<Item = &'a ast::DirectiveDefinition> {
    ast.definitions
        .iter()
        .filter_map(move |definition| match definition {
            ast::Definition::DirectiveDefinition(it) => (it.name == name).then(|| it.as_ref()),
            _ => None,
        })
}

const FEDERATION_1: [Directive; 7] = [
    Directive::Key,
    Directive::Requires,
    Directive::Provides,
    Directive::External,
    Directive::Extends,
    Directive::Tag,
    Directive::Inaccessible,
];

const fn of(directive: Directive, name: &'static str, rest: &'static str) -> Definition {
    Definition {
        directive,
        name,
        home: None,
        rest,
    }
}

const fn also(home: &'static str, definition: Definition) -> Definition {
    Definition {
        home: Some(home),
        ..definition
    }
}

/// Sets of fields are written as `String`, so that no document needs the scalar.
pub(crate) const DEFINITIONS: &[Definition] = &[
    of(
        Directive::Key,
        "key",
        "(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE",
    ),
    of(
        Directive::Requires,
        "requires",
        "(fields: String!) on FIELD_DEFINITION",
    ),
    of(
        Directive::Provides,
        "provides",
        "(fields: String!) on FIELD_DEFINITION",
    ),
    of(
        Directive::External,
        "external",
        "(reason: String) on OBJECT | FIELD_DEFINITION",
    ),
    of(
        Directive::Shareable,
        "shareable",
        " repeatable on OBJECT | FIELD_DEFINITION",
    ),
    of(Directive::Extends, "extends", " on OBJECT | INTERFACE"),
    of(
        Directive::Override,
        "override",
        "(from: String!, label: String) on FIELD_DEFINITION",
    ),
    of(Directive::InterfaceObject, "interfaceObject", " on OBJECT"),
    also(
        "inaccessible",
        of(
            Directive::Inaccessible,
            "inaccessible",
            " on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION",
        ),
    ),
    also(
        "tag",
        of(
            Directive::Tag,
            "tag",
            "(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA",
        ),
    ),
    of(
        Directive::Compose,
        "composeDirective",
        "(name: String!) repeatable on SCHEMA",
    ),
    also(
        "context",
        of(
            Directive::Context,
            "context",
            "(name: String!) repeatable on INTERFACE | OBJECT | UNION",
        ),
    ),
    also(
        "context",
        of(
            Directive::FromContext,
            "fromContext",
            "(field: String) on ARGUMENT_DEFINITION",
        ),
    ),
    also(
        "authenticated",
        of(
            Directive::Authenticated,
            "authenticated",
            " on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        ),
    ),
    also(
        "requiresScopes",
        of(
            Directive::RequiresScopes,
            "requiresScopes",
            "(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        ),
    ),
    also(
        "policy",
        of(
            Directive::Policy,
            "policy",
            "(policies: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        ),
    ),
    also(
        "cost",
        of(
            Directive::Cost,
            "cost",
            "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
        ),
    ),
    also(
        "cost",
        of(
            Directive::ListSize,
            "listSize",
            "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
        ),
    ),
    also(
        "cacheTag",
        of(
            Directive::CacheTag,
            "cacheTag",
            "(format: String!) repeatable on OBJECT | FIELD_DEFINITION",
        ),
    ),
    of(
        Directive::CacheControl,
        "cacheControl",
        "(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION",
    ),
    of(
        Directive::CacheInvalidate,
        "cacheInvalidate",
        "(tags: [String!], types: [String!]) on FIELD_DEFINITION",
    ),
    of(
        Directive::ReturnedInvalid,
        "openfed__cacheInvalidate",
        " on FIELD_DEFINITION",
    ),
    of(
        Directive::EntityCache,
        "openfed__entityCache",
        "(maxAge: Int!, negativeCacheTTL: Int = 0, includeHeaders: Boolean = false, partialCacheLoad: Boolean = false, shadowMode: Boolean = false) on OBJECT",
    ),
    of(
        Directive::QueryCache,
        "openfed__queryCache",
        "(maxAge: Int!, includeHeaders: Boolean = false, shadowMode: Boolean = false) on FIELD_DEFINITION",
    ),
    of(
        Directive::CachePopulate,
        "openfed__cachePopulate",
        "(maxAge: Int) on FIELD_DEFINITION",
    ),
];
