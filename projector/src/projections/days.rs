//! Where each day of the log begins, and what is let go of as days and hours pass.
//!
//! Time here is the log's: a replay lets go of the same things at the same events.

use std::time::Duration;

use sqlx::PgConnection;
use time::{Date, OffsetDateTime, UtcOffset};

/// The days that begin in a batch.
#[derive(Debug)]
pub(crate) struct Days {
    /// The latest time so far. The broker's clock may be set back; the log's time is not.
    now: Option<OffsetDateTime>,
    began: Option<OffsetDateTime>,
    days: Vec<(Date, u64)>,
}

impl Days {
    /// After what happened up to `event_at`.
    pub fn after(event_at: Option<OffsetDateTime>) -> Self {
        Self { now: event_at, began: event_at, days: Vec::new() }
    }

    pub fn passed(&mut self, seq: u64, at: OffsetDateTime) {
        let at = at.to_offset(UtcOffset::UTC);
        if self.now.is_none_or(|now| day(now) < day(at)) {
            self.days.push((day(at), seq));
        }
        self.now = self.now.max(Some(at));
    }

    /// The log's time with this batch.
    pub fn now(&self) -> Option<OffsetDateTime> {
        self.now
    }

    /// Whether a day begins in this batch.
    pub fn has_new(&self) -> bool {
        !self.days.is_empty()
    }

    /// The hour that this batch ends in, if it did not begin in it.
    pub fn new_hour(&self) -> Option<OffsetDateTime> {
        let (began, now) = (self.began.map(hour), self.now.map(hour)?);
        (began != Some(now)).then_some(now)
    }

    pub async fn write(&self, transaction: &mut PgConnection, changes_kept_days: u16) -> Result<(), sqlx::Error> {
        let Some((today, _)) = self.days.last() else { return Ok(()) };
        sqlx::query(
            "insert into days (day, first_seq) select * from unnest($1::date[], $2::int8[]) on conflict do nothing",
        )
        .bind(self.days.iter().map(|(day, _)| *day).collect::<Vec<_>>())
        .bind(self.days.iter().map(|(_, seq)| seq.cast_signed()).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
        let oldest_kept = today.checked_sub(time::Duration::days(changes_kept_days.into())).unwrap_or(Date::MIN);
        sqlx::query(
            "update changes_kept set after_seq = greatest(after_seq, \
               (select first_seq - 1 from days where day >= $1 order by day limit 1))",
        )
        .bind(oldest_kept)
        .execute(transaction)
        .await?;
        Ok(())
    }
}

/// Revocations from before this are of no use at `now`: their tokens have ended. Whole hours, so that there is little to do.
pub(crate) fn oldest_revocation(now: Option<OffsetDateTime>, kept: Duration) -> OffsetDateTime {
    let oldest = now.map(hour).and_then(|hour| hour.checked_sub(kept.try_into().unwrap_or(time::Duration::MAX)));
    oldest.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn day(at: OffsetDateTime) -> Date {
    at.to_offset(UtcOffset::UTC).date()
}

fn hour(at: OffsetDateTime) -> OffsetDateTime {
    let seconds = at.unix_timestamp();
    OffsetDateTime::from_unix_timestamp(seconds - seconds.rem_euclid(3600)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn a_day_begins_at_its_first_event_whatever_the_clock_does_after() {
        let mut days = Days::after(Some(datetime!(2026-01-31 23:59 UTC)));
        for (seq, at) in [
            (8, datetime!(2026-01-31 23:59:59 UTC)),
            (9, datetime!(2026-02-01 01:00 +1)),
            (10, datetime!(2026-01-31 23:59 UTC)),
            (11, datetime!(2026-02-01 00:00 UTC)),
            (12, datetime!(2026-02-03 00:00 UTC)),
        ] {
            days.passed(seq, at);
        }
        assert_eq!(days.days, [(date!(2026 - 02 - 01), 9), (date!(2026 - 02 - 03), 12)]);
        assert_eq!(days.new_hour(), Some(datetime!(2026-02-03 00:00 UTC)));
        assert_eq!(days.now(), Some(datetime!(2026-02-03 00:00 UTC)));
    }

    #[test]
    fn an_hour_is_new_once() {
        let mut days = Days::after(Some(datetime!(2026-01-01 10:10 UTC)));
        days.passed(1, datetime!(2026-01-01 10:59 UTC));
        assert_eq!((days.new_hour(), days.has_new()), (None, false));
        assert_eq!(oldest_revocation(days.now(), Duration::from_secs(3600)), datetime!(2026-01-01 09:00 UTC));
    }
}
