//! From a claimed handle to an account: the content key, the entries in the directory, and last the event.
//!
//! Each step can be done again, and is: whoever logs in to an account that has no event yet does all of them. So it does
//! not matter where a registration was interrupted.

use std::sync::Arc;

use natter_events::{Account, ContentKey, Field, Record, Subject, Uid, UserRegistered};
use natter_log::{Append, AppendError, Stream};
use natter_protocol::Handle;

use super::AccountService;
use super::account::AccountState;
use super::credentials::Credentials;
use super::error::AccountError;
use crate::copies::{CopyError, State};

impl AccountService {
    /// Makes the account of these credentials, or what is missing of it.
    pub(super) async fn enrol(
        &self,
        handle: &Handle,
        credentials: &Credentials,
    ) -> Result<Arc<AccountState>, AccountError> {
        let uid = credentials.uid;
        let key = self.keys.create(uid, credentials.key, &ContentKey::random()).await?;
        self.directory.enter(handle, uid).await?;
        let record = registered(handle, credentials, &key);
        let appended = self.log.append(Append {
            stream: Stream::Chat,
            subject: Subject::Account(uid).to_string(),
            message_id: format!("{uid}:registered"),
            payload: record.encode(),
            expected_last: Some(0),
        });
        match appended.await {
            Ok(appended) if !appended.duplicate => {
                let state = AccountState::after(appended.seq, &record);
                let state = state.ok_or(CopyError::NoState { seq: appended.seq })?;
                Ok(self.accounts.enter(uid, state))
            }
            // Someone else finished it, or this gateway did and never learned. What they wrote is what counts.
            Ok(_) | Err(AppendError::WrongLast { .. }) => {
                self.accounts.load(uid).await?.ok_or(AccountError::Append(AppendError::Unknown))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn registered(handle: &Handle, credentials: &Credentials, key: &ContentKey) -> Record {
    let uid: Uid = credentials.uid;
    let account = Account {
        handle: key.seal(uid, Field::Handle, handle.as_str().as_bytes()),
        display_name: credentials.display_name.as_ref().map(|name| key.seal(uid, Field::DisplayName, name.as_bytes())),
        registered_at_ms: i64::try_from(credentials.registered_at_ms).unwrap_or(i64::MAX),
        suspended: false,
        revocations: Vec::new(),
        blocks: Vec::new(),
    };
    Record::new(uid, UserRegistered { account }).to(&[uid]).sealed_with(credentials.key)
}
