//! Who asks: from an access token to an account that may act.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use natter_platform::Problem;
use natter_platform::tokens::{Claims, TokenError};
use natter_protocol::{ErrorCode, Handle};

use super::AccountService;
use super::account::{AccountState, Refused};

/// Someone whose token is good and whose account lets them act. As an axum extractor it reads `Authorization: Bearer` and
/// refuses tokens in the URL.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub claims: Claims,
    pub handle: Handle,
    pub account: Arc<AccountState>,
}

impl AccountService {
    /// Who sends this request.
    pub async fn authenticate_request(&self, parts: &mut Parts) -> Result<Authenticated, Problem> {
        let claims = Claims::from_request_parts(parts, &self.verifier).await?;
        Ok(self.authenticate(claims).await?)
    }

    /// Whose access token this is.
    pub async fn authenticate_token(&self, token: &str) -> Result<Authenticated, Refused> {
        self.authenticate(self.verifier.verify(token)?).await
    }

    async fn authenticate(&self, claims: Claims) -> Result<Authenticated, Refused> {
        let handle = claims.handle.parse().map_err(|_| TokenError::Invalid)?;
        let account = self.accounts.authenticate(&claims).await?;
        Ok(Authenticated { claims, handle, account })
    }
}

impl<S> FromRequestParts<S> for Authenticated
where
    Arc<AccountService>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Arc::<AccountService>::from_ref(state).authenticate_request(parts).await
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Failed(error) => error.into(),
            refused => Problem::new(ErrorCode::Unauthenticated, refused.to_string()),
        }
    }
}
