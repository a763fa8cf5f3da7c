//! The read models made again from the log (D9), in the first form: they are emptied in one transaction with the position,
//! and then projected as ever. So whatever interrupts it, what is there is true up to the position, and whoever projects
//! next goes on: another rebuild from the beginning, a projector from there.
//!
//! It holds the lock of the active projector all the while: it refuses to begin beside one, and one that is started
//! meanwhile stands by. What is not made from CHAT (when people were last seen) stays as it is.

use std::time::{Duration, Instant};

use natter_log::{KeyRing, Log, Stream};
use natter_platform::Shutdown;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::config::Config;
use crate::error::{ApplyError, Error, SessionError};
use crate::position::Position;
use crate::runner::Runner;
use crate::status::Status;
use crate::{identity, partitions, session};

/// Tables that are not emptied: PRESENCE's, the positions, and the schema's own.
const KEPT: [&str; 4] = ["presence", "projector", "dead_letters", "_sqlx_migrations"];
/// Longest that whoever reads may have to queue behind the emptying.
const LOCK_TIMEOUT_MS: u32 = 2_000;
/// How often the emptying is tried while others read.
const EMPTYING_TRIES: u32 = 5;
const SHOW_EVERY: Duration = Duration::from_millis(50);

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// The events that the read models were made from: those that the log had at the start.
    pub events: u64,
    pub took: Duration,
}

/// Why the read models are not made again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Nothing was changed.
    #[error("a projector is active on this database: stop it (and those that stand by), then rebuild")]
    Active,
    #[error(
        "stopped at event {at} of {of}: history ends there until `natter rebuild` is run again or a projector is started, \
         which goes on from there"
    )]
    Stopped { at: u64, of: u64 },
    #[error(transparent)]
    Projector(#[from] Error),
    #[error("the rebuild was interrupted; run it again, or start a projector, which goes on from where it is")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<SessionError> for RebuildError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Fatal(error) => RebuildError::Projector(error),
            SessionError::Hole(hole) => RebuildError::Projector(Error::Hole(hole)),
            other => RebuildError::Interrupted(Box::new(other)),
        }
    }
}

/// Empties the read models and makes them again from what the log has now. `show` learns how many events of how many are
/// applied, several times a second.
pub async fn rebuild(
    config: Config,
    log: Log,
    keys: KeyRing,
    mut show: impl FnMut(u64, u64),
    shutdown: &Shutdown,
) -> Result<Rebuilt, RebuildError> {
    let stream = Stream::Chat;
    let (mut connection, position) = begin(&config, &log).await?;
    let of = log.state(stream).await.map_err(SessionError::log)?.last_seq;
    let begun = Instant::now();
    let start = empty(&mut connection, position).await?;
    tracing::info!(events = of, "the read models are empty, and are made again from the log");

    let status = Status::default();
    let until = shutdown.child();
    let runner = Runner { config, log, keys, stream, status: status.clone() };
    let mut projecting = Box::pin(runner.project(connection, start, &until));
    let mut ticks = tokio::time::interval(SHOW_EVERY);
    let at = loop {
        let ended = tokio::select! {
            ended = &mut projecting => Some(ended),
            _ = ticks.tick() => None,
        };
        let at = status.of(stream).seq;
        show(at.min(of), of);
        match ended {
            Some(ended) => {
                ended?;
                break at;
            }
            None if at >= of => until.request(),
            None => {}
        }
    };
    if at < of { Err(RebuildError::Stopped { at, of }) } else { Ok(Rebuilt { events: at, took: begun.elapsed() }) }
}

/// Becomes the active projector, on the log that the read models were made from.
async fn begin(config: &Config, log: &Log) -> Result<(PgConnection, Position), RebuildError> {
    let options = session::connect_options(config, Stream::Chat)?;
    let mut connection = session::open(&options).await?;
    session::check_schema(&mut connection).await?;
    if !session::try_lock(&mut connection, Stream::Chat).await? {
        return Err(RebuildError::Active);
    }
    let position = identity::position(&mut connection, log, Stream::Chat).await?;
    Ok((connection, position))
}

/// Empties everything that is made from CHAT, unless another projector has moved the position.
async fn empty(connection: &mut PgConnection, position: Position) -> Result<Position, SessionError> {
    let mut tries = 1;
    loop {
        match try_empty(connection, position).await {
            Err(ApplyError::Database(error)) if tries < EMPTYING_TRIES && is_contention(&error) => tries += 1,
            other => return Ok(other?),
        }
    }
}

async fn try_empty(connection: &mut PgConnection, position: Position) -> Result<Position, ApplyError> {
    let start = Position::start(position.epoch);
    let mut transaction = connection.begin().await?;
    let wait = format!("set local lock_timeout = {LOCK_TIMEOUT_MS}");
    sqlx::raw_sql(AssertSqlSafe(wait)).execute(&mut *transaction).await?;
    position.advance(&start, &mut transaction, Stream::Chat).await?;
    partitions::reset(&mut transaction).await?;
    // Whatever tables there are: one that a later migration makes is emptied, too.
    let truncate: String = sqlx::query_scalar(
        "select 'truncate ' || string_agg(oid::regclass::text, ', ') from pg_class \
         where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition \
           and relname <> all ($1)",
    )
    .bind(KEPT)
    .fetch_one(&mut *transaction)
    .await?;
    sqlx::raw_sql(AssertSqlSafe(truncate)).execute(&mut *transaction).await?;
    sqlx::raw_sql("delete from dead_letters where stream = 'chat'; insert into changes_kept (after_seq) values (0)")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(start)
}

/// Somebody reads: it waited too long for them, or they for each other.
fn is_contention(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}
