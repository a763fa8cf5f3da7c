//! `block` and `unblock`: whom the caller wants nothing to do with.

use std::sync::Arc;

use natter_events::event::MAX_BLOCKS;
use natter_events::{Account, BlockChanged, Intent};
use natter_log::Line;
use natter_protocol::ErrorCode;
use natter_protocol::frame::Block;

use super::repeat::{self, Body, Known};
use super::{Caller, Decided, Refused, account, content_key};
use crate::Gateway;

/// Decides a block, or that one is taken back.
pub async fn block(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    command: &Block,
    blocked: bool,
    line: Option<Line>,
) -> Result<Decided, Refused> {
    let id = command.id;
    let known = repeat::known(gateway, caller, id).await?;
    let refused = match decide(gateway, caller, command, blocked, line, known).await {
        Err(refused) => refused,
        decided => return decided,
    };
    let known = repeat::before_refusing(gateway, caller, id, refused).await?;
    decide(gateway, caller, command, blocked, line, Some(known)).await
}

async fn decide(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    command: &Block,
    blocked: bool,
    line: Option<Line>,
    known: Option<Known>,
) -> Result<Decided, Refused> {
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
    let (gateway, owner, id) = (gateway.clone(), caller.uid, command.id);
    let storing = Box::pin(async move {
        let change = |account: Account| {
            let account = account.block(user, blocked).ok_or_else(full)?;
            Ok(BlockChanged { user, blocked, account, fingerprint }.into())
        };
        account::store(&gateway, owner, id, line, change).await
    });
    Ok(Decided::Changing { storing, fingerprint, refused: None })
}

fn full() -> Refused {
    Refused::new(ErrorCode::Full, format!("more than {MAX_BLOCKS} people can't be blocked"))
}
