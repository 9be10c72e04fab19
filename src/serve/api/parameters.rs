//! The parameters of the interface, each described once.

use super::operation::{Kind, Parameter};
use crate::{
    charts::{CLASSES, STACKINGS, THEMES},
    formats::{CSV_OPTIONS, FORMATS, ROWS_FORMATS},
    sdmx,
    words::Phrase,
};

macro_rules! parameters {
    ($($ident:ident = $name:literal, $kind:expr, $english:literal | $translated:literal;)*) => {
        $(pub static $ident: Parameter = Parameter { name: $name, text: Phrase::new($english, $translated), kind: $kind };)*
    };
}

// Behind addresses.
parameters! {
    LANG = "lang", Kind::Language, "Language of labels, notes and problems." | "Bahasa label, catatan, dan keterangan masalah.";
    QUERY = "query", Kind::Text, "Words that the name, description or variables of a table hold." | "Kata yang ada pada nama, keterangan, atau variabel tabel.";
    PAST_DAYS = "pastDays", Kind::Number, "Only tables updated in the last so many days." | "Hanya tabel yang diperbarui dalam sekian hari terakhir.";
    DISCONTINUED = "includeDiscontinued", Kind::Flag, "Whether tables that newer releases lack are listed too." | "Apakah tabel yang tidak ada lagi dalam rilis baru juga didaftar.";
    PAGE_NUMBER = "pageNumber", Kind::Number, "The page, from 1." | "Halaman, mulai dari 1.";
    PAGE_SIZE = "pageSize", Kind::Number, "Tables on a page." | "Banyaknya tabel pada satu halaman.";
    CODELIST = "codelist", Kind::ByVariable, "A code list for a variable: another level (`vs_...`) or other groups (`agg_...`)." | "Daftar kode untuk suatu variabel: tingkat lain (`vs_...`) atau kelompok lain (`agg_...`).";
    DEFAULT_SELECTION = "defaultSelection", Kind::Flag, "Whether to describe only what is chosen when nothing is asked for." | "Apakah hanya menerangkan yang terpilih bila tidak ada yang diminta.";
    SAVED_QUERY = "savedQuery", Kind::Text, "Describe what this saved query chooses." | "Terangkan yang dipilih kueri tersimpan ini.";
    VALUE_CODES = "valuecodes", Kind::ByVariable, "The codes of a variable, separated by commas, or expressions: `*`, `34*`, `3?71`, `top(n)`, `bottom(n)`, `from(code)`, `to(code)`, `range(code,code)`, `children(code)`, `within(code)` (in brackets where they hold commas)." | "Kode suatu variabel, dipisahkan koma, atau ungkapan: `*`, `34*`, `3?71`, `top(n)`, `bottom(n)`, `from(code)`, `to(code)`, `range(code,code)`, `children(code)`, `within(code)` (dalam kurung siku bila mengandung koma).";
    HEADING = "heading", Kind::Texts, "Variables in the heading of the table." | "Variabel pada kepala tabel.";
    STUB = "stub", Kind::Texts, "Variables at the side of the table." | "Variabel pada sisi tabel.";
    FORMAT = "outputFormat", Kind::Choice(&FORMATS), "The format; without it the header Accept chooses." | "Format; tanpa ini kepala Accept yang menentukan.";
    FORMAT_PARAMS = "outputFormatParams", Kind::Choices(CSV_OPTIONS), "Options of the format: codes or texts, title, separator, byte-order mark." | "Pilihan format: kode atau teks, judul, pemisah, tanda urutan bita.";
    ROWS_FORMAT = "outputFormat", Kind::Choice(&ROWS_FORMATS), "The format." | "Format.";
    CHART_TABLE = "table", Kind::Table, "The table whose numbers are drawn." | "Tabel yang angkanya digambar.";
    CHART_QUERY = "query", Kind::Query, "The named query whose rows are drawn, in the place of a table; its parameters go along." | "Kueri bernama yang barisnya digambar, sebagai pengganti tabel; parameternya disertakan.";
    CHART_COLUMNS = "columns", Kind::Texts, "Of a named query, the columns of numbers." | "Dari kueri bernama, kolom angkanya.";
    STACKING = "stacking", Kind::Choice(&STACKINGS), "How bars stand: side by side, one behind the other, or as parts of a hundred." | "Cara batang disusun: berdampingan, bertumpuk, atau bagian dari seratus.";
    SHARE = "share", Kind::Flag, "Whether a pyramid shows per cent of all instead of numbers." | "Apakah piramida menampilkan persen dari semua, bukan jumlah.";
    COMPARE = "compare", Kind::Text, "What a pyramid is compared with, as an outline: `Region:34`, `Tid:2024-S1`." | "Pembanding piramida, sebagai garis luar: `Region:34`, `Tid:2024-S1`.";
    PLACES = "places", Kind::Number, "Places of a ranking." | "Banyaknya peringkat.";
    LOWEST = "lowest", Kind::Flag, "Whether a ranking begins with the least." | "Apakah peringkat dimulai dari yang terkecil.";
    METHOD = "method", Kind::Choice(&CLASSES), "How classes of maps and shaded tables are made." | "Cara kelas pada peta dan tabel berwarna dibuat.";
    CLASS_COUNT = "classes", Kind::Number, "How many classes, 2 to 9." | "Banyaknya kelas, 2 sampai 9.";
    BOUNDS = "bounds", Kind::Text, "Bounds between fixed classes, separated by commas." | "Batas antara kelas tetap, dipisahkan koma.";
    ZERO = "zero", Kind::Flag, "Whether the axis of lines begins at zero." | "Apakah sumbu garis dimulai dari nol.";
    CHART_TITLE = "title", Kind::Text, "What stands for the title." | "Pengganti judul.";
    THEME = "theme", Kind::Choice(&THEMES), "What the picture is for: paper, a bright screen, a dark one." | "Untuk apa gambar itu: kertas, layar terang, layar gelap.";
    WIDTH = "width", Kind::Number, "Width in pixels, 240 to 4000." | "Lebar dalam piksel, 240 sampai 4000.";
    HEIGHT = "height", Kind::Number, "Height in pixels; without it as high as needed." | "Tinggi dalam piksel; tanpa ini setinggi yang diperlukan.";
    SCALE = "scale", Kind::Number, "Pixels of a PNG for each of the picture's own, 0.5 to 4; 2 if not said." | "Piksel PNG untuk tiap piksel gambar, 0,5 sampai 4; 2 bila tidak disebut.";
    REFERENCES = "references", Kind::Choice(&sdmx::REFERENCES), "Which structures come along: those that refer to it, those that it refers to." | "Struktur mana yang disertakan: yang merujuk kepadanya, yang dirujuknya.";
    STRUCTURE_DETAIL = "detail", Kind::Choice(&sdmx::STRUCTURE_DETAILS), "How much is said of each structure." | "Seberapa banyak yang dikatakan tentang tiap struktur.";
    DATA_DETAIL = "detail", Kind::Choice(&sdmx::DATA_DETAILS), "What is sent of the data." | "Bagian data yang dikirim.";
    START_PERIOD = "startPeriod", Kind::Text, "From this time on: `2024`, `2024-S1`, `2024-06-30`." | "Mulai dari waktu ini: `2024`, `2024-S1`, `2024-06-30`.";
    END_PERIOD = "endPeriod", Kind::Text, "Up to this time." | "Sampai dengan waktu ini.";
    FIRST_N = "firstNObservations", Kind::Number, "Only so many observations of each series, from the oldest." | "Hanya sekian amatan tiap deret, dari yang tertua.";
    LAST_N = "lastNObservations", Kind::Number, "Only so many observations of each series, from the newest." | "Hanya sekian amatan tiap deret, dari yang terbaru.";
    UPDATED_AFTER = "updatedAfter", Kind::Text, "Only what was released after this moment: `2025-01-31T00:00:00Z`." | "Hanya yang dirilis setelah saat ini: `2025-01-31T00:00:00Z`.";
    OBSERVED_BY = "dimensionAtObservation", Kind::Choice(&sdmx::OBSERVED_BY), "What distinguishes the observations of a series." | "Apa yang membedakan amatan dalam satu deret.";
    SDMX_FORMAT = "format", Kind::Choice(&sdmx::FORMAT_NAMES), "The form, where no header Accept can be sent." | "Bentuk, bila kepala Accept tidak dapat dikirim.";
    LABELS = "labels", Kind::Choice(&sdmx::LABELS), "Whether names stand behind codes in SDMX-CSV." | "Apakah nama berdiri di belakang kode dalam SDMX-CSV.";
    MODE = "mode", Kind::Choice(&sdmx::MODES), "Whether the key itself is described, or what could be chosen with it." | "Apakah yang diterangkan kunci itu sendiri, atau yang dapat dipilih bersamanya.";
}

// In addresses.
parameters! {
    TABLE_ID = "id", Kind::Table, "The table." | "Tabel.";
    CODELIST_ID = "id", Kind::CodeList, "The code list." | "Daftar kode.";
    SAVED_ID = "id", Kind::Text, "The name that saving gave back." | "Nama yang diberikan saat menyimpan.";
    QUERY_NAME = "name", Kind::Query, "The query." | "Kueri.";
    FLOW = "flow", Kind::Flow, "The dataflow: `ID`, `AGENCY,ID` or `AGENCY,ID,VERSION`." | "Dataflow: `ID`, `AGENCY,ID`, atau `AGENCY,ID,VERSION`.";
    KEY = "key", Kind::Text, "Codes for each dimension in order, separated by dots; several joined by `+`, none for all: `S.3471+5171.P...`; or `all`." | "Kode tiap dimensi menurut urutan, dipisahkan titik; beberapa digabung dengan `+`, kosong untuk semua: `S.3471+5171.P...`; atau `all`.";
    PROVIDER = "provider", Kind::Text, "The provider; there is one, so it does not matter." | "Penyedia; hanya ada satu, jadi tidak berpengaruh.";
    CHART_FILE = "file", Kind::Chart, "Kind of chart and format." | "Jenis diagram dan format.";
    COMPONENT = "component", Kind::Text, "The dimension whose codes are wanted, or `all`." | "Dimensi yang kodenya diminta, atau `all`.";
    RESOURCE = "resource", Kind::Resource, "The kind of structure." | "Jenis struktur.";
    AGENCY = "agency", Kind::Text, "The agency; there is one, so it does not matter." | "Lembaga; hanya ada satu, jadi tidak berpengaruh.";
    STRUCTURE_ID = "id", Kind::Text, "The structure, several joined by `+`, or `all`." | "Struktur, beberapa digabung dengan `+`, atau `all`.";
    VERSION = "version", Kind::Choice(&["latest", "all", "1.0"]), "The version." | "Versi.";
    ITEM = "item", Kind::Text, "Items of a scheme, several joined by `+`, or `all`." | "Butir suatu skema, beberapa digabung dengan `+`, atau `all`.";
}

/// The parameters that stand in the address itself.
pub fn of_address(path: &str) -> Vec<&'static Parameter> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    let known = |name| match name {
        "id" if path.starts_with("/api/v2/tables/") => Some(&TABLE_ID),
        "id" if path.starts_with("/api/v2/codelists/") => Some(&CODELIST_ID),
        "id" if path.starts_with("/api/v2/savedqueries/") => Some(&SAVED_ID),
        "id" => Some(&STRUCTURE_ID),
        "name" => Some(&QUERY_NAME),
        _ => [&CHART_FILE, &FLOW, &KEY, &PROVIDER, &COMPONENT, &RESOURCE, &AGENCY, &VERSION, &ITEM]
            .into_iter()
            .find(|known| known.name == name),
    };
    names.filter_map(known).collect()
}
