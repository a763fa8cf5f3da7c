//! Errors over HTTP: problem documents (RFC 9457) that carry the wire's code.
//!
//! ```json
//! {"type":"about:blank","title":"Too Many Requests","status":429,"code":"rate_limited","detail":"…","temporary":true,"retry_after_ms":1200}
//! ```
//!
//! The code says what a program should do, `detail` is for people. A detail never repeats a secret, and what went wrong
//! inside stays inside: [`Problem::internal`] logs it and tells the client nothing.

mod extract;
mod fallback;

pub use extract::{JsonBody, PathParams, QueryParams};
pub use fallback::{method_not_allowed, not_found};

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use natter_protocol::ErrorCode;
use natter_protocol::http::ProblemDocument;

use crate::error::chain;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What a client is told when its request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    code: ErrorCode,
    status: StatusCode,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem with the code's own status.
    pub fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code, status, detail: detail.into(), retry_after: None }
    }

    /// Something went wrong in here. The error and its sources are logged, the client learns only that.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "a request failed");
        Self::new(ErrorCode::Internal, "something went wrong on our side")
    }

    /// The same problem with another status, where HTTP has a more exact one (415, 405, 410).
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same problem, saying when it is worth to try again.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The wire's code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What went wrong, for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// How long to wait before trying again, if that is known: whole milliseconds, rounded up.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after.map(|wait| u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, "")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after_ms = self.retry_after_ms();
        let document = ProblemDocument {
            kind: "about:blank".to_owned(),
            // Of that type, the title is the phrase of the status (RFC 9457, 4.2.1).
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: (!self.detail.is_empty()).then(|| self.detail.into_owned()),
            code: self.code,
            temporary: self.code.temporary(),
            retry_after_ms,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], body).into_response();
        let headers = response.headers_mut();
        if let Some(ms) = retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests;
