//! One stream's projection, for as long as the service lives: standby, active, and over again when a connection is lost.

use std::time::Duration;

use natter_log::{KeyRing, Log, Stream};
use natter_platform::Shutdown;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Config;
use crate::error::{ApplyError, Error, SessionError};
use crate::position::Position;
use crate::status::{Role, Status};
use crate::writer::Writer;
use crate::{feed, identity, position, session, watch};

/// Batches that are ready while one is being applied.
const BATCHES_AHEAD: usize = 1;
/// How often an active projector that has nothing to write says that it is there.
const CONFIRM_EVERY: Duration = Duration::from_secs(2);

/// What one stream's projection works with.
#[derive(Clone)]
pub(crate) struct Runner {
    pub config: Config,
    pub log: Log,
    pub keys: KeyRing,
    pub stream: Stream,
    pub status: Status,
}

impl Runner {
    /// Projects until the stop is requested, or something happens that no trying again can heal.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), Error> {
        let options = session::connect_options(&self.config, self.stream)?;
        let (mut failures, mut at_hole) = (0, false);
        let ended = loop {
            let begun = self.status.of(self.stream).seq;
            let error = match self.session(&options, &shutdown).await {
                Ok(()) => break Ok(()),
                Err(SessionError::Fatal(error)) => break Err(error),
                Err(error) => error,
            };
            // Something was applied: what failed now is another thing than what failed before.
            let went_on = self.status.of(self.stream).seq > begun;
            failures = if went_on { 1 } else { failures + 1 };
            let still_at_hole = at_hole && !went_on;
            at_hole = matches!(error, SessionError::Hole(_));
            if !self.pause(&error, failures, still_at_hole, &shutdown).await {
                break Ok(());
            }
        };
        self.status.role(self.stream, Role::Stopped);
        ended
    }

    /// Says what failed and waits. False when the stop was requested meanwhile.
    async fn pause(&self, error: &SessionError, failures: u32, still_at_hole: bool, shutdown: &Shutdown) -> bool {
        let reason = chain(error);
        let delay = delay(self.config.retry, failures, rand::random());
        let (stream, delay_ms) = (position::name(self.stream), delay.as_millis() as u64);
        match error {
            SessionError::Apply(ApplyError::Fenced) => tracing::warn!(stream, "{reason}; this one stands by"),
            // It stands there until somebody has seen to it.
            SessionError::Hole(_) if still_at_hole => tracing::debug!(stream, failures, delay_ms, "still at the hole"),
            SessionError::Hole(_) => tracing::error!(stream, "{reason}"),
            _ => {
                tracing::warn!(stream, failures, delay_ms, error = reason, "projecting is interrupted and tried again")
            }
        }
        let at_hole = matches!(error, SessionError::Hole(_));
        metrics::gauge!("natter_projector_stopped_at_hole", "stream" => stream).set(f64::from(u8::from(at_hole)));
        metrics::counter!("natter_projector_retries_total", "stream" => stream).increment(1);
        self.status.role(self.stream, Role::Waiting { reason });
        tokio::select! {
            () = tokio::time::sleep(delay) => true,
            () = shutdown.requested() => false,
        }
    }

    /// From a new connection to whatever ends it; `Ok` when the stop was requested.
    async fn session(&self, options: &PgConnectOptions, shutdown: &Shutdown) -> Result<(), SessionError> {
        let active = async {
            let mut connection = session::open(options).await?;
            self.wait_for_turn(&mut connection).await?;
            let position = identity::position(&mut connection, &self.log, self.stream).await?;
            Ok::<_, SessionError>((connection, position))
        };
        let (connection, position) = tokio::select! {
            active = active => active?,
            () = shutdown.requested() => return Ok(()),
        };
        self.project(connection, position, shutdown).await
    }

    /// Projects from the position over a connection that has the stream's lock.
    pub async fn project(
        &self,
        connection: PgConnection,
        position: Position,
        shutdown: &Shutdown,
    ) -> Result<(), SessionError> {
        let seq = position.seq;
        tracing::info!(stream = position::name(self.stream), seq, "this projector is active");
        self.status.applied(self.stream, seq);
        self.status.role(self.stream, Role::Active);
        metrics::gauge!("natter_projector_stopped_at_hole", "stream" => position::name(self.stream)).set(0.0);
        let (config, status) = (self.config.clone(), self.status.clone());
        let writer = Writer::new(connection, config, status, self.stream, position).await?;
        Active { runner: self, writer }.run(shutdown).await
    }

    async fn wait_for_turn(&self, connection: &mut PgConnection) -> Result<(), SessionError> {
        session::check_schema(connection).await?;
        let mut told = false;
        while !session::try_lock(connection, self.stream).await? {
            if !told {
                tracing::info!(stream = position::name(self.stream), "another projector is active; this one stands by");
                self.status.role(self.stream, Role::Standby);
                told = true;
            }
            tokio::time::sleep(self.config.standby_poll).await;
        }
        Ok(())
    }
}

/// An active projector's session.
struct Active<'a> {
    runner: &'a Runner,
    writer: Writer,
}

impl Active<'_> {
    async fn run(mut self, shutdown: &Shutdown) -> Result<(), SessionError> {
        let Runner { config, log, keys, stream, status } = self.runner.clone();
        let (batches, mut ready) = mpsc::channel(BATCHES_AHEAD);
        let mut alive = interval(CONFIRM_EVERY.min(config.session_timeout / 3));
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // They end with this session, whatever ends it.
        let mut beside = JoinSet::new();
        let from = self.writer.position();
        beside.spawn(watch::run(log.clone(), stream, from.epoch, status, batches.clone()));
        beside.spawn(feed::run(config, log, keys, stream, from, batches));
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => return Ok(()),
                Some(batch) = ready.recv() => match batch {
                    Ok(batch) => {
                        self.writer.apply(batch).await?;
                        alive.reset();
                    }
                    Err(error @ SessionError::PresenceLost(_)) => {
                        self.writer.start_over().await?;
                        return Err(error);
                    }
                    Err(error) => return Err(error),
                },
                // What they sent before they ended was received above.
                _ = beside.join_next() => return Err(SessionError::log(std::io::Error::other("following ended"))),
                _ = alive.tick() => self.writer.keep_alive().await?,
            }
        }
    }
}

/// The wait before the next try: twice as long each time, half of it random.
fn delay((shortest, longest): (Duration, Duration), failures: u32, random: u32) -> Duration {
    let doubled = shortest.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
    doubled / 2 + (doubled / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        let bounds = (Duration::from_millis(50), Duration::from_secs(5));
        assert_eq!(delay(bounds, 1, 0), Duration::from_millis(25));
        assert_eq!(delay(bounds, 1, u32::MAX), Duration::from_millis(50));
        assert_eq!(delay(bounds, 3, u32::MAX), Duration::from_millis(200));
        assert_eq!(delay(bounds, u32::MAX, u32::MAX), Duration::from_secs(5));
    }
}
