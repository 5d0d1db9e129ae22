//! A connection that is closed as a client can bear: whoever is refused in the middle of a body still gets to read why.
//!
//! A socket that is closed with bytes unread answers the next ones with a reset, which also throws away what the
//! client has not read yet: the answer. So the sending half is closed first, and what still comes is read and
//! forgotten for a while ("lingering close": RFC 9112, section 9.6).

use crate::limits;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};
use tokio_util::sync::CancellationToken;

/// A connection to a client.
pub(super) struct Lingering {
    stream: TcpStream,
    /// The node stops: nobody is waited for.
    stop: CancellationToken,
    /// Set when the sending half is closed.
    closing: Option<Closing>,
}

struct Closing {
    until: Pin<Box<Sleep>>,
    /// Bytes that may still be read.
    left: usize,
}

impl Lingering {
    pub(super) const fn new(stream: TcpStream, stop: CancellationToken) -> Self {
        Self { stream, stop, closing: None }
    }
}

impl Closing {
    fn begin() -> Self {
        let until = Box::pin(sleep(limits::API_LINGER_TIME));
        Self { until, left: limits::API_LINGER_BYTES }
    }

    /// Ready when the client has closed its half, or has had enough time or bytes.
    fn poll(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 16 * 1_024];
        while self.left > 0 && self.until.as_mut().poll(context).is_pending() {
            let mut read = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut *stream).poll_read(context, &mut read)) {
                Ok(()) if !read.filled().is_empty() => {
                    self.left = self.left.saturating_sub(read.filled().len());
                }
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let closing = this.closing.get_or_insert_with(Closing::begin);
        if !this.stop.is_cancelled() {
            ready!(closing.poll(&mut this.stream, context));
        }
        Poll::Ready(Ok(()))
    }
}
