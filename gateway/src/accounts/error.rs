//! What can go wrong with accounts inside, and what clients learn of it.

use std::time::Duration;

use natter_log::{AppendError, BucketError, KeyError, ReadError};
use natter_platform::Problem;
use natter_platform::error::chain;
use natter_platform::tokens::SignError;
use natter_protocol::ErrorCode;

use super::password::HashError;
use crate::copies::CopyError;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Something about an account could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("a bucket of the accounts can't be used")]
    Bucket(#[from] BucketError),
    #[error("a content key can't be had")]
    Key(#[from] KeyError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error("the account's event can't be appended")]
    Append(#[from] AppendError),
    #[error("a password can't be hashed")]
    Hash(#[from] HashError),
    #[error("an access token can't be made")]
    Sign(#[from] SignError),
    #[error("an entry of the bucket {bucket} does not read")]
    Entry {
        bucket: &'static str,
        #[source]
        source: serde_json::Error,
    },
    /// Others changed the same thing again and again.
    #[error("too many changed the same account at once")]
    Contended,
}

impl AccountError {
    /// Whether trying again later may help.
    fn is_temporary(&self) -> bool {
        match self {
            AccountError::Bucket(error) | AccountError::Key(KeyError::Bucket(error)) => {
                !matches!(error, BucketError::InvalidKey { .. } | BucketError::TooLarge)
            }
            AccountError::Append(error) => !matches!(error, AppendError::Invalid { .. } | AppendError::TooLarge),
            AccountError::Copy(error) => matches!(error, CopyError::Read(ReadError::Unavailable)),
            AccountError::Contended => true,
            _ => false,
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Hash(error) => error.into(),
            error if error.is_temporary() => {
                tracing::warn!(error = &*chain(&error), "an account can't be served now");
                Problem::new(ErrorCode::Unavailable, "accounts can't be reached now").retry_after(RETRY_AFTER)
            }
            error => Problem::internal(&error),
        }
    }
}
