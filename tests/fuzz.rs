//! Everything that comes from the network is bent, cut and mixed at random and sent on: whatever it is, the answer is an answer.
//!
//! A minute of this belongs to every run of the tests; `CACAH_FUZZ_SECONDS=3600 cargo test --release fuzz` looks longer, and
//! `CACAH_FUZZ_SEED` repeats a run. What was found is named by the input that did it.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use cacah::{
    access::{Record, read_requests},
    serve::ServeSettings,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use crate::http::{client::parse, serving, settings, sql::wire::Wire};

/// Seconds for each kind of input, if nobody says otherwise.
const SECONDS: u64 = 4;

/// Bends inputs.
struct Bender {
    random: Pcg64,
    until: Instant,
    tries: u64,
}

/// Pieces that mean something to one of our parsers.
const PIECES: [&str; 40] = [
    "*",
    "?",
    ",",
    "..",
    "top(1)",
    "from(2024-S1)",
    "range(11,12)",
    "children(11)",
    "(",
    ")",
    "[",
    "]",
    "%",
    "%00",
    "%ff",
    "%5B",
    "&",
    "=",
    "+",
    ";",
    "'",
    "\"",
    "\\",
    "\r\n",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "😀",
    "-1",
    "0",
    "18446744073709551616",
    "1e308",
    "NaN",
    "null",
    "{",
    "}",
    "--",
    "/*",
    "$1",
    "::text",
];

impl Bender {
    fn new(kind: u64) -> Self {
        let told = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let seed = told("CACAH_FUZZ_SEED").unwrap_or(20_241_231);
        let seconds = told("CACAH_FUZZ_SECONDS").map_or(SECONDS, |all| (all / 7).max(1));
        Self { random: Pcg64::seed_from_u64(seed ^ kind), until: Instant::now() + Duration::from_secs(seconds), tries: 0 }
    }

    /// Whether there is time for another try.
    fn goes_on(&mut self) -> bool {
        self.tries += 1;
        Instant::now() < self.until
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.random.random_range(0..all.len())]
    }

    /// One of the seeds, bent a few times.
    fn bent(&mut self, seeds: &[&[u8]]) -> Vec<u8> {
        let mut bytes = self.one_of(seeds).to_vec();
        for _ in 0..self.random.random_range(0..6) {
            let at = self.random.random_range(0..=bytes.len());
            let end = (at + self.random.random_range(0..=24)).min(bytes.len());
            match self.random.random_range(0..7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.random.random_range(0..8),
                1 if at < bytes.len() => bytes[at] = self.random.random_range(0..=255),
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let piece = bytes[at..end].repeat(self.random.random_range(1..40));
                    drop(bytes.splice(at..at, piece));
                }
                4 => {
                    let other = self.one_of(seeds);
                    let from = self.random.random_range(0..=other.len());
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
                _ => {
                    let piece = self.one_of(&PIECES);
                    drop(bytes.splice(at..at, piece.bytes()));
                }
            }
        }
        bytes
    }

    fn bent_text(&mut self, seeds: &[&str]) -> String {
        let seeds: Vec<&[u8]> = seeds.iter().map(|seed| seed.as_bytes()).collect();
        String::from_utf8_lossy(&self.bent(&seeds)).into_owned()
    }
}

/// What an address may have anywhere, so that all but the first byte of it reaches our own parsers.
fn in_address(text: &str) -> String {
    let mut address = String::new();
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'#' => address.push(byte.into()),
            _ => {
                let _ = write!(address, "%{byte:02x}");
            }
        }
    }
    address
}

/// Sends bytes as they are; an answer must come that is no failure of ours, unless the connection is closed without one.
fn sent(address: SocketAddr, bytes: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).expect("the service listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // It may close as soon as it has seen enough.
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer.starts_with(b"HTTP/1.1 ").then(|| parse(&answer).status)
}

fn holds(address: SocketAddr, bytes: &[u8]) {
    let status = sent(address, bytes).unwrap_or(400);
    assert!(status < 500 || status == 503 || status == 501, "{status} for {}", String::from_utf8_lossy(bytes));
}

/// A service without secrets, in which nothing is too often.
fn address() -> SocketAddr {
    serving(&settings()).address
}

const QUERIES: [&str; 12] = [
    "/api/v2/tables/people/data?lang=en&valuecodes[Region]=11*,12&valuecodes[Age]=A&valuecodes[Sex]=*&valuecodes[Tid]=top(1)&valuecodes[ContentsCode]=*&outputFormat=csv&outputFormatParams=UseTexts,SeparatorTab",
    "/api/v2/tables/people/data?codelist[Region]=vs_region_regency&valuecodes[Region]=range(1101,1201)&heading=Sex&stub=Region,Age,Tid,ContentsCode&outputFormat=px",
    "/api/v2/tables?query=people&pastDays=3&pageNumber=1&pageSize=2&includeDiscontinued=true",
    "/api/v2/tables/people/metadata?outputFormat=json-px",
    "/api/v2/savedqueries/people~eyJhIjoxfQ/data",
    "/sdmx/2.1/data/TOY,people,1.0/A.11+12.T..2024-S2?startPeriod=2023-S1&endPeriod=2024-S2&detail=full&dimensionAtObservation=AllDimensions&firstNObservations=1",
    "/sdmx/2.1/availableconstraint/people/all/all/Region?mode=available",
    "/sdmx/2.1/codelist/TOY/CL_SEX/latest/L+P?references=parents&detail=allstubs",
    "/charts/bars.svg?table=people&valuecodes[Region]=11&theme=print&width=960&format=png",
    "/charts/map.png?table=people&codelist[Region]=vs_region_regency&classes=5&method=jenks",
    "/tables/people?view=pivot&valuecodes[Region]=children(11)&sort=value&lang=en",
    "/search?q=people+in+north+2024&lang=en",
];

#[test]
fn addresses_are_answered_whatever_they_say() {
    let (address, mut bender) = (address(), Bender::new(1));
    while bender.goes_on() {
        let path = in_address(&bender.bent_text(&QUERIES));
        let accept =
            bender.bent_text(&["text/html,*/*;q=0.8", "application/vnd.sdmx.data+csv;version=2.0.0;labels=both", "text/csv;q=0.1, */*"]);
        let accept: String = accept.chars().filter(|char| char.is_ascii_graphic() || *char == ' ').collect();
        let tag = bender.bent_text(&["\"abc\"", "W/\"x\", *"]).replace(['\r', '\n', '\0'], "");
        let head = format!(
            "GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: {accept}\r\nif-none-match: {tag}\r\n\r\n",
            path.trim_start_matches('/')
        );
        holds(address, head.as_bytes());
    }
    assert!(bender.tries > 100, "only {} tries", bender.tries);
}

#[test]
fn bodies_are_answered_whatever_they_say() {
    let (address, mut bender) = (address(), Bender::new(2));
    let bodies = [
        r#"{"selection":[{"variableCode":"Region","codelist":"vs_region_regency","valueCodes":["11*","top(2)"]},{"variableCode":"Tid","valueCodes":["from(2024-S1)"]}],"placement":{"heading":["Tid"],"stub":["Region"]}}"#,
        r#"{"tableId":"people","language":"en","outputFormat":"csv","selection":[{"variableCode":"ContentsCode","valueCodes":["*"]}]}"#,
        "[[[[[[[[[[",
        "\"\\ud800\"",
        "{}",
    ];
    while bender.goes_on() {
        let path = bender.one_of(&[
            "/api/v2/tables/people/data?outputFormat=json-stat2",
            "/api/v2/savedqueries",
            "/api/v2/tables/people/estimate",
        ]);
        let bytes: Vec<&[u8]> = bodies.iter().map(|body| body.as_bytes()).collect();
        let body = bender.bent(&bytes);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        holds(address, &[head.as_bytes(), &body].concat());
    }
    assert!(bender.tries > 100, "only {} tries", bender.tries);
}

#[test]
fn heads_are_answered_whatever_they_are() {
    let (address, mut bender) = (address(), Bender::new(3));
    let heads = [
        "GET /api/v2/tables HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept-encoding: gzip, zstd\r\n\r\n",
        "POST /api/v2/tables/people/data HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: x\r\norigin: y\r\nconnection: close\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0",
        "HEAD / HTTP/1.0\r\ncookie: a=b; cacah_session=\u{7f}\r\nx-forwarded-for: 1.2.3.4, ::1, x\r\nx-request-id: a-b\r\n\r\n",
    ];
    let bytes: Vec<&[u8]> = heads.iter().map(|head| head.as_bytes()).collect();
    while bender.goes_on() {
        let head = bender.bent(&bytes);
        holds(address, &head);
    }
    assert!(bender.tries > 100, "only {} tries", bender.tries);
}

#[test]
fn forms_and_keys_are_answered_whatever_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let access = std::sync::Arc::new(cacah::access::Access::open(&folder.path().join("access.sqlite")).unwrap());
    let address = serving(&ServeSettings { access: Some(access), ..settings() }).address;
    let mut bender = Bender::new(4);
    while bender.goes_on() {
        let path = bender.one_of(&[
            "/account/keys",
            "/admin/users",
            "/admin/users/file",
            "/admin/institutions/X",
            "/usage?period=2024-S1",
            "/sign-out",
            "/admin/users/%231",
        ]);
        let token = bender.bent_text(&["cacah_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Basic x", "", "bearer cacah_"]);
        let token: String = token.chars().filter(|char| !char.is_control()).collect();
        let media =
            bender.one_of(&["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "multipart/form-data", "text/plain"]);
        let body = bender.bent(&[
            b"form=x&act=suspend&reason=y&until=2024-02-30&name=z",
            b"--b\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n",
        ]);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncookie: cacah_session={token}\r\nauthorization: Bearer {token}\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let bytes = [head.as_bytes(), &body].concat();
        let status = sent(address, &bytes).unwrap_or(400);
        assert!((400..500).contains(&status) || status == 303, "{status} for {}", String::from_utf8_lossy(&bytes));
    }
    assert!(bender.tries > 100, "only {} tries", bender.tries);
}

#[test]
fn statements_are_answered_whatever_they_say() {
    let service = serving(&ServeSettings { postgres: Some(SocketAddr::from(([127, 0, 0, 1], 0))), ..settings() });
    let port = service.port.unwrap();
    let mut bender = Bender::new(5);
    let statements = [
        "SELECT region, sum(value) FROM people WHERE period = '2024-S2' AND region LIKE '11%' GROUP BY region ORDER BY 2 DESC LIMIT 3",
        "WITH a AS (SELECT * FROM people WHERE sex IN ('L', 'P')) SELECT published_sum(value, status) OVER (PARTITION BY age) FROM a",
        "SELECT CASE WHEN value > 10 THEN percent(value, 100) END, region::text || 'x' FROM people JOIN dim_region ON code = region",
        "SET search_path = 'cacah'; SHOW server_version; BEGIN; ROLLBACK TO a; COMMIT",
        "SELECT date_trunc('day', '2024-01-01'::timestamp), array_agg(value), '{\"a\":1}' FROM people WHERE value BETWEEN 1 AND 2",
    ];
    let mut wire = Wire::connect(port);
    while bender.goes_on() {
        let text = bender.bent_text(&statements).replace('\0', "");
        // Whatever it says, the connection is ready for more afterwards; panics inside become errors of class XX.
        let heard = wire.ask(&text);
        if let Some((code, message)) = heard.error {
            assert!(!code.starts_with("XX"), "{code} {message} for {text}");
        }
    }
    assert!(bender.tries > 50, "only {} tries", bender.tries);
}

#[test]
fn messages_of_postgresql_are_answered_whatever_they_are() {
    let service = serving(&ServeSettings { postgres: Some(SocketAddr::from(([127, 0, 0, 1], 0))), ..settings() });
    let port = service.port.unwrap();
    let mut bender = Bender::new(6);
    let startup = b"\0\0\0\x21\0\x03\0\0user\0cacah\0database\0cacah\0\0";
    let seeds: [&[u8]; 5] = [
        &[&startup[..], b"Q\0\0\0\x0dSELECT 1\0"].concat(),
        &[&startup[..], b"P\0\0\0\x14\0SELECT $1\0\0\0\0B\0\0\0\x12\0\0\0\0\0\x01\0\0\0\x011\0\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04"].concat(),
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02",
        &[&startup[..], b"X\0\0\0\x04"].concat(),
    ];
    while bender.goes_on() {
        let bytes = bender.bent(&seeds);
        let mut stream = TcpStream::connect(port).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    // Others are served as before.
    assert_eq!(Wire::connect(port).value("SELECT 1"), "1");
    assert!(bender.tries > 100, "only {} tries", bender.tries);
}

#[test]
fn files_of_users_and_records_are_read_whatever_they_hold() {
    let mut bender = Bender::new(7);
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (at, name) in (0..).zip(["institution", "region", "employee_number", "name", "position", "local_id"]) {
        sheet.write_string(0, at, name).unwrap();
        sheet.write_string(1, at, "x").unwrap();
    }
    let workbook = workbook.save_to_buffer().unwrap();
    let files: [&[u8]; 2] = [b"institution,region,role,employee_number,name,position,local_id\nTAX,34,reader,1,\"A, b\",B,c\n", &workbook];
    let record = serde_json::to_vec(&Record { user: "TAX-1".into(), ..Record::default() }).unwrap();
    while bender.goes_on() {
        let bytes = bender.bent(&files);
        let read = catch_unwind(AssertUnwindSafe(|| read_requests(&bytes).is_ok()));
        assert!(read.is_ok(), "a panic over {bytes:?}");
        let line = bender.bent(&[&record]);
        assert!(catch_unwind(|| serde_json::from_slice::<Record>(&line).is_ok()).is_ok(), "a panic over {line:?}");
    }
    assert!(bender.tries > 100, "only {} tries", bender.tries);
}
