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
    InvalidateReturned,
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
    pub(crate) own_specification: Option<&'static str>,
    /// Arguments and places, as a definition writes them after the name.
    pub(crate) signature: &'static str,
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
            let home =
                |(identity, _): &&(&str, &Link)| Some(*identity) == definition.own_specification;
            let own = links.iter().find(home);
            let federation = federation.filter(|_| !definition.directive.is_unlinkable());
            for (_, link) in federation.into_iter().chain(own) {
                let name = link.directive(definition.name);
                if found.iter().all(|(known, _)| *known != name) {
                    found.push((name, definition.directive));
                }
            }
            let plain =
                definition.is_implied(ast) || (federation.is_none() && definition.is_legacy(ast));
            if plain && found.iter().all(|(name, _)| name != definition.name) {
                found.push((definition.name.to_owned(), definition.directive));
            }
        }
        Self(found)
    }

    /// The directive that the document calls `local`.
    pub(crate) fn find(&self, local: &str) -> Option<Directive> {
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
    fn is_implied(&self, ast: &ast::Document) -> bool {
        let other = || {
            let mut arguments = definitions_named(ast, self.name).flat_map(|it| &it.arguments);
            self.directive == Directive::CacheInvalidate && arguments.any(|it| !self.has(&it.name))
        };
        self.directive.is_unlinkable() && !other()
    }

    /// Whether it has this argument.
    pub(crate) fn has(&self, argument: &str) -> bool {
        let mut written = self.arguments().split([' ', ',', ':']);
        written.any(|word| word == argument)
    }

    /// Its arguments, as a definition writes them between parentheses.
    pub(crate) fn arguments(&self) -> &'static str {
        let inside = self.signature.strip_prefix('(');
        let inside = inside.and_then(|it| it.split_once(')'));
        inside.map_or("", |(arguments, _)| arguments)
    }

    /// Whether a document of federation 1 means it by the name. What federation 1 does not have
    /// is a help, as long as nothing else has the name.
    fn is_legacy(&self, ast: &ast::Document) -> bool {
        FEDERATION_1.contains(&self.directive) || !has_definition(ast, self.name)
    }
}

impl Directive {
    /// Whether it is of no specification that can be linked.
    pub(crate) fn is_unlinkable(self) -> bool {
        self.is_caching() && self != Self::CacheTag
    }

    /// Whether it is about keeping what sources give.
    pub(crate) fn is_caching(self) -> bool {
        matches!(
            self,
            Self::CacheTag
                | Self::CacheControl
                | Self::CacheInvalidate
                | Self::InvalidateReturned
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

fn has_definition(ast: &ast::Document, name: &str) -> bool {
    definitions_named(ast, name).next().is_some()
}

fn definitions_named<'a>(
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

const fn definition(directive: Directive, name: &'static str, rest: &'static str) -> Definition {
    Definition {
        directive,
        name,
        own_specification: None,
        signature: rest,
    }
}

const fn with_own_specification(home: &'static str, definition: Definition) -> Definition {
    Definition {
        own_specification: Some(home),
        ..definition
    }
}

/// Sets of fields are written as `String`, so that no document needs the scalar.
pub(crate) const DEFINITIONS: &[Definition] = &[
    definition(
        Directive::Key,
        "key",
        "(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE",
    ),
    definition(
        Directive::Requires,
        "requires",
        "(fields: String!) on FIELD_DEFINITION",
    ),
    definition(
        Directive::Provides,
        "provides",
        "(fields: String!) on FIELD_DEFINITION",
    ),
    definition(
        Directive::External,
        "external",
        "(reason: String) on OBJECT | FIELD_DEFINITION",
    ),
    definition(
        Directive::Shareable,
        "shareable",
        " repeatable on OBJECT | FIELD_DEFINITION",
    ),
    definition(Directive::Extends, "extends", " on OBJECT | INTERFACE"),
    definition(
        Directive::Override,
        "override",
        "(from: String!, label: String) on FIELD_DEFINITION",
    ),
    definition(Directive::InterfaceObject, "interfaceObject", " on OBJECT"),
    with_own_specification(
        "inaccessible",
        definition(
            Directive::Inaccessible,
            "inaccessible",
            " on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION",
        ),
    ),
    with_own_specification(
        "tag",
        definition(
            Directive::Tag,
            "tag",
            "(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA",
        ),
    ),
    definition(
        Directive::Compose,
        "composeDirective",
        "(name: String!) repeatable on SCHEMA",
    ),
    with_own_specification(
        "context",
        definition(
            Directive::Context,
            "context",
            "(name: String!) repeatable on INTERFACE | OBJECT | UNION",
        ),
    ),
    with_own_specification(
        "context",
        definition(
            Directive::FromContext,
            "fromContext",
            "(field: String) on ARGUMENT_DEFINITION",
        ),
    ),
    with_own_specification(
        "authenticated",
        definition(
            Directive::Authenticated,
            "authenticated",
            " on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        ),
    ),
    with_own_specification(
        "requiresScopes",
        definition(
            Directive::RequiresScopes,
            "requiresScopes",
            "(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        ),
    ),
    with_own_specification(
        "policy",
        definition(
            Directive::Policy,
            "policy",
            "(policies: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        ),
    ),
    with_own_specification(
        "cost",
        definition(
            Directive::Cost,
            "cost",
            "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
        ),
    ),
    with_own_specification(
        "cost",
        definition(
            Directive::ListSize,
            "listSize",
            "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
        ),
    ),
    with_own_specification(
        "cacheTag",
        definition(
            Directive::CacheTag,
            "cacheTag",
            "(format: String!) repeatable on OBJECT | FIELD_DEFINITION",
        ),
    ),
    definition(
        Directive::CacheControl,
        "cacheControl",
        "(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION",
    ),
    definition(
        Directive::CacheInvalidate,
        "cacheInvalidate",
        "(tags: [String!], types: [String!]) on FIELD_DEFINITION",
    ),
    definition(
        Directive::InvalidateReturned,
        "openfed__cacheInvalidate",
        " on FIELD_DEFINITION",
    ),
    definition(
        Directive::EntityCache,
        "openfed__entityCache",
        "(maxAge: Int!, negativeCacheTTL: Int = 0, includeHeaders: Boolean = false, partialCacheLoad: Boolean = false, shadowMode: Boolean = false) on OBJECT",
    ),
    definition(
        Directive::QueryCache,
        "openfed__queryCache",
        "(maxAge: Int!, includeHeaders: Boolean = false, shadowMode: Boolean = false) on FIELD_DEFINITION",
    ),
    definition(
        Directive::CachePopulate,
        "openfed__cachePopulate",
        "(maxAge: Int) on FIELD_DEFINITION",
    ),
];
