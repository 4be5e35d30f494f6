//! The site of a text in a directive, with its variables and the type that it needs.
//!
//! One table for the whole dialect. Each text is checked when it is read, so that a mistake in one
//! does not hide those in others.

use super::inference::inferred_type::{InferredType, Kinds};
use super::{ConnectLocation, Reader};
use crate::diagnostic::Code;
use crate::link::connect::variable_uses::is_root;

/// The argument and directive that contain a mapping or template.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) argument: DirectiveArgument,
    pub(super) directive: SiteDirective<'a>,
}

/// The directive that contains a text.
#[derive(Clone, Copy)]
pub(super) enum SiteDirective<'a> {
    Source,
    Connect(ConnectLocation<'a>),
}

/// The argument, or member of an argument, that contains a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DirectiveArgument {
    BaseUrl,
    Url,
    Header,
    /// The value of the header `host`.
    HostHeader,
    Path,
    QueryParams,
    Body,
    /// The body of a connector that sends a form.
    FormBody,
    Selection,
    /// The selection of a connector that makes no request.
    Requestless,
    Message,
    Extensions,
    IsSuccess,
}

impl<'a> Site<'a> {
    pub(super) fn new(directive: SiteDirective<'a>, argument: DirectiveArgument) -> Self {
        Self {
            argument,
            directive,
        }
    }

    /// The available variables, in the order of the documentation.
    pub(super) fn variables(self, reader: &Reader<'_>) -> Vec<&'static str> {
        if matches!(
            self.argument,
            DirectiveArgument::BaseUrl | DirectiveArgument::HostHeader
        ) {
            return vec!["config", "env"];
        }
        let from_location: &[&str] = match self.directive {
            SiteDirective::Source => &[],
            SiteDirective::Connect(ConnectLocation::Type(_)) if self.argument.is_selection() => {
                &["this"]
            }
            SiteDirective::Connect(ConnectLocation::Type(_)) => &["this", "batch"],
            SiteDirective::Connect(ConnectLocation::Field(owner, _))
                if is_root(reader.types, &owner.name) =>
            {
                &["args"]
            }
            SiteDirective::Connect(ConnectLocation::Field(..)) => &["args", "this"],
        };
        let from_response: &[&str] = if self.argument.sees_response() {
            &["response", "status"]
        } else {
            &[]
        };
        let always = ["config", "context", "env", "request"];
        from_location
            .iter()
            .chain(&always)
            .chain(from_response)
            .copied()
            .collect()
    }

    /// The reason why the variable `name` is not available here.
    pub(super) fn reason(self, name: &str) -> String {
        match (name, self.directive) {
            _ if self.argument == DirectiveArgument::HostHeader => {
                format!("`host` selects the service, so it cannot depend on `${name}`")
            }
            ("status" | "response", _) if !self.argument.sees_response() => {
                format!("`${name}` is available only after the response")
            }
            ("batch", SiteDirective::Connect(ConnectLocation::Type(_))) => {
                "`$batch` holds the requested entities, and is not available in the selection"
                    .to_owned()
            }
            ("batch", SiteDirective::Connect(ConnectLocation::Field(..))) => {
                "`$batch` is available only for connectors on types".to_owned()
            }
            ("args", SiteDirective::Connect(ConnectLocation::Type(_))) => {
                "a connector on a type has no arguments".to_owned()
            }
            ("this", SiteDirective::Connect(ConnectLocation::Field(..))) => {
                "a root field has no `$this`".to_owned()
            }
            (_, SiteDirective::Source) => {
                format!("{} has no `${name}`", self.argument.source_description())
            }
            (_, SiteDirective::Connect(_)) => format!("`${name}` is not available here"),
        }
    }
}

impl DirectiveArgument {
    /// The code of problems with a text here.
    pub(super) fn code(self) -> Code {
        match self {
            Self::BaseUrl | Self::Url => Code::InvalidUrl,
            Self::Header | Self::HostHeader => Code::InvalidHeader,
            Self::Path | Self::QueryParams => Code::InvalidUrlProperty,
            Self::Body | Self::FormBody => Code::InvalidBody,
            Self::Selection => Code::InvalidSelection,
            Self::Requestless => Code::RequestlessSelectionUsesRequestData,
            Self::Message | Self::Extensions => Code::InvalidErrorsMessage,
            Self::IsSuccess => Code::InvalidIsSuccess,
        }
    }

    fn is_selection(self) -> bool {
        matches!(self, Self::Selection | Self::Requestless)
    }

    /// Whether the text is evaluated after the response.
    pub(super) fn sees_response(self) -> bool {
        match self {
            Self::Selection | Self::Message | Self::Extensions | Self::IsSuccess => true,
            Self::BaseUrl
            | Self::Url
            | Self::Header
            | Self::HostHeader
            | Self::Path
            | Self::QueryParams
            | Self::Body
            | Self::FormBody
            | Self::Requestless => false,
        }
    }

    /// Whether values become text, in which a missing value leaves a hole.
    pub(super) fn is_text(self) -> bool {
        matches!(
            self,
            Self::BaseUrl | Self::Url | Self::Header | Self::HostHeader
        )
    }

    /// Whether the parts of the value become text in a URL.
    pub(super) fn is_in_url(self) -> bool {
        matches!(self, Self::Path | Self::QueryParams)
    }

    /// The type of `$` and `@` at the start.
    pub(super) fn input(self) -> InferredType {
        if self.sees_response() {
            InferredType::ANY
        } else if self.is_text() {
            InferredType::empty(Kinds::NULL)
        } else {
            InferredType::empty(Kinds::OBJECT)
        }
    }

    /// The needed type, where `inferred` does not fit.
    pub(super) fn mismatch(self, inferred: InferredType) -> Option<&'static str> {
        let text = Kinds::SCALAR;
        let (fits, needed) = match self {
            Self::BaseUrl | Self::Url => (inferred.can_be(text), "a URL needs a scalar"),
            Self::Header | Self::HostHeader => (inferred.can_be(text), "a header needs a scalar"),
            Self::Path => (
                inferred.can_be(Kinds::LIST) && inferred.elements().can_be(text),
                "`path` needs a list of strings or numbers",
            ),
            Self::QueryParams => (
                inferred.can_be(Kinds::OBJECT),
                "`queryParams` needs an object",
            ),
            Self::FormBody => (inferred.can_be(Kinds::OBJECT), "a form needs an object"),
            Self::Message => (
                inferred.can_be(Kinds::STRING),
                "`errors.message` needs a string",
            ),
            Self::Extensions => (
                inferred.can_be(Kinds::OBJECT),
                "`errors.extensions` needs an object",
            ),
            Self::IsSuccess => (inferred.can_be(Kinds::BOOL), "`isSuccess` needs a boolean"),
            Self::Body | Self::Selection | Self::Requestless => (true, ""),
        };
        (!fits).then_some(needed)
    }

    /// The type of a member or element, where it does not fit into a URL.
    pub(super) fn part_mismatch(self, inferred: InferredType) -> Option<String> {
        let is_scalar = |inferred: InferredType| inferred.can_be(Kinds::SCALAR);
        match self {
            Self::QueryParams if inferred.is_list() && !is_scalar(inferred.elements()) => {
                let elements = inferred.elements().description();
                Some(format!("a list whose elements are each {elements}"))
            }
            Self::QueryParams if inferred.can_be(Kinds::LIST) => None,
            Self::QueryParams | Self::Path if !is_scalar(inferred) => Some(inferred.description()),
            _ => None,
        }
    }

    fn source_description(self) -> &'static str {
        match self {
            Self::BaseUrl => "the `baseURL` of a source",
            Self::Header => "a header of a source",
            _ => "a source, which connectors share,",
        }
    }
}
