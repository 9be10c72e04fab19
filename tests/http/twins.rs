//! Two registers that differ in nothing but hidden counts, each published and served.
//!
//! The second register is one of the alternative worlds by which the first one is proven. Whoever could tell the two apart,
//! by a number, a tag, a length or an error, would know more of a small count than the rule allows.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use cacah::{
    audit::{Effort, certify},
    cube::rollup,
    protect::{Settings, protect},
    register::{Links, Shape, Status},
    release::Draft,
    serve::{Application, ServeSettings},
    storage::Store,
    worlds::{Audited, Certificate, Change, Counted, Proof, Rule, Worlds},
};

use super::{
    client::{Reply, request},
    settings,
    world::{Count, THRESHOLD, World, census},
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
        let links = Links::default();
        let protected = protect(&census(counted, &count.definitions, &links), &settings, &[]).unwrap();
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
    fn audited(&self, own: usize, count: &Count, counted: &[Counted<'_>]) -> Option<Audited> {
        let tables = counted.iter().zip(&self.worlds[own]);
        let twin: Vec<Counted<'_>> = tables.map(|(counted, counts)| Counted { counts, ..*counted }).collect();
        let proof = self.proof(own, &twin)?;
        let rule = Rule::threshold(THRESHOLD);
        let links = Links::default();
        let effort = Effort { threads: 1, ..Effort::default() };
        certify(&census(&twin, &count.definitions, &links), self.statuses.clone(), &proof, &rule, &effort, &[]).unwrap().ok()
    }
}

async fn publish(folder: &Path, count: &Count, counted: &[Counted<'_>], audited: &Audited) {
    let store = Store::open(folder.to_str().unwrap()).unwrap();
    let mut draft = Draft::start(&store, &count.definitions, count.period.parse().unwrap(), None, 0).await.unwrap();
    draft.fill(counted, audited).unwrap();
    draft.complete().unwrap();
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
    let own = protected.audited(0, count, &counted).expect("the true counts are proven");
    let candidates =
        (1..protected.worlds.len()).filter_map(|world| Some((differ(world), world, protected.audited(world, count, &counted)?)));
    let (differing, world, other) = candidates.max_by_key(|(differing, ..)| *differing).expect("some world proves itself");
    publish(&folder.join("one"), count, &counted, &own).await;
    let twin: Vec<Counted<'_>> =
        counted.iter().zip(&protected.worlds[world]).map(|(counted, counts)| Counted { counts, ..*counted }).collect();
    publish(&folder.join("other"), count, &twin, &other).await;
    differing
}

/// The files below a folder.
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

/// Both registers as everybody sees them.
pub struct Twins {
    /// Hidden counts that differ between them.
    pub differing: usize,
    /// Everything that was published of each.
    pub files: [BTreeMap<String, Vec<u8>>; 2],
    addresses: [SocketAddr; 2],
}

/// The twins that tests share, served for as long as the tests run.
pub fn shared() -> &'static Twins {
    static TWINS: OnceLock<Twins> = OnceLock::new();
    TWINS.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let made = runtime.block_on(async {
            let differing = twins(folder.path()).await;
            let (mut addresses, mut published) = (Vec::new(), Vec::new());
            for name in ["one", "other"] {
                let folder = folder.path().join(name);
                let mut found = BTreeMap::new();
                files(&folder, &folder, &mut found);
                published.push(found);
                let store = Store::open(folder.to_str().unwrap()).unwrap();
                let settings = ServeSettings { public: Some("http://toyland".into()), most_cells: 1_295, ..settings() };
                let application = Application::build(&store, &settings).await.unwrap();
                addresses.push(application.address());
                tokio::spawn(application.run(std::future::pending()));
            }
            Twins { differing, files: published.try_into().unwrap(), addresses: addresses.try_into().unwrap() }
        });
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        made
    })
}

impl Twins {
    /// Asks both, and gives back what both answer: status, headers and body must be the same.
    pub fn ask(&self, method: &str, question: &str, headers: &[(&str, &str)]) -> Reply {
        let [one, other] = self.addresses.map(|address| {
            let mut reply = request(address, method, question, headers, b"");
            // The time of day is no secret, nor how many have asked before.
            reply.headers.retain(|(name, _)| name != "date" && name != "x-request-id");
            reply
        });
        assert_eq!((one.status, &one.headers), (other.status, &other.headers), "{method} {question}");
        assert!(one.body == other.body, "{method} {question}: {} or {}", one.text(), other.text());
        one
    }

    /// Asks both in every way that there is; gives back what they answer to a plain question.
    pub fn ask_all_ways(&self, question: &str) -> Reply {
        self.ask("HEAD", question, &[]);
        self.ask("POST", question, &[]);
        self.ask("GET", question, &[("accept-encoding", "gzip")]);
        self.ask("GET", question, &[])
    }
}
