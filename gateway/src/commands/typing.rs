//! `typing`: a signal to the others, which may be lost.

use natter_protocol::frame::Typing;

use super::{Caller, Refused, check_blocks, people_of};
use crate::Gateway;
use crate::live::{Signal, publish};

/// Tells the others of a conversation that the caller is writing.
pub async fn typing(gateway: &Gateway, caller: &Caller, command: &Typing) -> Result<(), Refused> {
    // More often says nothing more; it is not worth an error, nor a look at who is in the conversation.
    if gateway.rates.signal(caller.uid).is_err() {
        return Ok(());
    }
    let people = people_of(gateway, caller.uid, command.conversation).await?;
    check_blocks(gateway, &people).await?;
    let signal = Signal::Typing { conversation: command.conversation, user: caller.uid, to: people.to_vec() };
    publish(&gateway.log, &signal).await;
    Ok(())
}
