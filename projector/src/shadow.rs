//! A schema beside the live one, in the same database, in which the read models are made once more from the log (D9): to
//! compare the live ones with, or to take their place.
//!
//! One program at a time has it, by an advisory lock. Whatever ends that program, the lock ends with its connection, and what
//! it left behind is removed by the next.

use std::time::Duration;

use natter_log::Stream;
use natter_migrations::Standing;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;

use crate::config::Config;
use crate::error::{Error, ReplayError};
use crate::session;

/// "nshd": the first half of the lock's name; the second is the live schema.
const LOCK_CLASS: i32 = 0x6e73_6864;
/// PostgreSQL notices a moment later that the one before was killed.
const LOCK_LIMIT: Duration = Duration::from_secs(3);
const LOCK_RETRY: Duration = Duration::from_millis(50);
/// Longest that one statement may take: reading a range of a table, removing a schema.
const STATEMENT_TIMEOUT: &str = "300s";
/// PostgreSQL ends whoever holds locks or a snapshot and says nothing for this long.
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "30s";

pub(crate) struct Shadow {
    /// The schema of the live read models.
    pub live: String,
    /// The schema of those that are made now.
    pub name: String,
    /// Where the live ones go when others take their place, until they are dropped.
    pub old: String,
    options: PgConnectOptions,
    /// Holds the lock.
    guard: PgConnection,
}

impl Shadow {
    /// Becomes the one who may make read models here. Nothing is made yet.
    pub async fn lock(config: &Config) -> Result<Self, ReplayError> {
        let options = session::connect_options(config, Stream::Chat)?.application_name("natter replay").options([
            ("idle_session_timeout", "0"),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
            ("statement_timeout", STATEMENT_TIMEOUT),
            // Times are compared as text.
            ("timezone", "UTC"),
        ]);
        let mut guard = session::open(&options).await?;
        match natter_migrations::check(&mut guard).await? {
            Standing::Current { .. } => {}
            // What a later program added would be lost.
            standing => return Err(Error::Schema(standing).into()),
        }
        let live: String = sqlx::query_scalar("select current_schema()::text").fetch_one(&mut guard).await?;
        let deadline = Instant::now() + LOCK_LIMIT;
        while !try_lock(&mut guard, &live).await? {
            if Instant::now() > deadline {
                return Err(ReplayError::Busy);
            }
            tokio::time::sleep(LOCK_RETRY).await;
        }
        let (name, old) = (beside(&live, "shadow"), beside(&live, "old"));
        Ok(Self { live, name, old, options, guard })
    }

    /// Makes the tables, without a row in them, and removes what another left behind.
    pub async fn make(&mut self) -> Result<(), ReplayError> {
        self.remove().await?;
        self.remove_old().await?;
        let create = format!("create schema {}", quoted(&self.name));
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut self.guard).await?;
        natter_migrations::make(&mut self.open().await?).await?;
        // What operators decided is not in the log, and holds for whatever is made from it.
        let there: Option<String> =
            sqlx::query_scalar("select to_regclass('skipped_events')::text").fetch_one(&mut self.guard).await?;
        if there.is_some() {
            let copy = format!("insert into {}.skipped_events select * from skipped_events", quoted(&self.name));
            sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut self.guard).await?;
        }
        Ok(())
    }

    /// A connection to what is made now.
    pub async fn open(&self) -> Result<PgConnection, ReplayError> {
        Ok(session::open(&self.options.clone().options([("search_path", quoted(&self.name))])).await?)
    }

    /// A connection to the live read models.
    pub async fn open_live(&self) -> Result<PgConnection, ReplayError> {
        Ok(session::open(&self.options).await?)
    }

    /// Removes what was made, if there is anything.
    pub async fn remove(&mut self) -> Result<(), ReplayError> {
        let drop = format!("drop schema if exists {} cascade", quoted(&self.name));
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut self.guard).await?;
        Ok(())
    }

    /// Removes read models that others have taken the place of, if there are any.
    pub async fn remove_old(&mut self) -> Result<(), ReplayError> {
        let drop = format!("drop schema if exists {} cascade", quoted(&self.old));
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut self.guard).await?;
        Ok(())
    }
}

async fn try_lock(guard: &mut PgConnection, live: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_try_advisory_lock($1, hashtext($2))")
        .bind(LOCK_CLASS)
        .bind(live)
        .fetch_one(guard)
        .await
}

/// The name of a schema that belongs to the live one.
fn beside(live: &str, what: &str) -> String {
    /// PostgreSQL cuts names at 63 bytes; two that are cut to the same are kept apart by the lock of neither.
    const KEPT: usize = 40;
    let live: String = live.chars().filter(char::is_ascii).take(KEPT).collect();
    format!("natter_{what}_{live}")
}

/// A name as SQL has it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_short_enough() {
        assert_eq!(beside("public", "shadow"), "natter_shadow_public");
        assert!(beside(&"x".repeat(63), "shadow").len() < 63);
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
