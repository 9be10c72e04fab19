//! Whatever goes wrong, a store holds the old state or the new one, and the same command brings the new one about.

use std::{
    fmt, fs,
    os::unix::process::ExitStatusExt,
    path::Path as LocalPath,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use cacah::{
    error::Error,
    release::Catalogue,
    storage::{FileDigest, Store},
};
use futures::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, local::LocalFileSystem, path::Path,
};

use super::{
    REGIONS, sample,
    service::{Fault, Files, OFFICE, S3},
};
use crate::{
    common::{program, regions, succeed},
    http::world::World,
};

/// The arguments that build a snapshot.
fn build<'a>(snapshot: &'a str, period: &'a str, warehouse: &'a str) -> [&'a str; 8] {
    ["build", snapshot, "--period", period, "--warehouse", warehouse, "--regions", "regions.csv"]
}

/// The arguments that publish a semester with hardly anything to protect: what is stored matters here, and how.
fn release<'a>(period: &'a str, place: &[&'a str]) -> Vec<&'a str> {
    [&["release", period, "--threshold", "2", "--contributors", "1", "--small-group", "2"], place].concat()
}

/// An office whose warehouses lie on S3, and the folder in which its commands run.
struct Office {
    s3: S3,
    folder: tempfile::TempDir,
}

impl Office {
    /// Two snapshots of a semester, `first.csv` and `second.csv`.
    fn new() -> Self {
        let (s3, folder) = (S3::start(), tempfile::tempdir().unwrap());
        fs::write(folder.path().join("regions.csv"), regions(&REGIONS)).unwrap();
        succeed(&sample("2024-S1", "600", "1", "first.csv"), folder.path());
        succeed(&sample("2024-S1", "600", "2", "second.csv"), folder.path());
        Self { s3, folder }
    }

    fn run(&self, args: &[&str]) {
        self.s3.succeed(args, self.folder.path());
    }

    fn files(&self, folder: &str) -> Files {
        self.s3.files(&self.s3.bucket(OFFICE), folder)
    }

    /// Runs a command that is killed when it asks for a change, the `at`-th one, which is not made; `false` if it ended before.
    fn killed(&self, args: &[&str], at: usize) -> bool {
        let mut command = self.s3.program();
        command.args(args).current_dir(self.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = self.s3.faults.kill(at, &mut command).wait().expect("the program ends");
        self.s3.faults.plan(Fault::Nothing);
        assert!(status.success() || status.signal() == Some(9), "{args:?} at change {at}: {status}");
        status.signal() == Some(9)
    }
}

/// What a release folder holds: nothing, or all that its manifest names, as it names it.
#[track_caller]
fn assert_whole(files: &Files, folder: &str) {
    let Some(manifest) = files.get(&format!("{folder}/manifest.json")) else { return };
    let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
    for (file, digest) in manifest["files"].as_object().unwrap() {
        let found = FileDigest::of(&files[&format!("{folder}/{file}")]);
        assert_eq!((digest["sha256"].as_str(), digest["bytes"].as_u64()), (Some(found.sha256.as_str()), Some(found.bytes)), "{file}");
    }
}

#[test]
fn a_release_that_is_killed_at_any_step_is_there_or_not() {
    let office = Office::new();
    let warehouse = format!("s3://{OFFICE}/w");
    succeed(&sample("2024-S2", "600", "1", "later.csv"), office.folder.path());
    office.run(&build("first.csv", "2024-S1", &warehouse));
    office.run(&build("later.csv", "2024-S2", &warehouse));
    office.run(&release("2024-S1", &["--warehouse", &warehouse]));
    let before = office.files("w/releases");
    let bucket = office.s3.bucket(OFFICE);
    // A store of its own, in which the first semester is published.
    let copy = |folder: &str| {
        office.s3.put(&bucket, &before.iter().map(|(path, content)| (format!("{folder}/{path}"), content.clone())).collect());
        format!("s3://{OFFICE}/{folder}")
    };
    let place = copy("reference");
    office.run(&release("2024-S2", &["--warehouse", &warehouse, "--releases", &place]));
    let after = office.files("reference");
    assert!(after.len() > before.len() + 10 && after.contains_key("2024-S2/r1/manifest.json"), "{:?}", after.keys());

    let mut at = 1;
    loop {
        let folder = format!("killed-{at}");
        let place = copy(&folder);
        let args = release("2024-S2", &["--warehouse", &warehouse, "--releases", &place]);
        let killed = office.killed(&args, at);
        let left = office.files(&folder);
        assert!(before.iter().all(|(path, content)| left.get(path) == Some(content)), "{at}: the release before has changed");
        assert_whole(&left, "2024-S2/r1");
        assert!(!killed || !left.contains_key("2024-S2/r1/manifest.json"), "{at}: there is a release before its last step");
        let listed = office.s3.succeed(&["releases", "--releases", &place], office.folder.path());
        assert_eq!(listed.contains("2024-S2"), !killed, "{at}: {listed}");
        if !killed {
            assert!(left == after);
            break;
        }
        office.run(&args);
        assert!(office.files(&folder) == after, "{at}: what was published in the end is not what it would have been");
        at += 1;
    }
    assert!(at > after.len() - before.len(), "only {at} steps");
}

#[test]
fn a_build_that_is_killed_at_any_step_counts_or_not() {
    let office = Office::new();
    let states: Vec<Files> = ["first.csv", "second.csv"]
        .iter()
        .map(|snapshot| {
            let name = format!("alone-{}", &snapshot[..5]);
            office.run(&build(snapshot, "2024-S1", &format!("s3://{OFFICE}/{name}")));
            office.files(&format!("{name}/confidential"))
        })
        .collect();
    let in_force = |files: &Files| files["2024-S1/build.json"].clone();
    let mut at = 1;
    loop {
        let warehouse = format!("s3://{OFFICE}/built-{at}");
        let folder = format!("built-{at}/confidential");
        office.run(&build("first.csv", "2024-S1", &warehouse));
        let again = build("second.csv", "2024-S1", &warehouse);
        let killed = office.killed(&again, at);
        let left = office.files(&folder);
        let state = states.iter().find(|state| in_force(state) == in_force(&left)).expect("the old or the new build counts");
        assert!(state.iter().all(|(path, content)| left.get(path) == Some(content)), "{at}: the build that counts is not whole");
        if !killed {
            assert!(left == states[1]);
            break;
        }
        office.run(&again);
        assert!(office.files(&folder) == states[1], "{at}: what was built in the end is not what it would have been");
        at += 1;
    }
    assert!(at > states[1].len(), "only {at} steps");
}

#[test]
fn a_store_that_refuses_forgets_and_hangs_gives_the_same_release() {
    let office = Office::new();
    let publish = |name: &str| {
        let warehouse = format!("s3://{OFFICE}/{name}");
        office.run(&build("first.csv", "2024-S1", &warehouse));
        office.run(&release("2024-S1", &["--warehouse", &warehouse]));
        office.files(name)
    };
    let expected = publish("sound");
    let plans = [("refuses", Fault::Refuse(3)), ("forgets", Fault::Forget(2)), ("hangs", Fault::Hang(29))];
    for (name, fault) in plans {
        office.s3.faults.plan(fault);
        let found = publish(name);
        let count = office.s3.faults.plan(Fault::Nothing);
        assert!(found == expected, "{name}: {:?} and {:?}", found.keys(), expected.keys());
        assert!(count > 29, "{name}: only {count} requests");
    }
}

#[test]
fn a_process_that_is_killed_in_a_folder_leaves_the_old_state_or_the_new() {
    const MOMENTS: u32 = 30;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("regions.csv"), regions(&REGIONS)).unwrap();
    for (period, snapshot) in [("2024-S1", "first.csv"), ("2024-S2", "later.csv")] {
        succeed(&sample(period, "600", "1", snapshot), here);
        succeed(&build(snapshot, period, "w"), here);
    }
    succeed(&release("2024-S1", &["--warehouse", "w"]), here);
    fn files(folder: &LocalPath, below: &LocalPath, found: &mut Files) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, below, found);
            } else {
                found.insert(path.strip_prefix(below).unwrap().display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    let files = |store: &str| {
        let (mut found, below) = (Files::new(), here.join(store));
        files(&below, &below, &mut found);
        found
    };
    let before = files("w/releases");
    let copy = |store: &str| {
        for (path, content) in &before {
            let path = here.join(store).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    };
    copy("reference");
    let began = Instant::now();
    succeed(&release("2024-S2", &["--warehouse", "w", "--releases", "reference"]), here);
    let whole = began.elapsed();
    let after = files("reference");

    let (mut old, mut new) = (0, 0);
    for moment in 1..=MOMENTS {
        let store = format!("killed-{moment}");
        copy(&store);
        let args = release("2024-S2", &["--warehouse", "w", "--releases", &store]);
        let mut running = program().args(&args).current_dir(here).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * moment / MOMENTS);
        // SIGKILL; nothing happens to one that has ended.
        running.kill().unwrap();
        running.wait().unwrap();
        let left = files(&store);
        assert!(before.iter().all(|(path, content)| left.get(path) == Some(content)), "{moment}: the release before has changed");
        assert_whole(&left, "2024-S2/r1");
        let is_new = left.contains_key("2024-S2/r1/manifest.json");
        assert_eq!(succeed(&["releases", "--releases", &store], here).contains("2024-S2"), is_new, "{moment}");
        if is_new {
            new += 1;
            assert!(left == after, "{moment}");
        } else {
            old += 1;
            succeed(&args, here);
            let mut found = files(&store);
            // What was begun beside its place when the process died.
            found.retain(|path, _| !path.contains('#'));
            assert!(found == after, "{moment}: {:?}", found.keys());
        }
    }
    assert!(old > MOMENTS / 3, "{old} were killed in time, {new} were not");
}

/// A local file system that dies at a change, before it is made or in the midst of it, and stays dead.
struct Dying {
    alive: LocalFileSystem,
    changes: AtomicUsize,
    at: usize,
    torn: bool,
}

impl Dying {
    fn dead() -> object_store::Error {
        object_store::Error::Generic { store: "dying", source: "killed".into() }
    }

    /// Counts a change, or is dead.
    fn change(&self, path: &Path, payload: Option<&PutPayload>) -> Result<()> {
        let change = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        if change == self.at
            && self.torn
            && let Some(payload) = payload
        {
            // As the file system writes: beside the place, then renamed; it dies in between.
            let place = format!("/{path}#1");
            fs::create_dir_all(LocalPath::new(&place).parent().unwrap()).unwrap();
            let bytes: Vec<u8> = payload.iter().flat_map(|part| part.to_vec()).collect();
            fs::write(place, &bytes[..bytes.len() / 2]).unwrap();
        }
        if change >= self.at { Err(Self::dead()) } else { Ok(()) }
    }

    fn is_dead(&self) -> bool {
        self.changes.load(Ordering::SeqCst) >= self.at
    }
}

impl fmt::Debug for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dying")
    }
}

impl fmt::Display for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dying")
    }
}

#[async_trait]
impl ObjectStore for Dying {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.change(location, Some(&payload))?;
        self.alive.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.change(location, None)?;
        self.alive.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.is_dead() { Err(Self::dead()) } else { self.alive.get_opts(location, options).await }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.change(&Path::default(), None) {
            Ok(()) => self.alive.delete_stream(locations),
            Err(error) => Box::pin(futures::stream::once(async { Err(error) })),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.alive.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.alive.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.change(to, None)?;
        self.alive.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn a_publisher_that_dies_in_a_folder_leaves_the_old_state_or_the_new() {
    let world = World::new();
    let (count, wrong) = (&world.counts[1], world.counts[1].wrong());
    for torn in [false, true] {
        let mut at = 1;
        loop {
            let folder = tempfile::tempdir().unwrap();
            let below = |objects: Arc<dyn ObjectStore>| Store::over(objects, "file:///").unwrap().below(folder.path().to_str().unwrap());
            let sound = below(Arc::new(LocalFileSystem::new()));
            wrong.publish(&sound, None).await;
            let before = Catalogue::open(&sound).await.unwrap().releases()[0].edition.sha256.clone();
            let dying = Arc::new(Dying { alive: LocalFileSystem::new(), changes: AtomicUsize::new(0), at, torn });
            let store = below(Arc::clone(&dying) as Arc<dyn ObjectStore>);
            // Who dies abandons nothing.
            let publish = async || {
                let mut draft = count.draft(&store, Some("counted again")).await?;
                count.fill(&mut draft)?;
                draft.publish().await
            };
            let outcome = publish().await;
            let catalogue = Catalogue::open(&sound).await.unwrap();
            let [release] = catalogue.releases() else { panic!("{at}: {} releases", catalogue.releases().len()) };
            release.edition.verify(&sound).await.unwrap();
            let is_new = release.edition.sha256 != before;
            assert_eq!(is_new, outcome.is_ok(), "{at}: {outcome:?}");
            if is_new {
                assert!(!dying.is_dead() && at > 6, "{at}");
                break;
            }
            assert!(matches!(outcome, Err(Error::Storage { .. })), "{at}: {outcome:?}");
            count.publish(&sound, Some("counted again")).await;
            let catalogue = Catalogue::open(&sound).await.unwrap();
            let edition = &catalogue.releases()[0].edition;
            assert_eq!(edition.manifest.revision, 2);
            edition.verify(&sound).await.unwrap();
            at += 1;
        }
    }
}
