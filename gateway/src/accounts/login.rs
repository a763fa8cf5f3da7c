//! `POST /auth/login`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use natter_events::SessionId;
use natter_platform::Problem;
use natter_platform::problem::JsonBody;
use natter_platform::secret::Secret;
use natter_protocol::http::Login;
use natter_protocol::{ErrorCode, Handle};

use super::AccountService;
use super::cookie::RefreshToken;
use super::credentials::Credentials;
use super::password;
use super::request::ClientAddress;
use super::session::RefreshSession;

/// A change of the password revokes tokens up to a moment shortly after it is stored. A token for the new password waits
/// until that has passed, so that it isn't among them.
const SETTLE_MS: u64 = 1_000;
/// More than that only with clocks that disagree.
const MAX_SETTLE_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn login(
    State(service): State<Arc<AccountService>>,
    from: ClientAddress,
    JsonBody(Login { handle, password }): JsonBody<Login>,
) -> Result<Response, Problem> {
    let password = Secret::new(password);
    password::check(&password)?;
    service.limits.login(from, &handle)?;
    let found = service.credentials.get(&handle).await?.map(|(credentials, _)| credentials);
    let phc = found.as_ref().map(|credentials| credentials.phc.as_str());
    let right = service.passwords.verify(password, phc).await?;
    let Some(credentials) = found.filter(|_| right) else {
        metrics::counter!("natter_accounts_logins_total", "outcome" => "refused").increment(1);
        return Err(wrong());
    };
    let account = match service.accounts.get(credentials.uid).await? {
        Some(state) => state,
        None => service.enrol(&handle, &credentials).await?,
    };
    if account.account.suspended {
        return Err(Problem::new(ErrorCode::Forbidden, "this account is suspended"));
    }
    metrics::counter!("natter_accounts_logins_total", "outcome" => "ok").increment(1);
    service.open_session(&handle, &credentials, StatusCode::OK).await
}

/// A wrong password and an unknown handle are answered alike.
fn wrong() -> Problem {
    Problem::new(ErrorCode::Unauthenticated, "the handle or the password is wrong")
}

impl AccountService {
    /// Begins a login with these credentials, which were just proven.
    pub(super) async fn open_session(
        &self,
        handle: &Handle,
        credentials: &Credentials,
        status: StatusCode,
    ) -> Result<Response, Problem> {
        self.settle(credentials).await?;
        let token = RefreshToken::random(SessionId::random());
        let version = credentials.password_version;
        let session = RefreshSession::new(credentials.uid, handle.clone(), self.clock.now_ms(), version, &token);
        // In this order a change of the password that comes in between is seen below, or revokes the token.
        let (access_token, _) = self.mint(credentials.uid, token.session, handle)?;
        let now = self.credentials.get(handle).await?;
        if now.is_none_or(|(now, _)| now.uid != credentials.uid || now.password_version != version) {
            return Err(wrong());
        }
        self.sessions.create(token.session, &session).await?;
        Ok(self.answer(status, access_token, handle, &token))
    }

    async fn settle(&self, credentials: &Credentials) -> Result<(), Problem> {
        let Some(changed_at_ms) = credentials.password_changed_at_ms else { return Ok(()) };
        let settled_at_ms = ((changed_at_ms + SETTLE_MS) / 1000 + 1) * 1000;
        let left = || Duration::from_millis(settled_at_ms.saturating_sub(self.clock.now_ms()));
        if !left().is_zero() && left() <= MAX_SETTLE_WAIT {
            tokio::time::sleep(left()).await;
        }
        if left().is_zero() {
            return Ok(());
        }
        let detail = "the password was changed a moment ago";
        Err(Problem::new(ErrorCode::Unavailable, detail).retry_after(left()))
    }
}
