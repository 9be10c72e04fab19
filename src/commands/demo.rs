//! `cacah demo`

use std::{collections::HashMap, fs, io::ErrorKind, path::Path, sync::Arc, time::Instant};

use anyhow::{Context, Result, bail};
use chrono::{Days, Utc};

use super::{
    Counting, Protecting, build_with, keys::make_usual_key, load_definitions, release_with, sample::sample_with, say::say, seconds,
    serve::psql,
};
use crate::cli::{DefinitionArgs, Demo, SMALL_GROUP};
use crate::{
    access::{Access, Attempt, Institution, Kind, Listed, Request, Role, SignedIn, Standing, key_path, one_time_password},
    cube::{BuildOptions, Confidential},
    engine::Engine,
    protect::Trials,
    register::Period,
    release::Trust,
    sample::Options,
    serve::{Application, ServeSettings, signals},
    storage::Store,
    tables::Scope,
    worlds::Reach,
};

/// The two semesters of the demo, and how their snapshots are packed: one of each kind that registers deliver.
const SEMESTERS: [(&str, &str); 2] = [("2024-S1", "csv.gz"), ("2024-S2", "parquet")];
/// The same people whenever the demo is run.
const SEED: u64 = 1;
/// Share of bad records, so that the quality report has something to say.
const DIRTY: f64 = 0.005;
/// Counts from 1 to one below this are suppressed.
const THRESHOLD: u32 = 5;
/// Share of rejects beyond which a snapshot would not be believed.
const MAX_REJECTS: f64 = 0.02;
/// Bytes of identities and households to hold in memory.
const MEMORY: usize = 256 << 20;

/// Tables that the demo opens to everybody.
const OPEN: [&str; 2] = ["population", "households"];

/// An institution of the demo with its user: code, name, what it is granted beside the open tables (nothing named: all), its user's name,
/// position and region.
type Audience = (&'static str, &'static str, &'static [&'static str], &'static str, &'static str, Option<&'static str>);

/// One user for each audience, and one who administers.
const AUDIENCES: [Audience; 4] = [
    ("TAX", "Direktorat Jenderal Pajak", &["labour", "occupation", "occupation-sex"], "Sri Rahayu", "Analis pajak", Some("34")),
    ("BANK", "Bank Nusantara", &["market", "labour"], "Wayan Sudiarta", "Analis pasar", None),
    ("HEALTH", "Kementerian Kesehatan", &["population-single-age", "marital-age"], "Dewi Lestari", "Perencana", None),
    ("REGISTRY", "Direktorat Jenderal Dukcapil", &[], "Budi Santoso", "Administrator", None),
];

/// Runs the command: sample, build, release, serve.
pub async fn demo(args: Demo) -> Result<()> {
    let started = Instant::now();
    let folder = args.warehouse.display().to_string();
    for part in ["snapshots", "confidential", "releases"] {
        let part = args.warehouse.join(part);
        if part.exists() {
            fs::remove_dir_all(&part).with_context(|| format!("clearing what an earlier demo left in {}", part.display()))?;
        }
        fs::create_dir_all(&part).with_context(|| format!("making the folder {}", part.display()))?;
    }
    let confidential = Store::open(&format!("{folder}/confidential"))?;
    let releases = Store::open(&format!("{folder}/releases"))?;
    let key = make_usual_key(&confidential)?;
    let engine = Engine::new(0)?;
    let protecting = Protecting {
        threshold: THRESHOLD,
        reach: Reach::Rule,
        sensitive: Vec::new(),
        small_group: SMALL_GROUP,
        contributors: None,
        trials: Trials::USUAL,
        costs: Vec::new(),
        accept_differences: false,
        threads: engine.threads(),
    };
    let mut steps = Vec::new();
    for (period, ending) in SEMESTERS {
        let period: Period = period.parse()?;
        let snapshot = args.warehouse.join("snapshots").join(format!("{period}.{ending}"));
        let options = Options { period, persons: args.persons, seed: SEED, dirty: DIRTY, out: snapshot.clone() };
        let (_, elapsed) = sample_with(load_definitions(&DefinitionArgs::default(), None)?, options).await?;
        steps.push((format!("sample {period}"), elapsed));
        let options = BuildOptions {
            period,
            inputs: vec![snapshot.display().to_string()],
            codings: HashMap::new(),
            max_rejects: MAX_REJECTS,
            accept_period: false,
            scratch: std::env::temp_dir(),
            memory: MEMORY,
        };
        let report =
            build_with(&load_definitions(&DefinitionArgs::default(), None)?, &options, Counting::Here(&engine), &confidential).await?;
        steps.push((format!("build {period}"), report.elapsed));
        let (_, elapsed) = release_with(&Confidential::new(confidential.clone()), &releases, period, &protecting, None, Some(&key)).await?;
        steps.push((format!("release {period}"), elapsed));
    }
    say!("\nstep                  time");
    for (step, elapsed) in &steps {
        say!("{step:<18} {:>8}", seconds(*elapsed));
    }
    say!("{:<18} {:>8}\n", "in all", seconds(started.elapsed()));
    if args.no_serve {
        return Ok(());
    }
    let database = args.warehouse.join("access.sqlite");
    let (access, users) = tokio::task::spawn_blocking(move || users(&database)).await??;
    let settings = ServeSettings {
        address: ([127, 0, 0, 1], args.port).into(),
        postgres: Some(([127, 0, 0, 1], args.sql_port).into()),
        access: Some(Arc::new(access)),
        trust: Trust::new(vec![key.public().clone()]),
        open: Some(Scope { region: None, tables: Some(OPEN.map(str::to_owned).into()) }),
        ..ServeSettings::default()
    };
    let application = Application::build(&releases, &settings).await?;
    let base = application.origin();
    say!("serving at {base} (Ctrl-C ends it); open to everybody:");
    say!("  {base}/");
    say!(
        "  {base}/api/v2/tables/population/data?lang=en&valuecodes[Region]=34*&valuecodes[Age]=Y15T64&valuecodes[Sex]=*&valuecodes[Tid]=*&valuecodes[ContentsCode]=*&codelist[Region]=vs_region_regency&outputFormat=csv"
    );
    say!(
        "  {base}/api/v2/tables/households/data?lang=id&valuecodes[Region]=5171,517101&valuecodes[HouseholdSize]=*&valuecodes[Tid]=top(1)&valuecodes[ContentsCode]=*"
    );
    say!("to see more, sign in at {base}/sign-in:");
    for user in &users {
        say!("  {:<20} {:<20} {}", user.user_id, user.password, user.about);
    }
    say!("the last of them administers at {base}/admin, the others see their own use at {base}/usage");
    if let Some(bank) = users.iter().find(|user| user.user_id.starts_with("BANK")) {
        say!("or send a key:");
        say!(
            "  curl -H 'Authorization: Bearer {}' '{base}/api/v2/queries/bank-market/data?lang=en&occupation=TRADE&age=Y30T44&outputFormat=csv'",
            bank.key
        );
        if let Some(address) = application.postgres() {
            say!("  PGPASSWORD={} {}", bank.key, psql(address, &bank.user_id));
        }
    }
    application.run(signals()).await?;
    Ok(())
}

/// A user of the demo.
struct DemoUser {
    user_id: String,
    password: String,
    key: String,
    about: String,
}

/// Makes a database with a user for each audience, in the place of what an earlier demo left.
fn users(database: &Path) -> Result<(Access, Vec<DemoUser>)> {
    for left in [database.to_owned(), key_path(database), database.with_extension("sqlite-wal"), database.with_extension("sqlite-shm")] {
        match fs::remove_file(&left) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context(format!("removing {}", left.display())),
            _ => {}
        }
    }
    let access = Access::open(database)?;
    let (now, by) = (Utc::now(), "demo");
    let mut users = Vec::new();
    for (code, name, tables, user, position, region) in AUDIENCES {
        let granted = (!tables.is_empty()).then(|| tables.iter().chain(&OPEN).map(|table| (*table).to_owned()).collect());
        let institution = Institution {
            code: code.to_owned(),
            name: name.to_owned(),
            kind: Kind::Cooperation,
            agreement: format!("DEMO/{code}"),
            valid_from: now.date_naive() - Days::new(1),
            valid_to: now.date_naive() + Days::new(365),
            reports: true,
            tables: granted,
            standing: Standing::Active,
            until: None,
        };
        access.add_institution(&institution, by, "demo", now)?;
        let request = Request {
            institution: code.to_owned(),
            region: region.map(str::to_owned),
            role: if tables.is_empty() { Role::Administrator } else { Role::Reporter },
            employee_number: "1".to_owned(),
            name: user.to_owned(),
            position: position.to_owned(),
            local_id: code.to_lowercase(),
            identity: None,
        };
        let asked = access.request_users(&[Listed { line: None, request }], &|_| None, by, now)?;
        let handed = access.approve(&asked[0].called(), "ID", by, "demo", now)?;
        let user_id = handed.user.called();
        // The one-time password is used at once, so that the one shown here is the one that stays.
        let password = one_time_password()?;
        let attempt = Attempt { from: None, user_id: &user_id, password: &handed.password, code: None, new_password: Some(&password) };
        if !matches!(access.sign_in(&attempt, now)?, SignedIn::Yes(_)) {
            bail!("{user_id} cannot sign in");
        }
        let (_, key) = access.add_key(&user_id, "demo", 30, by, now)?;
        let about = format!("{name}, {}", region.map_or_else(|| "the whole country".to_owned(), |region| format!("region {region}")));
        users.push(DemoUser { user_id, password, key, about });
    }
    Ok((access, users))
}
