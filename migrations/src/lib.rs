//! The read models' schema: one SQL file per change in `sql/`, embedded, and the runner that brings a database to it.
//!
//! A file that was ever released is never edited: a change is a new file. Changes first only add (columns, tables, indexes)
//! and are cleaned up in a later release, so that programs of the version before keep working on the new schema while
//! they are replaced one by one.

mod runner;
mod standing;

pub use runner::{MigrateError, Migrated, make, migrate};
pub use standing::{Standing, check, check_url};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./sql");

/// The newest version of the schema that this program knows.
pub fn newest_version() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}
