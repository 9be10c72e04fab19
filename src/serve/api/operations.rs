//! The operations of the interface, each described once; [`routes`](super::super::routes) gives each its address.

use super::{
    operation::{Area, Content, Described, Operation},
    parameters as p,
};
use crate::{
    serve::{
        documents::{CodeListDocument, Config, DefaultSelection, SavedDocument, SelectionDocument, Table, Tables},
        estimate::Estimate,
        parameters::{Body, SavedBody},
        px::{Health, Readiness},
        queries::{QueryDocument, QueryList},
    },
    words::Phrase,
};

const SELECTION: &str =
    r#"{"selection":[{"variableCode":"Tid","valueCodes":["top(1)"]},{"variableCode":"ContentsCode","valueCodes":["*"]}]}"#;

/// What most operations have in common.
const PLAIN: Operation = Operation {
    id: "",
    area: Area::Tables,
    summary: Phrase::new("", ""),
    detail: None,
    query: &[&p::LANG],
    body: None,
    body_example: "",
    content: Content::OpenApi,
    tagged: true,
    problems: &[],
    example: "",
};

pub static CONFIG: Operation = Operation {
    id: "getConfig",
    area: Area::Tables,
    summary: Phrase::new("The service's languages, formats and limits", "Bahasa, format, dan batas layanan"),
    content: Content::Json(Described::of::<Config<'static>>()),
    tagged: false,
    ..PLAIN
};

pub static TABLES: Operation = Operation {
    id: "listTables",
    area: Area::Tables,
    summary: Phrase::new("The tables, page by page", "Daftar tabel, halaman demi halaman"),
    query: &[&p::LANG, &p::QUERY, &p::PAST_DAYS, &p::DISCONTINUED, &p::PAGE_NUMBER, &p::PAGE_SIZE],
    content: Content::Json(Described::of::<Tables<'static>>()),
    tagged: false,
    problems: &[404],
    ..PLAIN
};

pub static TABLE: Operation = Operation {
    id: "getTable",
    area: Area::Tables,
    summary: Phrase::new("One table", "Satu tabel"),
    content: Content::Json(Described::of::<Table<'static>>()),
    problems: &[404],
    ..PLAIN
};

pub static METADATA: Operation = Operation {
    id: "getMetadata",
    area: Area::Tables,
    summary: Phrase::new(
        "The variables of a table with all their codes, notes and code lists",
        "Variabel suatu tabel dengan semua kode, catatan, dan daftar kodenya",
    ),
    detail: Some(Phrase::new(
        "JSON-stat 2.0 without cells. `extension` tells what the format itself has no place for: releases, region vintage, units, measures and their methods.",
        "JSON-stat 2.0 tanpa sel. `extension` memuat apa yang tidak punya tempat dalam format itu: rilis, versi wilayah, satuan, ukuran beserta metodenya.",
    )),
    query: &[&p::LANG, &p::CODELIST, &p::DEFAULT_SELECTION, &p::SAVED_QUERY],
    content: Content::Metadata,
    problems: &[404],
    ..PLAIN
};

pub static DEFAULT: Operation = Operation {
    id: "getDefaultSelection",
    area: Area::Tables,
    summary: Phrase::new("What is chosen when nothing is asked for", "Apa yang terpilih bila tidak ada yang diminta"),
    content: Content::Json(Described::of::<DefaultSelection<'static>>()),
    problems: &[404],
    ..PLAIN
};

pub static CODELIST: Operation = Operation {
    id: "getCodeList",
    area: Area::Tables,
    summary: Phrase::new("A code list and what its codes stand for", "Daftar kode dan arti kodenya"),
    content: Content::Json(Described::of::<CodeListDocument<'static>>()),
    problems: &[404],
    ..PLAIN
};

const ANSWER: Phrase = Phrase::new(
    "Every cell has a number or a status: `c` withheld to protect people, `z` cannot occur, `x` not available. What is not chosen is taken at its total.",
    "Tiap sel memuat bilangan atau status: `c` ditutup untuk melindungi orang, `z` tidak mungkin, `x` tidak tersedia. Yang tidak dipilih diambil jumlahnya.",
);

pub static DATA: Operation = Operation {
    id: "getData",
    area: Area::Data,
    summary: Phrase::new("Cells of a table, chosen in the address", "Sel suatu tabel, dipilih dalam alamat"),
    detail: Some(ANSWER),
    query: &[&p::LANG, &p::VALUE_CODES, &p::CODELIST, &p::HEADING, &p::STUB, &p::FORMAT, &p::FORMAT_PARAMS],
    content: Content::Cells,
    problems: &[404, 406, 413],
    example: "outputFormat=csv&outputFormatParams=UseTexts",
    ..PLAIN
};

pub static DATA_POST: Operation = Operation {
    id: "postData",
    area: Area::Data,
    summary: Phrase::new("Cells of a table, chosen in the body", "Sel suatu tabel, dipilih dalam isi permintaan"),
    detail: Some(ANSWER),
    query: &[&p::LANG, &p::FORMAT, &p::FORMAT_PARAMS],
    body: Some(Described::of::<Body>()),
    body_example: SELECTION,
    content: Content::Cells,
    problems: &[404, 406, 413],
    ..PLAIN
};

pub static ESTIMATE: Operation = Operation {
    id: "getEstimate",
    area: Area::Data,
    summary: Phrase::new(
        "How large an answer would be: cells, withheld cells, bytes",
        "Seberapa besar jawabannya: banyaknya sel, sel yang ditutup, bita",
    ),
    query: &[&p::LANG, &p::VALUE_CODES, &p::CODELIST, &p::HEADING, &p::STUB, &p::FORMAT, &p::FORMAT_PARAMS],
    content: Content::Json(Described::of::<Estimate<'static>>()),
    tagged: false,
    problems: &[404, 406, 413],
    ..PLAIN
};

pub static ESTIMATE_POST: Operation = Operation {
    id: "postEstimate",
    area: Area::Data,
    summary: Phrase::new("The same for a selection in the body", "Sama, untuk pilihan dalam isi permintaan"),
    query: &[&p::LANG, &p::FORMAT, &p::FORMAT_PARAMS],
    body: Some(Described::of::<Body>()),
    body_example: SELECTION,
    content: Content::Json(Described::of::<Estimate<'static>>()),
    tagged: false,
    problems: &[404, 406, 413],
    ..PLAIN
};

pub static CHART: Operation = Operation {
    id: "drawChart",
    area: Area::Charts,
    summary: Phrase::new(
        "A chart of a table or a named query: population pyramid, bars, lines, ranking, shaded table, map",
        "Diagram suatu tabel atau kueri bernama: piramida penduduk, batang, garis, peringkat, tabel berwarna, peta",
    ),
    detail: Some(Phrase::new(
        "Numbers are chosen as for data; what a kind of chart needs and nobody chose is chosen for it. A withheld number is a hatched mark of constant size. The file itself says which query and release it shows.",
        "Angka dipilih seperti pada data; yang diperlukan suatu jenis diagram dan tidak dipilih, dipilihkan. Angka yang ditutup adalah tanda arsir berukuran tetap. Berkasnya sendiri menyebut kueri dan rilis yang ditampilkannya.",
    )),
    query: &[
        &p::LANG,
        &p::CHART_TABLE,
        &p::CHART_QUERY,
        &p::CHART_COLUMNS,
        &p::VALUE_CODES,
        &p::CODELIST,
        &p::HEADING,
        &p::COMPARE,
        &p::SHARE,
        &p::STACKING,
        &p::PLACES,
        &p::LOWEST,
        &p::METHOD,
        &p::CLASS_COUNT,
        &p::BOUNDS,
        &p::ZERO,
        &p::CHART_TITLE,
        &p::THEME,
        &p::WIDTH,
        &p::HEIGHT,
        &p::SCALE,
    ],
    content: Content::Picture,
    problems: &[404, 413],
    example: "table={table}",
    ..PLAIN
};

pub static SAVE: Operation = Operation {
    id: "saveQuery",
    area: Area::Saved,
    summary: Phrase::new("Give a query a name", "Beri nama pada suatu kueri"),
    detail: Some(Phrase::new(
        "The name holds the whole query, so that every server knows it and none has to keep it. `timeMode` says what becomes of its periods with new releases: fixed, growing, rolling.",
        "Nama itu memuat seluruh kueri, sehingga setiap server mengenalnya dan tidak ada yang perlu menyimpannya. `timeMode` menentukan apa yang terjadi pada periodenya bila ada rilis baru: fixed, growing, rolling.",
    )),
    query: &[],
    body: Some(Described::of::<SavedBody>()),
    body_example: r#"{"tableId":"{table}","outputFormat":"csv","selection":{"selection":[{"variableCode":"Tid","valueCodes":["top(1)"]},{"variableCode":"ContentsCode","valueCodes":["*"]}]},"timeMode":"rolling"}"#,
    content: Content::Created(Described::of::<SavedDocument<'static>>()),
    tagged: false,
    problems: &[404, 413],
    ..PLAIN
};

pub static SAVED: Operation = Operation {
    id: "getSavedQuery",
    area: Area::Saved,
    summary: Phrase::new("What a saved query asks for", "Apa yang diminta kueri tersimpan"),
    content: Content::Json(Described::of::<SavedDocument<'static>>()),
    tagged: false,
    problems: &[404],
    ..PLAIN
};

pub static SAVED_SELECTION: Operation = Operation {
    id: "getSavedSelection",
    area: Area::Saved,
    summary: Phrase::new("Its selection, as a body that data take", "Pilihannya, sebagai isi permintaan data"),
    content: Content::Json(Described::of::<SelectionDocument<'static>>()),
    tagged: false,
    problems: &[404],
    ..PLAIN
};

pub static SAVED_DATA: Operation = Operation {
    id: "getSavedData",
    area: Area::Saved,
    summary: Phrase::new("The cells that it asks for", "Sel yang dimintanya"),
    detail: Some(ANSWER),
    query: &[&p::LANG, &p::FORMAT, &p::FORMAT_PARAMS],
    content: Content::Cells,
    problems: &[404, 406, 413],
    ..PLAIN
};

pub static QUERIES: Operation = Operation {
    id: "listQueries",
    area: Area::Queries,
    summary: Phrase::new("The named queries, for whom each is", "Daftar kueri bernama, untuk siapa masing-masing"),
    content: Content::Json(Described::of::<QueryList<'static>>()),
    ..PLAIN
};

pub static QUERY: Operation = Operation {
    id: "getQuery",
    area: Area::Queries,
    summary: Phrase::new("What a query takes and answers", "Apa yang diterima dan dijawab suatu kueri"),
    content: Content::Json(Described::of::<QueryDocument<'static>>()),
    problems: &[404],
    ..PLAIN
};

pub static QUERY_DATA: Operation = Operation {
    id: "getQueryData",
    area: Area::Queries,
    summary: Phrase::new("The rows that a query answers", "Baris jawaban suatu kueri"),
    detail: Some(Phrase::new(
        "Parameters are those of the query; each query has its own address below.",
        "Parameternya adalah parameter kueri itu; tiap kueri punya alamat sendiri di bawah.",
    )),
    query: &[&p::LANG, &p::ROWS_FORMAT],
    content: Content::Rows,
    problems: &[404],
    ..PLAIN
};

pub static SDMX_DATA: Operation = Operation {
    id: "getSdmxData",
    area: Area::Sdmx,
    summary: Phrase::new("Data of a dataflow", "Data suatu dataflow"),
    detail: Some(Phrase::new(
        "Withheld observations have no value, `OBS_STATUS` `Q` and `CONF_STATUS` `C`.",
        "Amatan yang ditutup tidak bernilai, dengan `OBS_STATUS` `Q` dan `CONF_STATUS` `C`.",
    )),
    query: &[
        &p::LANG,
        &p::START_PERIOD,
        &p::END_PERIOD,
        &p::FIRST_N,
        &p::LAST_N,
        &p::UPDATED_AFTER,
        &p::DATA_DETAIL,
        &p::OBSERVED_BY,
        &p::SDMX_FORMAT,
        &p::LABELS,
    ],
    content: Content::SdmxData,
    problems: &[404, 406, 413],
    ..PLAIN
};

pub static SDMX_AVAILABILITY: Operation = Operation {
    id: "getSdmxAvailability",
    area: Area::Sdmx,
    summary: Phrase::new("Which codes there are data for", "Kode mana yang ada datanya"),
    query: &[&p::LANG, &p::START_PERIOD, &p::END_PERIOD, &p::UPDATED_AFTER, &p::REFERENCES, &p::MODE],
    content: Content::SdmxStructure,
    problems: &[404, 406],
    ..PLAIN
};

pub static SDMX_STRUCTURE: Operation = Operation {
    id: "getSdmxStructure",
    area: Area::Sdmx,
    summary: Phrase::new(
        "Dataflows, data structures, code lists and what else describes data",
        "Dataflow, struktur data, daftar kode, dan lainnya yang menerangkan data",
    ),
    query: &[&p::LANG, &p::REFERENCES, &p::STRUCTURE_DETAIL],
    content: Content::SdmxStructure,
    problems: &[404, 406],
    ..PLAIN
};

pub static OPENAPI: Operation = Operation {
    id: "getOpenApi",
    area: Area::Service,
    summary: Phrase::new("This description, as OpenAPI 3.1 for programs", "Keterangan ini, sebagai OpenAPI 3.1 untuk program"),
    content: Content::OpenApi,
    ..PLAIN
};

pub static HEALTH: Operation = Operation {
    id: "getHealth",
    area: Area::Service,
    summary: Phrase::new("Whether the service lives", "Apakah layanan hidup"),
    query: &[],
    content: Content::Json(Described::of::<Health>()),
    tagged: false,
    ..PLAIN
};

pub static READINESS: Operation = Operation {
    id: "getReadiness",
    area: Area::Service,
    summary: Phrase::new(
        "Whether it takes requests, and which releases it serves",
        "Apakah layanan menerima permintaan, dan rilis mana yang disajikan",
    ),
    query: &[],
    content: Content::Json(Described::of::<Readiness<'static>>()),
    tagged: false,
    ..PLAIN
};
