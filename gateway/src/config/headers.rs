//! Headers in the configuration: valid names, and values that are treated as secrets.

use http::{HeaderName, HeaderValue};
use serde_saphyr::Location;

use super::raw::{Named, Text};
use super::reader::Reader;

/// Headers that are sent with every call; reports invalid names and values.
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
            // Headers carry credentials; sensitive values are omitted from `Debug`.
            value.set_sensitive(true);
            checked.push((header, value));
        } else {
            reader.report_invalid(
                value.location(),
                "header values must not contain control characters",
                None,
            );
        }
    }
    checked
}

/// The name of a header; reports an invalid or reserved one at `at`.
pub(super) fn header_name(text: &str, at: Location, reader: &mut Reader<'_>) -> Option<HeaderName> {
    let Ok(header) = text.parse::<HeaderName>() else {
        let message = format!("`{text}` is not a valid header name");
        reader.report_invalid(at, message, None);
        return None;
    };
    if RESERVED_HEADERS.contains(&header.as_str()) {
        let message = format!("the header `{header}` is set by Weir and cannot be configured");
        reader.report_invalid(at, message, None);
        return None;
    }
    Some(header)
}

/// Headers for framing and routing of a call: a configured value would break it.
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
