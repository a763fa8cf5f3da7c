//! A change of the caller's account: decided against its last event, and appended behind that one only (D5).

use natter_events::{Account, ClientId, Event, Record, Subject, Uid};
use natter_log::{Append, AppendError, Line, Stream};
use natter_protocol::ErrorCode;

use super::{Refused, Stored, message_id, refused_append};
use crate::Gateway;

/// How often another change of the same account may come in between.
const MAX_TRIES: usize = 16;

/// Stores what a command makes of its caller's account.
pub async fn store(
    gateway: &Gateway,
    owner: Uid,
    id: ClientId,
    line: Option<Line>,
    change: impl Fn(Account) -> Result<Event, Refused>,
) -> Result<Stored, Refused> {
    let accounts = &gateway.accounts.accounts;
    let mut state = accounts.get(owner).await?;
    for _ in 0..MAX_TRIES {
        let Some(last) = state else { return Err(Refused::new(ErrorCode::Forbidden, "this account was erased")) };
        let event = change(last.account.clone())?;
        let record = Record::new(owner, event).to(&[owner]).answering(id).sealed_with(last.key);
        let append = Append {
            stream: Stream::Chat,
            subject: Subject::Account(owner).to_string(),
            message_id: message_id(owner, id),
            payload: record.encode(),
            expected_last: Some(last.seq),
        };
        match super::append(gateway, append, line).await {
            Ok(appended) => {
                if !appended.duplicate {
                    // This gateway need not wait for its feed.
                    accounts.apply(owner, appended.seq, &record);
                }
                return Ok(Stored::Event(appended));
            }
            Err(AppendError::WrongLast { .. }) => state = accounts.load(owner).await?,
            Err(error) => return Err(refused_append(&error)),
        }
    }
    Err(Refused::unavailable("too many changed the same account at once"))
}
