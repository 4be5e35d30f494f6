//! Response bodies, with the faults of sending them: whole, in small chunks, or cut short.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// The bytes of a body, and how they are sent.
#[derive(Debug)]
pub(crate) struct Payload {
    rest: Bytes,
    pace: Pace,
}

#[derive(Debug)]
enum Pace {
    Whole,
    /// Chunks with a pause before each.
    Chunks(Duration, Pin<Box<Sleep>>),
    /// The bytes, then an error instead of the end.
    Broken(Flush),
}

/// Whether the connection has flushed the bytes before the error.
#[derive(Debug, PartialEq, Eq)]
enum Flush {
    Due,
    Done,
}

impl Payload {
    /// Sends the bytes at once.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self {
            rest: bytes,
            pace: Pace::Whole,
        }
    }

    /// Sends `CHUNK_BYTES` at a time, with a pause before each chunk.
    pub(crate) fn in_chunks(bytes: Bytes, pause: Duration) -> Self {
        Self {
            rest: bytes,
            pace: Pace::Chunks(pause, Box::pin(tokio::time::sleep(pause))),
        }
    }

    /// Sends the first half; the connection closes instead of ending the body.
    pub(crate) fn broken(mut bytes: Bytes) -> Self {
        bytes.truncate(bytes.len() / 2);
        Self {
            rest: bytes,
            pace: Pace::Broken(Flush::Due),
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        match &mut this.pace {
            Pace::Chunks(pause, sleep) if !this.rest.is_empty() => {
                std::task::ready!(sleep.as_mut().poll(ctx));
                sleep.as_mut().reset(Instant::now() + *pause);
                let chunk = this.rest.split_to(CHUNK_BYTES.min(this.rest.len()));
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Pace::Broken(flush) if this.rest.is_empty() => {
                if *flush == Flush::Due {
                    // The connection flushes only while the body is pending.
                    *flush = Flush::Done;
                    ctx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
            }
            Pace::Whole | Pace::Chunks(..) | Pace::Broken(_) => {
                let rest = std::mem::take(&mut this.rest);
                Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && !matches!(self.pace, Pace::Broken(_))
    }

    fn size_hint(&self) -> SizeHint {
        match self.pace {
            Pace::Whole | Pace::Chunks(..) => SizeHint::with_exact(self.rest.len() as u64),
            // The `Content-Length` set by the fault is longer than the body.
            Pace::Broken(_) => SizeHint::default(),
        }
    }
}

/// Size of a chunk, in bytes: every body takes several.
const CHUNK_BYTES: usize = 32;
