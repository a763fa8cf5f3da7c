//! PostgreSQL: one server on one cluster, reached through a socket in the cluster's own folder.
//!
//! A socket needs no port that something else could have, and nobody on the network sees it. A path that is too long for
//! a socket gets a short folder of its own in the system's temporary folder.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::error::{EngineError, Result};
use crate::output::LineSink;
use crate::postgres_cluster::{self, in_a_neutral_place};
use crate::process::{Process, Stopped};
use crate::tools::Tools;
use crate::user::RunAs;

const ENGINE: &str = "PostgreSQL";
const SOCKET: &str = ".s.PGSQL.5432";
const PORT: &str = "5432";
/// `sun_path` holds 108 bytes on Linux and 104 on macOS, with the zero at the end.
const SOCKET_PATH_BYTES_MAX: usize = 100;
/// Recovery after a crash replays the write-ahead log.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// A server whose parent was killed ends by itself within about this time.
const PREDECESSOR_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The cluster, made by [`crate::ensure_cluster`].
    pub folder: PathBuf,
    pub password: String,
    /// Write to disk before a transaction counts as committed. Only tests do without.
    pub fsync: bool,
    pub max_connections: u32,
    pub shared_buffers_mib: u32,
}

impl PostgresOptions {
    pub fn new(folder: impl Into<PathBuf>, password: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            password: password.into(),
            fsync: true,
            max_connections: 100,
            shared_buffers_mib: 128,
        }
    }
}

pub struct Postgres {
    tools: Tools,
    options: PostgresOptions,
    run_as: RunAs,
    sink: LineSink,
    socket_folder: SocketFolder,
    process: Process,
}

impl Postgres {
    pub async fn start(tools: &Tools, options: PostgresOptions, run_as: RunAs, sink: LineSink) -> Result<Self> {
        let socket_folder = SocketFolder::for_cluster(&options.folder, &run_as)?;
        let process = launch(tools, &options, &run_as, socket_folder.path(), sink.clone()).await?;
        Ok(Self { tools: tools.clone(), options, run_as, sink, socket_folder, process })
    }

    /// Starts it again after it has ended, on the same socket and data.
    pub async fn start_again(&mut self) -> Result<()> {
        self.process =
            launch(&self.tools, &self.options, &self.run_as, self.socket_folder.path(), self.sink.clone()).await?;
        Ok(())
    }

    /// For clients, with user and password, to the database `natter`.
    pub fn url(&self) -> String {
        self.url_of(postgres_cluster::NAME)
    }

    /// For clients, to another database of the cluster.
    pub fn url_of(&self, database: &str) -> String {
        let name = postgres_cluster::NAME;
        let folder = percent_encoded(&self.socket_folder.path().to_string_lossy());
        format!("postgres://{name}:{}@localhost/{database}?host={folder}", self.options.password)
    }

    pub fn user(&self) -> &str {
        postgres_cluster::NAME
    }

    pub fn password(&self) -> &str {
        &self.options.password
    }

    pub fn socket(&self) -> PathBuf {
        self.socket_folder.path().join(SOCKET)
    }

    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Ends sessions, writes everything down, ends. Nothing needs to be recovered at the next start.
    pub async fn stop(&self, grace: Duration) -> Stopped {
        self.stop_until(tokio::time::sleep(grace)).await
    }

    /// The same, with another measure of patience.
    pub async fn stop_until(&self, patience: impl Future<Output = ()>) -> Stopped {
        self.process.stop(Signal::INT, patience).await
    }
}

async fn launch(
    tools: &Tools,
    options: &PostgresOptions,
    run_as: &RunAs,
    socket_folder: &Path,
    sink: LineSink,
) -> Result<Process> {
    wait_for_predecessor(&options.folder).await?;
    let setting = |name: &str, value: &dyn std::fmt::Display| format!("{name}={value}");
    let on_off = |on: bool| if on { "on" } else { "off" };
    let settings = [
        setting("listen_addresses", &""),
        setting("port", &PORT),
        setting("unix_socket_directories", &socket_folder.display()),
        setting("fsync", &on_off(options.fsync)),
        setting("full_page_writes", &on_off(options.fsync)),
        setting("max_connections", &options.max_connections),
        setting("shared_buffers", &format_args!("{}MB", options.shared_buffers_mib)),
        setting("log_destination", &"stderr"),
        setting("logging_collector", &"off"),
        // Whoever prints these lines adds the time.
        setting("log_line_prefix", &""),
        setting("log_checkpoints", &"off"),
    ];
    let mut command = Command::new(tools.postgres());
    command.arg("-D").arg(&options.folder);
    for setting in settings {
        command.arg("-c").arg(setting);
    }
    in_a_neutral_place(&mut command);
    // With its parent gone it ends at once, together with its own children; the next start replays its log.
    let process = Process::start(ENGINE, command, run_as, Signal::QUIT, sink)?;
    let (state, pid) = (options.folder.join("postmaster.pid"), process.pid());
    process.until_ready(READY_LIMIT, || says_ready(&state, pid).then_some(())).await?;
    Ok(process)
}

/// The server writes its state into the eighth line of this file; pg_ctl reads it there too.
fn says_ready(state: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(state).unwrap_or_default();
    let mut lines = text.lines();
    lines.next().and_then(|line| line.trim().parse().ok()) == Some(pid)
        && lines.nth(6).is_some_and(|line| line.trim() == "ready")
}

/// After a `kill -9` of its parent, the last server may still be ending when the next one is started.
async fn wait_for_predecessor(folder: &Path) -> Result<()> {
    let state = folder.join("postmaster.pid");
    let gone = async {
        while predecessor(&state).is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PREDECESSOR_LIMIT, gone).await {
        Ok(()) => Ok(()),
        Err(_) => Err(EngineError::Locked { path: folder.to_owned(), holder: predecessor(&state) }),
    }
}

/// The process named in the file, if it lives and is a PostgreSQL (its id may have gone to something else since).
fn predecessor(state: &Path) -> Option<u32> {
    let pid: i32 = fs::read_to_string(state).ok()?.lines().next()?.trim().parse().ok()?;
    rustix::process::test_kill_process(Pid::from_raw(pid)?).ok()?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_else(|_| "postgres".to_owned());
    (name.trim() == "postgres").then_some(pid.unsigned_abs())
}

enum SocketFolder {
    OfTheCluster(PathBuf),
    Temporary(PathBuf),
}

impl SocketFolder {
    fn for_cluster(cluster: &Path, run_as: &RunAs) -> Result<Self> {
        if cluster.as_os_str().len() + 1 + SOCKET.len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(Self::OfTheCluster(cluster.to_owned()));
        }
        let path = std::env::temp_dir().join(format!("natter-{:08x}", rand::random::<u32>()));
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(EngineError::io("make", &path))?;
        // The umask may have taken something away.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(EngineError::io("make", &path))?;
        run_as.give(&path)?;
        Ok(Self::Temporary(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::OfTheCluster(path) | Self::Temporary(path) => path,
        }
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            let _: io::Result<()> = fs::remove_dir_all(path);
        }
    }
}

fn percent_encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_folder_is_encoded_for_a_url() {
        assert_eq!(percent_encoded("/srv/my data/é?&"), "/srv/my%20data/%C3%A9%3F%26");
    }

    #[test]
    fn only_the_server_that_was_started_counts_as_ready() {
        let temporary = tempfile::tempdir().expect("folder");
        let state = temporary.path().join("postmaster.pid");
        assert!(!says_ready(&state, 7));
        fs::write(&state, "7\n/data\n1700000000\n5432\n/data\n\n  1 2\nstarting\n").expect("write");
        assert!(!says_ready(&state, 7));
        fs::write(&state, "7\n/data\n1700000000\n5432\n/data\n\n  1 2\nready   \n").expect("write");
        assert!(says_ready(&state, 7));
        assert!(!says_ready(&state, 8));
    }
}
