//! The `http` argument: method, headers and body. For the URL see `url`.

use std::sync::Arc;

use super::args::Args;
use super::site::{DirectiveArgument, Site, SiteDirective};
use super::{ConnectLocation, Located, Reader, unbraced, url};
use crate::connector::{Header, HeaderValue, Method};
use crate::diagnostic::{Code, Diagnostic};
use crate::mapping::{Mapping, Version};
use crate::sdl::literal::Literal;
use crate::template::Template;

/// The `http` argument of a `@connect`, whose texts are all valid.
pub(super) struct Http {
    pub(super) method: Method,
    pub(super) url: Located<Template>,
    pub(super) path: Option<Located<Mapping>>,
    pub(super) query: Option<Located<Mapping>>,
    pub(super) headers: Vec<LocatedHeader>,
    pub(super) body: Option<Located<Mapping>>,
}

/// A header, with the literal of its value where that is a template.
#[derive(Clone, Debug)]
pub(super) struct LocatedHeader {
    pub(super) header: Arc<Header>,
    pub(super) literal: Option<Arc<Literal>>,
}

/// Reads the `http` argument of a `@connect`; `None` when a problem was reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    args: &Args<'_>,
    location: ConnectLocation<'_>,
) -> Option<Http> {
    let Some(http) = args.object("http") else {
        report_requestless(reader, args);
        return None;
    };
    let directive = SiteDirective::Connect(location);
    let url = url::read(reader, &http, directive, args.get("source").is_some());
    let headers = headers(reader, &http, directive);
    let path = http.mapping(
        reader,
        "path",
        Site::new(directive, DirectiveArgument::Path),
    );
    let query = http.mapping(
        reader,
        "queryParams",
        Site::new(directive, DirectiveArgument::QueryParams),
    );
    let body_argument = if sends_form(reader, args, &headers) {
        DirectiveArgument::FormBody
    } else {
        DirectiveArgument::Body
    };
    let body = http.mapping(reader, "body", Site::new(directive, body_argument));
    let (method, url) = url?;
    Some(Http {
        method,
        url,
        path: path.ok()?,
        query: query.ok()?,
        headers,
        body: body.ok()?,
    })
}

/// Whether the connector or its source has a constant `content-type` of forms.
fn sends_form(reader: &Reader<'_>, args: &Args<'_>, own: &[LocatedHeader]) -> bool {
    let source = args.text("source");
    let source = source.and_then(|name| reader.sources.get(&name.value)?.clone());
    let inherited = source.iter().flat_map(|source| &source.headers);
    let mut headers = own.iter().chain(inherited);
    let content_type = headers.find(|it| &*it.header.name == "content-type");
    let Some(HeaderValue::Template(template)) = content_type.map(|it| &it.header.value) else {
        return false;
    };
    let media_type = template.text().split(';').next().unwrap_or_default();
    media_type
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn report_requestless(reader: &mut Reader<'_>, args: &Args<'_>) {
    let message = if reader.link.version < Version::V0_4 {
        "a connector needs `http` before v0.4"
    } else {
        "connectors without `http` are not supported yet"
    };
    let problem = Diagnostic::error(Code::HttpOmittedRequiresV0_4, args.span(), message);
    reader.problems.push(problem.help(Some(
        "add `http` with a method and a URL, as in `http: { GET: \"/users\" }`".to_owned(),
    )));
}

/// Reads `headers`; invalid headers are reported and left out.
pub(super) fn headers(
    reader: &mut Reader<'_>,
    http: &Args<'_>,
    directive: SiteDirective<'_>,
) -> Vec<LocatedHeader> {
    let mut headers: Vec<LocatedHeader> = Vec::new();
    for entry in http.objects("headers") {
        let Some(header) = header(reader, &entry, directive) else {
            continue;
        };
        if headers
            .iter()
            .any(|known| known.header.name == header.header.name)
        {
            reader.problems.push(Diagnostic::error(
                Code::HttpHeaderNameCollision,
                entry.span_of("name"),
                format!("the header `{}` is set twice", header.header.name),
            ));
            continue;
        }
        headers.push(header);
    }
    headers
}

fn header(
    reader: &mut Reader<'_>,
    entry: &Args<'_>,
    directive: SiteDirective<'_>,
) -> Option<LocatedHeader> {
    let original = entry.text("name")?.value;
    let name = original.to_ascii_lowercase();
    let mut refuse = |member: &str, message: String| {
        let span = entry.span_of(member);
        let problem = Diagnostic::error(Code::InvalidHeader, span, message);
        reader.problems.push(problem);
        None
    };
    if !is_header_name(&name) {
        return refuse("name", format!("`{original}` is not a header name"));
    }
    if FORBIDDEN_HEADERS.contains(&name.as_str()) {
        return refuse(
            "name",
            format!("`{original}` is controlled by the HTTP connection"),
        );
    }
    let from = entry.text("from");
    match (from, entry.get("value")) {
        (Some(_), Some(_)) => refuse(
            "from",
            "a header must have either `from` or `value`, not both".to_owned(),
        ),
        (None, None) => refuse("name", format!("`{original}` needs `from` or `value`")),
        (Some(from), None) => {
            if VALUE_ONLY_HEADERS.contains(&name.as_str()) {
                return refuse("from", format!("`{original}` can only be set by `value`"));
            }
            if !is_header_name(&from.value) {
                return refuse("from", format!("`{}` is not a header name", from.value));
            }
            if !unbraced::variables(&from.value).is_empty() {
                let message = format!("`{}` is not a header of the client's request", from.value);
                let help = format!("write `value: \"{{{}}}\"` instead of `from`", from.value);
                let span = entry.span_of("from");
                let problem = Diagnostic::warning(Code::InvalidHeader, span, message);
                reader.problems.push(problem.help(help));
            }
            let from = from.value.to_ascii_lowercase();
            Some(LocatedHeader {
                header: Arc::new(Header {
                    name: name.into(),
                    value: HeaderValue::FromRequest(from.into()),
                }),
                literal: None,
            })
        }
        (None, Some(_)) => {
            let site = Site::new(directive, header_argument(&name));
            let template = entry.template(reader, "value", site).ok()??;
            Some(LocatedHeader {
                literal: Some(Arc::clone(&template.literal)),
                header: Arc::new(Header {
                    name: name.into(),
                    value: HeaderValue::Template(template.value),
                }),
            })
        }
    }
}

/// The argument that sets a header: `host` may use fewer variables than others.
fn header_argument(name: &str) -> DirectiveArgument {
    match name {
        "host" => DirectiveArgument::HostHeader,
        _ => DirectiveArgument::Header,
    }
}

/// Whether the text is a token (RFC 9110 §5.6.2).
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Headers that belong to one connection (RFC 9110 §7.6.1), or describe the body that the gateway
/// encodes.
const FORBIDDEN_HEADERS: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "accept-encoding",
];

/// Headers that must not be forwarded from the client's request.
const VALUE_ONLY_HEADERS: [&str; 3] = ["content-type", "accept", "host"];
