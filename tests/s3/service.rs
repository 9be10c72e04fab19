//! An S3 service on loopback that checks signatures and honours conditional puts, and with which things go wrong when they are told to.

use std::{
    collections::BTreeMap,
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt;
use object_store::{
    ObjectStore, ObjectStoreExt,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path as ObjectPath,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::common::program;

const ACCESS_KEY: &str = "counting-office";
const SECRET_KEY: &str = "known-to-this-test-only";
const REGION: &str = "us-east-1";
/// Where snapshots are delivered.
pub const REGISTER: &str = "register";
/// Where cubes and releases are kept.
pub const OFFICE: &str = "office";

/// Path below a folder to content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What goes wrong.
#[derive(Debug, Default)]
pub enum Fault {
    #[default]
    Nothing,
    /// Nothing, but requests for content are counted.
    Count,
    /// Every so many requests one is refused, before anything is done.
    Refuse(usize),
    /// Every so many changes one is made, and answered as if it had not been.
    Forget(usize),
    /// Every so many requests one is never answered, and nothing is done.
    Hang(usize),
    /// A process is killed when it asks for a change, counted from 1, and the change is not made.
    Kill(usize, u32),
}

/// The plan of what goes wrong, and how far it has come.
#[derive(Debug, Default)]
pub struct Faults(Mutex<(Fault, usize)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Go,
    Refuse,
    Forget,
    Hang,
}

impl Faults {
    /// From now on this goes wrong; gives back the requests or changes that were counted for what went wrong before.
    pub fn plan(&self, fault: Fault) -> usize {
        std::mem::replace(&mut *self.0.lock().expect("nobody panicked with the plan"), (fault, 0)).1
    }

    /// Starts a process that is killed when it asks for a change, counted from 1.
    pub fn kill(&self, at: usize, command: &mut Command) -> Child {
        // No request gets a verdict before the process is known.
        let mut plan = self.0.lock().expect("nobody panicked with the plan");
        let child = command.spawn().expect("the program starts");
        *plan = (Fault::Kill(at, child.id()), 0);
        child
    }

    fn verdict(&self, change: bool, content: bool) -> Verdict {
        let mut plan = self.0.lock().expect("nobody panicked with the plan");
        let (fault, count) = &mut *plan;
        let counts = match fault {
            Fault::Count => content,
            Fault::Refuse(_) | Fault::Hang(_) => true,
            Fault::Nothing | Fault::Forget(_) | Fault::Kill(..) => change,
        };
        *count += usize::from(counts);
        match fault {
            Fault::Refuse(every) if *count % *every == 0 => Verdict::Refuse,
            Fault::Forget(every) if change && *count % *every == 0 => Verdict::Forget,
            Fault::Hang(every) if *count % *every == 0 => Verdict::Hang,
            Fault::Kill(at, process) if change && *count >= *at => {
                let killed = Command::new("kill").args(["-9", &process.to_string()]).stderr(Stdio::null()).status();
                assert!(killed.is_ok(), "processes can be killed");
                Verdict::Refuse
            }
            _ => Verdict::Go,
        }
    }
}

/// An S3 service on loopback with two empty buckets.
pub struct S3 {
    pub runtime: Runtime,
    address: SocketAddr,
    /// What goes wrong with requests.
    pub faults: Arc<Faults>,
    /// Holds the objects; removed after the service has ended.
    _folder: TempDir,
}

impl S3 {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for bucket in [REGISTER, OFFICE] {
            fs::create_dir(folder.path().join(bucket)).expect("a bucket can be made");
        }
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("the folder can be served"));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let root = folder.path().to_owned();
        let faults = Arc::new(Faults::default());
        let plan = Arc::clone(&faults);
        let router = Router::new().fallback(move |request: Request| answer(service.clone(), root.clone(), Arc::clone(&plan), request));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads can be started");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { runtime, address, faults, _folder: folder }
    }

    /// The program with what it must know to reach the service, and nothing of the S3 that the developer may use.
    pub fn program(&self) -> Command {
        let mut command = program();
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command
            .env("AWS_ENDPOINT", format!("http://{}", self.address))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_REGION", REGION)
            // Long enough for a busy machine, short enough to wait for what is never answered.
            .env("AWS_TIMEOUT", "5 seconds")
            .env("NO_PROXY", "127.0.0.1");
        command
    }

    /// Runs the program, expects success, gives back what it printed.
    pub fn succeed(&self, args: &[&str], folder: &Path) -> String {
        let output = self.program().args(args).current_dir(folder).output().expect("the program starts");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}\n{out}\n{err}");
        out.into_owned()
    }

    pub fn bucket(&self, name: &str) -> AmazonS3 {
        AmazonS3Builder::new()
            .with_endpoint(format!("http://{}", self.address))
            .with_allow_http(true)
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .with_region(REGION)
            .with_bucket_name(name)
            .build()
            .expect("the bucket's settings are complete")
    }

    /// Delivers files to the register's bucket.
    pub fn deliver(&self, files: &Files) {
        self.put(&self.bucket(REGISTER), files);
    }

    /// Puts files into a bucket.
    pub fn put(&self, bucket: &AmazonS3, files: &Files) {
        for (path, content) in files {
            let path = ObjectPath::from(path.as_str());
            self.runtime.block_on(bucket.put(&path, content.clone().into())).expect("a file can be delivered");
        }
    }

    /// Every file below a folder of a store.
    pub fn files(&self, store: &dyn ObjectStore, folder: &str) -> Files {
        let folder = ObjectPath::from(folder);
        self.runtime.block_on(async {
            let mut files = Files::new();
            let mut listed = store.list(Some(&folder));
            while let Some(file) = listed.try_next().await.expect("the folder can be listed") {
                let below: Vec<_> = file.location.prefix_match(&folder).expect("the file is below the folder").collect();
                let path = below.iter().map(|part| part.as_ref()).collect::<Vec<&str>>().join("/");
                let found = store.get(&file.location).await.expect("the file can be opened");
                files.insert(path, found.bytes().await.expect("the file can be read").to_vec());
            }
            files
        })
    }
}

/// Hands a request to the S3 service.
async fn answer(service: S3Service, root: PathBuf, faults: Arc<Faults>, request: Request) -> Response {
    let lost = || (StatusCode::SERVICE_UNAVAILABLE, "try again").into_response();
    let change = matches!(*request.method(), Method::PUT | Method::POST | Method::DELETE);
    let content = *request.method() == Method::GET && request.uri().path().ends_with(".parquet");
    let verdict = faults.verdict(change, content);
    match verdict {
        Verdict::Refuse => return lost(),
        Verdict::Hang => std::future::pending().await,
        Verdict::Go | Verdict::Forget => {}
    }
    // In S3 a folder is no object. The service keeps objects in a file system and would take the folder for one.
    let is_folder = root.join(request.uri().path().trim_start_matches('/')).is_dir();
    if request.method() == Method::HEAD && is_folder {
        return StatusCode::NOT_FOUND.into_response();
    }
    // The service looks whether the object is there and then writes; S3 does both in one step.
    static CONDITIONAL: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = if request.headers().contains_key("if-none-match") && request.method() == Method::PUT {
        Some(CONDITIONAL.lock().await)
    } else {
        None
    };
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(_) if verdict == Verdict::Forget => lost(),
        Ok(response) => response.map(Body::new),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")).into_response(),
    }
}
