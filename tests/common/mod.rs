//! What several tests need: the program, folders, and snapshots made line by line.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output},
};

/// Columns of the shipped register's snapshot.
pub const HEADING: &str = "NIK,NO_KK,NAMA_LGKP,TMPT_LHR,TGL_LHR,JENIS_KLMIN,AGAMA,STAT_KWN,STAT_HBKEL,JENIS_PKRJN,ALAMAT,NO_RT,NO_RW,DUSUN,NO_PROP,NO_KAB,NO_KEC,NO_KEL,KODE_POS";

/// One person of a snapshot of the shipped register.
#[derive(Debug, Clone)]
pub struct Person {
    pub nik: String,
    pub kk: String,
    pub born: String,
    pub sex: String,
    pub religion: String,
    pub marital: String,
    pub relation: String,
    pub occupation: String,
    pub region: [String; 4],
}

impl Person {
    /// A sound record: the `number`th person of Jangkaran, head of a household of one.
    pub fn new(number: u64) -> Self {
        Self {
            nik: format!("340101{number:010}"),
            kk: format!("340102{number:010}"),
            born: "1980-01-01".into(),
            sex: if number.is_multiple_of(2) { "LAKI-LAKI" } else { "PEREMPUAN" }.into(),
            religion: "ISLAM".into(),
            marital: "BELUM KAWIN".into(),
            relation: "KEPALA KELUARGA".into(),
            occupation: "KARYAWAN SWASTA".into(),
            region: ["34".into(), "1".into(), "1".into(), "2001".into()],
        }
    }

    /// The record as a line, its fields separated by `mark`.
    pub fn line(&self, mark: &str) -> String {
        let Self { nik, kk, born, sex, religion, marital, relation, occupation, region: [prov, kab, kec, kel] } = self;
        [
            nik,
            kk,
            "SITI",
            "WATES",
            born,
            sex,
            religion,
            marital,
            relation,
            occupation,
            "JL. MERDEKA",
            "1",
            "2",
            "",
            prov,
            kab,
            kec,
            kel,
            "55654",
        ]
        .join(mark)
    }
}

/// A snapshot as comma-separated text. Its newest person is born on 1 June 2024, so that it looks like 2024-S1.
pub fn snapshot(people: &[Person]) -> String {
    let mut text = format!("{HEADING}\n");
    for person in people {
        let _ = writeln!(text, "{}", person.line(","));
    }
    text
}

/// Sound people, the first of them born in the semester.
pub fn people(count: u64) -> Vec<Person> {
    let mut people: Vec<Person> = (0..count).map(Person::new).collect();
    if let Some(first) = people.first_mut() {
        first.born = "2024-06-01".into();
        first.occupation = "BELUM/TIDAK BEKERJA".into();
    }
    people
}

/// The shipped region reference, cut down to these regions, all below them and all above them: a country in which there are
/// people enough in every village for most of their numbers to be published.
pub fn regions(kept: &[&str]) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/dimensions/regions.csv");
    let whole = fs::read_to_string(shipped).expect("the shipped regions can be read");
    let is_kept = |line: &&str| {
        let code = line.split(',').next().unwrap_or_default();
        let within = |code: &str, above: &str| code.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        !code.starts_with(|first: char| first.is_ascii_digit()) || kept.iter().any(|kept| within(code, kept) || within(kept, code))
    };
    whole.lines().filter(is_kept).fold(String::new(), |text, line| text + line + "\n")
}

/// Forgets what was ever published of a period: for tests that publish it in several ways, each of which nobody has seen who sees another.
pub fn forget_proofs(folder: &Path, period: &str) {
    let proofs = folder.join("warehouse/confidential").join(period).join("proofs");
    if proofs.exists() {
        fs::remove_dir_all(proofs).expect("proofs can be removed");
    }
}

/// The program.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cacah"));
    command.env_remove("CACAH_LOG");
    command
}

/// Runs the program to its end.
pub fn run(args: &[&str], folder: &Path) -> Output {
    program().args(args).current_dir(folder).output().expect("the program starts")
}

/// Runs the program, expects success, gives back what it printed.
pub fn succeed(args: &[&str], folder: &Path) -> String {
    let output = run(args, folder);
    let (out, err) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{args:?}\n{out}\n{err}");
    out
}

/// Runs the program, expects failure, gives back its error.
pub fn fail(args: &[&str], folder: &Path) -> String {
    let output = run(args, folder);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?} succeeded\n{err}");
    assert!(!err.contains("panicked") && !err.contains("internal error"), "{args:?}\n{err}");
    err
}

/// Asserts that a text contains every one of these.
#[track_caller]
pub fn assert_says(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "expected '{wanted}' in:\n{text}");
    }
}
