//! Ending logins: an event that every gateway acts on from its feed, and that carries the account as it is afterwards.

use natter_events::{Record, Revocation, RevokedSessions, SessionId, SessionsRevoked, Subject, Uid};
use natter_log::{Append, AppendError, Stream};
use natter_platform::tokens::LEEWAY;
use uuid::Uuid;

use super::AccountService;
use super::account::AccountState;
use super::error::AccountError;
use super::session::RefreshSession;
use super::sessions::Replaced;

/// How often another change of the same account may come in between.
const MAX_TRIES: usize = 16;

impl AccountService {
    /// Ends one login for good: first its refresh secret, then its access tokens, then what is stored of it. Where this is
    /// interrupted, the next attempt to use or to end it goes on.
    pub(super) async fn end_login(
        &self,
        id: SessionId,
        mut session: RefreshSession,
        mut revision: u64,
    ) -> Result<(), AccountError> {
        for _ in 0..MAX_TRIES {
            if session.has_ended() || self.sessions.replace(id, &session.ended(), revision).await? == Replaced::Yes {
                self.revoke(session.uid, RevokedSessions::One(id), 0).await?;
                return self.sessions.delete(id).await;
            }
            match self.sessions.get(id).await? {
                Some(now) => (session, revision) = now,
                // Someone else ended it, down to the last step.
                None => return Ok(()),
            }
        }
        Err(AccountError::Contended)
    }

    /// Appends a revocation, unless the account has it already from `since_ms` or later.
    pub(super) async fn revoke(&self, uid: Uid, which: RevokedSessions, since_ms: u64) -> Result<(), AccountError> {
        let Some(mut state) = self.accounts.get(uid).await? else {
            // Nobody is turned away from an account that was never finished: it lets nobody in.
            return Ok(());
        };
        // One id for all tries: a try whose answer was lost is found again.
        let message_id = format!("{uid}:revoked:{}", Uuid::new_v4());
        for _ in 0..MAX_TRIES {
            if has(&state, which, since_ms) {
                return Ok(());
            }
            let record = self.revoked(uid, &state, which);
            let appended = self.log.append(Append {
                stream: Stream::Chat,
                subject: Subject::Account(uid).to_string(),
                message_id: message_id.clone(),
                payload: record.encode(),
                expected_last: Some(state.seq),
            });
            match appended.await {
                Ok(appended) => {
                    // This gateway need not wait for its feed.
                    self.accounts.apply(uid, appended.seq, &record);
                    return Ok(());
                }
                Err(AppendError::WrongLast { .. } | AppendError::Unknown) => {}
                Err(error) => return Err(error.into()),
            }
            let Some(newer) = self.accounts.load(uid).await? else { return Ok(()) };
            state = newer;
        }
        Err(AccountError::Contended)
    }

    fn revoked(&self, uid: Uid, state: &AccountState, which: RevokedSessions) -> Record {
        let at_ms = i64::try_from(self.clock.now_ms()).unwrap_or(i64::MAX);
        let tokens_live = self.signer.lifetime() + LEEWAY;
        let oldest_token_ms = at_ms.saturating_sub(i64::try_from(tokens_live.as_millis()).unwrap_or(i64::MAX));
        let revocation = Revocation { at_ms, which };
        let account = state.account.clone().revoke(revocation.clone(), oldest_token_ms);
        Record::new(uid, SessionsRevoked { revocation, account }).to(&[uid]).sealed_with(state.key)
    }
}

fn has(state: &AccountState, which: RevokedSessions, since_ms: u64) -> bool {
    let since_ms = i64::try_from(since_ms).unwrap_or(i64::MAX);
    state.account.revocations.iter().any(|revocation| revocation.which == which && revocation.at_ms >= since_ms)
}
