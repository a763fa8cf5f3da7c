//! Making tokens.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use natter_events::{SessionId, Uid};
use uuid::Uuid;

use super::{Claims, KeyError, PrivateKey, Realm, Role};
use crate::Clock;

/// Signs tokens for one realm with one key.
pub struct Signer {
    key: EncodingKey,
    header: Header,
    realm: Realm,
    lifetime: Duration,
    clock: Clock,
}

/// For whom a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user.
    pub uid: Uid,
    /// The login that the token belongs to.
    pub session: SessionId,
    /// The user's name on the wire.
    pub handle: String,
    /// Messages per 10 s, if not the usual number.
    pub rate: Option<u32>,
    /// What the user may do beyond chatting.
    pub role: Option<Role>,
}

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign a token")]
pub struct SignError(#[from] jsonwebtoken::errors::Error);

impl Subject {
    /// An ordinary user.
    pub fn new(uid: Uid, session: SessionId, handle: impl Into<String>) -> Self {
        Self { uid, session, handle: handle.into(), rate: None, role: None }
    }
}

impl Signer {
    /// A signer whose tokens are good for `lifetime`, counted in whole seconds.
    pub fn new(key: &PrivateKey, realm: Realm, lifetime: Duration, clock: &Clock) -> Result<Self, KeyError> {
        let header = Header { kid: Some(key.public().kid()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_der(&key.to_der()?);
        Ok(Self { key, header, realm, lifetime, clock: clock.clone() })
    }

    /// A token that is good from now on. Gives what it says, too: when it expires is in there.
    pub fn mint(&self, subject: Subject) -> Result<(String, Claims), SignError> {
        let now = self.clock.now_s();
        let claims = Claims {
            iss: self.realm.issuer.clone(),
            aud: self.realm.audience.clone(),
            uid: subject.uid,
            session: subject.session,
            handle: subject.handle,
            exp: now + self.lifetime.as_secs(),
            iat: now,
            nbf: now,
            jti: Some(Uuid::new_v4()),
            rate: subject.rate,
            role: subject.role,
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.key)?;
        Ok((token, claims))
    }

    /// How long a token is good for.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.header.kid).field("realm", &self.realm).finish_non_exhaustive()
    }
}
