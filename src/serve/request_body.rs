//! Bodies of requests, received whole before a request takes a place among those that are answered: whoever sends slowly, or not at all,
//! keeps nobody out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::StatusCode,
};
use futures::StreamExt;

use super::problem::Problem;
use crate::{access::network, parallel::lock, words};

/// Bytes of a body that are received without taking up room: forms and selections are shorter.
const SHORT: usize = 16 << 10;
/// Bytes of longer bodies that are received at a time, in all and from one address.
const MOST: usize = 64 << 20;
const MOST_OF_ONE: usize = 16 << 20;
/// A body beyond the limit is read up to so many times the limit and thrown away, so that its sender hears why.
const HEARD_OUT: usize = 8;
/// The longest time between two pieces.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a body may take at whatever rate, and the bytes a second that it must come in afterwards.
const GRACE: Duration = Duration::from_secs(15);
const RATE: u128 = 32 << 10;

/// The bodies that are being received.
#[derive(Debug, Default)]
pub struct Uploads(Mutex<Received>);

#[derive(Debug, Default)]
struct Received {
    total: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// Room for one body; given back when dropped.
#[derive(Debug)]
pub struct UploadGuard {
    uploads: Arc<Uploads>,
    client: Option<IpAddr>,
    bytes: usize,
}

impl Uploads {
    /// Receives the body of a request, of which at most `most` bytes are handed on.
    ///
    /// # Errors
    /// Where it is too long, too slow, or breaks off, and where others take up the room for bodies.
    pub async fn receive(
        self: &Arc<Self>,
        request: Request,
        client: Option<IpAddr>,
        most: usize,
    ) -> Result<(Request, UploadGuard), Problem> {
        let mut guard = UploadGuard { uploads: Arc::clone(self), client: client.map(network), bytes: 0 };
        if request.body().is_end_stream() {
            return Ok((request, guard));
        }
        let (head, body) = request.into_parts();
        let too_slow = || Problem::new(StatusCode::REQUEST_TIMEOUT, "Request body too slow", &words::BODY_TOO_SLOW);
        let began = Instant::now();
        let mut pieces = body.into_data_stream();
        let (mut received, mut total) = (Vec::new(), 0usize);
        while let Some(piece) = tokio::time::timeout(PAUSE, pieces.next()).await.map_err(|_| too_slow())? {
            let piece =
                piece.map_err(|error| Problem::parameter("Illegal request body", words::BODY_BREAKS_OFF.with(error.to_string())))?;
            total = total.saturating_add(piece.len());
            if total <= most {
                received.extend_from_slice(&piece);
                if received.len() > SHORT && !guard.grow(received.capacity()) {
                    return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", &words::BUSY));
                }
            } else if total > most.saturating_mul(HEARD_OUT) {
                break;
            }
            let took = began.elapsed();
            if took > GRACE && (total as u128) < RATE * took.as_millis() / 1000 {
                return Err(too_slow());
            }
        }
        if total > most {
            return Err(too_long(most));
        }
        Ok((Request::from_parts(head, Body::from(received)), guard))
    }
}

/// The bytes of a body that [`Uploads::receive`] has received.
pub async fn whole_body(body: Body, most: usize) -> Result<bytes::Bytes, Problem> {
    if body.size_hint().lower() > most as u64 {
        return Err(too_long(most));
    }
    axum::body::to_bytes(body, most)
        .await
        .map_err(|error| Problem::parameter("Illegal request body", words::BODY_BREAKS_OFF.with(error.to_string())))
}

fn too_long(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large", words::BODY_TOO_LONG.with(most as u64))
}

impl UploadGuard {
    /// Takes up so many bytes in all, if there is room for them.
    fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let mut received = lock(&self.uploads.0);
        let of_client = self.client.and_then(|client| received.by_client.get(&client)).copied().unwrap_or(0);
        if received.total + more > MOST || of_client + more > MOST_OF_ONE {
            return false;
        }
        received.total += more;
        if let Some(client) = self.client {
            received.by_client.insert(client, of_client + more);
        }
        self.bytes += more;
        true
    }
}

impl Drop for UploadGuard {
    fn drop(&mut self) {
        let mut received = lock(&self.uploads.0);
        received.total -= self.bytes;
        if let Some(client) = self.client
            && let Some(of_client) = received.by_client.get_mut(&client)
        {
            *of_client -= self.bytes;
            if *of_client == 0 {
                received.by_client.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(uploads: &Arc<Uploads>, client: &str) -> UploadGuard {
        UploadGuard { uploads: Arc::clone(uploads), client: client.parse().ok(), bytes: 0 }
    }

    #[test]
    fn nobody_takes_all_the_room_for_bodies() {
        let uploads = Arc::new(Uploads::default());
        let (mut first, mut second) = (guard(&uploads, "192.0.2.1"), guard(&uploads, "192.0.2.1"));
        assert!(first.grow(10 << 20) && !second.grow(7 << 20) && second.grow(6 << 20));
        let mut others: Vec<UploadGuard> = (2..5).map(|at| guard(&uploads, &format!("192.0.2.{at}"))).collect();
        assert!(others.iter_mut().all(|other| other.grow(16 << 20)));
        assert!(!guard(&uploads, "192.0.2.9").grow(1));
        drop((first, second, others));
        assert!(guard(&uploads, "192.0.2.9").grow(1));
        let left = uploads.0.lock().unwrap();
        assert!(left.total == 0 && left.by_client.is_empty());
    }

    #[tokio::test]
    async fn bodies_come_whole_or_not_at_all() {
        let uploads = Arc::new(Uploads::default());
        let receive = async |length: usize, most: usize| {
            let request = Request::new(Body::from(vec![b'x'; length]));
            let (request, _guard) = uploads.receive(request, None, most).await.map_err(|problem| problem.status)?;
            whole_body(request.into_body(), most).await.map(|body| body.len()).map_err(|problem| problem.status)
        };
        assert_eq!(receive(0, 10).await, Ok(0));
        assert_eq!(receive(100_000, 100_000).await, Ok(100_000));
        assert_eq!(receive(100_001, 100_000).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
    }
}
