//! Limits of calls, names of requests, figures for monitoring, compressed answers.

use std::{io::Read, net::SocketAddr, sync::OnceLock, time::Duration};

use cacah::{
    serve::{Application, Rate, ServeSettings},
    storage::Store,
};
use flate2::read::GzDecoder;

use super::{
    client::{Reply, request},
    service, settings,
    world::World,
};

const DATA: &str =
    "/api/v2/tables/people/data?valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*&outputFormat=csv";

/// A service with a limit of calls; its address and that of its figures.
fn limited() -> (SocketAddr, SocketAddr) {
    static SERVICE: OnceLock<(SocketAddr, SocketAddr)> = OnceLock::new();
    *SERVICE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let addresses = runtime.block_on(async {
            let store = Store::open(folder.path().to_str().unwrap()).unwrap();
            World::new().publish(&store).await;
            let settings = ServeSettings {
                rate: Rate { calls: 5, window: Duration::from_secs(3600) },
                metrics: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
                ..settings()
            };
            let application = Application::build(&store, &settings).await.unwrap();
            let addresses = (application.address(), application.metrics_address().unwrap());
            tokio::spawn(application.run(std::future::pending()));
            addresses
        });
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        addresses
    })
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let (address, figures) = limited();
    let ask = |path: &str| request(address, "GET", path, &[], b"");
    let config = ask("/api/v2/config").json();
    assert_eq!((&config["maxCallsPerTimeWindow"], &config["timeWindow"]), (&5.into(), &3600.into()));
    for _ in 0..4 {
        assert_eq!(ask(DATA).status, 200);
    }
    let refused = ask(DATA);
    let wait: f64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(refused.status == 429 && wait > 3000.0 && wait <= 3600.0, "{} {wait}", refused.status);
    assert!(refused.problem()["detail"].as_str().unwrap().contains(&format!("{wait}")), "{}", refused.text());
    // Who watches over the service is never kept out.
    assert_eq!((ask("/healthz").status, ask("/readyz").status), (200, 200));

    let page = request(figures, "GET", "/metrics", &[], b"");
    let has = |line: &str| assert!(page.text().lines().any(|known| known == line), "{line} is not in\n{}", page.text());
    has(r#"cacah_http_requests_total{route="/api/v2/tables/{id}/data",method="GET",status="200"} 4"#);
    has(r#"cacah_http_requests_total{route="/api/v2/tables/{id}/data",method="GET",status="429"} 1"#);
    has(r#"cacah_answers_total{kind="computed"} 1"#);
    has(r#"cacah_answers_total{kind="finished"} 3"#);
    has(r#"cacah_refused_total{kind="rate"} 1"#);
    has("cacah_releases 3");
    has("cacah_requests_under_way 0");
    assert!(page.text().contains(r#"cacah_http_seconds_bucket{le="0.01",route="/api/v2/tables/{id}/data"}"#), "{}", page.text());
    // 8 regions, 3 sexes, 3 periods, four times.
    has(&format!("cacah_cells_served_total {}", 8 * 3 * 3 * 4));
}

fn ask(path: &str, headers: &[(&str, &str)]) -> Reply {
    request(service().address, "GET", path, headers, b"")
}

#[test]
fn a_request_has_a_name() {
    let own = ask("/healthz", &[]).header("x-request-id").unwrap().to_owned();
    assert_ne!(ask("/healthz", &[]).header("x-request-id"), Some(own.as_str()));
    assert_eq!(ask("/healthz", &[("x-request-id", "proxy-17.a")]).header("x-request-id"), Some("proxy-17.a"));
    assert_ne!(ask("/healthz", &[("x-request-id", "two words")]).header("x-request-id"), Some("two words"));
    // A client that has a name of its own learns ours, by which the log knows the request.
    let named = ask("/healthz", &[("x-request-id", "proxy-17.a")]);
    assert!(named.header("x-record-id").is_some_and(|ours| ours != "proxy-17.a" && ours.len() > 16), "{:?}", named.headers);
    assert_eq!(ask("/healthz", &[]).header("x-record-id"), None);
}

#[test]
fn answers_are_compressed_for_those_who_ask() {
    let plain = ask(DATA, &[]);
    assert!(plain.header("content-encoding").is_none());
    assert!(plain.header("vary").is_some_and(|vary| vary.to_ascii_lowercase().contains("accept-encoding")), "{:?}", plain.headers);
    let gzip = ask(DATA, &[("accept-encoding", "gzip")]);
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    GzDecoder::new(&gzip.body[..]).read_to_end(&mut text).unwrap();
    assert!(text == plain.body && gzip.body.len() < plain.body.len());
    let zstd = ask(DATA, &[("accept-encoding", "zstd, gzip;q=0.5")]);
    assert_eq!(zstd.header("content-encoding"), Some("zstd"));
    assert!(zstd::decode_all(&zstd.body[..]).unwrap() == plain.body);
    // The same words in other bytes have a weak tag, which is known again.
    let tag = gzip.header("etag").unwrap();
    assert_eq!(tag, format!("W/{}", plain.header("etag").unwrap()));
    assert_eq!(ask(DATA, &[("accept-encoding", "gzip"), ("if-none-match", tag)]).status, 304);
    // What is packed already is sent as it is.
    let parquet = ask(&DATA.replace("csv", "parquet"), &[("accept-encoding", "gzip")]);
    assert!(parquet.status == 200 && parquet.header("content-encoding").is_none());
}
