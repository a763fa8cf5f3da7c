//! Checking tokens.

use std::collections::HashMap;
use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use natter_protocol::ErrorCode;

use super::{Claims, LEEWAY, MAX_TOKEN_BYTES, PublicKey, Realm};
use crate::{Clock, Problem};

/// Verifies tokens of one realm with the keys that are good at present.
pub struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
    clock: Clock,
}

/// Why a token is refused. Carries nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once: a refresh gives another.
    #[error("the access token has expired")]
    Expired,
    /// It is not good yet: someone's clock is wrong.
    #[error("the access token is not valid yet")]
    NotYetValid,
    /// Signed with a key that is not, or no longer, in the configuration.
    #[error("the access token is signed with an unknown key")]
    UnknownKey,
    /// Anything else: malformed, forged, for someone else.
    #[error("the access token is not valid")]
    Invalid,
}

impl Verifier {
    /// A verifier for tokens that are signed with any of these keys.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>, realm: &Realm, clock: &Clock) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[&realm.issuer]);
        validation.set_audience(&[&realm.audience]);
        // The library would ask the machine for the time; `check_times` asks our clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let keys = keys.into_iter().map(|key| (key.kid(), DecodingKey::from_ed_der(key.as_bytes()))).collect();
        Self { keys, validation, clock: clock.clone() }
    }

    /// What the token says, if it is good now.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        // An extension that has to be understood (RFC 7515, 4.1.11) is one that we do not.
        if header.crit.is_some() {
            return Err(TokenError::Invalid);
        }
        let key = header.kid.and_then(|kid| self.keys.get(&kid)).ok_or(TokenError::UnknownKey)?;
        let decoded = jsonwebtoken::decode(token, key, &self.validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => TokenError::Expired,
            ErrorKind::ImmatureSignature => TokenError::NotYetValid,
            _ => TokenError::Invalid,
        })?;
        self.check_times(&decoded.claims)?;
        Ok(decoded.claims)
    }

    fn check_times(&self, claims: &Claims) -> Result<(), TokenError> {
        let (now, leeway) = (self.clock.now_s(), LEEWAY.as_secs());
        if now >= claims.exp.saturating_add(leeway) {
            return Err(TokenError::Expired);
        }
        if claims.nbf > now.saturating_add(leeway) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Problem::new(ErrorCode::Unauthenticated, error.to_string())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("kids", &self.keys.keys()).finish_non_exhaustive()
    }
}
