//! Access tokens: short-lived JWTs that say who someone is, signed with Ed25519 and nothing else.
//!
//! The gateway signs, everyone else verifies with public keys, so reading works while the gateway or the broker is down.
//! Keys are told apart by their RFC 7638 thumbprint (`kid`), so that a deployment rotates them by listing the old and the
//! new one for the lifetime of a token. The clock is ours, not the library's: it is a parameter here as everywhere.

mod bearer;
mod claims;
mod keys;
mod signer;
mod verifier;

pub use bearer::refuse_token_in_url;
pub use claims::{Claims, Role};
pub use keys::{KeyError, PrivateKey, PublicKey};
pub use signer::{SignError, Signer, Subject};
pub use verifier::{TokenError, Verifier};

use std::time::Duration;

/// How long a token is good for, unless configured otherwise.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// How far the clocks of two machines may differ.
pub const LEEWAY: Duration = Duration::from_secs(5);

/// Longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// Who signs for whom: both sides of a deployment have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim.
    pub audience: String,
}

impl Default for Realm {
    fn default() -> Self {
        Self { issuer: "natter".to_owned(), audience: "natter".to_owned() }
    }
}

#[cfg(test)]
mod tests;
