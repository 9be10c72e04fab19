//! What one client, and all of them together, may ask for at a time.
//!
//! Too many calls of one address or one user in a window of time are refused with 429 and the seconds to wait; too many at once of all
//! are refused with 503, so that those that were admitted are still answered in time. Attempts to sign in have a limit of their own,
//! whatever the operator allows for calls.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use crate::{access::network, parallel::lock, words};

/// Windows that are kept in one generation; there are two.
const MOST_WINDOWS: usize = 50_000;
/// How long those wait who come when everybody is busy.
const SOON: u64 = 1;
/// Attempts to sign in from one address: an office behind one address comes in at eight, a guesser comes all day.
const SIGN_INS: Rate = Rate { calls: 60, window: Duration::from_secs(300) };
/// Passwords that are hashed at a time: each takes a processor and 19 MiB for tens of milliseconds.
const HASHES: usize = 4;
/// The header by which proxies say for whom they ask.
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whoever a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Whether an address is that of a proxy which is believed.
pub fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

impl Peer {
    /// The address of whoever asks: that of the connection or, where that is a proxy that is trusted, the last one that it and those
    /// before it name and that is none of theirs.
    pub fn client(self, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
        let mut client = self.0.ip().to_canonical();
        let told: Vec<&str> =
            headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
        for named in told.iter().rev() {
            if !is_trusted(trusted, client) {
                break;
            }
            // What stands before something that is no address can have been made up.
            let Ok(before) = named.trim().parse::<IpAddr>() else { break };
            client = before.to_canonical();
        }
        client
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
    addresses: Windows<IpAddr>,
    users: Windows<String>,
    sign_ins: Windows<IpAddr>,
    places: Arc<Semaphore>,
    hashes: Arc<Semaphore>,
}

/// Calls of each client in its window.
///
/// There are two generations, so that old windows are forgotten without going over all: a full one becomes the older one, and what was in
/// that is gone. Whoever comes from so many addresses that this happens within a window has a limit of his own at each of them anyway.
#[derive(Debug)]
struct Windows<K>(Mutex<Generations<K>>);

#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, Window>,
    old: HashMap<K, Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    calls: u32,
    /// Whether a call was refused.
    refused: bool,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its sender has asked too often.
    TooOften {
        /// Seconds until it may ask again.
        wait: u64,
        /// Whether it is the first time in its window that this is said.
        first: bool,
    },
    /// As many requests are being answered as may be at a time.
    Busy,
}

impl Limits {
    /// So many calls for each client, so many requests at a time.
    pub fn new(rate: Rate, at_once: usize) -> Self {
        Self {
            rate,
            addresses: Windows::default(),
            users: Windows::default(),
            sign_ins: Windows::default(),
            places: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))),
            hashes: Arc::new(Semaphore::new(HASHES)),
        }
    }

    /// The limit of calls.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Counts a call from an address.
    pub fn count_address(&self, client: Option<IpAddr>, now: Instant) -> Result<(), Refusal> {
        client.map_or(Ok(()), |client| self.addresses.count(network(client), self.rate, now))
    }

    /// Lets a request in that has come whole; the place is taken until what is given back is dropped.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Busy)
    }

    /// Counts a call of a user, from wherever he asks.
    pub fn count_user(&self, user_id: &str, now: Instant) -> Result<(), Refusal> {
        self.users.count(user_id.to_owned(), self.rate, now)
    }

    /// Counts an attempt to sign in.
    pub fn count_sign_in(&self, client: Option<IpAddr>, now: Instant) -> Result<(), Refusal> {
        client.map_or(Ok(()), |client| self.sign_ins.count(network(client), SIGN_INS, now))
    }

    /// Waits for a turn to hash a password.
    pub async fn hashing(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.hashes).acquire_owned().await.ok()
    }
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }
}

impl<K: Hash + Eq> Windows<K> {
    fn count(&self, client: K, rate: Rate, now: Instant) -> Result<(), Refusal> {
        if rate.calls == 0 {
            return Ok(());
        }
        let mut generations = lock(&self.0);
        let Generations { young, old } = &mut *generations;
        let known = if young.contains_key(&client) { None } else { old.remove(&client) };
        if young.len() >= MOST_WINDOWS && !young.contains_key(&client) {
            *old = std::mem::take(young);
        }
        let window = young.entry(client).or_insert(known.unwrap_or(Window { began: now, calls: 0, refused: false }));
        if now.duration_since(window.began) >= rate.window {
            *window = Window { began: now, calls: 0, refused: false };
        }
        if window.calls >= rate.calls {
            let left = rate.window.saturating_sub(now.duration_since(window.began));
            let first = !std::mem::replace(&mut window.refused, true);
            return Err(Refusal::TooOften { wait: left.as_secs_f64().ceil().max(1.0) as u64, first });
        }
        window.calls += 1;
        Ok(())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (problem, wait) = match self {
            Self::TooOften { wait, .. } => {
                (Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", words::TOO_OFTEN.with(wait)), wait)
            }
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

    fn client(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn proxies_are_believed_as_far_as_they_are_trusted() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let asked_by = |peer: &str, told: &[&str]| {
            let mut headers = HeaderMap::new();
            for told in told {
                headers.append(FORWARDED, HeaderValue::from_str(told).unwrap());
            }
            Peer(SocketAddr::new(peer.parse().unwrap(), 1)).client(&headers, &trusted).to_string()
        };
        assert_eq!(asked_by("203.0.113.5", &["198.51.100.7"]), "203.0.113.5");
        assert_eq!(asked_by("10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(asked_by("::1", &["198.51.100.7, 10.9.9.9"]), "198.51.100.7");
        // What the client itself claims stands before what the proxy has added.
        assert_eq!(asked_by("10.1.2.3", &["1.1.1.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(asked_by("10.1.2.3", &["1.1.1.1", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(asked_by("10.1.2.3", &["1.1.1.1, nonsense"]), "10.1.2.3");
        assert_eq!(asked_by("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn users_and_attempts_are_counted_apart() {
        let limits = Limits::new(Rate { calls: 1, window: Duration::from_secs(10) }, 100);
        let now = Instant::now();
        assert_eq!((limits.count_user("a", now), limits.count_user("b", now)), (Ok(()), Ok(())));
        assert_eq!(limits.count_user("a", now), Err(Refusal::TooOften { wait: 10, first: true }));
        for _ in 0..SIGN_INS.calls {
            assert_eq!(limits.count_sign_in(client("192.0.2.1"), now), Ok(()));
        }
        assert_eq!(limits.count_sign_in(client("192.0.2.1"), now), Err(Refusal::TooOften { wait: 300, first: true }));
        assert_eq!(limits.count_sign_in(client("192.0.2.2"), now), Ok(()));
    }

    #[test]
    fn each_client_has_a_window_of_its_own() {
        let limits = Limits::new(Rate { calls: 2, window: Duration::from_secs(10) }, 100);
        let start = Instant::now();
        let ask = |address: &str, after: u64| limits.count_address(client(address), start + Duration::from_secs(after));
        assert_eq!((ask("192.0.2.1", 0), ask("::ffff:192.0.2.1", 1)), (Ok(()), Ok(())));
        assert_eq!(ask("192.0.2.1", 2), Err(Refusal::TooOften { wait: 8, first: true }));
        assert_eq!(ask("192.0.2.2", 2), Ok(()));
        assert_eq!(ask("192.0.2.1", 10), Ok(()));
        assert_eq!((ask("2001:db8::1", 0), ask("2001:db8::2", 0)), (Ok(()), Ok(())));
        assert_eq!(ask("2001:db8::3", 0), Err(Refusal::TooOften { wait: 10, first: true }));
        assert_eq!(ask("2001:db8:0:1::3", 0), Ok(()));
    }

    #[test]
    fn windows_do_not_grow_without_end() {
        let windows = Windows::<u32>::default();
        let (rate, now) = (Rate { calls: 1, window: Duration::from_secs(10) }, Instant::now());
        assert_eq!(windows.count(0, rate, now), Ok(()));
        for client in 1..MOST_WINDOWS as u32 + 10 {
            assert_eq!(windows.count(client, rate, now), Ok(()));
        }
        assert!(windows.count(0, rate, now).is_err(), "the older generation is remembered");
        for client in 0..4 * MOST_WINDOWS as u32 {
            let _ = windows.count(1_000_000 + client, rate, now);
        }
        let kept = windows.0.lock().unwrap();
        assert!(kept.young.len() + kept.old.len() <= 2 * MOST_WINDOWS);
    }

    #[test]
    fn places_are_given_back() {
        let limits = Limits::new(Rate { calls: 0, window: Duration::from_secs(1) }, 1);
        let first = limits.admit();
        assert_eq!(limits.admit().map(drop), Err(Refusal::Busy));
        drop(first);
        assert_eq!(limits.admit().map(drop), Ok(()));
    }
}
