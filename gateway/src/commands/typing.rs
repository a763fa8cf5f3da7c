//! `typing`: a signal to the others, which may be lost.

use natter_protocol::frame::Typing;

use super::{Audience, Caller, Refused};
use crate::Gateway;
use crate::live::{Signal, publish};

/// Tells the others of a conversation that the caller is writing.
pub async fn typing(gateway: &Gateway, caller: &Caller, command: &Typing) -> Result<(), Refused> {
    // More often says nothing more; it is not worth an error, nor a look at who is in the conversation.
    if gateway.rates.signal(caller.uid).is_err() {
        return Ok(());
    }
    let audience = Audience::of(gateway, caller.uid, command.conversation).await?;
    audience.check_open(gateway).await?;
    let to = audience.people().to_vec();
    let signal = Signal::Typing { conversation: command.conversation, user: caller.uid, to };
    publish(&gateway.log, &signal).await;
    Ok(())
}
