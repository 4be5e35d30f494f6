//! The socket of a client, with a timeout for writes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::activity::Activity;

/// The socket of a client. Writing fails once the client has taken no byte for `write_timeout`.
#[derive(Debug)]
pub(super) struct ClientStream {
    socket: TcpStream,
    write_timeout: Duration,
    /// The end of the time for the current write. Allocated by the first write that waits, and
    /// reused, so that a client that reads costs nothing.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether a write waits, and `deadline` is its end.
    is_waiting: bool,
    activity: Activity,
}

impl ClientStream {
    /// Wraps an accepted socket; records in `activity` whether bytes wait to be written.
    pub(super) fn new(
        socket: TcpStream,
        write_timeout: Duration,
        activity: Activity,
    ) -> io::Result<Self> {
        // Responses are written in one piece, so Nagle's algorithm would only delay them.
        socket.set_nodelay(true)?;
        limit_unsent_bytes(&socket)?;
        Ok(Self {
            socket,
            write_timeout,
            deadline: None,
            is_waiting: false,
            activity,
        })
    }

    /// Starts or stops the timeout by the result of a write.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_waiting = false;
            return written;
        }
        let end = Instant::now() + self.write_timeout;
        let deadline = match &mut self.deadline {
            Some(deadline) => {
                if !self.is_waiting {
                    deadline.as_mut().reset(end);
                }
                deadline
            }
            empty => empty.insert(Box::pin(tokio::time::sleep_until(end))),
        };
        self.is_waiting = true;
        ready!(deadline.as_mut().poll(cx));
        // The system would otherwise go on offering what it has taken to a client that is not reading.
        self.socket.set_zero_linger()?;
        let message = format!("the client read nothing for {:?}", self.write_timeout);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
    }
}

/// Limits the bytes that the system takes before they can be sent. Without a limit it takes
/// megabytes for a slow client, and asks for more only when a third of them are sent, which a slow
/// client that is reading may not reach within the timeout.
#[cfg(target_os = "linux")]
fn limit_unsent_bytes(socket: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(socket).set_tcp_notsent_lowat(MAX_UNSENT_BYTES)
}

#[cfg(not(target_os = "linux"))]
fn limit_unsent_bytes(_socket: &TcpStream) -> io::Result<()> {
    Ok(())
}

/// Maximum bytes that the operating system holds before they can be sent: most responses fit.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 128 * 1024;

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.activity.set_writing(true);
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.activity.set_writing(true);
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bytes);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// The HTTP server flushes when all its bytes are written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.set_writing(false);
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
