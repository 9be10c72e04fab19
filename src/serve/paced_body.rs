//! Response bodies that are handed out in small pieces and tell how fast their client takes them.
//!
//! What a transport has not taken yet stays here, where the connection's watchdog sees that it does not move: with HTTP/2 a client that
//! reads one answer and not another never blocks the socket.

use std::{
    os::unix::fs::FileExt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{
    Error as BodyError,
    body::{Body, HttpBody},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use super::connection_limits::RequestGuard;
use crate::storage::{Spooled, SpooledContent};

/// Bytes that are handed out at a time.
const PIECE: usize = 64 << 10;
/// Bytes that are read from disk at a time.
const BLOCK: u64 = 256 << 10;

/// How fast a client takes one answer.
#[derive(Debug)]
pub struct SendProgress {
    began: Instant,
    /// Bytes that the transport has taken.
    sent: AtomicU64,
    /// Milliseconds from the beginning to the last piece that was taken.
    last: AtomicU64,
    /// Milliseconds for which not the client was waited for but the answer itself.
    excused: AtomicU64,
    /// Whether the answer itself is waited for.
    waits_for_us: AtomicBool,
}

/// What a client must keep up with.
#[derive(Debug, Clone, Copy)]
pub struct SendPatience {
    /// The longest time without a piece taken.
    pub stall: Duration,
    /// Bytes a second that must be taken on average, once `grace` has passed.
    pub rate: u64,
    /// How long an answer may take at whatever rate.
    pub grace: Duration,
}

impl SendProgress {
    /// Nothing sent yet.
    pub fn new(now: Instant) -> Self {
        Self {
            began: now,
            sent: AtomicU64::new(0),
            last: AtomicU64::new(0),
            excused: AtomicU64::new(0),
            waits_for_us: AtomicBool::new(false),
        }
    }

    fn elapsed(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    /// A piece of so many bytes is handed to the transport, which has taken all before it.
    pub fn hand_on(&self, bytes: u64) {
        self.note(true, Instant::now());
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The next piece is worked out.
    pub fn wait_for_us(&self) {
        self.note(false, Instant::now());
    }

    /// The answer has a piece to send, or has none yet.
    fn note(&self, has_piece: bool, now: Instant) {
        let at = self.elapsed(now);
        if self.waits_for_us.swap(!has_piece, Ordering::Relaxed) {
            self.excused.fetch_add(at.saturating_sub(self.last.load(Ordering::Relaxed)), Ordering::Relaxed);
        }
        self.last.store(at, Ordering::Relaxed);
    }

    /// Whether the client is too slow.
    pub fn is_too_slow(&self, patience: &SendPatience, now: Instant) -> bool {
        if self.waits_for_us.load(Ordering::Relaxed) {
            return false;
        }
        let at = self.elapsed(now);
        let since = Duration::from_millis(at.saturating_sub(self.last.load(Ordering::Relaxed)));
        let spent = Duration::from_millis(at.saturating_sub(self.excused.load(Ordering::Relaxed)));
        let expected = patience.rate.saturating_mul(spent.as_millis() as u64) / 1000;
        since > patience.stall || (spent > patience.grace && self.sent.load(Ordering::Relaxed) < expected)
    }

    /// How long ago the client has taken something.
    pub fn since_last(&self, now: Instant) -> Duration {
        Duration::from_millis(self.elapsed(now).saturating_sub(self.last.load(Ordering::Relaxed)))
    }
}

/// A body in small pieces. The request that it answers is under way until it is dropped.
pub struct PacedBody {
    body: Body,
    /// What the body has given and the transport has not taken.
    left: Bytes,
    progress: Arc<SendProgress>,
    _request: RequestGuard,
}

impl PacedBody {
    /// Takes over a body.
    pub fn new(body: Body, request: RequestGuard) -> Self {
        let progress = request.sends();
        Self { body, left: Bytes::new(), progress, _request: request }
    }
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        while self.left.is_empty() {
            let polled = Pin::new(&mut self.body).poll_frame(cx);
            self.progress.note(polled.is_ready(), Instant::now());
            match ready!(polled) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.left = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return Poll::Ready(other),
            }
        }
        let length = self.left.len().min(PIECE);
        let piece = self.left.split_to(length);
        self.progress.hand_on(length as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, left) = (self.body.size_hint(), self.left.len() as u64);
        let upper = hint.upper();
        hint.set_lower(hint.lower() + left);
        if let Some(upper) = upper {
            hint.set_upper(upper + left);
        }
        hint
    }
}

/// A document of a [`Spool`](crate::storage::Spool) as a body. It gives up its room when it has been sent.
pub struct SpooledBody {
    document: Spooled,
    sent: u64,
    reading: Option<JoinHandle<std::io::Result<Bytes>>>,
}

impl From<Spooled> for SpooledBody {
    fn from(document: Spooled) -> Self {
        Self { document, sent: 0, reading: None }
    }
}

impl SpooledBody {
    /// The next bytes.
    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<Bytes>> {
        let (at, length) = (self.sent, self.document.bytes());
        if self.reading.is_none() {
            match self.document.content().map_err(std::io::Error::other)? {
                SpooledContent::Memory(document) => return Poll::Ready(Ok(document)),
                SpooledContent::Disk(file) => {
                    self.reading = Some(tokio::task::spawn_blocking(move || {
                        let mut block = vec![0; (length - at).min(BLOCK) as usize];
                        file.read_exact_at(&mut block, at)?;
                        Ok(block.into())
                    }));
                }
            }
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(Ok(Bytes::new())) };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        Poll::Ready(read.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped))))
    }
}

impl HttpBody for SpooledBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let block = ready!(self.poll_block(cx));
        match &block {
            Ok(block) => {
                self.sent += block.len() as u64;
                self.document.advance(block.len() as u64);
            }
            // The connection breaks off, so that nobody takes a part for the whole.
            Err(error) => {
                tracing::warn!(%error, "an answer breaks off");
                self.sent = self.document.bytes();
            }
        }
        Poll::Ready(Some(block.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.document.bytes()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.document.bytes() - self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: SendPatience = SendPatience { stall: Duration::from_secs(40), rate: 1000, grace: Duration::from_secs(30) };

    #[test]
    fn a_client_that_takes_nothing_is_too_slow() {
        let began = Instant::now();
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        let progress = SendProgress::new(began);
        progress.note(true, began);
        assert!(!progress.is_too_slow(&PATIENCE, after(29)));
        assert!(progress.is_too_slow(&PATIENCE, after(31)), "nothing was taken in 31 seconds");
        progress.sent.store(1_000_000, Ordering::Relaxed);
        assert!(!progress.is_too_slow(&PATIENCE, after(39)));
        assert!(progress.is_too_slow(&PATIENCE, after(41)), "it stopped taking");
    }

    #[test]
    fn nobody_is_blamed_for_an_answer_that_takes_long() {
        let began = Instant::now();
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        let progress = SendProgress::new(began);
        progress.note(false, began);
        assert!(!progress.is_too_slow(&PATIENCE, after(500)));
        progress.note(true, after(500));
        assert!(!progress.is_too_slow(&PATIENCE, after(525)), "it has had the piece for 25 seconds");
        assert!(progress.is_too_slow(&PATIENCE, after(535)));
    }
}
