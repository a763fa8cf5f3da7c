//! A projector's connection to PostgreSQL, and being the only active one.
//!
//! The lock that makes a projector the active one belongs to the connection that it writes with: when one goes, so does
//! the other. The fenced position is there for what a lock can't promise, such as a proxy that shares connections.

use std::time::Duration;

use natter_log::Stream;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tracing::log::LevelFilter;

use crate::config::Config;
use crate::error::{ApplyError, Error, SessionError};
use crate::position;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest that a question to PostgreSQL may take which touches next to nothing.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);
/// "nprj": the first half of the lock's name; the second is the stream and the schema.
const LOCK_CLASS: i32 = 0x6e70_726a;

/// How this deployment's database is connected to.
pub(crate) fn connect_options(config: &Config, stream: Stream) -> Result<PgConnectOptions, Error> {
    let url = config.database_url.as_str();
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        let expected = "expected postgres://user:password@host/database";
        return Err(Error::DatabaseUrl(sqlx::Error::Configuration(expected.into())));
    }
    let options: PgConnectOptions = url.parse().map_err(Error::DatabaseUrl)?;
    let idle = format!("{}ms", config.session_timeout.as_millis());
    Ok(options
        .application_name(&format!("natter projector ({})", position::name(stream)))
        .options([
            // The log is the truth, and the position is committed with the rows: if PostgreSQL loses its last commits
            // with its power, it loses both, and those events are applied again. So no commit waits for the disk.
            ("synchronous_commit", "off"),
            // A projector that is frozen, or whose machine is gone without a word, loses its session and so its lock.
            ("idle_session_timeout", &idle),
            ("idle_in_transaction_session_timeout", &idle),
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "3"),
            ("client_connection_check_interval", "2s"),
            ("statement_timeout", "60s"),
            // Every statement joins a batch to tables by their keys. The planner, which guesses the size of an array
            // and has no statistics of a new table, must not come to read whole tables instead.
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("random_page_cost", "1.1"),
            ("jit", "off"),
        ])
        .log_slow_statements(LevelFilter::Warn, Duration::from_secs(5))
        .log_statements(LevelFilter::Trace))
}

/// Connects.
pub(crate) async fn open(options: &PgConnectOptions) -> Result<PgConnection, SessionError> {
    let connecting = PgConnection::connect_with(options);
    Ok(tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| ApplyError::Timeout)??)
}

/// Whether the database has the schema that this program needs.
pub(crate) async fn check_schema(connection: &mut PgConnection) -> Result<(), SessionError> {
    let standing = natter_migrations::check(connection).await?;
    if standing.is_usable() { Ok(()) } else { Err(Error::Schema(standing).into()) }
}

/// Becomes the active projector of a stream for as long as this connection lasts, unless another is. Does not wait inside
/// PostgreSQL, where waiting would hold back its clean-up of old rows.
pub(crate) async fn try_lock(connection: &mut PgConnection, stream: Stream) -> Result<bool, SessionError> {
    let locking = sqlx::query_scalar("select pg_try_advisory_lock($1, hashtext(current_schema() || '.' || $2))")
        .bind(LOCK_CLASS)
        .bind(position::name(stream))
        .fetch_one(connection);
    Ok(tokio::time::timeout(ASK_TIMEOUT, locking).await.map_err(|_| ApplyError::Timeout)??)
}

/// Waits for a question to PostgreSQL that touches next to nothing.
pub(crate) async fn in_time<T>(asking: impl Future<Output = Result<T, ApplyError>>) -> Result<T, SessionError> {
    Ok(tokio::time::timeout(ASK_TIMEOUT, asking).await.map_err(|_| ApplyError::Timeout)??)
}
