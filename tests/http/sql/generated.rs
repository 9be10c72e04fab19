//! Statements made at random out of everything that makes long texts, many rows and deep plans: whatever they ask for, the program takes no
//! more memory than it promises.
//!
//! `CACAH_TEST_STATEMENTS` says how many, 300 if it is not given; `CACAH_TEST_SEED` says which.

use std::{collections::BTreeMap, fmt::Write as _, fs, time::Instant};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::wire::Wire;
use crate::{common::program, http::limits::publish, support::Server};

/// What all statements together may hold, in MiB, and what may come on top of it.
const MEMORY: u64 = 256;
const SLACK: u64 = MEMORY / 5;

/// Makes statements.
struct Maker(Pcg64Mcg);

impl Maker {
    fn number(&mut self) -> String {
        let number: u64 = match self.0.random_range(0..6) {
            0 => self.0.random_range(0..10),
            1 => self.0.random_range(0..1000),
            2 => self.0.random_range(0..100_000),
            3 => 10_000_000,
            4 => 2_000_000_000,
            _ => 1,
        };
        number.to_string()
    }

    /// A text.
    fn text(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.0.random_range(0..6) {
                0 => format!("'{}'", "xyz ".repeat(self.0.random_range(1..240))),
                1 => "place_label".into(),
                2 => "sex_label".into(),
                3 => "value::text".into(),
                4 => "'é'".into(),
                _ => "place".into(),
            };
        }
        let (a, b, c) = (self.text(depth - 1), self.text(depth / 2), self.text(0));
        let (n, m) = (self.number(), self.number());
        match self.0.random_range(0..24) {
            0 => format!("repeat({a}, {n})"),
            1 => format!("lpad({a}, {n}, {c})"),
            2 => format!("rpad({a}, {n})"),
            3 => format!("replace({a}, {c}, {b})"),
            4 => format!("replace({a}, '', {b})"),
            5 => format!("regexp_replace({a}, '.', {b}, 'g')"),
            6 => format!("regexp_replace({a}, '(.*)', '$1$1$1$1$1$1$1$1', 'g')"),
            7 => format!("concat({a}, {b}, {a}, {b}, {a}, {b}, {a})"),
            8 => format!("concat_ws({c}, {a}, {b}, {a})"),
            9 => format!("({a} || {b} || {a} || {b} || {a})"),
            10 => format!("array_to_string(make_array({a}, {a}, {b}, {a}, {a}, {b}, {a}, {a}, {a}, {a}), {c})"),
            11 => format!("array_to_string(array_repeat({a}, {n}), {c})"),
            12 => format!("array_to_string(string_to_array({a}, {c}), {b})"),
            13 => format!("translate({a}, 'xyz', 'éüö')"),
            14 => format!("upper({a})"),
            15 => format!("encode({a}::bytea, 'hex')"),
            16 => format!("overlay({a} placing {b} from 1)"),
            17 => format!("CASE WHEN value > {n} THEN {a} ELSE {b} END"),
            18 => format!("coalesce({a}, {b}, {c})"),
            19 => format!("cast({a} AS varchar)"),
            20 => format!("to_char(now(), {a})"),
            21 => format!("substr({a}, 1, {m})"),
            22 => format!("(regexp_match({a}, '(.*)'))[1]"),
            _ => format!("array_to_string(array_resize(make_array({a}), {n}, {b}), ',')"),
        }
    }

    /// A list.
    fn list(&mut self, depth: usize) -> String {
        let (text, n, m) = (self.text(depth), self.number(), self.number());
        match self.0.random_range(0..8) {
            0 => format!("make_array({text}, {text}, {text}, {text})"),
            1 => format!("array_repeat({text}, {n})"),
            2 => format!("range({n}, {m})"),
            3 => format!("generate_series(1, {n})"),
            4 => format!("string_to_array({text}, '')"),
            5 => format!("array_concat(make_array({text}), array_repeat({text}, {n}))"),
            6 => format!("array_repeat(array_repeat({text}, {n}), {m})"),
            _ => format!("array_resize(make_array({text}), {n}, 'x')"),
        }
    }

    /// Something to read from.
    fn table(&mut self, depth: usize) -> String {
        match self.0.random_range(0..8) {
            0..3 => "wide".into(),
            3 => "(SELECT code AS place, label AS place_label, 1 AS value, '' AS sex_label FROM dim_place) t".into(),
            4 => "wide a CROSS JOIN dim_sex b".into(),
            5 if depth > 0 => {
                format!("(SELECT {} AS place, {} AS place_label, 1 AS value, '' AS sex_label FROM wide) t", self.text(depth), self.text(1))
            }
            6 => "(SELECT a.place, b.place_label, a.value, b.sex_label FROM wide a JOIN wide b ON a.place = b.place_parent) t".into(),
            _ => "(VALUES ('a', 'b', 1, 'c')) AS t(place, place_label, value, sex_label)".into(),
        }
    }

    fn statement(&mut self) -> String {
        let depth = self.0.random_range(0..5);
        let (text, other, list, table, n) = (self.text(depth), self.text(1), self.list(depth.min(2)), self.table(depth), self.number());
        match self.0.random_range(0..22) {
            0..3 => format!("SELECT {text}, {other} FROM {table} LIMIT {n}"),
            3 => format!("SELECT max(length({text})) FROM {table}"),
            4 => format!("SELECT {text} AS t, count(*) FROM {table} GROUP BY 1 ORDER BY 2 LIMIT 10"),
            5 => format!("SELECT string_agg({text}, {other}) FROM {table}"),
            6 => format!("SELECT length(array_to_string(array_agg({text}), ',')) FROM {table}"),
            7 => format!("SELECT unnest({list}), {other} FROM {table} LIMIT {n}"),
            8 => format!("SELECT count(*) FROM (SELECT unnest({list}) AS u, {text} AS t FROM {table}) x"),
            9 => format!("SELECT {text} FROM {table} ORDER BY {other} DESC LIMIT 100"),
            10 => format!("SELECT sum(value) OVER (PARTITION BY {other}), lag({text}) OVER (ORDER BY value) FROM {table} LIMIT 10"),
            11 => {
                let mut with = format!("WITH t0 AS (SELECT {text} AS place FROM wide)");
                for at in 1..self.0.random_range(2..30) {
                    let _ = write!(with, ", t{at} AS (SELECT a.place || b.place AS place FROM t{0} a, t{0} b)", at - 1);
                }
                format!("{with} SELECT count(*) FROM t1")
            }
            12 => format!(
                "WITH RECURSIVE r(t, n) AS (SELECT {other}, 1 UNION ALL SELECT t || t, n + 1 FROM r WHERE n < 60) SELECT max(length(t)) FROM r"
            ),
            13 => {
                let columns: Vec<String> = (0..self.0.random_range(5..60)).map(|at| format!("{} AS c{at}", self.text(1))).collect();
                format!("SELECT {} FROM {table} LIMIT 1000", columns.join(", "))
            }
            14 => format!("SELECT count(DISTINCT {text}) FROM {table}"),
            15 => format!("SELECT {other}, string_agg({text}, ',' ORDER BY value) FROM {table} GROUP BY 1"),
            16 => format!("SELECT place, string_agg({text}, {other}), array_agg({other}) FROM {table} GROUP BY 1 LIMIT {n}"),
            17 => {
                let gathered = ["string_agg", "array_agg", "max", "first_value", "last_value", "lead", "min"][self.0.random_range(0..7)];
                let given = if gathered == "string_agg" { format!("{text}, ','") } else { text };
                let order = ["", "ORDER BY value", "PARTITION BY place ORDER BY value", "ORDER BY value ROWS 1000 PRECEDING"];
                let order = order[self.0.random_range(0..order.len())];
                let order = if order.is_empty() && gathered == "lead" { "ORDER BY place" } else { order };
                format!("SELECT max(length(x)) FROM (SELECT {gathered}({given}) OVER ({order})::varchar AS x FROM {table}) t")
            }
            18 => format!("SELECT array_agg(DISTINCT {text}), string_agg(DISTINCT {other}, '-') FROM {table}"),
            19 => format!("SELECT {text} FROM {table} UNION SELECT {other} FROM wide"),
            20 => format!("SELECT {text}, max({other}) FROM {table} GROUP BY CUBE (1, place, value, place_label)"),
            _ => {
                let nested = (0..self.0.random_range(2..12)).fold(other, |within, _| format!("coalesce({within}, nullif({within}, 'x'))"));
                format!("SELECT max({}) FROM {table}", &nested[..nested.floor_char_boundary(60_000)])
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_takes_more_memory_than_is_promised() {
    let count: usize = std::env::var("CACAH_TEST_STATEMENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(300);
    let seed: u64 = std::env::var("CACAH_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(22);
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path()).await;
    let releases = folder.path().to_str().unwrap();
    let server = Server::start(program().args(["serve", "--public", "*", "--sql", "127.0.0.1:0", "--releases", releases]));
    let port = server.sql_port();
    // What it takes to read the table at all is no statement's fault.
    Wire::connect(port).ask("SELECT max(value), count(DISTINCT place) FROM wide WHERE period = '2024-S1' AND sex = 'T'");
    let before = server.memory("VmRSS:");
    fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").expect("the peak begins anew");
    let mut maker = Maker(Pcg64Mcg::seed_from_u64(seed));
    let started = Instant::now();
    let (mut answered, mut highest, mut codes) = (0, before, BTreeMap::<String, usize>::new());
    let mut wires: Vec<Wire> = (0..2).map(|_| Wire::connect(port)).collect();
    for number in 0..count / 2 {
        // Most of what rises does so at once.
        let time = if number % 8 == 0 { 500 } else { 60 };
        for wire in &mut wires {
            wire.ask(&format!("SET statement_timeout = {time}"));
        }
        let statements: Vec<String> = wires.iter().map(|_| maker.statement()).collect();
        let heard: Vec<Option<(String, String)>> = std::thread::scope(|scope| {
            let asking: Vec<_> = wires.iter_mut().zip(&statements).map(|(wire, text)| scope.spawn(move || wire.ask(text).error)).collect();
            asking.into_iter().map(|asking| asking.join().expect("the service is still there")).collect()
        });
        for error in heard {
            match error {
                None => answered += 1,
                Some((code, said)) => *codes.entry(format!("{code} {said:.30}")).or_default() += 1,
            }
        }
        let peak = server.memory("VmHWM:");
        if peak > highest {
            highest = peak;
            println!("{number}: {peak} MiB after {:.150} and {:.150}", statements[0], statements[1]);
        }
        assert!(
            peak <= before + MEMORY + SLACK,
            "memory rose from {before} to {peak} MiB with (seed {seed}, {number})\n{}\n{}",
            statements[0],
            statements[1]
        );
    }
    for (code, times) in codes.iter().filter(|(_, times)| **times * 100 > count) {
        println!("{times} times {code}");
    }
    println!("{answered} of {count} answered in {:?}; memory rose from {before} to {highest} MiB", started.elapsed());
    assert!(answered * 20 > count, "{answered} of {count} statements were answered, so that the others say little");
}
