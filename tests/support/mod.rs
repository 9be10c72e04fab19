//! A service that a test starts as an operator would.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// How long a service may take to open its releases.
const PATIENCE: Duration = Duration::from_secs(60);
/// How an address on loopback begins, up to its port.
const LOOPBACK: &str = "http://127.0.0.1:";

/// A running `cacah serve`; it ends when this is dropped.
pub struct Server {
    child: Child,
    /// Where it listens, such as `http://127.0.0.1:41234`.
    pub address: String,
    /// What it says after that.
    lines: Mutex<mpsc::Receiver<String>>,
}

impl Server {
    /// Starts a `cacah serve` command on a free port and waits until it says where it listens.
    pub fn start(serve: &mut Command) -> Self {
        let mut child = serve
            .args(["--port", "0"])
            .env("CACAH_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("the output is piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody may listen any more; what follows is still read, so that the service never blocks.
                let _ = sender.send(line);
            }
        });
        let mut server = Self { child, address: String::new(), lines: Mutex::new(lines) };
        server.address = server.hear(origin);
        server
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first thing that is found in a line that the service says from now on.
    pub fn hear(&self, find: impl Fn(&str) -> Option<String>) -> String {
        let lines = self.lines.lock().expect("no other listener failed");
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(found) = find(&line) {
                        return found;
                    }
                }
                Err(error) => panic!("the service does not say what is waited for: {error}"),
            }
        }
    }

    /// Where it listens for clients of PostgreSQL, as it says itself.
    pub fn sql_port(&self) -> SocketAddr {
        let port = self.hear(|line| line.split(" -p ").nth(1)?.split(' ').next().map(str::to_owned));
        SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().expect("a port")))
    }

    /// What the system tells of its memory under a name such as `VmRSS`, in MiB.
    pub fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a process that runs");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of that name");
        line.split_whitespace().nth(1).and_then(|size| size.parse::<u64>().ok()).expect("a size in kB") >> 10
    }

    /// The body of the answer to a GET, which must succeed.
    pub fn get(&self, path: &str) -> String {
        let answer = ask(self.address.trim_start_matches("http://"), path);
        let (head, body) = answer.split_once("\r\n\r\n").expect("the answer has a head and a body");
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}\n{head}\n{body}");
        body.to_owned()
    }
}

/// The whole answer to a GET, head and body.
pub fn ask(host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).expect("the service takes connections");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").expect("the service reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the service answers with text");
    answer
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line, up to and with its port.
fn origin(line: &str) -> Option<String> {
    let rest = &line[line.find(LOOPBACK)? + LOOPBACK.len()..];
    let port = &rest[..rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len())];
    Some(format!("{LOOPBACK}{port}"))
}
