//! One id, one event, for ever (D10, CMD2, CMD3).
//!
//! A client id carries its own time. While that is fresh, the broker's window of message ids still covers every attempt
//! that could have stored it, so it is appended without asking. Any other id is looked up in history first.

use natter_events::ClientId;
use natter_protocol::limits::{FRESH_FUTURE_MS, FRESH_PAST_MS};

/// The broker forgets message ids after this long; what history says has to be at least as new.
pub const WINDOW_MS: i64 = 120_000;

/// Whether an id may be appended without looking it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    Fresh,
    /// Made too long ago, or ahead of this gateway's clock.
    Stale,
    /// Not a UUIDv7: it has no time, and is refused.
    Timeless,
}

/// Judges an id by the gateway's clock.
pub fn freshness(id: ClientId, now_ms: u64) -> Freshness {
    let Some(made_at_ms) = id.made_at_ms() else { return Freshness::Timeless };
    let earliest = now_ms.saturating_sub(FRESH_PAST_MS);
    let latest = now_ms.saturating_add(FRESH_FUTURE_MS);
    if (earliest..=latest).contains(&made_at_ms) { Freshness::Fresh } else { Freshness::Stale }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn cmd2_an_id_is_fresh_from_60_s_before_to_5_s_after_the_clock() {
        let now = 1_790_000_000_000;
        for (made, expected) in [
            (now, Freshness::Fresh),
            (now - 60_000, Freshness::Fresh),
            (now - 60_001, Freshness::Stale),
            (now + 5_000, Freshness::Fresh),
            (now + 5_001, Freshness::Stale),
            (0, Freshness::Stale),
        ] {
            assert_eq!(freshness(ClientId::at(made), now), expected, "made {made}");
        }
        assert_eq!(freshness(ClientId::at(0), 0), Freshness::Fresh);
    }

    #[test]
    fn cmd2_an_id_without_a_time_is_no_client_id() {
        assert_eq!(freshness(ClientId::from(Uuid::new_v4()), 1), Freshness::Timeless);
        assert_eq!(freshness(ClientId::from(Uuid::nil()), 1), Freshness::Timeless);
    }
}
