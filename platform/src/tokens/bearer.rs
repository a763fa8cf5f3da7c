//! `Authorization: Bearer`, as an axum extractor. A token in the URL is refused even where there is one in the header:
//! URLs end up in logs, histories and referrers.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::Uri;
use http::header::AUTHORIZATION;
use http::request::Parts;
use natter_protocol::ErrorCode;

use super::{Claims, Verifier};
use crate::Problem;

/// The names under which people put tokens into URLs.
const TOKEN_PARAMETERS: [&str; 3] = ["access_token", "token", "authorization"];

/// Refuses a request whose URL carries a token (CON1).
pub fn refuse_token_in_url(uri: &Uri) -> Result<(), Problem> {
    let names = uri.query().unwrap_or_default().split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    for name in names {
        if TOKEN_PARAMETERS.iter().any(|token| name.eq_ignore_ascii_case(token)) {
            let detail = "a token in the URL is refused: send it as `Authorization: Bearer`";
            return Err(Problem::new(ErrorCode::Unauthenticated, detail));
        }
    }
    Ok(())
}

impl<S> FromRequestParts<S> for Claims
where
    Arc<Verifier>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match bearer(parts)? {
            Some(token) => Ok(Arc::<Verifier>::from_ref(state).verify(token)?),
            None => {
                Err(Problem::new(ErrorCode::Unauthenticated, "this needs an access token: `Authorization: Bearer`"))
            }
        }
    }
}

/// `Option<Claims>`: nothing without the header; with one, it has to be good.
impl<S> OptionalFromRequestParts<S> for Claims
where
    Arc<Verifier>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        match bearer(parts)? {
            Some(token) => Ok(Some(Arc::<Verifier>::from_ref(state).verify(token)?)),
            None => Ok(None),
        }
    }
}

fn bearer(parts: &Parts) -> Result<Option<&str>, Problem> {
    refuse_token_in_url(&parts.uri)?;
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let Some(value) = headers.next() else { return Ok(None) };
    let malformed =
        || Problem::new(ErrorCode::Unauthenticated, "the `Authorization` header has to be `Bearer` and a token");
    if headers.next().is_some() {
        return Err(malformed());
    }
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(malformed()) }
}
