//! What the history API can be told, with every bound and its unit in one place.

use std::num::NonZeroU32;
use std::time::Duration;

use natter_platform::rate::Limit;
use natter_platform::secret::Secret;

/// The settings of a history API. [`Config::new`] has what one machine needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the read models are: `postgres://user:password@host:port/database`. The role needs `SELECT` and nothing else.
    pub database_url: Secret,
    /// Most connections to PostgreSQL.
    pub connections: u32,
    /// How long a request may wait for one of them, or for PostgreSQL to come back.
    pub connection_timeout: Duration,
    /// How long PostgreSQL may work on one statement.
    pub statement_timeout: Duration,
    /// How long a request may take in all, waiting included.
    pub request_timeout: Duration,
    /// How long a position ahead of the read models is waited for (HST2).
    pub position_timeout: Duration,
    /// How often the read models' position is asked for, while anyone waits for one.
    pub position_poll: Duration,
    /// Most requests that wait for a position at once.
    pub position_waiters: usize,
    /// Queries per user.
    pub queries: Limit,
}

impl Config {
    /// The usual settings, over this database.
    pub fn new(database_url: Secret) -> Self {
        Self {
            database_url,
            connections: 8,
            connection_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(8),
            position_timeout: Duration::from_secs(1),
            position_poll: Duration::from_millis(5),
            position_waiters: 1_000,
            queries: Limit {
                count: NonZeroU32::MIN.saturating_add(299),
                window: Duration::from_secs(10),
                max_keys: 100_000,
            },
        }
    }
}
