//! Refresh sessions, in the bucket `sessions`, by session id. The broker lets them expire when they are not renewed.

use bytes::Bytes;
use natter_events::SessionId;
use natter_log::{BucketError, KeyValue};

use super::error::AccountError;
use super::session::RefreshSession;

pub(super) struct SessionStore(KeyValue);

/// What became of replacing an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    Yes,
    /// Another gateway may have changed it, or the broker's answer was lost: what is there now decides.
    ReadAgain,
}

impl SessionStore {
    pub fn new(bucket: KeyValue) -> Self {
        Self(bucket)
    }

    /// The session with its revision.
    pub async fn get(&self, id: SessionId) -> Result<Option<(RefreshSession, u64)>, AccountError> {
        let Some(entry) = self.0.get(&id.to_string()).await? else { return Ok(None) };
        let session = serde_json::from_slice(&entry.value);
        let session = session.map_err(|source| AccountError::Entry { bucket: "sessions", source })?;
        Ok(Some((session, entry.revision)))
    }

    pub async fn create(&self, id: SessionId, session: &RefreshSession) -> Result<(), AccountError> {
        // Nobody else knows this id: if it is there, an answer was lost.
        match self.0.create(&id.to_string(), encode(session)?).await {
            Ok(_) | Err(BucketError::AlreadyExists) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn replace(
        &self,
        id: SessionId,
        session: &RefreshSession,
        revision: u64,
    ) -> Result<Replaced, AccountError> {
        match self.0.update(&id.to_string(), encode(session)?, revision).await {
            Ok(_) => Ok(Replaced::Yes),
            Err(BucketError::WrongRevision | BucketError::Unknown) => Ok(Replaced::ReadAgain),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn delete(&self, id: SessionId) -> Result<(), AccountError> {
        Ok(self.0.delete(&id.to_string()).await?)
    }
}

fn encode(session: &RefreshSession) -> Result<Bytes, AccountError> {
    let bytes = serde_json::to_vec(session).map_err(|source| AccountError::Entry { bucket: "sessions", source })?;
    Ok(bytes.into())
}
