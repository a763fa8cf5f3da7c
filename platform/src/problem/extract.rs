//! axum's extractors with refusals that are problem documents.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::StatusCode;
use http::request::Parts;
use natter_protocol::ErrorCode;
use serde::de::DeserializeOwned;

use super::Problem;

/// A request's JSON body.
#[derive(Clone, Copy, Debug)]
pub struct JsonBody<T>(pub T);

/// A request's query string.
#[derive(Clone, Copy, Debug)]
pub struct QueryParams<T>(pub T);

/// The parameters in a request's path.
#[derive(Clone, Copy, Debug)]
pub struct PathParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(json_problem(&rejection)),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(query_problem(&rejection)),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(path_problem(&rejection)),
        }
    }
}

fn json_problem(rejection: &JsonRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(ErrorCode::TooLarge, "the body is too large").with_status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(ErrorCode::Invalid, "the body has to be application/json, and its content type has to say so")
                .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        }
        _ => Problem::new(ErrorCode::Invalid, rejection.body_text()),
    }
}

fn query_problem(rejection: &QueryRejection) -> Problem {
    Problem::new(ErrorCode::Invalid, rejection.body_text())
}

fn path_problem(rejection: &PathRejection) -> Problem {
    if rejection.status().is_server_error() {
        // The route and the handler disagree: that is our mistake, not the client's.
        Problem::internal(rejection)
    } else {
        Problem::new(ErrorCode::NotFound, rejection.body_text())
    }
}
