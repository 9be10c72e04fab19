//! Clients that send or read slowly, or not at all, beside ordinary ones, against the real program.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{client::parse, limits::publish, sql::wire::Wire};
use crate::{common::program, support::Server};

/// A selection of a quarter of a million cells, a few megabytes as CSV.
const LONG: &str = "/api/v2/tables/wide/data?valueCodes[Place]=*&valueCodes[ContentsCode]=*&outputFormat=csv";

/// Both ends of every connection here are ours.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).expect("more open files");
}

struct Wide {
    _folder: tempfile::TempDir,
    server: Server,
    address: SocketAddr,
}

/// The program over a table of 30 million cells.
async fn serve(more: &[&str]) -> Wide {
    allow_many_files();
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path()).await;
    let releases = folder.path().to_str().unwrap();
    let server = Server::start(program().args(["serve", "--public", "*", "--releases", releases]).args(more));
    let address = server.address.trim_start_matches("http://").parse().unwrap();
    Wide { _folder: folder, server, address }
}

/// The status of an answer; 0 where there is none.
fn status(address: SocketAddr, path: &str) -> u16 {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    ask().map_or(0, |answer| if answer.is_empty() { 0 } else { parse(&answer).status })
}

/// What ordinary clients have seen: how long each answer took, and the statuses that were none of success.
struct Seen {
    times: Vec<Duration>,
    failed: Vec<u16>,
}

impl Seen {
    fn percentile(&self, hundredth: usize) -> Duration {
        self.times[(self.times.len() - 1) * hundredth / 100]
    }
}

/// 32 clients who ask one small thing after the other, none of them twice.
fn ordinary(address: SocketAddr, round: usize, lasting: Duration) -> Seen {
    let until = Instant::now() + lasting;
    let asking = |client: usize| {
        let mut seen = Seen { times: Vec::new(), failed: Vec::new() };
        for number in 0.. {
            if Instant::now() >= until {
                return seen;
            }
            let place = (round * 100_003 + client * 3001 + number) % 250_000;
            let path = format!(
                "/api/v2/tables/wide/data?valueCodes[Place]={place:06}&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=*"
            );
            let started = Instant::now();
            let status = status(address, &path);
            seen.times.push(started.elapsed());
            if status != 200 {
                seen.failed.push(status);
            }
        }
        seen
    };
    let mut all = Seen { times: Vec::new(), failed: Vec::new() };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..32).map(|client| scope.spawn(move || asking(client))).collect();
        for client in clients {
            let seen = client.join().unwrap();
            all.times.extend(seen.times);
            all.failed.extend(seen.failed);
        }
    });
    all.times.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_keep_nobody_out() {
    let wide = serve(&[]).await;
    let address = wide.address;
    ordinary(address, 0, Duration::from_secs(1));
    let before = ordinary(address, 1, Duration::from_secs(4));
    assert!(before.failed.is_empty(), "{:?}", before.failed);
    let ended = AtomicBool::new(false);
    let during = thread::scope(|scope| {
        // Half of them send a byte of their head now and then, the others read a byte of a long answer.
        let mut trickling: Vec<TcpStream> = (0..250).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut reading: Vec<TcpStream> = (0..250)
            .map(|at| {
                let mut stream = TcpStream::connect(address).unwrap();
                let (sex, age) = (["T", "M", "F"][at % 3], at % 7);
                write!(
                    stream,
                    "GET {LONG}&valueCodes[Sex]={sex}&valueCodes[Age]=A{age}&valueCodes[Tid]=202{}-S1 HTTP/1.1\r\nhost: x\r\n\r\n",
                    2 + at % 3
                )
                .unwrap();
                stream.set_nonblocking(true).unwrap();
                stream
            })
            .collect();
        let ended = &ended;
        scope.spawn(move || {
            let head = b"GET /api/v2/config HTTP/1.1\r\nhost: x\r\nx-long: ";
            let mut at = 0;
            while !ended.load(Ordering::Relaxed) {
                for stream in &mut trickling {
                    // It may have been closed by then: that is what is asked for.
                    let _ = stream.write(&[*head.get(at).unwrap_or(&b'x')]);
                }
                for stream in &mut reading {
                    let _ = stream.read(&mut [0]);
                }
                at += 1;
                thread::sleep(Duration::from_millis(500));
            }
        });
        // Their answers are computed at first, by the same threads; what is asked here is whether they are in the way afterwards.
        let deadline = Instant::now() + Duration::from_secs(120);
        while ordinary(address, 2, Duration::from_secs(2)).percentile(90) > before.percentile(90) * 2 && Instant::now() < deadline {}
        let during = ordinary(address, 3, Duration::from_secs(5));
        ended.store(true, Ordering::Relaxed);
        during
    });
    assert!(
        during.failed.is_empty(),
        "{} of {} failed: {:?}",
        during.failed.len(),
        during.times.len(),
        &during.failed[..during.failed.len().min(9)]
    );
    let (quiet, loaded) = (before.percentile(99), during.percentile(99));
    println!(
        "99th percentile {quiet:?} before, {loaded:?} beside 500 slow clients; median {:?} and {:?}",
        before.percentile(50),
        during.percentile(50)
    );
    // Doubled at most, where nothing else runs on the machine (CACAH_TEST_ALONE=1). Beside other tests neither of the two says much by itself.
    let most = if std::env::var_os("CACAH_TEST_ALONE").is_some() { quiet * 2 } else { quiet * 10 + Duration::from_millis(500) };
    assert!(loaded <= most, "{quiet:?} before, {loaded:?} beside slow clients");
    drop(wide.server);
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_bodies_take_nobodys_place() {
    let wide = serve(&["--max-requests", "16"]).await;
    let address = wide.address;
    let mut sending = Vec::new();
    for _ in 0..900 {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "POST /api/v2/tables/wide/data HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{{").unwrap();
        sending.push(stream);
    }
    thread::sleep(Duration::from_millis(500));
    for _ in 0..20 {
        assert_eq!(status(address, "/api/v2/tables"), 200);
    }
    // Whoever goes on sending is answered as always.
    let body = br#"{"selection":[{"variableCode":"Place","valueCodes":["000001"]},{"variableCode":"ContentsCode","valueCodes":["*"]},{"variableCode":"Tid","valueCodes":["*"]}]}"#;
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "POST /api/v2/tables/wide/data HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len())
        .unwrap();
    stream.write_all(&body[..10]).unwrap();
    thread::sleep(Duration::from_millis(300));
    stream.write_all(&body[10..]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(parse(&answer).status, 200, "{}", String::from_utf8_lossy(&answer));
    // Who stops sending is told so, and closed.
    let mut first = &sending[0];
    first.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut told = Vec::new();
    first.read_to_end(&mut told).unwrap();
    assert_eq!(parse(&told).status, 408);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_for_sql_is_not_locked_by_silence() {
    let wide = serve(&["--sql", "127.0.0.1:0"]).await;
    let port = wide.server.sql_port();
    let silent: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(port).unwrap()).collect();
    let started = Instant::now();
    assert_eq!(Wire::connect(port).value("SELECT 1"), "1");
    // Nor by people who have signed in and do nothing: the one who has rested longest has to go.
    let mut resting: Vec<Wire> = (0..150).map(|_| Wire::connect(port)).collect();
    assert_eq!(Wire::connect(port).value("SELECT 1"), "1");
    assert_eq!(resting.last_mut().unwrap().value("SELECT 1"), "1", "who came last is still there");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_are_read_slowly_hold_no_turn() {
    let wide = serve(&["--sql", "127.0.0.1:0"]).await;
    let port = wide.server.sql_port();
    // Megabytes of rows that nobody takes.
    let mut slow: Vec<Wire> = (0..8).map(|_| Wire::connect(port)).collect();
    for wire in &mut slow {
        wire.send(Some(b'Q'), b"SELECT place, place_label, value FROM wide WHERE sex = 'T' AND age = 'T' AND period = '2024-S1'\0");
    }
    thread::sleep(Duration::from_secs(4));
    let started = Instant::now();
    for _ in 0..5 {
        assert_eq!(Wire::connect(port).value("SELECT count(*) FROM dim_sex"), "3");
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}
