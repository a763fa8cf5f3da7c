//! Requests and answers over HTTP: one client, bounded in time and size, problems as typed errors.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use natter_protocol::http::ProblemDocument;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::{HttpError, Refused};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer that is read: a page of 200 messages of 8,000 characters each, and room.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// What this client calls itself. The header tells the server that no page of another site made the request.
const NAME: &str = concat!("natter-client/", env!("CARGO_PKG_VERSION"));
const CLIENT_HEADER: HeaderName = HeaderName::from_static("natter-client");

/// A client for HTTP requests.
pub(crate) fn client() -> Result<reqwest::Client, HttpError> {
    reqwest::Client::builder()
        .timeout(REQUEST_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(NAME)
        .default_headers(HeaderMap::from_iter([(CLIENT_HEADER, HeaderValue::from_static(NAME))]))
        .build()
        .map_err(HttpError::Unreachable)
}

/// Sends a request and reads its JSON answer.
pub(crate) async fn json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, HttpError> {
    let response = send(request).await?;
    let status = response.status().as_u16();
    let body = body(response).await?;
    serde_json::from_slice(&body).map_err(|_| HttpError::Unexpected { status })
}

/// Sends a request; an answer that is not a success is an error.
pub(crate) async fn send(request: RequestBuilder) -> Result<Response, HttpError> {
    let response = request.send().await.map_err(HttpError::Unreachable)?;
    if response.status().is_success() { Ok(response) } else { Err(refused(response).await) }
}

/// Reads an answer's body, up to a bound.
pub(crate) async fn body(mut response: Response) -> Result<Vec<u8>, HttpError> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(HttpError::Unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(HttpError::Unexpected { status });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn refused(response: Response) -> HttpError {
    let status = response.status();
    let retry_header = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let body = match body(response).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    let Ok(problem) = serde_json::from_slice::<ProblemDocument>(&body) else {
        return unexplained(status, retry_header);
    };
    HttpError::Refused(Refused {
        code: problem.code,
        message: problem.detail.unwrap_or(problem.title),
        retry_after: problem.retry_after_ms.map(Duration::from_millis).or(retry_header.map(Duration::from_secs)),
    })
}

/// An answer without a problem document: a proxy's, most likely.
fn unexplained(status: StatusCode, retry_after_s: Option<u64>) -> HttpError {
    let code = match status {
        StatusCode::UNAUTHORIZED => natter_protocol::ErrorCode::Unauthenticated,
        StatusCode::TOO_MANY_REQUESTS => natter_protocol::ErrorCode::RateLimited,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            natter_protocol::ErrorCode::Unavailable
        }
        _ => return HttpError::Unexpected { status: status.as_u16() },
    };
    HttpError::Refused(Refused {
        code,
        message: status.to_string(),
        retry_after: retry_after_s.map(Duration::from_secs),
    })
}
