//! Starting, stopping, and requests that are no requests.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use cacah::{serve::Application, storage::Store};
use tokio::sync::oneshot;

use super::{
    client::{parse, raw, request},
    get, service, settings,
    world::World,
};

const ALL: &str = "/api/v2/tables/people/data?valueCodes[Region]=*&valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=persons&valueCodes[Tid]=*";

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    World::new().publish(&store).await;
    let application = Application::build(&store, &settings()).await.unwrap();
    let address = application.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(application.run(async move {
        let _ = stopped.await;
    }));
    let whole = tokio::task::spawn_blocking(move || request(address, "GET", ALL, &[], b"")).await.unwrap();
    assert_eq!(whole.status, 200);

    // A POST whose body is still on its way when the stop comes.
    let (mut stream, idle) = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "POST {} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 2\r\n\r\n{{", ALL.split('?').next().unwrap()).unwrap();
        (stream, TcpStream::connect(address).unwrap())
    })
    .await
    .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!running.is_finished(), "it does not wait for the answer under way");
    let answer = tokio::task::spawn_blocking(move || {
        assert!(TcpStream::connect(address).is_err(), "it still accepts");
        stream.write_all(b"}").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        parse(&answer)
    })
    .await
    .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("it stops").unwrap().unwrap();
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    World::new().publish(&store).await;
    let settings = cacah::serve::ServeSettings { patience: Duration::from_millis(100), ..settings() };
    let application = Application::build(&store, &settings).await.unwrap();
    let address = application.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(application.run(async move {
        let _ = stopped.await;
    }));
    let mut stream = tokio::task::spawn_blocking(move || TcpStream::connect(address).unwrap()).await.unwrap();
    write!(stream, "POST /api/v2/tables/people/data HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{").unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("it stops").unwrap().unwrap();
    drop(stream);
}

#[test]
fn an_address_of_100_kb_is_too_long() {
    for length in [70_000, 100_000] {
        let path = format!("{ALL}&x={}", "y".repeat(length));
        let reply = request(service().address, "GET", &path, &[], b"");
        let problem = reply.problem();
        assert_eq!((reply.status, problem["title"].as_str()), (414, Some("Address too long")));
        assert!(problem["detail"].as_str().unwrap().contains("POST ke /api/v2/tables/{id}/data"));
    }
    let long = request(service().address, "GET", &format!("{ALL}&x={}", "y".repeat(60_000)), &[], b"");
    assert_eq!(long.status, 200);
    assert_eq!(get("/config").status, 200, "the service lives");
}

#[test]
fn heads_without_end_and_without_sense_are_explained() {
    let headers = "x: y\r\n".repeat(30_000);
    let reply = raw(service().address, format!("GET /api/v2/config HTTP/1.1\r\nhost: x\r\n{headers}\r\n").as_bytes());
    assert_eq!((reply.status, reply.problem()["title"].as_str()), (431, Some("Request head too large")));
    let reply = raw(service().address, b"HELLO THERE\r\n\r\n");
    assert_eq!((reply.status, reply.problem()["title"].as_str()), (400, Some("Malformed request")));
    let reply = raw(service().address, b"GET /api/v2/tables/%FF%FE HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!((reply.status, reply.problem()["title"].as_str()), (400, Some("Illegal request")));
}

#[test]
fn a_body_beyond_the_limit_is_refused_whole() {
    let codes = vec!["\"11\""; 40_000].join(",");
    let body = format!(r#"{{"selection":[{{"variableCode":"Region","valueCodes":[{codes}]}}]}}"#);
    let reply = super::post("/tables/people/data", &body);
    let problem = reply.problem();
    assert_eq!((reply.status, problem["title"].as_str()), (413, Some("Request body too large")));
    assert!(problem["detail"].as_str().unwrap().contains("100000 bita"));
}
