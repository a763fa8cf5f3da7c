//! `POST /auth/password`: another password. The login that it is changed from goes on, all others end (HRT4).

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use natter_events::RevokedSessions;
use natter_platform::Problem;
use natter_platform::problem::JsonBody;
use natter_platform::secret::Secret;
use natter_protocol::{ErrorCode, Handle};
use serde::Deserialize;

use super::credentials::Credentials;
use super::error::AccountError;
use super::{AccountService, Authenticated, password};

/// How often another change of the same password may come in between.
const MAX_TRIES: usize = 4;

/// `POST /auth/password`.
#[derive(Deserialize)]
pub(super) struct ChangePassword {
    current: String,
    new: String,
}

pub(super) async fn change_password(
    State(service): State<Arc<AccountService>>,
    caller: Authenticated,
    JsonBody(ChangePassword { current, new }): JsonBody<ChangePassword>,
) -> Result<StatusCode, Problem> {
    let (current, new) = (Secret::new(current), Secret::new(new));
    password::check(&current)?;
    password::check(&new)?;
    service.limits.password_try(&caller.handle)?;
    let changed_at_ms = service.store_password(&caller, current, new).await?;
    // From here on no other login gets a new access token; now the old ones end. Interrupted, the same request goes on here.
    service.revoke(caller.claims.uid, RevokedSessions::AllBut(caller.claims.session), changed_at_ms).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl AccountService {
    /// Stores the new password and returns since when it counts.
    async fn store_password(&self, caller: &Authenticated, current: Secret, new: Secret) -> Result<u64, Problem> {
        let handle: &Handle = &caller.handle;
        for _ in 0..MAX_TRIES {
            let found = self.credentials.get(handle).await?;
            let Some((credentials, revision)) = found.filter(|(found, _)| found.uid == caller.claims.uid) else {
                return Err(wrong());
            };
            if !self.passwords.verify(current.clone(), Some(&credentials.phc)).await? {
                return self.changed_before(caller, &credentials, new).await;
            }
            let changed_at_ms = self.clock.now_ms();
            let changed = Credentials {
                phc: self.passwords.hash(new.clone()).await?,
                password_version: credentials.password_version.wrapping_add(1),
                password_changed_at_ms: Some(changed_at_ms),
                kept_session: Some(caller.claims.session),
                ..credentials
            };
            if self.credentials.replace(handle, &changed, revision).await? {
                return Ok(changed_at_ms);
            }
        }
        Err(AccountError::Contended.into())
    }

    /// The current password is not the one given. If this very login changed it to the new one already, this is the same
    /// request again, whose answer was lost.
    async fn changed_before(
        &self,
        caller: &Authenticated,
        credentials: &Credentials,
        new: Secret,
    ) -> Result<u64, Problem> {
        let Some(changed_at_ms) = credentials.password_changed_at_ms else { return Err(wrong()) };
        if credentials.kept_session == Some(caller.claims.session)
            && self.passwords.verify(new, Some(&credentials.phc)).await?
        {
            return Ok(changed_at_ms);
        }
        Err(wrong())
    }
}

fn wrong() -> Problem {
    Problem::new(ErrorCode::Forbidden, "the current password is wrong")
}
