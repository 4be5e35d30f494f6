//! Where in a directive a text stands: which variables it may use, and what it must give.
//!
//! One table for the whole dialect. A text is judged when it is read, so that a mistake in one
//! does not hide those in others.

use super::form::value::{Form, Kinds};
use super::{Place, Reader};
use crate::diagnostic::Code;
use crate::link::connect::uses::is_root;

/// A place for a mapping or template.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) part: Part,
    pub(super) on: On<'a>,
}

/// Which directive, and where it stands.
#[derive(Clone, Copy)]
pub(super) enum On<'a> {
    Source,
    Connect(Place<'a>),
}

/// Which argument, or member of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    BaseUrl,
    Url,
    Header,
    Path,
    QueryParams,
    Body,
    Selection,
    /// The selection of a connector that makes no request.
    Requestless,
    Message,
    Extensions,
    IsSuccess,
}

/// Every variable of the dialect.
pub(super) const VARIABLES: [&str; 9] = [
    "args", "this", "batch", "config", "context", "env", "request", "response", "status",
];

impl<'a> Site<'a> {
    pub(super) fn new(on: On<'a>, part: Part) -> Self {
        Self { part, on }
    }

    /// The variables there are, in the order of the documentation.
    pub(super) fn variables(self, reader: &Reader<'_>) -> Vec<&'static str> {
        if self.part == Part::BaseUrl {
            return vec!["config", "env"];
        }
        let of_place: &[&str] = match self.on {
            On::Source => &[],
            On::Connect(Place::Type(_)) if self.part.is_selection() => &["this"],
            On::Connect(Place::Type(_)) => &["this", "batch"],
            On::Connect(Place::Field(owner, _)) if is_root(reader.types, &owner.name) => &["args"],
            On::Connect(Place::Field(..)) => &["args", "this"],
        };
        let of_answer: &[&str] = if self.part.sees_answer() {
            &["response", "status"]
        } else {
            &[]
        };
        let always = ["config", "context", "env", "request"];
        of_place
            .iter()
            .chain(&always)
            .chain(of_answer)
            .copied()
            .collect()
    }

    /// Why `name`, which is a variable elsewhere, is none here.
    pub(super) fn reason(self, name: &str) -> String {
        match (name, self.on) {
            ("status" | "response", _) if !self.part.sees_answer() => {
                format!("`${name}` is known only when the service has answered")
            }
            ("batch", On::Connect(Place::Type(_))) => {
                "`$batch` is what is asked for, and the selection sees what was answered".to_owned()
            }
            ("batch", On::Connect(Place::Field(..))) => {
                "`$batch` is there for connectors on types only".to_owned()
            }
            ("args", On::Connect(Place::Type(_))) => {
                "a connector on a type has no arguments".to_owned()
            }
            ("this", On::Connect(Place::Field(..))) => "a root field has no `$this`".to_owned(),
            (_, On::Source) => format!("{} has no `${name}`", self.part.of_source()),
            (_, On::Connect(_)) => format!("`${name}` is not available here"),
        }
    }
}

impl Part {
    /// The code of everything wrong with a text here.
    pub(super) fn code(self) -> Code {
        match self {
            Self::BaseUrl | Self::Url => Code::InvalidUrl,
            Self::Header => Code::InvalidHeader,
            Self::Path | Self::QueryParams => Code::InvalidUrlProperty,
            Self::Body => Code::InvalidBody,
            Self::Selection => Code::InvalidSelection,
            Self::Requestless => Code::RequestlessSelectionUsesRequestData,
            Self::Message | Self::Extensions => Code::InvalidErrorsMessage,
            Self::IsSuccess => Code::InvalidIsSuccess,
        }
    }

    fn is_selection(self) -> bool {
        matches!(self, Self::Selection | Self::Requestless)
    }

    /// Whether it is evaluated once the service has answered.
    pub(super) fn sees_answer(self) -> bool {
        match self {
            Self::Selection | Self::Message | Self::Extensions | Self::IsSuccess => true,
            Self::BaseUrl
            | Self::Url
            | Self::Header
            | Self::Path
            | Self::QueryParams
            | Self::Body
            | Self::Requestless => false,
        }
    }

    /// Whether it becomes text, where a value that is missing leaves a hole.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::BaseUrl | Self::Url | Self::Header)
    }

    /// What `$` and `@` are at the start.
    pub(super) fn input(self) -> Form {
        if self.sees_answer() {
            Form::ANY
        } else if self.is_text() {
            Form::empty(Kinds::NULL)
        } else {
            Form::empty(Kinds::OBJECT)
        }
    }

    /// Whether `form` can be of use here; otherwise what is needed.
    pub(super) fn refuses(self, form: Form) -> Option<&'static str> {
        let text = Kinds::SCALAR;
        let (fits, needed) = match self {
            Self::BaseUrl | Self::Url => (form.can_be(text), "a URL needs text"),
            Self::Header => (form.can_be(text), "a header needs text"),
            Self::Path => (
                form.can_be(Kinds::LIST) && form.elements().can_be(text),
                "`path` needs a list of texts or numbers",
            ),
            Self::QueryParams => (form.can_be(Kinds::OBJECT), "`queryParams` needs an object"),
            Self::Message => (
                form.can_be(Kinds::STRING),
                "`errors.message` needs a string",
            ),
            Self::Extensions => (
                form.can_be(Kinds::OBJECT),
                "`errors.extensions` needs an object",
            ),
            Self::IsSuccess => (form.can_be(Kinds::BOOL), "`isSuccess` needs true or false"),
            Self::Body | Self::Selection | Self::Requestless => (true, ""),
        };
        (!fits).then_some(needed)
    }

    fn of_source(self) -> &'static str {
        match self {
            Self::BaseUrl => "the `baseURL` of a source",
            Self::Header => "a header of a source",
            _ => "a source, which many connectors share,",
        }
    }
}
