//! What a router answers where it has no route.

use http::StatusCode;
use natter_protocol::ErrorCode;

use super::Problem;

/// For `Router::fallback`: there is nothing at this path.
pub async fn not_found() -> Problem {
    Problem::new(ErrorCode::NotFound, "there is nothing at this path")
}

/// For `Router::method_not_allowed_fallback`: the path takes other methods; axum adds the `Allow` header.
pub async fn method_not_allowed() -> Problem {
    Problem::new(ErrorCode::Invalid, "this path does not take this method").with_status(StatusCode::METHOD_NOT_ALLOWED)
}
