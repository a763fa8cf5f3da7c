//! `block` and `unblock`: a change of the caller's account, decided against its last event and appended behind that one only
//! (D5).

use std::sync::Arc;

use natter_events::event::MAX_BLOCKS;
use natter_events::{BlockChanged, ClientId, Fingerprint, Intent, Record, Subject, Uid};
use natter_log::{Append, AppendError, Line, Stream};
use natter_protocol::ErrorCode;
use natter_protocol::frame::Block;

use super::repeat::{self, Body};
use super::{Caller, Decided, Refused, Stored, content_key, message_id, refused_append};
use crate::Gateway;

/// How often another change of the same account may come in between.
const MAX_TRIES: usize = 16;

/// What is to be changed.
#[derive(Clone, Copy)]
struct Change {
    owner: Uid,
    user: Uid,
    blocked: bool,
    id: ClientId,
    fingerprint: Fingerprint,
}

/// Decides a block, or that one is taken back.
pub async fn block(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    command: &Block,
    blocked: bool,
    line: Option<Line>,
) -> Result<Decided, Refused> {
    let known = repeat::known(gateway, caller, command.id).await?;
    let user = gateway.accounts.directory.uid(&command.user).await?;
    let unknown = || Refused::new(ErrorCode::UnknownUser, format!("there is no user {}", command.user));
    let Some(user) = user else { return Err(if known.is_some() { repeat::conflict() } else { unknown() }) };
    let intent = if blocked { Intent::Block { user } } else { Intent::Unblock { user } };
    let fingerprint = content_key(gateway, caller).await?.fingerprint(None, command.id, intent);
    if let Some(known) = known {
        return known.answer(Body::Printed(fingerprint)).map(Decided::Known);
    }
    if user == caller.uid {
        return Err(Refused::new(ErrorCode::Invalid, "nobody blocks themselves"));
    }
    gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
    let change = Change { owner: caller.uid, user, blocked, id: command.id, fingerprint };
    let gateway = gateway.clone();
    Ok(Decided::Changing {
        storing: Box::pin(async move { store(&gateway, change, line).await }),
        fingerprint,
        refused: None,
    })
}

async fn store(gateway: &Gateway, change: Change, line: Option<Line>) -> Result<Stored, Refused> {
    let Change { owner, user, blocked, id, fingerprint } = change;
    let accounts = &gateway.accounts.accounts;
    let mut state = accounts.get(owner).await?;
    for _ in 0..MAX_TRIES {
        let Some(last) = state else { return Err(Refused::new(ErrorCode::Forbidden, "this account was erased")) };
        let account = last.account.clone().block(user, blocked).ok_or_else(full)?;
        let record = Record::new(owner, BlockChanged { user, blocked, account, fingerprint })
            .to(&[owner])
            .answering(id)
            .sealed_with(last.key);
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

fn full() -> Refused {
    Refused::new(ErrorCode::Full, format!("more than {MAX_BLOCKS} people can't be blocked"))
}
