//! What a service tells its operator: log lines and metrics.

mod format;
mod logs;
mod metrics;
mod process;

pub use logs::{LogFormat, LogOptions, TelemetryError, init_logs};
pub use metrics::{Metrics, install_metrics};
