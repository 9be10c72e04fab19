//! Requests for many users at once, from a file: CSV, or the first sheet of a workbook.

use std::io::{Cursor, Read as _};

use calamine::{Data, DataType as _, Reader as _, Xlsx};
use zip::ZipArchive;

use super::{Request, Role};
use crate::error::{Error, Result};

/// Columns of a file; those that may be missing or empty stand in [`OPTIONAL`].
pub const COLUMNS: [&str; 8] = ["institution", "region", "role", "employee_number", "name", "position", "local_id", "identity"];
const OPTIONAL: [&str; 3] = ["region", "role", "identity"];
/// Bytes of a file, at most, and of what a workbook unpacks to.
pub const MOST_BYTES: usize = 4 << 20;
const MOST_UNPACKED: u64 = 64 << 20;
/// Users of one file, at most.
const MOST_ROWS: usize = 10_000;

/// A request with the line of the file that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The line or row, from 1; the first holds the names of columns. `None` where there is no file.
    pub line: Option<usize>,
    /// What is asked for.
    pub request: Request,
}

impl Listed {
    /// Puts the line before what is wrong in it.
    pub fn fault(&self, problem: &str) -> String {
        self.line.map_or_else(|| problem.to_owned(), |line| format!("line {line}: {problem}"))
    }
}

/// A row of texts with its number.
type Row = (usize, Vec<String>);

/// Reads requests from the bytes of a file.
///
/// # Errors
/// Names every line that is wrong and what was expected there; then nothing of the file is taken.
pub fn read_requests(bytes: &[u8]) -> Result<Vec<Listed>> {
    if bytes.len() > MOST_BYTES {
        return Err(Error::Input(format!("the file has {} bytes; expected at most {MOST_BYTES}: divide it", bytes.len())));
    }
    let (mut rows, mut faults) = if bytes.starts_with(b"PK") { (sheet(bytes)?, Vec::new()) } else { lines(bytes) };
    if rows.is_empty() && faults.is_empty() {
        return Err(Error::Input(format!("the file is empty; expected a line with {}", COLUMNS.join(", "))));
    }
    if rows.len() > MOST_ROWS {
        return Err(Error::Input(format!("the file has {} lines; expected at most {MOST_ROWS}: divide it", rows.len())));
    }
    let headers = if rows.is_empty() { Vec::new() } else { rows.remove(0).1 };
    if let Some(unknown) = headers.iter().find(|name| !name.is_empty() && !COLUMNS.contains(&name.as_str())) {
        return Err(Error::Input(format!("line 1: there is no column '{unknown}'; expected {}", COLUMNS.join(", "))));
    }
    let place = |name: &str| headers.iter().position(|header| header == name);
    if let Some(missing) = COLUMNS.iter().find(|name| !OPTIONAL.contains(name) && place(name).is_none()) {
        return Err(Error::Input(format!("line 1: column '{missing}' is missing; expected {}", COLUMNS.join(", "))));
    }
    let mut requests = Vec::new();
    for (line, row) in rows {
        if row.iter().all(String::is_empty) {
            continue;
        }
        let get = |name: &str| place(name).and_then(|at| row.get(at)).cloned().unwrap_or_default();
        let given = |name: &str| Some(get(name)).filter(|text| !text.is_empty());
        let role = given("role").map_or(Ok(Role::Reader), |role| role.parse());
        match role {
            Ok(role) => requests.push(Listed {
                line: Some(line),
                request: Request {
                    institution: get("institution"),
                    region: given("region"),
                    role,
                    employee_number: get("employee_number"),
                    name: get("name"),
                    position: get("position"),
                    local_id: get("local_id"),
                    identity: given("identity"),
                },
            }),
            Err(error) => faults.push(format!("line {line}: role: {error}")),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Input(faults.join("\n")));
    }
    if requests.is_empty() {
        return Err(Error::Input("the file names no user".into()));
    }
    Ok(requests)
}

/// Rows of CSV, and what is wrong with others.
fn lines(bytes: &[u8]) -> (Vec<Row>, Vec<String>) {
    // Spreadsheets mark files as UTF-8, and in some countries divide by semicolons.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).trim(csv::Trim::All).from_reader(bytes);
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    // The reader takes the end of a line for a part of the next one, where lines end as on Windows.
    let (mut line, mut counted) = (1, 0);
    let mut line_of = |position: Option<&csv::Position>| {
        let begin = position.map_or(0, |position| position.byte() as usize).min(bytes.len());
        let begin = begin + bytes[begin..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += bytes[counted.min(begin)..begin].iter().filter(|byte| **byte == b'\n').count();
        counted = begin;
        line
    };
    for record in reader.records() {
        match record {
            Ok(record) => rows.push((line_of(record.position()), record.iter().map(str::to_owned).collect())),
            Err(error) => {
                let line = line_of(error.position());
                let problem = match error.kind() {
                    csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("expected {expected_len} fields, found {len}"),
                    csv::ErrorKind::Utf8 { .. } => "expected text in UTF-8".to_owned(),
                    _ => "it cannot be read as CSV".to_owned(),
                };
                faults.push(format!("line {line}: {problem}"));
            }
        }
    }
    (rows, faults)
}

/// Rows of the first sheet of a workbook.
fn sheet(bytes: &[u8]) -> Result<Vec<Row>> {
    let wrong = |problem: &dyn std::fmt::Display| Error::Input(format!("expected a workbook (.xlsx) or CSV: {problem}"));
    // A small file can unpack to more than memory holds.
    let mut packed = ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong(&error))?;
    let mut left = MOST_UNPACKED;
    for at in 0..packed.len() {
        let part = packed.by_index(at).map_err(|error| wrong(&error))?;
        left -= std::io::copy(&mut part.take(left), &mut std::io::sink()).map_err(|error| wrong(&error))?;
        if left == 0 {
            return Err(wrong(&format!("it unpacks to more than {MOST_UNPACKED} bytes")));
        }
    }
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| wrong(&error))?;
    let range = workbook.worksheet_range_at(0).ok_or_else(|| wrong(&"it has no sheet"))?.map_err(|error| wrong(&error))?;
    let first = range.start().map_or(0, |(row, _)| row as usize);
    Ok(range.rows().enumerate().map(|(at, row)| (first + at + 1, row.iter().map(text).collect())).collect())
}

/// What a cell says. Numbers of employees and regions are often kept as numbers.
fn text(cell: &Data) -> String {
    match cell.get_float().filter(|number| number.fract() == 0.0 && number.abs() < 1e15) {
        Some(number) => format!("{number:.0}"),
        None => cell.as_string().unwrap_or_default().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::Workbook;

    use super::*;

    const HEADER: &str = "institution,region,employee_number,name,position,local_id";

    fn workbook(rows: &[&[&str]]) -> Vec<u8> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for (at, row) in (0..).zip(rows) {
            for (column, text) in (0..).zip(*row) {
                match text.parse::<f64>() {
                    Ok(number) => sheet.write_number(at, column, number).unwrap(),
                    Err(_) => sheet.write_string(at, column, *text).unwrap(),
                };
            }
        }
        workbook.save_to_buffer().unwrap()
    }

    fn fault(bytes: &[u8]) -> String {
        read_requests(bytes).unwrap_err().to_string()
    }

    #[test]
    fn files_of_both_kinds_say_the_same() {
        let rows: [&[&str]; 3] = [
            &["institution", "region", "employee_number", "name", "position", "local_id"],
            &["TAX", "3404", "198203", "Sri Rahayu", "Analis", "srahayu"],
            &["TAX", "", "198204", "Budi, S.E.", "Kepala", "budi"],
        ];
        let text = format!("\u{feff}{HEADER}\r\nTAX,3404,198203,Sri Rahayu,Analis,srahayu\r\nTAX,,198204,\"Budi, S.E.\",Kepala,budi\r\n");
        let from_text = read_requests(text.as_bytes()).unwrap();
        assert_eq!(from_text, read_requests(&workbook(&rows)).unwrap());
        assert_eq!(from_text.iter().map(|listed| listed.line).collect::<Vec<_>>(), [Some(2), Some(3)]);
        assert_eq!((from_text[0].request.region.as_deref(), from_text[1].request.region.as_deref()), (Some("3404"), None));
        let divided = text.replace("\"Budi, S.E.\"", "Budi").replace(',', ";");
        assert_eq!(read_requests(divided.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn every_wrong_line_is_named() {
        let text = format!("{HEADER},role\nTAX,34,1,A,B,c,king\nTAX,34,2,A\nTAX,34,3,A,B,c,reader\n");
        let said = fault(text.as_bytes());
        assert!(said.contains("line 2: role: 'king' is none of reader") && said.contains("line 3: expected 7 fields, found 4"), "{said}");
        assert!(fault(b"institution,phone\n").contains("no column 'phone'"));
        assert!(fault(b"institution,region\n").contains("column 'employee_number' is missing"));
        assert!(fault(b"").contains("empty") && fault(HEADER.as_bytes()).contains("names no user"));
        assert!(fault(&[HEADER.as_bytes(), b"\nTAX,34,1,\xff,B,c\n"].concat()).contains("line 2: expected text in UTF-8"));
        assert!(fault(b"PK\x03\x04 no workbook").contains("expected a workbook"));
        assert!(fault(&vec![b'a'; MOST_BYTES + 1]).contains("divide it"));
    }

    #[test]
    fn a_workbook_that_swells_is_refused() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
        let zeros = vec![0u8; 1 << 20];
        for _ in 0..=MOST_UNPACKED >> 20 {
            std::io::Write::write_all(&mut writer, &zeros).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        assert!(bytes.len() < 1 << 20 && fault(&bytes).contains("unpacks to more"));
    }
}
