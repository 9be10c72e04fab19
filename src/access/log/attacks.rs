//! What somebody may do to a log who can write its files, and what finds it: head, checkpoints, witness.

use std::{fs, path::PathBuf, time::Instant};

use chrono::{DateTime, TimeDelta};
use tempfile::TempDir;

use super::{
    checkpoint::{self, Checkpoint},
    files::{CHECKPOINTS, HEAD, files, hex},
    *,
};

/// A log with a key and a file of a witness elsewhere.
struct World {
    place: TempDir,
    folder: PathBuf,
    witness: PathBuf,
    keys: PathBuf,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let (folder, witness, keys) = (path("data/access.log"), path("elsewhere/witness.jsonl"), path("keys"));
        fs::create_dir(path("elsewhere")).unwrap();
        SigningKey::create(&keys).unwrap();
        Self { folder, witness, keys, place }
    }

    fn database(&self) -> Database {
        Database::open(&self.place.path().join("data/access.sqlite")).unwrap()
    }

    fn settings(&self, records: u64) -> CheckpointSettings {
        let witness = Some(Witness::File(self.witness.clone()));
        let every = (records, Duration::from_secs(300));
        CheckpointSettings::new(&self.keys.join("log.key"), witness, every, &self.place.path().join("data/access.sqlite")).unwrap()
    }

    /// Writes records, each a second after the one before, as a service does that ends in order.
    async fn write(&self, seconds: std::ops::Range<i64>, every: u64) {
        let log = Log::open(&self.folder, &self.database(), Some(self.settings(every))).unwrap();
        for second in seconds {
            let at = (DateTime::UNIX_EPOCH + TimeDelta::seconds(second)).to_rfc3339();
            log.keep(&Record { at, asked: format!("GET /{second}"), ..Record::default() }, None).await.unwrap();
        }
        let figures = log.figures().unwrap();
        log.finish().await;
        assert_eq!(figures.unwitnessed(), Some(0));
        drop(log);
        while free(&self.folder).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn public(&self) -> PublicKey {
        PublicKey::open(&self.keys.join("log.pub")).unwrap()
    }

    fn verified(&self, by_witness: bool) -> std::result::Result<Verified, String> {
        let witnesses = if by_witness { vec![self.witness.clone()] } else { Vec::new() };
        verify(&self.folder, &self.database(), &Evidence { keys: vec![self.public()], witnesses }).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(&self, by_witness: bool, wanted: &str) {
        let said = self.verified(by_witness).unwrap_err();
        assert!(said.contains(wanted), "no '{wanted}' in {said}");
    }

    /// Why the service does not start.
    fn not_begun(&self) -> String {
        Log::open(&self.folder, &self.database(), Some(self.settings(5))).unwrap_err().to_string()
    }

    fn open_file(&self) -> PathBuf {
        files(&self.folder).unwrap().pop().unwrap().path
    }

    /// Keeps so many records of the file that is open.
    fn cut(&self, kept: usize) {
        let text = fs::read_to_string(self.open_file()).unwrap();
        fs::write(self.open_file(), text.lines().take(kept).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        for (name, path) in whole(&self.folder).unwrap() {
            fs::copy(path, copy.path().join(name)).unwrap();
        }
        copy
    }

    fn put_back(&self, copy: &TempDir) {
        fs::remove_dir_all(&self.folder).unwrap();
        fs::create_dir(&self.folder).unwrap();
        for entry in fs::read_dir(copy.path()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, self.folder.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[tokio::test]
async fn a_sound_log_agrees_with_its_witness() {
    let world = World::new();
    world.write(0..23, 5).await;
    world.write(23..30, 5).await;
    let found = world.verified(true).unwrap();
    assert_eq!((found.records, found.attested.len()), (30, 2));
    for attested in &found.attested {
        assert!(attested.signed && attested.checkpoints >= 2, "{attested:?}");
        assert_eq!((attested.last.as_ref().map(|(number, _)| *number), attested.behind, attested.others), (Some(30), 0, 0), "{attested:?}");
    }
    // Without a key signatures are not looked at, and that is told.
    let found = verify(&world.folder, &world.database(), &Evidence::default()).unwrap();
    assert!(found.attested.len() == 1 && !found.attested[0].signed);
    let blind = Evidence { keys: Vec::new(), witnesses: vec![world.witness.clone()] };
    assert!(verify(&world.folder, &world.database(), &blind).unwrap_err().to_string().contains("--key"));
}

#[tokio::test]
async fn an_end_that_is_cut_off_is_found() {
    let world = World::new();
    world.write(0..12, 5).await;
    let early = world.copy();
    world.write(12..23, 5).await;
    let sound = world.copy();

    // The records alone.
    world.cut(20);
    world.refused(false, "had come to record 23");
    assert!(world.not_begun().contains("had come to record 23"));
    // With the head taken away, emptied, or written as one without the key can.
    for head in [None, Some(String::new()), Some("nonsense\n".into())] {
        match &head {
            None => fs::remove_file(world.folder.join(HEAD)).unwrap(),
            Some(text) => fs::write(world.folder.join(HEAD), text).unwrap(),
        }
        world.refused(false, "'head'");
        assert!(world.not_begun().contains("'head'"), "{head:?}");
    }
    let text = fs::read_to_string(world.open_file()).unwrap();
    let last = files::line(text.lines().last().unwrap().as_bytes()).unwrap();
    let unsealed = format!("{:020} {}\n", last.number, String::from_utf8_lossy(&hex(&last.chain)));
    fs::write(world.folder.join(HEAD), unsealed).unwrap();
    world.refused(false, "'head'");
    assert!(world.not_begun().contains("'head'"));
    // With the head that fits, of somebody who has the key of the chain: the checkpoints beside the log tell.
    fs::write(world.folder.join(HEAD), files::Head::line(&LogKeys::of(&world.database()).head, last.number, &last.chain)).unwrap();
    world.refused(false, "had come to record 23");
    assert!(world.not_begun().contains("had come to record 23"));
    // With these cut too the log is sound by itself; the witness knows better, and the service asks it before it starts.
    fs::remove_file(world.folder.join(CHECKPOINTS)).unwrap();
    assert_eq!(world.verified(false).unwrap().records, 20);
    world.refused(true, "the log ends at record 20, but had come to record 23");
    assert!(world.not_begun().contains("witness.jsonl: the log ends at record 20"), "{}", world.not_begun());
    // An older copy of everything.
    world.put_back(&early);
    assert_eq!(world.verified(false).unwrap().records, 12);
    world.refused(true, "had come to record 23");
    // Nothing at all.
    fs::remove_dir_all(&world.folder).unwrap();
    fs::create_dir(&world.folder).unwrap();
    world.refused(false, "there was a log");
    assert!(world.not_begun().contains("ends at record 0"));
    world.refused(true, "the log ends at record 0");
    // Who asks no witness begins another log, and that is told.
    fs::remove_dir_all(&world.folder).unwrap();
    drop(Log::open(&world.folder, &world.database(), None).unwrap());
    let changes = "SELECT count(*) FROM change WHERE subject_id = 'log' AND by = 'service'";
    let told: u32 = world.database().read(|connection| connection.query_row(changes, [], |row| row.get(0))).unwrap();
    assert_eq!(told, 2);
    while free(&world.folder).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    world.put_back(&sound);
    assert_eq!(world.verified(true).unwrap().records, 23);
}

#[tokio::test]
async fn a_log_that_is_written_anew_is_found() {
    let world = World::new();
    world.write(0..23, 5).await;
    // Somebody has the key of the chain, which lies beside the database, and writes other records in the place of these.
    fs::remove_dir_all(&world.folder).unwrap();
    let log = Log::open(&world.folder, &world.database(), None).unwrap();
    for second in 0..23 {
        log.keep(&Record { at: "2024-12-01T00:00:00Z".into(), asked: format!("GET /other/{second}"), ..Record::default() }, None)
            .await
            .unwrap();
    }
    assert_eq!(world.verified(false).unwrap().records, 23);
    world.refused(true, "the log was written anew");
}

#[tokio::test]
async fn what_a_witness_keeps_must_be_signed() {
    let world = World::new();
    world.write(0..12, 5).await;
    let sound = fs::read_to_string(&world.witness).unwrap();
    let changed = |change: &dyn Fn(&str) -> String, wanted: &str| {
        fs::write(&world.witness, change(&sound)).unwrap();
        world.refused(true, wanted);
    };
    changed(&|text| text.replace("\"number\":12", "\"number\":10"), "is not what was signed");
    changed(&|text| text.replace("\"seconds\":300", "\"seconds\":900000"), "is not what was signed");
    changed(&|text| text.replace("{\"checkpoint\":1,\"log\"", "{\"checkpoint\":1,\"dog\""), "it is no checkpoint");
    let other = SigningKey::open(&SigningKey::create(&world.place.path().join("other")).unwrap().0).unwrap();
    let forged = Checkpoint::sign(&other, &world.database().secret.name(), (1, &[1; 32]), (5, 300), DateTime::UNIX_EPOCH).line().unwrap();
    changed(&|text| format!("{text}{forged}\n"), "is signed by the key");
    changed(&|_| String::new(), "none of its 0 lines");
    changed(
        &|text| text.replace(&format!("\"log\":\"{}", world.database().secret.name()), "\"log\":\"another"),
        "the witness of another log",
    );
    // Lines of others, and one that was cut short when its writer was killed, are told and do no harm.
    fs::write(&world.witness, format!("<13>1 sshd - - - session opened\n{}\n{sound}", &sound[..40])).unwrap();
    let found = world.verified(true).unwrap();
    assert_eq!(found.attested[1].others, 2);
    // The same beside the log.
    let beside = world.folder.join(CHECKPOINTS);
    fs::write(&beside, fs::read_to_string(&beside).unwrap().replace("\"number\":12", "\"number\":10")).unwrap();
    world.refused(false, "is not what was signed");
    assert!(world.not_begun().contains("is not what was signed"));
}

#[tokio::test]
async fn a_log_may_be_ahead_of_its_witness_for_a_while() {
    let world = World::new();
    world.write(0..12, 1000).await;
    let told = fs::read_to_string(&world.witness).unwrap();
    let beside = fs::read_to_string(world.folder.join(CHECKPOINTS)).unwrap();
    let silent = |world: &World| {
        // The service was killed, or nobody was told.
        fs::write(&world.witness, &told).unwrap();
        fs::write(world.folder.join(CHECKPOINTS), &beside).unwrap();
    };
    world.write(12..200, 1000).await;
    silent(&world);
    let found = world.verified(true).unwrap();
    assert_eq!(found.attested[1].behind, 188);
    // Five minutes and what a witness may be late are over.
    world.write(200..500, 1000).await;
    silent(&world);
    world.refused(true, "the last checkpoint is of record 12");
    // Once the service signs again all of it is covered.
    world.write(500..501, 1000).await;
    assert_eq!(world.verified(true).unwrap().attested[1].behind, 0);
}

#[tokio::test]
async fn time_makes_checkpoints_too() {
    let world = World::new();
    let every = (1_000_000, Duration::from_secs(1));
    let database = world.place.path().join("data/access.sqlite");
    drop(world.database());
    let settings = CheckpointSettings::new(&world.keys.join("log.key"), None, every, &database).unwrap();
    let log = Log::open(&world.folder, &world.database(), Some(settings)).unwrap();
    let figures = log.figures().unwrap();
    log.keep(&Record::default(), None).await.unwrap();
    let begun = Instant::now();
    while figures.made() < 2 && begun.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // One at the start, one for the record, and none for a time without records.
    assert!(begun.elapsed() >= Duration::from_millis(800), "{:?}", begun.elapsed());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!((figures.made(), figures.unwitnessed()), (2, None));
    let name = world.database().secret.name();
    assert_eq!(checkpoint::last(&world.folder.join(CHECKPOINTS), &name).unwrap().map(|last| last.number), Some(1));
}

#[tokio::test]
async fn nobody_waits_for_a_witness_that_does_not_answer() {
    let world = World::new();
    fs::remove_dir(world.witness.parent().unwrap()).unwrap();
    let log = Log::open(&world.folder, &world.database(), Some(world.settings(1))).unwrap();
    let begun = Instant::now();
    for _ in 0..50 {
        log.keep(&Record::default(), None).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let figures = log.figures().unwrap();
    while figures.failures() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(figures.unwitnessed(), Some(50));
    // It is told the newest once it can be.
    fs::create_dir(world.witness.parent().unwrap()).unwrap();
    log.finish().await;
    assert_eq!(figures.unwitnessed(), Some(0));
    let name = world.database().secret.name();
    assert_eq!(checkpoint::last(&world.witness, &name).unwrap().map(|last| last.number), Some(50));
}

#[tokio::test]
async fn a_log_of_before_is_gone_on_with() {
    let world = World::new();
    world.write(0..3, 5).await;
    let head = fs::read_to_string(world.folder.join(HEAD)).unwrap();
    let before = head.rsplit_once(' ').unwrap().0.to_owned() + "\n";
    fs::write(world.folder.join(HEAD), &before).unwrap();
    world.refused(false, "'head'");
    world.database().write(|transaction| transaction.execute("DELETE FROM setting WHERE name = 'sealed log'", []).map(Ok)).unwrap();
    assert_eq!(world.verified(false).unwrap().records, 3);
    world.write(3..4, 5).await;
    assert_eq!(world.verified(true).unwrap().records, 4);
    fs::write(world.folder.join(HEAD), &before).unwrap();
    world.refused(false, "'head'");
}
