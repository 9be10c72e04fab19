//! A real cluster of Apache Ballista on loopback: its scheduler as it comes, workers as processes, everything stored on S3.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use object_store::local::LocalFileSystem;
use tempfile::TempDir;

use crate::{
    common::assert_says,
    s3::{
        assert_same,
        service::{Files, OFFICE, REGISTER, S3},
    },
};

/// A process that ends with the test, and what it said.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn start(mut command: Command, log: PathBuf) -> Self {
        let out = File::create(&log).unwrap();
        command.env("CACAH_LOG", "warn,cacah=info,ballista_executor=info").stdout(out.try_clone().unwrap()).stderr(out);
        Self { child: command.spawn().expect("the program starts"), log }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it has said something.
    fn wait_for(&self, text: &str) {
        let patience = Instant::now();
        while !self.said().contains(text) {
            assert!(patience.elapsed() < Duration::from_secs(60), "'{text}' is not in {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// S3 with a delivered snapshot, and a folder for commands.
struct Office {
    s3: S3,
    folder: TempDir,
}

impl Office {
    /// A snapshot in several files of several kinds, with repetitions within and across them.
    fn new(persons: &str) -> Self {
        let (s3, folder) = (S3::start(), tempfile::tempdir().unwrap());
        let here = folder.path();
        fs::create_dir(here.join("delivered")).unwrap();
        let sample = |seed: &str, out: &str| {
            s3.succeed(&["sample", "--period", "2024-S1", "--persons", persons, "--seed", seed, "--dirty", "0.02", "--out", out], here);
        };
        sample("1", "delivered/regencies/");
        sample("2", "delivered/b.csv.gz");
        // The same people once more: each of them repeats an identity of another file.
        sample("2", "delivered/c.csv");
        let local = LocalFileSystem::new_with_prefix(here).unwrap();
        let delivered = s3.files(&local, "delivered").into_iter().map(|(path, content)| (format!("delivered/{path}"), content)).collect();
        s3.deliver(&delivered);
        Self { s3, folder }
    }

    fn here(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self, name: &str, args: &[&str]) -> Process {
        let mut command = self.s3.program();
        command.args(args).current_dir(self.here());
        Process::start(command, self.here().join(format!("{name}.log")))
    }

    /// A scheduler that has begun, and its address.
    fn scheduler(&self, lost_after: &str) -> (Process, String) {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let process = self.start("scheduler", &["scheduler", "--listen", &address, "--lost-after", lost_after]);
        let patience = Instant::now();
        while std::net::TcpStream::connect(&address).is_err() {
            assert!(patience.elapsed() < Duration::from_secs(30), "{}", process.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        (process, address)
    }

    fn worker(&self, number: usize, scheduler: &str) -> Process {
        let worker = self.start(&format!("worker-{number}"), &["worker", "--scheduler", scheduler, "--threads", "1", "--memory", "1"]);
        worker.wait_for("Executor registration succeed");
        worker
    }

    fn build(&self, warehouse: &str, engine: &[&str]) -> Command {
        let mut command = self.s3.program();
        let (snapshot, warehouse) = (format!("s3://{REGISTER}/delivered/"), format!("s3://{OFFICE}/{warehouse}"));
        command.args(["build", &snapshot, "--period", "2024-S1", "--max-rejects", "0.7", "--warehouse", &warehouse]);
        command.args(engine).current_dir(self.here()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What a build left on S3.
    fn kept(&self, warehouse: &str) -> Files {
        self.s3.files(&self.s3.bucket(OFFICE), &format!("{warehouse}/confidential"))
    }
}

#[track_caller]
fn assert_built(output: &Output, scheduler: &Process) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("panicked"), "{told}\n{}", scheduler.said());
}

#[test]
fn a_cluster_leaves_the_same_bytes_also_when_a_worker_is_killed() {
    let office = Office::new("20000");
    assert!(office.build("alone", &[]).output().unwrap().status.success());
    let alone = office.kept("alone");
    let listed = |ending: &str| {
        let (_, content) = alone.iter().find(|(path, _)| path.ends_with(ending)).unwrap();
        content.iter().filter(|&&byte| byte == b'\n').count()
    };
    assert!(listed("rejects.csv") > 500 && listed("duplicates.csv") > 15_000, "there is something to get wrong");

    let (scheduler, address) = office.scheduler("3");
    let engine = format!("ballista://{address}");
    let mut workers: Vec<Process> = (0..3).map(|number| office.worker(number, &address)).collect();
    assert_built(&office.build("together", &["--engine", &engine]).output().unwrap(), &scheduler);
    assert_same(&alone, &office.kept("together"));
    for worker in &workers {
        assert_says(&worker.said(), &["people-", "repeats-", "households-"]);
    }

    // The first to have done something holds the next part when it is stopped, and never gets to its end.
    for (round, pass) in ["people-", "repeats-"].into_iter().enumerate() {
        let warehouse = format!("killed-{round}");
        let before: Vec<usize> = workers.iter().map(|worker| worker.said().matches(pass).count()).collect();
        let running = office.build(&warehouse, &["--engine", &engine]).spawn().unwrap();
        let patience = Instant::now();
        let first = loop {
            let begun = |at: &usize| workers[*at].said().matches(pass).count() > before[*at];
            if let Some(at) = (0..workers.len()).find(begun) {
                break at;
            }
            assert!(patience.elapsed() < Duration::from_secs(60), "{}", scheduler.said());
            std::thread::sleep(Duration::from_millis(1));
        };
        let killed = workers.remove(first);
        killed.signal("-9");
        assert_built(&running.wait_with_output().unwrap(), &scheduler);
        assert_same(&alone, &office.kept(&warehouse));
        workers.push(office.worker(3 + round, &address));
    }
    assert_says(&scheduler.said(), &["lost Executor"]);
}

#[test]
fn what_is_wrong_with_a_cluster_is_told() {
    let office = Office::new("300");
    let fails = |engine: &str| {
        let output = office.build("nowhere", &["--engine", engine]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && !told.contains("panicked") && !told.contains("internal error"), "{told}");
        assert!(office.kept("nowhere").is_empty(), "nothing is left behind");
        told
    };
    assert_says(&fails("ballista://127.0.0.1:1"), &["the scheduler at 127.0.0.1:1", "Connection refused", "without --engine"]);
    assert_says(&fails("spark://127.0.0.1:1"), &["expected local, or ballista://host:port"]);

    let web = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = web.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in web.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut &connection, b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    assert_says(&fails(&format!("ballista://127.0.0.1:{port}")), &["error: the cluster of the scheduler", "a scheduler of Ballista"]);

    let (_scheduler, address) = office.scheduler("30");
    let engine = format!("ballista://{address}");
    let mut stranger = office.s3.program();
    stranger.args(["worker", "--scheduler", &address, "--threads", "1"]).env("AWS_SECRET_ACCESS_KEY", "guessed");
    let stranger = Process::start(stranger, office.here().join("stranger.log"));
    stranger.wait_for("Executor registration succeed");
    assert_says(&fails(&engine), &["403 Forbidden", "/job.json: "]);
    drop(stranger);

    let nobody = office.s3.program().args(["worker", "--scheduler", "127.0.0.1:1"]).output().unwrap();
    assert!(!nobody.status.success());
    assert_says(&String::from_utf8_lossy(&nobody.stderr), &["error: ", "127.0.0.1:1", "cacah scheduler"]);
}
