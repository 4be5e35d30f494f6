//! Reads a request's body: never more than is allowed, and never for longer.

use std::num::NonZeroUsize;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// More bytes than allowed.
    TooLarge(NonZeroUsize),
    /// The client did not send it in time.
    TooSlow,
    /// The connection broke.
    Broken,
}

/// The whole body, of at most `limit` bytes, read within `timeout`.
pub(crate) async fn read(
    body: Body,
    limit: NonZeroUsize,
    timeout: Duration,
) -> Result<Bytes, BodyError> {
    // A client that says how much it will send is refused before it does.
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
        // Most bodies come in one piece, which then needs no copy.
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

    fn pieces(pieces: &'static [&'static str]) -> Body {
        let pieces = stream::iter(pieces).map(|piece| Ok::<_, Infallible>(piece.as_bytes()));
        Body::from_stream(pieces)
    }

    async fn read_with_limit(body: Body) -> Result<Bytes, BodyError> {
        read(body, LIMIT, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn pieces_are_put_together_up_to_the_limit() {
        assert_eq!(read_with_limit(pieces(&[])).await.unwrap(), "");
        assert_eq!(
            read_with_limit(pieces(&["{\"a\":1}"])).await.unwrap(),
            "{\"a\":1}"
        );
        assert_eq!(
            read_with_limit(pieces(&["ab", "cd", "", "efgh"]))
                .await
                .unwrap(),
            "abcdefgh"
        );
    }

    #[tokio::test]
    async fn one_byte_too_many_is_refused_whether_announced_or_not() {
        let announced = read_with_limit(Body::from("123456789")).await;
        let counted = read_with_limit(pieces(&["12345678", "9"])).await;

        assert_eq!(announced, Err(BodyError::TooLarge(LIMIT)));
        assert_eq!(counted, Err(BodyError::TooLarge(LIMIT)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_body_times_out() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());

        assert_eq!(read_with_limit(body).await, Err(BodyError::TooSlow));
    }
}
