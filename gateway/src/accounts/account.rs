//! The state of accounts: who may act, and which of their logins were ended.
//!
//! The last event of an account's subject carries the whole state, so it is read once and the gateway's feed keeps the
//! copy true. A copy is entered without a hole: the feed puts an event into the tail before it applies it here; a load
//! reads the last event, enters it, and only then asks the tail for a later one. Whichever comes first, nothing is missed.

use std::sync::Arc;

use moka::ops::compute::Op;
use moka::sync::Cache;
use natter_events::{Account, Event, KeyId, Record, Subject, Uid};
use natter_log::{Log, ReadError, Stream};
use natter_platform::tokens::{Claims, TokenError};

use super::error::AccountError;

/// How often a load may find that the account has changed meanwhile.
const MAX_RELOADS: usize = 100;

/// Whether the gateway's tail holds an event of this account after a sequence.
pub type NewerAccountEvent = Arc<dyn Fn(Uid, u64) -> bool + Send + Sync>;

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
pub struct Accounts {
    log: Log,
    known: Cache<Uid, Arc<AccountState>>,
    newer: NewerAccountEvent,
}

impl Accounts {
    pub fn new(log: Log, max_cached: u64, newer: NewerAccountEvent) -> Self {
        Self { log, known: Cache::new(max_cached), newer }
    }

    /// The state of an account, as true as the feed; nothing if there is no such account.
    pub async fn get(&self, uid: Uid) -> Result<Option<Arc<AccountState>>, AccountError> {
        match self.known.get(&uid) {
            Some(state) => Ok(Some(state)),
            None => self.load(uid).await,
        }
    }

    /// The state of an account as the log has it now.
    pub async fn load(&self, uid: Uid) -> Result<Option<Arc<AccountState>>, AccountError> {
        let subject = Subject::Account(uid).to_string();
        for _ in 0..MAX_RELOADS {
            let state = match self.log.last(Stream::Chat, &subject).await? {
                Some(stored) => {
                    let record = Record::decode(&stored.payload)
                        .map_err(|source| AccountError::Event { seq: stored.seq, source })?;
                    let state = state_of(stored.seq, &record).ok_or(AccountError::NoAccount { seq: stored.seq })?;
                    Some(self.enter(uid, state))
                }
                None => None,
            };
            if !(self.newer)(uid, state.as_ref().map_or(0, |state| state.seq)) {
                return Ok(state);
            }
        }
        Err(ReadError::Unavailable.into())
    }

    /// The feed brought an event of an account: a copy that is here is brought up to it.
    pub fn apply(&self, uid: Uid, seq: u64, record: &Record) {
        let Some(state) = state_of(seq, record) else { return };
        self.known.entry(uid).and_compute_with(|known| match known {
            Some(known) if known.value().seq < seq => Op::Put(Arc::new(state)),
            _ => Op::Nop,
        });
    }

    /// Whether the holder of a verified token may act now (HRT4).
    pub async fn authenticate(&self, claims: &Claims) -> Result<Arc<AccountState>, Refused> {
        let state = self.get(claims.uid).await?.ok_or(Refused::Unknown)?;
        admit(&state.account, claims)?;
        Ok(state)
    }

    /// Enters a state unless a later one is here, and returns the one that is.
    pub(super) fn enter(&self, uid: Uid, state: AccountState) -> Arc<AccountState> {
        let entered = self.known.entry(uid).and_upsert_with(|known| match known {
            Some(known) if known.value().seq >= state.seq => known.into_value(),
            _ => Arc::new(state),
        });
        entered.into_value()
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

/// The state that an account event carries.
pub(super) fn state_of(seq: u64, record: &Record) -> Option<AccountState> {
    let account = match &record.event {
        Event::UserRegistered(event) => &event.account,
        Event::SessionsRevoked(event) => &event.account,
        Event::BlockChanged(event) => &event.account,
        _ => return None,
    };
    Some(AccountState { account: account.clone(), key: record.envelope.key?, seq })
}
