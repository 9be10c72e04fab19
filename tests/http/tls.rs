//! Encrypted connections: what a browser is told over them, and a certificate that is renewed while the service runs.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use cacah::{
    access::Access,
    serve::{ServeSettings, TlsFiles},
};
use chrono::Utc;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::CertificateDer};

use super::{
    access::{PASSWORD, active, asked_for, institution},
    client::{Reply, parse},
    serving, settings,
    sql::wire::Wire,
};

/// Writes a new certificate with its key; gives back what clients trust it by.
fn issue(files: &TlsFiles) -> CertificateDer<'static> {
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(&files.key, issued.signing_key.serialize_pem()).unwrap();
    fs::write(&files.certificate, issued.cert.pem()).unwrap();
    issued.cert.der().clone()
}

fn trusting(certificate: &CertificateDer<'static>, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut settings = settings.with_root_certificates(roots).with_no_client_auth();
    settings.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(settings)
}

/// Asks over an encrypted connection; an error where the certificate is not trusted.
fn ask(address: SocketAddr, trust: &CertificateDer<'static>, request: &str) -> std::io::Result<Reply> {
    let session = ClientConnection::new(trusting(trust, &["http/1.1"]), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(session, TcpStream::connect(address)?);
    stream.write_all(request.replace('\n', "\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(parse(&answer))
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\nhost: localhost\nconnection: close\n\n")
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

#[test]
fn connections_are_encrypted_and_browsers_told_to_stay_so() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let trust = issue(&files);
    let access = Arc::new(Access::open(&folder.path().join("access.sqlite")).unwrap());
    access.add_institution(&institution("ALL", None), "tests", "", Utc::now()).unwrap();
    let user = active(&access, &asked_for("ALL", None, "1"), Utc::now());
    let postgres = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let service = serving(&ServeSettings { tls: Some(files.clone()), access: Some(access), postgres, ..settings() });
    let page = ask(service.address, &trust, &get("/method")).unwrap();
    assert_eq!((page.status, page.header("strict-transport-security")), (200, Some("max-age=31536000")));
    let form = format!("user={user}&password={}", PASSWORD.replace(' ', "+"));
    let post = format!("POST /sign-in HTTP/1.1\nhost: localhost\nconnection: close\ncontent-length: {}\n\n{form}", form.len());
    let reply = ask(service.address, &trust, &post).unwrap();
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-cacah_session=") && cookie.contains("; Secure"), "{cookie}");
    let session = cookie.split(';').next().unwrap();
    let tables =
        ask(service.address, &trust, &get("/api/v2/tables").replace("connection", &format!("cookie: {session}\nconnection"))).unwrap();
    assert!(tables.text().contains("https://localhost/api/v2"), "{}", tables.text());

    // HTTP/2 is offered, and somebody who does not finish his handshake keeps nobody out.
    let silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(service.address).unwrap()).collect();
    let mut session = ClientConnection::new(trusting(&trust, &["h2"]), "localhost".try_into().unwrap()).unwrap();
    let mut stream = TcpStream::connect(service.address).unwrap();
    session.complete_io(&mut stream).unwrap();
    assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));
    drop(silent);
    let mut plain = TcpStream::connect(service.address).unwrap();
    plain.write_all(get("/method").replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "nothing is answered unencrypted");
    // Clients of PostgreSQL are encrypted by the same certificate, and none is answered that is not.
    let port = service.port.unwrap();
    let mut stream = TcpStream::connect(port).unwrap();
    stream.write_all(&[8u32.to_be_bytes(), 80_877_103u32.to_be_bytes()].concat()).unwrap();
    let mut agreed = [0];
    stream.read_exact(&mut agreed).unwrap();
    assert_eq!(agreed, *b"S");
    let session = ClientConnection::new(trusting(&trust, &["postgresql"]), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(session, stream);
    let startup = [&196_608u32.to_be_bytes()[..], format!("user\0{user}\0database\0cacah\0\0").as_bytes()].concat();
    stream.write_all(&[&(startup.len() as u32 + 4).to_be_bytes()[..], &startup].concat()).unwrap();
    let mut asked = [0; 9];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(asked[0], b'R', "a password is asked for");
    stream.write_all(&[&b"p"[..], &(PASSWORD.len() as u32 + 5).to_be_bytes(), PASSWORD.as_bytes(), b"\0"].concat()).unwrap();
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(asked, [b'R', 0, 0, 0, 8, 0, 0, 0, 0], "he is let in");
    assert_eq!(Wire::enter(service.port.unwrap(), &user, PASSWORD).err().unwrap().0, "28000");
}

#[test]
fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let first = issue(&files);
    let service = serving(&ServeSettings { tls: Some(files.clone()), ..settings() });
    let is_shown = |trust: &CertificateDer<'static>| ask(service.address, trust, &get("/healthz")).is_ok_and(|reply| reply.status == 200);
    assert!(is_shown(&first));
    fs::write(&files.certificate, "no certificate").unwrap();
    std::thread::sleep(Duration::from_secs(6));
    assert!(is_shown(&first), "a broken certificate takes nothing away");
    let second = issue(&files);
    let until = Instant::now() + Duration::from_secs(20);
    while !is_shown(&second) {
        assert!(Instant::now() < until, "the renewed certificate is not shown");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(!is_shown(&first));
}

#[test]
fn files_that_are_no_certificate_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = files(folder.path());
    issue(&good);
    let other = TlsFiles { certificate: folder.path().join("other.pem"), key: folder.path().join("other-key.pem") };
    issue(&other);
    let says = |files: TlsFiles, wanted: &str| {
        let settings = ServeSettings { tls: Some(files), ..settings() };
        let said = super::refuses(&settings);
        assert!(said.contains(wanted), "no '{wanted}' in {said}");
    };
    says(TlsFiles { certificate: folder.path().join("none.pem"), ..good.clone() }, "none.pem");
    says(TlsFiles { key: good.certificate.clone(), ..good.clone() }, "expected a private key");
    says(TlsFiles { certificate: good.key.clone(), ..good.clone() }, "no certificate");
    says(TlsFiles { key: other.key, ..good }, "does not go with");
}
