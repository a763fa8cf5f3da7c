//! Times as people read them, in a time zone that is passed in.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};
use natter_client::Timestamp;

/// `14:02`
pub fn of_day(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%H:%M").to_string()
}

/// `2026-11-21 14:02:59`
pub fn full(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `Today`, `Yesterday`, or the whole date.
pub fn day(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    match days_before(at, now, zone) {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        _ => zoned(at, zone).strftime("%A, %-d %B %Y").to_string(),
    }
}

/// As short as it can be said: the time today, then the day of the week, then the date.
pub fn short(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    match days_before(at, now, zone) {
        0 => of_day(at, zone),
        1..7 => zoned(at, zone).strftime("%a").to_string(),
        _ => zoned(at, zone).strftime("%d.%m.%y").to_string(),
    }
}

pub fn date(at: Timestamp, zone: &TimeZone) -> Date {
    zoned(at, zone).date()
}

/// Negative for what is still to come, as clocks differ.
fn days_before(at: Timestamp, now: Timestamp, zone: &TimeZone) -> i32 {
    let (at, now) = (date(at, zone), date(now, zone));
    (now - at).get_days()
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    // The server's times are within what can be shown; one that is not is shown as the first.
    Instant::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn the_nearer_the_shorter() {
        let (zone, now) = (TimeZone::UTC, at("2026-11-21T14:02:59.000Z"));
        for (then, short_form, day_form) in [
            ("2026-11-21T09:05:00Z", "09:05", "Today"),
            ("2026-11-20T23:59:59Z", "Fri", "Yesterday"),
            ("2026-11-15T12:00:00Z", "Sun", "Sunday, 15 November 2026"),
            ("2026-11-14T12:00:00Z", "14.11.26", "Saturday, 14 November 2026"),
            ("2025-11-21T12:00:00Z", "21.11.25", "Friday, 21 November 2025"),
        ] {
            assert_eq!(
                (short(at(then), now, &zone).as_str(), day(at(then), now, &zone).as_str()),
                (short_form, day_form)
            );
        }
        assert_eq!(full(now, &zone), "2026-11-21 14:02:59");
    }

    #[test]
    fn a_day_ends_where_the_reader_is() {
        let (now, late) = (at("2026-11-21T01:00:00Z"), at("2026-11-20T23:30:00Z"));
        let berlin = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!((day(late, now, &TimeZone::UTC), day(late, now, &berlin)), ("Yesterday".into(), "Today".into()));
    }

    #[test]
    fn a_time_that_no_calendar_has_is_still_shown() {
        assert_eq!(full(Timestamp(i64::MAX), &TimeZone::UTC), "1970-01-01 00:00:00");
    }
}
