//! Statements that mean it ill are refused or ended, and the service stays up.

use std::{
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use super::{Asked, asked, start, wire::Wire};
use crate::http::client::request;

/// A statement that has no result, and the codes by which that may be told.
fn refused(wire: &mut Wire, text: &str, codes: &[&str]) -> String {
    let heard = wire.ask(text);
    let (code, said) = heard.error.unwrap_or_else(|| panic!("{text} gives {} rows", heard.rows.len()));
    assert!(codes.contains(&code.as_str()), "{text}: {code} {said}");
    assert!(!said.is_empty() && !said.contains("panicked"), "{text}: {said}");
    said
}

fn stays_up(asked: &Asked) {
    assert_eq!(Wire::connect(asked.port).value("SELECT count(*) FROM dim_sex"), "3");
    assert_eq!(request(asked.address, "GET", "/api/v2/tables", &[], b"").status, 200);
}

#[test]
fn nothing_but_reading() {
    let mut wire = Wire::connect(asked().port);
    for text in [
        "INSERT INTO people VALUES ('2024-S1')",
        "INSERT INTO people SELECT * FROM people",
        "UPDATE people SET value = 1",
        "DELETE FROM people",
        "DROP TABLE people",
        "DROP SCHEMA cacah CASCADE",
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t AS SELECT * FROM people",
        "CREATE VIEW v AS SELECT 1",
        "CREATE FUNCTION f() RETURNS INT LANGUAGE SQL AS 'SELECT 1'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY people TO '/tmp/out.csv'",
        "COPY (SELECT * FROM people) TO '/tmp/out.parquet' STORED AS PARQUET",
        "COPY people FROM '/etc/passwd'",
        "TRUNCATE people",
        "ALTER TABLE people ADD COLUMN a INT",
        "GRANT ALL ON people TO test",
        "WITH gone AS (DELETE FROM people RETURNING *) SELECT * FROM gone",
        "SELECT * INTO t FROM people",
    ] {
        refused(&mut wire, text, &["25006", "0A000", "42601"]);
    }
    for text in ["EXPLAIN ANALYZE SELECT 1", "EXPLAIN DELETE FROM people", "PREPARE p AS SELECT 1", "EXECUTE p", "LISTEN x", "CALL f()"] {
        refused(&mut wire, text, &["0A000", "25006", "42601"]);
    }
    for text in ["SET datafusion.execution.target_partitions = 64", "SET datafusion.catalog.location = '/'", "SET role = 'admin'"] {
        refused(&mut wire, text, &["42704"]);
    }
    refused(&mut wire, "SET default_transaction_read_only = off", &["25006"]);
    refused(&mut wire, "SET TRANSACTION READ WRITE", &["25006"]);
    // What follows a refused statement in the same text is not run either.
    let heard = wire.ask("DROP TABLE people; SELECT 1");
    assert!(heard.error.is_some() && heard.rows.is_empty());
    stays_up(asked());
}

#[test]
fn no_files_and_no_settings() {
    let mut wire = Wire::connect(asked().port);
    for text in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM \"file:///etc/passwd\"",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('x.parquet')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_sleep(100)",
    ] {
        refused(&mut wire, text, &["42P01", "42883", "42601", "42703"]);
    }
    stays_up(asked());
}

#[test]
fn endless_statements_end() {
    let (asked, bounds) = (start(), super::bounds());
    for text in [
        "SELECT count(*) FROM people a, people b, people c, people d, people e",
        "SELECT a.region FROM people a, people b, people c, people d ORDER BY a.value, d.value",
        "SELECT count(*) FROM people a JOIN people b ON a.value < b.value JOIN people c ON c.value < b.value JOIN people d ON d.value > 0",
        "SELECT count(DISTINCT a.region || b.region || c.region || d.age || c.age || b.age) FROM people a, people b, people c, people d",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t CROSS JOIN people) SELECT sum(n) FROM t",
        "SELECT count(*) FROM generate_series(1, 1000000000000)",
        "SELECT array_agg(a.region_label || b.region_label) FROM people a, people b, people c",
        "SELECT string_agg(a.region_label, ',') FROM people a, people b, people c",
    ] {
        let mut wire = Wire::connect(asked.port);
        let started = Instant::now();
        let said = refused(&mut wire, text, &["57014", "53200", "0A000", "42601", "53300"]);
        assert!(started.elapsed() < bounds.time + Duration::from_secs(5), "{text} took {:?}: {said}", started.elapsed());
        // The connection is of use afterwards.
        assert_eq!(wire.value("SELECT 1"), "1");
    }
    let mut wire = Wire::connect(asked.port);
    wire.ask("SET statement_timeout = 200");
    let started = Instant::now();
    refused(&mut wire, "SELECT count(*) FROM people a, people b, people c, people d, people e", &["57014"]);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    stays_up(&asked);
}

#[test]
fn values_that_would_take_all_memory_are_not_made() {
    let mut wire = Wire::connect(asked().port);
    for text in [
        "SELECT repeat('x', 2000000000)",
        "SELECT repeat(region, 100000000) FROM people",
        "SELECT repeat('x', 100000), region FROM people",
        "SELECT lpad('x', 2000000000)",
        "SELECT rpad('x', 2000000000)",
        "SELECT array_repeat(1, 2000000000)",
        "SELECT range(1, 100000000000)",
        "SELECT generate_series(1, 100000000000)",
        "SELECT array_resize([1], 2000000000)",
        "SELECT regexp_replace(repeat(region_label, 1000), '.', 'xxxxxxxxxxxxxxxxxxxx', 'g') FROM people",
        "SELECT array_to_string(array_repeat(repeat(region, 1000), 1000), '') FROM people",
        "SELECT map([repeat('x', 1000)], [repeat('x', 1000)])",
        "SELECT array_transform([1], x -> repeat('x', x))",
    ] {
        refused(&mut wire, text, &["42883", "42601", "0A000", "22000", "42703"]);
    }
    // What analysts write is answered.
    for (text, expect) in [
        ("SELECT lpad(region, 6, '0') FROM people WHERE region = '11' LIMIT 1", "000011"),
        ("SELECT concat(region, '-', replace(sex, 'T', 'total')) FROM people WHERE region = '11' AND sex = 'T' LIMIT 1", "11-total"),
        (
            "SELECT region || '/' || sex || '/' || age || '/' || period || '/' || region || '/' || sex || '/' || age FROM people \
          WHERE region = '11' AND sex = 'T' AND age = 'T' AND period = '2024-S1'",
            "11/T/T/2024-S1/11/T/T",
        ),
        ("SELECT regexp_replace('a1b22', '[0-9]+', '#', 'g')", "a#b#"),
        ("SELECT array_to_string(ARRAY['a', 'b'], '+')", "a+b"),
        ("SELECT repeat('ab', 3)", "ababab"),
        ("SELECT string_agg(code, ',' ORDER BY code) FROM dim_sex", "L,P,T"),
    ] {
        assert_eq!(wire.value(text), expect, "{text}");
    }
    stays_up(asked());
}

#[test]
fn odd_texts_are_no_harm() {
    let mut wire = Wire::connect(asked().port);
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    let wide = format!("SELECT {}1", "1+".repeat(30_000));
    let nested = format!("SELECT {}1{}", "abs(".repeat(2000), ")".repeat(2000));
    let ors = format!("SELECT count(*) FROM people WHERE {}false", "region = 'a' OR ".repeat(3000));
    let long = format!("SELECT '{}'", "x".repeat(1 << 20));
    let wrote = format!("DELETE FROM people WHERE {}false", "region = 'a' OR ".repeat(3000));
    for text in [deep, nested, long, wide, ors, wrote] {
        refused(&mut wire, &text, &["42601"]);
    }
    // As much as is let through is no harm either, read or refused.
    let ors = format!("{}false", "region = 'a' OR ".repeat(300));
    assert_eq!(wire.value(&format!("SELECT count(*) FROM people WHERE {ors}")), "0");
    assert_eq!(wire.value(&format!("SELECT {}1", "1+".repeat(300))), "301");
    refused(&mut wire, &format!("DELETE FROM people WHERE {ors}"), &["25006"]);
    let codes = "'1101', ".repeat(5000);
    assert_eq!(wire.value(&format!("SELECT count(DISTINCT region) FROM people WHERE region IN ({codes} '11')")), "2");
    let large = "x".repeat(1 << 20);
    assert_eq!(wire.ask_with("SELECT count(*) FROM people WHERE region = $1", &[&large]).error.unwrap().0, "22023");
    for text in ["SELECT", "'", "\"", "--", "/*", ";;;;", "SELECT $1", "\u{feff}SELECT 1", "SELECT 1/0", "SELECT 'a'::int"] {
        wire.ask(text);
    }
    stays_up(asked());
}

#[test]
fn messages_that_are_none_end_only_their_connection() {
    use std::io::{Read, Write};
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &[255; 64], b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x2e"] {
        let mut stream = TcpStream::connect(asked().port).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream.write_all(bytes).unwrap();
        // Whatever is answered, and be it nothing.
        let _ = stream.read(&mut [0; 64]);
    }
    let mut wire = Wire::connect(asked().port);
    wire.send(Some(b'P'), b"\0SELECT region, value FROM people\0\0\0");
    // Formats for fewer columns than there are.
    wire.send(Some(b'B'), b"\0\0\0\0\0\0\0\x05\0\x01\0\x01\0\x01\0\x01\0\x01");
    wire.send(Some(b'E'), b"\0\0\0\0\0");
    stays_up(asked());
}

#[test]
fn tables_are_served_while_statements_take_all_their_turns() {
    let own = start();
    let (port, address) = (own.port, own.address);
    let asking: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || Wire::connect(port).ask("SELECT count(*) FROM people a, people b, people c, people d, people e").error)
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    for _ in 0..5 {
        let path = "/api/v2/tables/people/data?valuecodes[Region]=*&valuecodes[Tid]=*&valuecodes[ContentsCode]=*";
        assert_eq!(request(address, "GET", path, &[], b"").status, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(2), "tables waited for {:?}", started.elapsed());
    for asking in asking {
        let (code, said) = asking.join().unwrap().expect("an endless statement has no result");
        assert!(["57014", "53300", "53200"].contains(&code.as_str()), "{code} {said}");
    }
}
