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
    WITHDRAWN_TITLE = "Withdrawn" | "Sudah ditarik";
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
    PASSWORD_AGAIN = "Repeat the new password" | "Ulangi kata sandi baru";
    FACTOR_CODE = "Code from your authenticator" | "Kode dari aplikasi autentikator";
    WRONG_SIGN_IN = "User id or password is wrong, or your access does not hold at present." | "Kode pengguna atau kata sandi salah, atau akses Anda sedang tidak berlaku.";
    LOCKED = "Too many attempts were wrong. Try again in {0} seconds." | "Terlalu banyak percobaan salah. Cobalah lagi dalam {0} detik.";
    CHANGE_FIRST = "This password can be used once. Choose one of your own to go on." | "Kata sandi ini hanya dapat dipakai sekali. Pilihlah kata sandi Anda sendiri untuk melanjutkan.";
    BAD_LENGTH = "A password has 12 to 128 characters." | "Kata sandi terdiri atas 12 sampai 128 karakter.";
    BAD_GUESSABLE = "That password is easy to guess: choose one that is not the old one and does not hold your user id." | "Kata sandi itu mudah ditebak: pilihlah yang berbeda dari yang lama dan tidak memuat kode pengguna.";
    BAD_AGAIN = "The new password was not typed the same twice. Type it again in both fields." | "Kata sandi baru yang Anda ketik tidak sama. Ketiklah kembali di kedua kolom.";
    NEEDS_CODE = "Give the code that your authenticator shows now." | "Masukkan kode yang sedang ditampilkan aplikasi autentikator Anda.";
    CHANGED = "Your password is changed. Other sessions of yours have ended." | "Kata sandi Anda telah diganti. Sesi Anda yang lain telah berakhir.";
    YOU_SEE = "What you see" | "Yang Anda lihat";
    OPEN_TO_ALL = "Open to everybody, in every region" | "Terbuka bagi semua orang, di setiap wilayah";
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

    // Releases.

    RELEASES_LEAD = "A release is published once and never changed; what was wrong is corrected in a new revision. All pages and formats show the revision in force." | "Setiap rilis terbit satu kali dan tidak pernah diubah; kesalahan diperbaiki melalui revisi baru. Semua halaman dan format menampilkan revisi yang berlaku.";
    CALENDAR = "Calendar" | "Kalender";
    AS_CALENDAR = "For your calendar (iCalendar)" | "Untuk kalender Anda (iCalendar)";
    REFERENCE_DAY = "Counted as of" | "Keadaan per tanggal";
    PLANNED = "Planned for" | "Rencana terbit";
    NOT_YET = "not yet published" | "belum terbit";
    OVERDUE_ONE = "overdue by one day" | "terlambat satu hari";
    OVERDUE = "overdue by {0} days" | "terlambat {0} hari";
    LATE_ONE = "one day later than planned" | "satu hari setelah rencana";
    LATE = "{0} days later than planned" | "{0} hari setelah rencana";
    REVISIONS = "Revisions, newest first" | "Daftar revisi, mulai dari yang terbaru";
    FORCE = "In force" | "Status";
    IN_FORCE = "in force" | "berlaku";
    WITHDRAWN_ON = "withdrawn on {0}" | "ditarik pada {0}";
    WITHDRAWN_PERIOD = "No revision of this period is in force: the last one was withdrawn, and it had said that those before it were wrong." | "Tidak ada revisi periode ini yang berlaku: revisi terakhir ditarik, dan revisi itu menyatakan bahwa revisi sebelumnya keliru.";
    WITHDRAWN_FIRST = "No revision of this period is in force: it was withdrawn." | "Tidak ada revisi periode ini yang berlaku: rilisnya ditarik.";
    SUPERSEDED = "superseded by revision {0}" | "digantikan oleh revisi {0}";
    CORRECTION_REASON = "Reason, as the publisher wrote it" | "Alasan, sesuai tulisan penerbit";
    FIRST_PUBLICATION = "first publication" | "terbitan pertama";
    DIGEST = "SHA-256 of its manifest" | "SHA-256 berkas manifes";
    VINTAGE = "Regions as of" | "Acuan wilayah";
    QUALITY = "Quality of the records" | "Mutu catatan";
    QUALITY_HIDDEN = "Not told for this release: of so few records it would show a number that is withheld." | "Tidak disebutkan untuk rilis ini: catatannya terlalu sedikit, sehingga angka yang dirahasiakan dapat terungkap.";
    QUALITY_ROUNDED = "Shares are rounded so that they do not tell of few people; a reason that rejected few or none is not listed." | "Angka dibulatkan agar tidak mengungkap jumlah yang kecil; alasan penolakan yang hanya mengenai sedikit catatan, atau tidak satu pun, tidak dicantumkan.";
    NOT_TOLD = "This release says nothing of it." | "Rilis ini tidak memuat keterangan tentang hal ini.";
    ACCEPTED = "Of every thousand records of the snapshot about {0} were accepted and counted." | "Dari setiap seribu catatan sumber, sekitar {0} diterima dan dihitung.";
    REJECTED = "Rejected records" | "Catatan yang ditolak";
    REASON = "Reason" | "Alasan";
    PER_THOUSAND = "of a thousand" | "per seribu";
    CONFIDENTIALITY = "Confidentiality" | "Kerahasiaan";
    WITHHELD = "This revision has {1} cells; {0} of them are withheld ({2}\u{a0}%)." | "Revisi ini memuat {1} sel; {0} di antaranya dirahasiakan ({2}\u{a0}%).";
    SMALL_COUNTS = "Counts that are small" | "Angka yang dianggap kecil";
    CHECKED = "Checked before publication" | "Diperiksa sebelum terbit";
    FAULTS = "Faults found" | "Kesalahan yang ditemukan";
    NO_FAULTS = "none: a release with faults is not published" | "tidak ada: rilis yang bermasalah tidak diterbitkan";
    ATTACKED = "Attacked with the published files alone" | "Diserang hanya dengan berkas terbitan";
    ATTACKED_TOGETHER = "{0} revisions of the period were attacked together." | "{0} revisi dari periode ini diserang sekaligus.";
    ATTACK_FOUND = "No small count was given away. Anybody can repeat the attack with the command" | "Tidak ada angka kecil yang terungkap. Siapa pun dapat mengulangi serangan itu dengan perintah";
    ATTACK_LEFT = "Where the attack came to no decision, the proofs alone vouch for the withheld numbers." | "Untuk angka yang tidak dapat dipastikan oleh serangan itu, jaminannya adalah bukti perlindungannya.";
    ATTACK_FILE = "How far it got is told in the file {0} under system. Those numbers are of all revisions together, and of unpublished numbers that the attack reckons with besides; they do not compare with the cells above." | "Rincian serangan tercatat dalam berkas {0} pada bagian system. Angkanya mencakup semua revisi sekaligus, juga angka yang tidak diterbitkan tetapi ikut diperhitungkan, sehingga tidak dapat dibandingkan dengan jumlah sel di atas.";

    // Method.

    METHOD_LEAD = "No small count is published, and none can be worked out from what is published: not by adding and subtracting, not with a computer, and not by laying tables or revisions of the same period side by side. That is proven for every small count. It has its limits:" | "Angka kecil tidak diterbitkan dan tidak dapat dihitung dari angka yang terbit: tidak dengan menjumlah dan mengurangkan, tidak dengan komputer, dan tidak dengan menyandingkan tabel atau revisi dari periode yang sama. Hal itu dibuktikan untuk setiap angka kecil. Namun, jaminan ini ada batasnya:";
    METHOD_LEAD_LIMITS = "what is not covered" | "apa yang tidak dijamin";
    METHOD_WHY = "Why some numbers are withheld" | "Mengapa sebagian angka dirahasiakan";
    METHOD_WHY_TEXT = "A count of 1 to {0} could let somebody be recognised. Such a count is not shown; in its place stands [c]. That is primary suppression. Zeros are shown." | "Angka 1 sampai {0} dapat membuat seseorang dikenali. Angka seperti itu tidak ditampilkan; sebagai gantinya tertulis [c]. Ini disebut perahasiaan primer. Angka nol tetap ditampilkan.";
    METHOD_SECOND = "Withholding that number alone would not help: whoever knows the total of a row and all but one of its numbers works out the missing one. So a few larger numbers are withheld with it. That is secondary suppression. The mark is the same, so that it does not tell which of them is small." | "Merahasiakan angka itu saja tidak cukup: siapa pun yang mengetahui jumlah satu baris beserta semua angka lainnya dapat menghitung angka yang hilang. Karena itu beberapa angka yang lebih besar ikut dirahasiakan. Ini disebut perahasiaan sekunder. Tandanya sama, sehingga dari tanda itu tidak dapat diketahui angka mana yang kecil.";
    METHOD_EXAMPLE = "This table is made up, so that what it withholds may be told: {0} and {1} in village 1, {2} and {3} in village 2. Only the {0} is small and withheld for its own sake; the three others are withheld so that it cannot be worked out. From what is shown, each of the two numbers withheld in village 1 could be anything from 0 to 21." | "Tabel ini karangan, sehingga isinya boleh diungkap: {0} dan {1} di desa 1, {2} dan {3} di desa 2. Hanya angka {0} yang kecil dan dirahasiakan karena kecil; tiga angka lainnya dirahasiakan agar angka itu tidak dapat dihitung. Dari angka yang ditampilkan, masing-masing dari kedua angka rahasia di desa 1 mungkin bernilai berapa saja dari 0 sampai 21.";
    EXAMPLE_CAPTION = "People by village and religion (made up)" | "Penduduk menurut desa dan agama (karangan)";
    EXAMPLE_VILLAGE = "Village" | "Desa";
    METHOD_PROMISE = "What is promised" | "Apa yang dijamin";
    METHOD_RANGE = "It may become known that a count is small, but no more than that: by what is published it may be as low as {0} and as high as {1}." | "Tentang suatu angka kecil mungkin dapat diketahui bahwa angka itu kecil, tetapi tidak lebih dari itu: menurut angka yang terbit, nilainya mungkin serendah {0} dan mungkin setinggi {1}.";
    METHOD_RANGE_BEYOND = "Of a small count not even that it is small can be proven: by what is published it may be as low as {0} and as high as {1}." | "Tentang suatu angka kecil tidak dapat dibuktikan bahkan bahwa angka itu kecil: menurut angka yang terbit, nilainya mungkin serendah {0} dan mungkin setinggi {1}.";
    METHOD_FEW = "A published count of people, unless it is zero, comes from at least {0} households. A count of people from fewer is withheld however large it is, because those who belong to them would know of the others. By what is published it may be as low as {1}, and a fifth (20\u{a0}%) higher than it is." | "Jumlah penduduk yang diterbitkan, kecuali nol, berasal dari sedikitnya {0} keluarga. Jumlah yang berasal dari lebih sedikit keluarga dirahasiakan, sebesar apa pun, karena anggota keluarga itu akan mengetahui keadaan anggota lainnya. Menurut angka yang terbit, jumlah itu mungkin serendah {1} dan mungkin seperlima (20\u{a0}%) lebih tinggi daripada yang sebenarnya.";
    METHOD_GROUP = "Sensitive characteristics ({0}): no group of fewer than {1} people can be seen to lie in one category. Where all of a group do, their number is withheld, and by what is published somebody among them may belong to another category." | "Ciri yang peka ({0}): tidak dapat diketahui bahwa suatu kelompok yang kurang dari {1} orang seluruhnya termasuk satu kategori. Jika memang demikian, jumlahnya dirahasiakan, dan menurut angka yang terbit mungkin ada di antara mereka yang termasuk kategori lain.";
    METHOD_PROOF = "How that is proven" | "Bagaimana jaminan itu dibuktikan";
    METHOD_PROOF_TEXT = "For every small count two other states of affairs are worked out that agree with all published numbers of all tables: in one the count is {0} or less, in the other {1} or more. So whatever is published cannot tell which is the true one." | "Untuk setiap angka kecil dihitung dua keadaan lain yang mungkin, yang cocok dengan semua angka yang terbit di semua tabel: dalam keadaan yang satu angka itu paling banyak {0}, dalam keadaan yang lain paling sedikit {1}. Maka dari angka yang terbit tidak dapat diketahui keadaan mana yang sebenarnya.";
    METHOD_AUDIT = "A second program, which shares no code with the one that protects, checks these proofs and attacks the release as an intruder would. What does not pass is not published." | "Program kedua, yang dibuat terpisah dari program pelindung, memeriksa bukti-bukti ini dan menyerang rilis seperti yang akan dilakukan penyusup. Rilis yang tidak lolos tidak diterbitkan.";
    METHOD_TRY = "Anybody can check it. The program is public, and its command" | "Siapa pun dapat memeriksanya. Program ini terbuka untuk umum, dan perintahnya";
    METHOD_TRY_DOES = "reads the published files alone, works out from all tables and revisions of a period together how far they pin down each withheld number, proves every bound that it finds, and ends with an error where a small count is given away." | "hanya membaca berkas terbitan, menghitung dari semua tabel dan revisi suatu periode sekaligus seberapa sempit rentang setiap angka yang dirahasiakan, menyertakan bukti untuk setiap batas yang ditemukannya, dan berakhir dengan pesan kesalahan jika ada angka kecil yang terungkap.";
    METHOD_TOGETHER = "What is taken together" | "Apa yang diperhitungkan bersama";
    METHOD_TOGETHER_TEXT = "All tables of a period count as one system, those of people and those of households, with every revision that was published of it. A household of three is three people, and its head is one of the people of that sex and age: the other states of affairs keep all that. It is assumed that somebody may know how many people of a place live in no counted household." | "Semua tabel suatu periode diperhitungkan sebagai satu kesatuan, baik tabel penduduk maupun tabel keluarga, beserta setiap revisi yang telah terbit. Keluarga beranggota tiga berarti tiga penduduk, dan kepala keluarga adalah salah seorang penduduk dengan jenis kelamin dan umur yang sama: keadaan lain yang mungkin itu mematuhi semuanya. Dianggap pula bahwa mungkin ada yang mengetahui berapa penduduk suatu tempat yang tidak tinggal dalam keluarga yang dihitung.";
    METHOD_CORRECTIONS = "Corrections" | "Perbaikan";
    METHOD_CORRECTIONS_TEXT = "A correction is protected together with all revisions of its period before it, withdrawn ones included. Two revisions side by side show by how many people a published number has changed: where these are few, a correction is published only if the office has decided that nobody can be recognised by it. Which shares of its records were accepted and rejected is told in whole per cents only, so that two revisions together do not tell of few rejected records." | "Revisi perbaikan dilindungi bersama semua revisi sebelumnya dari periode yang sama, termasuk yang telah ditarik. Dua revisi yang disandingkan memperlihatkan berapa orang perubahan suatu angka: jika perubahannya hanya menyangkut sedikit orang, revisi perbaikan diterbitkan hanya apabila instansi telah memutuskan bahwa tidak seorang pun dapat dikenali karenanya. Bagian catatan yang diterima dan yang ditolak pada revisi perbaikan hanya disebutkan dalam persen bulat, agar dua revisi bersama-sama tidak mengungkap catatan yang ditolak jika jumlahnya sedikit.";
    METHOD_LIMITS = "What is not covered" | "Apa yang tidak dijamin";
    LIMIT_KNOWLEDGE = "What somebody knows from elsewhere, beyond being one of the people counted." | "Pengetahuan seseorang dari sumber lain, selain bahwa ia sendiri ikut dihitung.";
    LIMIT_COALITIONS = "Several people or households who put together what each of them knows of the same withheld number." | "Beberapa orang atau keluarga yang menggabungkan pengetahuan masing-masing tentang angka rahasia yang sama.";
    LIMIT_ELSEWHERE = "Tables that others publish." | "Tabel yang diterbitkan pihak lain.";
    LIMIT_PERIODS = "Several periods of the same register, such as semesters: each is protected by itself, not against the others. Who moved in or out between two of them may come out." | "Beberapa periode dari register yang sama, misalnya beberapa semester: setiap periode dilindungi tersendiri, tidak terhadap periode lainnya. Siapa yang datang atau pindah di antara dua periode mungkin dapat diketahui.";
    LIMIT_OUTSIDE = "How many people of a place live in no counted household: where no household of the place is in the open category of sizes (such as 7 or more), the tables tell it exactly." | "Berapa penduduk suatu tempat yang tidak tinggal dalam keluarga yang dihitung: jika di tempat itu tidak ada keluarga dalam kategori ukuran terbuka (misalnya 7 orang atau lebih), angkanya dapat dihitung dengan tepat dari tabel.";
    LIMIT_METHOD = "The choice of what is withheld: the method is public and chooses among true numbers, so that whoever knows it and runs it himself over every conceivable population can learn something from the choice." | "Pilihan angka yang dirahasiakan: metodenya terbuka dan memilih berdasarkan angka sebenarnya, sehingga siapa pun yang mengetahuinya dan menjalankannya sendiri atas segala keadaan penduduk yang mungkin dapat menarik kesimpulan dari pilihan itu.";
    LIMIT_SUMS = "Sums of withheld numbers that are neighbours: such a sum can follow from published numbers although all of its people come from one household." | "Jumlah beberapa angka rahasia yang bersebelahan: jumlah seperti itu dapat dihitung dari angka yang terbit, meskipun semua orangnya berasal dari satu keluarga.";
    LIMIT_HANDFUL = "Places of a handful of households: that a count of people is shown tells that it comes from several of them." | "Tempat dengan sangat sedikit keluarga: jika suatu jumlah penduduk ditampilkan, dapat disimpulkan bahwa jumlah itu berasal dari beberapa keluarga.";
    METHOD_MARKS = "Marks in tables" | "Tanda dalam tabel";
    MEANS_C = "Withheld to protect people. Totals include it." | "Dirahasiakan untuk melindungi data pribadi. Tetap termasuk dalam jumlah.";
    MEANS_Z = "Cannot exist: the combination is impossible, or the category did not exist in that period." | "Tidak mungkin ada: kombinasinya mustahil, atau kategorinya belum atau tidak lagi ada pada periode itu.";
    MEANS_X = "Not available for that period or level." | "Tidak tersedia untuk periode atau tingkat itu.";
    MEASURES = "How shares and ratios are worked out" | "Cara menghitung persentase dan rasio";
    DEFINITIONS = "Classifications and their levels" | "Klasifikasi dan tingkatannya";
}

/// What the protection does not cover.
pub static LIMITS: [&Phrase; 6] = [&LIMIT_KNOWLEDGE, &LIMIT_COALITIONS, &LIMIT_ELSEWHERE, &LIMIT_PERIODS, &LIMIT_OUTSIDE, &LIMIT_METHOD];

/// What it does not cover besides where numbers are withheld for coming from too few households.
pub static LIMITS_OF_HOUSEHOLDS: [&Phrase; 2] = [&LIMIT_SUMS, &LIMIT_HANDFUL];

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
    ("sums", Phrase::new("published numbers add up", "angka yang terbit cocok dengan jumlahnya")),
    ("shared cells", Phrase::new("tables agree where they share cells", "sel yang sama bernilai sama di semua tabel")),
    ("certificates", Phrase::new("every small count has its proof", "setiap angka kecil memiliki bukti")),
    ("alternative worlds", Phrase::new("every proof holds in all tables together", "setiap bukti berlaku di semua tabel sekaligus")),
    (
        "linear programs",
        Phrase::new("attacks by linear programs find nothing", "serangan dengan pemrograman linear tidak menemukan apa pun"),
    ),
    ("links", Phrase::new("people and households together tell no more", "penduduk dan keluarga bersama-sama tidak membuka lebih banyak")),
    ("revisions", Phrase::new("all revisions together tell no more", "semua revisi bersama-sama tidak membuka lebih banyak")),
    ("contributors", Phrase::new("no number comes from too few households", "tidak ada angka yang berasal dari terlalu sedikit keluarga")),
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
