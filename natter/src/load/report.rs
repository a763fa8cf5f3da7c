//! What a run comes to: a table for people, JSON for programs.

use std::fmt::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::tally::{Counts, Summary};

#[derive(Debug, Serialize)]
pub struct Report {
    pub users: usize,
    pub gateways: Vec<String>,
    pub rate: u32,
    pub seconds: f64,
    pub encoding: &'static str,
    pub text_bytes: usize,
    pub seed: u64,
    /// Limits of the deployment that this run lifts for its users.
    pub raised_limits: Vec<String>,
    #[serde(flatten)]
    pub counts: Counts,
    pub lost: u64,
    /// Sent, and at the end neither acknowledged nor refused: their outcome is not known.
    pub unanswered: u64,
    /// Messages acknowledged per second of the run.
    pub acknowledged_per_second: f64,
    /// How long after the last message the last answer or delivery was waited for.
    pub settled_after_seconds: f64,
    pub send_to_ok: Summary,
    pub send_to_delivery: Summary,
    /// What this program itself used, in cores.
    pub generator_cores: f64,
}

impl Report {
    /// Whether the deployment kept its promises.
    pub fn is_good(&self) -> bool {
        self.lost == 0 && self.counts.twice == 0 && self.counts.out_of_order == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        writeln!(
            f,
            "{} users on {} ({}), {} messages a second for {:.1} s, {} bytes of text",
            self.users,
            self.gateways.join(" and "),
            self.encoding,
            self.rate,
            self.seconds,
            self.text_bytes,
        )?;
        for limit in &self.raised_limits {
            writeln!(f, "raised: {limit}")?;
        }
        writeln!(f)?;
        let mut rows = vec![
            ("sent", counts.sent.to_string()),
            ("acknowledged", format!("{} ({:.1} a second)", counts.acknowledged, self.acknowledged_per_second)),
            ("delivered", counts.delivered.to_string()),
            ("lost", self.lost.to_string()),
            ("twice", counts.twice.to_string()),
            ("out of order", counts.out_of_order.to_string()),
        ];
        let optional = [
            ("refused", by_code(&counts.refused), counts.all_refused()),
            ("sent again", by_code(&counts.again), counts.again.values().sum()),
            ("no answer", self.unanswered.to_string(), self.unanswered),
            ("not sent", format!("{}: too many of a user's waited", counts.not_sent), counts.not_sent),
            ("reconnects", counts.reconnects.to_string(), counts.reconnects),
            ("resets", format!("{}: what they skipped counts as lost", counts.resets), counts.resets),
        ];
        rows.extend(optional.into_iter().filter(|(.., count)| *count > 0).map(|(name, value, _)| (name, value)));
        for (name, value) in rows {
            writeln!(f, "{name:>14}  {value}")?;
        }
        writeln!(f, "\n{:>14}  {:>9} {:>9} {:>9} {:>9} {:>9}", "", "p50", "p90", "p99", "p99.9", "max")?;
        for (name, times) in [("send to ok", &self.send_to_ok), ("to delivery", &self.send_to_delivery)] {
            write!(f, "{name:>14} ")?;
            for ms in [times.p50_ms, times.p90_ms, times.p99_ms, times.p999_ms, times.max_ms] {
                write!(f, " {:>9}", milliseconds(ms))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\nTimes run from when a message was due, not from when it could be sent.")?;
        let per_message = self.generator_cores / self.acknowledged_per_second.max(1.0) * 1e6;
        write!(f, "This program used {:.2} cores: {per_message:.0} µs a message, both ends.", self.generator_cores)
    }
}

fn by_code(codes: &std::collections::BTreeMap<String, u64>) -> String {
    codes.iter().fold(String::new(), |mut text, (code, count)| {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}{count} {code}");
        text
    })
}

fn milliseconds(ms: f64) -> String {
    if ms < 100.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

/// One line, each second of a run.
pub fn progress(at: Duration, counts: &Counts, before: &Counts, p99: (Duration, Duration)) -> String {
    let ms = |duration: Duration| milliseconds(duration.as_secs_f64() * 1_000.0);
    let mut line = format!(
        "{:>4} s  sent {} (+{})  acknowledged {} (+{})  delivered {} (+{})  p99 {} to ok, {} to delivery",
        at.as_secs(),
        counts.sent,
        counts.sent - before.sent,
        counts.acknowledged,
        counts.acknowledged - before.acknowledged,
        counts.delivered,
        counts.delivered - before.delivered,
        ms(p99.0),
        ms(p99.1),
    );
    let troubles = [
        ("twice", counts.twice),
        ("out of order", counts.out_of_order),
        ("refused", counts.all_refused()),
        ("sent again", counts.again.values().sum()),
        ("not sent", counts.not_sent),
        ("reconnects", counts.reconnects),
    ];
    for (name, count) in troubles.into_iter().filter(|(_, count)| *count > 0) {
        let _ = write!(line, "  {name} {count}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::tally::Latencies;
    use super::*;

    fn report() -> Report {
        let mut times = Latencies::default();
        for us in 1..=1_000_u64 {
            times.record_ns(us * 1_000);
        }
        Report {
            users: 2,
            gateways: vec!["http://a:1".into(), "http://b:2".into()],
            rate: 500,
            seconds: 2.0,
            encoding: "json",
            text_bytes: 100,
            seed: 1,
            raised_limits: vec!["messages of a user in 10 s: 10 → 5100".into()],
            counts: Counts { sent: 1_000, acknowledged: 1_000, delivered: 1_000, ..Counts::default() },
            lost: 0,
            unanswered: 0,
            acknowledged_per_second: 500.0,
            settled_after_seconds: 0.1,
            send_to_ok: times.summary(),
            send_to_delivery: times.summary(),
            generator_cores: 0.05,
        }
    }

    #[test]
    fn lost_twice_or_out_of_order_is_not_good() {
        assert!(report().is_good());
        assert!(!Report { lost: 1, ..report() }.is_good());
        for bad in [Counts { twice: 1, ..Counts::default() }, Counts { out_of_order: 1, ..Counts::default() }] {
            assert!(!Report { counts: bad, ..report() }.is_good());
        }
        let refused = Counts { refused: [("blocked".to_owned(), 3)].into(), ..Counts::default() };
        assert!(Report { counts: refused, ..report() }.is_good(), "refused is not broken");
    }

    #[test]
    fn the_table_says_everything_that_was_promised() {
        let table = report().to_string();
        for part in [
            "2 users on http://a:1 and http://b:2 (json)",
            "raised: messages of a user in 10 s: 10 → 5100",
            "          sent  1000",
            "  acknowledged  1000 (500.0 a second)",
            "     delivered  1000",
            "          lost  0",
            "         twice  0",
            "  out of order  0",
            "0.50 ms",
            "100 µs a message",
        ] {
            assert!(table.contains(part), "{part} is not in\n{table}");
        }
        assert!(!table.contains("refused"), "what did not happen is not listed");
    }

    #[test]
    fn json_has_the_same_figures() {
        let json = serde_json::to_value(report()).expect("JSON");
        assert_eq!(
            (&json["sent"], &json["lost"], &json["send_to_ok"]["max_ms"]),
            (&1_000.into(), &0.into(), &1.0.into())
        );
    }
}
