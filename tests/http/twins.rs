//! Two registers that differ in nothing but hidden counts: whatever can be asked must be answered alike.
//!
//! The second register is one of the alternative worlds by which the first one is proven. Whoever could tell the two apart,
//! by a number, a tag, a length or an error, would know more of a small count than the rule allows.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, SystemTime},
};

use cacah::{
    audit::{Effort, certify},
    cube::rollup,
    protect::{Settings, protect},
    register::{Shape, Status},
    release::Draft,
    serve::{Application, ServeSettings},
    storage::Store,
    worlds::{Audited, Certificate, Change, Counted, Proof, Rule, Worlds},
};

use super::{
    client::request,
    settings,
    world::{Count, THRESHOLD, World},
};

/// Counts of all cells of all tables.
type Counts = Vec<Vec<u32>>;

/// A protected count, and every world by which it is proven, the true one first.
struct Protected {
    statuses: Vec<Vec<Status>>,
    worlds: Vec<Counts>,
}

/// The numbers, in their table's shape, of its finest cells.
fn finest(shape: &Shape) -> Vec<usize> {
    (0..shape.leaf_cells)
        .map(|leaf| {
            let axes = shape.axes.iter().zip(shape.strides.iter().zip(&shape.leaf_strides));
            axes.map(|(axis, (stride, leaf_stride))| {
                u64::from(axis.leaves[(leaf / leaf_stride % axis.leaves.len() as u64) as usize]) * stride
            })
            .sum::<u64>() as usize
        })
        .collect()
}

impl Protected {
    fn new(count: &Count, counted: &[Counted<'_>]) -> Self {
        let settings = Settings { threads: 1, ..Settings::new(Rule::threshold(THRESHOLD)) };
        let protected = protect(counted, &count.definitions.dimensions, &settings).unwrap();
        let worlds = (0..protected.proof.worlds.len() as u32).map(|world| {
            let of_table = |(table, counted): (usize, &Counted<'_>)| {
                let mut counts = counted.counts.to_vec();
                for change in protected.proof.worlds.world(world).filter(|change| usize::from(change.table) == table) {
                    let cell = &mut counts[change.cell as usize];
                    *cell = cell.checked_add_signed(change.delta).unwrap();
                }
                let leaves: Vec<u32> = finest(counted.shape).into_iter().map(|cell| counts[cell]).collect();
                rollup(counted.shape, &leaves)
            };
            counted.iter().enumerate().map(of_table).collect()
        });
        Self { worlds: worlds.collect(), statuses: protected.statuses }
    }

    /// The proof of one of the worlds as if it were the true one: the others are its alternatives. `None` if it has small
    /// counts that they do not prove.
    fn proof(&self, own: usize, counted: &[Counted<'_>]) -> Option<Proof> {
        let others: Vec<usize> = (0..self.worlds.len()).filter(|&world| world != own).collect();
        let (mut proof, true_counts, rule) = (Proof::default(), &self.worlds[own], Rule::threshold(THRESHOLD));
        let mut worlds = Worlds::default();
        for &other in &others {
            worlds.push(counted.iter().enumerate().flat_map(|(table, counted)| {
                finest(counted.shape).into_iter().filter_map(move |cell| {
                    let delta = self.worlds[other][table][cell].cast_signed() - true_counts[table][cell].cast_signed();
                    (delta != 0).then_some(Change { table: table as u16, cell: cell as u32, delta })
                })
            }));
        }
        proof.worlds = worlds;
        for (table, counts) in true_counts.iter().enumerate() {
            for (cell, _) in counts.iter().enumerate().filter(|(_, count)| rule.is_small(**count)) {
                let in_world = |world: usize| self.worlds[world][table][cell];
                let shows = |wanted: &dyn Fn(u32) -> bool| {
                    if wanted(in_world(own)) {
                        return Some(0);
                    }
                    others.iter().position(|&other| wanted(in_world(other))).map(|at| at as u32 + 1)
                };
                let (low, high) = (shows(&|count| count <= rule.low())?, shows(&|count| count >= rule.high())?);
                proof.certificates.push(Certificate { table: table as u16, cell: cell as u32, low, high });
            }
        }
        Some(proof)
    }

    /// One of the worlds, audited as if it were the true one.
    fn audited(&self, own: usize, counted: &[Counted<'_>]) -> Option<Audited> {
        let tables = counted.iter().zip(&self.worlds[own]);
        let twin: Vec<Counted<'_>> = tables.map(|(counted, counts)| Counted { counts, ..*counted }).collect();
        let proof = self.proof(own, &twin)?;
        let rule = Rule::threshold(THRESHOLD);
        certify(&twin, self.statuses.clone(), &proof, &rule, &Effort { threads: 1, ..Effort::default() }).unwrap().ok()
    }
}

async fn publish(folder: &Path, count: &Count, counted: &[Counted<'_>], audited: &Audited) {
    let store = Store::open(folder.to_str().unwrap()).unwrap();
    let mut draft = Draft::start(&store, &count.definitions, count.period.parse().unwrap(), None).await.unwrap();
    draft.fill(counted, audited).await.unwrap();
    draft.complete().await.unwrap();
    draft.publish().await.unwrap();
    // When it was published is told to everybody.
    let published = SystemTime::UNIX_EPOCH + Duration::from_secs(1_720_000_000);
    let manifest = folder.join(count.period).join("r1/manifest.json");
    fs::File::options().append(true).open(manifest).unwrap().set_modified(published).unwrap();
}

/// Publishes a register and its twin, and gives back how many hidden counts differ between them.
async fn twins(folder: &Path) -> usize {
    let world = World::new();
    let count = &world.counts[1];
    let tables = count.tables();
    let counted = tables.counted(&count.definitions);
    let protected = Protected::new(count, &counted);
    let differ = |world: usize| {
        let pairs = protected.worlds[world].iter().flatten().zip(protected.worlds[0].iter().flatten());
        pairs.filter(|(there, here)| there != here).count()
    };
    // The proof of the first is looked at, too, as the worlds lie here.
    let own = protected.audited(0, &counted).expect("the true counts are proven");
    let candidates = (1..protected.worlds.len()).filter_map(|world| Some((differ(world), world, protected.audited(world, &counted)?)));
    let (differing, world, other) = candidates.max_by_key(|(differing, ..)| *differing).expect("some world proves itself");
    publish(&folder.join("one"), count, &counted, &own).await;
    let twin: Vec<Counted<'_>> =
        counted.iter().zip(&protected.worlds[world]).map(|(counted, counts)| Counted { counts, ..*counted }).collect();
    publish(&folder.join("other"), count, &twin, &other).await;
    differing
}

fn files(folder: &Path, below: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(folder, &path, found);
        } else {
            found.insert(path.strip_prefix(folder).unwrap().display().to_string(), fs::read(&path).unwrap());
        }
    }
}

/// The service has nothing but the release: as not one byte of it depends on a hidden count, neither can percentages, means,
/// scales, orders, errors, tags, numbers of cells, the time that an answer takes, or what is shown to one region against the rest.
#[tokio::test]
async fn registers_that_differ_in_hidden_counts_alone_give_the_same_release() {
    let folder = tempfile::tempdir().unwrap();
    let differing = twins(folder.path()).await;
    assert!(differing >= 4, "only {differing} counts differ");
    let [one, other] = ["one", "other"].map(|name| {
        let (folder, mut found) = (folder.path().join(name), BTreeMap::new());
        files(&folder, &folder, &mut found);
        found
    });
    assert!(one.contains_key("2024-S1/r1/audit.json") && one.keys().eq(other.keys()), "{:?} {:?}", one.keys(), other.keys());
    for (path, content) in &one {
        assert!(*content == other[path], "{path} tells hidden counts");
    }
}

/// Everything that can be asked, well and badly, of the service.
fn questions() -> Vec<String> {
    let mut questions: Vec<String> =
        ["/", "/readyz", "/healthz", "/api/v2/config", "/api/v2/tables", "/api/v2/nowhere"].map(String::from).into();
    for list in ["vs_age_band", "agg_age_care", "agg_age_halves", "vs_region_regency", "nowhere"] {
        questions.push(format!("/api/v2/codelists/{list}"));
    }
    for table in ["people", "bands", "nowhere"] {
        for part in ["", "/metadata", "/defaultselection", "/data", "/data?outputFormat=csv"] {
            questions.push(format!("/api/v2/tables/{table}{part}"));
        }
    }
    let data = "/api/v2/tables/people/data?valueCodes[ContentsCode]=*&valueCodes[Tid]=*";
    let places = ["*", "1101", "11,12", "top(2)", "bottom(3)", "from(1101)", "range(1101,1201)", "most(1)", "99", "1?0*"];
    let ages = [
        "valueCodes[Age]=*",
        "valueCodes[Age]=bottom(1)",
        "codelist[Age]=agg_age_care",
        "codelist[Age]=agg_age_halves&valueCodes[Age]=OLD",
        "",
    ];
    for place in places {
        for age in ages {
            for sex in ["valueCodes[Sex]=*", "valueCodes[Sex]=top(1,1)", ""] {
                for format in ["", "&outputFormat=csv", "&outputFormat=csv&outputFormatParams=UseTexts,IncludeTitle", "&outputFormat=xlsx"]
                {
                    questions.push(format!("{data}&valueCodes[Region]={place}&{age}&{sex}{format}"));
                }
            }
        }
    }
    questions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_depends_on_a_hidden_count() {
    let folder = tempfile::tempdir().unwrap();
    twins(folder.path()).await;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for name in ["one", "other"] {
        let store = Store::open(folder.path().join(name).to_str().unwrap()).unwrap();
        let settings = ServeSettings { public: Some("http://toyland".into()), ..settings() };
        let application = Application::build(&store, &settings).await.unwrap();
        addresses.push(application.address());
        tokio::spawn(application.run(std::future::pending()));
    }
    let asked = tokio::task::spawn_blocking(move || {
        let questions = questions();
        let mut tags = 0;
        for question in &questions {
            let both = |method: &str, headers: &[(&str, &str)]| {
                let [one, other] = [addresses[0], addresses[1]].map(|address| {
                    let mut reply = request(address, method, question, headers, b"");
                    // The time of day is no secret.
                    reply.headers.retain(|(name, _)| name != "date");
                    reply
                });
                assert_eq!((one.status, &one.headers), (other.status, &other.headers), "{method} {question}");
                assert!(one.body == other.body, "{method} {question}: {} or {}", one.text(), other.text());
                one
            };
            let reply = both("GET", &[]);
            both("HEAD", &[]);
            both("POST", &[]);
            both("GET", &[("accept-encoding", "gzip")]);
            if let Some(tag) = reply.header("etag") {
                assert_eq!(both("GET", &[("if-none-match", tag)]).status, 304);
                tags += 1;
            }
        }
        (questions.len(), tags)
    });
    let (questions, tags) = asked.await.unwrap();
    assert!(tags > 200 && tags < questions, "{tags} of {questions} questions were answered");
}
