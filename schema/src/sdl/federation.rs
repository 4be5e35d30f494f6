//! The supported directives of federation and caching, and their names in a document.
//!
//! Names and definitions only; `link` implements their meaning.

use apollo_compiler::ast;

use super::links::Link;

/// A directive of federation, of a specification split from it, or of caching.
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
    /// `@cacheInvalidate`, specific to Weir: a mutation invalidates tags and types.
    CacheInvalidate,
    /// `@openfed__cacheInvalidate`: a mutation invalidates the entities that it returns.
    InvalidateReturned,
    /// `@openfed__entityCache`.
    EntityCache,
    /// `@openfed__queryCache`.
    QueryCache,
    /// `@openfed__cachePopulate`.
    CachePopulate,
}

/// The definition of a directive in its specification.
#[derive(Clone, Copy)]
pub(crate) struct Definition {
    pub(crate) directive: Directive,
    /// The name in the specification.
    pub(crate) name: &'static str,
    /// A separate specification from which it can also be linked.
    pub(crate) own_specification: Option<&'static str>,
    /// The SDL after the name: arguments and locations.
    pub(crate) signature: &'static str,
}

/// The supported directives of one document by their local names.
#[derive(Debug, Default)]
pub(crate) struct Directives(Vec<(String, Directive)>);

impl Directives {
    /// Resolves all local names; `links` are the document's links by specification identity.
    pub(super) fn new(ast: &ast::Document, links: &[(&str, &Link)]) -> Self {
        let federation = links.iter().find(|(identity, _)| *identity == "federation");
        let mut directives: Vec<(String, Directive)> = Vec::new();
        for definition in DEFINITIONS {
            let own = (links.iter())
                .find(|(identity, _)| Some(*identity) == definition.own_specification);
            let federation = federation.filter(|_| !definition.directive.is_unlinkable());
            for (_, link) in federation.into_iter().chain(own) {
                let name = link.directive(definition.name);
                if directives.iter().all(|(known, _)| *known != name) {
                    directives.push((name, definition.directive));
                }
            }
            let is_unprefixed =
                definition.is_implied(ast) || (federation.is_none() && definition.is_legacy(ast));
            if is_unprefixed && directives.iter().all(|(name, _)| name != definition.name) {
                directives.push((definition.name.to_owned(), definition.directive));
            }
        }
        Self(directives)
    }

    /// The directive with the local name `local`.
    pub(crate) fn find(&self, local: &str) -> Option<Directive> {
        let mut directives = self.0.iter();
        let found = directives.find(|(name, _)| name == local);
        found.map(|(_, directive)| *directive)
    }

    /// The local names with their definitions.
    pub(super) fn definitions(&self) -> impl Iterator<Item = (&str, &'static Definition)> {
        self.0.iter().filter_map(|(name, directive)| {
            let mut all = DEFINITIONS.iter();
            let definition = all.find(|definition| definition.directive == *directive)?;
            Some((name.as_str(), definition))
        })
    }
}

impl Definition {
    /// Whether the name means this directive without a link. `@cacheInvalidate` yields to a
    /// different directive of that name that the document defines.
    fn is_implied(&self, ast: &ast::Document) -> bool {
        let is_other = || {
            let mut arguments = definitions_named(ast, self.name).flat_map(|it| &it.arguments);
            self.directive == Directive::CacheInvalidate
                && arguments.any(|argument| !self.has(&argument.name))
        };
        self.directive.is_unlinkable() && !is_other()
    }

    /// Whether it has an argument called `argument`.
    pub(crate) fn has(&self, argument: &str) -> bool {
        let mut words = self.arguments().split([' ', ',', ':']);
        words.any(|word| word == argument)
    }

    /// The SDL of its arguments, without the parentheses.
    pub(crate) fn arguments(&self) -> &'static str {
        let inside = self.signature.strip_prefix('(');
        let inside = inside.and_then(|rest| rest.split_once(')'));
        inside.map_or("", |(arguments, _)| arguments)
    }

    /// Whether the name means this directive in a document of federation 1. Newer directives are
    /// accepted too, unless the document defines another of that name.
    fn is_legacy(&self, ast: &ast::Document) -> bool {
        FEDERATION_1.contains(&self.directive) || !has_definition(ast, self.name)
    }
}

impl Directive {
    /// Whether no specification that can be linked defines it.
    pub(crate) fn is_unlinkable(self) -> bool {
        self.is_caching() && self != Self::CacheTag
    }

    /// Whether it is a cache directive.
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

    /// The cache directives.
    pub(crate) fn caching() -> impl Iterator<Item = Self> {
        let all = DEFINITIONS.iter().map(|definition| definition.directive);
        all.filter(|directive| directive.is_caching())
    }

    /// The name in the specification.
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

const fn definition(
    directive: Directive,
    name: &'static str,
    signature: &'static str,
) -> Definition {
    Definition {
        directive,
        name,
        own_specification: None,
        signature,
    }
}

const fn with_own_specification(specification: &'static str, definition: Definition) -> Definition {
    Definition {
        own_specification: Some(specification),
        ..definition
    }
}

/// The definitions of all directives. Field sets have type `String`, so that no document needs
/// the `FieldSet` scalar.
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
