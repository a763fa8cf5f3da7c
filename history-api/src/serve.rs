//! The history API as a service of its own.

use std::io;
use std::time::Duration;

use natter_platform::Shutdown;
use natter_platform::http::{LayerOptions, ServeOptions, layered};
use natter_platform::ops::{Ops, Readiness};
use natter_platform::telemetry::Metrics;
use tokio::net::TcpListener;

use crate::{History, router, watch};

/// No route takes a body.
const MAX_BODY_BYTES: usize = 1024;
/// Longest that connections to PostgreSQL are waited for at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves `/history`, `/health`, `/ready` and `/metrics` until the stop.
pub async fn serve(listener: TcpListener, history: History, metrics: Metrics, shutdown: Shutdown) -> io::Result<()> {
    let readiness = Readiness::new(&shutdown);
    watch(&history, &readiness);
    let ops = Ops { readiness, metrics, clock: history.clock().clone() };
    let layers = LayerOptions { max_body_bytes: MAX_BODY_BYTES, request_timeout: history.request_timeout() };
    let router = layered(router(history.clone()).merge(ops.router()), &layers);
    let served = natter_platform::http::serve(listener, router, ServeOptions::default(), shutdown).await;
    if tokio::time::timeout(CLOSE_TIMEOUT, history.database().close()).await.is_err() {
        tracing::warn!("connections to PostgreSQL did not close in time");
    }
    served
}
