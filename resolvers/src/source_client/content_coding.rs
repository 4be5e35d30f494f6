//! Content codings of responses (RFC 9110 §8.4): decodes a body while it arrives.
//!
//! Every stage is bounded, not only the last: a body may decode to one that is endless and decodes
//! to nothing.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::header::CONTENT_ENCODING;
use ::http::{HeaderMap, HeaderValue, StatusCode};
use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use bytes::Bytes;
use futures_util::Stream;
use tokio::io::{AsyncRead, BufReader, ReadBuf};
use tokio_util::io::StreamReader;

use crate::error::FetchError;

/// A coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentCoding {
    Brotli,
    Deflate,
    Gzip,
    Zstd,
}

/// The value of `accept-encoding`.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, br, deflate, zstd");

/// The codings of a body in the order in which they were applied, without `identity`.
pub(super) fn codings(
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Vec<ContentCoding>, FetchError> {
    let undecodable = |reason| FetchError::Undecodable { status, reason };
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let names = value.split(',').map(str::trim);
        for name in names.filter(|name| !name.is_empty()) {
            if name.eq_ignore_ascii_case("identity") {
                continue;
            }
            let coding = ContentCoding::from_name(name)
                .ok_or_else(|| undecodable(format!("unknown content encoding `{name}`")))?;
            codings.push(coding);
        }
    }
    if codings.len() > MAX_CODINGS {
        let count = codings.len();
        let reason = format!("{count} content encodings, more than the maximum of {MAX_CODINGS}");
        return Err(undecodable(reason));
    }
    Ok(codings)
}

/// Maximum number of codings of one body; services apply one, and proxies may add another.
const MAX_CODINGS: usize = 3;

impl ContentCoding {
    /// The coding with this name, which has no letter case (RFC 9110 §8.4.1).
    fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "br" => Some(Self::Brotli),
            "deflate" => Some(Self::Deflate),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    fn decoder(self, input: Reader) -> Reader {
        let input = BufReader::new(input);
        match self {
            Self::Brotli => Box::pin(BrotliDecoder::new(input)),
            Self::Deflate => Box::pin(ZlibDecoder::new(input)),
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(input);
                // RFC 1952 §2.2.
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Self::Zstd => Box::pin(ZstdDecoder::new(input)),
        }
    }
}

/// A body, or a stage of its decoding.
pub(super) type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// Decodes a body of `chunks`; reading fails with [`TooLong`] if it, or a stage of its decoding,
/// has more than `max` bytes.
pub(super) fn decoded(
    chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    codings: &[ContentCoding],
    max: usize,
) -> Reader {
    let coded: Reader = Box::pin(StreamReader::new(Box::pin(chunks)));
    codings
        .iter()
        .rev()
        .fold(limited(coded, max), |body, coding| {
            limited(coding.decoder(body), max)
        })
}

/// The error of a body with too many bytes.
#[derive(Debug)]
pub(super) struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is too long")
    }
}

impl std::error::Error for TooLong {}

/// A reader that fails after a number of bytes.
struct Limited {
    inner: Reader,
    left: usize,
}

fn limited(inner: Reader, max: usize) -> Reader {
    Box::pin(Limited { inner, left: max })
}

impl AsyncRead for Limited {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.inner.as_mut().poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        let Some(left) = self.left.checked_sub(read) else {
            return Poll::Ready(Err(io::Error::other(TooLong)));
        };
        self.left = left;
        Poll::Ready(Ok(()))
    }
}
