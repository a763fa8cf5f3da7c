//! What is known of each request afterwards: an id, a log line, a measurement.
//!
//! Logged are the method, the route that matched (`/api/rooms/{id}`, never the path itself), the status and the time. Never
//! a query string, a header, a body or an address: they may hold tokens and say who talks to whom.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use natter_protocol::ErrorCode;
use tracing::Instrument;
use uuid::Uuid;

use crate::Problem;

/// Longest request id that is taken over from the client or a proxy.
pub const MAX_REQUEST_ID_CHARS: usize = 64;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: in its span, in the response's `X-Request-Id`, and in the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    /// The id that came along, if it has the form of one, or a new one.
    fn of(headers: &HeaderMap) -> Self {
        let plain = |id: &&str| {
            (1..=MAX_REQUEST_ID_CHARS).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(plain);
        Self(given.map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned))
    }
}

pub(super) async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers());
    let method = known(request.method());
    let path =
        request.extensions().get::<MatchedPath>().map_or_else(|| "(none)".to_owned(), |path| path.as_str().to_owned());
    request.extensions_mut().insert(id.clone());

    let span = tracing::info_span!("request", request = id.0, method, path);
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = run.instrument(span.clone()).await.unwrap_or_else(|_| {
        // The panic itself is in the log already, from where it happened.
        metrics::counter!("natter_http_panics_total", "path" => path.clone()).increment(1);
        Problem::new(ErrorCode::Internal, "something went wrong on our side").into_response()
    });

    let (status, took) = (response.status(), started.elapsed());
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let labels = [("method", method.to_owned()), ("path", path), ("status", status.as_str().to_owned())];
    metrics::histogram!("natter_http_request_duration_seconds", &labels).record(took.as_secs_f64());
    let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), duration_us, "request");
        } else {
            tracing::debug!(status = status.as_u16(), duration_us, "request");
        }
    });
    response
}

/// A client may make methods up; a metric has only so many series.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_taken_over_only_in_its_plain_form() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(value).expect("a header"));
            RequestId::of(&headers).0
        };
        assert_eq!(of("a-B_1.2"), "a-B_1.2");
        for hostile in ["", "a b", "x;y", "<script>", &"a".repeat(MAX_REQUEST_ID_CHARS + 1)] {
            let id = of(hostile);
            assert!(id != hostile && id.len() == 32, "{hostile:?} became {id:?}");
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
