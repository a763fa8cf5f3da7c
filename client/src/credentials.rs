//! What a client proves itself with: a session that renews its token, or a token that someone else looks after.

use std::sync::Arc;

use natter_protocol::ErrorCode;
use parking_lot::Mutex;

use crate::error::HttpError;
use crate::session::{AccessToken, Session};

#[derive(Clone)]
pub(crate) enum Credentials {
    Session(Session),
    Given(Arc<Mutex<AccessToken>>),
}

/// A renewal that did not give a token.
pub(crate) struct NotRenewed {
    /// Trying again is of no use: the login is over.
    pub(crate) login_ended: bool,
    pub(crate) cause: String,
}

impl Credentials {
    pub(crate) fn given(token: impl Into<Arc<str>>) -> Self {
        Self::Given(Arc::new(Mutex::new(AccessToken { text: token.into(), ends: None })))
    }

    pub(crate) fn token(&self) -> AccessToken {
        match self {
            Self::Session(session) => session.token(),
            Self::Given(token) => token.lock().clone(),
        }
    }

    pub(crate) fn renewable(&self) -> bool {
        matches!(self, Self::Session(_))
    }

    pub(crate) async fn renew(&self) -> Result<AccessToken, NotRenewed> {
        match self {
            Self::Session(session) => session.renew_token().await.map_err(|error| NotRenewed {
                login_ended: matches!(error.code(), Some(ErrorCode::Unauthenticated | ErrorCode::Forbidden)),
                cause: match &error {
                    HttpError::Unreachable(_) => "the server can't be reached".into(),
                    other => other.to_string(),
                },
            }),
            Self::Given(_) => {
                Err(NotRenewed { login_ended: true, cause: "the token was given and can't be renewed".into() })
            }
        }
    }

    /// Replaces a given token by the next one.
    pub(crate) fn replace(&self, token: Arc<str>) {
        if let Self::Given(given) = self {
            *given.lock() = AccessToken { text: token, ends: None };
        }
    }
}
