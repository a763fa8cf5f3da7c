//! `POST /auth/logout`: ends the login that the cookie continues. Without one there is nothing to end, and that is what
//! was asked for.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use natter_platform::Problem;

use super::AccountService;
use super::cookie;
use super::request::{ClientAddress, require_client_header};

pub(super) async fn logout(
    State(service): State<Arc<AccountService>>,
    from: ClientAddress,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    require_client_header(&headers)?;
    service.limits.refresh(from)?;
    if let Some(token) = cookie::read(&headers)
        && let Some((session, revision)) = service.sessions.get(token.session).await?
        // Any secret that ever was one of this login's is enough to end it.
        && session.proves(&token)
    {
        service.end_login(token.session, session, revision).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie::clear(service.config.secure_cookies))]).into_response())
}
