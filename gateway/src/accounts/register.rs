//! `POST /auth/register`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use natter_events::{KeyId, Uid};
use natter_platform::Problem;
use natter_platform::problem::JsonBody;
use natter_platform::secret::Secret;
use natter_protocol::http::Register;
use natter_protocol::{ErrorCode, Handle, text};

use super::AccountService;
use super::credentials::Credentials;
use super::password;
use super::request::ClientAddress;

pub(super) async fn register(
    State(service): State<Arc<AccountService>>,
    from: ClientAddress,
    JsonBody(Register { handle, password, display_name }): JsonBody<Register>,
) -> Result<Response, Problem> {
    let password = Secret::new(password);
    password::check(&password)?;
    if let Some(name) = &display_name {
        text::check_display_name(name)
            .map_err(|error| Problem::new(ErrorCode::Invalid, format!("`display_name`: {error}")))?;
    }
    service.limits.registration(from)?;
    if handle == Handle::erased() || text::RESERVED.contains(&handle.as_str()) {
        return Err(taken());
    }
    // Asked first only to spare the hash; the claim decides.
    if service.credentials.get(&handle).await?.is_some() {
        return Err(taken());
    }
    let credentials = Credentials {
        uid: Uid::random(),
        phc: service.passwords.hash(password).await?,
        key: KeyId::random(),
        display_name,
        registered_at_ms: service.clock.now_ms(),
        password_version: 0,
        password_changed_at_ms: None,
        kept_session: None,
    };
    if !service.credentials.claim(&handle, &credentials).await? {
        return Err(taken());
    }
    service.enrol(&handle, &credentials).await?;
    metrics::counter!("natter_accounts_registrations_total").increment(1);
    service.open_session(&handle, &credentials, StatusCode::CREATED).await
}

fn taken() -> Problem {
    Problem::new(ErrorCode::Conflict, "this handle is taken")
}
