//! The report written down: as sheets, which are pages, workbooks and tables at the terminal, and as lines for programs.

use chrono::NaiveDate;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{
    InstitutionUsage, Usage,
    tally::{Tally, ranked},
};
use crate::{
    access::{Duty, office_time},
    error::{Error, Result},
    spreadsheet::CsvWriter,
    words::{Phrase, Tongue, phrases},
};

phrases! {
    INSTITUTIONS = "Institutions" | "Lembaga";
    DAYS = "Days" | "Hari";
    TABLES = "Tables" | "Tabel";
    REGIONS = "Regions" | "Wilayah";
    FORMATS = "Formats" | "Format";
    SURFACES = "Ways" | "Jalur";
    USERS = "Users" | "Pengguna";
    INSTITUTION = "institution" | "lembaga";
    NAME = "name" | "nama";
    STANDING = "standing" | "keadaan";
    ACCOUNTS = "accounts" | "akun";
    ACTIVE = "used" | "dipakai";
    UNUSED = "not used" | "tidak dipakai";
    NEVER = "never signed in" | "belum pernah masuk";
    ACCESSES = "accesses" | "akses";
    PER_DAY = "a day" | "per hari";
    CELLS = "cells" | "sel";
    SUPPRESSED = "suppressed" | "dirahasiakan";
    REFUSED = "refused" | "ditolak";
    PEAK = "busiest day" | "hari tersibuk";
    PEAK_ACCESSES = "accesses on it" | "akses pada hari itu";
    REPORT = "report" | "laporan";
    DAY = "day" | "tanggal";
    TABLE = "table" | "tabel";
    REGION = "region" | "wilayah";
    FORMAT = "format" | "format";
    SURFACE = "way" | "jalur";
    USER = "user id" | "kode pengguna";
    TOTAL = "all institutions" | "semua lembaga";
    OPEN = "not signed in" | "tanpa masuk";
    TITLE = "Use of the service in {0}" | "Pemakaian layanan pada {0}";
    NONE_OWED = "none owed" | "tidak wajib";
    FILED = "filed on {0} by {1}" | "diserahkan {0} oleh {1}";
    DUE = "due by {0}" | "paling lambat {0}";
    OVERDUE = "overdue since {0}" | "terlambat sejak {0}";
}

/// What stands in a place of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A text.
    Text(String),
    /// A count.
    Count(u64),
    /// A day.
    Day(NaiveDate),
    /// Nothing.
    Nothing,
}

/// A table of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What it is called in addresses and files.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Names of its columns.
    pub columns: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<Item>>,
}

impl Item {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// The same for people at a terminal.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Day(day) => day.to_string(),
            Self::Nothing => String::new(),
        }
    }
}

/// Where an institution stands with its report, for people.
pub fn duty_text(duty: &Duty, tongue: Tongue) -> String {
    match duty {
        Duty::None => NONE_OWED.text(tongue).to_owned(),
        Duty::Filed(filed) => FILED.with(office_time(filed.at).date().to_string()).and(filed.by.as_str()).text(tongue),
        Duty::Due(day) => DUE.with(day.to_string()).text(tongue),
        Duty::Overdue(day) => OVERDUE.with(day.to_string()).text(tongue),
    }
}

impl Usage {
    /// What the report is called.
    pub fn title(&self, tongue: Tongue) -> String {
        TITLE.with(self.period.to_string()).text(tongue)
    }

    /// The tables of the report.
    pub fn sheets(&self, tongue: Tongue) -> Vec<Sheet> {
        let say = |phrases: &[&'static Phrase]| phrases.iter().map(|phrase| phrase.text(tongue)).collect::<Vec<_>>();
        let columns = [
            &INSTITUTION,
            &NAME,
            &STANDING,
            &ACCOUNTS,
            &ACTIVE,
            &UNUSED,
            &NEVER,
            &ACCESSES,
            &PER_DAY,
            &CELLS,
            &SUPPRESSED,
            &REFUSED,
            &PEAK,
            &PEAK_ACCESSES,
            &REPORT,
        ];
        let mut rows: Vec<Vec<Item>> = self.institutions.iter().map(|usage| self.line(usage, tongue)).collect();
        if rows.len() > 1 {
            let [accounts, used, unused, never] = [
                self.institutions.iter().map(|usage| usage.accounts).sum::<usize>(),
                self.institutions.iter().map(|usage| usage.accounts - usage.unused.len()).sum(),
                self.institutions.iter().map(|usage| usage.unused.len()).sum(),
                self.institutions.iter().map(|usage| usage.never.len()).sum(),
            ]
            .map(|count| Item::Count(count as u64));
            let mut total = vec![Item::Nothing, Item::text(TOTAL.text(tongue)), Item::Nothing, accounts, used, unused, never];
            total.extend(self.counts(&self.total()));
            total.push(Item::Nothing);
            rows.push(total);
        }
        if self.open != Tally::default() {
            let mut open = vec![Item::Nothing, Item::text(OPEN.text(tongue))];
            open.extend((0..5).map(|_| Item::Nothing));
            open.extend(self.counts(&self.open));
            open.push(Item::Nothing);
            rows.push(open);
        }
        let mut sheets = vec![Sheet { id: "institutions", name: INSTITUTIONS.text(tongue), columns: say(&columns), rows }];
        let days = self.each(|tally| tally.days.iter().map(|(day, count)| (Item::Day(*day), *count)).collect());
        let named = |counts: fn(&Tally) -> &std::collections::BTreeMap<String, u64>| {
            self.each(|tally| ranked(counts(tally)).into_iter().map(|(name, count)| (Item::text(name), count)).collect())
        };
        let lists: [(&'static str, &Phrase, &'static Phrase, Vec<Vec<Item>>); 6] = [
            ("days", &DAYS, &DAY, days),
            ("tables", &TABLES, &TABLE, named(|tally| &tally.tables)),
            ("regions", &REGIONS, &REGION, named(|tally| &tally.regions)),
            ("formats", &FORMATS, &FORMAT, named(|tally| &tally.formats)),
            ("ways", &SURFACES, &SURFACE, named(|tally| &tally.surfaces)),
            ("users", &USERS, &USER, self.users()),
        ];
        for (id, name, column, rows) in lists {
            sheets.push(Sheet { id, name: name.text(tongue), columns: say(&[&INSTITUTION, column, &ACCESSES]), rows });
        }
        sheets
    }

    fn line(&self, usage: &InstitutionUsage, tongue: Tongue) -> Vec<Item> {
        let institution = &usage.institution;
        let [accounts, used, unused, never] = [usage.accounts, usage.accounts - usage.unused.len(), usage.unused.len(), usage.never.len()]
            .map(|count| Item::Count(count as u64));
        let mut line = vec![
            Item::text(&institution.code),
            Item::text(&institution.name),
            Item::text(institution.standing.word()),
            accounts,
            used,
            unused,
            never,
        ];
        line.extend(self.counts(&usage.tally));
        line.push(Item::Text(duty_text(&usage.duty, tongue)));
        line
    }

    /// Accesses, accesses a day, cells, suppressed ones, refusals, the busiest day and the accesses on it.
    fn counts(&self, tally: &Tally) -> Vec<Item> {
        let last = self.period.reference_date().min(office_time(self.at).date());
        // Of the semester that is not over, the days that have been.
        let days = (last - self.period.first_date()).num_days().max(0).unsigned_abs() + 1;
        let (peak, accesses) = match tally.peak_days(1).first() {
            Some((day, accesses)) => (Item::Day(*day), Item::Count(*accesses)),
            None => (Item::Nothing, Item::Nothing),
        };
        let counts = [tally.accesses, tally.accesses.div_ceil(days), tally.cells, tally.suppressed, tally.refused];
        counts.into_iter().map(Item::Count).chain([peak, accesses]).collect()
    }

    /// Rows of every institution: its code, something, and how often.
    fn each(&self, counts: impl Fn(&Tally) -> Vec<(Item, u64)>) -> Vec<Vec<Item>> {
        let mut rows = Vec::new();
        let open = std::iter::once(("", &self.open));
        for (code, tally) in self.institutions.iter().map(|usage| (usage.institution.code.as_str(), &usage.tally)).chain(open) {
            rows.extend(counts(tally).into_iter().map(|(item, count)| vec![Item::text(code), item, Item::Count(count)]));
        }
        rows
    }

    /// Every account, those that were not used included.
    fn users(&self) -> Vec<Vec<Item>> {
        let mut rows = Vec::new();
        for usage in &self.institutions {
            let unused = usage.unused.iter().map(|user_id| (user_id.as_str(), 0));
            for (user_id, count) in ranked(&usage.tally.users).into_iter().chain(unused) {
                rows.push(vec![Item::text(&usage.institution.code), Item::text(user_id), Item::Count(count)]);
            }
        }
        rows
    }

    /// A line for each count: period, institution, measure, what it is of, count. Names are the English ones, for programs.
    ///
    /// # Errors
    /// Where memory cannot be written to, which does not happen.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let failed = |error: std::io::Error| Error::Internal(format!("a report that cannot be written: {error}"));
        let mut writer = CsvWriter::new(Vec::new());
        writer.record(["period", "institution", "measure", "item", "count"]).map_err(failed)?;
        let period = self.period.to_string();
        for sheet in self.sheets(Tongue::English) {
            let is_wide = sheet.id == "institutions";
            for row in &sheet.rows {
                let institution = row[0].plain();
                if is_wide {
                    let of = if institution.is_empty() { row[1].plain() } else { institution };
                    for (column, item) in sheet.columns.iter().zip(row).skip(3) {
                        let (text, count) =
                            if let Item::Count(count) = item { (String::new(), count.to_string()) } else { (item.plain(), String::new()) };
                        if !(text.is_empty() && count.is_empty()) {
                            writer.record([period.as_str(), &of, column, &text, &count]).map_err(failed)?;
                        }
                    }
                } else {
                    let item = row[1].plain();
                    writer.record([period.as_str(), &institution, sheet.id, &item, &row[2].plain()]).map_err(failed)?;
                }
            }
        }
        writer.finish().map_err(failed)
    }

    /// A workbook with a sheet for each table of the report.
    ///
    /// # Errors
    /// Where it has more rows than a sheet can have.
    pub fn workbook(&self, tongue: Tongue) -> Result<Vec<u8>> {
        let failed = |error: XlsxError| Error::Internal(format!("a workbook that cannot be written: {error}"));
        let mut workbook = Workbook::new();
        let properties = DocProperties::new().set_title(self.title(tongue));
        let created = ExcelDateTime::from_timestamp(self.at.timestamp()).map_err(failed)?;
        workbook.set_properties(&properties.set_creation_datetime(&created));
        for sheet in self.sheets(tongue) {
            fill(workbook.add_worksheet(), &sheet).map_err(failed)?;
        }
        workbook.save_to_buffer().map_err(failed)
    }
}

fn fill(into: &mut Worksheet, sheet: &Sheet) -> std::result::Result<(), XlsxError> {
    let (bold, number, date) =
        (Format::new().set_bold(), Format::new().set_num_format("#,##0"), Format::new().set_num_format("yyyy-mm-dd"));
    into.set_name(sheet.name)?;
    for (at, column) in (0..).zip(&sheet.columns) {
        into.set_column_width(at, if at == 1 { 34.0 } else { 16.0 })?;
        into.write_string_with_format(0, at, *column, &bold)?;
    }
    into.set_freeze_panes(1, 0)?;
    for (row, items) in (1..).zip(&sheet.rows) {
        for (at, item) in (0..).zip(items) {
            match item {
                Item::Text(text) => into.write_string(row, at, text)?,
                Item::Count(count) => into.write_number_with_format(row, at, *count as f64, &number)?,
                Item::Day(day) => into.write_datetime_with_format(row, at, ExcelDateTime::parse_from_str(&day.to_string())?, &date)?,
                Item::Nothing => continue,
            };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_say_the_same_in_both_languages() {
        for phrase in ALL {
            let marks = |tongue| ["{0}", "{1}"].map(|mark| phrase.text(tongue).contains(mark));
            assert_eq!(marks(Tongue::English), marks(Tongue::Indonesian), "{}", phrase.text(Tongue::English));
        }
    }

    #[test]
    fn lines_and_sheets_tell_the_same() {
        let mut tally = Tally { accesses: 2, cells: 20, ..Tally::default() };
        tally.tables.insert("labour".into(), 2);
        let usage = Usage { period: "2024-S1".parse().unwrap(), institutions: Vec::new(), open: tally, at: chrono::DateTime::UNIX_EPOCH };
        let sheets = usage.sheets(Tongue::English);
        assert!(sheets.iter().all(|sheet| sheet.rows.iter().all(|row| row.len() == sheet.columns.len())));
        let lines = String::from_utf8(usage.csv().unwrap()).unwrap();
        for line in ["2024-S1,not signed in,accesses,,2", "2024-S1,not signed in,cells,,20", "2024-S1,,tables,labour,2"] {
            assert!(lines.lines().any(|found| found == line), "no '{line}' in {lines}");
        }
        assert!(usage.workbook(Tongue::Indonesian).unwrap().starts_with(b"PK"));
    }

    #[test]
    fn no_line_and_no_sheet_has_a_formula() {
        use calamine::Reader as _;

        let mut tally = Tally { accesses: 1, ..Tally::default() };
        tally.formats.insert("=HYPERLINK(\"x\")".into(), 1);
        let usage = Usage { period: "2024-S1".parse().unwrap(), institutions: Vec::new(), open: tally, at: chrono::DateTime::UNIX_EPOCH };
        let lines = String::from_utf8(usage.csv().unwrap()).unwrap();
        assert!(lines.contains("formats,\"'=HYPERLINK(\"\"x\"\")\",1"), "{lines}");
        let mut book = calamine::Xlsx::new(std::io::Cursor::new(usage.workbook(Tongue::English).unwrap())).unwrap();
        let mut texts = Vec::new();
        for sheet in book.sheet_names() {
            assert!(book.worksheet_formula(&sheet).unwrap().used_cells().next().is_none(), "{sheet}");
            texts.extend(book.worksheet_range(&sheet).unwrap().used_cells().map(|(_, _, cell)| cell.to_string()));
        }
        assert!(texts.iter().any(|text| text == "=HYPERLINK(\"x\")"), "{texts:?}");
    }
}
