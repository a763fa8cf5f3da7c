//! The writing end of an active session: batches in, rows and position out.

use std::collections::HashSet;
use std::time::Duration;

use natter_log::Stream;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::apply::{Dead, Progress, apply};
use crate::config::Config;
use crate::error::{ApplyError, SessionError};
use crate::fact::Incoming;
use crate::partitions::{self, Open};
use crate::position::{self, Position};
use crate::repair;
use crate::session;
use crate::status::Status;

/// How often the dead letters are counted while there is always something to do.
const COUNT_DEAD_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Writer {
    connection: PgConnection,
    config: Config,
    status: Status,
    progress: Progress,
    /// The open partition of messages; PRESENCE has none.
    open: Option<Open>,
    /// When the dead letters were counted.
    counted: Instant,
}

impl Writer {
    /// Writes on from the position.
    pub async fn new(
        mut connection: PgConnection,
        config: Config,
        status: Status,
        stream: Stream,
        position: Position,
    ) -> Result<Self, SessionError> {
        let open = match stream {
            Stream::Chat => Some(Open::load(&mut connection).await?),
            Stream::Presence => None,
        };
        let skipped = match stream {
            Stream::Chat => repair::skipped(&mut connection).await?,
            Stream::Presence => HashSet::new(),
        };
        let progress = Progress { stream, position, prune: true, skipped };
        let mut writer = Self { connection, config, status, progress, open, counted: Instant::now() };
        writer.count_dead().await?;
        Ok(writer)
    }

    /// Up to and including here, everything is written.
    pub fn position(&self) -> Position {
        self.progress.position
    }

    /// Applies events that follow the position. When this fails, some of them may be applied: the stored position says.
    pub async fn apply(&mut self, mut batch: Vec<Incoming>) -> Result<(), SessionError> {
        let mut rest = &mut batch[..];
        while !rest.is_empty() {
            let count = if self.open.is_some() { partitions::same_month(rest) } else { rest.len() };
            let (now, later) = rest.split_at_mut(count);
            let timeout = self.config.apply_timeout;
            tokio::time::timeout(timeout, self.apply_month(now)).await.map_err(|_| ApplyError::Timeout)??;
            rest = later;
        }
        Ok(())
    }

    /// Goes back to before the first event. Only for PRESENCE, whose read model is the same however often an event is
    /// applied.
    pub async fn start_over(&mut self) -> Result<(), ApplyError> {
        let from = self.progress.position;
        let start = Position { table: from.table, ..Position::start(from.epoch) };
        from.advance(&start, &mut self.connection, self.progress.stream).await?;
        self.progress.position = start;
        Ok(())
    }

    /// Says that it lives, and learns whether PostgreSQL does and whether its position is still the stored one.
    pub async fn keep_alive(&mut self) -> Result<(), SessionError> {
        let Progress { position, stream, .. } = self.progress;
        session::in_time(position.confirm(&mut self.connection, stream)).await?;
        self.count_dead().await
    }

    /// Somebody may have repaired some of them.
    async fn count_dead(&mut self) -> Result<(), SessionError> {
        let dead = repair::count(&mut self.connection, position::name(self.progress.stream)).await?;
        self.status.dead(self.progress.stream, dead);
        self.counted = Instant::now();
        Ok(())
    }

    async fn apply_month(&mut self, events: &mut [Incoming]) -> Result<(), SessionError> {
        let Some(first_at) = events.first().map(|event| event.at) else { return Ok(()) };
        if let Some(open) = &mut self.open {
            let max_seqs = self.config.max_partition_seqs;
            open.tend(&mut self.connection, &self.progress.position, first_at, max_seqs).await?;
        }
        let begun = Instant::now();
        let dead = apply(&mut self.connection, &self.config, &mut self.progress, events).await?;
        let stream = self.progress.stream;
        self.status.applied(stream, self.progress.position.seq);
        measure(stream, events.len(), begun.elapsed(), first_at, dead);
        if dead != Dead::default() || self.counted.elapsed() > COUNT_DEAD_EVERY {
            self.count_dead().await?;
        }
        Ok(())
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
