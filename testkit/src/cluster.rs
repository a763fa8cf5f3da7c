//! One PostgreSQL for this test process, started when the first test wants a database.
//!
//! initdb takes the better part of a second, so its result is kept for all test processes of this user and copied.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use natter_engines::{ClusterOptions, Postgres, PostgresOptions, RunAs, discard_lines, ensure_cluster};
use tokio::sync::OnceCell;

use crate::workspace::{lock, scratch_folder, shared, tools};

/// Nobody but this user can get to the socket, and the data is worth nothing.
const PASSWORD: &str = "natter";

pub(crate) async fn cluster() -> &'static Postgres {
    static CLUSTER: OnceCell<Postgres> = OnceCell::const_new();
    CLUSTER.get_or_init(async || start().await.unwrap_or_else(|error| panic!("{error}"))).await
}

/// A PostgreSQL of its own, with one empty database.
pub(crate) async fn start() -> natter_engines::Result<Postgres> {
    let folder = scratch_folder("pg");
    let run_as = RunAs::for_engine("PostgreSQL", &folder, &tools().postgres())?;
    run_as.give(&folder)?;
    let cluster = folder.join("c");
    let kept = kept_cluster(&run_as).await?;
    copy(&kept, &cluster, &run_as)?;
    let options =
        PostgresOptions { fsync: false, max_connections: 300, ..PostgresOptions::new(cluster, PASSWORD.to_owned()) };
    Postgres::start(tools(), options, run_as, discard_lines()).await
}

/// What initdb makes, kept under a name that says by what and for whom it was made.
async fn kept_cluster(run_as: &RunAs) -> natter_engines::Result<PathBuf> {
    let binary = fs::metadata(tools().postgres()).ok();
    let modified = binary.as_ref().and_then(|data| data.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    let mut hasher = DefaultHasher::new();
    (binary.map(|data| data.len()), modified, run_as.name(), env!("CARGO_PKG_VERSION"), FORMAT).hash(&mut hasher);
    let home = shared().join(format!("initdb-{:016x}", hasher.finish()));

    let _alone = tokio::task::spawn_blocking(|| lock("initdb")).await.unwrap_or_else(|error| panic!("{error}"));
    if !home.exists() {
        fs::create_dir(&home).unwrap_or_else(|error| panic!("cannot make {}: {error}", home.display()));
        run_as.give(&home)?;
    }
    let cluster = home.join("cluster");
    let options = ClusterOptions { password: PASSWORD.to_owned(), sync: false, wal_segment_mib: 1 };
    ensure_cluster(tools(), &cluster, run_as, &options, discard_lines()).await?;
    Ok(cluster)
}

/// To be raised when [`ClusterOptions`] in [`kept_cluster`] change.
const FORMAT: u32 = 1;

fn copy(from: &Path, to: &Path, run_as: &RunAs) -> natter_engines::Result<()> {
    let fail = |error: std::io::Error| -> ! { panic!("cannot copy {} to {}: {error}", from.display(), to.display()) };
    let data = fs::metadata(from).unwrap_or_else(|error| fail(error));
    if data.is_dir() {
        fs::create_dir(to)
            .and_then(|()| fs::set_permissions(to, data.permissions()))
            .unwrap_or_else(|error| fail(error));
        for entry in fs::read_dir(from).unwrap_or_else(|error| fail(error)) {
            let name = entry.unwrap_or_else(|error| fail(error)).file_name();
            copy(&from.join(&name), &to.join(&name), run_as)?;
        }
    } else {
        fs::copy(from, to).unwrap_or_else(|error| fail(error));
    }
    run_as.give(to)
}
