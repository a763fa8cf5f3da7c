//! One id, one event, for ever (D10, CMD2, CMD3).
//!
//! A client id carries its own time. While that is fresh, the broker's window of message ids still covers every attempt
//! that could have stored it, so it is appended without asking. Any other id is looked up in history first. One of a time
//! to come is stored no sooner than it is fresh: stored now, it would be fresh again when the broker has forgotten it.
//!
//! The broker forgets a message id after 120 s. An id is fresh for 60 s, and history may be 60 s behind; what is left of the
//! window is for what lies between deciding and storing, and for clocks of gateways and broker that differ.

use natter_events::ClientId;
use natter_protocol::limits::{FRESH_FUTURE_MS, FRESH_PAST_MS};

/// How far what history says of an id may lie behind the log.
pub const HISTORY_LAG_MS: i64 = 60_000;

/// How long before the time in its id a command may have been stored, as fresh by the clock of a gateway that is behind.
pub const EARLIEST_MS: i64 = 35_000;

/// Whether an id may be appended without looking it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    Fresh,
    /// Made too long ago.
    Old,
    /// Made ahead of this gateway's clock, by so much that it is fresh only in a while.
    Ahead {
        fresh_in_ms: u64,
    },
    /// Not a UUIDv7: it has no time, and is refused.
    Timeless,
}

/// Judges an id by the gateway's clock.
pub fn freshness(id: ClientId, now_ms: u64) -> Freshness {
    let Some(made_at_ms) = id.made_at_ms() else { return Freshness::Timeless };
    let latest = now_ms.saturating_add(FRESH_FUTURE_MS);
    if made_at_ms < now_ms.saturating_sub(FRESH_PAST_MS) {
        Freshness::Old
    } else if made_at_ms > latest {
        Freshness::Ahead { fresh_in_ms: made_at_ms - latest }
    } else {
        Freshness::Fresh
    }
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
            (now - 60_001, Freshness::Old),
            (now + 5_000, Freshness::Fresh),
            (now + 5_001, Freshness::Ahead { fresh_in_ms: 1 }),
            (0, Freshness::Old),
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
