//! Why the projector stops, and why it tries again.

use natter_log::{FollowError, Stream};
use natter_migrations::Standing;

/// Why the projector stopped for good. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A later program wrote the log.
    #[error(
        "event {seq} of {stream} is a {kind} of version {version}, which a later Natter wrote: nothing after it is \
         projected until this program is upgraded (readers are upgraded before writers)"
    )]
    LaterVersion { stream: &'static str, seq: u64, kind: String, version: u16 },
    /// The log is not the one that the read models were made from.
    #[error(
        "the log is not the one that the read models were made from: {why}. If the log was restored or rolled back on \
         purpose, make the read models again from it: stop the projector, empty this database (or name a new one), \
         run `natter migrate`, and start again. If not, point the projector at the right log"
    )]
    OtherLog { why: String },
    /// The log has lost an event.
    #[error("nothing after a hole in the log is projected")]
    Hole(#[source] FollowError),
    /// The database has not this program's schema.
    #[error("{0}")]
    Schema(Standing),
    /// The address of the database can't be read.
    #[error("the database's address can't be read")]
    DatabaseUrl(#[source] sqlx::Error),
    /// The master key is not the one that the keys are wrapped with.
    #[error("what people wrote can't be opened")]
    Keys(#[source] natter_log::KeyError),
}

/// Why one transaction did not go through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// Another projector moved the position.
    #[error("another projector has moved the position: it is the active one")]
    Fenced,
    /// PostgreSQL refuses the values themselves: trying again would change nothing.
    #[error("PostgreSQL refuses the values")]
    Refused(#[source] sqlx::Error),
    /// Anything else passes, or an operator sees to it.
    #[error("PostgreSQL can't be written")]
    Database(#[source] sqlx::Error),
    #[error("PostgreSQL did not answer in time")]
    Timeout,
}

/// Why an active projector's session ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error(transparent)]
    Fatal(#[from] Error),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error("PostgreSQL can't be used")]
    Database(#[from] sqlx::Error),
    #[error("the schema can't be checked")]
    Migrations(#[from] natter_migrations::MigrateError),
    /// The log has lost an event. Until it is there again, or somebody has accepted that it is lost.
    #[error("nothing after a hole in the log is projected")]
    Hole(#[source] FollowError),
    /// PRESENCE may lose its last moments, and is read again from its beginning then.
    #[error("PRESENCE is not the stream that it was")]
    PresenceLost(#[source] FollowError),
    /// Its epoch is not the one of the position: what is the same of it is looked at again.
    #[error("the log has a new epoch")]
    NewEpoch,
    #[error("the log can't be read")]
    Log(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why the log was not replayed beside the live read models, or what came of it not used. In each case they are as they were.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("another `natter rebuild` or `natter verify` works on this database: wait for it")]
    Busy,
    #[error("stopped: the read models are as they were")]
    Stopped,
    #[error("the read models have no position: start a projector, or run `natter rebuild`")]
    NoPosition,
    /// Only someone else than a projector does that.
    #[error("the position of the read models went back from event {from} to {to} meanwhile: run it again")]
    Moved { from: u64, to: u64 },
    #[error(
        "what depends on the read models would be left with the old ones: {0}. Drop it, and make it again afterwards"
    )]
    Dependents(String),
    #[error("event {seq} is none of the malformed ones: `natter repair events` lists them")]
    NotMalformed { seq: u64 },
    #[error("the schema was changed meanwhile: run it again")]
    Migrated,
    #[error(
        "the read models are made, but somebody reads the live ones without a pause for {secs} s now: run it again later"
    )]
    InUse { secs: u64 },
    #[error(transparent)]
    Projector(#[from] Error),
    #[error("interrupted: the read models are as they were; run it again")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<SessionError> for ReplayError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Fatal(error) => ReplayError::Projector(error),
            SessionError::Hole(hole) => ReplayError::Projector(Error::Hole(hole)),
            other => ReplayError::Interrupted(Box::new(other)),
        }
    }
}

impl From<sqlx::Error> for ReplayError {
    fn from(error: sqlx::Error) -> Self {
        SessionError::from(error).into()
    }
}

impl From<natter_migrations::MigrateError> for ReplayError {
    fn from(error: natter_migrations::MigrateError) -> Self {
        SessionError::from(error).into()
    }
}

impl SessionError {
    pub fn log(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Log(Box::new(error))
    }
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        // 22: a value is out of range or unreadable; 23: it contradicts a constraint; 54: it is too large.
        match code.as_deref().and_then(|code| code.get(..2)) {
            Some("22" | "23" | "54") => ApplyError::Refused(error),
            _ => ApplyError::Database(error),
        }
    }
}

impl Error {
    pub(crate) fn later(stream: Stream, later: crate::fact::Later) -> Self {
        let crate::fact::Later { seq, kind, version } = later;
        Error::LaterVersion { stream: stream.name(), seq, kind, version }
    }
}
