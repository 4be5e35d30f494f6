//! Connectors: how one field or entity is fetched over HTTP, checked and ready to use.

use std::sync::Arc;

use crate::key::FieldSet;
use crate::mapping::{Mapping, VariableUse};
use crate::span::Span;
use crate::template::Template;
use crate::template::url::{UrlPart, UrlTemplate};
use crate::types::Name;

/// One `@connect` merged with its `@source`.
#[derive(Debug)]
pub struct Connector {
    /// The `id` argument; unique in its subgraph.
    pub id: Option<Name>,
    /// Subgraph and source, `shop.orders`: the name in the configuration; `None` without a source.
    pub source: Option<Name>,
    /// The HTTP method.
    pub method: Method,
    /// The URL of the source; `None` without a source.
    pub source_url: Option<ConnectorUrl>,
    /// The connector's own URL: relative with a source, absolute without.
    pub connect_url: ConnectorUrl,
    /// The source's headers that the connector does not replace, then its own.
    pub headers: Vec<Arc<Header>>,
    /// The request body.
    pub body: Option<Arc<Mapping>>,
    /// The mapping of the response to the output.
    pub selection: Arc<Mapping>,
    /// Whether a response is a success; without it the status code decides.
    pub is_success: Option<Arc<Mapping>>,
    /// `message` of the error for an unsuccessful response.
    pub error_message: Option<Arc<Mapping>>,
    /// `extensions` of that error: the source's, then the connector's, which take precedence.
    pub error_extensions: Vec<Arc<Mapping>>,
    /// The object or field that the selection produces.
    pub output: ConnectorOutput,
    /// The members of `$config` and `$env` that it cannot do without.
    pub required_settings: Vec<RequiredSetting>,
}

/// A value of the configuration or the environment that a connector reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredSetting {
    /// Where it comes from.
    pub origin: SettingOrigin,
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// The position of the last key.
    pub span: Span,
    /// Whether only the `baseURL` reads it, which the configuration can replace.
    pub is_in_base_url: bool,
}

/// The variable of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingOrigin {
    /// `$config`
    Configuration,
    /// `$env`
    Environment,
}

/// A URL with the mappings that extend its path and query.
#[derive(Clone, Debug)]
pub struct ConnectorUrl {
    /// `baseURL`, or the URL of the method argument (`GET: "…"`).
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
    /// The template of the request URL; `base_url` replaces the source's `baseURL`.
    pub fn url_template<'a>(&'a self, base_url: Option<&'a Template>) -> UrlTemplate<'a> {
        UrlTemplate {
            source: self.source_url.as_ref().map(|url| url.url_part(base_url)),
            connect: self.connect_url.url_part(None),
        }
    }
}

/// A phase of a connector call; each has variables of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Building the request.
    Request,
    /// Checking and mapping the response.
    Response,
}

impl Connector {
    /// Every use of a variable in a phase.
    pub fn variable_uses(&self, phase: Phase) -> Vec<VariableUse> {
        let mut uses = Vec::new();
        if phase == Phase::Request {
            for url in self.source_url.iter().chain([&self.connect_url]) {
                uses.extend(url.url.variables());
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
                let urls = self.source_url.iter().chain([&self.connect_url]);
                let mappings = urls.flat_map(|url| url.path.iter().chain(&url.query));
                mappings.chain(&self.body).map(AsRef::as_ref).collect()
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

/// The value that a connector's selection produces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectorOutput {
    /// The value of this field of the parent object.
    Field(Name),
    /// The entity itself.
    Object,
    /// A list of entities, matched to representations by key.
    Batch {
        /// The fields that match a returned entity to its representation.
        key: FieldSet,
        /// Maximum number of entities in one request.
        max_size: Option<usize>,
    },
}

/// The HTTP methods of connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "RFC 9110 §9 and RFC 5789 define them")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// Every method with its name in `@connect(http:)`.
    pub const ALL: [(&'static str, Self); 5] = [
        ("GET", Self::Get),
        ("POST", Self::Post),
        ("PUT", Self::Put),
        ("PATCH", Self::Patch),
        ("DELETE", Self::Delete),
    ];

    /// The name in a request line.
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
    /// The name in lower case.
    pub name: Name,
    /// The source of its value.
    pub value: HeaderValue,
}

/// The source of a header's value.
#[derive(Debug)]
pub enum HeaderValue {
    /// All values of this header of the client's request; the name in lower case.
    FromRequest(Name),
    /// A template, rendered for each request.
    Template(Arc<Template>),
}
