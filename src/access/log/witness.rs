//! The witness: a second place that is told every checkpoint, kept by somebody else than the log.
//!
//! ```text
//! /mnt/auditor/witness.jsonl                a file, to which lines are appended, each on disk before the next
//! syslog                                    RFC 5424 to this machine's daemon (/dev/log)
//! syslog+udp://host:514, syslog+tcp://host:601, syslog+unix:///run/other    the same to another one
//! https://host/path                         a POST of the line, taken if the answer is 2xx
//! ```
//!
//! Nobody who asks for data waits for a witness. It is told the newest checkpoint, of which all before it follow; while it does not answer it
//! is asked again and again, and the log of the service and the figures for monitoring say so.

use std::{
    fmt,
    io::Write as _,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{SecondsFormat, Utc};
use tokio::sync::watch;
use url::Url;

use super::checkpoint::{Checkpoint, append};
use crate::error::{Error, Result};

/// How long a witness may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long to wait before it is asked again: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The socket of the local daemon.
const LOCAL: &str = "/dev/log";
/// Facility 13 (log audit), severity 5 (notice).
const PRIORITY: u8 = 13 * 8 + 5;

/// Where checkpoints are told beside the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// A file.
    File(PathBuf),
    /// A daemon of syslog, by a local socket.
    Socket(PathBuf),
    /// A daemon of syslog, by UDP: nobody confirms that it came.
    Udp(String, u16),
    /// A daemon of syslog, by TCP.
    Tcp(String, u16),
    /// A service.
    Url(Url),
}

impl FromStr for Witness {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        const EXPECTED: &str =
            "expected a file, 'syslog', syslog+udp://HOST:PORT, syslog+tcp://HOST:PORT, syslog+unix:///SOCKET, or http(s)://HOST/PATH";
        if text == "syslog" {
            return Ok(Self::Socket(LOCAL.into()));
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return if text.trim().is_empty() { Err(EXPECTED.into()) } else { Ok(Self::File(text.into())) };
        };
        let url = Url::parse(text).map_err(|error| format!("{error}; {EXPECTED}"))?;
        let host = || url.host().map(|host| host.to_string()).ok_or(EXPECTED);
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" if url.has_host() => Ok(Self::Url(url)),
            "syslog+udp" => Ok(Self::Udp(host()?, url.port().unwrap_or(514))),
            "syslog+tcp" => Ok(Self::Tcp(host()?, url.port().unwrap_or(601))),
            "syslog+unix" if url.path().len() > 1 => Ok(Self::Socket(url.path().into())),
            _ => Err(EXPECTED.into()),
        }
    }
}

impl fmt::Display for Witness {
    /// What may stand in the log of the service: no user, no password, no parameters of an address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Socket(path) => write!(f, "syslog at {}", path.display()),
            Self::Udp(host, port) => write!(f, "syslog at {host}:{port} (UDP)"),
            Self::Tcp(host, port) => write!(f, "syslog at {host}:{port} (TCP)"),
            Self::Url(url) => write!(f, "{}{}", url.origin().ascii_serialization(), url.path()),
        }
    }
}

/// What is known of checkpoints while a service runs.
#[derive(Debug)]
pub struct CheckpointFigures {
    /// Number of the last record of the log.
    end: AtomicU64,
    made: AtomicU64,
    failures: AtomicU64,
    /// Number of the last record that the witness knows of; `None` until it has been told anything.
    told: watch::Sender<Option<u64>>,
    has_witness: bool,
}

impl CheckpointFigures {
    pub(super) fn new(has_witness: bool) -> Self {
        let told = watch::Sender::new(None);
        Self { end: AtomicU64::new(0), made: AtomicU64::new(0), failures: AtomicU64::new(0), told, has_witness }
    }

    pub(super) fn comes_to(&self, number: u64) {
        self.end.store(number, Ordering::Relaxed);
    }

    pub(super) fn count_made(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until the witness knows of a record.
    pub(super) async fn told(&self, number: u64) {
        // The sender is ours, and so the channel never closes.
        let _ = self.told.subscribe().wait_for(|told| told.is_some_and(|told| told >= number)).await;
    }

    /// Checkpoints that were made.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// How often the witness did not take one.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Records that the witness does not know of yet; `None` where there is no witness.
    pub fn unwitnessed(&self) -> Option<u64> {
        let told = self.told.borrow().unwrap_or(0);
        self.has_witness.then(|| self.end.load(Ordering::Relaxed).saturating_sub(told))
    }
}

/// Tells a witness the newest checkpoint whenever there is one, until nobody makes any more.
pub(super) async fn keep_telling(witness: Witness, mut newest: watch::Receiver<Option<Checkpoint>>, figures: Arc<CheckpointFigures>) {
    let client = Client::new();
    while newest.changed().await.is_ok() {
        let mut wait = AGAIN.0;
        let mut failed = 0u64;
        loop {
            let Some(checkpoint) = newest.borrow_and_update().clone() else { break };
            match tell(&witness, &client, &checkpoint).await {
                Ok(()) => {
                    if failed > 0 {
                        tracing::info!(%witness, record = checkpoint.number, failed, "the witness of the log answers again");
                    }
                    figures.told.send_replace(Some(checkpoint.number));
                    break;
                }
                Err(error) => {
                    failed += 1;
                    figures.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(
                        %witness, %error, record = checkpoint.number, again_in = ?wait,
                        "the witness of the log was not told how far it has come; requests are answered on, and the end of the log rests on this machine alone"
                    );
                    tokio::time::sleep(wait).await;
                    wait = (2 * wait).min(AGAIN.1);
                }
            }
        }
    }
}

/// What asks services.
struct Client(std::result::Result<reqwest::Client, String>);

impl Client {
    fn new() -> Self {
        let builder = reqwest::Client::builder().timeout(ANSWER).redirect(reqwest::redirect::Policy::none()).user_agent("cacah");
        Self(builder.build().map_err(|error| error.to_string()))
    }

    async fn post(&self, url: &Url, line: String) -> std::result::Result<(), String> {
        let client = self.0.as_ref().map_err(Clone::clone)?;
        let request = client.post(url.clone()).header("content-type", "application/json").body(line);
        // The address may hold a password, which is not for the log.
        let answer = request.send().await.map_err(|error| causes(&error.without_url()))?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
    }
}

/// An error with what led to it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

async fn tell(witness: &Witness, client: &Client, checkpoint: &Checkpoint) -> std::result::Result<(), String> {
    let line = checkpoint.line().map_err(|error| error.to_string())?;
    if let Witness::Url(url) = witness {
        return client.post(url, line).await;
    }
    let witness = witness.clone();
    let telling = tokio::task::spawn_blocking(move || tell_blocking(&witness, &line).map_err(|error| error.to_string()));
    match tokio::time::timeout(2 * ANSWER, telling).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it takes too long".into()),
    }
}

fn tell_blocking(witness: &Witness, line: &str) -> std::io::Result<()> {
    match witness {
        Witness::File(path) => append(path, line),
        Witness::Socket(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.set_write_timeout(Some(ANSWER))?;
            socket.send_to(message(line).as_bytes(), path).map(drop)
        }
        Witness::Udp(host, port) => {
            let to = resolved(host, *port)?;
            let from: SocketAddr = if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
            UdpSocket::bind(from)?.send_to(message(line).as_bytes(), to).map(drop)
        }
        Witness::Tcp(host, port) => {
            let mut stream = TcpStream::connect_timeout(&resolved(host, *port)?, ANSWER)?;
            stream.set_write_timeout(Some(ANSWER))?;
            // Each message with its length before it (RFC 6587).
            let message = message(line);
            stream.write_all(format!("{} {message}", message.len()).as_bytes())?;
            stream.shutdown(std::net::Shutdown::Write)
        }
        Witness::Url(_) => Err(std::io::Error::other("a service is not told like this")),
    }
}

fn resolved(host: &str, port: u16) -> std::io::Result<SocketAddr> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host, port).to_socket_addrs()?.next().ok_or_else(|| std::io::Error::other("the host has no address"))
}

/// A line as a message of syslog (RFC 5424), whose daemon knows which host it runs on.
fn message(line: &str) -> String {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    format!("<{PRIORITY}>1 {now} - cacah {} checkpoint - {line}", std::process::id())
}

/// Refuses a file that lies in the folder of a database or in that of its log: whoever can cut the log could reach it too.
///
/// # Errors
/// Says where it lies and what to do.
pub fn must_lie_elsewhere(what: &str, path: &Path, database: &Path) -> Result<()> {
    let folder = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folder.canonicalize().or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.to_owned())
    };
    let beside = folder(database);
    let log = beside.join(database.with_extension("log").file_name().unwrap_or_default());
    if [&beside, &log].contains(&&folder(path)) {
        return Err(Error::Conflict(format!(
            "{}: the {what} lies beside the database, where whoever can cut the log can reach it; keep it elsewhere",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, net::TcpListener, sync::Mutex};

    use chrono::DateTime;

    use super::*;
    use crate::access::log::{SigningKey, checkpoint::WitnessLine};

    #[test]
    fn places_are_told_by_name() {
        let check = |text: &str, shown: &str| assert_eq!(text.parse::<Witness>().unwrap().to_string(), shown, "{text}");
        check("witness.jsonl", "witness.jsonl");
        check("/mnt/auditor/w.jsonl", "/mnt/auditor/w.jsonl");
        check("syslog", "syslog at /dev/log");
        check("syslog+unix:///run/log", "syslog at /run/log");
        check("syslog+udp://10.0.0.7", "syslog at 10.0.0.7:514 (UDP)");
        check("syslog+tcp://logs.example:6514", "syslog at logs.example:6514 (TCP)");
        check("https://me:secret@witness.example/take?token=x", "https://witness.example/take");
        for wrong in ["", "ftp://host/x", "syslog+udp://", "https://", "syslog+unix://"] {
            assert!(wrong.parse::<Witness>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_lies_beside_the_database_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let (database, keys) = (place.path().join("access.sqlite"), place.path().join("keys"));
        std::fs::create_dir_all(place.path().join("access.log")).unwrap();
        std::fs::create_dir_all(&keys).unwrap();
        for beside in ["log.key", "access.log/log.key", "keys/../log.key"] {
            let said = must_lie_elsewhere("key", &place.path().join(beside), &database).unwrap_err().to_string();
            assert!(said.contains("beside the database"), "{said}");
        }
        must_lie_elsewhere("key", &keys.join("log.key"), &database).unwrap();
    }

    fn checkpoint(place: &Path) -> (SigningKey, Checkpoint) {
        let key = SigningKey::open(&SigningKey::create(&place.join("keys")).unwrap().0).unwrap();
        let made = Checkpoint::sign(&key, "log", (3, &[3; 32]), (1, 1), DateTime::UNIX_EPOCH);
        (key, made)
    }

    fn told(text: &str, expected: &Checkpoint) {
        let found = WitnessLine::read(text).unwrap();
        assert!(matches!(&found, WitnessLine::Checkpoint(found) if **found == *expected), "{text}");
    }

    #[tokio::test]
    async fn daemons_of_syslog_are_told() {
        let place = tempfile::tempdir().unwrap();
        let (_, made) = checkpoint(place.path());
        let client = Client::new();
        let header = |text: &str| assert!(text.starts_with("<109>1 20") && text.contains(" - cacah "), "{text}");

        let path = place.path().join("socket");
        let daemon = UnixDatagram::bind(&path).unwrap();
        tell(&Witness::Socket(path), &client, &made).await.unwrap();
        let mut bytes = [0; 4096];
        let length = daemon.recv(&mut bytes).unwrap();
        let text = std::str::from_utf8(&bytes[..length]).unwrap();
        header(text);
        told(text, &made);

        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        tell(&Witness::Udp("127.0.0.1".into(), daemon.local_addr().unwrap().port()), &client, &made).await.unwrap();
        let length = daemon.recv(&mut bytes).unwrap();
        told(std::str::from_utf8(&bytes[..length]).unwrap(), &made);

        let daemon = TcpListener::bind("127.0.0.1:0").unwrap();
        tell(&Witness::Tcp("127.0.0.1".into(), daemon.local_addr().unwrap().port()), &client, &made).await.unwrap();
        let mut text = String::new();
        daemon.accept().unwrap().0.read_to_string(&mut text).unwrap();
        let (length, message) = text.split_once(' ').unwrap();
        assert_eq!(length.parse(), Ok(message.len()));
        header(message);
        told(message, &made);

        let missing = tell(&Witness::Socket(place.path().join("none")), &client, &made).await;
        assert!(missing.is_err());
    }

    /// Answers requests one after the other with these statuses, and keeps their bodies.
    fn service(statuses: &'static [u16]) -> (Url, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/take?token=x", listener.local_addr().unwrap()).parse().unwrap();
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        std::thread::spawn(move || {
            for status in statuses {
                let mut stream = listener.accept().unwrap().0;
                let mut text = String::new();
                let mut byte = [0];
                while !text.ends_with('}') && stream.read(&mut byte).unwrap() == 1 {
                    text.push(char::from(byte[0]));
                }
                kept.lock().unwrap().push(text);
                write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            }
        });
        (url, bodies)
    }

    #[tokio::test]
    async fn a_service_is_told_again_until_it_takes_the_newest() {
        let place = tempfile::tempdir().unwrap();
        let (key, made) = checkpoint(place.path());
        let (url, bodies) = service(&[503, 204]);
        let figures = Arc::new(CheckpointFigures::new(true));
        figures.comes_to(5);
        assert_eq!((figures.unwitnessed(), CheckpointFigures::new(false).unwitnessed()), (Some(5), None));
        let (sender, newest) = watch::channel(None);
        let telling = tokio::spawn(keep_telling(Witness::Url(url), newest, Arc::clone(&figures)));
        sender.send_replace(Some(made));
        while figures.failures() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // While it is waited, the log goes on.
        let later = Checkpoint::sign(&key, "log", (5, &[5; 32]), (1, 1), DateTime::UNIX_EPOCH);
        sender.send_replace(Some(later.clone()));
        figures.told(5).await;
        assert_eq!((figures.failures(), figures.unwitnessed()), (1, Some(0)));
        drop(sender);
        telling.await.unwrap();
        let bodies = bodies.lock().unwrap();
        assert!(bodies.len() == 2 && bodies[1].to_lowercase().contains("content-type: application/json"), "{bodies:?}");
        told(&bodies[1], &later);
    }
}
