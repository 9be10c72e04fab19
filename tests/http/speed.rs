//! How fast one district is answered, on the shipped definitions. Run by name: it measures, and asserts only the target.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use cacah::{
    protect,
    register::{Definitions, ZeroMask, shipped},
    release::Draft,
    serve::{Application, ServeSettings},
    storage::Store,
};

const CONNECTIONS: usize = 8;
const REQUESTS: usize = 1_000;

/// Publishes every shipped table for two semesters, with made-up counts.
async fn publish(store: &Store) -> Definitions {
    let definitions = Definitions::parse(&shipped(), None).unwrap();
    for period in ["2024-S1", "2024-S2"] {
        let mut draft = Draft::start(store, &definitions, period.parse().unwrap(), 5, None).await.unwrap();
        for (at, table) in definitions.tables.iter().enumerate() {
            let shape = definitions.shape(table);
            let counts: Vec<u32> = (0..shape.cells).map(|cell| (cell.wrapping_mul(2_654_435_761) >> 7) as u32 % 3_000).collect();
            let zeros = ZeroMask::new(table, &shape, &definitions.zeros);
            draft.add(at, &counts, &protect::primary(&shape, &zeros, &counts, 5)).await.unwrap();
        }
        draft.publish().await.unwrap();
    }
    definitions
}

/// Asks again and again on one connection; gives the time of each answer.
fn ask(address: SocketAddr, paths: &[String]) -> Vec<Duration> {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    stream.get_ref().set_nodelay(true).unwrap();
    let mut times = Vec::new();
    let mut body = Vec::new();
    for path in paths {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        let started = Instant::now();
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut length = 0;
        let mut line = String::new();
        let mut first = true;
        loop {
            line.clear();
            stream.read_line(&mut line).unwrap();
            assert!(!first || line.starts_with("HTTP/1.1 200"), "{line} {path}");
            first = false;
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).unwrap();
        times.push(started.elapsed());
    }
    times
}

fn processor() -> f64 {
    let fields = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = fields.rsplit(')').next().unwrap_or("");
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}

#[test]
#[ignore = "a measurement; run it alone: cargo test --release -- --ignored --nocapture speed"]
fn a_district_by_everything_in_5_ms() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let (definitions, address) = runtime.block_on(async {
        let definitions = publish(&store).await;
        let address = "127.0.0.1:0".parse().unwrap();
        let application = Application::build(&store, &ServeSettings { address, finished: 0, ..ServeSettings::default() }).await.unwrap();
        let address = application.address();
        tokio::spawn(application.run(std::future::pending()));
        (definitions, address)
    });
    let region = definitions.dimension("region").unwrap().1;
    let level = region.level("district").unwrap();
    let districts: Vec<&str> = region.nodes.iter().filter(|node| node.level == level).map(|node| node.code.as_str()).collect();
    for table in &definitions.tables {
        let axes = table.axes.iter().map(|axis| &definitions.dimension(&axis.dimension).unwrap().1.variable);
        let all: String = axes.skip(1).map(|variable| format!("&valueCodes[{variable}]=*")).collect();
        for tid in ["top(1)", "*"] {
            let paths: Vec<String> = (0..REQUESTS)
                .map(|at| {
                    let district = districts[at % districts.len()];
                    format!(
                        "/api/v2/tables/{}/data?valueCodes[Region]={district}{all}&valueCodes[ContentsCode]=*&valueCodes[Tid]={tid}",
                        table.id
                    )
                })
                .collect();
            ask(address, &paths[..100]);
            let (before, started) = (processor(), Instant::now());
            let mut times: Vec<Duration> = std::thread::scope(|scope| {
                let asked: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| ask(address, &paths))).collect();
                asked.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            let (spent, elapsed) = (processor() - before, started.elapsed());
            times.sort();
            let count = times.len();
            println!(
                "{:24} {tid:8} median {:6.2} ms, 99 % {:6.2} ms, {:6.0} answers/s, {:.2} ms of processor each, client included",
                table.id,
                times[count / 2].as_secs_f64() * 1e3,
                times[count * 99 / 100].as_secs_f64() * 1e3,
                count as f64 / elapsed.as_secs_f64(),
                spent * 1e3 / count as f64,
            );
            assert!(times[count / 2] < Duration::from_millis(5));
        }
    }
}
