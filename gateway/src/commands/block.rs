//! `block` and `unblock`: whom the caller wants nothing to do with.

use std::sync::Arc;

use natter_events::event::MAX_BLOCKS;
use natter_events::{Account, BlockChanged, ClientId, Intent};
use natter_log::Line;
use natter_protocol::ErrorCode;
use natter_protocol::frame::Block;

use super::repeat::{self, Body, Known};
use super::{Caller, Decided, Durable, Refused, account, content_key};
use crate::Gateway;

/// A block, or that one is taken back.
pub struct Blocking<'a> {
    pub command: &'a Block,
    pub blocked: bool,
}

impl Durable for Blocking<'_> {
    type Decided = Decided;

    fn id(&self) -> ClientId {
        self.command.id
    }

    async fn decide(
        &self,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        line: Option<Line>,
        known: Option<Known>,
    ) -> Result<Decided, Refused> {
        let Blocking { command, blocked } = *self;
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
}

fn full() -> Refused {
    Refused::new(ErrorCode::Full, format!("more than {MAX_BLOCKS} people can't be blocked"))
}
