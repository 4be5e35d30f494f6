//! The codes of diagnostics: stable names that people search for.
//!
//! Codes of the connectors dialect are spelled as its other runtime spells them. What there is to
//! say of a code stands in `explain/<CODE>.md`: text first, then examples, which begin with a
//! fence.

/// What kind of file a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// SDL, and the graph that subgraphs make together.
    Graph,
    /// `@source` and `@connect`.
    Connectors,
    /// `weir.yaml`.
    Configuration,
    /// Files and operations named on the command line.
    CommandLine,
}

macro_rules! codes {
    ($($family:ident { $($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)* })*) => {
        /// What kind of problem a diagnostic is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($($(#[doc = $doc])+ $variant,)*)* }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// The code as it is printed.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $text,)*)* }
            }

            /// One sentence: what is wrong.
            pub const fn summary(self) -> &'static str {
                match self { $($(Self::$variant => concat!($($doc),+).trim_ascii(),)*)* }
            }

            /// What kind of file it is about.
            pub const fn family(self) -> Family {
                match self { $($(Self::$variant => Family::$family,)*)* }
            }

            const fn text(self) -> &'static str {
                match self {
                    $($(Self::$variant => include_str!(concat!("explain/", $text, ".md")),)*)*
                }
            }
        }
    };
}

impl Code {
    /// What the code means, why it is a rule, and how it is cured; Markdown.
    pub fn explain(self) -> &'static str {
        let text = self.text();
        text.split_once(FENCE)
            .map_or(text, |(before, _)| before)
            .trim_end()
    }

    /// Something broken, and the same mended where that helps; Markdown with fences.
    pub fn example(self) -> Option<&'static str> {
        let text = self.text();
        let start = text.find(FENCE)?;
        text.get(start..).map(str::trim)
    }

    /// The code of this name, whatever its case; also of names that other runtimes have for it.
    pub fn named(name: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let own = Self::ALL.iter().find(|code| is(code.as_str()));
        let elsewhere = || ELSEWHERE.iter().find(|(theirs, _)| is(theirs));
        own.copied().or_else(|| elsewhere().map(|(_, ours)| *ours))
    }
}

const FENCE: &str = "\n```";

/// Codes of other runtimes that are told apart here by another name.
const ELSEWHERE: [(&str, Code); 1] = [("MISSING_SCHEMA_TYPE", Code::SdlInvalid)];

codes! {
    Graph {
        /// The text is not GraphQL SDL.
        SdlSyntax = "SDL_SYNTAX",
        /// The SDL is well formed and breaks a rule of GraphQL schemas.
        SdlInvalid = "SDL_INVALID",
        /// Two subgraphs say different things of one type or field.
        SubgraphConflict = "SUBGRAPH_CONFLICT",
        /// A field that no source can give at a place where a client can ask for it.
        UnreachableField = "UNREACHABLE_FIELD",
        /// The graph has no query root.
        NoQueries = "NO_QUERIES",
    }
    Connectors {
        /// A required argument of a connector directive is missing or mistyped.
        GraphqlError = "GRAPHQL_ERROR",
        /// The `@link` names a version of the connect specification that does not exist.
        UnknownConnectorsVersion = "UNKNOWN_CONNECTORS_VERSION",
        /// `source` names no `@source` of the subgraph.
        SourceNameMismatch = "SOURCE_NAME_MISMATCH",
        /// `source` is given and the subgraph has no `@source` at all.
        NoSourcesDefined = "NO_SOURCES_DEFINED",
        /// Two `@source` share a name.
        DuplicateSourceName = "DUPLICATE_SOURCE_NAME",
        /// A `@source` name has characters that are not allowed.
        InvalidSourceName = "INVALID_SOURCE_NAME",
        /// A `@source` name is empty.
        EmptySourceName = "EMPTY_SOURCE_NAME",
        /// `@source` is used and the link does not import it.
        NoSourceImport = "NO_SOURCE_IMPORT",
        /// A connector has no `http`, and so makes no request.
        HttpOmittedRequiresV0_4 = "HTTP_OMITTED_REQUIRES_V0_4",
        /// The selection of a connector without `http` reads an answer.
        RequestlessSelectionUsesRequestData = "REQUESTLESS_SELECTION_USES_REQUEST_DATA",
        /// `http` names no method.
        MissingHttpMethod = "MISSING_HTTP_METHOD",
        /// `http` names more than one method.
        MultipleHttpMethods = "MULTIPLE_HTTP_METHODS",
        /// A URL, or an expression in one, cannot be used.
        InvalidUrl = "INVALID_URL",
        /// A URL is neither `http` nor `https`.
        InvalidUrlScheme = "INVALID_URL_SCHEME",
        /// A connector with a source has an absolute URL.
        AbsoluteConnectUrlWithSource = "ABSOLUTE_CONNECT_URL_WITH_SOURCE",
        /// A connector without a source has a relative URL.
        RelativeConnectUrlWithoutSource = "RELATIVE_CONNECT_URL_WITHOUT_SOURCE",
        /// `path` or `queryParams` cannot be used.
        InvalidUrlProperty = "INVALID_URL_PROPERTY",
        /// A header mapping cannot be used.
        InvalidHeader = "INVALID_HEADER",
        /// A header is named twice in one list.
        HttpHeaderNameCollision = "HTTP_HEADER_NAME_COLLISION",
        /// `body` cannot be used.
        InvalidBody = "INVALID_BODY",
        /// `selection` cannot be used.
        InvalidSelection = "INVALID_SELECTION",
        /// `errors.message` or `errors.extensions` cannot be used.
        InvalidErrorsMessage = "INVALID_ERRORS_MESSAGE",
        /// `isSuccess` cannot be used.
        InvalidIsSuccess = "INVALID_IS_SUCCESS",
        /// `@connect` stands on a root type.
        ConnectOnRoot = "CONNECT_ON_ROOT",
        /// A subgraph with connectors has a subscription type.
        SubscriptionInConnectors = "SUBSCRIPTION_IN_CONNECTORS",
        /// Two connectors share an `id`.
        DuplicateIdName = "DUPLICATE_ID_NAME",
        /// A connector `id` is not a GraphQL name.
        InvalidConnectorIdName = "INVALID_CONNECTOR_ID_NAME",
        /// The selection gives a field that the type does not have.
        SelectedFieldNotFound = "SELECTED_FIELD_NOT_FOUND",
        /// An object is selected without its fields.
        GroupSelectionRequiredForObject = "GROUP_SELECTION_REQUIRED_FOR_OBJECT",
        /// Braces on a field that has no fields.
        GroupSelectionIsNotObject = "GROUP_SELECTION_IS_NOT_OBJECT",
        /// A field given by a selection has arguments.
        ConnectorsFieldWithArguments = "CONNECTORS_FIELD_WITH_ARGUMENTS",
        /// A connector gives an object type inside itself.
        CircularReference = "CIRCULAR_REFERENCE",
        /// `$args` is followed by a name that is no argument.
        UndefinedArgument = "UNDEFINED_ARGUMENT",
        /// `$this` or `$batch` is followed by a name that is no field.
        UndefinedField = "UNDEFINED_FIELD",
        /// A field is read of a variable that is a union.
        UnsupportedVariableType = "UNSUPPORTED_VARIABLE_TYPE",
        /// A field of a connectors subgraph that no connector gives.
        ConnectorsUnresolvedField = "CONNECTORS_UNRESOLVED_FIELD",
        /// An interface or union where connectors give none.
        ConnectorsUnsupportedAbstractType = "CONNECTORS_UNSUPPORTED_ABSTRACT_TYPE",
        /// A federation directive that connectors cannot heed.
        ConnectorsUnsupportedFederationDirective = "CONNECTORS_UNSUPPORTED_FEDERATION_DIRECTIVE",
        /// `@override` of a field that a connector gives.
        OverrideOnConnector = "OVERRIDE_ON_CONNECTOR",
        /// `entity: true` outside of the query root.
        EntityNotOnRootQuery = "ENTITY_NOT_ON_ROOT_QUERY",
        /// `entity: true` on a field that cannot return one entity.
        EntityTypeInvalid = "ENTITY_TYPE_INVALID",
        /// An argument of an entity field is not a field of the entity.
        EntityResolverArgumentMismatch = "ENTITY_RESOLVER_ARGUMENT_MISMATCH",
        /// A resolvable `@key` that no connector can enter by.
        MissingEntityConnector = "MISSING_ENTITY_CONNECTOR",
        /// `entity: false` on a type.
        ConnectOnTypeMustBeEntity = "CONNECT_ON_TYPE_MUST_BE_ENTITY",
        /// `$batch` and `$this` in one connector.
        ConnectBatchAndThis = "CONNECT_BATCH_AND_THIS",
        /// The inputs of a connector are no key of its type.
        ConnectorsCannotResolveKey = "CONNECTORS_CANNOT_RESOLVE_KEY",
        /// A batch connector does not select the key that matches answers to entities.
        ConnectorsBatchKeyNotInSelection = "CONNECTORS_BATCH_KEY_NOT_IN_SELECTION",
        /// The key of a batch connector does not come out of the answer.
        ConnectorsNonRootBatchKey = "CONNECTORS_NON_ROOT_BATCH_KEY",
    }
    Configuration {
        /// The configuration is not YAML, or not of the expected shape.
        ConfigSyntax = "CONFIG_SYNTAX",
        /// A key that the configuration does not have.
        ConfigUnknownKey = "CONFIG_UNKNOWN_KEY",
        /// A key that has another name now.
        ConfigOldSpelling = "CONFIG_OLD_SPELLING",
        /// A value that cannot be used.
        ConfigInvalidValue = "CONFIG_INVALID_VALUE",
        /// `${NAME}` names a variable that is not set and has no default.
        ConfigUnsetVariable = "CONFIG_UNSET_VARIABLE",
    }
    CommandLine {
        /// A file that is named and cannot be read.
        FileUnreadable = "FILE_UNREADABLE",
        /// An operation given on the command line is not valid.
        InvalidOperation = "INVALID_OPERATION",
    }
}
