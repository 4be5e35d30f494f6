//! The `http` argument: method, headers, body; for the URL see `url`.

use std::sync::Arc;

use super::args::Args;
use super::site::{On, Part, Site};
use super::{Place, Placed, Reader, url};
use crate::connector::{Header, HeaderValue, Method};
use crate::diagnostic::{Code, Diagnostic};
use crate::mapping::{Mapping, Version};
use crate::sdl::literal::Literal;
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
pub(super) fn connect(reader: &mut Reader<'_>, args: &Args<'_>, place: Place<'_>) -> Option<Http> {
    let Some(http) = args.object("http") else {
        requestless(reader, args);
        return None;
    };
    let on = On::Connect(place);
    let url = url::read(reader, &http, (on, args.get("source").is_some()));
    let headers = headers(reader, &http, on);
    let path = http.mapping(reader, "path", Site::new(on, Part::Path));
    let query = http.mapping(reader, "queryParams", Site::new(on, Part::QueryParams));
    let body = http.mapping(reader, "body", Site::new(on, Part::Body));
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

fn requestless(reader: &mut Reader<'_>, args: &Args<'_>) {
    let message = if reader.link.version < Version::V0_4 {
        "a connector needs `http`, which may be left out from v0.4 on"
    } else {
        "Weir does not run connectors without `http` yet"
    };
    let problem = Diagnostic::error(Code::HttpOmittedRequiresV0_4, args.span(), message);
    reader.problems.push(problem.help(Some(
        "add `http` with a method and a URL, as in `http: { GET: \"/users\" }`".to_owned(),
    )));
}

/// Reads `headers`; those that cannot be used are reported and left out.
pub(super) fn headers(reader: &mut Reader<'_>, http: &Args<'_>, on: On<'_>) -> Vec<PlacedHeader> {
    let mut read: Vec<PlacedHeader> = Vec::new();
    for entry in http.objects("headers") {
        let Some(header) = header(reader, &entry, on) else {
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

fn header(reader: &mut Reader<'_>, entry: &Args<'_>, on: On<'_>) -> Option<PlacedHeader> {
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
            let site = Site::new(on, Part::Header);
            let template = entry.template(reader, "value", site).ok()??;
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
