//! A table of 30 million cells, and requests that are as wrong as they get, against the real program.

use std::{fmt::Write as _, fs, io::Read, path::Path};

use cacah::{
    audit::{Effort, certify},
    register::{Definitions, Links, Sources, Status, ZeroMask},
    release::Draft,
    storage::Store,
    worlds::{Counted, Proof, Rule},
};
use flate2::read::GzDecoder;
use serde_json::Value;

use super::{client::request, world::census};
use crate::{
    common::program,
    support::{Server, ask},
};

/// Places, sexes and bands of age, periods: 250 001 x 3 x 8 x 5 = 30 000 120 cells.
const PLACES: u32 = 250_000;
const PERIODS: [&str; 5] = ["2022-S1", "2022-S2", "2023-S1", "2023-S2", "2024-S1"];

fn definitions() -> Definitions {
    let mut places = String::from("level,code,parent,name\n");
    for place in 0..PLACES {
        let _ = writeln!(places, "place,{place:06},,Place {place}");
    }
    let place = "id = \"place\"\nvariable = \"Place\"\nlabel = { en = \"place\" }\n\
         [[level]]\nid = \"total\"\nlabel = { en = \"Total\" }\n[[level]]\nid = \"place\"\nlabel = { en = \"Place\" }\n\
         [reference]\nfile = \"place.csv\"\ncode = [\"code\"]\nname = [\"name\"]\nparent = [\"parent\"]\nlevel = [\"level\"]\n\
         [reference.root]\ncode = \"ALL\"\nlabel = { en = \"Everywhere\" }\n\
         [source]\nkind = \"region\"\nparts = [{ column = \"P\", digits = 6 }]\n";
    let mut ages = String::from("level,code,parent,en\ntotal,T,,Total\n");
    for age in 0..7 {
        let _ = writeln!(ages, "band,A{age},T,Band {age}");
    }
    let dimension = |id: &str, variable: &str, level: &str| {
        format!(
            "id = \"{id}\"\nvariable = \"{variable}\"\nlabel = {{ en = \"{id}\" }}\nnodes = \"{id}.csv\"\n\
             [[level]]\nid = \"total\"\nlabel = {{ en = \"Total\" }}\n[[level]]\nid = \"{level}\"\nlabel = {{ en = \"{level}\" }}\n\
             [source]\nkind = \"code\"\ncolumn = \"{variable}\"\n"
        )
    };
    let text = |en: &str| format!("{{ en = \"{en}\" }}");
    let register = format!(
        "id = \"wide\"\nlabel = {0}\nagency = \"WIDE\"\nsource = {0}\nlicense = \"https://example.org\"\nfrequency = \"semester\"\n\
         [[languages]]\nid = \"en\"\nlabel = \"English\"\n",
        text("A wide country")
    );
    let table = format!(
        "id = \"wide\"\nlabel = {0}\ndescription = {0}\nsubject = {0}\nunit = \"person\"\n\
         [contents]\ncode = \"persons\"\nlabel = {0}\nunit = {0}\n\
         [[axis]]\ndimension = \"place\"\nlevel = \"place\"\n[[axis]]\ndimension = \"sex\"\nlevel = \"sex\"\n\
         [[axis]]\ndimension = \"age\"\nlevel = \"band\"\n",
        text("People")
    );
    let files = [
        ("register.toml", register),
        ("dimensions/place.toml", place.to_owned()),
        ("dimensions/place.csv", places),
        ("dimensions/sex.toml", dimension("sex", "Sex", "sex")),
        ("dimensions/sex.csv", "level,code,parent,en\ntotal,T,,Both\nsex,M,T,Male\nsex,F,T,Female\n".into()),
        ("dimensions/age.toml", dimension("age", "Age", "band")),
        ("dimensions/age.csv", ages),
        ("tables/wide.toml", table),
    ];
    let sources: Sources = files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    Definitions::parse(&sources, None).unwrap()
}

/// Publishes one period for real and the others as copies of it under their own names.
pub async fn publish(folder: &Path) {
    let (definitions, store) = (definitions(), Store::open(folder.to_str().unwrap()).unwrap());
    let table = &definitions.tables[0];
    let shape = definitions.shape(table);
    let (zeros, counts) = (ZeroMask::new(table, &shape, &definitions.zeros), vec![0; shape.cells as usize]);
    let counted = [Counted { table, shape: &shape, zeros: &zeros, counts: &counts, few: &[] }];
    // Nobody lives there, so that there is nothing to protect.
    let statuses = vec![vec![Status::Published; counts.len()]];
    let links = Links::default();
    let census = census(&counted, &definitions, &links);
    let audited = certify(&census, statuses, &Proof::default(), &Rule::threshold(5), &Effort::default(), &[]).unwrap().unwrap();
    let mut draft = Draft::start(&store, &definitions, PERIODS[0].parse().unwrap(), None, 0).await.unwrap();
    draft.fill(&counted, &audited).unwrap();
    draft.complete().unwrap();
    draft.publish().await.unwrap();
    let first = folder.join(PERIODS[0]).join("r1");
    for period in &PERIODS[1..] {
        let other = folder.join(period).join("r1");
        for part in ["cells", "codelists"] {
            fs::create_dir_all(other.join(part)).unwrap();
            for file in fs::read_dir(first.join(part)).unwrap() {
                let path = file.unwrap().path();
                fs::hard_link(&path, other.join(part).join(path.file_name().unwrap())).unwrap();
            }
        }
        fs::hard_link(first.join("audit.json"), other.join("audit.json")).unwrap();
        let manifest = fs::read_to_string(first.join("manifest.json")).unwrap();
        fs::write(other.join("manifest.json"), manifest.replace(PERIODS[0], period)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_million_cells_and_other_impositions() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path()).await;
    let server = Server::start(program().args(["serve", "--public", "*", "--releases", folder.path().to_str().unwrap()]));
    let host = server.address.trim_start_matches("http://").to_owned();
    let before = server.memory("VmHWM:");
    let refused = |path: &str, status: u16, title: &str, says: &[&str]| {
        let answer = ask(&host, path);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && head.contains("application/problem+json"), "{path:.100}: {head}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["title"], title, "{path:.100}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(says.iter().all(|part| detail.contains(part)), "{path:.100}: {detail}");
    };
    let wide = "/api/v2/tables/wide/data?valueCodes[Sex]=*&valueCodes[Age]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=*";
    let everything = format!("{wide}&valueCodes[Place]=*");
    let size = "the selection has 30000120 cells (Place 250001 x Sex 3 x Age 8 x ContentsCode 1 x Tid 5)";
    for format in ["json-stat2", "csv"] {
        let path = format!("{everything}&outputFormat={format}");
        refused(&path, 400, "Too many cells selected", &[size, "the most that one answer may have is 1000000; narrow Place"]);
    }
    let sheet = "/api/v2/tables/wide/data?valueCodes[Place]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=2024-S1&outputFormat=xlsx";
    let says = ["the table has 2 rows and 250003 columns", "at most 1048576 and 16384", "take csv or parquet"];
    refused(&format!("{sheet}&heading=Place&stub=ContentsCode,Tid"), 413, "Too large for the format", &says);
    let answer = ask(&host, "/sdmx/2.1/data/WIDE/all");
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("<mes:ErrorMessage code=\"510\">"), "{answer}");
    let size = "the selection has 30000120 cells (PLACE 250001 x SEX 3 x AGE 8 x CONTENTS 1 x TIME_PERIOD 5)";
    assert!(answer.contains(size) && answer.contains("narrow PLACE"), "{answer}");
    refused("/api/v2/tables/narrow/data", 404, "Non-existent table", &["there is no table 'narrow'; there is wide"]);
    refused(&format!("{wide}&valueCodes[Planet]=*"), 400, "Non-existent variable", &["'Planet'", "Place, Sex, Age, ContentsCode, Tid"]);
    refused(
        &format!("{wide}&valueCodes[Place]=999999"),
        400,
        "Non-existent value",
        &["Place has no code '999999'", "there are 250001 codes"],
    );
    refused(&format!("{wide}&valueCodes[Place]=most(3)"), 400, "Illegal selection expression", &["'most(3)' is no selection of Place"]);
    refused(&format!("{wide}&valueCodes[Place]={}", "9".repeat(100_000)), 414, "Address too long", &["POST to /api/v2/tables/{id}/data"]);
    let metadata = server.get("/api/v2/tables/wide/metadata");
    assert!(metadata.len() > 10_000_000, "every place is described");
    assert!(server.get(&format!("{wide}&valueCodes[Place]=00000*")).contains("\"size\":[10,3,8,1,5]"));
    let after = server.memory("VmHWM:");
    assert!(after < before + 300, "memory rose from {before} to {after} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_whole_in_every_encoding() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path()).await;
    // With few places, which must be free again before the last byte is read.
    let server =
        Server::start(program().args(["serve", "--public", "*", "--releases", folder.path().to_str().unwrap(), "--max-requests", "4"]));
    let address = server.address.trim_start_matches("http://").parse().unwrap();
    let path = "/api/v2/tables/wide/data?valueCodes[Place]=*&valueCodes[ContentsCode]=*&valueCodes[Tid]=top(1)&outputFormat=csv";
    let ask = |encoding: &str| request(address, "GET", path, &[("accept-encoding", encoding)], b"");
    let plain = ask("identity");
    assert_eq!((plain.status, plain.header("content-length")), (200, Some(plain.body.len().to_string().as_str())));
    assert_eq!(plain.text().lines().count(), 1 + 250_001);
    for _ in 0..8 {
        let mut text = Vec::new();
        GzDecoder::new(&ask("gzip").body[..]).read_to_end(&mut text).expect("a whole stream of gzip");
        assert!(text == plain.body, "gzip");
        assert!(zstd::decode_all(&ask("zstd").body[..]).expect("a whole stream of zstd") == plain.body, "zstd");
    }
}
