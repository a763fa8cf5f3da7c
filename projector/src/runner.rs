//! One stream's projection, for as long as the service lives: standby, active, and over again when a connection is lost.

use std::time::Duration;

use natter_log::{KeyRing, Log, Stream};
use natter_platform::Shutdown;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::apply::{Dead, Progress, apply};
use crate::config::Config;
use crate::error::{ApplyError, Error, SessionError};
use crate::fact::Incoming;
use crate::partitions::{self, Open};
use crate::position::{self, Position};
use crate::status::{Role, Status};
use crate::{feed, identity, session, watch};

/// Batches that are ready while one is being applied.
const BATCHES_AHEAD: usize = 1;

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
        let mut failures = 0;
        let ended = loop {
            let begun = self.status.of(self.stream).seq;
            let error = match self.session(&options, &shutdown).await {
                Ok(()) => break Ok(()),
                Err(SessionError::Fatal(error)) => break Err(error),
                Err(error) => error,
            };
            // Something was applied: what failed now is another thing than what failed before.
            failures = if self.status.of(self.stream).seq > begun { 1 } else { failures + 1 };
            if !self.pause(&error, failures, &shutdown).await {
                break Ok(());
            }
        };
        self.status.role(self.stream, Role::Stopped);
        ended
    }

    /// Says what failed and waits. False when the stop was requested meanwhile.
    async fn pause(&self, error: &SessionError, failures: u32, shutdown: &Shutdown) -> bool {
        let reason = chain(error);
        let delay = delay(self.config.retry, failures, rand::random());
        let (stream, delay_ms) = (position::name(self.stream), delay.as_millis() as u64);
        if let SessionError::Apply(ApplyError::Fenced) = error {
            tracing::warn!(stream, "{reason}; this one stands by");
        } else {
            tracing::warn!(stream, failures, delay_ms, error = reason, "projecting is interrupted and tried again");
        }
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
        let seq = position.seq;
        tracing::info!(stream = position::name(self.stream), seq, "this projector is active");
        self.status.applied(self.stream, seq);
        self.status.role(self.stream, Role::Active);
        let progress = Progress { stream: self.stream, position, prune: true };
        Active { runner: self, connection, progress, open: None }.run(shutdown).await
    }

    async fn wait_for_turn(&self, connection: &mut PgConnection) -> Result<(), SessionError> {
        let standing = natter_migrations::check(connection).await?;
        if !standing.is_usable() {
            return Err(Error::Schema(standing).into());
        }
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
    connection: PgConnection,
    progress: Progress,
    /// The open partition of messages; PRESENCE has none.
    open: Option<Open>,
}

impl Active<'_> {
    async fn run(mut self, shutdown: &Shutdown) -> Result<(), SessionError> {
        let Runner { config, log, keys, stream, status } = self.runner.clone();
        if stream == Stream::Chat {
            self.open = Some(Open::load(&mut self.connection).await?);
        }
        let (batches, mut ready) = mpsc::channel(BATCHES_AHEAD);
        let mut alive = interval(config.session_timeout / 3);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // They end with this session, whatever ends it.
        let mut beside = JoinSet::new();
        beside.spawn(watch::run(log.clone(), stream, self.progress.position.epoch, status, batches.clone()));
        beside.spawn(feed::run(config, log, keys, stream, self.progress.position, batches));
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => return Ok(()),
                Some(batch) = ready.recv() => match batch {
                    Ok(batch) => {
                        self.apply(batch).await?;
                        alive.reset();
                    }
                    Err(error) => return Err(self.ended(error).await?),
                },
                // What they sent before they ended was received above.
                _ = beside.join_next() => return Err(SessionError::log(std::io::Error::other("following ended"))),
                _ = alive.tick() => session::keep_alive(&mut self.connection).await?,
            }
        }
    }

    async fn apply(&mut self, mut batch: Vec<Incoming>) -> Result<(), SessionError> {
        let mut rest = &mut batch[..];
        while !rest.is_empty() {
            let count = if self.open.is_some() { partitions::same_month(rest) } else { rest.len() };
            let (now, later) = rest.split_at_mut(count);
            let timeout = self.runner.config.apply_timeout;
            tokio::time::timeout(timeout, self.apply_month(now)).await.map_err(|_| ApplyError::Timeout)??;
            rest = later;
        }
        Ok(())
    }

    async fn apply_month(&mut self, events: &mut [Incoming]) -> Result<(), SessionError> {
        let Runner { config, stream, status, .. } = self.runner;
        let Some(first_at) = events.first().map(|event| event.at) else { return Ok(()) };
        if let Some(open) = &mut self.open {
            open.tend(&mut self.connection, &self.progress.position, first_at, config.max_partition_seqs).await?;
        }
        let begun = Instant::now();
        let dead = apply(&mut self.connection, config, &mut self.progress, events).await?;
        status.applied(*stream, self.progress.position.seq);
        measure(*stream, events.len(), begun.elapsed(), first_at, dead);
        Ok(())
    }

    /// What the end of following means for this session.
    async fn ended(&mut self, error: SessionError) -> Result<SessionError, SessionError> {
        if let SessionError::PresenceLost(_) = error {
            // Its read model is the same however often an event is applied.
            let from = self.progress.position;
            from.advance(&Position::start(from.epoch), &mut self.connection, Stream::Presence).await?;
        }
        Ok(error)
    }
}

fn measure(stream: Stream, events: usize, took: Duration, first_at: OffsetDateTime, dead: Dead) {
    let stream = position::name(stream);
    let lag: Duration = (OffsetDateTime::now_utc() - first_at).try_into().unwrap_or_default();
    metrics::histogram!("natter_projector_batch_events", "stream" => stream).record(events as f64);
    metrics::histogram!("natter_projector_apply_seconds", "stream" => stream).record(took.as_secs_f64());
    metrics::histogram!("natter_projector_event_lag_seconds", "stream" => stream).record(lag.as_secs_f64());
    metrics::counter!("natter_projector_events_total", "stream" => stream).increment(events as u64);
    for (cause, count) in [("malformed", dead.malformed), ("waiting", dead.waiting)] {
        metrics::counter!("natter_projector_dead_letters_total", "stream" => stream, "cause" => cause).increment(count);
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
