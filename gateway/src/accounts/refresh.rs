//! `POST /auth/refresh`: a new access token for a login that goes on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use natter_events::RevokedSessions;
use natter_platform::Problem;
use natter_platform::tokens::Claims;
use natter_protocol::ErrorCode;

use super::AccountService;
use super::account::{Refused, admit};
use super::cookie::{self, RefreshToken};
use super::error::AccountError;
use super::request::{ClientAddress, require_client_header};
use super::session::{Presented, RefreshSession};
use super::sessions::Replaced;

/// How often another tab or gateway may have renewed the same session in between.
const MAX_TRIES: usize = 8;

pub(super) async fn refresh(
    State(service): State<Arc<AccountService>>,
    from: ClientAddress,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    require_client_header(&headers)?;
    service.limits.refresh(from)?;
    let Some(token) = cookie::read(&headers) else { return Ok(service.refused()) };
    for _ in 0..MAX_TRIES {
        let Some((session, revision)) = service.sessions.get(token.session).await? else {
            return Ok(service.refused());
        };
        let (next, renewed) = match session.present(&token, service.clock.now_ms(), rand::random()) {
            Presented::Renewed(renewed, next) => (next, Some(renewed)),
            Presented::Good(next) => (next, None),
            Presented::Forged => return Ok(service.refused()),
            Presented::Ended => {
                service.end_login(token.session, session, revision).await?;
                return Ok(service.refused());
            }
            Presented::Stolen => {
                metrics::counter!("natter_accounts_replayed_secrets_total").increment(1);
                tracing::warn!(uid = %session.uid, "a refresh secret came back after it was replaced: the login is ended");
                service.end_login(token.session, session, revision).await?;
                return Ok(service.refused());
            }
        };
        // In this order a change of the password that comes in between is seen below, or revokes the token.
        let (access_token, claims) = service.mint(session.uid, token.session, &session.handle)?;
        if !service.goes_on(&token, &session, &claims).await? {
            return Ok(service.refused());
        }
        if let Some(renewed) = renewed
            && service.sessions.replace(token.session, &renewed, revision).await? == Replaced::ReadAgain
        {
            continue;
        }
        return Ok(service.answer(StatusCode::OK, access_token, &session.handle, &next));
    }
    Err(AccountError::Contended.into())
}

impl AccountService {
    /// Whether the login that a token continues is one that its account still has.
    async fn goes_on(&self, token: &RefreshToken, session: &RefreshSession, claims: &Claims) -> Result<bool, Problem> {
        let credentials = self.credentials.get(&session.handle).await?.map(|(credentials, _)| credentials);
        let credentials = credentials.filter(|credentials| credentials.uid == session.uid);
        if !credentials.is_some_and(|credentials| credentials.admits(token.session, session.password_version)) {
            // The account is gone, or the password was changed, which revoked the tokens too.
            self.sessions.delete(token.session).await?;
            return Ok(false);
        }
        let Some(state) = self.accounts.get(session.uid).await? else { return Ok(false) };
        match admit(&state.account, claims) {
            Ok(()) => Ok(true),
            Err(Refused::Suspended) => Err(Problem::new(ErrorCode::Forbidden, "this account is suspended")),
            Err(_) => {
                let this = RevokedSessions::One(token.session);
                if state.account.revocations.iter().any(|revocation| revocation.which == this) {
                    return Ok(false);
                }
                // Everything up to a moment was revoked, and by this gateway's clock that moment is still to come.
                Err(AccountError::Contended.into())
            }
        }
    }
}
