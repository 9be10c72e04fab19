//! What pages say, in the languages of the program.

use crate::{
    charts::ChartKind,
    tables::CellStatus,
    words::{Phrase, phrases},
};

phrases! {
    // Around every page.

    SKIP = "Skip to the content" | "Langsung ke isi";
    NAVIGATION = "Main" | "Menu utama";
    WAY = "You are here" | "Anda di sini";
    HOME = "Front page" | "Beranda";
    TABLES = "Tables" | "Tabel";
    TABLE = "Table" | "Tabel angka";
    REGIONS = "Regions" | "Wilayah";
    DASHBOARDS = "Dashboards" | "Dasbor";
    QUERIES = "Queries" | "Kueri";
    RELEASES = "Releases" | "Rilis";
    INTERFACE = "API" | "Antarmuka";
    METHOD = "How people are protected" | "Cara data pribadi dilindungi";
    METHOD_SHORT = "Method" | "Metode";
    THEME = "Light/dark" | "Terang/gelap";
    THEME_DARK = "Dark colours" | "Warna gelap";
    THEME_LIGHT = "Light colours" | "Warna terang";
    COPIED = "Copied" | "Tersalin";
    COPY = "Copy" | "Salin";
    SHOW = "Show" | "Tampilkan";
    SHARE = "Keep and share" | "Simpan dan bagikan";
    NOT_FOR_YOU = "That is not for you to see" | "Ini di luar hak akses Anda";
    NOT_HERE = "There is no such page" | "Halaman tidak ditemukan";
    NOT_NOW = "That did not work" | "Gagal";
    NOT_UNDERSTOOD = "That was not understood" | "Permintaan tidak dipahami";
    NOT_HERE_HELP = "Search for what you need, or begin with the tables." | "Carilah yang Anda perlukan, atau mulailah dari daftar tabel.";

    // Signing in, and one's account.

    SIGN_IN = "Sign in" | "Masuk";
    SIGN_IN_LEAD = "For users of institutions under agreement. Your user id and a one-time password are on the handover record." | "Bagi pengguna lembaga yang memiliki perjanjian. Kode pengguna dan kata sandi sekali pakai ada pada berita acara serah terima.";
    SIGN_OUT = "Sign out" | "Keluar";
    ACCOUNT = "Account" | "Akun";
    USER_ID = "User id" | "Kode pengguna";
    PASSWORD = "Password" | "Kata sandi";
    PASSWORD_NOW = "Present password" | "Kata sandi sekarang";
    PASSWORD_NEW = "New password (12 characters or more)" | "Kata sandi baru (12 karakter atau lebih)";
    FACTOR_CODE = "Code from your authenticator" | "Kode dari aplikasi autentikator";
    WRONG_SIGN_IN = "User id or password is wrong, or your access does not hold at present." | "Kode pengguna atau kata sandi salah, atau akses Anda sedang tidak berlaku.";
    LOCKED = "Too many attempts were wrong. Try again in {0} seconds." | "Terlalu banyak percobaan salah. Cobalah lagi dalam {0} detik.";
    CHANGE_FIRST = "This password can be used once. Choose one of your own to go on." | "Kata sandi ini hanya dapat dipakai sekali. Pilihlah kata sandi Anda sendiri untuk melanjutkan.";
    BAD_LENGTH = "A password has 12 to 128 characters." | "Kata sandi terdiri atas 12 sampai 128 karakter.";
    BAD_GUESSABLE = "That password is easy to guess: choose one that is not the old one and does not hold your user id." | "Kata sandi itu mudah ditebak: pilihlah yang berbeda dari yang lama dan tidak memuat kode pengguna.";
    NEEDS_CODE = "Give the code that your authenticator shows now." | "Masukkan kode yang sedang ditampilkan aplikasi autentikator Anda.";
    CHANGED = "Your password is changed. Other sessions of yours have ended." | "Kata sandi Anda telah diganti. Sesi Anda yang lain telah berakhir.";
    YOU_SEE = "What you see" | "Yang Anda lihat";
    YOUR_INSTITUTION = "Institution" | "Lembaga";
    WHOLE_COUNTRY = "the whole country" | "seluruh negeri";
    EVERY_TABLE = "every table" | "semua tabel";
    CHANGE_PASSWORD = "Change the password" | "Ganti kata sandi";
    KEYS = "Keys for programs" | "Kunci untuk program";
    KEYS_LEAD = "A program sends its key as 'Authorization: Bearer ...'. It sees what you see. Keys of SQL clients are given in the place of the password." | "Program mengirimkan kuncinya sebagai 'Authorization: Bearer ...'. Ia melihat apa yang Anda lihat. Klien SQL memakainya sebagai kata sandi.";
    KEY_NAME = "Name of the key" | "Nama kunci";
    KEY_DAYS = "Days for which it holds" | "Berlaku berapa hari";
    KEY_ENDS = "Ends" | "Berakhir";
    KEY_ADD = "Make a key" | "Buat kunci";
    KEY_REVOKE = "Revoke" | "Cabut";
    KEY_ONCE = "This is the key. It is shown this once and kept nowhere: copy it now." | "Inilah kuncinya. Kunci ini hanya ditampilkan sekali dan tidak disimpan: salinlah sekarang.";
    REVOKED = "revoked" | "dicabut";
    SECOND_FACTOR = "Second factor" | "Faktor kedua";
    SECOND_FACTOR_ON = "Your account has a second factor. An administrator can take it away." | "Akun Anda memiliki faktor kedua. Administrator dapat menghapusnya.";
    SECOND_FACTOR_LEAD = "An authenticator on your phone gives a code each time you sign in." | "Aplikasi autentikator di ponsel memberikan kode setiap kali Anda masuk.";
    SECOND_FACTOR_BEGIN = "Set up a second factor" | "Pasang faktor kedua";
    SECOND_FACTOR_SEED = "Enter this into your authenticator, then give the code that it shows:" | "Masukkan ini ke aplikasi autentikator, lalu isikan kode yang ditampilkannya:";
    SECOND_FACTOR_WRONG = "That was not the code. Begin again." | "Kode itu salah. Mulailah lagi.";
    CONFIRM = "Confirm" | "Konfirmasi";

    // Front page and search.

    HOME_LEAD = "Counts of everybody in the register, by region, age, sex, occupation and status: as tables, charts and maps, for everybody to use. Small counts are withheld, so that nobody can be recognised."
        | "Jumlah semua orang dalam register menurut wilayah, umur, jenis kelamin, pekerjaan, dan status: sebagai tabel, diagram, dan peta, untuk dipakai siapa saja. Angka kecil dirahasiakan agar tak seorang pun dapat dikenali.";
    SEARCH = "Search" | "Cari";
    SEARCH_ALL = "Search for regions, categories, tables" | "Cari wilayah, kategori, tabel";
    SEARCH_EXAMPLE = "For example:" | "Misalnya:";
    SEARCH_HELP = "Write the name or code of a region, a category, or what a table is about. Several at once lead to a table where they are chosen already."
        | "Tulislah nama atau kode wilayah, kategori, atau isi tabel. Beberapa sekaligus membawa Anda ke tabel yang pilihannya sudah terisi.";
    NOTHING_FOUND = "Nothing was found for '{0}'." | "Tidak ada hasil untuk '{0}'.";
    SUGGESTIONS = "{0} suggestions; arrow down to go through them" | "{0} saran; panah bawah untuk memilih";
    BEST_TABLES = "Tables with this chosen" | "Tabel dengan pilihan ini";
    CATEGORIES = "Categories" | "Kategori";
    FOR_WHOM = "Ways in" | "Mulai dari sini";
    FULL_PROFILE = "Full profile of" | "Profil lengkap";
    PUBLISHED_ON = "Published" | "Terbit";
    NEXT_RELEASE = "next release" | "rilis berikutnya";
    ABOUT_RELEASES = "About the releases" | "Tentang rilis";
    REVISION = "Revision" | "Revisi";

    // Catalogue.

    CATALOGUE = "All tables" | "Semua tabel";
    SEARCH_TABLES = "Search in tables" | "Cari tabel";
    SUBJECTS = "Subjects" | "Subjek";
    ALL_SUBJECTS = "All" | "Semua";
    SHOWN_OF = "Showing {0} of {1} tables" | "Menampilkan {0} dari {1} tabel";
    DOWN_TO = "down to" | "sampai";
    CELLS = "{0} cells" | "{0} sel";
    DISCONTINUED = "no longer continued" | "tidak dilanjutkan";

    // Explorer.

    CHOICE = "What the table shows" | "Isi tabel";
    VIEWS = "Ways to look at it" | "Cara melihat";
    COUNTED = "Cells: {0} · withheld [c]: {1}" | "Sel: {0} · dirahasiakan [c]: {1}";
    TOTAL = "total" | "jumlah";
    OF = "{0} of {1}" | "{0} dari {1}";
    SEARCH_IN = "Search in" | "Cari dalam";
    ALL_NONE = "all/none" | "semua/kosong";
    CODE_LIST = "Code list of" | "Daftar kode";
    EVERY_LEVEL = "Every level" | "Semua tingkat";
    MEASURE = "Number" | "Ukuran";
    PERIOD = "Period" | "Periode";
    CHOSEN = "Chosen" | "Terpilih";
    BROWSE = "Browse" | "Telusuri";
    EVERYTHING = "Everything" | "Semuanya";
    ALL_IN = "All right below {0}" | "Semua yang langsung di bawah {0}";
    ALL_WITHIN = "Everything in {0}" | "Semua di dalam {0}";
    AND_OTHERS = "and {0} more" | "dan {0} lainnya";
    PASTE = "Paste a list of codes" | "Tempel daftar kode";
    PASTED_UNKNOWN = "These codes are not in the table: {0}." | "Kode berikut tidak ada dalam tabel: {0}.";
    MUST_KNOW = "Important for what you chose" | "Penting untuk pilihan Anda";
    TOO_LARGE_TO_SHOW = "The selection has {0} cells, too many to look at ({1} at most). Download it, or choose less." | "Pilihan ini memuat {0} sel, terlalu banyak untuk ditampilkan (paling banyak {1}). Unduhlah, atau pilih lebih sedikit.";
    MORE_ROWS = "{0} more rows" | "{0} baris lagi";
    FROM_FIRST_ROW = "From the first row" | "Dari baris pertama";
    ROWS = "Rows" | "Baris";
    COLUMNS = "Columns" | "Kolom";
    MOVE_FIRST = "Move forward" | "Majukan";
    MOVE_ACROSS = "Move to the other side" | "Pindah ke sisi lain";
    LABELS = "Show" | "Tampilkan label";
    NAMES = "Names" | "Nama";
    CODES = "Codes" | "Kode";
    BOTH = "Both" | "Keduanya";
    SHADING = "Shading" | "Arsiran warna";
    ON = "on" | "ya";
    OFF = "off" | "tidak";
    SHOWN_AS = "As" | "Sebagai";
    AS_COUNTS = "Counts" | "Jumlah orang";
    AS_SHARES = "Per cent" | "Persen";
    GROUPED = "Side by side" | "Berdampingan";
    STACKED = "Stacked" | "Bertumpuk";
    FULL = "Parts of a hundred" | "Bagian dari seratus";
    AXIS = "Axis" | "Sumbu";
    AXIS_FREE = "Where the numbers are" | "Di sekitar angka";
    AXIS_ZERO = "From zero" | "Dari nol";
    HIGHEST = "Highest" | "Tertinggi";
    LOWEST = "Lowest" | "Terendah";
    PLACES = "Places" | "Peringkat";
    CLASSES = "Classes" | "Kelas";
    QUANTILES = "Quantiles" | "Kuantil";
    EQUAL_WIDTH = "Equal width" | "Lebar sama";
    COMPARED_WITH = "Compared with" | "Dibandingkan dengan";
    NOTHING = "Nothing" | "Tanpa pembanding";
    TABLE_OF_PICTURE = "The same numbers as a table" | "Angka yang sama sebagai tabel";
    DOWNLOAD = "Download" | "Unduh";
    FORMAT = "Format" | "Format berkas";
    SIZE = "Size" | "Ukuran berkas";
    PICTURE = "Picture" | "Gambar";
    PERMALINK = "Link to this view" | "Tautan ke tampilan ini";
    PERMALINK_FIXED = "Link with these periods, whatever is released later" | "Tautan dengan periode ini, apa pun rilis berikutnya";
    FOR_PROGRAMS = "The same numbers in programs" | "Angka yang sama dalam program";

    // Panels.

    PANEL_EMPTY = "There is nothing to show here for what was chosen." | "Tidak ada yang dapat ditampilkan di sini untuk pilihan ini.";
    SOURCE_AND_NOTES = "Source and notes" | "Sumber dan catatan";
    AS_TABLE = "Open as table" | "Buka sebagai tabel";
    AS_QUERY = "Open as query" | "Buka sebagai kueri";
    SINCE_BEFORE = "since the period before" | "sejak periode sebelumnya";
    DASHBOARDS_LEAD = "Figures, charts and maps composed for what people ask most often. Choose a region and a semester; every picture can be opened as a table and taken away."
        | "Angka, diagram, dan peta yang disusun untuk pertanyaan yang paling sering diajukan. Pilih wilayah dan semester; setiap gambar dapat dibuka sebagai tabel dan diunduh.";
    NO_DASHBOARD = "there is no dashboard '{0}'; {1}" | "tidak ada dasbor '{0}'; {1}";
    WHOLE_AS_ZIP = "Everything as one file (ZIP: pictures, data, captions)" | "Semuanya dalam satu berkas (ZIP: gambar, data, keterangan)";
    PRINT_HINT = "Printing this page gives a document of A4 pages." | "Mencetak halaman ini menghasilkan dokumen berukuran A4.";
    QUERIES_LEAD = "Questions that are asked often, with their answers over all regions. Fill in what you look for." | "Pertanyaan yang sering diajukan, dengan jawaban untuk semua wilayah. Isilah yang Anda cari.";
    FILL_IN = "Fill in what is marked with * to see the answer." | "Isilah yang bertanda * untuk melihat jawabannya.";

    // Regions.

    NO_REGION = "there is no region '{0}'; search for it by its name or code" | "tidak ada wilayah '{0}'; carilah dengan nama atau kodenya";
    CODE = "code" | "kode";
    CHANGES = "What became of this region" | "Perubahan wilayah ini";
    IS_NEW = "New since {0}: there are no numbers for earlier periods." | "Baru sejak {0}: tidak ada angka untuk periode sebelumnya.";
    IS_GONE = "No longer there since {0}." | "Tidak ada lagi sejak {0}.";
    LOST_PARTS = "Lost some of its parts in {0}: numbers before and after are of different areas." | "Kehilangan sebagian wilayahnya pada {0}: angka sebelum dan sesudahnya mencakup wilayah yang berbeda.";
    LIES_IN = "What lies in" | "Wilayah di dalam";
    COMPARE_THESE = "Compare the first of these" | "Bandingkan beberapa di antaranya";
    TABLES_WITH = "Tables with" | "Tabel untuk";
    COMPARE = "Regions side by side" | "Wilayah berdampingan";
    COMPARE_LEAD = "Up to five regions of any level, by the figures that are asked for most." | "Hingga lima wilayah dari tingkat mana pun, menurut angka yang paling sering ditanyakan.";
    ADD_REGION = "Add a region" | "Tambah wilayah";
    REMOVE = "Remove" | "Hapus";
    FIGURES = "Figures" | "Angka dan diagram";
    FIGURE = "Figure" | "Angka";

    // Releases and method.

    RELEASES_LEAD = "A release is published once and never changed; what was wrong is corrected in a new revision." | "Satu rilis terbit satu kali dan tidak pernah diubah; kesalahan diperbaiki dalam revisi baru.";
    CALENDAR = "Calendar" | "Kalender";
    AS_CALENDAR = "For your calendar (iCalendar)" | "Untuk kalender Anda (iCalendar)";
    REFERENCE_DAY = "Counted as of" | "Keadaan pada";
    DUE = "due" | "direncanakan";
    CORRECTION = "Correction" | "Perbaikan";
    RELEASE = "Release" | "Kode rilis";
    DIGEST = "SHA-256 of its manifest" | "SHA-256 manifesnya";
    VINTAGE = "Regions as of" | "Pembagian wilayah";
    QUALITY = "Quality of the records" | "Mutu catatan";
    QUALITY_HIDDEN = "Not told for this release: of so few records it would show a number that is withheld." | "Tidak disebutkan untuk rilis ini: catatannya terlalu sedikit sehingga dapat membuka angka yang dirahasiakan.";
    QUALITY_ROUNDED = "Shares are rounded so that they do not tell of few people; a reason that rejected few or none is not listed." | "Bagian dibulatkan agar tidak membuka angka kecil; sebab yang menolak sedikit atau tanpa catatan tidak dicantumkan.";
    NOT_TOLD = "This release says nothing of it." | "Rilis ini tidak menyebutkannya.";
    ACCEPTED = "Of every thousand records of the snapshot about {0} were accepted and counted." | "Dari setiap seribu catatan, sekitar {0} diterima dan dihitung.";
    REJECTED = "Rejected records" | "Catatan yang ditolak";
    REASON = "Reason" | "Sebab";
    PER_THOUSAND = "of a thousand" | "per seribu";
    CONFIDENTIALITY = "Confidentiality" | "Kerahasiaan";
    WITHHELD = "{0} of {1} cells are withheld ({2} %)." | "{0} dari {1} sel dirahasiakan ({2} %).";
    SMALL_COUNTS = "Counts that are small" | "Angka yang dianggap kecil";
    CHECKED = "Checked before publication" | "Diperiksa sebelum terbit";
    FAULTS = "Faults found" | "Kesalahan";
    NO_FAULTS = "none: a release with faults is not published" | "tidak ada: rilis yang bermasalah tidak diterbitkan";
    SOLVED = "Withheld cells whose exact range was worked out" | "Sel rahasia yang rentang pastinya dihitung";
    SAMPLED = "Withheld cells attacked together with what is around them" | "Sel rahasia yang diserang bersama sel di sekitarnya";
    ATTACKED_TOGETHER = "Revisions attacked together" | "Revisi yang diserang bersama-sama";
    LEFT_TO_PROOFS = "Left undecided by the attack, and covered by the proofs" | "Tidak diputuskan oleh serangan, dan dijamin oleh bukti";
    LEFT_UNDECIDED = "{0} cells outside of it, {1} ends of ranges, {2} systems" | "{0} sel di luarnya, {1} ujung rentang, {2} sistem";
    METHOD_LEAD = "Nobody may learn anything about a person from these numbers: not by adding and subtracting them, not with a computer, and not together with others." | "Tak seorang pun boleh mengetahui apa pun tentang seseorang dari angka-angka ini: tidak dengan menjumlah dan mengurangkannya, tidak dengan komputer, dan tidak bersama orang lain.";
    METHOD_WHY = "Why some numbers are withheld" | "Mengapa sebagian angka dirahasiakan";
    METHOD_WHY_TEXT = "A count of 1 to {0} people could let somebody be recognised. Such a count is not shown; in its place stands [c]." | "Angka 1 sampai {0} orang dapat membuat seseorang dikenali. Angka seperti itu tidak ditampilkan; sebagai gantinya tertulis [c].";
    METHOD_SECOND = "Withholding it alone would not help: whoever knows the total of a row and all but one of its numbers works out the missing one. So a few other numbers are withheld with it. They look the same, so that nobody can tell which of them is small." | "Merahasiakannya sendirian tidak cukup: siapa pun yang mengetahui jumlah satu baris dan semua angka lainnya dapat menghitung yang hilang. Karena itu beberapa angka lain ikut dirahasiakan. Tandanya sama, sehingga tak seorang pun tahu mana yang kecil.";
    METHOD_EXAMPLE = "In this made-up table only the 3 is small. With three others withheld beside it, rows and columns still add up in many ways: it might be 1, 2, 3, 4 or more." | "Dalam tabel karangan ini hanya angka 3 yang kecil. Dengan tiga angka lain ikut dirahasiakan, baris dan kolom tetap dapat dijumlahkan dengan banyak cara: angkanya bisa 1, 2, 3, 4, atau lebih.";
    EXAMPLE_CAPTION = "People by village and religion (made up)" | "Penduduk menurut desa dan agama (karangan)";
    EXAMPLE_VILLAGE = "Village" | "Desa";
    METHOD_PROOF = "How that is proven" | "Cara membuktikannya";
    METHOD_PROOF_TEXT = "For every small count two other countries are worked out that would look exactly the same in all published numbers of all tables: one in which the count is 1, and one in which it is as large as a small count can be. So whatever is published cannot tell which is the true one." | "Untuk setiap angka kecil dihitung dua negeri lain yang akan tampak persis sama dalam semua angka terbitan di semua tabel: satu dengan angka 1, dan satu lagi dengan angka kecil yang terbesar. Maka apa pun yang terbit tidak dapat menunjukkan mana yang sebenarnya.";
    METHOD_AUDIT = "A second program, which shares nothing with the first, checks these proofs and attacks the release as an intruder would. What does not pass is not published." | "Program kedua, yang tidak berbagi apa pun dengan yang pertama, memeriksa bukti-bukti ini dan menyerang rilis seperti seorang penyusup. Yang tidak lolos tidak diterbitkan.";
    METHOD_MARKS = "Marks in tables" | "Tanda dalam tabel";
    MEANS_C = "Withheld to protect people. Totals include it." | "Dirahasiakan untuk melindungi data pribadi. Tetap termasuk dalam jumlah.";
    MEANS_Z = "Cannot exist: the combination is impossible, or the category did not exist in that period." | "Tidak mungkin ada: kombinasinya mustahil, atau kategorinya belum atau tidak lagi ada pada periode itu.";
    MEANS_X = "Not available for that period or level." | "Tidak tersedia untuk periode atau tingkat itu.";
    MEASURES = "How shares and ratios are worked out" | "Cara menghitung persentase dan rasio";
    DEFINITIONS = "What is told apart" | "Pengelompokan";
}

/// Why records are rejected, by identifier.
static REASONS: [(&str, Phrase); 11] = [
    ("wrong-number-of-fields", Phrase::new("not as many fields as the heading", "banyaknya kolom tidak sesuai")),
    ("missing-field", Phrase::new("a needed field is empty", "isian wajib kosong")),
    ("unknown-code", Phrase::new("unknown code", "kode tidak dikenal")),
    ("unknown-region", Phrase::new("unknown region", "wilayah tidak dikenal")),
    ("not-utf8", Phrase::new("text that cannot be read", "teks tidak terbaca")),
    ("malformed-identifier", Phrase::new("identity number of the wrong form", "nomor identitas salah bentuk")),
    ("unreadable-date", Phrase::new("date that cannot be read", "tanggal tidak terbaca")),
    ("born-after-reference-date", Phrase::new("born after the reference day", "lahir setelah hari acuan")),
    ("born-too-early", Phrase::new("birth date too long ago", "tanggal lahir terlalu lampau")),
    ("impossible-combination", Phrase::new("impossible combination", "kombinasi mustahil")),
    ("duplicate-identity", Phrase::new("identity number occurs twice", "nomor identitas ganda")),
];

/// What audits check, by identifier.
static CHECKS: [(&str, Phrase); 10] = [
    ("structural zeros", Phrase::new("what cannot exist is empty", "yang mustahil memang kosong")),
    ("statuses", Phrase::new("every small count is withheld", "setiap angka kecil dirahasiakan")),
    ("sums", Phrase::new("published numbers add up", "angka terbitan cocok jumlahnya")),
    ("shared cells", Phrase::new("tables agree where they share cells", "tabel-tabel sepakat pada sel yang sama")),
    ("certificates", Phrase::new("every small count has its proof", "setiap angka kecil memiliki bukti")),
    ("alternative worlds", Phrase::new("every proof holds in all tables together", "setiap bukti berlaku di semua tabel sekaligus")),
    ("linear programs", Phrase::new("attacks by linear programs find nothing", "serangan program linear tidak menemukan apa pun")),
    (
        "links",
        Phrase::new("people and households together tell no more", "penduduk dan rumah tangga bersama-sama tidak membuka lebih banyak"),
    ),
    ("revisions", Phrase::new("all revisions together tell no more", "semua revisi bersama-sama tidak membuka lebih banyak")),
    (
        "contributors",
        Phrase::new("no number comes from too few households", "tidak ada angka yang berasal dari terlalu sedikit rumah tangga"),
    ),
];

/// Why a record was rejected.
pub fn of_reason(id: &str) -> Option<&'static Phrase> {
    REASONS.iter().find(|(known, _)| *known == id).map(|(_, phrase)| phrase)
}

/// What an audit checked.
pub fn of_check(id: &str) -> Option<&'static Phrase> {
    CHECKS.iter().find(|(known, _)| *known == id).map(|(_, phrase)| phrase)
}

/// Why there is no number.
pub fn of_status(status: CellStatus) -> Option<&'static Phrase> {
    match status {
        CellStatus::Published => None,
        CellStatus::Suppressed => Some(&MEANS_C),
        CellStatus::Impossible => Some(&MEANS_Z),
        CellStatus::Unavailable => Some(&MEANS_X),
    }
}

/// Kinds of charts, in their order.
static CHARTS: [Phrase; 6] = [
    Phrase::new("Pyramid", "Piramida"),
    Phrase::new("Bars", "Batang"),
    Phrase::new("Lines", "Garis"),
    Phrase::new("Ranking", "Peringkat"),
    Phrase::new("Heat table", "Tabel panas"),
    Phrase::new("Map", "Peta"),
];

/// A kind of chart.
pub fn of_chart(kind: ChartKind) -> &'static Phrase {
    &CHARTS[kind as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Tongue;

    #[test]
    fn every_phrase_is_said_in_every_language() {
        assert!(ALL.len() > 100);
        for phrase in ALL {
            let (english, other) = (phrase.text(Tongue::English), phrase.text(Tongue::Indonesian));
            assert!(!other.is_empty() && english != other, "{english}");
            for place in ["{0}", "{1}", "{2}"] {
                assert_eq!(english.contains(place), other.contains(place), "{english}");
            }
        }
    }
}
