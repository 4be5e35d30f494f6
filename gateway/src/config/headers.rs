//! Headers as the configuration writes them: names, and values that stay secret.

use http::{HeaderName, HeaderValue};
use serde_saphyr::Location;

use super::raw::{Named, Text};
use super::reader::Reader;

/// The headers that are sent with every call; a name or value that cannot be is a problem.
pub(super) fn static_headers(
    headers: Named<Text<String>>,
    reader: &mut Reader<'_>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut checked = Vec::new();
    for (name, value) in headers.0 {
        let text = reader.value(&value);
        let header = header_name(&name.value, name.referenced, reader);
        let (Some(header), Some(text)) = (header, text) else {
            continue;
        };
        if let Ok(mut value) = HeaderValue::from_str(&text) {
            // Headers are where credentials go; this keeps them out of every `Debug`.
            value.set_sensitive(true);
            checked.push((header, value));
        } else {
            reader.report_invalid(
                value.location(),
                "a header's value has no control characters",
                None,
            );
        }
    }
    checked
}

/// The name of a header that may be chosen; any other is a problem at `at`.
pub(super) fn header_name(text: &str, at: Location, reader: &mut Reader<'_>) -> Option<HeaderName> {
    let Ok(header) = text.parse::<HeaderName>() else {
        let message = format!("`{text}` cannot be the name of a header");
        reader.report_invalid(at, message, None);
        return None;
    };
    if RESERVED_HEADERS.contains(&header.as_str()) {
        let message = format!("the header `{header}` is set for each call and cannot be chosen");
        reader.report_invalid(at, message, None);
        return None;
    }
    Some(header)
}

/// Framing and routing of a call; a value from outside would break it.
const RESERVED_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
