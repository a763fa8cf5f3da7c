//! What every route shares: the database, who may ask, and reading in one snapshot at a position.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use natter_events::Uid;
use natter_platform::rate::KeyedLimiter;
use natter_platform::tokens::Verifier;
use natter_platform::{Clock, Problem};
use natter_protocol::ErrorCode;
use tokio::time::Instant;

use crate::Config;
use crate::caller::Caller;
use crate::database::{BadDatabaseUrl, Database, DatabaseError, unavailable};
use crate::progress::Progress;
use crate::statement::{Snapshot, Statement};

/// The history API's dependencies. Clones are one.
#[derive(Clone)]
pub struct History(Arc<Inner>);

struct Inner {
    database: Database,
    progress: Progress,
    limiter: KeyedLimiter<Uid>,
    verifier: Arc<Verifier>,
    clock: Clock,
    position_timeout: Duration,
    request_timeout: Duration,
}

impl History {
    /// Over the database of the configuration, which need not be there yet. Needs a runtime.
    pub fn new(config: &Config, verifier: Arc<Verifier>, clock: &Clock) -> Result<Self, BadDatabaseUrl> {
        Ok(Self(Arc::new(Inner {
            database: Database::new(config)?,
            progress: Progress::new(config),
            limiter: KeyedLimiter::new(config.queries, clock),
            verifier,
            clock: clock.clone(),
            position_timeout: config.position_timeout,
            request_timeout: config.request_timeout,
        })))
    }

    /// Runs a gated statement, at the position that the caller asks for or later.
    pub(crate) async fn read(
        &self,
        caller: &Caller,
        route: &'static str,
        statement: &Statement,
    ) -> Result<Snapshot, Problem> {
        let deadline = Instant::now() + self.0.position_timeout;
        loop {
            let rows = self.0.database.fetch(route, statement).await?;
            let Some((head, snapshot)) = Snapshot::of(rows).map_err(DatabaseError::from)? else {
                return Err(unavailable("nothing has been projected yet"));
            };
            if head.refused {
                return Err(Problem::new(ErrorCode::Unauthenticated, "this login was ended"));
            }
            caller.check_log(head.position)?;
            if head.position.seq >= caller.at_least() {
                return Ok(snapshot);
            }
            self.0.progress.reach(&self.0.database, caller.at_least(), deadline).await?;
        }
    }

    pub(crate) fn limiter(&self) -> &KeyedLimiter<Uid> {
        &self.0.limiter
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.0.request_timeout
    }
}

impl FromRef<History> for Arc<Verifier> {
    fn from_ref(history: &History) -> Self {
        history.0.verifier.clone()
    }
}
