//! Accounts and the revocations of their logins. Every account event carries the whole account, so the last one is it.

use std::collections::HashMap;
use std::time::Duration;

use natter_events::{RevokedSessions, Uid};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::days::{Days, oldest_revocation};
use crate::fact::AccountState;

/// The accounts of a batch.
#[derive(Debug, Default)]
pub(crate) struct Accounts<'a> {
    accounts: HashMap<Uid, (u64, &'a AccountState)>,
}

impl<'a> Accounts<'a> {
    pub fn became(&mut self, seq: u64, account: &'a AccountState) {
        self.accounts.insert(account.uid, (seq, account));
    }

    pub async fn write(&self, transaction: &mut PgConnection, days: &Days, kept: Duration) -> Result<(), sqlx::Error> {
        if !self.accounts.is_empty() {
            self.write_users(transaction).await?;
            self.write_revocations(transaction, oldest_revocation(days.now(), kept)).await?;
            self.write_blocks(transaction).await?;
        }
        if days.new_hour().is_some() {
            sqlx::query("delete from revocations where at < $1")
                .bind(oldest_revocation(days.now(), kept))
                .execute(transaction)
                .await?;
        }
        Ok(())
    }

    async fn write_users(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut rows: Vec<(u64, &AccountState)> = self.accounts.values().copied().collect();
        rows.sort_unstable_by_key(|(seq, _)| *seq);
        // A handle is claimed before the account's event is written, so two accounts with one handle mean that the
        // claims were lost and made again: the later one is who answers to it now.
        let mut holders: HashMap<&str, Uid> = HashMap::new();
        for (_, account) in &rows {
            if let Some(names) = &account.names {
                holders.insert(&names.handle, account.uid);
            }
        }
        let handle = |account: &'a AccountState| {
            let handle = account.names.as_ref()?.handle.as_str();
            (holders.get(handle) == Some(&account.uid)).then_some(handle)
        };
        let uids: Vec<Uuid> = rows.iter().map(|(_, account)| account.uid.as_uuid()).collect();
        let freed: Vec<Uuid> =
            sqlx::query_scalar("update users set handle = null where handle = any($1) returning uid")
                .bind(holders.keys().copied().collect::<Vec<&str>>())
                .fetch_all(&mut *transaction)
                .await?;
        for uid in freed.iter().filter(|uid| !uids.contains(uid)) {
            tracing::warn!(uid = %Uid::from(*uid), "an account's handle went to a later account");
        }
        sqlx::query(
            "insert into users as u (uid, handle, display_name, registered_at, suspended, erased, account_seq) \
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bool[], $6::bool[], \
               $7::int8[]) \
             on conflict (uid) do update set handle = excluded.handle, display_name = excluded.display_name, \
               registered_at = excluded.registered_at, suspended = excluded.suspended, erased = excluded.erased, \
               account_seq = excluded.account_seq",
        )
        .bind(uids)
        .bind(rows.iter().map(|(_, account)| handle(account)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, account)| account.names.as_ref()?.display_name.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, account)| account.registered_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, account)| account.suspended).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, account)| account.names.is_none()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(seq, _)| seq.cast_signed()).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }

    async fn write_blocks(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let blocks = || {
            let each =
                self.accounts.values().flat_map(|(_, account)| account.blocks.iter().map(|user| (account.uid, *user)));
            each.map(|(uid, user)| (uid.as_uuid(), user.as_uuid()))
        };
        sqlx::query(
            "with blocking as (select * from unnest($2::uuid[], $3::uuid[]) b(uid, blocked)), \
             gone as (delete from blocks where uid = any($1) and (uid, blocked) not in (select uid, blocked from blocking)) \
             insert into blocks (uid, blocked) select uid, blocked from blocking on conflict do nothing",
        )
        .bind(self.accounts.keys().map(Uid::as_uuid).collect::<Vec<_>>())
        .bind(blocks().map(|(uid, _)| uid).collect::<Vec<_>>())
        .bind(blocks().map(|(_, user)| user).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }

    async fn write_revocations(
        &self,
        transaction: &mut PgConnection,
        oldest: OffsetDateTime,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("delete from revocations where uid = any($1)")
            .bind(self.accounts.keys().map(Uid::as_uuid).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        let rows: Vec<(Uuid, OffsetDateTime, &str, Option<Uuid>)> = self
            .accounts
            .values()
            .flat_map(|(_, account)| account.revocations.iter().map(|one| (account.uid.as_uuid(), one)))
            .filter(|(_, (at, _))| *at >= oldest)
            .map(|(uid, (at, revocation))| match revocation.which {
                RevokedSessions::One(session) => (uid, *at, "one", Some(session.as_uuid())),
                RevokedSessions::AllBut(session) => (uid, *at, "all_but", Some(session.as_uuid())),
                RevokedSessions::All => (uid, *at, "all", None),
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into revocations (uid, at, which, session) \
             select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[])",
        )
        .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.1).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.2).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.3).collect::<Vec<_>>())
        .execute(transaction)
        .await?;
        Ok(())
    }
}
