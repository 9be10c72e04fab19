//! Texts as registers write them: names and addresses put together from lists, terms with their variants.
//!
//! A record holds keys into these lists; a key of [`MISSING`] is an empty field.

use super::{
    people::{Marital, Member, Relation, mix},
    places::Regency,
};

/// The key of an empty field.
pub const MISSING: i32 = -1;

#[rustfmt::skip]
const MEN: [&str; 40] = [
    "AGUS", "BUDI", "JOKO", "SLAMET", "WAHYU", "BAMBANG", "EKO", "DWI", "TRI", "HERI", "SUGENG", "SUPRI", "YANTO", "ANDI", "RIZKY", "FAJAR",
    "DIMAS", "BAYU", "ARIF", "HENDRA", "IRFAN", "YUSUF", "AHMAD", "MUHAMMAD", "ABDUL", "RUDI", "DEDI", "IWAN", "TEGUH", "SIGIT", "PURWO",
    "GALIH", "RAHMAT", "ILHAM", "FERI", "YOGA", "DONI", "TAUFIK", "MA'RUF", "YOHANES",
];
#[rustfmt::skip]
const WOMEN: [&str; 40] = [
    "SITI", "SRI", "DEWI", "RINA", "LESTARI", "PUTRI", "NUR", "ENDANG", "RATNA", "WATI", "YULI", "INDAH", "AYU", "FITRI", "RINI", "ANI",
    "MARIA", "TUTIK", "SUMI", "TITIK", "DIAN", "WULAN", "RETNO", "ENI", "NINGSIH", "MAYA", "INTAN", "NITA", "SULAS", "ROS", "KARTI", "UMI",
    "FATIMAH", "AISYAH", "NUR'AINI", "CHRISTINA", "DESI", "MEGA", "LINA", "TIKA",
];
#[rustfmt::skip]
const MEN_AFTER: [&str; 40] = [
    "SANTOSO", "WIJAYA", "HIDAYAT", "PRATAMA", "KUSUMA", "SETIAWAN", "NUGROHO", "SAPUTRA", "WIBOWO", "PRASETYO", "SUSILO", "HARTONO",
    "GUNAWAN", "KURNIAWAN", "SUTRISNO", "RAHARJO", "UTOMO", "PURNOMO", "MULYONO", "SUBAGYO", "HARYANTO", "SURYADI", "FIRMANSYAH", "HAKIM",
    "RAMADHAN", "MAULANA", "SISWANTO", "WAHYUDI", "BASUKI", "WIDODO", "SULISTYO", "YULIANTO", "NASUTION", "SIREGAR", "HALIM", "TANJUNG",
    "SAPUTRO", "BUDIMAN", "SURYANTO", "ISMAIL",
];
#[rustfmt::skip]
const WOMEN_AFTER: [&str; 40] = [
    "RAHAYU", "LESTARI", "SARI", "ASTUTI", "WAHYUNI", "HANDAYANI", "UTAMI", "SUSANTI", "ANGGRAINI", "PUSPITASARI", "SETYOWATI", "MULYANI",
    "KUSUMAWATI", "HARTATI", "YULIANTI", "SULISTYOWATI", "PERTIWI", "WULANDARI", "MARYATI", "SUPRIHATIN", "NURJANAH", "FITRIANI", "SAFITRI",
    "INDRAYANI", "KHASANAH", "MAHARANI", "DAMAYANTI", "PURWANTI", "WIDAYATI", "SUMARNI", "HIDAYAH", "OKTAVIANI", "PERMATASARI", "AMALIA",
    "SETIAWATI", "RISMAWATI", "ROHMAH", "NINGRUM", "SUYATI", "HASTUTI",
];
/// Balinese children are named after their place among the siblings.
const IN_ORDER: [&[&str]; 4] = [&["WAYAN", "PUTU", "GEDE"], &["MADE", "KADEK", "NENGAH"], &["NYOMAN", "KOMANG"], &["KETUT"]];
#[rustfmt::skip]
const BALI_MEN: [&str; 24] = [
    "SUDIARTA", "ARTAWAN", "SUKERTA", "WIRAWAN", "SUDARMA", "ARDANA", "MERTA", "SUARDIKA", "ADNYANA", "SUASTIKA", "WIDIANA", "PARWATA",
    "SUTAMA", "BUDIASA", "KARYAWAN", "ARIMBAWA", "PUTRA", "YASA", "DARMAWAN", "SUWENA", "RAKA", "NGURAH", "SUPARTA", "MAHENDRA",
];
#[rustfmt::skip]
const BALI_WOMEN: [&str; 24] = [
    "SUKERTI", "ASTINI", "WARTINI", "SUARTINI", "ARIANI", "DARMINI", "SRIYANI", "PURNAMI", "WIDIANI", "SUTARI", "ARTINI", "PRATIWI",
    "SUCIATI", "KARIANI", "MURNI", "WINDARI", "SULASTRI", "YULIARTINI", "PARWATI", "RUSMINI", "SINTYA", "CANDRA", "ADNYANI", "MULIATI",
];
const TITLES_BEFORE: [&str; 3] = ["H. ", "HJ. ", "DR. "];
const TITLES_AFTER: [&str; 4] = [", S.PD", ", S.E.", ", S.H., M.H.", ", AMD"];

#[rustfmt::skip]
const STREETS: [&str; 36] = [
    "MERDEKA", "SUDIRMAN", "DIPONEGORO", "KARTINI", "GAJAH MADA", "HAYAM WURUK", "AHMAD YANI", "IMAM BONJOL", "VETERAN", "PEMUDA", "PAHLAWAN",
    "MELATI", "MAWAR", "KENANGA", "ANGGREK", "FLAMBOYAN", "CEMARA", "BERINGIN", "RAYA", "PASAR", "STASIUN", "SEKOLAH", "MASJID", "PURA",
    "SAWAH", "KALI", "GUNUNG", "PANTAI", "SAWO", "NANGKA", "DURIAN", "KELAPA", "RAJAWALI", "MERPATI", "GARUDA", "ELANG",
];
const NUMBERS: usize = 100;
const ESTATES: [&str; 4] = ["PERUM \"GRIYA ASRI\"", "PERUM \"BUMI INDAH\"", "BTN \"PURI MAS\"", "KOMPLEKS \"TAMAN SARI\""];
#[rustfmt::skip]
const HAMLETS: [&str; 24] = [
    "KRAJAN", "KARANG", "NGLARANG", "PUNDONG", "JETIS", "GADING", "SUMBER", "KEBON", "TEGAL", "KAUMAN", "NGEMPLAK", "WATES", "BANJAR KELOD",
    "BANJAR KAJA", "BANJAR TENGAH", "BANJAR ANYAR", "BANJAR DAUH", "BANJAR DANGIN", "SIDO MULYO", "SIDO REJO", "KALIWATU", "PELEM", "DUREN", "MLATI",
];

const SEXES: [&str; 4] = ["LAKI-LAKI", "PEREMPUAN", "L", "P"];
#[rustfmt::skip]
const RELIGIONS: [&str; 10] = [
    "ISLAM", "KRISTEN", "KATHOLIK", "HINDU", "BUDHA", "KHONGHUCU", "KEPERCAYAAN TERHADAP TUHAN YME", "KATOLIK", "BUDDHA", "KEPERCAYAAN THD TUHAN YME",
];
#[rustfmt::skip]
const MARITALS: [&str; 8] = [
    "BELUM KAWIN", "KAWIN", "CERAI HIDUP", "CERAI MATI", "KAWIN TERCATAT", "KAWIN BELUM TERCATAT", "CERAI HIDUP TERCATAT", "CERAI HIDUP BELUM TERCATAT",
];
#[rustfmt::skip]
const RELATIONS: [&str; 13] = [
    "KEPALA KELUARGA", "SUAMI", "ISTRI", "ANAK", "MENANTU", "CUCU", "ORANGTUA", "MERTUA", "FAMILI LAIN", "PEMBANTU", "LAINNYA", "ISTERI", "ORANG TUA",
];
/// The register's terms for its occupations, 1 to 99.
#[rustfmt::skip]
pub const OCCUPATIONS: [&str; 99] = [
    "BELUM/TIDAK BEKERJA", "MENGURUS RUMAH TANGGA", "PELAJAR/MAHASISWA", "PENSIUNAN", "PEGAWAI NEGERI SIPIL (PNS)",
    "TENTARA NASIONAL INDONESIA (TNI)", "KEPOLISIAN RI (POLRI)", "PERDAGANGAN", "PETANI/PEKEBUN", "PETERNAK", "NELAYAN/PERIKANAN",
    "INDUSTRI", "KONSTRUKSI", "TRANSPORTASI", "KARYAWAN SWASTA", "KARYAWAN BUMN", "KARYAWAN BUMD", "KARYAWAN HONORER",
    "BURUH HARIAN LEPAS", "BURUH TANI/PERKEBUNAN", "BURUH NELAYAN/PERIKANAN", "BURUH PETERNAKAN", "PEMBANTU RUMAH TANGGA",
    "TUKANG CUKUR", "TUKANG LISTRIK", "TUKANG BATU", "TUKANG KAYU", "TUKANG SOL SEPATU", "TUKANG LAS/PANDAI BESI", "TUKANG JAHIT",
    "TUKANG GIGI", "PENATA RIAS", "PENATA BUSANA", "PENATA RAMBUT", "MEKANIK", "SENIMAN", "TABIB", "PARAJI", "PERANCANG BUSANA",
    "PENTERJEMAH", "IMAM MASJID", "PENDETA", "PASTOR", "WARTAWAN", "USTADZ/MUBALIGH", "JURU MASAK", "PROMOTOR ACARA", "ANGGOTA DPR-RI",
    "ANGGOTA DPD", "ANGGOTA BPK", "PRESIDEN", "WAKIL PRESIDEN", "ANGGOTA MAHKAMAH KONSTITUSI", "ANGGOTA KABINET KEMENTERIAN",
    "DUTA BESAR", "GUBERNUR", "WAKIL GUBERNUR", "BUPATI", "WAKIL BUPATI", "WALIKOTA", "WAKIL WALIKOTA", "ANGGOTA DPRD PROVINSI",
    "ANGGOTA DPRD KABUPATEN/KOTA", "DOSEN", "GURU", "PILOT", "PENGACARA", "NOTARIS", "ARSITEK", "AKUNTAN", "KONSULTAN", "DOKTER",
    "BIDAN", "PERAWAT", "APOTEKER", "PSIKIATER/PSIKOLOG", "PENYIAR TELEVISI", "PENYIAR RADIO", "PELAUT", "PENELITI", "SOPIR", "PIALANG",
    "PARANORMAL", "PEDAGANG", "PERANGKAT DESA", "KEPALA DESA", "BIARAWATI", "WIRASWASTA", "ANGGOTA LEMBAGA TINGGI LAINNYA", "ARTIS",
    "ATLIT", "CHEFF", "MANAJER", "TENAGA TATA USAHA", "OPERATOR", "PEKERJA PENGOLAHAN KERAJINAN", "TEKNISI", "ASISTEN AHLI",
    "PEKERJAAN LAINNYA",
];
/// Other spellings of an occupation.
const SPELLINGS: [(u8, &str); 10] = [
    (1, "BELUM / TIDAK BEKERJA"),
    (2, "IBU RUMAH TANGGA"),
    (3, "PELAJAR / MAHASISWA"),
    (5, "PEGAWAI NEGERI SIPIL"),
    (6, "TNI"),
    (7, "POLRI"),
    (9, "PETANI / PEKEBUN"),
    (15, "KARYAWAN  SWASTA"),
    (88, "WIRAUSAHA"),
    (99, "LAINNYA"),
];
/// What no definition knows.
const UNKNOWN: &str = "TIDAK DIKETAHUI";

/// The columns that hold texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextColumn {
    /// NAMA_LGKP
    Name,
    /// TMPT_LHR
    Birthplace,
    /// JENIS_KLMIN
    Sex,
    /// AGAMA
    Religion,
    /// STAT_KWN
    Marital,
    /// STAT_HBKEL
    Relation,
    /// JENIS_PKRJN
    Occupation,
    /// ALAMAT
    Address,
    /// DUSUN
    Hamlet,
}

impl TextColumn {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::Birthplace,
        Self::Sex,
        Self::Religion,
        Self::Marital,
        Self::Relation,
        Self::Occupation,
        Self::Address,
        Self::Hamlet,
    ];
}

/// The texts of each column, by key.
#[derive(Debug)]
pub struct Texts {
    columns: [Vec<String>; TextColumn::ALL.len()],
}

impl Texts {
    /// Puts the lists together. Birthplaces are the regencies, by their position.
    pub fn new(regencies: &[Regency]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let coded = |texts: &[&str]| texts.iter().chain([&UNKNOWN]).map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let occupations: Vec<&str> = OCCUPATIONS.into_iter().chain(SPELLINGS.map(|(_, text)| text)).collect();
        Self {
            columns: [
                names(),
                regencies.iter().map(|regency| regency.birthplace.clone()).collect(),
                coded(&SEXES),
                coded(&RELIGIONS),
                coded(&MARITALS),
                coded(&RELATIONS),
                coded(&occupations),
                addresses(),
                owned(&HAMLETS),
            ],
        }
    }

    /// The texts of a column, by key.
    pub fn column(&self, column: TextColumn) -> &[String] {
        &self.columns[column as usize]
    }

    /// The key of a text that no definition knows, in a column that holds codes.
    pub fn unknown(&self, column: TextColumn) -> i32 {
        self.column(column).len() as i32 - 1
    }
}

const PER_SEX: usize = 40 * 40;
const TITLED: usize = 40 * 7;
const BALI_VARIANTS: usize = 9;
const BALI_PER_SEX: usize = BALI_VARIANTS * 24;

/// Men's names, women's, the same with titles, Balinese men's, women's.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    for (first, second) in [(&MEN, &MEN_AFTER), (&WOMEN, &WOMEN_AFTER)] {
        names.extend(first.iter().flat_map(|first| second.iter().map(move |second| format!("{first} {second}"))));
    }
    for (first, second) in [(&MEN, &MEN_AFTER), (&WOMEN, &WOMEN_AFTER)] {
        for (first, second) in first.iter().zip(second.iter().rev()) {
            names.extend(TITLES_BEFORE.iter().map(|title| format!("{title}{first} {second}")));
            names.extend(TITLES_AFTER.iter().map(|title| format!("{first} {second}{title}")));
        }
    }
    for (prefix, given) in [("I", &BALI_MEN), ("NI", &BALI_WOMEN)] {
        for order in IN_ORDER.iter().flat_map(|order| order.iter()) {
            names.extend(given.iter().map(|given| format!("{prefix} {order} {given}")));
        }
    }
    names
}

fn addresses() -> Vec<String> {
    let mut addresses: Vec<String> =
        STREETS.iter().flat_map(|street| (1..=NUMBERS).map(move |number| format!("JL. {street} NO. {number}"))).collect();
    for estate in ESTATES {
        addresses.extend(('A'..='H').flat_map(|block| (1..=5).map(move |number| format!("{estate} BLOK {block} NO. {number}"))));
    }
    addresses
}

/// A number below `count` from 16 random bits.
fn pick(bits: u64, count: usize) -> usize {
    ((bits & 0xffff) as usize * count) >> 16
}

/// The key of somebody's name.
pub fn name(member: &Member, place: u8, balinese: bool) -> i32 {
    let draws = member.person.draws;
    let woman = usize::from(member.person.female);
    let (low, high) = (draws >> 16, draws >> 32);
    let at = if balinese {
        let order = usize::from(place).min(3);
        let before: usize = IN_ORDER[..order].iter().map(|names| names.len()).sum();
        let variant = before + pick(low, IN_ORDER[order].len());
        2 * (PER_SEX + TITLED) + woman * BALI_PER_SEX + variant * 24 + pick(high, 24)
    } else if draws >> 58 == 0 {
        2 * PER_SEX + woman * TITLED + pick(high, TITLED)
    } else {
        woman * PER_SEX + pick(low, 40) * 40 + pick(high, 40)
    };
    at as i32
}

/// The keys of an address and of a hamlet; towns have no hamlets.
pub fn address(bits: u64, town: bool) -> (i32, i32) {
    let streets = STREETS.len() * NUMBERS;
    let at = if bits >> 57 == 0 {
        streets + pick(bits, ESTATES.len() * 40)
    } else {
        pick(bits, STREETS.len()) * NUMBERS + pick(bits >> 16, NUMBERS)
    };
    let hamlet = if town { MISSING } else { pick(bits >> 32, HAMLETS.len()) as i32 };
    (at as i32, hamlet)
}

/// How one regency's offices write things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// `L` and `P` for the sexes.
    short_sexes: bool,
    /// The newer list of marital statuses.
    six_statuses: bool,
    /// Newer spellings.
    new_spellings: bool,
}

impl Habits {
    /// The habits that go with random bits.
    pub fn new(bits: u64) -> Self {
        Self { short_sexes: bits & 3 == 0, six_statuses: bits >> 2 & 3 == 0, new_spellings: bits >> 4 & 3 == 0 }
    }

    /// The key of a sex.
    pub fn sex(self, female: bool) -> i32 {
        i32::from(female) + if self.short_sexes { 2 } else { 0 }
    }

    /// The key of a religion, from its register code.
    pub fn religion(self, code: u8) -> i32 {
        match code {
            3 if self.new_spellings => 7,
            5 if self.new_spellings => 8,
            7 if self.new_spellings => 9,
            code => i32::from(code) - 1,
        }
    }

    /// The key of a marital status.
    pub fn marital(self, marital: Marital, family: i64) -> i32 {
        // One marriage in ten was never registered.
        let unregistered = i32::from(self.six_statuses && mix(0, family as u64).is_multiple_of(10));
        match marital {
            Marital::Never => 0,
            Marital::Married if self.six_statuses => 4 + unregistered,
            Marital::Married => 1,
            Marital::Divorced if self.six_statuses => 6 + unregistered,
            Marital::Divorced => 2,
            Marital::Widowed => 3,
        }
    }

    /// The key of a relation to the head.
    pub fn relation(self, relation: Relation) -> i32 {
        match relation {
            Relation::Wife if self.new_spellings => 11,
            Relation::Parent if self.new_spellings => 12,
            relation => relation as i32 - 1,
        }
    }
}

/// The key of an occupation, from its register code; now and then in another spelling.
pub fn occupation(code: u8, bits: u64) -> i32 {
    let other = if bits & 31 == 0 { SPELLINGS.iter().position(|(spelled, _)| *spelled == code) } else { None };
    other.map_or(i32::from(code) - 1, |at| (OCCUPATIONS.len() + at) as i32)
}
