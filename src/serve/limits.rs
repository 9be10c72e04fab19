//! What one client, and all of them together, may ask for at a time.
//!
//! Too many calls of one client in a window of time are refused with 429 and the seconds to wait; too many at once of all are
//! refused with 503, so that those that were admitted are still answered in time.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::connect_info::Connected,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    serve::IncomingStream,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{connection::Connections, problem::Problem};
use crate::words;

/// Windows that are kept at most; beyond that those that have passed are forgotten.
const MOST_WINDOWS: usize = 100_000;
/// How long those wait who come when everybody is busy.
const SOON: u64 = 1;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// How many calls a client may make in how long; none at all means as many as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls in one window; 0: any number.
    pub calls: u32,
    /// Length of a window, at least a second.
    pub window: Duration,
}

/// The limits of a service.
#[derive(Debug)]
pub struct Limits {
    rate: Rate,
    windows: Mutex<HashMap<IpAddr, Window>>,
    places: Arc<Semaphore>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    calls: u32,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its sender has asked too often; seconds until it may ask again.
    TooOften(u64),
    /// As many requests are being answered as may be at a time.
    Busy,
}

impl Limits {
    /// So many calls for each client, so many requests at a time.
    pub fn new(rate: Rate, at_once: usize) -> Self {
        Self { rate, windows: Mutex::default(), places: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))) }
    }

    /// The limit of calls.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Lets a request in; the place is taken until what is given back is dropped.
    pub fn admit(&self, peer: Option<Peer>, now: Instant) -> Result<OwnedSemaphorePermit, Refusal> {
        if let Some(Peer(address)) = peer
            && self.rate.calls > 0
        {
            self.count(client(address.ip()), now)?;
        }
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Busy)
    }

    fn count(&self, client: IpAddr, now: Instant) -> Result<(), Refusal> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let has_passed = |window: &Window| now.duration_since(window.began) >= self.rate.window;
        if windows.len() >= MOST_WINDOWS && !windows.contains_key(&client) {
            windows.retain(|_, window| !has_passed(window));
        }
        let window = windows.entry(client).or_insert(Window { began: now, calls: 0 });
        if has_passed(window) {
            *window = Window { began: now, calls: 0 };
        }
        if window.calls >= self.rate.calls {
            let left = self.rate.window.saturating_sub(now.duration_since(window.began));
            return Err(Refusal::TooOften(left.as_secs_f64().ceil().max(1.0) as u64));
        }
        window.calls += 1;
        Ok(())
    }
}

/// The client behind an address: with IPv6 everybody has a whole network of them.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (problem, wait) = match self {
            Self::TooOften(wait) => (Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", words::TOO_OFTEN.with(wait)), wait),
            Self::Busy => (Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", &words::BUSY), SOON),
        };
        let mut response = problem.into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Option<Peer> {
        Some(Peer(SocketAddr::new(address.parse().unwrap(), 1)))
    }

    #[test]
    fn each_client_has_a_window_of_its_own() {
        let limits = Limits::new(Rate { calls: 2, window: Duration::from_secs(10) }, 100);
        let start = Instant::now();
        let ask = |address: &str, after: u64| limits.admit(peer(address), start + Duration::from_secs(after)).map(drop);
        assert_eq!((ask("192.0.2.1", 0), ask("::ffff:192.0.2.1", 1)), (Ok(()), Ok(())));
        assert_eq!(ask("192.0.2.1", 2), Err(Refusal::TooOften(8)));
        assert_eq!(ask("192.0.2.2", 2), Ok(()));
        assert_eq!(ask("192.0.2.1", 10), Ok(()));
        assert_eq!((ask("2001:db8::1", 0), ask("2001:db8::2", 0)), (Ok(()), Ok(())));
        assert_eq!(ask("2001:db8::3", 0), Err(Refusal::TooOften(10)));
        assert_eq!(ask("2001:db8:0:1::3", 0), Ok(()));
    }

    #[test]
    fn places_are_given_back() {
        let limits = Limits::new(Rate { calls: 0, window: Duration::from_secs(1) }, 1);
        let now = Instant::now();
        let first = limits.admit(None, now);
        assert_eq!(limits.admit(None, now).map(drop), Err(Refusal::Busy));
        drop(first);
        assert_eq!(limits.admit(None, now).map(drop), Ok(()));
    }
}
