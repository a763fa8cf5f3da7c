//! What an account is logged in to with, in the bucket `credentials`, by handle.
//!
//! The entry is the claim: whoever creates it has the handle, and the account that it names. Everything else that an
//! account consists of is made from it, so that an interrupted registration can be finished by whoever knows the password.

use bytes::Bytes;
use natter_events::{KeyId, SessionId, Uid};
use natter_log::{BucketError, KeyValue};
use natter_protocol::Handle;
use serde::{Deserialize, Serialize};

use super::error::AccountError;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub uid: Uid,
    /// argon2id, as a PHC string.
    pub phc: String,
    /// The key that seals what this person writes.
    pub key: KeyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    pub registered_at_ms: u64,
    /// Counts the passwords. Logins remember with which they began, so that no clock decides which of them go on.
    #[serde(default)]
    pub password_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_at_ms: Option<u64>,
    /// The login that the password was changed from: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_session: Option<SessionId>,
}

impl Credentials {
    /// Whether a login that began with this version of the password goes on.
    pub fn admits(&self, session: SessionId, password_version: u32) -> bool {
        password_version == self.password_version || self.kept_session == Some(session)
    }
}

pub(super) struct CredentialStore(KeyValue);

impl CredentialStore {
    pub fn new(bucket: KeyValue) -> Self {
        Self(bucket)
    }

    /// The credentials of a handle with their revision.
    pub async fn get(&self, handle: &Handle) -> Result<Option<(Credentials, u64)>, AccountError> {
        let Some(entry) = self.0.get(handle.as_str()).await? else { return Ok(None) };
        let credentials = serde_json::from_slice(&entry.value);
        let credentials = credentials.map_err(|source| AccountError::Entry { bucket: "credentials", source })?;
        Ok(Some((credentials, entry.revision)))
    }

    /// Claims the handle, and says whether that was in time.
    pub async fn claim(&self, handle: &Handle, credentials: &Credentials) -> Result<bool, AccountError> {
        match self.0.create(handle.as_str(), encode(credentials)?).await {
            Ok(_) => Ok(true),
            Err(BucketError::AlreadyExists) => Ok(false),
            // It may have been written: then it is there, and ours.
            Err(BucketError::Unknown) => match self.get(handle).await? {
                Some((found, _)) => Ok(found.uid == credentials.uid),
                None => Err(BucketError::Unknown.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the credentials if they still have that revision, and says whether they had.
    pub async fn replace(
        &self,
        handle: &Handle,
        credentials: &Credentials,
        revision: u64,
    ) -> Result<bool, AccountError> {
        match self.0.update(handle.as_str(), encode(credentials)?, revision).await {
            Ok(_) => Ok(true),
            Err(BucketError::WrongRevision) => Ok(false),
            Err(BucketError::Unknown) => match self.get(handle).await? {
                Some((found, now)) if now != revision => Ok(found == *credentials),
                _ => Err(BucketError::Unknown.into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}

fn encode(credentials: &Credentials) -> Result<Bytes, AccountError> {
    let bytes =
        serde_json::to_vec(credentials).map_err(|source| AccountError::Entry { bucket: "credentials", source })?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_goes_on_with_the_password_it_began_with_or_if_it_changed_it() {
        let (kept, other) = (SessionId::random(), SessionId::random());
        let credentials = Credentials {
            uid: Uid::random(),
            phc: String::new(),
            key: KeyId::random(),
            display_name: None,
            registered_at_ms: 1,
            password_version: 2,
            password_changed_at_ms: Some(5),
            kept_session: Some(kept),
        };
        assert!(credentials.admits(other, 2) && credentials.admits(kept, 2) && credentials.admits(kept, 0));
        assert!(!credentials.admits(other, 1) && !credentials.admits(other, 3));
    }
}
