//! When a message is due, to the point. The runtime's timers have a granularity of a millisecond, which is as much as what is
//! to be measured; a thread that sleeps wakes within some fifty microseconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Never sleeps for less: at high rates several messages go at once, and their delay counts as latency.
const GRAIN: Duration = Duration::from_micros(200);
/// Never sleeps for longer without looking whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Calls `give` with the number of each of `messages` messages and when it was due, never early, until `stop` is set. One
/// that is late is given at once. To be run on a thread of its own.
pub fn pace(messages: u64, due: impl Fn(u64) -> Instant, stop: &AtomicBool, mut give: impl FnMut(u64, Instant)) {
    for number in 0..messages {
        let due = due(number);
        loop {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let now = Instant::now();
            if due <= now {
                break;
            }
            std::thread::sleep((due - now).clamp(GRAIN, LOOK));
        }
        give(number, due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_given_in_turn_and_never_early() {
        let began = Instant::now();
        let due = |number: u64| began + Duration::from_micros(number * 700);
        let mut given = Vec::new();
        pace(50, due, &AtomicBool::new(false), |number, due| {
            assert!(Instant::now() >= due);
            given.push(number);
        });
        assert_eq!(given, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_late_is_given_at_once_and_counts_from_when_it_was_due() {
        let Some(began) = Instant::now().checked_sub(Duration::from_secs(3600)) else { return };
        let mut last = None;
        pace(1_000, |number| began + Duration::from_secs(number), &AtomicBool::new(false), |_, due| last = Some(due));
        assert_eq!(last, Some(began + Duration::from_secs(999)));
    }

    #[test]
    fn it_stops_when_told() {
        let stop = AtomicBool::new(false);
        let mut given = 0;
        pace(
            u64::MAX,
            |_| Instant::now(),
            &stop,
            |_, _| {
                given += 1;
                stop.store(given == 10, Ordering::Relaxed);
            },
        );
        assert_eq!(given, 10);
    }
}
