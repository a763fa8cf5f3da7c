//! What was counted and measured, over all users.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies above this are this.
const LONGEST_US: u64 = 3_600_000_000;
const DIGITS: u8 = 3;

/// Times in microseconds.
#[derive(Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        // Bounds that are right by construction.
        #[allow(clippy::expect_used)]
        Self(Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("good bounds"))
    }
}

impl Latencies {
    pub fn record_ns(&mut self, ns: u64) {
        self.0.saturating_record((ns / 1_000).max(1));
    }

    pub fn reset(&mut self) {
        self.0.reset();
    }

    pub fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(quantile))
    }

    pub fn summary(&self) -> Summary {
        let ms = |us: u64| us as f64 / 1_000.0;
        Summary {
            samples: self.0.len(),
            p50_ms: ms(self.0.value_at_quantile(0.5)),
            p90_ms: ms(self.0.value_at_quantile(0.9)),
            p99_ms: ms(self.0.value_at_quantile(0.99)),
            p999_ms: ms(self.0.value_at_quantile(0.999)),
            max_ms: ms(self.0.max()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub samples: u64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// Counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Given to a socket.
    pub sent: u64,
    /// Answered with `ok`.
    pub acknowledged: u64,
    /// Received by the other side, once.
    pub delivered: u64,
    pub twice: u64,
    pub out_of_order: u64,
    /// Due, but not sent: the user's bound of waiting messages was reached.
    pub not_sent: u64,
    /// Answered with an error that is not worth another try, by code.
    pub refused: BTreeMap<String, u64>,
    /// Tried again with the same id, by code of the temporary refusal, or `reconnect`.
    pub again: BTreeMap<String, u64>,
    pub reconnects: u64,
    /// Sessions that were told to read history again, which this program does not.
    pub resets: u64,
}

impl Counts {
    pub fn all_refused(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// Everything that users count into.
#[derive(Debug, Default)]
pub struct Tally {
    pub counts: Counts,
    pub to_ok: Latencies,
    pub to_delivery: Latencies,
    /// The same for the second that runs.
    pub second_to_ok: Latencies,
    pub second_to_delivery: Latencies,
}

impl Tally {
    pub fn acknowledged(&mut self, ns: u64) {
        self.counts.acknowledged += 1;
        self.to_ok.record_ns(ns);
        self.second_to_ok.record_ns(ns);
    }

    pub fn delivered(&mut self, ns: u64) {
        self.counts.delivered += 1;
        self.to_delivery.record_ns(ns);
        self.second_to_delivery.record_ns(ns);
    }
}
