//! Waiting until the read models have come as far as a client has seen (HST2).
//!
//! Polled rather than notified: a standby of PostgreSQL, which is where reads scale out, knows no `LISTEN`. However many
//! wait, one of them at a time asks, and tells the others. While nobody waits nobody asks.

use std::time::Duration;

use natter_platform::Problem;
use sqlx::Row;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout_at};

use crate::Config;
use crate::database::{Database, unavailable};
use crate::statement::Statement;

const POSITION: &str = "select seq from projector where name = 'chat'";

/// The read models' progress, as far as it was asked for.
pub struct Progress {
    seen: watch::Sender<u64>,
    asking: Mutex<()>,
    waiters: Semaphore,
    poll: Duration,
}

impl Progress {
    pub fn new(config: &Config) -> Self {
        Self {
            seen: watch::Sender::new(0),
            asking: Mutex::default(),
            waiters: Semaphore::new(config.position_waiters),
            poll: config.position_poll,
        }
    }

    /// Waits until the read models are at `seq`. Only what is learnt from now on counts: whoever comes here has just read
    /// that they are not. Whether they are at `seq` of the right log, the next reading says.
    pub async fn reach(&self, database: &Database, seq: u64, deadline: Instant) -> Result<(), Problem> {
        let Ok(_waiter) = self.waiters.try_acquire() else {
            return Err(unavailable("too many requests wait for a position already"));
        };
        let started = Instant::now();
        let reached = timeout_at(deadline, self.wait(database, seq)).await;
        metrics::histogram!("natter_history_position_wait_seconds").record(started.elapsed().as_secs_f64());
        reached.map_err(|_| unavailable("history has not come to this position yet"))
    }

    async fn wait(&self, database: &Database, seq: u64) {
        let mut seen = self.seen.subscribe();
        loop {
            tokio::select! {
                _ = seen.changed() => {
                    if *seen.borrow_and_update() >= seq {
                        return;
                    }
                }
                _turn = self.asking.lock() => {
                    if let Some(found) = ask(database).await {
                        self.seen.send_if_modified(|seen| std::mem::replace(seen, found) != found);
                        if found >= seq {
                            return;
                        }
                    }
                    // The turn is kept meanwhile, so that all who wait ask this often together.
                    sleep(self.poll).await;
                }
            }
        }
    }
}

/// How far the read models are, if that can be had; PostgreSQL's absence is logged where it is noticed.
async fn ask(database: &Database) -> Option<u64> {
    let rows = database.fetch("position", &Statement::new(POSITION)).await.ok()?;
    rows.first()?.try_get::<i64, _>("seq").ok().map(i64::cast_unsigned)
}
