//! What opens in a spreadsheet holds no formulas, whatever regions are called.

use std::{fs, io::Cursor, path::Path};

use calamine::{Data, Reader as _, Xlsx};

use crate::{
    common::{program, regions, succeed},
    http::client::request,
    support::Server,
};

/// What a region is called by someone who wants readers' programs to call elsewhere, and what a part of it looks like behind the mark.
const FORMULA: &str = r#"=HYPERLINK("http://evil.example";"Yogya")"#;
const AT: &str = "@SUM(1+9)*cmd|' /C calc'!A0";

/// A release of which two regions are called like that.
fn published(here: &Path) {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let text =
        regions(&["34.71.01", "34.01.01"]).replace("Kota Yogyakarta", &quoted(FORMULA)).replace("Kabupaten Kulon Progo", &quoted(AT));
    assert!(text.contains("HYPERLINK") && text.contains("@SUM"), "{text}");
    fs::write(here.join("regions.csv"), text).unwrap();
    succeed(&["sample", "--period", "2024-S1", "--persons", "5000", "--out", "s.csv", "--regions", "regions.csv"], here);
    succeed(&["build", "s.csv", "--period", "2024-S1", "--regions", "regions.csv"], here);
    succeed(&["release", "2024-S1"], here);
}

/// Cells of a table, cut as a program does that expects this separator.
fn cells(text: &str, separator: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    reader.records().flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Whether a program would take a cell for a formula; numbers are none.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err()
}

#[test]
fn no_download_starts_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    published(here);
    let server = Server::start(program().args(["serve", "--public", "*"]).current_dir(here));
    let address = server.address.trim_start_matches("http://").parse().unwrap();
    let get = |path: &str| {
        let reply = request(address, "GET", path, &[], b"");
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        reply
    };
    let data = "/api/v2/tables/population/data?valueCodes[Region]=*&valueCodes[Tid]=*&valueCodes[ContentsCode]=persons";
    for path in [
        format!("{data}&outputFormat=csv&outputFormatParams=UseTexts,IncludeTitle"),
        format!("{data}&outputFormat=csv&outputFormatParams=UseCodesAndTexts,SeparatorSemicolon"),
        format!("{data}&outputFormat=csv&outputFormatParams=UseTexts,SeparatorTab"),
        "/sdmx/2.1/data/POPULATION/....persons?format=csv&labels=both".to_owned(),
        "/sdmx/2.1/data/POPULATION/....persons?format=csv2&labels=both".to_owned(),
        "/api/v2/queries/registry-book/data?outputFormat=csv".to_owned(),
        "/api/v2/queries/registry-development/data?outputFormat=csv".to_owned(),
    ] {
        let reply = get(&path);
        let text = reply.text().trim_start_matches('\u{feff}');
        assert!(text.lines().count() > 1, "{path}: {text}");
        for separator in *b",;\t" {
            let odd = cells(text, separator).into_iter().find(|cell| is_formula(cell));
            assert!(odd.is_none(), "{path}, cut at '{}': {odd:?}", char::from(separator));
        }
        if path.contains("UseTexts,SeparatorTab") {
            // What it is called can still be read.
            assert!(cells(text, b'\t').contains(&format!("'{FORMULA}")), "{text}");
        }
    }

    // In a workbook a text is a text, also if it looks like a formula, and needs no mark.
    let workbook = get(&format!("{data}&outputFormat=xlsx&outputFormatParams=UseTexts")).body;
    let mut book = Xlsx::new(Cursor::new(workbook)).unwrap();
    let mut texts = Vec::new();
    for sheet in book.sheet_names() {
        let formulas = book.worksheet_formula(&sheet).unwrap();
        assert!(formulas.used_cells().next().is_none(), "{sheet} has formulas");
        texts.extend(book.worksheet_range(&sheet).unwrap().used_cells().filter_map(|(_, _, cell)| match cell {
            Data::String(text) => Some(text.clone()),
            _ => None,
        }));
    }
    assert!(texts.iter().any(|text| text == FORMULA) && texts.iter().any(|text| text == AT), "{texts:?}");
}
