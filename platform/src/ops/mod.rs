//! The operator's doors: is it alive, is it ready, what does it measure.

mod readiness;

pub use readiness::{Check, Finding, Readiness, Report};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use natter_protocol::http::Health;
use natter_protocol::timestamp::Timestamp;

use crate::Clock;
use crate::telemetry::Metrics;

/// What the doors need.
#[derive(Clone)]
pub struct Ops {
    /// What the service depends on.
    pub readiness: Readiness,
    /// What it measures.
    pub metrics: Metrics,
    /// What time it is.
    pub clock: Clock,
}

impl Ops {
    /// `GET /health`, `/ready` and `/metrics`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/health", get(health))
            .route("/ready", get(ready))
            .route("/metrics", get(render_metrics))
            .with_state(self)
    }
}

/// Says that the process runs and answers: it asks nobody, so that a broker which is down restarts no gateway.
async fn health(State(ops): State<Ops>) -> Json<Health> {
    let timestamp = Timestamp(i64::try_from(ops.clock.now_ms()).unwrap_or(i64::MAX));
    Json(Health { status: "ok".to_owned(), timestamp })
}

async fn ready(State(ops): State<Ops>) -> Response {
    let report = ops.readiness.report().await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

async fn render_metrics(State(ops): State<Ops>) -> Response {
    // What the service depends on is measured when somebody looks (`natter_ready`, `natter_degraded`).
    ops.readiness.report().await;
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], ops.metrics.render()).into_response()
}
