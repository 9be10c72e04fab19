//! How fast one district is answered, on the shipped definitions. Run by name: it measures, and asserts only the target.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use cacah::{
    audit::{Effort, certify},
    engine::{ServingEngine, ServingSettings},
    formats::{Context, FORMATS, Format},
    register::{Definitions, Links, Shape, Status, Table, ZeroMask, shipped},
    release::{Catalogue, Draft},
    serve::{Application, ServeSettings},
    storage::Store,
    tables::{Library, Request, Selection, answer, resolve},
    worlds::{Counted, Proof, Rule},
};

use super::world::census;

const CONNECTIONS: usize = 8;
const REQUESTS: usize = 1_000;

/// How many people or households there are in a cell if there is one in every combination of what the tables of their unit
/// count. As no table shows all of that, nothing is small.
fn crowd(definitions: &Definitions, table: &Table, shape: &Shape, cell: u64) -> u32 {
    let of_unit = |dimension: &str| {
        definitions.tables.iter().any(|other| other.unit == table.unit && other.axes.iter().any(|axis| axis.dimension == dimension))
    };
    let positions = shape.coordinates(cell);
    let widths = definitions.dimensions.iter().filter(|dimension| of_unit(&dimension.id)).map(|dimension| {
        match table.axes.iter().position(|axis| axis.dimension == dimension.id) {
            Some(at) => shape.axes[at].bases[positions[at] as usize].len() as u32,
            None => dimension.base_leaves().len() as u32,
        }
    });
    widths.product::<u32>()
}

/// Publishes every shipped table for two semesters, with made-up counts.
async fn publish(store: &Store) -> Definitions {
    let mut definitions = Definitions::parse(&shipped(), None).unwrap();
    // Here everybody may be anything at any age.
    definitions.zeros.clear();
    for period in ["2024-S1", "2024-S2"] {
        let shapes: Vec<Shape> = definitions.tables.iter().map(|table| definitions.shape(table)).collect();
        let tables = || definitions.tables.iter().zip(&shapes);
        let zeros: Vec<ZeroMask> = tables().map(|(table, shape)| ZeroMask::new(table, shape, &definitions.zeros)).collect();
        let count = |(table, shape): (&Table, &Shape)| (0..shape.cells).map(|cell| crowd(&definitions, table, shape, cell)).collect();
        let counts: Vec<Vec<u32>> = tables().map(count).collect();
        let parts = tables().zip(zeros.iter().zip(&counts));
        let counted: Vec<Counted<'_>> =
            parts.map(|((table, shape), (zeros, counts))| Counted { table, shape, zeros, counts, few: &[] }).collect();
        let statuses = counts.iter().map(|counts| vec![Status::Published; counts.len()]).collect();
        let links = Links::default();
        let census = census(&counted, &definitions, &links);
        let audited = certify(&census, statuses, &Proof::default(), &Rule::threshold(5), &Effort::default(), &[]).unwrap().unwrap();
        let mut draft = Draft::start(store, &definitions, period.parse().unwrap(), None, 0).await.unwrap();
        draft.fill(&counted, &audited).unwrap();
        draft.complete().unwrap();
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
    let mut slowest = Duration::ZERO;
    for table in &definitions.tables {
        // Districts, or what the table has above them.
        let level = region.level("district").min(region.level(&table.axes[0].level)).unwrap();
        let districts: Vec<&str> = region.nodes.iter().filter(|node| node.level == level).map(|node| node.code.as_str()).collect();
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
            slowest = slowest.max(times[count / 2]);
        }
    }
    assert!(slowest < Duration::from_millis(5), "{slowest:?}");
}

/// What each step of an answer costs, without HTTP.
#[test]
#[ignore = "a measurement; run it alone: cargo test --release -- --ignored --nocapture steps"]
fn steps_of_an_answer() {
    let rounds: u32 = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    runtime.block_on(async {
        publish(&store).await;
        let catalogue = Catalogue::open(&store).await.unwrap();
        let engine = Arc::new(ServingEngine::new(&store, ServingSettings::default()).unwrap());
        let started = Instant::now();
        let library = Arc::new(Library::open(&catalogue, &engine).await.unwrap());
        println!("library {:?}", started.elapsed());
        let table = library.tables.iter().position(|entry| entry.table.id == "labour").unwrap();
        let select = |variable: &str, value: &str| Selection { variable: variable.into(), codelist: None, values: vec![value.into()] };
        for tid in ["top(1)", "*"] {
            let request = Request {
                selections: vec![
                    select("Region", "340101"),
                    select("Sex", "*"),
                    select("Age", "*"),
                    select("Occupation", "*"),
                    select("ContentsCode", "*"),
                    select("Tid", tid),
                ],
                ..Request::default()
            };
            let query = resolve(&library, table, &request, 1_000_000).unwrap();
            time(rounds, "resolve", || drop(resolve(&library, table, &request, 1_000_000).unwrap()));
            time(rounds, "fingerprint", || drop(query.fingerprint(&library)));
            let started = processor();
            for _ in 0..rounds {
                let (library, engine) = (Arc::clone(&library), Arc::clone(&engine));
                drop(answer(library, engine, query.clone()).await.unwrap());
            }
            println!("answer on this thread {:.0} us", (processor() - started) * 1e6 / f64::from(rounds));
            let started = processor();
            for _ in 0..rounds {
                let work = answer(Arc::clone(&library), Arc::clone(&engine), query.clone());
                drop(engine.compute(work).await.unwrap());
            }
            println!("answer on the engine's {:.0} us", (processor() - started) * 1e6 / f64::from(rounds));
            let answered = Arc::new(answer(Arc::clone(&library), Arc::clone(&engine), query.clone()).await.unwrap());
            println!("{} cells", answered.values.len());
            for format in FORMATS.map(|name| Format::parse(name, &[]).unwrap()) {
                let context = Context { library: Arc::clone(&library), language: 0, base: "http://x/api/v2".into() };
                time(rounds, format.ending(), || {
                    let mut document = format.document(context.clone(), Arc::clone(&answered)).unwrap();
                    let mut out = Vec::with_capacity(16 << 10);
                    while document.fill(&mut out).unwrap() {}
                });
            }
        }
    });
}

fn time(rounds: u32, name: &str, mut step: impl FnMut()) {
    let started = processor();
    for _ in 0..rounds {
        step();
    }
    println!("{name} {:.0} us", (processor() - started) * 1e6 / f64::from(rounds));
}
