//! What a token says.

use natter_events::{SessionId, Uid};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a verified token says about who holds it. As an axum extractor it reads `Authorization: Bearer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// For whom it was signed.
    pub aud: String,
    /// The user.
    #[serde(rename = "sub", with = "text")]
    pub uid: Uid,
    /// The login that the token belongs to; revoking it ends the token too.
    #[serde(rename = "sid", with = "text")]
    pub session: SessionId,
    /// The user's name on the wire.
    pub handle: String,
    /// When it expires, in seconds since 1970.
    pub exp: u64,
    /// When it was signed.
    pub iat: u64,
    /// From when on it is good.
    pub nbf: u64,
    /// The token's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<Uuid>,
    /// How many messages per 10 s the deployment grants this user, if it is not the usual number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// What the user may do beyond chatting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

impl Claims {
    /// Whether the holder operates this deployment.
    pub fn is_operator(&self) -> bool {
        self.role == Some(Role::Operator)
    }

    /// When the token expires, in milliseconds since 1970.
    pub fn expires_at_ms(&self) -> u64 {
        self.exp.saturating_mul(1000)
    }
}

/// What a user may do beyond chatting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees and does what whoever runs the deployment does.
    Operator,
    /// A role of a later version, which gives nothing here.
    #[serde(other)]
    Unknown,
}

/// Ids in their one spelling, which a UUID's own reading is not strict about.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<T: Display, S: Serializer>(id: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
