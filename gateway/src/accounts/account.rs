//! The state of accounts: who may act, and which of their logins were ended.

use std::sync::Arc;

use natter_events::{Account, Event, KeyId, Record, Subject, Uid};
use natter_log::Log;
use natter_platform::tokens::{Claims, TokenError};

use super::error::AccountError;
use crate::copies::{Copies, Newer, State};

/// An account as of the event at `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    pub account: Account,
    /// The key that seals what this person writes.
    pub key: KeyId,
    pub seq: u64,
}

/// Why someone with an access token is turned away.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("there is no such account")]
    Unknown,
    #[error("this account is suspended")]
    Suspended,
    #[error("this login was ended")]
    Revoked,
    /// Not the caller's doing: whether they may is not known now.
    #[error("the account can't be read now")]
    Failed(#[from] AccountError),
}

/// Accounts in memory.
pub struct Accounts(Copies<AccountState>);

impl Accounts {
    pub fn new(log: Log, max_cached: u64, newer: Newer) -> Self {
        Self(Copies::new(log, max_cached, newer))
    }

    /// The state of an account, as true as the feed; nothing if there is no such account.
    pub async fn get(&self, uid: Uid) -> Result<Option<Arc<AccountState>>, AccountError> {
        Ok(self.0.get(Subject::Account(uid)).await?)
    }

    /// The state of an account as the log has it now.
    pub async fn load(&self, uid: Uid) -> Result<Option<Arc<AccountState>>, AccountError> {
        Ok(self.0.load(Subject::Account(uid)).await?)
    }

    /// An event of an account was stored: a copy that is here is brought up to it.
    pub fn apply(&self, uid: Uid, seq: u64, record: &Record) {
        self.0.apply(Subject::Account(uid), seq, record);
    }

    /// Whether the holder of a verified token may act now (HRT4).
    pub async fn authenticate(&self, claims: &Claims) -> Result<Arc<AccountState>, Refused> {
        let state = self.get(claims.uid).await?.ok_or(Refused::Unknown)?;
        admit(&state.account, claims)?;
        Ok(state)
    }

    /// Enters a state unless a later one is here, and returns the one that is.
    pub(super) fn enter(&self, uid: Uid, state: AccountState) -> Arc<AccountState> {
        self.0.enter(Subject::Account(uid), state)
    }
}

/// Whether a token of an account is good: neither is the account suspended nor the login ended (HRT4).
pub fn admit(account: &Account, claims: &Claims) -> Result<(), Refused> {
    if account.suspended {
        return Err(Refused::Suspended);
    }
    // Tokens count in whole seconds, cut off: one of the same second counts as earlier, to be safe.
    let issued_at_ms = i64::try_from(claims.iat.saturating_mul(1000)).unwrap_or(i64::MAX);
    if account.refuses(claims.session, issued_at_ms) { Err(Refused::Revoked) } else { Ok(()) }
}

/// The account that an event carries.
pub fn account_of(event: &Event) -> Option<&Account> {
    match event {
        Event::UserRegistered(event) => Some(&event.account),
        Event::SessionsRevoked(event) => Some(&event.account),
        Event::BlockChanged(event) => Some(&event.account),
        Event::ProfileChanged(event) => Some(&event.account),
        _ => None,
    }
}

impl State for AccountState {
    fn after(seq: u64, record: &Record) -> Option<Self> {
        Some(Self { account: account_of(&record.event)?.clone(), key: record.envelope.key?, seq })
    }

    fn seq(&self) -> u64 {
        self.seq
    }
}
