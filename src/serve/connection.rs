//! Connections that explain themselves even when nothing can be understood.
//!
//! The HTTP library answers a head that it cannot read (an address of 100 kB, a malformed line) by itself: a bare status
//! without a body, before any of our code runs. Every error of this service is a problem document, so the connection
//! exchanges such a bare answer, always the last one before it closes, for one that says what is wrong and what to do.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use super::problem::Problem;
use crate::words::{self, Tongue};

/// Bytes to and from a client.
pub enum Stream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// One connection.
pub struct Connection {
    stream: Stream,
    /// What is said to those whose language cannot be learnt.
    tongue: Tongue,
    /// What is being sent in place of a bare answer, and how much of it has been.
    instead: Option<(Vec<u8>, usize)>,
}

/// Calls the same of whichever stream it is.
macro_rules! either {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Plain($inner) => $call,
            Stream::Encrypted($inner) => $call,
        }
    };
}

impl Stream {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, inner => Pin::new(inner).poll_write(cx, bytes))
    }
}

/// The explanation for a bare answer of the HTTP library; `None` for any other bytes.
fn explanation(answer: &[u8]) -> Option<Problem> {
    let code = answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    if !matches!(code, b"400" | b"414" | b"431") {
        return None;
    }
    let head = answer.to_ascii_lowercase();
    let bare = head.windows(19).any(|window| window == b"content-length: 0\r\n") && head.ends_with(b"\r\n\r\n");
    let problem = match code {
        b"414" => Problem::new(StatusCode::URI_TOO_LONG, "Address too long", &words::ADDRESS_TOO_LONG),
        b"431" => Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request head too large", &words::HEAD_TOO_LARGE),
        _ => Problem::new(StatusCode::BAD_REQUEST, "Malformed request", &words::NO_HTTP),
    };
    bare.then_some(problem)
}

impl Connection {
    pub fn new(stream: Stream, tongue: Tongue) -> Self {
        Self { stream, tongue, instead: None }
    }

    /// Sends the explanation; done when all of it is sent.
    fn send_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((bytes, sent)) = &mut self.instead {
            let written = ready!(self.stream.poll_write(cx, &bytes[*sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *sent += written;
            if *sent == bytes.len() {
                self.instead = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.stream, inner => Pin::new(inner).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            match explanation(buffer) {
                Some(problem) => self.instead = Some((problem.raw(self.tongue), 0)),
                None => return self.stream.poll_write(cx, buffer),
            }
        }
        // While this is pending, the caller comes back with the same bytes.
        ready!(self.send_instead(cx))?;
        Poll::Ready(Ok(buffer.len()))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match buffers.iter().find(|buffer| !buffer.is_empty()) {
            Some(first) if self.instead.is_some() || explanation(first).is_some() => self.poll_write(cx, first),
            _ => either!(&mut self.stream, inner => Pin::new(inner).poll_write_vectored(cx, buffers)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        either!(&self.stream, inner => inner.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send_instead(cx))?;
        either!(&mut self.stream, inner => Pin::new(inner).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.stream, inner => Pin::new(inner).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_errors_are_explained() {
        let bare = |code: &str| format!("HTTP/1.1 {code} Whatever\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n");
        for code in ["400", "414", "431"] {
            assert!(explanation(bare(code).as_bytes()).is_some(), "{code}");
        }
        for code in ["200", "304", "404"] {
            assert!(explanation(bare(code).as_bytes()).is_none(), "{code}");
        }
        assert!(explanation(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n0123456789").is_none());
        assert!(explanation(b"").is_none());
    }
}
