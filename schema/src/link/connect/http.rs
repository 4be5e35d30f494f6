//! The `http` argument: method, URL, headers, body.

use std::sync::Arc;

use super::args::Args;
use super::sources::SourceDirective;
use super::{Placed, Reader};
use crate::connector::{Header, HeaderValue, Method};
use crate::diagnostic::{Code, Diagnostic};
use crate::mapping::Mapping;
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::template::Template;

/// `http` of a `@connect` whose texts all parsed.
pub(super) struct Http {
    pub(super) method: Method,
    pub(super) url: Placed<Template>,
    pub(super) path: Option<Placed<Mapping>>,
    pub(super) query: Option<Placed<Mapping>>,
    pub(super) headers: Vec<PlacedHeader>,
    pub(super) body: Option<Placed<Mapping>>,
}

/// A header; the literal is there when its value is a template.
#[derive(Clone, Debug)]
pub(super) struct PlacedHeader {
    pub(super) it: Arc<Header>,
    pub(super) literal: Option<Arc<Literal>>,
}

/// Reads `http` of a `@connect`; `None` when something in it was reported.
pub(super) fn connect(
    reader: &mut Reader<'_>,
    args: &Args<'_>,
    source: Option<&Arc<SourceDirective>>,
) -> Option<Http> {
    let Some(http) = args.object("http") else {
        reader.problems.push(Diagnostic::error(
            Code::GraphqlError,
            args.span(),
            "a connector needs `http`",
        ));
        return None;
    };
    let url = url(reader, &http, source.is_some());
    let headers = headers(reader, &http);
    let path = http.mapping(reader, "path", Code::InvalidUrlProperty);
    let query = http.mapping(reader, "queryParams", Code::InvalidUrlProperty);
    let body = http.mapping(reader, "body", Code::InvalidBody);
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

fn url(
    reader: &mut Reader<'_>,
    http: &Args<'_>,
    has_source: bool,
) -> Option<(Method, Placed<Template>)> {
    let written: Vec<_> = Method::ALL
        .into_iter()
        .filter(|(name, _)| http.get(name).is_some())
        .collect();
    let (name, method) = match written.as_slice() {
        [one] => *one,
        [] => {
            let problem = Diagnostic::error(
                Code::MissingHttpMethod,
                http.span(),
                "`http` names no method",
            )
            .help(Some(
                "add one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE` with the URL".to_owned(),
            ));
            reader.problems.push(problem);
            return None;
        }
        [(first, _), (second, _), ..] => {
            let problem = Diagnostic::error(
                Code::MultipleHttpMethods,
                http.span_of(second),
                "a connector makes one request with one method",
            )
            .label(http.span_of(first), "the other method")
            .help(Some("keep one of them".to_owned()));
            reader.problems.push(problem);
            return None;
        }
    };
    let url = http.template(reader, name, Code::InvalidUrl).ok()??;
    check_url(reader, &url.literal, http.span_of(name), has_source);
    Some((method, url))
}

fn check_url(reader: &mut Reader<'_>, literal: &Literal, span: Span, has_source: bool) {
    let absolute = literal.value.contains("://");
    match (absolute, has_source) {
        (true, true) => reader.problems.push(
            Diagnostic::error(
                Code::AbsoluteConnectUrlWithSource,
                span,
                "the URL of a connector with a `source` starts at the source's `baseURL`",
            )
            .help(Some(
                "leave out scheme and host, or leave out `source`".to_owned(),
            )),
        ),
        (false, false) => reader.problems.push(
            Diagnostic::error(
                Code::RelativeConnectUrlWithoutSource,
                span,
                "a connector without a `source` needs an absolute URL",
            )
            .help(Some("name a `source`, or write scheme and host".to_owned())),
        ),
        (true, false) => check_absolute(reader, literal, span),
        (false, true) => {}
    }
}

/// A URL that begins with scheme and host, both beyond the reach of expressions.
pub(super) fn check_absolute(reader: &mut Reader<'_>, literal: &Literal, span: Span) {
    let value = literal.value.trim_start();
    if value.starts_with('{') {
        reader.problems.push(
            Diagnostic::error(
                Code::InvalidUrl,
                span,
                "an expression cannot give the scheme of a URL: its value is percent-encoded",
            )
            .help(Some(
                "write `https://…` here, and set another address in the configuration, \
                 `connectors.sources.<subgraph>.<source>.url`"
                    .to_owned(),
            )),
        );
        return;
    }
    let known = ["http://", "https://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    if !known {
        let (code, message) = match value.split_once("://") {
            Some((scheme, _)) => (
                Code::InvalidUrlScheme,
                format!("`{scheme}` is not a scheme that can be called"),
            ),
            None => (Code::InvalidUrl, "the URL has no scheme".to_owned()),
        };
        reader.problems.push(
            Diagnostic::error(code, span, message)
                .help(Some("begin with `http://` or `https://`".to_owned())),
        );
    }
}

/// Reads `headers`; those that cannot be used are reported and left out.
pub(super) fn headers(reader: &mut Reader<'_>, http: &Args<'_>) -> Vec<PlacedHeader> {
    let mut read: Vec<PlacedHeader> = Vec::new();
    for entry in http.objects("headers") {
        let Some(header) = header(reader, &entry) else {
            continue;
        };
        if read.iter().any(|known| known.it.name == header.it.name) {
            reader.problems.push(Diagnostic::error(
                Code::HttpHeaderNameCollision,
                entry.span_of("name"),
                format!("the header `{}` is there twice", header.it.name),
            ));
            continue;
        }
        read.push(header);
    }
    read
}

fn header(reader: &mut Reader<'_>, entry: &Args<'_>) -> Option<PlacedHeader> {
    let written = entry.text("name")?.value;
    let name = written.to_ascii_lowercase();
    let mut refuse = |member: &str, message: String| {
        let span = entry.span_of(member);
        let problem = Diagnostic::error(Code::InvalidHeader, span, message);
        reader.problems.push(problem);
        None
    };
    if !is_header_name(&name) {
        return refuse("name", format!("`{written}` is not a header name"));
    }
    if REFUSED.contains(&name.as_str()) {
        return refuse(
            "name",
            format!("`{written}` is set by the connection itself"),
        );
    }
    let from = entry.text("from");
    match (from, entry.get("value")) {
        (Some(_), Some(_)) => refuse(
            "from",
            "a header has `from` or `value`, not both".to_owned(),
        ),
        (None, None) => refuse("name", format!("`{written}` needs `from` or `value`")),
        (Some(from), None) => {
            if VALUE_ONLY.contains(&name.as_str()) {
                return refuse("from", format!("`{written}` can only be set by `value`"));
            }
            if !is_header_name(&from.value) {
                return refuse("from", format!("`{}` is not a header name", from.value));
            }
            let from = from.value.to_ascii_lowercase();
            Some(PlacedHeader {
                it: Arc::new(Header {
                    name: name.into(),
                    value: HeaderValue::From(from.into()),
                }),
                literal: None,
            })
        }
        (None, Some(_)) => {
            let template = entry
                .template(reader, "value", Code::InvalidHeader)
                .ok()??;
            Some(PlacedHeader {
                literal: Some(Arc::clone(&template.literal)),
                it: Arc::new(Header {
                    name: name.into(),
                    value: HeaderValue::Template(template.it),
                }),
            })
        }
    }
}

/// RFC 9110 §5.6.2: a token.
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Headers that belong to one connection or describe the body that we make.
const REFUSED: [&str; 11] = [
    "connection",
    "keep-alive",
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

/// Headers that a client's request must not decide.
const VALUE_ONLY: [&str; 3] = ["content-type", "accept", "host"];
