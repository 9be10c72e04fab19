//! Three million cells in every format, with little more memory than their numbers take.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::Instant,
};

use cacah::formats::FORMATS;

use super::limits;
use crate::{common::program, support::Server};

/// 250 001 places, 3 sexes, 4 bands of age.
const CELLS: u64 = 3_000_012;
const SELECTION: &str = "valueCodes[Place]=*&valueCodes[Sex]=*&valueCodes[Age]=T,A0,A1,A2&valueCodes[ContentsCode]=*&valueCodes[Tid]=top(1)\
     &stub=Place&heading=Sex,Age,ContentsCode,Tid";
/// Bytes that the numbers of an answer take.
const NUMBERS: u64 = CELLS * 9;
/// What a format may take beside them.
const BESIDE: u64 = 64 << 20;

/// The most memory that a process had since its mark was set, in bytes.
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// Reads an answer to its end and keeps nothing; gives its head and the number of bytes.
fn download(host: &str, path: &str) -> (String, usize) {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let (mut piece, mut last, mut bytes, mut head) = (vec![0; 1 << 20], Vec::new(), 0, String::new());
    loop {
        match stream.read(&mut piece).unwrap() {
            0 => break,
            read => {
                if bytes == 0 {
                    head = String::from_utf8_lossy(&piece[..read.min(400)]).into_owned();
                }
                bytes += read;
                last = [&last[last.len().saturating_sub(8)..], &piece[read.saturating_sub(8)..read]].concat();
            }
        }
    }
    assert!(last.ends_with(b"\r\n0\r\n\r\n"), "{path} broke off after {bytes} bytes: {head}");
    (head, bytes)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement; run it alone: cargo test --release -- --ignored --nocapture three_million"]
async fn three_million_cells_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    limits::publish(folder.path()).await;
    for format in FORMATS {
        // A program of its own for each, so that no format profits from memory that another has left behind.
        let releases = folder.path().to_str().unwrap();
        let server = Server::start(program().args(["serve", "--public", "*", "--releases", releases, "--max-cells", &CELLS.to_string()]));
        let host = server.address.trim_start_matches("http://").to_owned();
        // The highest mark is set anew, or what opening the releases took for a moment would count.
        fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").unwrap();
        let before = most_memory(server.pid());
        let started = Instant::now();
        let (head, bytes) = download(&host, &format!("/api/v2/tables/wide/data?{SELECTION}&outputFormat={format}"));
        assert!(head.starts_with("HTTP/1.1 200 "), "{format}: {head}");
        let took = started.elapsed().as_secs_f64();
        let rise = most_memory(server.pid()).saturating_sub(before);
        println!(
            "{format:10} {:6.1} MB in {:5.2} s, {:5.0} MB/s, memory rose by {} MiB",
            bytes as f64 / 1e6,
            took,
            bytes as f64 / 1e6 / took,
            rise >> 20
        );
        assert!(rise < NUMBERS + BESIDE, "{format} took {} MiB", rise >> 20);
    }
}
