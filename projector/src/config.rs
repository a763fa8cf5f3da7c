//! The projector's bounds, with their units, in one place.

use std::time::Duration;

/// What the projector is told. `Default` is right for any size of deployment.
#[derive(Debug, Clone)]
pub struct Config {
    /// PostgreSQL, with user and password.
    pub database_url: String,
    /// Most events of one transaction. More of them are faster to catch up with and longer to wait for.
    pub max_batch_events: usize,
    /// Most bytes of events in one transaction.
    pub max_batch_bytes: usize,
    /// A partition of messages is closed when it spans this many positions of the log, or when a month begins.
    pub max_partition_seqs: u64,
    /// How many days of changes are kept.
    pub changes_kept_days: u16,
    /// How long revocations are kept: longer than any access token lives.
    pub revocations_kept: Duration,
    /// How often a standby looks whether it is needed.
    pub standby_poll: Duration,
    /// PostgreSQL ends the session of an active projector that says nothing for this long, so that one that is frozen
    /// rather than dead is replaced too.
    pub session_timeout: Duration,
    /// Longest that one transaction may take before its connection is given up.
    pub apply_timeout: Duration,
    /// Shortest and longest wait before PostgreSQL or the log is tried again.
    pub retry: (Duration, Duration),
}

impl Config {
    /// The default bounds, on this database.
    pub fn new(database_url: impl Into<String>) -> Self {
        Self {
            database_url: database_url.into(),
            max_batch_events: 4_000,
            max_batch_bytes: 4 << 20,
            max_partition_seqs: 10_000_000,
            changes_kept_days: 30,
            revocations_kept: Duration::from_secs(24 * 3600),
            standby_poll: Duration::from_millis(250),
            session_timeout: Duration::from_secs(10),
            apply_timeout: Duration::from_secs(90),
            retry: (Duration::from_millis(50), Duration::from_secs(5)),
        }
    }
}
