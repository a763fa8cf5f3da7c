//! Where a database stands against this program.

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection};

use crate::runner::MigrateError;
use crate::{MIGRATOR, newest_version};

/// Where a database stands against this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// At this program's version.
    Current { version: i64 },
    /// Without some change that this program needs; the version is 0 for a database that was never migrated.
    Behind { version: i64, needed: i64 },
    /// A later program changed it. Changes only add at first, so this program works on it until it is replaced.
    Ahead { version: i64, known: i64 },
    /// A change was applied to it that is another one than this program's of the same version.
    Different { version: i64 },
}

impl Standing {
    /// Whether this program may work on the database.
    pub fn is_usable(&self) -> bool {
        matches!(self, Standing::Current { .. } | Standing::Ahead { .. })
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Standing::Current { version } => write!(f, "the schema is at version {version}"),
            Standing::Behind { version: 0, .. } => f.write_str("the database has no schema yet: run `natter migrate`"),
            Standing::Behind { version, needed } => {
                write!(f, "the schema is at version {version} and this program needs {needed}: run `natter migrate`")
            }
            Standing::Ahead { version, known } => write!(
                f,
                "the schema is at version {version}, later than the {known} that this program knows: upgrade it soon"
            ),
            Standing::Different { version } => write!(
                f,
                "version {version} of the schema is not this program's: the database belongs to another build"
            ),
        }
    }
}

/// Says where the database stands. Reads one small table.
pub async fn check(connection: &mut PgConnection) -> Result<Standing, MigrateError> {
    let table: Option<String> =
        sqlx::query_scalar("select to_regclass('_sqlx_migrations')::text").fetch_one(&mut *connection).await?;
    let applied: Vec<(i64, Vec<u8>)> = match table {
        None => Vec::new(),
        Some(_) => {
            sqlx::query_as("select version, checksum from _sqlx_migrations where success order by version")
                .fetch_all(connection)
                .await?
        }
    };
    Ok(compare(&applied.into_iter().collect()))
}

/// As [`check`], over a connection of its own.
pub async fn check_url(url: &str) -> Result<Standing, MigrateError> {
    let mut connection = PgConnection::connect(url).await?;
    let standing = check(&mut connection).await?;
    connection.close().await?;
    Ok(standing)
}

fn compare(applied: &BTreeMap<i64, Vec<u8>>) -> Standing {
    let version = applied.keys().next_back().copied().unwrap_or(0);
    let needed = newest_version();
    for known in MIGRATOR.iter() {
        match applied.get(&known.version) {
            None => return Standing::Behind { version, needed },
            Some(checksum) if **checksum != *known.checksum => return Standing::Different { version: known.version },
            Some(_) => {}
        }
    }
    if version > needed { Standing::Ahead { version, known: needed } } else { Standing::Current { version } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> BTreeMap<i64, Vec<u8>> {
        MIGRATOR.iter().map(|known| (known.version, known.checksum.to_vec())).collect()
    }

    #[test]
    fn a_database_is_current_behind_ahead_or_another_ones() {
        let newest = newest_version();
        assert_eq!(compare(&ours()), Standing::Current { version: newest });
        assert_eq!(compare(&BTreeMap::new()), Standing::Behind { version: 0, needed: newest });
        let mut later = ours();
        later.insert(newest + 1, vec![1]);
        assert_eq!(compare(&later), Standing::Ahead { version: newest + 1, known: newest });
        let mut other = ours();
        other.insert(1, vec![0; 48]);
        assert_eq!(compare(&other), Standing::Different { version: 1 });
        let usable = [compare(&ours()), compare(&later)].iter().all(Standing::is_usable);
        assert!(usable && !compare(&other).is_usable() && !compare(&BTreeMap::new()).is_usable());
    }
}
