//! Reads a request body within a size limit and a timeout.

use std::num::NonZeroUsize;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// The body exceeds this number of bytes.
    TooLarge(NonZeroUsize),
    /// The client did not send the body in time.
    TooSlow,
    /// The connection broke.
    Broken,
}

/// Reads the whole body, of at most `limit` bytes, within `timeout`.
pub(crate) async fn read(
    body: Body,
    limit: NonZeroUsize,
    timeout: Duration,
) -> Result<Bytes, BodyError> {
    // Rejects a `Content-Length` beyond the limit before the client sends the body.
    if body.size_hint().lower() > limit.get() as u64 {
        return Err(BodyError::TooLarge(limit));
    }
    let reading = tokio::time::timeout(timeout, collect(body, limit));
    reading.await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(mut body: Body, limit: NonZeroUsize) -> Result<Bytes, BodyError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else {
            continue;
        };
        if data.len() > limit.get() - first.len() - all.len() {
            return Err(BodyError::TooLarge(limit));
        }
        // Most bodies have one frame, which needs no copy.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt as _, stream};

    use super::*;

    const LIMIT: NonZeroUsize = NonZeroUsize::new(8).unwrap();

    fn frames(texts: &'static [&'static str]) -> Body {
        let frames = stream::iter(texts).map(|text| Ok::<_, Infallible>(text.as_bytes()));
        Body::from_stream(frames)
    }

    async fn read_with_limit(body: Body) -> Result<Bytes, BodyError> {
        read(body, LIMIT, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn frames_are_joined_up_to_the_limit() {
        assert_eq!(read_with_limit(frames(&[])).await.unwrap(), "");
        assert_eq!(
            read_with_limit(frames(&["{\"a\":1}"])).await.unwrap(),
            "{\"a\":1}"
        );
        assert_eq!(
            read_with_limit(frames(&["ab", "cd", "", "efgh"]))
                .await
                .unwrap(),
            "abcdefgh"
        );
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_rejected_with_and_without_a_declared_length() {
        let declared = read_with_limit(Body::from("123456789")).await;
        let streamed = read_with_limit(frames(&["12345678", "9"])).await;

        assert_eq!(declared, Err(BodyError::TooLarge(LIMIT)));
        assert_eq!(streamed, Err(BodyError::TooLarge(LIMIT)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_body_times_out() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());

        assert_eq!(read_with_limit(body).await, Err(BodyError::TooSlow));
    }
}
