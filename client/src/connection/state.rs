//! A connection's life as a pure state machine: what happened and the time go in, what to do comes out. No socket, no
//! clock, no randomness in here; `driver` supplies them.
//!
//! ```text
//!           ┌───────────── Wake / time ◄──────────────┐
//!           ▼                                         │
//! Renewing ──► Opening ──► Greeting ──► CatchingUp ──► Live
//!    ▲            │ failed    │ closed      │ closed    │ closed, no ping, goodbye
//!    └── 4502 ────┴───────────┴──► Waiting ◄┴───────────┘
//!                                  Stopped (4500 and up, login ended, closed by us)
//! ```

use std::sync::Arc;
use std::time::Duration;

use natter_protocol::Position;
use natter_protocol::frame::ResetReason;

use super::backoff;
use crate::error::StopReason;

/// How long the upgrade and the answer to `hello` may take, each.
pub(crate) const GREETING_MS: u64 = 10_000;
/// `applied` is said at most this often (HRT6).
const APPLIED_EVERY_MS: u64 = 1_000;
/// A token is renewed when this or a fifth of its life is left, whichever is more, but not before half of it is over.
const RENEW_AHEAD_MS: u64 = 60_000;
/// A token that ends sooner than this is not worth opening a connection with.
const TOO_SHORT_MS: u64 = 2_000;
/// After a renewal in place that failed, the next try comes this much later.
const RENEW_AGAIN_MS: u64 = 5_000;
/// Heartbeats outside of these bounds are not believed.
const HEARTBEAT_MS: std::ops::RangeInclusive<u64> = 100..=600_000;
/// The longest `reconnect_after_ms` of a goodbye that is honoured.
const LONGEST_GOODBYE_MS: u64 = 600_000;

/// What a connection is doing, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// An attempt is under way.
    Connecting {
        /// Attempts that failed before this one.
        attempt: u32,
    },
    /// Connected; what was missed is being replayed.
    CatchingUp {
        /// The gateway that answers.
        gateway: Arc<str>,
    },
    /// Connected and up to date.
    Live {
        /// The gateway that answers.
        gateway: Arc<str>,
    },
    /// Not connected; the next attempt comes by itself.
    Waiting {
        /// Attempts that have failed in a row.
        attempt: u32,
        /// From when this state began until the next attempt.
        retry_in: Duration,
        /// Why the last attempt or connection ended.
        cause: Arc<str>,
        /// Ten attempts have failed: show a way to retry by hand ([`Client::reconnect_now`](crate::Client::reconnect_now)).
        by_hand: bool,
    },
    /// Over. The client does not come back by itself.
    Stopped(StopReason),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    /// Begin, with a token that ends then, if that is known.
    Start { token_ends_ms: Option<u64> },
    /// The network is back, or someone does not want to wait (HRT5).
    Wake,
    /// The upgrade succeeded.
    Opened,
    /// The upgrade failed.
    OpenFailed(OpenFailure),
    /// A frame came that concerns the connection.
    Received(Signal),
    /// The socket is closed, with a code if the server said one.
    Closed { code: Option<u16>, reason: Option<String> },
    /// There is a new token.
    TokenRenewed { ends_ms: Option<u64> },
    /// There is none.
    TokenNotRenewed { login_ended: bool, cause: String },
    /// The program has dealt with all events up to here.
    Applied(Position),
    /// The program does not read its events, so the socket is not read either.
    Stalled,
    /// It reads again.
    Drained,
    /// The time of [`Connection::next_deadline_ms`] has come.
    Tick,
    /// Nobody wants this connection any more.
    Stop,
}

/// Why an upgrade did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OpenFailure {
    /// It may, later.
    Temporary(String),
    /// The token was not accepted.
    Unauthenticated,
    /// It will not, whatever we do.
    Refused { status: u16 },
}

/// What a frame says to the connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Signal {
    Welcome {
        gateway: Arc<str>,
        heartbeat_ms: u64,
    },
    CaughtUp(Position),
    Reset {
        reason: ResetReason,
        position: Position,
    },
    Ping(Position),
    Goodbye {
        reconnect_after_ms: u64,
    },
    /// A durable event, or the `ok` that stands in its place (EVT2).
    Durable(Position),
    /// Anything else: the peer is alive.
    Other,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Open a socket; answers with `Opened` or `OpenFailed`.
    Open,
    /// Say hello with the current token.
    Hello { resume: Option<Position> },
    /// Answer a ping.
    Pong(Position),
    /// Say how far the program has come.
    Applied(Position),
    /// Say the current token, in place.
    TellToken,
    /// Get a new token; answers with `TokenRenewed` or `TokenNotRenewed`.
    RenewToken,
    /// Close the socket, or give up opening it. No `Closed` comes back.
    Hangup,
    /// Commands may be sent.
    Ready,
    /// Tell everyone.
    Tell(State),
}

/// One connection over all its reconnections.
#[derive(Debug)]
pub(crate) struct Connection {
    phase: Phase,
    /// Attempts that failed since the connection was last up to date.
    attempt: u32,
    position: Option<Position>,
    token: TokenState,
    applied: Applied,
    stalled: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    /// A token is being made before a socket is opened.
    Renewing,
    Opening {
        deadline_ms: u64,
    },
    Greeting {
        deadline_ms: u64,
    },
    CatchingUp {
        link: Link,
    },
    Live {
        link: Link,
        leave_at_ms: Option<u64>,
    },
    Waiting {
        until_ms: u64,
    },
    Stopped,
}

/// What is known of the peer at the other end.
#[derive(Debug, Clone, PartialEq)]
struct Link {
    gateway: Arc<str>,
    heartbeat_ms: u64,
    /// When the peer last said that it is there.
    heard_ms: u64,
}

impl Link {
    /// From when on its silence means that it is gone (HRT1).
    fn silent_at_ms(&self) -> u64 {
        self.heard_ms + self.heartbeat_ms + self.heartbeat_ms / 2
    }
}

#[derive(Debug)]
struct TokenState {
    renewable: bool,
    ends_ms: Option<u64>,
    /// When to renew it in place.
    renew_ms: Option<u64>,
    renewing: bool,
    /// The last one was refused as expired, though it was new.
    refused: bool,
}

impl TokenState {
    fn set(&mut self, ends_ms: Option<u64>, now_ms: u64) {
        self.ends_ms = ends_ms;
        self.renewing = false;
        self.renew_ms = ends_ms.filter(|_| self.renewable).map(|ends_ms| {
            let life_ms = ends_ms.saturating_sub(now_ms);
            now_ms + life_ms - (life_ms / 5).max(RENEW_AHEAD_MS).min(life_ms / 2)
        });
    }
}

#[derive(Debug, Default)]
struct Applied {
    waiting: Option<Position>,
    said_ms: Option<u64>,
}

impl Applied {
    fn due_ms(&self) -> Option<u64> {
        self.waiting?;
        Some(self.said_ms.map_or(0, |said_ms| said_ms + APPLIED_EVERY_MS))
    }
}

impl Connection {
    /// A connection that will resume after `position`, if there is one, with tokens that can be renewed or not.
    pub(crate) fn new(position: Option<Position>, renewable: bool) -> Self {
        Self {
            phase: Phase::Waiting { until_ms: u64::MAX },
            attempt: 0,
            position,
            token: TokenState { renewable, ends_ms: None, renew_ms: None, renewing: false, refused: false },
            applied: Applied::default(),
            stalled: false,
        }
    }

    /// How far the connection is complete.
    #[cfg(test)]
    pub(crate) fn position(&self) -> Option<Position> {
        self.position
    }

    /// Whether commands may be sent.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live { .. })
    }

    /// Whether the server has greeted, so that its events can be placed.
    pub(crate) fn is_greeted(&self) -> bool {
        matches!(self.phase, Phase::CatchingUp { .. } | Phase::Live { .. })
    }

    /// When to come with [`Input::Tick`], if nothing else happens before.
    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        let own = match &self.phase {
            Phase::Opening { deadline_ms } => Some(*deadline_ms),
            Phase::Greeting { deadline_ms } => Some(*deadline_ms).filter(|_| !self.stalled),
            Phase::CatchingUp { link } => Some(link.silent_at_ms()).filter(|_| !self.stalled),
            Phase::Live { link, leave_at_ms } => {
                let renew_ms = self.token.renew_ms.filter(|_| !self.token.renewing);
                let silent_at_ms = Some(link.silent_at_ms()).filter(|_| !self.stalled);
                [silent_at_ms, *leave_at_ms, renew_ms, self.applied.due_ms()].into_iter().flatten().min()
            }
            Phase::Waiting { until_ms } => Some(*until_ms),
            Phase::Renewing | Phase::Stopped => None,
        };
        own.filter(|deadline_ms| *deadline_ms != u64::MAX)
    }

    /// Takes in what happened at `now_ms` and says what to do. `random` is from 0 up to 1.
    pub(crate) fn on(&mut self, input: Input, now_ms: u64, random: f64) -> Vec<Effect> {
        if matches!(self.phase, Phase::Stopped) {
            return Vec::new();
        }
        match input {
            Input::Start { token_ends_ms } => {
                self.token.set(token_ends_ms, now_ms);
                self.begin(now_ms)
            }
            Input::Wake => match self.phase {
                Phase::Waiting { .. } => self.begin(now_ms),
                _ => Vec::new(),
            },
            Input::Opened => self.opened(now_ms),
            Input::OpenFailed(failure) => self.open_failed(failure, now_ms, random),
            Input::Received(signal) => self.received(signal, now_ms, random),
            Input::Closed { code, reason } => self.closed(code, reason, now_ms, random),
            Input::TokenRenewed { ends_ms } => self.token_renewed(ends_ms, now_ms),
            Input::TokenNotRenewed { login_ended, cause } => {
                self.token_not_renewed(login_ended, &cause, now_ms, random)
            }
            Input::Applied(position) => {
                self.applied.waiting = Some(position);
                self.say_applied(now_ms).into_iter().collect()
            }
            Input::Stalled => {
                self.stalled = true;
                Vec::new()
            }
            Input::Drained => {
                self.stalled = false;
                self.heard(now_ms);
                Vec::new()
            }
            Input::Tick => self.tick(now_ms, random),
            Input::Stop => self.stop(StopReason::ByUs, true),
        }
    }

    fn begin(&mut self, now_ms: u64) -> Vec<Effect> {
        let tell = Effect::Tell(State::Connecting { attempt: self.attempt });
        let ends_soon = self.token.ends_ms.is_some_and(|ends_ms| ends_ms <= now_ms + TOO_SHORT_MS);
        if self.token.renewing {
            self.phase = Phase::Renewing;
            return vec![tell];
        }
        if ends_soon && self.token.renewable {
            self.phase = Phase::Renewing;
            self.token.renewing = true;
            return vec![tell, Effect::RenewToken];
        }
        self.phase = Phase::Opening { deadline_ms: now_ms + GREETING_MS };
        vec![tell, Effect::Open]
    }

    fn opened(&mut self, now_ms: u64) -> Vec<Effect> {
        match self.phase {
            Phase::Opening { .. } => {
                self.phase = Phase::Greeting { deadline_ms: now_ms + GREETING_MS };
                vec![Effect::Hello { resume: self.position }]
            }
            // It came after it was given up.
            _ => vec![Effect::Hangup],
        }
    }

    fn open_failed(&mut self, failure: OpenFailure, now_ms: u64, random: f64) -> Vec<Effect> {
        if !matches!(self.phase, Phase::Opening { .. }) {
            return Vec::new();
        }
        match failure {
            OpenFailure::Temporary(cause) => self.wait(&cause, now_ms, random),
            OpenFailure::Unauthenticated => self.token_expired(now_ms, random),
            OpenFailure::Refused { status } => self.stop(StopReason::Refused { status }, false),
        }
    }

    fn received(&mut self, signal: Signal, now_ms: u64, random: f64) -> Vec<Effect> {
        match (&mut self.phase, signal) {
            (Phase::Greeting { .. }, Signal::Welcome { gateway, heartbeat_ms }) => {
                let heartbeat_ms = heartbeat_ms.clamp(*HEARTBEAT_MS.start(), *HEARTBEAT_MS.end());
                let link = Link { gateway: gateway.clone(), heartbeat_ms, heard_ms: now_ms };
                self.phase = Phase::CatchingUp { link };
                vec![Effect::Tell(State::CatchingUp { gateway })]
            }
            // The server speaks before it has greeted, or has not understood: nothing that comes now can be placed.
            (Phase::Greeting { .. }, _) => {
                let mut effects = vec![Effect::Hangup];
                effects.extend(self.wait("the server did not answer hello with welcome", now_ms, random));
                effects
            }
            (Phase::CatchingUp { link }, Signal::CaughtUp(position) | Signal::Reset { position, .. }) => {
                let (gateway, link) = (link.gateway.clone(), Link { heard_ms: now_ms, ..link.clone() });
                self.phase = Phase::Live { link, leave_at_ms: None };
                self.position = Some(position);
                self.attempt = 0;
                self.token.refused = false;
                let mut effects = vec![Effect::Tell(State::Live { gateway }), Effect::Ready];
                effects.extend(self.say_applied(now_ms));
                effects
            }
            (Phase::CatchingUp { link }, signal) => {
                link.heard_ms = now_ms;
                self.advance(signal, now_ms)
            }
            (Phase::Live { link, .. }, Signal::Ping(position)) => {
                link.heard_ms = now_ms;
                self.advance(Signal::Ping(position), now_ms)
            }
            (Phase::Live { .. }, signal) => self.advance(signal, now_ms),
            // From a socket that was given up.
            _ => Vec::new(),
        }
    }

    /// What a frame changes once the server has greeted.
    fn advance(&mut self, signal: Signal, now_ms: u64) -> Vec<Effect> {
        match signal {
            Signal::Durable(position) | Signal::CaughtUp(position) | Signal::Reset { position, .. } => {
                self.position = Some(position);
                Vec::new()
            }
            Signal::Ping(position) => {
                self.position = Some(position);
                vec![Effect::Pong(position)]
            }
            Signal::Goodbye { reconnect_after_ms } => {
                let after_ms = reconnect_after_ms.min(LONGEST_GOODBYE_MS);
                match &mut self.phase {
                    Phase::Live { leave_at_ms, .. } => *leave_at_ms = Some(now_ms + after_ms),
                    // Still catching up: this gateway will not get to the end of it.
                    _ => return self.leave(after_ms, now_ms),
                }
                Vec::new()
            }
            Signal::Welcome { .. } | Signal::Other => Vec::new(),
        }
    }

    fn closed(&mut self, code: Option<u16>, reason: Option<String>, now_ms: u64, random: f64) -> Vec<Effect> {
        let was_open = matches!(self.phase, Phase::Greeting { .. } | Phase::CatchingUp { .. } | Phase::Live { .. });
        if !was_open {
            return Vec::new();
        }
        match code {
            // Whether the login is still good is for the refresh to say: `hello` may only have come too late.
            Some(4501) if self.token.renewable => self.token_expired(now_ms, random),
            Some(4502) => self.token_expired(now_ms, random),
            Some(code @ 4500..=4999) => self.stop(StopReason::Closed { code, reason }, false),
            Some(4000) => match self.phase {
                Phase::Live { leave_at_ms: Some(at_ms), .. } => {
                    self.wait_until(at_ms.max(now_ms), "the server is going away", now_ms)
                }
                _ => self.wait("the server is going away", now_ms, random),
            },
            Some(code) => {
                let said = reason.filter(|reason| !reason.is_empty());
                let cause = said.unwrap_or_else(|| format!("the connection was closed ({code})"));
                self.wait(&cause, now_ms, random)
            }
            None => self.wait("the connection was lost", now_ms, random),
        }
    }

    /// 4501 or 4502, or a 401 to the upgrade: reconnect after a refresh, at once the first time.
    fn token_expired(&mut self, now_ms: u64, random: f64) -> Vec<Effect> {
        if !self.token.renewable {
            return self.stop(StopReason::LoginEnded, false);
        }
        self.token.ends_ms = Some(now_ms);
        self.token.renew_ms = None;
        if std::mem::replace(&mut self.token.refused, true) {
            return self.wait("the server does not accept a new token", now_ms, random);
        }
        self.begin(now_ms)
    }

    fn token_renewed(&mut self, ends_ms: Option<u64>, now_ms: u64) -> Vec<Effect> {
        self.token.set(ends_ms, now_ms);
        match self.phase {
            Phase::Renewing => {
                self.phase = Phase::Opening { deadline_ms: now_ms + GREETING_MS };
                vec![Effect::Open]
            }
            Phase::CatchingUp { .. } | Phase::Live { .. } => vec![Effect::TellToken],
            _ => Vec::new(),
        }
    }

    fn token_not_renewed(&mut self, login_ended: bool, cause: &str, now_ms: u64, random: f64) -> Vec<Effect> {
        self.token.renewing = false;
        match self.phase {
            Phase::Renewing if login_ended => self.stop(StopReason::LoginEnded, false),
            Phase::Renewing => self.wait(cause, now_ms, random),
            _ => {
                // The connection lives as long as its token does; what comes then is decided then.
                self.token.renew_ms = if login_ended { None } else { Some(now_ms + RENEW_AGAIN_MS) };
                Vec::new()
            }
        }
    }

    fn tick(&mut self, now_ms: u64, random: f64) -> Vec<Effect> {
        match self.phase.clone() {
            Phase::Opening { deadline_ms } if now_ms >= deadline_ms => {
                self.give_up("the server did not answer", now_ms, random)
            }
            Phase::Greeting { deadline_ms } if !self.stalled && now_ms >= deadline_ms => {
                self.give_up("the server did not greet", now_ms, random)
            }
            Phase::CatchingUp { link } | Phase::Live { link, .. } if !self.stalled && now_ms >= link.silent_at_ms() => {
                self.give_up("the server has gone silent", now_ms, random)
            }
            Phase::Live { leave_at_ms: Some(at_ms), .. } if now_ms >= at_ms => {
                let mut effects = vec![Effect::Hangup];
                effects.extend(self.begin(now_ms));
                effects
            }
            Phase::Live { .. } => {
                let mut effects: Vec<_> = self.say_applied(now_ms).into_iter().collect();
                if !self.token.renewing && self.token.renew_ms.is_some_and(|at_ms| now_ms >= at_ms) {
                    self.token.renewing = true;
                    effects.push(Effect::RenewToken);
                }
                effects
            }
            Phase::Waiting { until_ms } if now_ms >= until_ms => self.begin(now_ms),
            _ => Vec::new(),
        }
    }

    fn say_applied(&mut self, now_ms: u64) -> Option<Effect> {
        if !self.is_live() || self.applied.due_ms().is_none_or(|due_ms| now_ms < due_ms) {
            return None;
        }
        self.applied.said_ms = Some(now_ms);
        self.applied.waiting.take().map(Effect::Applied)
    }

    fn heard(&mut self, now_ms: u64) {
        match &mut self.phase {
            Phase::Greeting { deadline_ms } => *deadline_ms = now_ms + GREETING_MS,
            Phase::CatchingUp { link } | Phase::Live { link, .. } => link.heard_ms = now_ms,
            _ => {}
        }
    }

    fn leave(&mut self, after_ms: u64, now_ms: u64) -> Vec<Effect> {
        let mut effects = vec![Effect::Hangup];
        effects.extend(self.wait_until(now_ms + after_ms, "the server is going away", now_ms));
        effects
    }

    fn give_up(&mut self, cause: &str, now_ms: u64, random: f64) -> Vec<Effect> {
        let mut effects = vec![Effect::Hangup];
        effects.extend(self.wait(cause, now_ms, random));
        effects
    }

    fn wait(&mut self, cause: &str, now_ms: u64, random: f64) -> Vec<Effect> {
        let until_ms = now_ms + backoff::delay_ms(self.attempt, random);
        self.attempt = self.attempt.saturating_add(1);
        self.wait_until(until_ms, cause, now_ms)
    }

    fn wait_until(&mut self, until_ms: u64, cause: &str, now_ms: u64) -> Vec<Effect> {
        self.phase = Phase::Waiting { until_ms };
        vec![Effect::Tell(State::Waiting {
            attempt: self.attempt,
            retry_in: Duration::from_millis(until_ms - now_ms),
            cause: cause.into(),
            by_hand: self.attempt >= backoff::PATIENT_ATTEMPTS,
        })]
    }

    fn stop(&mut self, reason: StopReason, hang_up: bool) -> Vec<Effect> {
        self.phase = Phase::Stopped;
        let tell = Effect::Tell(State::Stopped(reason));
        if hang_up { vec![Effect::Hangup, tell] } else { vec![tell] }
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
