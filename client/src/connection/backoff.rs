//! How long to wait before the next attempt (HRT5).

/// The first wait is at most this.
const BASE_MS: u64 = 1_000;
/// No wait is longer than this.
pub(crate) const LONGEST_MS: u64 = 30_000;
/// After so many attempts, people are offered a retry by hand.
pub(crate) const PATIENT_ATTEMPTS: u32 = 10;

/// The wait after `attempt` attempts that failed (0 for the first), with `random` from 0 up to 1.
pub(crate) fn delay_ms(attempt: u32, random: f64) -> u64 {
    if attempt >= PATIENT_ATTEMPTS {
        return LONGEST_MS;
    }
    let most = (BASE_MS << attempt).min(LONGEST_MS);
    // Truncation is meant: whole milliseconds, never more than `most`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let delay = (most as f64 * random.clamp(0.0, 1.0)) as u64;
    delay
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hrt5_the_wait_is_random_below_a_bound_that_doubles() {
        let bounds: Vec<_> = (0..10).map(|attempt| delay_ms(attempt, 1.0)).collect();
        assert_eq!(bounds, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
        assert_eq!((delay_ms(0, 0.0), delay_ms(3, 0.5)), (0, 4_000));
    }

    #[test]
    fn hrt5_after_ten_attempts_every_thirty_seconds() {
        for attempt in [10, 11, 63, 64, u32::MAX] {
            assert_eq!(delay_ms(attempt, 0.1), 30_000);
        }
    }
}
