//! Time as a parameter, so that what depends on it can be tested without waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time, as the services are told it. Cheap to clone; clones share one time.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System { started: Instant },
    Manual { clock: ManualClock, started_ms: u64 },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Kind::System { started: Instant::now() })
    }

    /// A clock that stands still until it is moved.
    pub fn manual(unix_ms: u64) -> (Self, ManualClock) {
        let clock = ManualClock(Arc::new(AtomicU64::new(unix_ms)));
        (Self(Kind::Manual { clock: clock.clone(), started_ms: unix_ms }), clock)
    }

    /// Milliseconds since 1970, UTC.
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Kind::System { .. } => {
                // Before 1970 there is no chat: a machine set so far back reads as 1970.
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            }
            Kind::Manual { clock, .. } => clock.now_ms(),
        }
    }

    /// Whole seconds since 1970, UTC, as tokens count them.
    pub fn now_s(&self) -> u64 {
        self.now_ms() / 1000
    }

    /// How long since the clock was made; unlike [`now_ms`](Self::now_ms) it never goes back when the machine's time is
    /// corrected.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Kind::System { started } => started.elapsed(),
            Kind::Manual { clock, started_ms } => Duration::from_millis(clock.now_ms().saturating_sub(*started_ms)),
        }
    }
}

/// The hands of a clock made by [`Clock::manual`].
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Milliseconds since 1970, UTC.
    pub fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Moves the time on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Sets the time, back too.
    pub fn set_ms(&self, unix_ms: u64) {
        self.0.store(unix_ms, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let (clock, hands) = Clock::manual(5_000);
        let copy = clock.clone();
        assert_eq!((clock.now_ms(), clock.elapsed()), (5_000, Duration::ZERO));
        hands.advance(Duration::from_millis(1_500));
        assert_eq!((copy.now_ms(), copy.now_s(), copy.elapsed()), (6_500, 6, Duration::from_millis(1_500)));
        hands.set_ms(1_000);
        assert_eq!((copy.now_ms(), copy.elapsed()), (1_000, Duration::ZERO));
    }

    #[test]
    fn the_system_clock_is_the_machines() {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        let now = u128::from(Clock::system().now_ms());
        let after = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        assert!((before..=after).contains(&now), "{before} {now} {after}");
    }
}
