//! Real engines through their whole life: first start, restart, death, damage.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use natter_engines::{
    ClusterOptions, EngineError, Nats, NatsOptions, Postgres, PostgresOptions, RestartPolicy, Result, RunAs, Signal,
    Stopped, Supervised, Tools, discard_lines, ensure_cluster,
};
use natter_testkit::{eventually, scratch_folder, tools};

const SOON: Duration = Duration::from_secs(20);

fn quick_cluster() -> ClusterOptions {
    ClusterOptions { password: "secret".to_owned(), sync: false, wal_segment_mib: 1 }
}

async fn start_postgres(tools: &Tools, folder: &Path) -> Result<Postgres> {
    let run_as = RunAs::for_engine("PostgreSQL", folder, &tools.postgres())?;
    ensure_cluster(tools, folder, &run_as, &quick_cluster(), discard_lines()).await?;
    let options = PostgresOptions { fsync: false, ..PostgresOptions::new(folder, "secret") };
    Postgres::start(tools, options, run_as, discard_lines()).await
}

/// A line of `/proc/PID/status`.
fn status_of(pid: u32, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0)
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let options = NatsOptions { port, ..NatsOptions::new(scratch_folder("nats"), "secret") };
    let error = Nats::start(tools(), options, discard_lines()).await.err().expect("the port is taken");
    let address = format!("127.0.0.1:{port}");
    assert!(matches!(&error, EngineError::PortTaken { address: taken, .. } if *taken == address), "{error}");
}

#[tokio::test]
async fn a_broker_that_cannot_start_says_why_in_its_own_words() {
    let options = NatsOptions {
        sync_interval: "every now and then".to_owned(),
        ..NatsOptions::new(scratch_folder("nats"), "secret")
    };
    let error = Nats::start(tools(), options, discard_lines()).await.err().expect("no such interval");
    assert!(matches!(&error, EngineError::Died { engine: "nats-server", .. }), "{error}");
    assert!(error.to_string().contains("sync_interval"), "{error}");
}

#[tokio::test]
async fn the_lines_of_an_engine_reach_whoever_listens() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let lines = lines.clone();
        Arc::new(move |line: &str| lines.lock().expect("lock").push(line.to_owned()))
    };
    let nats = Nats::start(tools(), NatsOptions::new(scratch_folder("nats"), "secret"), sink).await.expect("started");
    eventually("the broker says that it is ready", SOON, async || {
        let lines = lines.lock().expect("lock");
        lines.iter().any(|line| line.contains("Server is ready"))
    })
    .await;
    assert_eq!(nats.stop(SOON).await, Stopped::InTime);
}

#[tokio::test]
async fn a_cluster_is_made_once_and_runs_as_somebody_who_is_not_root() {
    let folder = scratch_folder("pg").join("postgres");
    let first = start_postgres(tools(), &folder).await.expect("started");
    UnixStream::connect(first.socket()).expect("it listens");
    let pid = first.process().pid();
    let uids = status_of(pid, "Uid").expect("it runs");
    assert!(!uids.split_whitespace().any(|uid| uid == "0"), "{uids}");
    if is_root() {
        assert_eq!(status_of(pid, "CapEff").as_deref(), Some("0000000000000000"), "it has no right of root");
    }
    assert_eq!(first.stop(SOON).await, Stopped::InTime);
    let made = fs::metadata(folder.join("PG_VERSION")).and_then(|data| data.modified()).expect("a cluster");
    let second = start_postgres(tools(), &folder).await.expect("started again");
    UnixStream::connect(second.socket()).expect("it listens");
    assert_eq!(fs::metadata(folder.join("PG_VERSION")).and_then(|data| data.modified()).expect("the same"), made);
    assert!(!folder.with_file_name("postgres.partial").exists(), "nothing is left over");
}

#[tokio::test]
async fn an_initdb_that_was_interrupted_is_done_again() {
    let folder = scratch_folder("pg").join("postgres");
    let partial = folder.with_file_name("postgres.partial");
    fs::create_dir_all(partial.join("cluster/base")).expect("created");
    fs::write(partial.join("cluster/PG_VERSION"), "18\n").expect("written");
    start_postgres(tools(), &folder).await.expect("started");
    assert!(folder.join("global/pg_control").is_file() && !partial.exists());
}

#[tokio::test]
async fn a_folder_that_is_half_a_cluster_is_left_alone_and_reported() {
    let folder = scratch_folder("pg").join("postgres");
    fs::create_dir_all(folder.join("base")).expect("created");
    fs::write(folder.join("PG_VERSION"), "18\n").expect("written");
    let error = start_postgres(tools(), &folder).await.err().expect("half a cluster");
    assert!(matches!(&error, EngineError::HalfInitialised { path, .. } if *path == folder), "{error}");
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_gets_a_short_one() {
    let folder = scratch_folder("pg").join("long".repeat(30)).join("postgres");
    fs::create_dir_all(folder.parent().expect("a parent")).expect("created");
    let postgres = start_postgres(tools(), &folder).await.expect("started");
    let socket = postgres.socket();
    assert!(socket.as_os_str().len() < 100, "{socket:?}");
    UnixStream::connect(&socket).expect("it listens");
    postgres.stop(SOON).await;
    drop(postgres);
    assert!(!socket.parent().expect("a folder").exists(), "the short folder is removed");
}

/// A clone below /root, or a temporary folder with mode 0700: PostgreSQL runs as a user that may not even look in there.
#[tokio::test]
async fn as_root_engines_run_below_a_folder_that_is_closed_to_others() {
    if !is_root() {
        return;
    }
    let closed = scratch_folder("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("closed");
    let copied = Command::new("cp").arg("-a").arg(tools().folder()).arg(closed.join("tools")).status();
    assert!(copied.expect("cp runs").success());
    let tools = Tools::find(Some(&closed.join("tools"))).expect("they are there");
    let mut postgres = start_postgres(&tools, &closed.join("data/postgres")).await.expect("started");
    UnixStream::connect(postgres.socket()).expect("it listens");

    let pid = postgres.process().pid();
    assert_ne!(status_of(pid, "Uid").expect("it runs").split_whitespace().next(), Some("0"));
    // Bit 2 is CAP_DAC_READ_SEARCH; bit 1, CAP_DAC_OVERRIDE, where the system does not give that.
    let rights = status_of(pid, "CapEff").expect("it runs");
    assert!(["0000000000000004", "0000000000000002"].contains(&rights.as_str()), "{rights}");

    postgres.process().kill().await;
    postgres.start_again().await.expect("it recovers and starts again");
    assert_eq!(postgres.stop(SOON).await, Stopped::InTime);
}

#[tokio::test]
async fn an_engine_that_is_killed_runs_again_at_the_same_place() {
    let nats =
        Nats::start(tools(), NatsOptions::new(scratch_folder("nats"), "secret"), discard_lines()).await.expect("nats");
    let postgres = start_postgres(tools(), &scratch_folder("pg").join("postgres")).await.expect("postgres");
    let (address, socket) = (nats.address(), postgres.socket());
    let pids = [nats.process().pid(), postgres.process().pid()];
    let reports = Arc::new(Mutex::new(Vec::<String>::new()));
    let report: natter_engines::Report = {
        let reports = reports.clone();
        Arc::new(move |text: &str| reports.lock().expect("lock").push(text.to_owned()))
    };
    let nats = Supervised::keep(nats, RestartPolicy::default(), report.clone());
    let postgres = Supervised::keep(postgres, RestartPolicy::default(), report);
    for pid in pids {
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
        assert!(killed.success());
    }
    eventually("both run again", SOON, async || {
        let reports = reports.lock().expect("lock");
        let again = reports.iter().filter(|report| report.ends_with("runs again")).count();
        if again == 2 { Ok(()) } else { Err(reports.clone()) }
    })
    .await;
    std::net::TcpStream::connect(&address).expect("the broker listens where it did");
    UnixStream::connect(&socket).expect("PostgreSQL listens where it did");
    assert_eq!(nats.stop(tokio::time::sleep(SOON)).await, Stopped::InTime);
    assert_eq!(postgres.stop(tokio::time::sleep(SOON)).await, Stopped::InTime);
    std::net::TcpStream::connect(&address).expect_err("the broker has stopped");
}

#[tokio::test]
async fn an_engine_that_keeps_dying_is_given_up() {
    let copy = scratch_folder("tools");
    fs::create_dir_all(copy.join("postgres")).expect("created");
    std::os::unix::fs::symlink(tools().folder().join("postgres/bin"), copy.join("postgres/bin")).expect("linked");
    std::os::unix::fs::symlink(tools().nats_server(), copy.join("nats-server")).expect("linked");
    let tools = Tools::find(Some(&copy)).expect("they are there");
    let nats =
        Nats::start(&tools, NatsOptions::new(scratch_folder("nats"), "secret"), discard_lines()).await.expect("nats");
    fs::remove_file(copy.join("nats-server")).expect("removed");
    nats.process().signal(Signal::KILL);
    let policy = RestartPolicy { first_pause: Duration::from_millis(1), attempts_max: 3, ..RestartPolicy::default() };
    let mut supervised = Supervised::keep(nats, policy, Arc::new(|_: &str| {}));
    let error = tokio::time::timeout(SOON, supervised.given_up()).await.expect("in time");
    assert!(matches!(&error, EngineError::GivenUp { engine: "nats-server", times: 4, .. }), "{error}");
    let source = std::error::Error::source(&error).expect("a reason").to_string();
    assert!(source.contains("cannot start nats-server"), "{source}");
}
