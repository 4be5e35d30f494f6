//! How one field or entity is fetched over HTTP, checked and ready to use.

use std::sync::Arc;

use crate::key::FieldSet;
use crate::mapping::{Mapping, VariableUse};
use crate::template::Template;
use crate::template::url::{UrlPart, UrlTemplate};
use crate::types::Name;

/// One `@connect`, with what it takes from its `@source`.
#[derive(Debug)]
pub struct Connector {
    /// `id`: what its author calls it; unique in its subgraph.
    pub id: Option<Name>,
    /// Subgraph and source, `shop.orders`: the name in the configuration; `None` without a source.
    pub source: Option<Name>,
    /// The request's method.
    pub method: Method,
    /// Where the source is; `None` without a source.
    pub source_url: Option<ConnectorUrl>,
    /// What the connector adds: relative with a source, absolute without.
    pub connect_url: ConnectorUrl,
    /// The source's headers that the connector does not replace, then its own.
    pub headers: Vec<Arc<Header>>,
    /// The request's body.
    pub body: Option<Arc<Mapping>>,
    /// What becomes of the answer.
    pub selection: Arc<Mapping>,
    /// Whether an answer is a success; without it the status decides.
    pub is_success: Option<Arc<Mapping>>,
    /// `message` of the error when it is not.
    pub error_message: Option<Arc<Mapping>>,
    /// `extensions` of that error: the source's, then the connector's, which wins.
    pub error_extensions: Vec<Arc<Mapping>>,
    /// What the result is.
    pub output: ConnectorOutput,
}

/// A URL and what mappings add to it.
#[derive(Clone, Debug)]
pub struct ConnectorUrl {
    /// `baseURL`, or what follows the method.
    pub url: Arc<Template>,
    /// `path`.
    pub path: Option<Arc<Mapping>>,
    /// `queryParams`.
    pub query: Option<Arc<Mapping>>,
}

impl ConnectorUrl {
    fn url_part<'a>(&'a self, url: Option<&'a Template>) -> UrlPart<'a> {
        UrlPart {
            url: url.unwrap_or(&self.url),
            path: self.path.as_deref(),
            query: self.query.as_deref(),
        }
    }
}

impl Connector {
    /// What the URL of a request is made of; `base` stands in for the source's `baseURL`.
    pub fn url_template<'a>(&'a self, base_url: Option<&'a Template>) -> UrlTemplate<'a> {
        UrlTemplate {
            source: self
                .source_url
                .as_ref()
                .map(|location| location.url_part(base_url)),
            connect: self.connect_url.url_part(None),
        }
    }
}

/// A part of a call, which sees variables of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The request is made.
    Request,
    /// The answer is judged and mapped.
    Response,
}

impl Connector {
    /// Every use of a variable in a phase.
    pub fn variable_uses(&self, phase: Phase) -> Vec<VariableUse> {
        let mut uses = Vec::new();
        if phase == Phase::Request {
            for location in self.source_url.iter().chain([&self.connect_url]) {
                uses.extend(location.url.variables());
            }
            for header in &self.headers {
                if let HeaderValue::Template(template) = &header.value {
                    uses.extend(template.variables());
                }
            }
        }
        let mappings = self.mappings(phase);
        uses.extend(mappings.into_iter().flat_map(Mapping::variables));
        uses
    }

    fn mappings(&self, phase: Phase) -> Vec<&Mapping> {
        match phase {
            Phase::Request => {
                let locations = self.source_url.iter().chain([&self.connect_url]);
                let of_locations = locations.flat_map(|it| it.path.iter().chain(&it.query));
                of_locations.chain(&self.body).map(AsRef::as_ref).collect()
            }
            Phase::Response => [&self.selection]
                .into_iter()
                .chain(&self.is_success)
                .chain(&self.error_message)
                .chain(&self.error_extensions)
                .map(AsRef::as_ref)
                .collect(),
        }
    }
}

/// What the result of a connector's selection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectorOutput {
    /// The value of this field of the object it stands on.
    Field(Name),
    /// The object itself.
    Object,
    /// A list of objects, each known by this key.
    Batch {
        /// What tells which answer belongs to which object.
        key: FieldSet,
        /// How many objects one request may name.
        max_size: Option<usize>,
    },
}

/// Methods that connectors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "RFC 9110 §9 and RFC 5789 say what they are")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// Every method with the name it has in a directive.
    pub const ALL: [(&'static str, Self); 5] = [
        ("GET", Self::Get),
        ("POST", Self::Post),
        ("PUT", Self::Put),
        ("PATCH", Self::Patch),
        ("DELETE", Self::Delete),
    ];

    /// As a request line writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A header of the request.
#[derive(Debug)]
pub struct Header {
    /// In lower case.
    pub name: Name,
    /// Where its value comes from.
    pub value: HeaderValue,
}

/// Where a header's value comes from.
#[derive(Debug)]
pub enum HeaderValue {
    /// Every value of this header of the client's request, in lower case.
    FromRequest(Name),
    /// Rendered.
    Template(Arc<Template>),
}
