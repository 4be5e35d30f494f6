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
    /// What services that speak GraphQL say of each other, and how they go together.
    Federation,
    /// `@source` and `@connect`.
    Connectors,
    /// What the graph says about keeping what its sources give.
    Caching,
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
    pub fn from_name(name: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let own = Self::ALL.iter().find(|code| is(code.as_str()));
        let elsewhere = || ALIASES.iter().find(|(theirs, _)| is(theirs));
        own.copied().or_else(|| elsewhere().map(|(_, ours)| *ours))
    }
}

const FENCE: &str = "\n```";

/// Codes of other runtimes that are told apart here by another name.
const ALIASES: [(&str, Code); 6] = [
    ("CONTEXT_NAME_CONTAINS_UNDERSCORE", Code::ContextNameInvalid),
    ("CONTEXT_INVALID_SELECTION", Code::ContextSelectionInvalid),
    ("NO_SELECTION_FOR_CONTEXT", Code::ContextSelectionInvalid),
    ("NO_CONTEXT_IN_SELECTION", Code::NoContextReferenced),
    ("MISSING_SCHEMA_TYPE", Code::SdlInvalid),
    ("UNREACHABLE_FIELD", Code::SatisfiabilityError),
];

codes! {
    Graph {
        /// The text is not GraphQL SDL.
        SdlSyntax = "SDL_SYNTAX",
        /// The SDL is well formed and breaks a rule of GraphQL schemas.
        SdlInvalid = "SDL_INVALID",
        /// The subgraphs together make no valid schema.
        SubgraphConflict = "SUBGRAPH_CONFLICT",
        /// The graph has no query root.
        NoQueries = "NO_QUERIES",
        /// The document links no join specification, and so is no supergraph.
        NotASupergraph = "NOT_A_SUPERGRAPH",
        /// The `@link` names a version of the join specification that does not exist.
        UnknownJoinVersion = "UNKNOWN_JOIN_VERSION",
        /// The directives of the join specification contradict each other.
        SupergraphInvalid = "SUPERGRAPH_INVALID",
        /// A specification that the document links, or a part of one, is not supported.
        UnsupportedLinkedFeature = "UNSUPPORTED_LINKED_FEATURE",
    }
    Federation {
        /// The `@link` names a version of federation that is not known.
        UnknownFederationLinkVersion = "UNKNOWN_FEDERATION_LINK_VERSION",
        /// A type that is not the query root is called `Query`.
        RootQueryUsed = "ROOT_QUERY_USED",
        /// A type that is not the mutation root is called `Mutation`.
        RootMutationUsed = "ROOT_MUTATION_USED",
        /// A type that is not the subscription root is called `Subscription`.
        RootSubscriptionUsed = "ROOT_SUBSCRIPTION_USED",
        /// The `fields` of a `@key` are no selection of the type.
        KeyInvalidFields = "KEY_INVALID_FIELDS",
        /// A field of a `@key` takes arguments.
        KeyFieldsHasArgs = "KEY_FIELDS_HAS_ARGS",
        /// A field of a `@key` is an interface or a union.
        KeyFieldsSelectInvalidType = "KEY_FIELDS_SELECT_INVALID_TYPE",
        /// The `fields` of a `@requires` are no selection of the type.
        RequiresInvalidFields = "REQUIRES_INVALID_FIELDS",
        /// The name of a `@context` is not one that a supergraph can have.
        ContextNameInvalid = "CONTEXT_NAME_INVALID",
        /// An argument comes from a context that nothing sets where the field stands.
        ContextNotSet = "CONTEXT_NOT_SET",
        /// The `field` of a `@fromContext` names no context.
        NoContextReferenced = "NO_CONTEXT_REFERENCED",
        /// What a `@fromContext` takes is not one value of the argument's type.
        ContextSelectionInvalid = "CONTEXT_SELECTION_INVALID",
        /// A type has an argument from a context and no `@key` by which it can be asked for.
        ContextNoResolvableKey = "CONTEXT_NO_RESOLVABLE_KEY",
        /// An argument comes from a context in one subgraph, and must be written for another.
        ContextualArgumentNotContextualInAllSubgraphs = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        /// A field that `@requires` names is not `@external`.
        RequiresFieldsMissingExternal = "REQUIRES_FIELDS_MISSING_EXTERNAL",
        /// The `fields` of a `@provides` are no selection of the field's type.
        ProvidesInvalidFields = "PROVIDES_INVALID_FIELDS",
        /// A field that `@provides` names is not `@external`.
        ProvidesFieldsMissingExternal = "PROVIDES_FIELDS_MISSING_EXTERNAL",
        /// A field of a `@provides` takes arguments.
        ProvidesFieldsHasArgs = "PROVIDES_FIELDS_HAS_ARGS",
        /// `@provides` stands on a field that is a leaf.
        ProvidesOnNonObjectField = "PROVIDES_ON_NON_OBJECT_FIELD",
        /// `@provides` stands on a field of an interface.
        ProvidesUnsupportedOnInterface = "PROVIDES_UNSUPPORTED_ON_INTERFACE",
        /// `@requires` stands on a field of an interface.
        RequiresUnsupportedOnInterface = "REQUIRES_UNSUPPORTED_ON_INTERFACE",
        /// An `@external` field that nothing in the subgraph uses.
        ExternalUnused = "EXTERNAL_UNUSED",
        /// A field of an interface is `@external`.
        ExternalOnInterface = "EXTERNAL_ON_INTERFACE",
        /// A field that is `@external` everywhere.
        ExternalMissingOnBase = "EXTERNAL_MISSING_ON_BASE",
        /// An `@external` field has another type than where it is given.
        ExternalTypeMismatch = "EXTERNAL_TYPE_MISMATCH",
        /// An `@external` field lacks an argument that it has where it is given.
        ExternalArgumentMissing = "EXTERNAL_ARGUMENT_MISSING",
        /// An argument of an `@external` field has another type than where the field is given.
        ExternalArgumentTypeMismatch = "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
        /// An argument of an `@external` field has another default than where the field is given.
        ExternalArgumentDefaultMismatch = "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
        /// One name is an object type in one subgraph and something else in another.
        TypeKindMismatch = "TYPE_KIND_MISMATCH",
        /// A field has types that do not go together.
        FieldTypeMismatch = "FIELD_TYPE_MISMATCH",
        /// An argument has types that do not go together.
        FieldArgumentTypeMismatch = "FIELD_ARGUMENT_TYPE_MISMATCH",
        /// An argument has different defaults.
        FieldArgumentDefaultMismatch = "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        /// A field of an input type has different defaults.
        InputFieldDefaultMismatch = "INPUT_FIELD_DEFAULT_MISMATCH",
        /// An argument is required in one subgraph and missing in another.
        RequiredArgumentMissingInSomeSubgraph = "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
        /// A field of an input type is required in one subgraph and missing in another.
        RequiredInputFieldMissingInSomeSubgraph = "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
        /// Subgraphs have no field of an input type in common.
        EmptyMergedInputType = "EMPTY_MERGED_INPUT_TYPE",
        /// An enum that clients read and write has different values.
        EnumValueMismatch = "ENUM_VALUE_MISMATCH",
        /// Subgraphs have no value of an enum in common.
        EmptyMergedEnumType = "EMPTY_MERGED_ENUM_TYPE",
        /// A field is given by several subgraphs, and not all of them say that it is shared.
        InvalidFieldSharing = "INVALID_FIELD_SHARING",
        /// `@shareable` stands where nothing can be shared.
        InvalidShareableUsage = "INVALID_SHAREABLE_USAGE",
        /// `@override` takes a field over from its own subgraph.
        OverrideFromSelfError = "OVERRIDE_FROM_SELF_ERROR",
        /// `@override` stands on a field of an interface.
        OverrideOnInterface = "OVERRIDE_ON_INTERFACE",
        /// `@override` stands beside a directive that it cannot go with.
        OverrideCollisionWithAnotherDirective = "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
        /// A field is taken over from a subgraph that takes it over too.
        OverrideSourceHasOverride = "OVERRIDE_SOURCE_HAS_OVERRIDE",
        /// A `label` of `@override` that is none.
        OverrideLabelInvalid = "OVERRIDE_LABEL_INVALID",
        /// A directive for operations that not every subgraph defines.
        InconsistentExecutableDirectivePresence = "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
        /// A directive for operations that subgraphs allow at different places.
        NoExecutableDirectiveLocationsIntersection = "NO_EXECUTABLE_DIRECTIVE_LOCATIONS_INTERSECTION",
        /// `@interfaceObject` is used where it means nothing.
        InterfaceObjectUsageError = "INTERFACE_OBJECT_USAGE_ERROR",
        /// An object lacks the `@key` of an interface that it implements.
        InterfaceKeyNotOnImplementation = "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
        /// A subgraph has an interface with a `@key`, and not all of its objects.
        InterfaceKeyMissingImplementationType = "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
        /// An object lacks a field of an interface that it implements.
        InterfaceFieldNoImplem = "INTERFACE_FIELD_NO_IMPLEM",
        /// A type that clients may not see is the type of something that they may.
        ReferencedInaccessible = "REFERENCED_INACCESSIBLE",
        /// An argument or input field that must be written may not be seen.
        RequiredInaccessible = "REQUIRED_INACCESSIBLE",
        /// A field that clients may not see is one of an interface that they may.
        ImplementedByInaccessible = "IMPLEMENTED_BY_INACCESSIBLE",
        /// A type of which nothing may be seen.
        OnlyInaccessibleChildren = "ONLY_INACCESSIBLE_CHILDREN",
        /// A default that clients see uses a value that they do not.
        DefaultValueUsesInaccessible = "DEFAULT_VALUE_USES_INACCESSIBLE",
        /// `@composeDirective` names a directive that cannot be kept.
        DirectiveCompositionError = "DIRECTIVE_COMPOSITION_ERROR",
        /// A type is extended everywhere and defined nowhere.
        ExtensionWithNoBase = "EXTENSION_WITH_NO_BASE",
        /// A field that clients can ask for at a place from which it cannot be reached.
        SatisfiabilityError = "SATISFIABILITY_ERROR",
        /// A directive that says who may see something, which Weir does not enforce yet.
        AccessNotChecked = "ACCESS_NOT_CHECKED",
        /// A directive that the graph keeps stands on an `@external` field.
        MergedDirectiveApplicationOnExternal = "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
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
    Caching {
        /// A `@cacheControl` that cannot be meant.
        CacheControlInvalid = "CACHE_CONTROL_INVALID",
        /// The text of a tag cannot be read, or names what there is not.
        CacheTagInvalidFormat = "CACHE_TAG_INVALID_FORMAT",
        /// `@cacheTag` stands on a field that is not one of `Query`.
        CacheTagNotOnRootField = "CACHE_TAG_NOT_ON_ROOT_FIELD",
        /// A tag of a field is made of something else than `$args`.
        CacheTagInvalidFormatArgumentOnRootField = "CACHE_TAG_INVALID_FORMAT_ARGUMENT_ON_ROOT_FIELD",
        /// A tag of an entity is made of something else than `$key`.
        CacheTagInvalidFormatArgumentOnEntity = "CACHE_TAG_INVALID_FORMAT_ARGUMENT_ON_ENTITY",
        /// `@cacheTag` stands on a type that cannot be asked for by a key.
        CacheTagEntityNotResolvable = "CACHE_TAG_ENTITY_NOT_RESOLVABLE",
        /// A tag of an entity uses a field that is not in every key of it.
        CacheTagInvalidFormatFieldSetOnEntity = "CACHE_TAG_INVALID_FORMAT_FIELD_SET_ON_ENTITY",
        /// A tag uses an argument that may be null.
        CacheTagFormatNullableArgument = "CACHE_TAG_FORMAT_NULLABLE_ARGUMENT",
        /// A tag uses a field that may be null.
        CacheTagFormatNullableField = "CACHE_TAG_FORMAT_NULLABLE_FIELD",
        /// A directive that says what becomes invalid stands on a field that does not write.
        CacheInvalidateNotOnMutation = "CACHE_INVALIDATE_NOT_ON_MUTATION",
        /// A mutation is to make invalid what it returns, and returns no entity.
        CacheInvalidateNoEntity = "CACHE_INVALIDATE_NO_ENTITY",
        /// `@cacheInvalidate` names nothing, or something that is no text.
        CacheInvalidateInvalid = "CACHE_INVALIDATE_INVALID",
        /// `@cacheInvalidate` names a type of objects that there is not.
        CacheInvalidateUnknownType = "CACHE_INVALIDATE_UNKNOWN_TYPE",
        /// A directive about keeping answers, or a part of one, that changes nothing here.
        CacheDirectiveNotUsed = "CACHE_DIRECTIVE_NOT_USED",
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
