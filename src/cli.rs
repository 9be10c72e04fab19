//! The command line, as types.

mod access;
mod attack;
mod cluster;
mod log;
mod report;
mod signing;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use crate::{
    audit::Effort,
    engine::Placement,
    protect::Trials,
    register::{MOST_CONTRIBUTORS, Period, vintage_name},
    serve::IpNet,
    worlds::Reach,
};
use clap::{Args, Parser, Subcommand};

pub use access::{Access as AccessArgs, AccessAction, ChangeUserArgs, DATABASE, InstitutionArgs, RequestArgs};
pub use attack::{Attack, OutsideArg, RangesFormat};
pub use cluster::{SchedulerArgs, WorkerArgs};
pub use log::{CheckpointArgs, Log as LogArgs, LogAction, LogShow, LogVerify};
pub use report::{Report as ReportArgs, ReportAction, UsageArgs};
pub use signing::{KeyArgs, Keys as KeysArgs, KeysAction, KeysMake, KeysSign, Verify, Withdraw};

/// Statistics from a population register: count, protect, publish, serve.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    max_term_width = 110,
    arg_required_else_help = true,
    after_help = "\
Examples:
  cacah demo                                                 everything at once, on made-up people
  cacah build snapshot/ --period 2024-S1                     count a snapshot
  cacah release 2024-S1                                      publish what was counted
  cacah serve                                                answer requests at http://127.0.0.1:8080"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a sample of two semesters, count, publish and serve it
    Demo(Demo),
    /// Write a made-up snapshot
    Sample(Sample),
    /// Read a snapshot and count it into cubes
    Build(Build),
    /// Protect what was counted and publish it
    Release(Release),
    /// Check a release against its counts and its proof again, from files alone
    Audit(Audit),
    /// Work out from published files alone how far they pin down withheld counts
    Attack(Attack),
    /// List what is published
    Releases(Releases),
    /// Check from files and public keys alone that releases are what was signed, and that none was taken out
    Verify(Verify),
    /// Say that a release must not be used any more, and why
    Withdraw(Withdraw),
    /// Make keys that sign releases
    Keys(KeysArgs),
    /// Answer requests for tables over HTTP
    Serve(Box<Serve>),
    /// Draw a chart of published numbers
    Chart(Chart),
    /// Say who may see what: institutions, users, keys
    Access(AccessArgs),
    /// Look into the log of accesses, and prove that it is whole
    Log(LogArgs),
    /// Tell how the service was used, and who has reported on it
    Report(ReportArgs),
    /// Count for others, in a cluster of Apache Ballista
    Worker(WorkerArgs),
    /// Hand out the work of a cluster
    Scheduler(SchedulerArgs),
    /// Install outlines of regions for maps
    #[command(subcommand)]
    Boundaries(Boundaries),
}

/// Where definitions come from.
#[derive(Debug, Clone, Default, Args)]
pub struct DefinitionArgs {
    /// Folder of definitions that replaces the built-in ones
    #[arg(long, value_name = "DIR")]
    pub definitions: Option<PathBuf>,
    /// Region reference of the semester (CSV: code, name, level, parent) that replaces the one in the definitions
    #[arg(long, value_name = "FILE")]
    pub regions: Option<PathBuf>,
}

/// Where results go.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// Folder or s3:// address that holds `confidential` and `releases`
    #[arg(long, value_name = "PLACE", default_value = "warehouse")]
    pub warehouse: String,
    /// Confidential store, if it is not below the warehouse
    #[arg(long, value_name = "PLACE")]
    pub confidential: Option<String>,
    /// Release store, if it is not below the warehouse
    #[arg(long, value_name = "PLACE")]
    pub releases: Option<String>,
}

/// `cacah demo`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah demo
  cacah demo --port 9000 --persons 1000000 --warehouse /tmp/demo")]
pub struct Demo {
    /// Port to serve at on loopback; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Port to serve SQL at on loopback, to clients of PostgreSQL; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub sql_port: u16,
    /// People in the first semester
    #[arg(long, default_value_t = 4_000_000)]
    pub persons: u64,
    /// Folder for the demo; what an earlier demo left there is replaced
    #[arg(long, value_name = "DIR", default_value = "warehouse/demo")]
    pub warehouse: PathBuf,
    /// Stop once the releases are published
    #[arg(long)]
    pub no_serve: bool,
}

/// `cacah sample`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah sample --period 2024-S1 --persons 300000 --out snapshot.parquet
  cacah sample --period 2024-S2 --persons 300000 --out snapshot.csv.gz --dirty 0
  cacah sample --period 2024-S1 --persons 285_000_000 --regions regions.csv --out snapshot/   one file a regency")]
pub struct Sample {
    /// Semester to make up
    #[arg(long)]
    pub period: Period,
    /// About how many people, such as 300000 or 285_000_000
    #[arg(long, value_parser = count)]
    pub persons: u64,
    /// The same seed gives the same people, also in other semesters
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// File (.csv, .csv.gz, .csv.zst, .parquet) or folder (ending in /) to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Share of bad records, 0 to 1
    #[arg(long, default_value_t = 0.005, value_parser = share)]
    pub dirty: f64,
    #[command(flatten)]
    pub definitions: DefinitionArgs,
}

/// `cacah build`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah build snapshot.csv.gz --period 2024-S1
  cacah build snapshot/ --period 2024-S1 --regions regions-2024.csv --warehouse /srv/cacah
  cacah build snapshot/ --period 2024-S1 --regions regions-2024.csv --vintage 300.2.2-2430/2025
  cacah build s3://register/2024-S1/ --period 2024-S1 --warehouse s3://office/cacah
  cacah build snapshot.csv --period 2024-S1 --coding marital=6 --max-rejects 0.001
  cacah build s3://register/2024-S1/ --period 2024-S1 --warehouse s3://office/cacah --engine ballista://10.0.0.5:50050")]
pub struct Build {
    /// Snapshot: files or folders, CSV (also .gz, .zst) or Parquet, local or s3://
    #[arg(required = true, value_name = "SNAPSHOT")]
    pub snapshot: Vec<String>,
    /// Semester of the snapshot, such as 2024-S1
    #[arg(long)]
    pub period: Period,
    #[command(flatten)]
    pub stores: StoreArgs,
    #[command(flatten)]
    pub definitions: DefinitionArgs,
    /// Name of the region reference, such as the decree it follows; else its line '# vintage: NAME', else its file's name
    #[arg(long, value_name = "NAME", value_parser = vintage)]
    pub vintage: Option<String>,
    /// How the snapshot numbers the values of a dimension, where the definitions know several ways
    #[arg(long = "coding", value_name = "DIMENSION=CODING", value_parser = coding)]
    pub codings: Vec<(String, String)>,
    /// Share of rejected records beyond which the run stops, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    pub max_rejects: f64,
    /// Take a snapshot whose birth dates look like another semester's
    #[arg(long)]
    pub accept_period: bool,
    /// Folder for what does not fit in memory
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// MiB of identities and households to hold in memory before they go to the scratch folder
    #[arg(long, value_name = "MIB", default_value_t = 160)]
    pub memory: usize,
    /// Threads; 0 takes one for each core
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// Who counts: local, or ballista://host:port, a cluster whose workers reach the snapshot and the confidential store
    #[arg(long, value_name = "ENGINE", default_value = "local")]
    pub engine: Placement,
}

/// `cacah release`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah release 2024-S1
  cacah release 2024-S1 --dry-run --weight labour=3 --weight population:regency=5
  cacah release 2024-S1 --sensitive occupation --range beyond
  cacah release 2024-S1 --warehouse /srv/cacah --releases s3://public/releases
  cacah release 2024-S1 --correction \"twelve people were counted in another village\" --accept-differences

A period is published once, by one rule: what it costs is tried with --dry-run. A correction is judged together with all revisions that were ever proven of the period, whether they are in RELEASES or not. It is refused
where they give away together what each of them hides: the message names the regions without which it may pass. Nearly every correction
changes some cell by few people, in whom whoever knows that they moved, came or went could read what else is true of them:
--accept-differences says that nobody is to be recognised by that.

What would give small counts away is suppressed too, and proven to be enough. An audit that shares nothing with the protection
checks the proof and attacks the release; only what passes is published. It is signed with the key of 'cacah keys make', if there is one.")]
pub struct Release {
    /// Semester to publish
    pub period: Period,
    #[command(flatten)]
    pub stores: StoreArgs,
    /// Counts from 1 to one below this are suppressed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub threshold: u32,
    /// Publish a period again, and why; refused where all its revisions together would give away what each hides
    #[arg(long, value_name = "REASON")]
    pub correction: Option<String>,
    /// Publish a correction though it changes cells by fewer than the threshold, by which corrected people may be recognised
    #[arg(long, requires = "correction")]
    pub accept_differences: bool,
    /// Protect and audit, say what that costs, and publish nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How far the range of a small count must stay open: `rule`, from 1 to below the threshold; `beyond`, from 0 to the threshold
    #[arg(long, default_value = "rule", value_name = "RANGE", value_parser = ["rule", "beyond"])]
    pub range: String,
    /// Dimensions whose small groups may not be seen to be all in one category, beside those that the definitions mark
    #[arg(long, value_name = "DIMENSION", value_delimiter = ',')]
    pub sensitive: Vec<String>,
    /// Members below which a group of a sensitive dimension is small
    #[arg(long, value_name = "MEMBERS", default_value_t = SMALL_GROUP, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub small_group: u32,
    /// From how many households a published count of people comes at least; 1: from any [default: what the definitions say]
    #[arg(long, value_name = "HOUSEHOLDS", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_CONTRIBUTORS)))]
    pub contributors: Option<u32>,
    /// What losing a cell of a table costs, or one at a level of its regions, against 1: dear cells are kept where others do
    #[arg(long = "weight", value_name = "TABLE[:LEVEL]=FACTOR", value_parser = cost)]
    pub costs: Vec<Cost>,
    /// Try to do without each suppressed cell, several times: some six percent fewer of them in some twenty times the time
    #[arg(long)]
    pub thorough: bool,
    /// Threads; 0 takes one for each core. The result is the same for any number
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    #[command(flatten)]
    pub key: KeyArgs,
}

/// What losing cells costs, in plain cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Identifier of the table.
    pub table: String,
    /// Identifier of the level of regions; all levels if there is none.
    pub level: Option<String>,
    /// How many plain cells a cell is worth.
    pub factor: f64,
}

/// `cacah audit`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah audit 2024-S1
  cacah audit 2024-S1 --revision 1 --warehouse /srv/cacah
  cacah audit 2024-S1 --explain population/3401/L/Y0T4        why this cell is suppressed; CONFIDENTIAL
  cacah audit 2024-S1 --explain population/34.01.01.2001/T/T  codes of regions also as they are written with dots

Ends with an error where anything is wrong: a cell that differs from its count or is published though it may not be, a
certificate that does not hold, or a small count whose range an attacker can narrow.")]
pub struct Audit {
    /// Semester to audit
    pub period: Period,
    /// Revision; the last one if not given
    #[arg(long)]
    pub revision: Option<u32>,
    /// Say why a cell is suppressed, instead of auditing: TABLE/CODE/CODE/..., a code for each axis in the table's order, those of
    /// regions with or without dots. Where no rule withholds it, the small counts that need it are named, and what may open it.
    /// Tells true counts, for nobody outside
    #[arg(long, value_name = "CELL")]
    pub explain: Option<String>,
    /// Suppressed cells that may hang together where the exact range of each is worked out; larger systems are sampled. Four times
    /// as many take about ten times as long for each cell
    #[arg(long, value_name = "CELLS", default_value_t = Effort::default().largest)]
    pub exact: usize,
    #[command(flatten)]
    pub stores: StoreArgs,
    /// Threads; 0 takes one for each core
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
}

/// Members below which a group is small, if the operator says nothing else.
pub const SMALL_GROUP: u32 = 10;

/// An address such as `https://data.example.org`.
fn public_address(text: &str) -> Result<String, String> {
    let parsed = url::Url::parse(text).map_err(|error| error.to_string())?;
    let is_plain = matches!(parsed.scheme(), "http" | "https") && parsed.path() == "/" && parsed.query().is_none() && parsed.has_host();
    is_plain.then(|| text.trim_end_matches('/').to_owned()).ok_or_else(|| "expected an address such as https://data.example.org".into())
}

/// A network such as `10.0.0.0/8`, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "expected a network such as 10.0.0.0/8, or an address".into())
}

fn threads_or_cores(threads: usize) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    }
}

impl Audit {
    /// Threads to work on.
    pub fn threads(&self) -> usize {
        threads_or_cores(self.threads)
    }
}

impl Release {
    /// How hard is tried to do with fewer suppressed cells.
    pub fn trials(&self) -> Trials {
        if self.thorough { Trials::THOROUGH } else { Trials::USUAL }
    }

    /// How far the range of a small count must stay open.
    pub fn reach(&self) -> Reach {
        if self.range == "beyond" { Reach::Beyond } else { Reach::Rule }
    }

    /// Threads to work on.
    pub fn threads(&self) -> usize {
        threads_or_cores(self.threads)
    }
}

/// `cacah releases`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah releases
  cacah releases --releases s3://public/releases")]
pub struct Releases {
    /// Release store
    #[arg(long, value_name = "PLACE", default_value = "warehouse/releases")]
    pub releases: String,
}

/// `cacah serve`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah serve
  cacah serve --releases s3://public/releases --read-cache /var/cache/cacah --read-cache-size 8192
  cacah serve --queries queries/sql                              named queries of one's own
  cacah serve --tls-certificate site.pem --tls-key site.key      encrypted, also --sql 0.0.0.0:5433
  cacah serve --public-address https://data.example.org --trusted-proxies 10.0.0.0/8   behind a proxy
  cacah serve --dashboards dashboards                            dashboards of one's own
  cacah serve --sql 127.0.0.1:5433                               also for clients of PostgreSQL
  cacah serve --public population,households                     two tables for everybody, the others for users
  cacah serve --public '*'                                       everything for everybody
  cacah serve --trust release.pub                                nothing but what is signed with this key

Who wants to see more than what is public signs in, or sends a key; 'cacah access' says who may.
New releases are taken up while requests go on. One that is withdrawn ('cacah withdraw') is no longer served. Where a release is
damaged or gone, what was served before is served on, and the log says why; it is looked at again until that is mended.")]
pub struct Serve {
    /// Release store
    #[arg(long, value_name = "PLACE", default_value = "warehouse/releases")]
    pub releases: String,
    /// Public key of releases, as 'cacah keys make' writes it to release.pub: nothing is served that is not signed with it; may be repeated
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
    /// Address to listen at
    #[arg(long, default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Port to listen at; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Most cells in one answer
    #[arg(long, value_name = "CELLS", default_value_t = 1_000_000)]
    pub max_cells: u64,
    /// MiB of finished answers to keep in memory; 0 keeps none
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    pub cache: usize,
    /// Folder on local disk in which to keep what was read of releases on s3://; each service needs its own
    #[arg(long, value_name = "DIR")]
    pub read_cache: Option<PathBuf>,
    /// MiB that the folder of --read-cache may take
    #[arg(long, value_name = "MIB", default_value_t = 4096, requires = "read_cache")]
    pub read_cache_size: u64,
    /// Database of institutions and users; made if there is none
    #[arg(long, value_name = "FILE", default_value = DATABASE)]
    pub database: PathBuf,
    #[command(flatten)]
    pub checkpoints: CheckpointArgs,
    /// Tables that may be seen without signing in, such as population,households; '*' for all
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    pub public: Vec<String>,
    /// Address under which clients know the service, such as https://data.example.org, if a proxy stands before it
    #[arg(long, value_name = "ADDRESS", value_parser = public_address)]
    pub public_address: Option<String>,
    /// Certificate by which connections are encrypted, in PEM, with those that lead to its authority; taken up anew when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Networks of proxies that are believed when they say for whom they ask (X-Forwarded-For), such as 10.0.0.0/8
    #[arg(long, value_name = "NETWORKS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Folder of dashboards (.toml) that replace the built-in ones
    #[arg(long, value_name = "DIR")]
    pub dashboards: Option<PathBuf>,
    /// Folder of named queries (.sql) that replace the built-in ones
    #[arg(long, value_name = "DIR")]
    pub queries: Option<PathBuf>,
    /// Address to serve SQL at, to clients of PostgreSQL, on this machine unless there is a certificate; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub sql: Option<SocketAddr>,
    /// Threads for computing; 0 takes one for each core
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// Seconds between looks for new releases, which are taken up while requests go on; 0 never looks
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub refresh: u64,
    /// Calls that one client may make in each `--time-window`; 0 sets no limit
    #[arg(long, value_name = "CALLS", default_value_t = 0)]
    pub max_calls: u32,
    /// Seconds in which a client may make `--max-calls` calls
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub time_window: u64,
    /// Requests answered at a time; more are asked to come again
    #[arg(long, value_name = "REQUESTS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_requests: u32,
    /// Connections at a time; beyond that those are closed that do nothing
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// Connections at a time from one address that is not a trusted proxy
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections_per_address: u32,
    /// Folder on local disk in which long answers wait until their clients have taken them; the system's own for such files if not given
    #[arg(long, value_name = "DIR")]
    pub spool: Option<PathBuf>,
    /// MiB that may wait there
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    pub spool_size: u64,
    /// Address at which figures for Prometheus are offered below /metrics, such as 127.0.0.1:9090; nowhere if not given
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
}

/// `cacah chart`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah chart pyramid --table population --select Region=3471 --out pyramid.svg
  cacah chart pyramid --table population --select Region=3471 --with compare=Region:34 --with share=true --out pyramid.pdf
  cacah chart lines --table population --select Region=3401,3402,3471 --lang en --out lines.png
  cacah chart ranking --table labour --codelist Region=vs_region_district --select Age=Y15T64 --with places=20 --out ranking.svg
  cacah chart map --table population --select ContentsCode=growth --with method=equal --out map.png
  cacah chart map --query tax-productive-age --param region=3471 --columns productive_share --out map.svg

What is not chosen is chosen as the kind of chart needs it, or taken at its total. Of the service, /charts/{kind}.{svg|png|pdf} takes the same.")]
pub struct Chart {
    /// Kind of chart: pyramid, bars, lines, ranking, heat or map
    pub kind: String,
    /// Table whose numbers are drawn
    #[arg(long, value_name = "TABLE", required_unless_present = "query")]
    pub table: Option<String>,
    /// Named query whose rows are drawn, in the place of a table
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["table", "select", "codelists"])]
    pub query: Option<String>,
    /// What is given for a parameter of the query, such as region=3471; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair, requires = "query")]
    pub parameters: Vec<(String, String)>,
    /// Columns of the query whose numbers are drawn; those that share the unit of the first if not given
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "query")]
    pub columns: Vec<String>,
    /// Folder of named queries (.sql) that replace the built-in ones
    #[arg(long, value_name = "DIR", requires = "query")]
    pub queries: Option<PathBuf>,
    /// Codes or expressions for a variable, such as Region=3471,3401 or Tid=*; may be repeated
    #[arg(long = "select", value_name = "VARIABLE=CODES", value_parser = pair)]
    pub select: Vec<(String, String)>,
    /// Code list for a variable, such as Region=vs_region_district; may be repeated
    #[arg(long = "codelist", value_name = "VARIABLE=LIST", value_parser = pair)]
    pub codelists: Vec<(String, String)>,
    /// How to draw: stacking, share, compare, places, lowest, method, classes, bounds, zero, title, theme (print, light, dark), width, height, scale; may be repeated
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = pair)]
    pub with: Vec<(String, String)>,
    /// Language of the texts; the register's first if not given
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Option<String>,
    /// File to write; its ending is the format: svg, png or pdf
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Release store
    #[arg(long, value_name = "PLACE", default_value = "warehouse/releases")]
    pub releases: String,
}

/// `cacah boundaries`
#[derive(Debug, Subcommand)]
pub enum Boundaries {
    /// Install outlines from a file of GeoJSON or TopoJSON, matched to regions by code
    #[command(after_help = "\
Examples:
  cacah boundaries add provinces.topo.json
  cacah boundaries add regencies.geojson --releases s3://public/releases

The code of a region, with dots or without, is the identifier of its shape or one of its properties. Coordinates are degrees of
longitude and latitude. A file of the same name replaces an earlier one. A service that runs takes the outlines up at its next look (--refresh).")]
    Add(BoundariesAdd),
}

/// `cacah boundaries add`
#[derive(Debug, Args)]
pub struct BoundariesAdd {
    /// File of outlines
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Release store
    #[arg(long, value_name = "PLACE", default_value = "warehouse/releases")]
    pub releases: String,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected NAME=VALUE".into()),
    }
}

impl StoreArgs {
    /// Address of the confidential store.
    pub fn confidential(&self) -> String {
        self.confidential.clone().unwrap_or_else(|| format!("{}/confidential", self.warehouse.trim_end_matches('/')))
    }

    /// Address of the release store.
    pub fn releases(&self) -> String {
        self.releases.clone().unwrap_or_else(|| format!("{}/releases", self.warehouse.trim_end_matches('/')))
    }

    /// What must be typed behind another command so that it means the same stores, with a space before; nothing for the usual ones.
    pub fn typed(&self) -> String {
        let warehouse = (self.warehouse != "warehouse").then_some(&self.warehouse);
        let options = [("--warehouse", warehouse), ("--confidential", self.confidential.as_ref()), ("--releases", self.releases.as_ref())];
        options.into_iter().filter_map(|(option, place)| Some(format!(" {option} {}", place?))).collect()
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a share between 0 and 1, such as 0.02 for 2 %".into()),
    }
}

/// A number of things; underscores may part its digits.
fn count(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    digits.parse().map_err(|_| "expected a whole number, such as 300000 or 285_000_000".into())
}

fn vintage(text: &str) -> Result<String, String> {
    vintage_name(text).map(str::to_owned)
}

fn coding(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((dimension, coding)) if !dimension.is_empty() && !coding.is_empty() => Ok((dimension.into(), coding.into())),
        _ => Err("expected DIMENSION=CODING, such as marital=6".into()),
    }
}

fn cost(text: &str) -> Result<Cost, String> {
    let expected = || "expected TABLE=FACTOR or TABLE:LEVEL=FACTOR with a factor from 0.1 to 100, such as labour:regency=3".to_owned();
    let (cells, factor) = text.split_once('=').ok_or_else(expected)?;
    let factor = factor.parse().ok().filter(|factor| (0.1..=100.0).contains(factor)).ok_or_else(expected)?;
    let (table, level) = match cells.split_once(':') {
        Some((table, level)) => (table, Some(level)),
        None => (cells, None),
    };
    if table.is_empty() || level.is_some_and(str::is_empty) {
        return Err(expected());
    }
    Ok(Cost { table: table.into(), level: level.map(Into::into), factor })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn costs_of_cells() {
        let check = |text: &str, table: &str, level: Option<&str>, factor: f64| {
            assert_eq!(cost(text), Ok(Cost { table: table.into(), level: level.map(Into::into), factor }), "{text}");
        };
        check("labour=3", "labour", None, 3.0);
        check("marital-age:regency=0.5", "marital-age", Some("regency"), 0.5);
        for wrong in ["labour", "labour=", "labour=dear", "labour=0", "labour=101", "labour=NaN", "=3", ":regency=3", "labour:=3"] {
            assert!(cost(wrong).is_err(), "{wrong}");
        }
    }
}
