//! How the projector does, for readiness and metrics.

use std::sync::Arc;
use std::time::Duration;

use natter_log::Stream;
use parking_lot::Mutex;
use time::OffsetDateTime;

use crate::apply::Dead;
use crate::position;

/// How a projector does. Clones show the same one.
#[derive(Debug, Clone, Default)]
pub struct Status(Arc<Mutex<[StreamStatus; 2]>>);

/// How one stream's projection does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamStatus {
    pub role: Role,
    /// The last event that is in the read models, as far as this projector knows.
    pub seq: u64,
    /// Events of the log that are not yet in the read models.
    pub lag_events: u64,
    /// How old the oldest event is that is not yet in the read models.
    pub lag: Duration,
    /// Events that can't be applied, and those of their conversations that wait for a repair.
    pub dead: Dead,
}

/// What a projector is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Role {
    /// It has not found out yet.
    #[default]
    Starting,
    /// Another projector is active; this one takes over when that one ends.
    Standby,
    /// It writes the read models.
    Active,
    /// It can't go on now, and tries again.
    Waiting {
        /// Why.
        reason: String,
    },
    /// It has ended.
    Stopped,
}

impl Status {
    /// How the projection of `stream` does.
    pub fn of(&self, stream: Stream) -> StreamStatus {
        self.0.lock()[index(stream)].clone()
    }

    /// One line for readiness: fine and how, or not and why. A standby is fine.
    pub fn check(&self) -> Result<String, String> {
        let streams = [Stream::Chat, Stream::Presence].map(|stream| (position::name(stream), self.of(stream)));
        let line = streams.each_ref().map(|(name, status)| format!("{name}: {status}")).join("; ");
        let fine = |role: &Role| matches!(role, Role::Active | Role::Standby);
        if streams.iter().all(|(_, status)| fine(&status.role)) { Ok(line) } else { Err(line) }
    }

    pub(crate) fn role(&self, stream: Stream, role: Role) {
        let active = if role == Role::Active { 1.0 } else { 0.0 };
        metrics::gauge!("natter_projector_active", "stream" => position::name(stream)).set(active);
        self.0.lock()[index(stream)].role = role;
    }

    /// Everything up to `seq` is in the read models; `event_at` is when it happened.
    pub(crate) fn applied(&self, stream: Stream, seq: u64) {
        metrics::gauge!("natter_projector_position", "stream" => position::name(stream)).set(seq as f64);
        let mut streams = self.0.lock();
        let status = &mut streams[index(stream)];
        status.lag_events = status.lag_events.saturating_sub(seq.saturating_sub(status.seq));
        status.seq = seq;
        if status.lag_events == 0 {
            status.lag = Duration::ZERO;
        }
    }

    /// So many dead letters are there.
    pub(crate) fn dead(&self, stream: Stream, dead: Dead) {
        self.0.lock()[index(stream)].dead = dead;
        for (cause, count) in [("malformed", dead.malformed), ("waiting", dead.waiting)] {
            metrics::gauge!("natter_projector_dead_letters", "stream" => position::name(stream), "cause" => cause)
                .set(count as f64);
        }
    }

    /// The log goes to `last`; the first event that was not yet applied happened at `next_at`.
    pub(crate) fn lags(&self, stream: Stream, last: u64, next_at: Option<OffsetDateTime>) {
        let mut streams = self.0.lock();
        let status = &mut streams[index(stream)];
        status.lag_events = last.saturating_sub(status.seq);
        let age = next_at.and_then(|at| (OffsetDateTime::now_utc() - at).try_into().ok());
        status.lag = if status.lag_events == 0 { Duration::ZERO } else { age.unwrap_or(status.lag) };
        let stream = position::name(stream);
        metrics::gauge!("natter_projector_lag_events", "stream" => stream).set(status.lag_events as f64);
        metrics::gauge!("natter_projector_lag_seconds", "stream" => stream).set(status.lag.as_secs_f64());
    }
}

impl std::fmt::Display for StreamStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.role {
            Role::Starting => f.write_str("starting"),
            Role::Standby => f.write_str("standby, another projector is active"),
            Role::Active => {
                write!(f, "active at {}, {} events and {} ms behind", self.seq, self.lag_events, self.lag.as_millis())?;
                match self.dead {
                    Dead { malformed: 0, .. } => Ok(()),
                    Dead { malformed, waiting } => {
                        write!(
                            f,
                            ", WITHOUT {malformed} malformed events and {waiting} behind them: see `natter repair events`"
                        )
                    }
                }
            }
            Role::Waiting { reason } => write!(f, "waiting: {reason}"),
            Role::Stopped => f.write_str("stopped"),
        }
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Chat => 0,
        Stream::Presence => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projector_is_ready_when_it_is_active_or_stands_by() {
        let status = Status::default();
        assert_eq!(status.check(), Err("chat: starting; presence: starting".to_owned()));
        status.role(Stream::Chat, Role::Active);
        status.role(Stream::Presence, Role::Standby);
        status.applied(Stream::Chat, 7);
        status.lags(Stream::Chat, 9, None);
        let line = "chat: active at 7, 2 events and 0 ms behind; presence: standby, another projector is active";
        assert_eq!(status.check(), Ok(line.to_owned()));
        status.applied(Stream::Chat, 9);
        assert_eq!(status.of(Stream::Chat).lag_events, 0);
        status.dead(Stream::Chat, Dead { malformed: 1, waiting: 4 });
        let line = status.check().expect("the rest goes on");
        assert!(
            line.contains("WITHOUT 1 malformed events and 4 behind them: see `natter repair events`; presence"),
            "{line}"
        );
        status.role(Stream::Chat, Role::Waiting { reason: "no database".into() });
        assert!(status.check().expect_err("not ready").starts_with("chat: waiting: no database;"));
    }
}
