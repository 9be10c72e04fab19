//! The program's own words in answers, in every language that it speaks.
//!
//! Names of tables, variables and categories come from the definitions, in the register's languages. What the program
//! adds to an answer (names of its own variables and periods, notes, details of problems, headings) stands here, each
//! phrase once, with its translations side by side:
//!
//! ```
//! use cacah::words::{Message, NO_CODE, THERE_IS, Tongue};
//!
//! let message = NO_CODE.with("Region").and("1109").and(THERE_IS.with("1101, 1102"));
//! assert_eq!(message.text(Tongue::English), "Region has no code '1109'; there is 1101, 1102");
//! assert_eq!(message.text(Tongue::Indonesian), "Region tidak memiliki kode '1109'; yang ada: 1101, 1102");
//! ```
//!
//! A register may have languages that the program does not speak; its own words are then English. A new language is a
//! variant of [`Tongue`] and a column here. Titles of problems, codes, statuses and keys are the same in all languages,
//! because programs look for them.

use std::fmt::{self, Write as _};

use chrono::{Datelike, NaiveDate};

use crate::register::{Frequency, Period};

/// A language that the program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tongue {
    /// English, which also stands in for every language that the program does not speak.
    English,
    /// Indonesian.
    Indonesian,
}

impl Tongue {
    /// The tongue for a language of a register, by its ISO 639 code, with or without a region: `id`, `id-ID`.
    pub fn of(language: &str) -> Self {
        match language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "id" | "ind" => Self::Indonesian,
            _ => Self::English,
        }
    }

    /// The signs in numbers for people: between groups of three digits, and before the decimals.
    pub fn signs(self) -> (u8, u8) {
        match self {
            Self::English => (b',', b'.'),
            Self::Indonesian => (b'.', b','),
        }
    }
}

/// Something that the program says. `{0}`, `{1}`, ... stand for what it speaks of.
#[derive(Debug, PartialEq, Eq)]
pub struct Phrase {
    english: &'static str,
    indonesian: &'static str,
}

impl Phrase {
    /// Says the same in English and in Indonesian.
    pub(crate) const fn new(english: &'static str, indonesian: &'static str) -> Self {
        Self { english, indonesian }
    }

    /// The words as they stand.
    pub fn text(&self, tongue: Tongue) -> &'static str {
        match tongue {
            Tongue::English => self.english,
            Tongue::Indonesian => self.indonesian,
        }
    }

    /// A message that speaks of this.
    pub fn with(&'static self, part: impl Into<Part>) -> Message {
        Message::from(self).and(part)
    }
}

/// A phrase and what it speaks of: it becomes a text once the reader's language is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    phrase: &'static Phrase,
    parts: Vec<Part>,
}

/// What a message speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Something that is the same in every language: a code, a number.
    Text(String),
    /// Something said in turn.
    Message(Message),
    /// What somebody has written in English and in Indonesian.
    Written([String; 2]),
}

impl Message {
    /// Fills the next place.
    #[must_use]
    pub fn and(mut self, part: impl Into<Part>) -> Self {
        self.parts.push(part.into());
        self
    }

    /// The message in a language.
    pub fn text(&self, tongue: Tongue) -> String {
        let mut text = String::new();
        let mut rest = self.phrase.text(tongue);
        while let Some(open) = rest.find('{') {
            text.push_str(&rest[..open]);
            let place = rest[open + 1..].split_once('}').and_then(|(number, after)| Some((number.parse::<usize>().ok()?, after)));
            match place {
                Some((number, after)) => {
                    match self.parts.get(number) {
                        Some(Part::Text(part)) => text.push_str(part),
                        Some(Part::Message(part)) => text.push_str(&part.text(tongue)),
                        Some(Part::Written([english, indonesian])) => {
                            text.push_str(if tongue == Tongue::Indonesian { indonesian } else { english });
                        }
                        None => {}
                    }
                    rest = after;
                }
                None => {
                    text.push('{');
                    rest = &rest[open + 1..];
                }
            }
        }
        text.push_str(rest);
        text
    }
}

impl fmt::Display for Message {
    /// In English, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Tongue::English))
    }
}

impl From<&'static Phrase> for Message {
    fn from(phrase: &'static Phrase) -> Self {
        Self { phrase, parts: Vec::new() }
    }
}

impl From<Message> for Part {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Part {
    fn from(number: u64) -> Self {
        Self::Text(number.to_string())
    }
}

/// The name of a period for people, such as `Semester I 2024`.
pub fn period(period: Period, tongue: Tongue) -> String {
    let mut text = String::new();
    let (year, part) = (period.year(), period.part());
    // Writing to a string cannot fail.
    let _ = match (period.frequency(), tongue) {
        (Frequency::Annual, _) => write!(text, "{year}"),
        (Frequency::Semester, Tongue::English) => write!(text, "{} half of {year}", ["First", "Second"][part as usize - 1]),
        (Frequency::Semester, Tongue::Indonesian) => write!(text, "Semester {} {year}", ["I", "II"][part as usize - 1]),
        (Frequency::Quarter, Tongue::English) => {
            write!(text, "{} quarter of {year}", ["First", "Second", "Third", "Fourth"][part as usize - 1])
        }
        (Frequency::Quarter, Tongue::Indonesian) => write!(text, "Triwulan {} {year}", ["I", "II", "III", "IV"][part as usize - 1]),
        (Frequency::Month, _) => write!(text, "{} {year}", MONTHS[part as usize - 1].text(tongue)),
    };
    text
}

/// A day for people, such as `31 Juli 2024`.
pub fn day(day: NaiveDate, tongue: Tongue) -> String {
    format!("{} {} {}", day.day(), MONTHS[day.month0() as usize].text(tongue), day.year())
}

/// The name of a frequency.
pub fn frequency(frequency: Frequency) -> &'static Phrase {
    match frequency {
        Frequency::Annual => &ANNUAL,
        Frequency::Semester => &HALF_YEARLY,
        Frequency::Quarter => &QUARTERLY,
        Frequency::Month => &MONTHLY,
    }
}

/// Declares phrases: name, English, Indonesian.
macro_rules! phrases {
    ($($(#[$doc:meta])* $name:ident = $english:literal | $indonesian:literal;)*) => {
        $($(#[$doc])* pub static $name: $crate::words::Phrase = $crate::words::Phrase::new($english, $indonesian);)*

        #[cfg(test)]
        static ALL: &[&$crate::words::Phrase] = &[$(&$name),*];
    };
}

pub(crate) use phrases;

static MONTHS: [Phrase; 12] = [
    Phrase::new("January", "Januari"),
    Phrase::new("February", "Februari"),
    Phrase::new("March", "Maret"),
    Phrase::new("April", "April"),
    Phrase::new("May", "Mei"),
    Phrase::new("June", "Juni"),
    Phrase::new("July", "Juli"),
    Phrase::new("August", "Agustus"),
    Phrase::new("September", "September"),
    Phrase::new("October", "Oktober"),
    Phrase::new("November", "November"),
    Phrase::new("December", "Desember"),
];

phrases! {
    // Variables, headings, notes.

    /// Name of the variable of measures.
    CONTENTS = "contents" | "ukuran";
    /// Name of the variable of periods.
    PERIOD = "period" | "periode";
    /// Heading of numbers, where headings are names and not codes.
    VALUE = "value" | "nilai";
    /// Heading of statuses, where headings are names and not codes.
    STATUS = "status" | "keterangan";
    /// What day a number is of.
    LAST_DAY = "the last day of the period" | "hari terakhir periode";
    /// Note on `c`.
    SUPPRESSED = "c = suppressed to protect people; totals include the suppressed numbers"
        | "c = dirahasiakan untuk melindungi data pribadi; angka yang dirahasiakan tetap termasuk dalam jumlah";
    /// Note on `z`.
    IMPOSSIBLE = "z = cannot exist: the combination is impossible, or the category did not exist in that period"
        | "z = tidak mungkin ada: kombinasinya mustahil, atau kategorinya belum atau tidak lagi ada pada periode itu";
    /// Note on `x`.
    UNAVAILABLE = "x = not available for that period" | "x = tidak tersedia untuk periode itu";
    /// Note on releases with primary suppression alone.
    PRIMARY_ONLY = "only small numbers themselves are suppressed, so that some of them could be worked out: not for publication"
        | "hanya angka kecil itu sendiri yang dirahasiakan, sehingga sebagian masih dapat dihitung dari angka lain: tidak untuk dipublikasikan";
    /// Link to a table's description.
    METADATA = "metadata" | "metadata tabel";

    // Around tables that people read.

    /// Name of a workbook's first sheet.
    COVER = "Cover" | "Sampul";
    /// Name of a workbook's sheet of notes, heading of a page's notes.
    NOTES = "Notes" | "Catatan";
    /// Name of a workbook's sheet with the table.
    TABLE = "Table" | "Tabel";
    /// Heading of what a page says of its table.
    ABOUT = "About this table" | "Tentang tabel ini";
    TITLE = "Title" | "Judul";
    DESCRIPTION = "Description" | "Deskripsi";
    SOURCE = "Source" | "Sumber";
    PERIODS = "Periods" | "Periode";
    RELEASES = "Releases" | "Rilis";
    /// When numbers were published.
    UPDATED = "Updated" | "Diperbarui";
    LICENCE = "Licence" | "Lisensi";
    /// What was chosen of a variable.
    SELECTION = "Selection" | "Pilihan";
    /// Where the same numbers may be had.
    ADDRESS = "Address" | "Alamat";
    /// The end of a list that is not told in full.
    AND_MORE = "{0} and {1} more" | "{0} dan {1} lainnya";
    // Components and codes of SDMX.

    FREQUENCY = "frequency" | "frekuensi";
    ANNUAL = "annual" | "tahunan";
    HALF_YEARLY = "half-yearly" | "semesteran";
    QUARTERLY = "quarterly" | "triwulanan";
    MONTHLY = "monthly" | "bulanan";
    OBSERVATION_STATUS = "observation status" | "status pengamatan";
    PUBLISHED = "published" | "diterbitkan";
    WITHHELD = "missing value; suppressed to protect people" | "nilai kosong; dirahasiakan untuk melindungi data pribadi";
    CANNOT_EXIST = "missing value; cannot exist" | "nilai kosong; tidak mungkin ada";
    NOT_AVAILABLE = "missing value; not available for that period" | "nilai kosong; tidak tersedia untuk periode itu";
    CONFIDENTIALITY = "confidentiality status" | "status kerahasiaan";
    FREE = "free (not confidential)" | "bebas (tidak rahasia)";
    CONFIDENTIAL = "confidential statistical information" | "informasi statistik rahasia";
    UNIT_OF_MEASURE = "unit of measure" | "satuan ukuran";
    DECIMAL_PLACES = "decimal places" | "banyaknya angka desimal";
    AGENCIES = "agencies" | "lembaga";
    SUBJECTS = "subjects" | "subjek";
    CONCEPTS = "concepts" | "konsep";

    // What there is instead of what was asked for.

    /// The list of all.
    THERE_IS = "there is {0}" | "yang ada: {0}";
    /// Some of a long list.
    THERE_ARE = "there are {0} codes, such as {1}" | "ada {0} kode, misalnya {1}";

    // Selections.

    /// More cells than allowed.
    TOO_MANY_CELLS = "the selection has {0} cells ({1}), the most that one answer may have is {2}; narrow {3}, or ask in several parts"
        | "pilihan ini mencakup {0} sel ({1}), sedangkan satu jawaban paling banyak memuat {2}; persempit {3}, atau mintalah dalam beberapa bagian";
    NO_VARIABLE = "table {0} has no variable '{1}'; {2}" | "tabel {0} tidak memiliki variabel '{1}'; {2}";
    TWO_CODE_LISTS = "{0} is chosen from two code lists; name one" | "{0} dipilih dari dua daftar kode; sebutkan satu saja";
    CODE_LIST_DOES_NOT_FIT = "code list '{0}' does not fit {1} of table {2}; {3}"
        | "daftar kode '{0}' tidak cocok untuk {1} pada tabel {2}; {3}";
    NO_CODE_LIST_FOR = "code list '{0}' does not exist for {1} of table {2}; {3}"
        | "daftar kode '{0}' tidak ada untuk {1} pada tabel {2}; {3}";
    NO_CODE_LISTS = "code list '{0}' does not exist for {1}, which has none"
        | "daftar kode '{0}' tidak ada untuk {1}; variabel itu tidak memiliki daftar kode";
    NOT_SELECTED = "{0} is not selected, and it cannot be left out; add valueCodes[{0}]=*, or name codes"
        | "{0} belum dipilih dan tidak boleh dihilangkan; tambahkan valueCodes[{0}]=*, atau sebutkan kodenya";
    NOTHING_SELECTED = "nothing of {0} is selected, and it cannot be left out; name codes, or * for all"
        | "tidak ada kode {0} yang dipilih, padahal variabel itu tidak boleh dihilangkan; sebutkan kodenya, atau * untuk semua";
    NO_EXPRESSION = "'{0}' is no selection of {1}; expected a code, a pattern with * or ?, top(n), top(n,offset), bottom(n), bottom(n,offset), from(code), to(code), range(code,code), children(code) or within(code); in an address whatever holds a comma stands in brackets, as in valueCodes[{1}]=[top(3,1)]"
        | "'{0}' bukan pilihan yang sah untuk {1}; tulislah kode, pola dengan * atau ?, top(n), top(n,offset), bottom(n), bottom(n,offset), from(code), to(code), range(code,code), children(code), atau within(code); di dalam alamat, yang mengandung koma ditulis dalam kurung siku, seperti valueCodes[{1}]=[top(3,1)]";
    SIGN_IN_FIRST = "sign in, or send a key: 'Authorization: Bearer cacah_...'" | "masuklah, atau kirimkan kunci: 'Authorization: Bearer cacah_...'";
    USER_SUSPENDED = "your access is suspended; ask your institution why" | "akses Anda ditangguhkan; tanyakan sebabnya kepada lembaga Anda";
    NO_AGREEMENT = "your institution's agreement does not hold today, or is suspended; ask the registry" | "perjanjian lembaga Anda tidak berlaku hari ini atau ditangguhkan; hubungi pengelola register";
    FORM_NOT_YOURS = "the form was made for another session; open the page again and repeat what you did" | "formulir ini dibuat untuk sesi lain; buka kembali halamannya dan ulangi";
    OUT_OF_SCOPE_OF_TABLE = "{0} lies outside of what you may see of table {2}: {1}, what lies within it and the totals above it" | "{0} berada di luar yang boleh Anda lihat dari tabel {2}: {1}, isinya, dan jumlah di atasnya";
    OUT_OF_SCOPE = "{0} lies outside of what you may see: {1}, what lies within it and the totals above it" | "{0} berada di luar yang boleh Anda lihat: {1}, isinya, dan jumlah di atasnya";
    NOT_RECORDED = "accesses cannot be recorded at present, and so nothing is answered; try again later" | "akses sedang tidak dapat dicatat, sehingga tidak ada yang dijawab; coba lagi nanti";
    NOT_GRANTED_NAMED = "'{0}' reads tables or regions that your institution is not granted; you may ask: {1}" | "'{0}' memakai tabel atau wilayah yang tidak diberikan kepada lembaga Anda; yang boleh Anda minta: {1}";
    NOT_GRANTED = "your institution is not granted table '{0}'; it is granted: {1}" | "lembaga Anda tidak diberi tabel '{0}'; yang diberikan: {1}";
    NO_CODE = "{0} has no code '{1}'; {2}" | "{0} tidak memiliki kode '{1}'; {2}";
    NO_CODE_HERE = "{0} has no code '{1}' in this table or code list; {2}"
        | "{0} tidak memiliki kode '{1}' pada tabel atau daftar kode ini; {2}";
    MATCHES_NOTHING = "'{0}' matches no code of {1}; {2}" | "'{0}' tidak cocok dengan kode {1} mana pun; {2}";
    NOT_AMONG_SELECTED = "'{0}' is not among the selected variables; heading and stub together hold each selected variable once: {1}"
        | "'{0}' tidak termasuk variabel yang dipilih; heading dan stub bersama-sama memuat setiap variabel terpilih satu kali: {1}";
    PLACED_TWICE = "{0} is placed twice; heading and stub together hold each selected variable once: {1}"
        | "{0} ditempatkan dua kali; heading dan stub bersama-sama memuat setiap variabel terpilih satu kali: {1}";
    PLACED_NOWHERE = "{0} is placed nowhere; heading and stub together hold each selected variable once: {1}"
        | "{0} belum ditempatkan; heading dan stub bersama-sama memuat setiap variabel terpilih satu kali: {1}";

    // Names.

    NO_TABLE = "there is no table '{0}'; {1}" | "tidak ada tabel '{0}'; {1}";
    NO_CODE_LIST = "there is no code list '{0}'; {1}" | "tidak ada daftar kode '{0}'; {1}";
    NO_LANGUAGE = "there is no language '{0}'; {1}" | "tidak ada bahasa '{0}'; {1}";
    NO_PAGE = "there is no page {0}; the list has {1} of {2} tables each"
        | "tidak ada halaman {0}; daftar ini terdiri atas {1} halaman dengan masing-masing {2} tabel";
    NO_FORMAT = "there is no format '{0}'; expected one of {1}" | "tidak ada format '{0}'; gunakan salah satu dari {1}";
    NO_FORMAT_OPTIONS = "{0} takes no options, but '{1}' is given; leave out outputFormatParams"
        | "{0} tidak menerima opsi, tetapi '{1}' diberikan; hilangkan outputFormatParams";
    NO_FORMAT_OPTION = "{0} has no option '{1}'; expected one of {2}" | "{0} tidak memiliki opsi '{1}'; gunakan salah satu dari {2}";

    TOO_LARGE_FOR_SHEET = "the table has {0} rows and {1} columns, a sheet has at most {2} and {3}; narrow the selection, place other variables in heading and stub, or take csv or parquet"
        | "tabel ini memiliki {0} baris dan {1} kolom, sedangkan satu lembar paling banyak memuat {2} dan {3}; persempit pilihan, tempatkan variabel lain di heading dan stub, atau gunakan csv atau parquet";
    NOT_ACCEPTABLE = "nothing of what Accept names can be sent; there is {0}, or name a format by outputFormat: {1}"
        | "tidak ada yang dapat dikirim sesuai Accept; yang ada: {0}; atau sebutkan format dengan outputFormat: {1}";
    // Queries of SDMX.

    NO_RESOURCE = "structures of the kind '{0}' are not offered; {1}" | "struktur jenis '{0}' tidak disediakan; {1}";
    NO_STRUCTURE = "there is no {0} '{1}'; {2}" | "tidak ada {0} '{1}'; {2}";
    NO_FLOW = "there is no dataflow '{0}'; {1}" | "tidak ada aliran data '{0}'; {1}";
    NO_FLOW_REFERENCE = "'{0}' is no reference to a dataflow; expected ID, AGENCY,ID or AGENCY,ID,VERSION"
        | "'{0}' bukan rujukan ke aliran data; tulislah ID, AGENCY,ID, atau AGENCY,ID,VERSION";
    KEY_LENGTH = "the key '{0}' has {1} parts and the keys of {3} have {2}: {4}; leave a part empty to mean all of its codes, or write all"
        | "kunci '{0}' terdiri atas {1} bagian, sedangkan kunci {3} terdiri atas {2}: {4}; kosongkan suatu bagian untuk semua kodenya, atau tulislah all";
    NO_KEY_CODE = "'{0}' is no code of {1}; expected letters, digits, '_', '-' and '@', several codes joined by '+', none for all"
        | "'{0}' bukan kode {1}; gunakan huruf, angka, '_', '-', dan '@', beberapa kode digabungkan dengan '+', kosong untuk semua";
    NO_DIMENSION = "{0} has no dimension '{1}'; {2}" | "{0} tidak memiliki dimensi '{1}'; {2}";
    NO_PERIOD = "no period of {0} fits; {1}" | "tidak ada periode {0} yang cocok; {1}";
    NO_TIME = "{0} is '{1}'; expected a time such as 2024, 2024-S1, 2024-Q1, 2024-06 or 2024-06-30"
        | "{0} berisi '{1}'; tulislah waktu seperti 2024, 2024-S1, 2024-Q1, 2024-06, atau 2024-06-30";
    NO_MOMENT = "{0} is '{1}'; expected a moment such as 2024-06-30T12:00:00Z"
        | "{0} berisi '{1}'; tulislah saat seperti 2024-06-30T12:00:00Z";
    NO_CHOICE = "{0} is '{1}'; expected one of {2}" | "{0} berisi '{1}'; gunakan salah satu dari {2}";
    NO_HISTORY = "earlier revisions are not offered; leave out includeHistory" | "revisi terdahulu tidak disediakan; hilangkan includeHistory";
    NO_ITEM = "no {0} has an item '{1}'; ask without it to see which there are" | "tidak ada {0} yang memuat butir '{1}'; mintalah tanpa butir untuk melihat yang ada";
    NO_MEDIA_TYPE = "none of the media types '{0}' is offered; {1}" | "tidak satu pun dari jenis media '{0}' disediakan; {1}";

    // Named queries.

    NO_FILTER = "there is nothing for ${0} in what was chosen" | "tidak ada isi untuk ${0} dalam pilihan ini";
    NOT_ONE_NUMBER = "expected one number, found {0}; choose one code of every variable" | "seharusnya satu angka, ditemukan {0}; pilih satu kode dari setiap variabel";
    NO_QUERY = "there is no query '{0}'; {1}" | "tidak ada kueri '{0}'; {1}";
    NO_PARAMETER = "query {0} has no parameter '{1}'; {2}" | "kueri {0} tidak memiliki parameter '{1}'; {2}";
    PARAMETER_TWICE = "parameter {0} is given twice; give it once" | "parameter {0} diberikan dua kali; berikan satu kali saja";
    PARAMETER_MISSING = "parameter {0} is missing; expected {1}" | "parameter {0} belum diberikan; seharusnya {1}";
    PARAMETER_IS = "parameter {0} is '{1}'; expected {2}" | "parameter {0} berisi '{1}'; seharusnya {2}";
    EXPECTED_TEXT = "a text of at most {0} characters" | "teks paling banyak {0} karakter";
    EXPECTED_ONE_OF = "one of {0}" | "salah satu dari {0}";
    EXPECTED_INTEGER = "a whole number from {0} to {1}" | "bilangan bulat dari {0} sampai {1}";
    EXPECTED_NUMBER = "a number from {0} to {1}" | "bilangan dari {0} sampai {1}";
    EXPECTED_CODE = "a code of {0} ({1}): {2}" | "kode {0} ({1}): {2}";
    EXPECTED_CODE_SUCH_AS = "a code of {0} ({1}), such as {2}" | "kode {0} ({1}), misalnya {2}";
    QUERY_TOO_LONG = "the query took longer than {0} seconds; narrow its parameters"
        | "kueri berjalan lebih dari {0} detik; persempit parameternya";
    QUERY_TOO_MANY_ROWS = "the result has more than {0} rows, the most that one answer may have; narrow the parameters"
        | "hasilnya melebihi {0} baris, jumlah terbanyak untuk satu jawaban; persempit parameternya";
    QUERY_TOO_MANY_BYTES = "the result has more than {0} bytes, the most that one answer may have; narrow the parameters"
        | "hasilnya melebihi {0} bita, ukuran terbesar untuk satu jawaban; persempit parameternya";
    QUERY_TOO_MUCH_MEMORY = "the query needs more memory than there is for queries; narrow its parameters, or ask again in a minute"
        | "kueri memerlukan lebih banyak memori daripada yang tersedia untuk kueri; persempit parameternya, atau coba lagi semenit kemudian";
    QUERY_CANNOT = "the query cannot be answered with these parameters: {0}" | "kueri tidak dapat dijawab dengan parameter ini: {0}";

    // Requests.

    NO_NUMBER = "{0} is '{1}'; expected a whole number from 1" | "{0} berisi '{1}'; seharusnya bilangan bulat mulai dari 1";
    NO_FLAG = "{0} is '{1}'; expected true or false" | "{0} berisi '{1}'; seharusnya true atau false";
    NO_BODY = "the body is no selection: {0}; expected JSON such as {1}" | "isi permintaan bukan pilihan yang sah: {0}; tulislah JSON seperti {1}";
    BODY_BREAKS_OFF = "the body breaks off: {0}" | "isi permintaan terputus: {0}";
    BODY_TOO_LONG = "the body is longer than {0} bytes; use expressions such as * or from(code), or ask in several parts"
        | "isi permintaan melebihi {0} bita; gunakan ungkapan seperti * atau from(code), atau mintalah dalam beberapa bagian";
    BODY_TOO_SLOW = "the body came too slowly; send it again" | "isi permintaan datang terlalu lambat; kirimkan sekali lagi";
    NOTHING_HERE = "there is nothing at this address; tables are listed at /api/v2/tables, the interface is described at /api"
        | "tidak ada apa-apa di alamat ini; daftar tabel ada di /api/v2/tables, keterangan antarmuka di /api";
    NO_SUCH_METHOD = "expected GET, or POST to /api/v2/tables/{id}/data" | "gunakan GET, atau POST ke /api/v2/tables/{id}/data";
    NOT_UNDERSTOOD = "the request cannot be understood" | "permintaan tidak dapat dipahami";
    ADDRESS_TOO_LONG = "the address is longer than 65534 bytes; send the selection in the body of a POST to /api/v2/tables/{id}/data instead"
        | "alamat melebihi 65534 bita; kirimkan pilihan dalam isi POST ke /api/v2/tables/{id}/data";
    HEAD_TOO_LARGE = "the address and headers are too long or too many; send the selection in the body of a POST to /api/v2/tables/{id}/data instead"
        | "alamat dan kepala permintaan terlalu panjang atau terlalu banyak; kirimkan pilihan dalam isi POST ke /api/v2/tables/{id}/data";
    NO_HTTP = "the request is no HTTP; expected a line such as 'GET /api/v2/tables HTTP/1.1'"
        | "permintaan ini bukan HTTP; tulislah baris seperti 'GET /api/v2/tables HTTP/1.1'";

    // The service itself.

    NO_SAVED_QUERY = "there is no such saved query; copy its whole name, which POST /api/v2/savedqueries gave back" | "tidak ada kueri tersimpan ini; salin seluruh namanya, yang diberikan oleh POST /api/v2/savedqueries";
    LONG_SAVED_QUERY = "a query with so many codes cannot be saved; choose by expressions such as 34* or by code lists" | "kueri dengan kode sebanyak ini tidak dapat disimpan; pilih dengan ekspresi seperti 34* atau dengan daftar kode";
    TOO_OFTEN = "you have asked as often as one client may for now; ask again in {0} seconds" | "batas permintaan untuk satu klien tercapai; coba lagi dalam {0} detik";
    // The interface described.

    AREA_TABLES = "Tables and what is in them (PxWebApi v2)" | "Tabel dan isinya (PxWebApi v2)";
    AREA_DATA = "Cells (PxWebApi v2)" | "Sel (PxWebApi v2)";
    AREA_SAVED = "Saved queries (PxWebApi v2)" | "Kueri tersimpan (PxWebApi v2)";
    AREA_CHARTS = "Charts" | "Diagram";
    AREA_QUERIES = "Named queries" | "Kueri bernama";
    AREA_SDMX = "SDMX 2.1" | "SDMX 2.1 (pertukaran data statistik)";
    AREA_SERVICE = "The service itself" | "Layanan itu sendiri";
    API_TITLE = "Programming interface" | "Antarmuka pemrograman";
    API_ABOUT = "Every number has been published: small counts, and what would give them away, are withheld for everybody and in every format. Answers carry an ETag; unknown parameters are ignored; names of parameters may be written in any case."
        | "Setiap angka telah dipublikasikan: cacah kecil, dan apa pun yang dapat membocorkannya, ditutup bagi semua orang dan dalam setiap format. Jawaban memuat ETag; parameter yang tidak dikenal diabaikan; nama parameter boleh ditulis dengan huruf besar atau kecil.";
    API_MACHINES = "The same for programs: OpenAPI 3.1" | "Sama, untuk program: OpenAPI 3.1";
    API_PARAMETER = "Parameter" | "Parameter permintaan";
    API_WHERE = "Where" | "Letak";
    API_IN_ADDRESS = "address" | "alamat";
    API_BEHIND = "query" | "kueri";
    API_BODY = "Body" | "Isi permintaan";
    API_MEANING = "Meaning" | "Arti";
    API_ANSWERS = "Answers" | "Jawaban";
    API_TRY = "Try" | "Coba";
    API_ANSWER = "The answer." | "Jawabannya.";
    API_UNCHANGED = "Nothing has changed since the answer that the client has." | "Tidak ada perubahan sejak jawaban yang dimiliki klien.";
    API_NOT_UNDERSTOOD = "The request cannot be understood, or asks for what there is not; the detail says what there is." | "Permintaan tidak dapat dipahami, atau meminta yang tidak ada; keterangannya menyebut apa yang ada.";
    API_NOT_FOUND = "There is no such thing; the detail says what there is." | "Tidak ada; keterangannya menyebut apa yang ada.";
    API_NOT_ACCEPTABLE = "None of the formats that the client accepts is offered." | "Tidak satu pun format yang diterima klien disediakan.";
    API_TOO_LARGE = "The request, or the answer in this format, is too large; the detail says what to do." | "Permintaan, atau jawaban dalam format ini, terlalu besar; keterangannya menyebut apa yang dapat dilakukan.";
    API_TOO_OFTEN = "The client has asked as often as it may; `Retry-After` says how many seconds to wait." | "Batas permintaan klien tercapai; `Retry-After` menyebut berapa detik harus menunggu.";
    API_WITHDRAWN = "The numbers were withdrawn; the detail says when and why." | "Angkanya sudah ditarik; rinciannya menyebutkan kapan dan mengapa.";
    API_BUSY = "The service is busy or stopping, or has not yet compared the file with what was published; ask again in a second." | "Layanan sedang sibuk atau dihentikan, atau berkasnya belum dicocokkan dengan yang diterbitkan; coba lagi sedetik kemudian.";

    // Charts.

    CHART_SUPPRESSED = "withheld to protect people, whatever the number" | "ditutup untuk melindungi orang, berapa pun angkanya";
    CHART_NOTHING = "No number is published for this." | "Tidak ada angka yang diterbitkan untuk ini.";
    CHART_MISSING = "no number" | "tidak ada angka";
    CHART_NO_SHARES = "not shown: a part is withheld" | "tidak ditampilkan: ada bagian yang ditutup";
    CHART_BREAK = "break: what is counted has changed" | "patahan: yang dihitung berubah";
    CHART_AGE = "age" | "umur";
    CHART_PER_CENT = "per cent" | "persen";
    CHART_BY = "by" | "menurut";
    CHART_AND = "and" | "dan";
    CHART_RANKED = "{0} of {1} with a number." | "{0} dari {1} yang memiliki angka.";
    CHART_NOT_RANKED = "{0} more are withheld to protect people and have no place in the order." | "{0} lainnya ditutup untuk melindungi orang dan tidak diberi peringkat.";
    CHART_NO_PLACE = "{0} regions have no outline and are not shown." | "{0} wilayah tidak memiliki garis batas dan tidak ditampilkan.";
    CLASSES_QUANTILE = "Classes: about as many members in each (quantiles)." | "Kelas: jumlah anggota kira-kira sama (kuantil).";
    CLASSES_EQUAL = "Classes: of equal width." | "Kelas: lebar sama.";
    CLASSES_FIXED = "Classes: fixed bounds." | "Kelas: batas tetap.";
    NO_CHART = "the chart cannot be drawn: {0}" | "diagram tidak dapat digambar: {0}";
    NO_CHART_KIND = "there is no chart '{0}'; there is {1}" | "tidak ada diagram '{0}'; yang ada: {1}";
    TOO_MANY_PIXELS = "the picture has more than {0} pixels; choose a smaller width or scale" | "gambar melebihi {0} piksel; pilih lebar atau skala yang lebih kecil";
    NOT_WITHIN = "{0} is '{1}'; expected a number between {2} and {3}" | "{0} berisi '{1}'; seharusnya bilangan antara {2} dan {3}";
    NO_BOUNDS = "bounds is '{0}'; expected up to eight numbers between commas, which method=fixed needs" | "bounds berisi '{0}'; seharusnya paling banyak delapan bilangan dipisahkan koma, yang diperlukan method=fixed";
    NO_COMPARE = "compare is '{0}'; expected a variable and a code, such as Region:34 or Tid:2024-S1" | "compare berisi '{0}'; seharusnya variabel dan kode, seperti Region:34 atau Tid:2024-S1";
    NO_NUMBERS = "there is no column '{0}' of numbers; there is {1}" | "tidak ada kolom angka '{0}'; yang ada: {1}";
    NO_ROWS = "the query has no rows to draw; ask for another region or period" | "kueri tidak memiliki baris untuk digambar; mintalah wilayah atau periode lain";
    ROWS_NEED = "of the rows of a query, {0} needs {1}; columns of numbers are: {2}" | "dari baris suatu kueri, {0} memerlukan {1}; kolom angkanya: {2}";
    ROWS_NEED_NAMES = "a text and numbers behind it" | "teks dan angka di belakangnya";
    ROWS_NEED_TWO = "at least two columns of numbers of one unit" | "paling sedikit dua kolom angka dengan satuan yang sama";
    ROWS_NEED_PERIODS = "a column of periods" | "kolom periode";
    ROWS_NEED_REGIONS = "a column with codes of regions" | "kolom berisi kode wilayah";
    ROWS_NEED_AGES = "a column with codes of ages and two columns of numbers, one for each side" | "kolom berisi kode umur dan dua kolom angka, satu untuk setiap sisi";
    NO_PYRAMID = "table {0} has no ages and sexes, or the register does not say which they are; choose another kind of chart" | "tabel {0} tidak memiliki umur dan jenis kelamin, atau register tidak menyebutkannya; pilih jenis diagram lain";
    NO_REGIONS = "table {0} has no regions; choose another kind of chart" | "tabel {0} tidak memiliki wilayah; pilih jenis diagram lain";
    NO_OUTLINES = "none of these regions has an outline or a tile; choose another kind of chart, or have outlines installed by 'cacah boundaries add'" | "tidak satu pun wilayah ini memiliki garis batas atau petak; pasang garis batas dengan 'cacah boundaries add', atau pilih jenis diagram lain";
    CHART_TOO_MANY = "{0} has {1} categories, of which a chart shows at most {2}; choose fewer, or take heat or ranking" | "{0} memiliki {1} kategori, sedangkan diagram menampilkan paling banyak {2}; pilih lebih sedikit, atau gunakan heat atau ranking";
    CHART_NEEDS = "{0} needs {1}; those with more than one code are: {2}" | "{0} memerlukan {1}; yang memiliki lebih dari satu kode: {2}";
    NEEDS_ONE = "one variable with several codes" | "satu variabel dengan beberapa kode";
    NEEDS_TWO = "two variables with several codes" | "dua variabel dengan beberapa kode";
    NEEDS_ONE_OR_TWO = "one or two variables with several codes" | "satu atau dua variabel dengan beberapa kode";
    NEEDS_PERIODS = "periods and at most one other variable with several codes" | "periode dan paling banyak satu variabel lain dengan beberapa kode";
    NEEDS_REGIONS = "regions, and one code of everything else" | "wilayah, dan satu kode dari semua yang lain";
    NEEDS_PYRAMID = "several ages, both sexes, and one code of everything else" | "beberapa umur, kedua jenis kelamin, dan satu kode dari semua yang lain";

    /// That a release was withdrawn: which, when, why.
    WITHDRAWN = "release {0} was withdrawn on {1}: {2}" | "rilis {0} ditarik pada {1}: {2}";
    /// What becomes of addresses whose numbers were withdrawn.
    WITHDRAWN_MEANS = "{0} - its numbers must not be used any more, and what came before it was wrong; /releases tells what is in force"
        | "{0} - angkanya tidak boleh digunakan lagi, dan angka sebelumnya keliru; rilis yang berlaku tercantum di /releases";
    /// The same where it happened while a request was answered.
    WITHDRAWN_NOW = "what was asked for has just been withdrawn; /releases says why" | "yang diminta baru saja ditarik; alasannya tercantum di /releases";
    /// Files that are compared with their digests: how many of how many, and how many megabytes of how many.
    VERIFYING = "the releases are being compared with their digests: {0} of {1} files, {2} of {3} MB; ask again in a while"
        | "rilis sedang dicocokkan dengan sidiknya: {0} dari {1} berkas, {2} dari {3} MB; coba lagi sebentar lagi";
    /// That nothing can be read of a file.
    NOT_VERIFIED = "what was asked for cannot be answered before it has been compared with what was published; ask again in a while"
        | "permintaan ini belum dapat dijawab sebelum datanya dicocokkan dengan yang diterbitkan; coba lagi sebentar lagi";
    /// That a file is another than was published.
    DAMAGED = "a file differs from what was published, and is not served; the service's log names it"
        | "sebuah berkas berbeda dari yang diterbitkan sehingga tidak disajikan; namanya tercatat dalam log layanan";
    BUSY = "many answers are under way; ask again in a second" | "banyak jawaban sedang dikerjakan; coba lagi sedetik kemudian";
    STOPPING = "the service is stopping; ask another one" | "layanan sedang dihentikan; gunakan layanan lain";
    FAILED = "the service failed to answer; its log says why" | "layanan gagal menjawab; sebabnya tercatat dalam lognya";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places that a text leaves open, sorted.
    fn places(text: &str) -> Vec<usize> {
        let mut found: Vec<usize> = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')?.0.parse().ok()).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn every_phrase_says_the_same_in_every_language() {
        assert!(ALL.len() > 40);
        for phrase in ALL {
            let (english, indonesian) = (phrase.text(Tongue::English), phrase.text(Tongue::Indonesian));
            assert_eq!(places(english), places(indonesian), "{english}");
            assert!(!indonesian.is_empty() && english != indonesian, "{english}");
            // What people must type is not translated.
            for word in ["top(n,offset)", "range(code,code)", "valueCodes", "outputFormatParams", "/api/v2/", "POST"] {
                assert_eq!(english.contains(word), indonesian.contains(word), "{english}: {word}");
            }
        }
    }

    #[test]
    fn places_are_filled_and_other_braces_stay() {
        let message = NO_SUCH_METHOD.with("nothing");
        assert_eq!(message.to_string(), "expected GET, or POST to /api/v2/tables/{id}/data");
        let message = NOT_SELECTED.with("Tid");
        assert_eq!(message.text(Tongue::Indonesian).matches("Tid").count(), 2);
        // A part that looks like a place is not filled in turn.
        assert_eq!(NO_TABLE.with("{1}").and(THERE_IS.with("a")).to_string(), "there is no table '{1}'; there is a");
    }

    #[test]
    fn languages_that_are_not_spoken_are_answered_in_english() {
        let check = |language: &str, expect: Tongue| assert_eq!(Tongue::of(language), expect, "{language}");
        check("id", Tongue::Indonesian);
        check("ID-id", Tongue::Indonesian);
        check("en", Tongue::English);
        check("et", Tongue::English);
        check("", Tongue::English);
    }

    #[test]
    fn periods_have_names() {
        let check = |text: &str, english: &str, indonesian: &str| {
            let parsed: Period = text.parse().unwrap();
            assert_eq!((period(parsed, Tongue::English).as_str(), period(parsed, Tongue::Indonesian).as_str()), (english, indonesian));
        };
        check("2024", "2024", "2024");
        check("2024-S1", "First half of 2024", "Semester I 2024");
        check("2024-S2", "Second half of 2024", "Semester II 2024");
        check("2024-Q4", "Fourth quarter of 2024", "Triwulan IV 2024");
        check("2024-M12", "December 2024", "Desember 2024");
    }
}
