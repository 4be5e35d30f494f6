//! The codes of diagnostics: stable, searchable names.
//!
//! Codes for connectors and federation have the names that other tools use. The explanation of a
//! code is in `explain/<CODE>.md`: text first, then examples, which start with a fence.

/// The part of the input that a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// SDL and the merged graph.
    Graph,
    /// Federation directives and the composition of subgraphs.
    Federation,
    /// `@source` and `@connect`.
    Connectors,
    /// Cache directives.
    Caching,
    /// `weir.yaml`.
    Configuration,
    /// Files and operations in the command line.
    CommandLine,
}

macro_rules! codes {
    ($($family:ident { $($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)* })*) => {
        /// The kind of problem that a diagnostic reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($($(#[doc = $doc])+ $variant,)*)* }

        impl Code {
            /// The codes in documentation order.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// The printed name.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $text,)*)* }
            }

            /// One sentence that describes the problem.
            pub const fn summary(self) -> &'static str {
                match self { $($(Self::$variant => concat!($($doc),+).trim_ascii(),)*)* }
            }

            /// The part of the input that the code is about.
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
    /// The problem, the reason for the rule and the remedy, in Markdown.
    pub fn explain(self) -> &'static str {
        let text = self.text();
        text.split_once(FENCE)
            .map_or(text, |(before, _)| before)
            .trim_end()
    }

    /// A broken example and, where useful, the fixed one, in Markdown with fences.
    pub fn example(self) -> Option<&'static str> {
        let text = self.text();
        let start = text.find(FENCE)?;
        text.get(start..).map(str::trim)
    }

    /// The code called `name`, ignoring case; also finds names of other runtimes.
    pub fn from_name(name: &str) -> Option<Self> {
        let matches = |known: &str| known.eq_ignore_ascii_case(name);
        let own = Self::ALL.iter().find(|code| matches(code.as_str()));
        let alias = || ALIASES.iter().find(|(alias, _)| matches(alias));
        own.copied().or_else(|| alias().map(|(_, code)| *code))
    }
}

const FENCE: &str = "\n```";

/// Codes of other runtimes with a different name in Weir.
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
        /// The SDL parses, but breaks a rule of GraphQL schemas.
        SdlInvalid = "SDL_INVALID",
        /// The merged schema is not valid.
        SubgraphConflict = "SUBGRAPH_CONFLICT",
        /// The graph has no query root.
        NoQueries = "NO_QUERIES",
        /// The document does not link the join specification, so it is not a supergraph.
        NotASupergraph = "NOT_A_SUPERGRAPH",
        /// The `@link` names an unknown version of the join specification.
        UnknownJoinVersion = "UNKNOWN_JOIN_VERSION",
        /// The directives of the join specification contradict each other.
        SupergraphInvalid = "SUPERGRAPH_INVALID",
        /// A specification that the document links, or a part of one, is not supported.
        UnsupportedLinkedFeature = "UNSUPPORTED_LINKED_FEATURE",
    }
    Federation {
        /// The `@link` names an unknown version of federation.
        UnknownFederationLinkVersion = "UNKNOWN_FEDERATION_LINK_VERSION",
        /// A type that is not the query root is named `Query`.
        RootQueryUsed = "ROOT_QUERY_USED",
        /// A type that is not the mutation root is named `Mutation`.
        RootMutationUsed = "ROOT_MUTATION_USED",
        /// A type that is not the subscription root is named `Subscription`.
        RootSubscriptionUsed = "ROOT_SUBSCRIPTION_USED",
        /// The `fields` of a `@key` are not a valid selection of the type.
        KeyInvalidFields = "KEY_INVALID_FIELDS",
        /// A field of a `@key` has arguments.
        KeyFieldsHasArgs = "KEY_FIELDS_HAS_ARGS",
        /// A field of a `@key` is an interface or a union.
        KeyFieldsSelectInvalidType = "KEY_FIELDS_SELECT_INVALID_TYPE",
        /// The `fields` of a `@requires` are not a valid selection of the type.
        RequiresInvalidFields = "REQUIRES_INVALID_FIELDS",
        /// The name of a `@context` is not valid in a supergraph.
        ContextNameInvalid = "CONTEXT_NAME_INVALID",
        /// An argument comes from a context that no ancestor of the field sets.
        ContextNotSet = "CONTEXT_NOT_SET",
        /// The `field` of a `@fromContext` names no context.
        NoContextReferenced = "NO_CONTEXT_REFERENCED",
        /// The selection of a `@fromContext` is not one value of the argument's type.
        ContextSelectionInvalid = "CONTEXT_SELECTION_INVALID",
        /// A type has an argument from a context, but no resolvable `@key`.
        ContextNoResolvableKey = "CONTEXT_NO_RESOLVABLE_KEY",
        /// An argument comes from a context in one subgraph, but is required in another.
        ContextualArgumentNotContextualInAllSubgraphs = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        /// A field in `@requires` is not `@external`.
        RequiresFieldsMissingExternal = "REQUIRES_FIELDS_MISSING_EXTERNAL",
        /// The `fields` of a `@provides` are not a valid selection of the field's type.
        ProvidesInvalidFields = "PROVIDES_INVALID_FIELDS",
        /// A field in `@provides` is not `@external`.
        ProvidesFieldsMissingExternal = "PROVIDES_FIELDS_MISSING_EXTERNAL",
        /// A field in `@provides` has arguments.
        ProvidesFieldsHasArgs = "PROVIDES_FIELDS_HAS_ARGS",
        /// `@provides` is on a leaf field.
        ProvidesOnNonObjectField = "PROVIDES_ON_NON_OBJECT_FIELD",
        /// `@provides` is on a field of an interface.
        ProvidesUnsupportedOnInterface = "PROVIDES_UNSUPPORTED_ON_INTERFACE",
        /// `@requires` is on a field of an interface.
        RequiresUnsupportedOnInterface = "REQUIRES_UNSUPPORTED_ON_INTERFACE",
        /// Nothing in the subgraph uses an `@external` field.
        ExternalUnused = "EXTERNAL_UNUSED",
        /// A field of an interface is `@external`.
        ExternalOnInterface = "EXTERNAL_ON_INTERFACE",
        /// A field is `@external` in every subgraph.
        ExternalMissingOnBase = "EXTERNAL_MISSING_ON_BASE",
        /// An `@external` field has a different type in the subgraph that provides it.
        ExternalTypeMismatch = "EXTERNAL_TYPE_MISMATCH",
        /// An `@external` field lacks an argument that it has in the subgraph that provides it.
        ExternalArgumentMissing = "EXTERNAL_ARGUMENT_MISSING",
        /// An argument of an `@external` field has a different type in the providing subgraph.
        ExternalArgumentTypeMismatch = "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
        /// An argument of an `@external` field has a different default in the providing subgraph.
        ExternalArgumentDefaultMismatch = "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
        /// A type has different kinds in different subgraphs.
        TypeKindMismatch = "TYPE_KIND_MISMATCH",
        /// The types of a field cannot be merged.
        FieldTypeMismatch = "FIELD_TYPE_MISMATCH",
        /// The types of an argument cannot be merged.
        FieldArgumentTypeMismatch = "FIELD_ARGUMENT_TYPE_MISMATCH",
        /// An argument has different defaults.
        FieldArgumentDefaultMismatch = "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        /// A field of an input type has different defaults.
        InputFieldDefaultMismatch = "INPUT_FIELD_DEFAULT_MISMATCH",
        /// An argument is required in one subgraph and missing in another.
        RequiredArgumentMissingInSomeSubgraph = "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
        /// A field of an input type is required in one subgraph and missing in another.
        RequiredInputFieldMissingInSomeSubgraph = "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
        /// The subgraphs have no field of an input type in common.
        EmptyMergedInputType = "EMPTY_MERGED_INPUT_TYPE",
        /// An enum that is used as input and output has different values.
        EnumValueMismatch = "ENUM_VALUE_MISMATCH",
        /// The subgraphs have no value of an enum in common.
        EmptyMergedEnumType = "EMPTY_MERGED_ENUM_TYPE",
        /// Several subgraphs provide a field, but not all of them mark it `@shareable`.
        InvalidFieldSharing = "INVALID_FIELD_SHARING",
        /// `@shareable` is on a field of an interface.
        InvalidShareableUsage = "INVALID_SHAREABLE_USAGE",
        /// `@override` names its own subgraph.
        OverrideFromSelfError = "OVERRIDE_FROM_SELF_ERROR",
        /// `@override` is on a field of an interface.
        OverrideOnInterface = "OVERRIDE_ON_INTERFACE",
        /// `@override` is combined with a directive that conflicts with it.
        OverrideCollisionWithAnotherDirective = "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
        /// A field is overridden from a subgraph that overrides it too.
        OverrideSourceHasOverride = "OVERRIDE_SOURCE_HAS_OVERRIDE",
        /// The `label` of an `@override` is not valid.
        OverrideLabelInvalid = "OVERRIDE_LABEL_INVALID",
        /// Not every subgraph defines an executable directive.
        InconsistentExecutableDirectivePresence = "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
        /// The definitions of an executable directive have no common location.
        NoExecutableDirectiveLocationsIntersection = "NO_EXECUTABLE_DIRECTIVE_LOCATIONS_INTERSECTION",
        /// `@interfaceObject` is used incorrectly.
        InterfaceObjectUsageError = "INTERFACE_OBJECT_USAGE_ERROR",
        /// An object lacks the `@key` of an interface that it implements.
        InterfaceKeyNotOnImplementation = "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
        /// A subgraph has an interface with a `@key`, but not all of its object types.
        InterfaceKeyMissingImplementationType = "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
        /// An object lacks a field of an interface that it implements.
        InterfaceFieldNoImplem = "INTERFACE_FIELD_NO_IMPLEM",
        /// An accessible field or argument has an inaccessible type.
        ReferencedInaccessible = "REFERENCED_INACCESSIBLE",
        /// A required argument or input field is inaccessible.
        RequiredInaccessible = "REQUIRED_INACCESSIBLE",
        /// An inaccessible field implements an accessible one.
        ImplementedByInaccessible = "IMPLEMENTED_BY_INACCESSIBLE",
        /// An accessible type has inaccessible parts only.
        OnlyInaccessibleChildren = "ONLY_INACCESSIBLE_CHILDREN",
        /// An accessible default uses an inaccessible value.
        DefaultValueUsesInaccessible = "DEFAULT_VALUE_USES_INACCESSIBLE",
        /// `@composeDirective` names a directive that cannot be composed.
        DirectiveCompositionError = "DIRECTIVE_COMPOSITION_ERROR",
        /// Every subgraph extends a type, and none defines it.
        ExtensionWithNoBase = "EXTENSION_WITH_NO_BASE",
        /// A field cannot be reached from a position where clients can select it.
        SatisfiabilityError = "SATISFIABILITY_ERROR",
        /// Weir does not enforce an access control directive yet.
        AccessNotChecked = "ACCESS_NOT_CHECKED",
        /// A directive that is merged into the graph is on an `@external` field.
        MergedDirectiveApplicationOnExternal = "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
    }
    Connectors {
        /// A required argument of a connector directive is missing or mistyped.
        GraphqlError = "GRAPHQL_ERROR",
        /// The `@link` names an unknown version of the connect specification.
        UnknownConnectorsVersion = "UNKNOWN_CONNECTORS_VERSION",
        /// `source` names no `@source` of the subgraph.
        SourceNameMismatch = "SOURCE_NAME_MISMATCH",
        /// A connector has a `source`, but the subgraph has no `@source`.
        NoSourcesDefined = "NO_SOURCES_DEFINED",
        /// Two `@source` share a name.
        DuplicateSourceName = "DUPLICATE_SOURCE_NAME",
        /// A `@source` name has invalid characters.
        InvalidSourceName = "INVALID_SOURCE_NAME",
        /// A `@source` name is empty.
        EmptySourceName = "EMPTY_SOURCE_NAME",
        /// `@source` is used, but the link does not import it.
        NoSourceImport = "NO_SOURCE_IMPORT",
        /// A connector has no `http`, so it makes no request.
        HttpOmittedRequiresV0_4 = "HTTP_OMITTED_REQUIRES_V0_4",
        /// The selection of a connector without `http` reads a response.
        RequestlessSelectionUsesRequestData = "REQUESTLESS_SELECTION_USES_REQUEST_DATA",
        /// `http` names no method.
        MissingHttpMethod = "MISSING_HTTP_METHOD",
        /// `http` names more than one method.
        MultipleHttpMethods = "MULTIPLE_HTTP_METHODS",
        /// A URL, or an expression in one, is not valid.
        InvalidUrl = "INVALID_URL",
        /// The scheme of a URL is neither `http` nor `https`.
        InvalidUrlScheme = "INVALID_URL_SCHEME",
        /// A connector with a source has an absolute URL.
        AbsoluteConnectUrlWithSource = "ABSOLUTE_CONNECT_URL_WITH_SOURCE",
        /// A connector without a source has a relative URL.
        RelativeConnectUrlWithoutSource = "RELATIVE_CONNECT_URL_WITHOUT_SOURCE",
        /// `path` or `queryParams` is not valid.
        InvalidUrlProperty = "INVALID_URL_PROPERTY",
        /// A header is not valid.
        InvalidHeader = "INVALID_HEADER",
        /// One list has a header twice.
        HttpHeaderNameCollision = "HTTP_HEADER_NAME_COLLISION",
        /// `body` is not valid.
        InvalidBody = "INVALID_BODY",
        /// `selection` is not valid.
        InvalidSelection = "INVALID_SELECTION",
        /// `errors.message` or `errors.extensions` is not valid.
        InvalidErrorsMessage = "INVALID_ERRORS_MESSAGE",
        /// `isSuccess` is not valid.
        InvalidIsSuccess = "INVALID_IS_SUCCESS",
        /// `@connect` is on a root type.
        ConnectOnRoot = "CONNECT_ON_ROOT",
        /// A subgraph with connectors has a subscription type.
        SubscriptionInConnectors = "SUBSCRIPTION_IN_CONNECTORS",
        /// Two connectors share an `id`.
        DuplicateIdName = "DUPLICATE_ID_NAME",
        /// A connector `id` is not a GraphQL name.
        InvalidConnectorIdName = "INVALID_CONNECTOR_ID_NAME",
        /// The selection produces a field that the type does not have.
        SelectedFieldNotFound = "SELECTED_FIELD_NOT_FOUND",
        /// An object is selected without its fields.
        GroupSelectionRequiredForObject = "GROUP_SELECTION_REQUIRED_FOR_OBJECT",
        /// A selection has braces on a leaf field.
        GroupSelectionIsNotObject = "GROUP_SELECTION_IS_NOT_OBJECT",
        /// A field in a selection has arguments.
        ConnectorsFieldWithArguments = "CONNECTORS_FIELD_WITH_ARGUMENTS",
        /// A connector returns an object type inside itself.
        CircularReference = "CIRCULAR_REFERENCE",
        /// `$args` is followed by a name that is not an argument.
        UndefinedArgument = "UNDEFINED_ARGUMENT",
        /// No connector of a field uses one of its arguments.
        ArgumentUnused = "ARGUMENT_UNUSED",
        /// `$this` or `$batch` is followed by a name that is not a field.
        UndefinedField = "UNDEFINED_FIELD",
        /// A connector reads a field of a variable that is a union.
        UnsupportedVariableType = "UNSUPPORTED_VARIABLE_TYPE",
        /// No connector provides a field of a subgraph with connectors.
        ConnectorsUnresolvedField = "CONNECTORS_UNRESOLVED_FIELD",
        /// A connector returns an interface or a union.
        ConnectorsUnsupportedAbstractType = "CONNECTORS_UNSUPPORTED_ABSTRACT_TYPE",
        /// Connectors do not support a federation directive.
        ConnectorsUnsupportedFederationDirective = "CONNECTORS_UNSUPPORTED_FEDERATION_DIRECTIVE",
        /// `@override` is on a field that a connector provides.
        OverrideOnConnector = "OVERRIDE_ON_CONNECTOR",
        /// `entity: true` is outside of the query root.
        EntityNotOnRootQuery = "ENTITY_NOT_ON_ROOT_QUERY",
        /// `entity: true` is on a field that cannot return one entity.
        EntityTypeInvalid = "ENTITY_TYPE_INVALID",
        /// An argument of an entity field is not a field of the entity.
        EntityResolverArgumentMismatch = "ENTITY_RESOLVER_ARGUMENT_MISMATCH",
        /// No connector fetches entities by a resolvable `@key`.
        MissingEntityConnector = "MISSING_ENTITY_CONNECTOR",
        /// `entity: false` is on a connector of a type.
        ConnectOnTypeMustBeEntity = "CONNECT_ON_TYPE_MUST_BE_ENTITY",
        /// A connector uses both `$batch` and `$this`.
        ConnectBatchAndThis = "CONNECT_BATCH_AND_THIS",
        /// The inputs of a connector are not a key of its type.
        ConnectorsCannotResolveKey = "CONNECTORS_CANNOT_RESOLVE_KEY",
        /// A batch connector does not select the key that matches objects to entities.
        ConnectorsBatchKeyNotInSelection = "CONNECTORS_BATCH_KEY_NOT_IN_SELECTION",
        /// The key of a batch connector does not come from the response.
        ConnectorsNonRootBatchKey = "CONNECTORS_NON_ROOT_BATCH_KEY",
    }
    Caching {
        /// The arguments of a `@cacheControl` are not valid.
        CacheControlInvalid = "CACHE_CONTROL_INVALID",
        /// The format of a tag does not parse, or has an undefined name.
        CacheTagInvalidFormat = "CACHE_TAG_INVALID_FORMAT",
        /// `@cacheTag` is on a field that is not one of `Query`.
        CacheTagNotOnRootField = "CACHE_TAG_NOT_ON_ROOT_FIELD",
        /// A tag of a field uses a variable other than `$args`.
        CacheTagInvalidFormatArgumentOnRootField = "CACHE_TAG_INVALID_FORMAT_ARGUMENT_ON_ROOT_FIELD",
        /// A tag of an entity uses a variable other than `$key`.
        CacheTagInvalidFormatArgumentOnEntity = "CACHE_TAG_INVALID_FORMAT_ARGUMENT_ON_ENTITY",
        /// `@cacheTag` is on a type without a resolvable key.
        CacheTagEntityNotResolvable = "CACHE_TAG_ENTITY_NOT_RESOLVABLE",
        /// A tag of an entity uses a field that is not in every key of it.
        CacheTagInvalidFormatFieldSetOnEntity = "CACHE_TAG_INVALID_FORMAT_FIELD_SET_ON_ENTITY",
        /// A tag uses an argument that may be null.
        CacheTagFormatNullableArgument = "CACHE_TAG_FORMAT_NULLABLE_ARGUMENT",
        /// A tag uses a field that may be null.
        CacheTagFormatNullableField = "CACHE_TAG_FORMAT_NULLABLE_FIELD",
        /// An invalidation directive is on a field that is not one of `Mutation`.
        CacheInvalidateNotOnMutation = "CACHE_INVALIDATE_NOT_ON_MUTATION",
        /// `@openfed__cacheInvalidate` is on a mutation that returns no entity.
        CacheInvalidateNoEntity = "CACHE_INVALIDATE_NO_ENTITY",
        /// `@cacheInvalidate` has no tags and types, or one that is not a string.
        CacheInvalidateInvalid = "CACHE_INVALIDATE_INVALID",
        /// `@cacheInvalidate` names an undefined type.
        CacheInvalidateUnknownType = "CACHE_INVALIDATE_UNKNOWN_TYPE",
        /// A cache directive, or an argument of one, has no effect in Weir.
        CacheDirectiveNotUsed = "CACHE_DIRECTIVE_NOT_USED",
    }
    Configuration {
        /// The configuration is not YAML, or a value has the wrong type.
        ConfigSyntax = "CONFIG_SYNTAX",
        /// The configuration has an undefined key.
        ConfigUnknownKey = "CONFIG_UNKNOWN_KEY",
        /// A key of the configuration is renamed.
        ConfigOldSpelling = "CONFIG_OLD_SPELLING",
        /// A value of the configuration is not valid.
        ConfigInvalidValue = "CONFIG_INVALID_VALUE",
        /// `${NAME}` or `$env.NAME` names a variable that is not set and has no default.
        ConfigUnsetVariable = "CONFIG_UNSET_VARIABLE",
        /// A connector reads a value of `$config` that is not configured.
        ConfigValueMissing = "CONFIG_VALUE_MISSING",
    }
    CommandLine {
        /// A file in the command line or the configuration cannot be read.
        FileUnreadable = "FILE_UNREADABLE",
        /// An operation in the command line is not valid.
        InvalidOperation = "INVALID_OPERATION",
    }
}
