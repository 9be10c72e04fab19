//! A count in parts is the count on one machine, whatever the parts, their order, and how often workers begin anew.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use cacah::{
    cube::{BuildOptions, Confidential, Quality, Workshop, build, build_by},
    engine::{Crew, Engine, Errand},
    error::{Error, Result},
    ingest::Progress,
    register::{Definitions, Origin, shipped},
    storage::Store,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::common::{Person, people, snapshot};

/// Workers in this process, who take parts in an order of their own, some of them twice, and give up now and then.
struct Unruly {
    workshop: Workshop,
    chance: Mutex<u64>,
    /// Every so many parts the crew stops with an error.
    gives_up: u64,
    done: Mutex<Vec<String>>,
}

impl Unruly {
    fn new(folder: &Path, seed: u64, gives_up: u64) -> Self {
        let workshop = Workshop::new(Engine::new(1).unwrap(), folder.to_owned(), 1 << 20);
        Self { workshop, chance: Mutex::new(seed | 1), gives_up, done: Mutex::default() }
    }

    fn next(&self, below: usize) -> usize {
        let mut state = self.chance.lock().unwrap();
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as usize % below
    }
}

#[async_trait]
impl Crew for Unruly {
    async fn work(&self, place: &str, parts: &[String]) -> Result<()> {
        let mut left = parts.to_vec();
        while !left.is_empty() {
            let at = self.next(left.len());
            let part = if self.next(4) == 0 { left[at].clone() } else { left.swap_remove(at) };
            self.workshop.run(place, &part).await?;
            self.done.lock().unwrap().push(part);
            if self.gives_up > 0 && self.next(self.gives_up as usize) == 0 {
                return Err(Error::storage("the crew", "went home"));
            }
        }
        Ok(())
    }
}

fn options(inputs: Vec<String>, scratch: &Path) -> BuildOptions {
    BuildOptions {
        period: "2024-S1".parse().unwrap(),
        inputs,
        codings: [].into(),
        max_rejects: 1.0,
        accept_period: true,
        scratch: scratch.to_owned(),
        memory: 1 << 20,
    }
}

/// Everything that a build leaves behind.
async fn kept(definitions: &Definitions, origin: &Origin, options: &BuildOptions, built: &cacah::cube::Built) -> BTreeMap<String, Vec<u8>> {
    let store = Store::in_memory().unwrap();
    let quality = Quality::new(definitions, options.period, built);
    Confidential::new(store.clone()).save(definitions, origin, options.period, built, &quality).await.unwrap();
    let mut files = BTreeMap::new();
    for file in store.list("").await.unwrap() {
        files.insert(file.path.clone(), store.read(&file.path).await.unwrap().unwrap().to_vec());
    }
    files
}

fn origin() -> Origin {
    Origin { sources: shipped(), regions: None, vintage: None }
}

/// People of few households and fewer identities, some of whom are rejected.
fn crowd(numbers: &[(u64, u64, u8)]) -> Vec<Person> {
    let person = |&(number, household, kind): &(u64, u64, u8)| {
        let mut person = Person::new(number);
        person.kk = format!("340102{household:010}");
        match kind {
            0 => person.relation = "ISTRI".into(),
            1 => person.sex = "nobody knows, \"perhaps\"".into(),
            2 => person.born = "2031-01-01".into(),
            3 => person.region[3] = "9999".into(),
            _ => {}
        }
        person
    };
    numbers.iter().map(person).collect()
}

#[test]
fn a_count_in_parts_is_the_count_on_one_machine() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = Engine::new(2).unwrap();
    let (definitions, origin) = (Definitions::parse(&shipped(), None).unwrap(), origin());
    let files = prop::collection::vec(prop::collection::vec((0u64..60, 0u64..25, 0u8..12), 0..40), 1..9);
    let mut runner = TestRunner::new(Config::with_cases(12));
    runner
        .run(&(files, any::<u64>(), prop::sample::select(vec![0u64, 40])), |(files, seed, gives_up)| {
            let folder = tempfile::tempdir().unwrap();
            let delivered = folder.path().join("delivered");
            fs::create_dir(&delivered).unwrap();
            // One more, so that there is always somebody.
            fs::write(delivered.join("first.csv"), snapshot(&people(3))).unwrap();
            for (at, numbers) in files.iter().enumerate() {
                fs::write(delivered.join(format!("{at}.csv")), snapshot(&crowd(numbers))).unwrap();
            }
            let options = options(vec![delivered.display().to_string()], folder.path());
            let store = Store::open(&folder.path().join("confidential").display().to_string()).unwrap();
            let crew = Unruly::new(folder.path(), seed, gives_up);
            runtime.block_on(async {
                let here = build(&definitions, &options, &engine, Progress::default()).await.unwrap();
                let progress = Progress::default();
                // A crew that has come further is asked again; one that gives up at once, three times in a row, is not.
                let there = loop {
                    match build_by(&crew, &store, &definitions, &origin, &options, progress.clone()).await {
                        Err(Error::Storage { cause, .. }) if cause == "went home" => {}
                        built => break built.unwrap(),
                    }
                };
                assert_eq!(here.read, there.read);
                assert_eq!(kept(&definitions, &origin, &options, &here).await, kept(&definitions, &origin, &options, &there).await);
                assert!(store.list("work").await.unwrap().is_empty(), "the work is cleared away");
            });
            assert!(crew.done.lock().unwrap().len() >= files.len().min(3));
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_wrong_is_told_as_on_one_machine() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = Engine::new(1).unwrap();
    let (definitions, origin) = (Definitions::parse(&shipped(), None).unwrap(), origin());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("confidential").display().to_string()).unwrap();
    let crew = Unruly::new(folder.path(), 1, 0);
    let delivered = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let text = snapshot(&people(5000));
    let mut packed = Vec::new();
    {
        let mut gzip = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
        gzip.finish().unwrap();
    }
    let inputs = [
        delivered("cut.csv.gz", &packed[..packed.len() / 2]),
        delivered("other.csv", b"a,b\n1,2\n"),
        delivered("empty.csv", crate::common::HEADING.as_bytes()),
        folder.path().join("nothing").display().to_string(),
    ];
    for input in inputs {
        let options = options(vec![input.clone()], folder.path());
        let (here, there) = runtime.block_on(async {
            let here = build(&definitions, &options, &engine, Progress::default()).await.map(drop);
            (here, build_by(&crew, &store, &definitions, &origin, &options, Progress::default()).await.map(drop))
        });
        assert_eq!(here.unwrap_err().to_string(), there.unwrap_err().to_string(), "{input}");
    }
    let relative = options(vec!["snapshot.csv".into()], folder.path());
    let told = runtime.block_on(build_by(&crew, &store, &definitions, &origin, &relative, Progress::default())).unwrap_err();
    assert!(told.to_string().contains("workers open it from elsewhere"), "{told}");
    assert!(runtime.block_on(store.list("")).unwrap().is_empty());
}

#[test]
fn a_job_of_another_version_is_refused_and_one_that_is_over_left_alone() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().display().to_string()).unwrap();
    let crew = Arc::new(Unruly::new(folder.path(), 1, 0));
    runtime.block_on(async {
        let place = store.address();
        crew.workshop.run(&place, "people-0000").await.unwrap();
        assert!(store.list("").await.unwrap().is_empty(), "there is no job, so nothing is done");
        store.write("job.json", r#"{"version": "0.0.1", "unheard": "of"}"#).await.unwrap();
        let told = crew.workshop.run(&place, "people-0000").await.unwrap_err().to_string();
        assert!(told.contains("0.0.1") && told.contains("the same version everywhere"), "{told}");
    });
}
