//! How many connections there may be, in all and from one address, and which of them has to go when there are too many.
//!
//! A stranger costs nothing but a socket until he has sent a request. So those go first that have not: a connection that waits for its
//! first request, then one that rests between two, then one whose client does not take its answer. Whoever is being answered stays.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::parallel::lock;

use super::paced_body::{SendPatience, SendProgress};

/// How long the first request may take to arrive, the greeting of TLS included.
pub const FIRST: Duration = Duration::from_secs(10);
/// What a client must keep up with while it is answered: 4 KiB a second are less than any network that pages can be read over.
const SENDING: SendPatience = SendPatience { stall: Duration::from_secs(45), rate: 4 << 10, grace: Duration::from_secs(30) };
/// Whoever has taken nothing of its answer for so long has to go when there are too many.
const SLOW: Duration = Duration::from_secs(5);
/// How often a connection is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionBounds {
    /// In all.
    pub total: usize,
    /// From one address, or from one network of IPv6.
    pub per_address: usize,
}

/// The connections of one port.
#[derive(Debug)]
pub struct ConnectionRegistry {
    bounds: ConnectionBounds,
    idle: Duration,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_client: HashMap<IpAddr, Vec<Arc<ConnectionState>>>,
    total: usize,
}

/// One connection that was let in; it counts until this is dropped.
#[derive(Debug)]
pub struct ConnectionGuard {
    registry: Arc<ConnectionRegistry>,
    state: Arc<ConnectionState>,
}

/// What a connection is doing.
#[derive(Debug)]
pub struct ConnectionState {
    client: IpAddr,
    idle: Duration,
    opened: Instant,
    doing: Mutex<Doing>,
    displaced: Notify,
}

#[derive(Debug)]
struct Doing {
    /// Requests under way.
    requests: usize,
    /// Whether a request was ever answered.
    has_answered: bool,
    /// Since when no request is under way.
    idle_since: Instant,
    sending: Vec<Arc<SendProgress>>,
}

/// One request, from its head to the last byte of its answer.
#[derive(Debug)]
pub struct RequestGuard {
    state: Arc<ConnectionState>,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// No request came.
    NoRequest,
    /// It rested too long.
    Idle,
    /// Its client does not take its answer.
    SlowReader,
    /// Others need its place.
    Displaced,
}

impl Closed {
    /// Its name among the figures for monitoring.
    pub fn id(self) -> &'static str {
        match self {
            Self::NoRequest => "no_request",
            Self::Idle => "idle",
            Self::SlowReader => "slow_reader",
            Self::Displaced => "displaced",
        }
    }
}

impl ConnectionRegistry {
    /// No connection yet. `idle` is how long one may rest between two requests.
    pub fn new(bounds: ConnectionBounds, idle: Duration) -> Arc<Self> {
        Arc::new(Self { bounds, idle, open: Mutex::default() })
    }

    /// Lets a connection in, if need be in the place of one that does nothing; `None` where all others are being answered. A `shared`
    /// address, as of a proxy, may take all places.
    pub fn admit(self: &Arc<Self>, client: IpAddr, shared: bool, now: Instant) -> Option<ConnectionGuard> {
        let mut open = lock(&self.open);
        let own = open.by_client.get(&client).map_or(0, Vec::len);
        let candidates = if !shared && own >= self.bounds.per_address {
            open.by_client.get(&client).map(Vec::as_slice)
        } else if open.total >= self.bounds.total {
            // The place is taken from whoever has most.
            open.by_client.values().max_by_key(|states| states.len()).map(Vec::as_slice)
        } else {
            None
        };
        if let Some(states) = candidates {
            let victim = most_expendable(states, now)?;
            open.displace(&victim);
        }
        let state = Arc::new(ConnectionState {
            client,
            idle: self.idle,
            opened: now,
            doing: Mutex::new(Doing { requests: 0, has_answered: false, idle_since: now, sending: Vec::new() }),
            displaced: Notify::new(),
        });
        open.by_client.entry(client).or_default().push(Arc::clone(&state));
        open.total += 1;
        Some(ConnectionGuard { registry: Arc::clone(self), state })
    }

    /// Closes a connection that does nothing, where the system has no room for another one.
    pub fn displace(&self, now: Instant) {
        let mut open = lock(&self.open);
        if let Some(victim) = most_expendable(open.by_client.values().flatten(), now) {
            open.displace(&victim);
        }
    }

    /// Number of connections.
    pub fn count(&self) -> usize {
        lock(&self.open).total
    }
}

/// The connection that is most in the way; `None` where all are being answered.
fn most_expendable<'a>(states: impl IntoIterator<Item = &'a Arc<ConnectionState>>, now: Instant) -> Option<Arc<ConnectionState>> {
    let ranked = states.into_iter().filter_map(|state| Some((state.expendable(now)?, state)));
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, state)| Arc::clone(state))
}

impl Open {
    /// Has a connection closed. It leaves the books at once, so that the next newcomer takes the place of another.
    fn displace(&mut self, state: &Arc<ConnectionState>) {
        state.displaced.notify_one();
        self.remove(state);
    }

    fn remove(&mut self, state: &Arc<ConnectionState>) {
        let Some(states) = self.by_client.get_mut(&state.client) else { return };
        if let Some(at) = states.iter().position(|known| Arc::ptr_eq(known, state)) {
            states.swap_remove(at);
            self.total -= 1;
        }
        if states.is_empty() {
            self.by_client.remove(&state.client);
        }
    }
}

impl ConnectionGuard {
    /// What it is doing.
    pub fn state(&self) -> &Arc<ConnectionState> {
        &self.state
    }
}

impl ConnectionGuard {
    /// Ends; gives back how many others there are.
    pub fn close(self) -> usize {
        let registry = Arc::clone(&self.registry);
        drop(self);
        registry.count()
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        lock(&self.registry.open).remove(&self.state);
    }
}

impl ConnectionState {
    /// A request has come.
    pub fn begin_request(self: &Arc<Self>) -> RequestGuard {
        lock(&self.doing).requests += 1;
        RequestGuard { state: Arc::clone(self) }
    }

    /// How much this connection is in the way, the more the greater: a class, then milliseconds; `None` while it is being answered.
    fn expendable(&self, now: Instant) -> Option<(u8, u128)> {
        let doing = lock(&self.doing);
        let since = |from: Instant| now.saturating_duration_since(from).as_millis();
        match doing.requests {
            0 if !doing.has_answered => Some((2, since(self.opened))),
            0 => Some((1, since(doing.idle_since))),
            requests => {
                let slowest = doing.sending.iter().map(|sending| sending.since_last(now)).min()?;
                (doing.sending.len() == requests && slowest > SLOW).then_some((0, slowest.as_millis()))
            }
        }
    }

    fn overdue(&self, now: Instant) -> Option<Closed> {
        let doing = lock(&self.doing);
        if doing.sending.iter().any(|sending| sending.is_too_slow(&SENDING, now)) {
            return Some(Closed::SlowReader);
        }
        let since = |from: Instant| now.saturating_duration_since(from);
        match (doing.requests, doing.has_answered) {
            (0, false) if since(self.opened) > FIRST => Some(Closed::NoRequest),
            (0, true) if since(doing.idle_since) > self.idle => Some(Closed::Idle),
            _ => None,
        }
    }

    /// Waits until the connection has to be closed.
    pub async fn watch(&self) -> Closed {
        loop {
            tokio::select! {
                () = self.displaced.notified() => return Closed::Displaced,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Some(reason) = self.overdue(Instant::now()) {
                return reason;
            }
        }
    }
}

impl RequestGuard {
    /// Its answer begins to be sent.
    pub fn sends(&self) -> Arc<SendProgress> {
        let progress = Arc::new(SendProgress::new(Instant::now()));
        lock(&self.state.doing).sending.push(Arc::clone(&progress));
        progress
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut doing = lock(&self.state.doing);
        doing.requests -= 1;
        doing.has_answered = true;
        doing.idle_since = Instant::now();
        // Whoever has dropped its body holds no progress any more.
        doing.sending.retain(|sending| Arc::strong_count(sending) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(total: usize, per_address: usize) -> Arc<ConnectionRegistry> {
        ConnectionRegistry::new(ConnectionBounds { total, per_address }, Duration::from_secs(75))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn is_displaced(guard: &ConnectionGuard) -> bool {
        let state = Arc::clone(guard.state());
        let mut notified = Box::pin(async move { state.displaced.notified().await });
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        notified.as_mut().poll(&mut cx).is_ready()
    }

    #[test]
    fn who_has_not_asked_goes_before_who_rests() {
        let registry = registry(3, 3);
        let now = Instant::now();
        let admit = |from: &str| registry.admit(address(from), false, now);
        let (silent, resting, busy) = (admit("192.0.2.1").unwrap(), admit("192.0.2.1").unwrap(), admit("192.0.2.1").unwrap());
        drop(resting.state().begin_request());
        let request = busy.state().begin_request();
        let first = admit("192.0.2.2").unwrap();
        assert_eq!((is_displaced(&silent), is_displaced(&resting), is_displaced(&busy)), (true, false, false));
        let second = admit("192.0.2.2").unwrap();
        assert!(is_displaced(&resting) && !is_displaced(&busy));
        drop((first, second, silent, resting));
        assert_eq!(registry.count(), 1, "who was displaced is counted out once");
        drop((request, busy));
        assert_eq!(registry.count(), 0);
    }

    #[test]
    fn nobody_is_displaced_while_he_is_answered() {
        let registry = registry(10, 2);
        let now = Instant::now();
        let admit = |from: &str, shared| registry.admit(address(from), shared, now);
        let connections = [admit("192.0.2.1", false).unwrap(), admit("192.0.2.1", false).unwrap()];
        let requests = connections.each_ref().map(|connection| connection.state().begin_request());
        assert!(admit("192.0.2.1", false).is_none());
        assert!(admit("192.0.2.1", true).is_some(), "a proxy asks for many");
        assert!(admit("192.0.2.2", false).is_some());
        drop(requests);
        assert!(admit("192.0.2.1", false).is_some());
    }

    #[test]
    fn a_reader_who_takes_nothing_may_be_displaced() {
        let registry = registry(1, 1);
        let now = Instant::now();
        let slow = registry.admit(address("192.0.2.1"), false, now).unwrap();
        let request = slow.state().begin_request();
        let _progress = request.sends();
        assert!(registry.admit(address("192.0.2.2"), false, now + Duration::from_secs(4)).is_none());
        assert!(registry.admit(address("192.0.2.2"), false, now + Duration::from_secs(6)).is_some());
        assert!(is_displaced(&slow));
    }

    #[test]
    fn waiting_has_an_end() {
        let registry = registry(1, 1);
        let now = Instant::now();
        let connection = registry.admit(address("192.0.2.1"), false, now).unwrap();
        let after = |seconds| connection.state().overdue(now + Duration::from_secs(seconds));
        assert_eq!((after(9), after(11)), (None, Some(Closed::NoRequest)));
        let request = connection.state().begin_request();
        assert_eq!(after(1000), None, "an answer may take long to compute");
        drop(request);
        assert_eq!((after(70), after(80)), (None, Some(Closed::Idle)));
    }
}
