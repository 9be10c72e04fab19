//! What the pages of administrators say, in the languages of the program.

use crate::{
    access::{Kind, Role, Standing, State},
    usage::Oddity,
    words::{Phrase, phrases},
};

phrases! {
    ADMINISTRATION = "Administration" | "Administrasi";
    ADMIN = "Admin" | "Admin";
    OVERVIEW = "Overview" | "Ringkasan";
    INSTITUTIONS = "Institutions" | "Lembaga";
    USERS = "Users" | "Pengguna";
    LOG = "Log of accesses" | "Catatan akses";
    CHANGES = "Changes" | "Perubahan";
    HINTS = "What looks unusual" | "Yang tampak tidak biasa";
    USAGE = "Usage" | "Pemakaian";
    ONLY_ADMINISTRATORS = "these pages are for administrators who have signed in" | "halaman ini hanya bagi administrator yang sudah masuk";
    ONLY_REPORTERS = "reports on use are for reporters, of their own institution, and for administrators" | "laporan pemakaian hanya bagi pelapor, untuk lembaganya sendiri, dan bagi administrator";
    FACTOR_FIRST = "administrators need a second factor here: set one up on the page of your account" | "administrator memerlukan faktor kedua di sini: aktifkan di halaman akun Anda";
    DONE = "Done, and kept among the changes." | "Selesai, dan tercatat dalam daftar perubahan.";
    WHY = "Reason" | "Alasan";
    UNTIL = "Last day (empty: until somebody reactivates)" | "Hari terakhir (kosong: sampai diaktifkan kembali)";
    NOTHING = "There is none." | "Tidak ada.";
    EVERY = "all" | "semua";
    SEARCH = "Search" | "Cari";
    AND_MORE = "These are the newest {0}; narrow the search to see others." | "Ini {0} yang terbaru; persempit pencarian untuk melihat yang lain.";

    // Institutions.

    CODE = "Code" | "Kode";
    NAME = "Name" | "Nama";
    KIND = "Kind of agreement" | "Jenis perjanjian";
    AGREEMENT = "Agreement number" | "Nomor perjanjian";
    FROM = "First day" | "Hari pertama";
    TO = "Last day" | "Hari terakhir";
    VALID = "Valid" | "Berlaku";
    STANDING = "Standing" | "Keadaan";
    OWES_REPORTS = "owes a report on its use for each semester" | "wajib melaporkan pemakaian tiap semester";
    GRANTED = "Tables granted (none ticked: all)" | "Tabel yang diberikan (tanpa centang: semua)";
    REPORT = "Report" | "Laporan";
    REPORT_FOR = "Report for {0}" | "Laporan {0}";
    ADD_INSTITUTION = "Add an institution" | "Tambah lembaga";
    CHANGE = "Change" | "Ubah";
    SUSPEND = "Suspend" | "Tangguhkan";
    REACTIVATE = "Reactivate" | "Aktifkan kembali";
    END = "End for good" | "Akhiri selamanya";
    STANDS = "Its users may sign in today." | "Penggunanya dapat masuk hari ini.";
    STANDS_NOT = "Its users cannot sign in today: it is suspended or ended, or its agreement does not hold." | "Penggunanya tidak dapat masuk hari ini: lembaga ditangguhkan atau berakhir, atau perjanjiannya tidak berlaku.";

    // Users.

    USER_ID = "User id" | "Kode pengguna";
    INSTITUTION = "Institution" | "Lembaga";
    OFFICE = "Region of the office (empty: the whole country)" | "Wilayah kantor (kosong: seluruh negeri)";
    REGION = "Region" | "Wilayah";
    ROLE = "Role" | "Peran";
    STATE = "State" | "Keadaan";
    EMPLOYEE = "Employee number" | "Nomor pegawai";
    POSITION = "Position" | "Jabatan";
    LOCAL_ID = "Name in the institution's own systems" | "Nama di sistem lembaga";
    IDENTITY = "Identity number (only a digest of it is kept)" | "NIK (hanya sidik digitalnya yang disimpan)";
    REQUESTED_BY = "Requested by" | "Diminta oleh";
    REQUEST = "Request a user" | "Minta pengguna";
    REQUEST_FILE = "Request users by a file" | "Minta pengguna lewat berkas";
    REQUEST_FILE_LEAD = "CSV, or the first sheet of a workbook (.xlsx), with these columns: {0}. Where a line is wrong, none is taken." | "CSV, atau lembar pertama buku kerja (.xlsx), dengan kolom: {0}. Jika satu baris salah, tidak ada yang diambil.";
    FILE = "File" | "Berkas";
    PENDING = "Requests to be decided" | "Permintaan yang menunggu keputusan";
    APPROVE = "Approve those ticked" | "Setujui yang dicentang";
    APPROVE_ONE = "Approve" | "Setujui";
    APPROVED_LEAD = "The passwords are shown this once. Print this page: each user signs his record." | "Kata sandi hanya ditampilkan sekali ini. Cetak halaman ini: setiap pengguna menandatangani berita acaranya.";
    PRINT = "Print the records" | "Cetak berita acara";
    REFUSE = "Remove, or refuse the request" | "Hapus, atau tolak permintaan";
    RESET = "New one-time password" | "Kata sandi sekali pakai baru";
    SESSIONS = "Sessions" | "Sesi";
    SESSIONS_OPEN = "{0} open" | "{0} terbuka";
    END_SESSIONS = "End the sessions" | "Akhiri sesi";
    KEYS = "Keys" | "Kunci";
    REVOKE = "Revoke" | "Cabut";
    SECOND_FACTOR = "Second factor" | "Faktor kedua";
    YES = "yes" | "ada";
    NO = "no" | "tidak ada";
    FOUR_EYES = "Whoever asks for a user cannot approve him." | "Yang meminta pengguna tidak dapat menyetujuinya sendiri.";
    UNTIL_DAY = "until {0}" | "sampai {0}";

    // Rights.

    RIGHTS = "What this user sees" | "Yang dilihat pengguna ini";
    SEES_REGION = "{0}, {1} regions within it, and the totals above: {2}" | "{0}, {1} wilayah di dalamnya, dan jumlah di atasnya: {2}";
    SEES_ALL = "the whole country, {0} regions" | "seluruh negeri, {0} wilayah";
    SEES_TABLES = "Tables" | "Tabel";
    SEES_OPEN = "Open to everybody, in every region" | "Terbuka bagi semua orang, di setiap wilayah";
    SEES_NOT = "Not granted" | "Tidak diberikan";
    SEES_QUERIES = "Queries" | "Kueri";
    SEES_DASHBOARDS = "Dashboards" | "Dasbor";
    SEE_AS = "See the service as this user sees it" | "Lihat layanan seperti pengguna ini melihatnya";
    SEEING_AS = "You see what {0} sees." | "Anda melihat yang dilihat {0}.";
    SEEING_AS_LEAD = "Pages, tables, charts and searches of this session show what {0} may see. You stay who you are, and the log says so." | "Halaman, tabel, grafik, dan pencarian dalam sesi ini menampilkan yang boleh dilihat {0}. Anda tetap tercatat sebagai diri sendiri.";
    SEE_AS_SELF = "See it as yourself again" | "Lihat kembali sebagai diri sendiri";
    NOT_SEEING_AS = "You see the service as yourself. To see it as somebody else, go to that user's page." | "Anda melihat layanan sebagai diri sendiri. Untuk melihatnya sebagai orang lain, buka halaman pengguna itu.";

    // Log, changes, hints.

    TIME = "Time" | "Waktu";
    WHO = "Who" | "Siapa";
    ADDRESS = "Address" | "Alamat";
    WAY = "Way" | "Jalur";
    OUTCOME = "Outcome" | "Hasil";
    CELLS = "Cells" | "Sel";
    ASKED = "Asked for" | "Yang diminta";
    HOLDS = "Request holds" | "Permintaan memuat";
    SINCE = "From (day)" | "Dari (tanggal)";
    BEFORE = "To (day)" | "Sampai (tanggal)";
    REFUSED = "only what was refused" | "hanya yang ditolak";
    AS_CSV = "As CSV" | "Sebagai CSV";
    WHAT = "What" | "Apa";
    SUBJECT = "Of" | "Pada";
    BY = "By" | "Oleh";
    DAY = "Day" | "Tanggal";
    COUNT = "Count" | "Jumlah";
    HINTS_LEAD = "From the log of the last {0} days: at least {1} accesses within a minute, {2} regions on a day, {3} accesses in a night, or {4} refusals on a day. These are hints to look further, no verdicts." | "Dari catatan {0} hari terakhir: sedikitnya {1} akses dalam satu menit, {2} wilayah dalam sehari, {3} akses dalam semalam, atau {4} penolakan dalam sehari. Ini petunjuk untuk ditelusuri, bukan putusan.";
    LOOK = "Look in the log" | "Lihat di catatan";

    // Reports on use.

    USAGE_LEAD = "What was answered to whom, from the log of accesses." | "Apa yang dijawab kepada siapa, menurut catatan akses.";
    PERIOD = "Semester" | "Semester";
    PER_DAY = "Accesses per day" | "Akses per hari";
    PEAK_DAYS = "Busiest days" | "Hari tersibuk";
    FILE_REPORT = "File the report" | "Serahkan laporan";
    FILE_NOTE = "Number of the letter, or a remark" | "Nomor surat, atau catatan";
    WORKBOOK = "Workbook" | "Buku kerja";
    OVERDUE = "Overdue reports" | "Laporan terlambat";
    MANY = "many at once" | "banyak sekaligus";
    SHOW = "Show" | "Tampilkan";
}

/// Where an institution stands, for people.
pub fn standing(standing: Standing) -> &'static Phrase {
    static WORDS: [Phrase; 3] =
        [Phrase::new("active", "aktif"), Phrase::new("suspended", "ditangguhkan"), Phrase::new("ended", "berakhir")];
    &WORDS[standing as usize]
}

/// Where a user stands, for people.
pub fn state(state: State) -> &'static Phrase {
    static WORDS: [Phrase; 5] = [
        Phrase::new("requested", "diminta"),
        Phrase::new("approved", "disetujui"),
        Phrase::new("active", "aktif"),
        Phrase::new("suspended", "ditangguhkan"),
        Phrase::new("removed", "dihapus"),
    ];
    &WORDS[state as usize]
}

/// What a user may do beside reading, for people.
pub fn role(role: Role) -> &'static Phrase {
    static WORDS: [Phrase; 3] =
        [Phrase::new("reader", "pembaca"), Phrase::new("reporter", "pelapor"), Phrase::new("administrator", "administrator")];
    &WORDS[role as usize]
}

/// A kind of agreement, for people.
pub fn kind(kind: Kind) -> &'static Phrase {
    static WORDS: [Phrase; 2] =
        [Phrase::new("memorandum of understanding", "nota kesepahaman"), Phrase::new("cooperation agreement", "perjanjian kerja sama")];
    &WORDS[kind as usize]
}

/// What is unusual, for people.
pub fn oddity(oddity: Oddity) -> &'static Phrase {
    static WORDS: [Phrase; 4] = [
        Phrase::new("many accesses within a minute", "banyak akses dalam satu menit"),
        Phrase::new("many regions on a day", "banyak wilayah dalam sehari"),
        Phrase::new("many accesses in a night", "banyak akses dalam semalam"),
        Phrase::new("many refusals", "banyak penolakan"),
    ];
    &WORDS[oddity as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Tongue;

    #[test]
    fn phrases_leave_the_same_places_open() {
        for phrase in ALL {
            let marks = |tongue| ["{0}", "{1}", "{2}", "{3}", "{4}"].map(|mark| phrase.text(tongue).contains(mark));
            assert_eq!(marks(Tongue::English), marks(Tongue::Indonesian), "{}", phrase.text(Tongue::English));
        }
    }
}
