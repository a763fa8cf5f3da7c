//! Brings a database to this program's schema.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use crate::standing::{Standing, check};
use crate::{MIGRATOR, newest_version};

/// Longest that another program's migration is waited for.
const LOCK_LIMIT: Duration = Duration::from_secs(120);
const LOCK_RETRY: Duration = Duration::from_millis(50);
/// "natt" and "migr": whoever holds this advisory lock migrates.
const LOCK: i64 = 0x6e61_7474_6d69_6772;

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version before; 0 for a new database.
    pub from: i64,
    /// The version now.
    pub to: i64,
}

/// Why a database could not be migrated or checked.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// PostgreSQL could not be asked.
    #[error("PostgreSQL could not be asked")]
    Database(#[from] sqlx::Error),
    /// A change did not go through; the database is as it was before that change.
    #[error("a change of the schema did not go through")]
    Change(#[source] sqlx::migrate::MigrateError),
    /// The database has changes that this program's contradict.
    #[error("{0}")]
    Different(Standing),
    /// Someone else migrates and does not come to an end.
    #[error("another program has been migrating this database for over {} s; end it, then try again", LOCK_LIMIT.as_secs())]
    Locked,
}

/// Brings the database at `url` to this program's schema, or finds it there already. Any number of programs may do this at
/// once: one does the work, the others wait for it. A database of a later program is left as it is.
pub async fn migrate(url: &str) -> Result<Migrated, MigrateError> {
    let mut connection = PgConnection::connect(url).await?;
    // Most starts find nothing to do, and need no lock to see it.
    let mut standing = check(&mut connection).await?;
    if let Standing::Behind { .. } = standing {
        lock(&mut connection).await?;
        standing = check(&mut connection).await?;
    }
    let migrated = match standing {
        Standing::Behind { version, .. } => {
            run(&mut connection).await?;
            tracing::info!(from = version, to = newest_version(), "the schema was migrated");
            Migrated { from: version, to: newest_version() }
        }
        Standing::Current { version } | Standing::Ahead { version, .. } => Migrated { from: version, to: version },
        Standing::Different { .. } => return Err(MigrateError::Different(standing)),
    };
    // The lock ends with its connection.
    connection.close().await?;
    Ok(migrated)
}

async fn run(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut migrator = sqlx::migrate::Migrator { migrations: MIGRATOR.migrations.clone(), ..sqlx::migrate::Migrator::DEFAULT };
    // Its own lock waits inside PostgreSQL, where waiting holds a snapshot that concurrent index builds wait for in turn.
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await.map_err(MigrateError::Change)
}

async fn lock(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let deadline = Instant::now() + LOCK_LIMIT;
    loop {
        let locked: bool =
            sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut *connection).await?;
        if locked {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(MigrateError::Locked);
        }
        tokio::time::sleep(LOCK_RETRY).await;
    }
}
