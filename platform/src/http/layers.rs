//! What every router wears: observation, deadlines, limits, security headers, and answers where there is no route.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use natter_protocol::ErrorCode;

use super::observe::observe;
use crate::Problem;
use crate::problem;

/// The headers that every answer has, unless the handler set another value.
const SECURITY_HEADERS: [(HeaderName, &str); 8] = [
    // An answer of an API is no page: it may load nothing and be framed by nobody. Pages bring their own policy.
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Told to whom the time ran out for.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The bounds of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerOptions {
    /// Largest body. A route may set its own with [`body_limit`].
    pub max_body_bytes: usize,
    /// How long a handler may take until its answer begins, the reading of the body included. What it streams afterwards
    /// is not counted, nor an upgraded socket.
    pub request_timeout: Duration,
}

impl Default for LayerOptions {
    fn default() -> Self {
        Self { max_body_bytes: 128 * 1024, request_timeout: Duration::from_secs(30) }
    }
}

/// The router with all of it. Call it last, on the whole router: what is added afterwards does not wear it.
pub fn layered(router: Router, options: &LayerOptions) -> Router {
    let timeout = options.request_timeout;
    router
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(body_limit(options.max_body_bytes))
        .layer(from_fn(move |request: Request, next: Next| deadline(timeout, request, next)))
        .layer(from_fn(observe))
        // Outermost, so that what the observer answers after a panic has them too.
        .layer(from_fn(security_headers))
}

/// A layer that refuses larger bodies, for one route or for many.
pub fn body_limit(max_bytes: usize) -> DefaultBodyLimit {
    DefaultBodyLimit::max(max_bytes)
}

/// Middleware that sets the headers which keep browsers from doing harm with an answer, where they are not set.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn deadline(timeout: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let problem = Problem::new(ErrorCode::Unavailable, "the request took too long");
            problem.retry_after(RETRY_AFTER).into_response()
        }
    }
}
