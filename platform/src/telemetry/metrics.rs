//! Metrics: one recorder per process, rendered in the Prometheus text format on request.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;

use super::{TelemetryError, process};
use crate::lifecycle::{Policy, Tasks};

/// Seconds: from what the machine does by itself to what a person gives up on.
const SECONDS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How often samples are folded into their histograms, when nobody reads them. Between two folds they take memory.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static INSTALLED: Mutex<Option<Metrics>> = Mutex::new(None);

/// The process's metrics.
#[derive(Clone)]
pub struct Metrics(Arc<PrometheusHandle>);

impl Metrics {
    /// Everything that was measured, and the process itself, as Prometheus reads it.
    pub fn render(&self) -> String {
        let mut text = self.0.render();
        process::render(&mut text);
        text
    }

    /// Keeps the memory of histograms bounded while nobody asks for the metrics. One of the service's tasks.
    pub fn keep_up(&self, tasks: &Tasks) {
        tasks.spawn("metrics upkeep", Policy::Background, fold_samples(self.clone()));
    }
}

async fn fold_samples(metrics: Metrics) -> Result<(), Infallible> {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        metrics.0.run_upkeep();
    }
}

/// The process's recorder, installed at the first call. Histograms whose name ends in `_seconds` have buckets for times.
pub fn install_metrics() -> Result<Metrics, TelemetryError> {
    let mut installed = INSTALLED.lock();
    if let Some(metrics) = &*installed {
        return Ok(metrics.clone());
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
    let handle = builder.and_then(PrometheusBuilder::install_recorder);
    let metrics = Metrics(Arc::new(handle.map_err(|error| TelemetryError::Metrics(error.into()))?));
    *installed = Some(metrics.clone());
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_rendered_and_installing_twice_is_the_same_recorder() {
        install_metrics().expect("the first time");
        metrics::counter!("natter_test_total", "kind" => "a\"b").increment(3);
        metrics::histogram!("natter_test_duration_seconds").record(0.004);
        let text = install_metrics().expect("the second time").render();
        for expected in [
            "natter_test_total{kind=\"a\\\"b\"} 3",
            "natter_test_duration_seconds_bucket{le=\"0.005\"} 1",
            "natter_test_duration_seconds_bucket{le=\"0.0025\"} 0",
            "process_resident_memory_bytes ",
        ] {
            assert!(text.contains(expected), "no {expected} in\n{text}");
        }
    }
}
