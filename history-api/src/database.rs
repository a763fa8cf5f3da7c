//! PostgreSQL, for reading only. Bounded in connections and in time; back by itself when it is back.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use natter_platform::Problem;
use natter_platform::error::chain;
use natter_protocol::ErrorCode;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{ConnectOptions, Connection};

use crate::Config;
use crate::statement::Statement;

/// A connection that has been idle for longer is tried before it is used: it may be from before a restart.
const TRIED_AFTER: Duration = Duration::from_secs(1);
/// What a client is told to wait when PostgreSQL is away.
const RETRY_AFTER: Duration = Duration::from_secs(1);
const SLOW: Duration = Duration::from_millis(500);

/// The read models.
pub struct Database {
    pool: PgPool,
    connections_limit: u32,
    /// So that going away and coming back are logged once each.
    away: AtomicBool,
}

/// The database cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("the database URL has to be postgres://user:password@host:port/database")]
pub struct BadDatabaseUrl(#[source] Option<sqlx::Error>);

/// PostgreSQL gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It is away, overloaded, or not migrated yet: later it may answer.
    #[error("PostgreSQL is not available")]
    Unavailable(#[source] sqlx::Error),
    /// It does not understand us, or we do not understand it.
    #[error("a statement failed")]
    Failed(#[source] sqlx::Error),
}

impl Database {
    /// A pool that connects when it is first used: so the service starts, and says that it is not ready, while
    /// PostgreSQL is away. Needs a runtime.
    pub fn new(config: &Config) -> Result<Self, BadDatabaseUrl> {
        let url = config.database_url.expose();
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(BadDatabaseUrl(None));
        }
        let statement_timeout = config.statement_timeout.as_millis().max(1).to_string();
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| BadDatabaseUrl(Some(error)))?
            .application_name("natter-history-api")
            .options([
                ("statement_timeout", statement_timeout.as_str()),
                // Nothing here writes; with this, nothing can.
                ("default_transaction_read_only", "on"),
                // Every statement is made to go by an index. Planned once for all arguments, it must not depend on how
                // small a table was then or how common the first caller's values are.
                ("plan_cache_mode", "force_generic_plan"),
                ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("jit", "off"),
            ])
            .log_statements(tracing::log::LevelFilter::Off)
            .log_slow_statements(tracing::log::LevelFilter::Warn, SLOW);
        let connections_limit = config.connections.max(1);
        let pool = PgPoolOptions::new()
            .max_connections(connections_limit)
            .acquire_timeout(config.connection_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRIED_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Ok(Self { pool, connections_limit, away: AtomicBool::new(false) })
    }

    /// The rows of one statement: one snapshot, by its nature.
    pub async fn fetch(&self, route: &'static str, statement: &Statement) -> Result<Vec<PgRow>, DatabaseError> {
        let started = Instant::now();
        let mut fetched = self.try_fetch(statement).await;
        // Connections that were cut, by a restart for example, show it when they are used. Reading again does no harm, and
        // after as many as there can be the next one is new.
        let mut cut = 0;
        while matches!(fetched, Err(sqlx::Error::Io(_))) && cut < self.connections_limit {
            cut += 1;
            fetched = self.try_fetch(statement).await;
        }
        metrics::histogram!("natter_history_statement_duration_seconds", "route" => route)
            .record(started.elapsed().as_secs_f64());
        let fetched = fetched.map_err(DatabaseError::from);
        self.note(fetched.as_ref().err());
        fetched
    }

    /// Connections that are open now.
    pub fn connections(&self) -> u32 {
        self.pool.size()
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn try_fetch(&self, statement: &Statement) -> sqlx::Result<Vec<PgRow>> {
        sqlx::query_with(statement.sql, statement.arguments.clone()).fetch_all(&self.pool).await
    }

    fn note(&self, error: Option<&DatabaseError>) {
        match error {
            Some(DatabaseError::Unavailable(source)) => {
                if !self.away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = chain(source), "PostgreSQL is not available");
                }
            }
            Some(DatabaseError::Failed(_)) => {}
            None => {
                // Read before written: nearly always nothing changes, and then nothing is shared between the cores.
                if self.away.load(Ordering::Relaxed) && self.away.swap(false, Ordering::Relaxed) {
                    tracing::info!("PostgreSQL is available again");
                }
            }
        }
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        let later = match &error {
            Error::Io(_) | Error::Tls(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => true,
            Error::Database(refusal) => refusal.code().is_some_and(|code| is_temporary(&code)),
            _ => false,
        };
        if later { Self::Unavailable(error) } else { Self::Failed(error) }
    }
}

/// Whether a refusal with this SQLSTATE may be another one later: by waiting, or by what an operator does.
fn is_temporary(sqlstate: &str) -> bool {
    let class = sqlstate.get(..2).unwrap_or_default();
    // No connection, no login, no such database, too much at once, a conflict with recovery, stopped or out of time.
    matches!(class, "08" | "28" | "3D" | "40" | "53" | "57" | "58")
        // No such table, column, function or schema, or no right to it: not migrated yet.
        || matches!(sqlstate, "42P01" | "42703" | "42883" | "42501" | "3F000")
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(_) => unavailable("history cannot be read at the moment"),
            DatabaseError::Failed(_) => Problem::internal(&error),
        }
    }
}

/// History cannot answer now.
pub fn unavailable(detail: &'static str) -> Problem {
    Problem::new(ErrorCode::Unavailable, detail).retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_unavailable_and_what_does_not_is_internal() {
        for code in ["57014", "57P01", "57P03", "53300", "08006", "3D000", "28P01", "40001", "42P01", "42883"] {
            assert!(is_temporary(code), "{code}");
        }
        for code in ["42601", "22P02", "22021", "25006", "23505", "XX000", ""] {
            assert!(!is_temporary(code), "{code}");
        }
        let pool = Problem::from(DatabaseError::from(sqlx::Error::PoolTimedOut));
        assert_eq!((pool.code(), pool.retry_after_ms()), (ErrorCode::Unavailable, Some(1_000)));
        assert_eq!(Problem::from(DatabaseError::from(sqlx::Error::RowNotFound)).code(), ErrorCode::Internal);
    }
}
