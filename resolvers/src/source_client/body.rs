//! The body of a response, by its media type and its charset.

use std::borrow::Cow;
use std::sync::Arc;

use ::http::{HeaderMap, header};
use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use schema::json::{Json, Value};

use super::SourceResponse;
use crate::error::FetchError;

/// The body of a response (connect specification, §5.1).
#[derive(Debug)]
pub(crate) enum ResponseBody {
    Json(Arc<Json>),
    Text(String),
    Empty,
    /// A body that is not read, because it has this media type.
    Unread(Box<str>),
}

impl ResponseBody {
    /// Parses the body by its media type.
    pub(crate) fn parse(response: &SourceResponse) -> Result<Self, FetchError> {
        if response.body.is_empty() {
            return Ok(Self::Empty);
        }
        let media_type = content_type(&response.headers).map(media_type);
        let media_type = media_type.unwrap_or_default();
        let format = BodyFormat::new(&media_type);
        if format == BodyFormat::Other {
            return Ok(Self::Unread(shortened(media_type)));
        }
        let text = utf8_text(response)?;
        if format == BodyFormat::Json {
            return Ok(Self::Json(Arc::new(parse_json(response, text)?)));
        }
        match String::from_utf8(text.into()) {
            Ok(text) => Ok(Self::Text(text)),
            Err(error) => Err(FetchError::NotJson {
                status: response.status,
                reason: error.to_string(),
            }),
        }
    }

    /// The body as the input of mappings.
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Json(json) => Value::Node(json.root()),
            Self::Text(text) => Value::string(text.as_str()),
            Self::Empty | Self::Unread(_) => Value::Null,
        }
    }
}

/// Parses a body, whose media type is not checked, as JSON.
pub(super) fn json(response: &SourceResponse) -> Result<Json, FetchError> {
    parse_json(response, utf8_text(response)?)
}

fn parse_json(response: &SourceResponse, text: Bytes) -> Result<Json, FetchError> {
    Json::parse_with_replacements(text).map_err(|error| FetchError::NotJson {
        status: response.status,
        reason: error.to_string(),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyFormat {
    Json,
    Text,
    Other,
}

impl BodyFormat {
    fn new(media_type: &str) -> Self {
        match media_type.split_once('/') {
            Some(("text", "plain")) => Self::Text,
            Some((_, subtype)) if subtype == "json" || subtype.ends_with("+json") => Self::Json,
            // A malformed content type, or none.
            None => Self::Json,
            Some(_) => Self::Other,
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// The type and subtype of a content type in lower case, without parameters (RFC 9110 §8.3.1).
pub(super) fn media_type(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// A media type of any length, shortened for messages.
fn shortened(mut media_type: String) -> Box<str> {
    media_type.truncate(media_type.floor_char_boundary(MAX_MEDIA_TYPE));
    media_type.into()
}

/// Maximum bytes of a media type in a message.
const MAX_MEDIA_TYPE: usize = 100;

/// The body in UTF-8, without a byte order mark, which says more than `charset` does.
fn utf8_text(response: &SourceResponse) -> Result<Bytes, FetchError> {
    let body = &response.body;
    let (encoding, start) = match Encoding::for_bom(body) {
        Some(marked) => marked,
        None => (charset(response)?, 0),
    };
    let text = body.slice(start..);
    if encoding == UTF_8 {
        return Ok(text);
    }
    let (decoded, _) = encoding.decode_without_bom_handling(&text);
    Ok(match decoded {
        Cow::Borrowed(_) => text,
        Cow::Owned(decoded) => decoded.into(),
    })
}

fn charset(response: &SourceResponse) -> Result<&'static Encoding, FetchError> {
    let Some(content_type) = content_type(&response.headers) else {
        return Ok(UTF_8);
    };
    let parameters = content_type.split(';').skip(1);
    let mut parameters = parameters.filter_map(|parameter| parameter.split_once('='));
    let charset = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let Some((_, label)) = charset else {
        return Ok(UTF_8);
    };
    let label = label.trim().trim_matches('"');
    Encoding::for_label(label.as_bytes()).ok_or_else(|| FetchError::Undecodable {
        status: response.status,
        reason: format!("unknown charset `{label}`"),
    })
}
