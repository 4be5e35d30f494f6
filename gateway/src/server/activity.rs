//! Whether a connection has a request in progress.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// What a connection is doing. Clones share it.
///
/// A request is in progress from the end of its headers until the operating system has taken the
/// last byte of its response. Received bytes that are no complete headers are no request.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Number of requests without a complete response.
    in_progress: AtomicUsize,
    /// Number of requests so far.
    begun: AtomicUsize,
    /// Whether bytes of a response wait to be written.
    is_writing: AtomicBool,
}

/// A request without a complete response, until it is dropped.
#[derive(Debug)]
pub(super) struct RequestInProgress(Activity);

impl Activity {
    /// Records a request, whose headers are complete.
    pub(super) fn begin_request(&self) -> RequestInProgress {
        self.0.in_progress.fetch_add(1, Ordering::Relaxed);
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        RequestInProgress(self.clone())
    }

    /// Records whether bytes of a response wait to be written.
    pub(super) fn set_writing(&self, is_writing: bool) {
        self.0.is_writing.store(is_writing, Ordering::Relaxed);
    }

    /// Whether no request is in progress.
    pub(super) fn is_idle(&self) -> bool {
        self.0.in_progress.load(Ordering::Relaxed) == 0
            && !self.0.is_writing.load(Ordering::Relaxed)
    }

    /// Number of requests so far.
    pub(super) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Relaxed)
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        self.0.0.in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of a response, which ends its request when it is dropped.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: Body,
    _request: RequestInProgress,
}

impl ResponseBody {
    /// `body` as the response to `request`.
    pub(super) fn new(body: Body, request: RequestInProgress) -> Self {
        Self {
            body,
            _request: request,
        }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
