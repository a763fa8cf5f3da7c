//! Making a PostgreSQL cluster, once, so that it is either whole or not there.
//!
//! initdb works in `NAME.partial` beside the cluster's folder; the result is renamed into place. So an interrupted initdb
//! leaves nothing that looks like a cluster, and a folder in place that is not one was not made here.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::{EngineError, Result};
use crate::folder::{make_private_folder, sync_folder_of, sync_folders};
use crate::output::LineSink;
use crate::process::run_to_end;
use crate::tools::Tools;
use crate::user::RunAs;

const ENGINE: &str = "PostgreSQL";
const MAJOR_VERSION: &str = "18";
const INITDB_LIMIT: Duration = Duration::from_secs(120);
/// The superuser of the cluster and the database in it.
pub(crate) const NAME: &str = "natter";

#[derive(Debug, Clone)]
pub struct ClusterOptions {
    pub password: String,
    /// Wait until everything is on disk. Only tests do without.
    pub sync: bool,
    /// Size of a write-ahead log file. Small ones make a cluster that is quick to copy.
    pub wal_segment_mib: u32,
}

/// Makes a cluster at `folder` if there is none. A folder that is there but is no whole cluster is an error.
pub async fn ensure_cluster(
    tools: &Tools,
    folder: &Path,
    run_as: &RunAs,
    options: &ClusterOptions,
    sink: LineSink,
) -> Result<()> {
    if is_cluster(folder)? {
        return Ok(());
    }
    let partial = beside(folder);
    remove(&partial)?;
    make_private_folder(&partial)?;
    run_as.give(&partial)?;
    let made = partial.join("cluster");
    initdb(tools, &made, &partial, run_as, options, sink.clone()).await?;
    create_database(tools, &made, &partial, run_as, options, sink).await?;
    if options.sync {
        // A new database is a new folder, and its name is left to the file system.
        sync_folders(&made)?;
    }
    fs::rename(&made, folder).map_err(EngineError::io("move the new cluster to", folder))?;
    sync_folder_of(folder)?;
    remove(&partial)
}

async fn initdb(
    tools: &Tools,
    made: &Path,
    partial: &Path,
    run_as: &RunAs,
    options: &ClusterOptions,
    sink: LineSink,
) -> Result<()> {
    let password_file = partial.join("password");
    write_for(run_as, &password_file, &options.password)?;
    let mut command = Command::new(tools.initdb());
    command
        .arg("--pgdata")
        .arg(made)
        .arg("--pwfile")
        .arg(&password_file)
        .args(["--username", NAME, "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions"])
        // The same order and the same letters on every machine, whatever its locale is.
        .args(["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"])
        .args(["--set", "timezone=UTC", "--set", "log_timezone=UTC"])
        // Iterations protect weak passwords. Ours has 256 random bits, and every connection would pay for them.
        .args(["--set", "scram_iterations=1"])
        .args(["--wal-segsize", &options.wal_segment_mib.to_string()]);
    if !options.sync {
        command.arg("--no-sync");
    }
    in_a_neutral_place(&mut command);
    run_to_end("initdb", command, run_as, sink, INITDB_LIMIT).await
}

/// Creates Natter's database with PostgreSQL's single-user mode: no server and no client is needed for it.
async fn create_database(
    tools: &Tools,
    made: &Path,
    partial: &Path,
    run_as: &RunAs,
    options: &ClusterOptions,
    sink: LineSink,
) -> Result<()> {
    let statements = partial.join("statements");
    write_for(run_as, &statements, &format!("CREATE DATABASE {NAME}\n"))?;
    let input = File::open(&statements).map_err(EngineError::io("read", &statements))?;
    let mut command = Command::new(tools.postgres());
    command.arg("--single").arg("-j").arg("-D").arg(made).args(["-c", "log_checkpoints=off"]);
    if !options.sync {
        command.args(["-c", "fsync=off"]);
    }
    command.arg("postgres");
    in_a_neutral_place(&mut command);
    command.stdin(Stdio::from(input));
    run_to_end("postgres --single", command, run_as, sink, INITDB_LIMIT).await
}

/// The engine's user may not be allowed to be in the folder that this process is in, and its locale must not matter.
pub(crate) fn in_a_neutral_place(command: &mut Command) {
    command
        .stdin(Stdio::null())
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
}

fn is_cluster(folder: &Path) -> Result<bool> {
    let unfinished = |what: &str| EngineError::HalfInitialised {
        path: folder.to_owned(),
        what: what.to_owned(),
        advice: "Nothing of value can be in it if this is a first start: then delete it. Otherwise restore it from a backup",
    };
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(unfinished("it is not a folder")),
        Err(error) => return Err(EngineError::io("read", folder)(error)),
        Ok(_) => {}
    }
    let version =
        fs::read_to_string(folder.join("PG_VERSION")).map_err(|_| unfinished("there is no PG_VERSION in it"))?;
    if version.trim() != MAJOR_VERSION {
        return Err(EngineError::OtherVersion {
            engine: ENGINE,
            path: folder.to_owned(),
            found: version.trim().to_owned(),
            wanted: MAJOR_VERSION.to_owned(),
        });
    }
    for needed in ["global/pg_control", "pg_wal", "base", "postgresql.conf", "pg_hba.conf"] {
        if !folder.join(needed).exists() {
            return Err(unfinished(&format!("there is no {needed} in it")));
        }
    }
    Ok(true)
}

fn beside(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EngineError::io("remove", folder)(error)),
        _ => Ok(()),
    }
}

fn write_for(run_as: &RunAs, path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(EngineError::io("write", path))?;
    run_as.give(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_folder_is_no_cluster_and_half_a_folder_is_an_error() {
        let temporary = tempfile::tempdir().expect("folder");
        let folder = temporary.path().join("postgres");
        assert!(matches!(is_cluster(&folder), Ok(false)));
        fs::create_dir(&folder).expect("create");
        assert!(is_cluster(&folder).expect_err("empty").to_string().contains("PG_VERSION"));
        fs::write(folder.join("PG_VERSION"), "18\n").expect("write");
        assert!(is_cluster(&folder).expect_err("half").to_string().contains("global/pg_control"));
        fs::write(folder.join("PG_VERSION"), "16\n").expect("write");
        assert!(matches!(is_cluster(&folder), Err(EngineError::OtherVersion { .. })));
    }
}
